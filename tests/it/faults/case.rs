//! The form of a case in `tests/cases/faults`: what is said in place of an answer, and how it must end.

use std::{collections::BTreeMap, fs, path::Path};

use keyhaul::base::base64;
use serde::Deserialize;
use serde_json::Value;

use super::small::{Entry, body};
use crate::program::{Ada, Step, Trick};

/// Where the cases are.
pub(super) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/faults");

/// One fault and its outcome.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// The number of the fault.
    pub(super) id: String,
    /// What happens, in a few words.
    pub(super) what: String,
    /// The command and its own options.
    #[serde(default = "restore")]
    pub(super) run: Vec<String>,
    /// Another secret than the recovery key; the empty text is none.
    pub(super) secret: Option<String>,
    /// The password in place of the token.
    #[serde(default)]
    pub(super) with_password: bool,
    /// Words of the first line of the requests that get another answer.
    #[serde(default = "keys")]
    pub(super) on: String,
    /// What they get, one after the other; the last stays.
    pub(super) answers: Vec<Answer>,
    /// How often they may be asked for in one run.
    pub(super) asked: Option<usize>,
    /// The exit code.
    #[serde(default)]
    pub(super) exit: i32,
    /// The code of the failure.
    pub(super) code: Option<String>,
    /// What people must be told, among other things.
    #[serde(default)]
    pub(super) says: Vec<String>,
    /// How many entries are refused, by reason.
    #[serde(default)]
    pub(super) refused: BTreeMap<String, usize>,
    /// Keys in the store afterwards.
    #[serde(default)]
    pub(super) kept: u64,
    /// Keys in the store after another run on a server that behaves.
    #[serde(default = "all")]
    pub(super) then: u64,
}

/// One answer. In its texts `@user`, `@room1`, `@id1` and `@entry1` to `@entry5`, `@keys` (the whole
/// body), `@version`, `@auth` (its `auth_data`), `@public` (the key
/// in it) and `@etag` stand for those of the small account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The status; none stands for the server's own answer.
    status: Option<u16>,
    /// More headers.
    #[serde(default)]
    headers: Vec<String>,
    /// The body.
    #[serde(default)]
    body: String,
    /// What `¤` in the body stands for, and how often.
    fill: Option<(String, usize)>,
    /// The body is this file.
    file: Option<String>,
    /// Every character of the body is one byte.
    #[serde(default)]
    bytes: bool,
    /// How the body is wrapped in gzip: `whole`, `cut`, `wrong-sum`, `more-after`.
    gzip: Option<String>,
    /// No `content-length` of our own.
    #[serde(default)]
    unmeasured: bool,
    /// Only this much of the answer's body is said.
    cut: Option<usize>,
    /// The connection is torn down afterwards.
    #[serde(default)]
    reset: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

fn restore() -> Vec<String> {
    vec!["restore".to_owned()]
}

fn keys() -> String {
    "/room_keys/keys".to_owned()
}

fn all() -> u64 {
    super::small::KEYS as u64
}

/// The cases of one file.
pub(super) fn read(name: &str) -> Vec<Case> {
    let text = fs::read_to_string(Path::new(FOLDER).join(name)).unwrap();
    toml::from_str::<File>(&text).unwrap_or_else(|error| panic!("{name}: {error}")).case
}

/// The names of all files of cases.
pub(super) fn files() -> Vec<String> {
    let files = fs::read_dir(FOLDER).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".toml")).collect();
    names.sort();
    names
}

impl Case {
    /// What is done to its requests.
    pub(super) fn trick(&self, ada: &Ada, entries: &[Entry]) -> Trick {
        let tricks: Vec<_> = self.answers.iter().map(|answer| answer.trick(ada, entries)).collect();
        Trick::turns(tricks)
    }
}

impl Answer {
    fn trick(&self, ada: &Ada, entries: &[Entry]) -> Trick {
        let Some(status) = self.status else { return Trick::PASS };
        let mut body = self.body(ada, entries);
        if let Some(kind) = &self.gzip {
            body = gzip(&body, kind);
        }
        let mut head = format!("HTTP/1.1 {status} Said\r\nconnection: close\r\n");
        for header in &self.headers {
            head.push_str(&format!("{header}\r\n"));
        }
        if !self.unmeasured {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        body.truncate(self.cut.unwrap_or(usize::MAX));
        let mut steps = vec![Step::Say([head.into_bytes(), body].concat())];
        if self.reset {
            steps.push(Step::Reset);
        }
        Trick::script(steps)
    }

    fn body(&self, ada: &Ada, entries: &[Entry]) -> Vec<u8> {
        if let Some(file) = &self.file {
            return fs::read(Path::new(FOLDER).join(file)).unwrap();
        }
        let mut text = filled(&self.body, ada, entries);
        if let Some((with, times)) = &self.fill {
            text = text.replace('¤', &with.repeat(*times));
        }
        if self.bytes {
            return text.chars().map(|c| u8::try_from(u32::from(c)).expect("one byte")).collect();
        }
        text.into_bytes()
    }
}

/// A text with everything in place of its `@` words.
pub(super) fn filled(text: &str, ada: &Ada, entries: &[Entry]) -> String {
    let mut text = text.to_owned();
    // The words of an entry last: they are data, and nothing in them is replaced.
    text = text.replace("@user", &ada.account.user_id);
    let version = ada.account.version(3).unwrap().describe(3);
    text = text.replace("@version", &version.to_string());
    text = text.replace("@auth", &version["auth_data"].to_string());
    text = text.replace("@public", version["auth_data"]["public_key"].as_str().unwrap());
    text = text.replace("@etag", version["etag"].as_str().unwrap());
    text = text.replace("@keys", &body(entries));
    for (place, entry) in entries.iter().enumerate() {
        let [room, session] = [&entry.room, &entry.session].map(|id| inner(id));
        text = text.replace(&format!("@room{}", place + 1), &room);
        text = text.replace(&format!("@id{}", place + 1), &session);
    }
    for (place, entry) in entries.iter().enumerate() {
        text = text.replace(&format!("@entry{}", place + 1), &entry.json);
    }
    text
}

/// A text as it stands between the quotes of a JSON string.
fn inner(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A gzip file of stored blocks: valid, and of known length.
fn gzip(bytes: &[u8], kind: &str) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let blocks = bytes.chunks(60_000).count();
    for (place, block) in bytes.chunks(60_000).enumerate() {
        let length = u16::try_from(block.len()).unwrap();
        file.push(u8::from(place + 1 == blocks));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(block);
    }
    let sum = crc32(bytes) ^ u32::from(kind == "wrong-sum");
    file.extend(sum.to_le_bytes());
    file.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    match kind {
        "whole" | "wrong-sum" => {}
        "cut" => file.truncate(file.len() - 30),
        "more-after" => file.extend(b"and more"),
        other => panic!("gzip = {other:?}"),
    }
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

#[test]
fn the_sum_of_a_gzip_file_is_the_known_one() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(base64::encode(&gzip(b"", "whole")[..4]), "H4sIAA");
}

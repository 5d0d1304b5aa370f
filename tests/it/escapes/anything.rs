//! Any text in every place where a server or a file can put one, through the whole program: what comes
//! out on stdout and stderr has nothing that is not on the one list of `program::printed`.
//!
//! Every run of the program is held to that list; here each run carries thousands of made-up texts.

use std::{cell::Cell, collections::BTreeMap, fs};

use jiff::Timestamp;
use keyhaul::{
    backup::version::ALGORITHM,
    base::{
        failure::{Code, Failure},
        shown::Shown,
    },
    demo::{
        account::{Account, Membership, Person, Room},
        timeline::Timeline,
    },
    snapshot::{
        format::{FORMAT, Header, Trailer},
        writer::Writer,
    },
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json, value::to_raw_value};

use crate::{
    chance::cases,
    key_files,
    program::{Ada, Lab, Trick, backup_key, stranger},
    snapshots::trailer,
};

/// Whole sequences that terminals obey, and single characters that do harm without any.
fn hostile() -> impl Strategy<Value = String> {
    let sequences = prop::sample::select(vec![
        "\u{1b}[31m",
        "\u{1b}[2J",
        "\u{1b}[6n",
        "\u{1b}]0;title\u{7}",
        "\u{1b}]52;c;QUFB\u{7}",
        "\u{1b}]8;;http://evil.example\u{1b}\\",
        "\u{1b}P$q\u{1b}\\",
        "\u{1b}_app\u{1b}\\",
        "\u{1b}c",
        "\u{9b}2J",
        "\u{9d}0;t\u{9c}",
        "\u{90}q\u{9c}",
        "\r\n",
        "\u{8}\u{8}\u{8}",
        "\u{202e}drawkcab\u{2066}",
        "\u{e0041}\u{e0042}\u{e007f}",
        "👩\u{200d}💻\u{fe0f}",
        "\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\\u001b",
        "\u{2028}\u{2029}\u{85}",
        "\u{fff9}a\u{fffa}b\u{fffb}",
        "\u{115f}\u{1160}\u{3164}\u{ffa0}\u{180e}\u{ad}\u{2800}",
        "\u{13430}\u{13437}",
    ]);
    let low = prop::char::ranges(vec!['\0'..='\u{a0}'].into());
    let high = prop::char::ranges(vec!['\u{2000}'..='\u{206f}', '\u{e000}'..='\u{ffff}'].into());
    let part = prop_oneof![
        3 => sequences.prop_map(str::to_owned),
        2 => low.prop_map(String::from),
        2 => high.prop_map(String::from),
        1 => any::<char>().prop_map(String::from),
        2 => "[a-zA-Z ü漢]{1,4}".prop_map(String::from),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Gives made-up texts and counts them.
struct Texts {
    runner: TestRunner,
    given: Cell<usize>,
}

impl Texts {
    fn new() -> Self {
        Self { runner: TestRunner::new(Config::default()), given: Cell::new(0) }
    }

    fn next(&mut self) -> String {
        self.given.set(self.given.get() + 1);
        hostile().new_tree(&mut self.runner).unwrap().current()
    }

    /// An id that no other one is the same as.
    fn id(&mut self, sign: &str) -> String {
        let number = self.given.get();
        format!("{sign}{number}{}:x", self.next())
    }
}

/// Runs a command for people and as JSON: every print is checked on the way. The document is the same
/// to a parser as if nothing had been escaped.
fn both(lab: &Lab, args: &[String]) -> Value {
    lab.run(args);
    let mut with_json = args.to_vec();
    with_json.push("--json".to_owned());
    lab.run(&with_json).document()
}

fn args(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A snapshot of these entries, none of which opens, with the names of their rooms.
fn snapshot(lab: &Lab, texts: &mut Texts, rooms: &BTreeMap<String, Vec<String>>) -> String {
    let version = json!({
        "algorithm": ALGORITHM,
        "auth_data": {"public_key": backup_key().public_key().to_base64()},
        "count": 1, "etag": texts.next(), "version": texts.id("v"),
    });
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: texts.id("https://"),
        user: texts.id("@"),
        started: Timestamp::UNIX_EPOCH,
        version: to_raw_value(&version).unwrap(),
        account_data: BTreeMap::new(),
    };
    let entry = json!({"session_data": {"ephemeral": "", "mac": "", "ciphertext": ""}});
    let sessions = |ids: &Vec<String>| -> Value {
        ids.iter().map(|id| (id.clone(), entry.clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let body = rooms.iter().map(|(room, ids)| (room.clone(), json!({"sessions": sessions(ids)})));
    let body = json!({"rooms": body.collect::<serde_json::Map<_, _>>()});
    let names = rooms.keys().map(|room| (room.clone(), texts.next())).collect();
    let file = lab.path("texts.keyhaul");
    let mut writer = Writer::create(&file, &header).unwrap();
    writer.write(body.to_string().as_bytes()).unwrap();
    let entries = rooms.values().map(Vec::len).sum::<usize>() as u64;
    writer.finish(Trailer { entries, ..trailer() }, names).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Ids and names of rooms, ids of keys, and every field of a snapshot's first line.
fn in_snapshots(texts: &mut Texts) {
    let lab = Lab::new();
    let mut rooms: BTreeMap<_, _> =
        (0..1_500).map(|_| (texts.id("!"), vec![texts.id("")])).collect();
    let many: Vec<String> = (0..1_500).map(|_| texts.id("")).collect();
    let room = texts.id("!");
    rooms.insert(room.clone(), many);
    let file = snapshot(&lab, texts, &rooms);
    let key = keyhaul::backup::recovery_key::format(backup_key().secret());
    let secret = format!("--secret-file={}", lab.secret("key", key.expose()));
    let from = format!("--snapshot={file}");
    let document = both(&lab, &args(&["rooms", &from]));
    let told: Vec<_> = document["rooms"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), rooms.len());
    assert!(told.iter().all(|told| rooms.contains_key(told["room_id"].as_str().unwrap())));
    // An argument has no NUL.
    if !room.contains('\0') {
        let document = both(&lab, &args(&["sessions", &room, &from]));
        assert_eq!(document["sessions"].as_array().unwrap().len(), 1_500);
    }
    both(&lab, &args(&["snapshot", "info", &file]));
    both(&lab, &args(&["backups", &from]));
    let document = both(&lab, &args(&["restore", &from, &secret, "--dry-run"]));
    assert_eq!(document["runs"][0]["refused"].as_array().unwrap().len(), 3_000);
}

/// Every field of a key file's sessions.
fn in_key_files(texts: &mut Texts) {
    let ada = Ada::new();
    let sessions: Vec<String> = (0..600)
        .map(|_| {
            json!({
                "algorithm": texts.next(), "room_id": texts.id("!"), "session_id": texts.id(""),
                "session_key": texts.next(), "sender_key": texts.next(),
            })
            .to_string()
        })
        .collect();
    let file = ada.lab.path("keys.txt");
    fs::write(&file, key_files::locked(&sessions.join(","), "words")).unwrap();
    let words = format!("--passphrase-file={}", ada.lab.secret("passphrase", "words"));
    let args = ada.opens(&["import", file.to_str().unwrap(), &words]);
    let document = both(&ada.lab, &args);
    assert_eq!(document["refused"].as_array().unwrap().len(), 600);
}

/// Names of people and devices, messages and all that stands around them, ids of signatures and locks.
fn on_servers(texts: &mut Texts) {
    let mut id = String::new();
    let ada = Ada::with(|account| {
        id = conversation(account, texts);
        for _ in 0..60 {
            let device = texts.id("D");
            let about = json!({
                "user_id": account.user_id, "device_id": device, "algorithms": [],
                "keys": {format!("ed25519:{device}"): texts.next()},
                "unsigned": {"device_display_name": texts.next()},
            });
            let signed = &mut account.versions.get_mut(&3).unwrap().as_mut().unwrap().auth_data;
            signed["signatures"][&account.user_id][format!("ed25519:{device}")] = "AAAA".into();
            account.device_keys.insert(device, about);
        }
        for _ in 0..20 {
            let lock = texts.id("k");
            let about = json!({"algorithm": texts.next(), "name": texts.next()});
            account.account_data.insert(format!("m.secret_storage.key.{lock}"), about);
            let secret = account.account_data.get_mut("m.megolm_backup.v1").unwrap();
            secret["encrypted"][lock] = json!({"iv": texts.next(), "mac": "", "ciphertext": ""});
        }
    });
    both(&ada.lab, &ada.opens(&["backups"]));
    both(&ada.lab, &ada.opens(&["unlock"]));
    both(&ada.lab, &ada.opens(&["restore"]));
    both(&ada.lab, &ada.asks(&["rooms"]));
    if !id.contains('\0') {
        let document = both(&ada.lab, &ada.opens(&["history", &id]));
        assert!(!document["events"].as_array().unwrap().is_empty());
    }
}

/// A room where strange things are said by strange people.
fn conversation(account: &mut Account, texts: &mut Texts) -> String {
    let id = texts.id("!");
    let people: Vec<_> =
        (0..40).map(|_| Person { user_id: texts.id("@"), display_name: texts.next() }).collect();
    let events = (0..200).map(|n: usize| {
        let (kind, content) = match n % 4 {
            0 => ("m.room.message", json!({"msgtype": texts.next(), "body": texts.next()})),
            1 => ("m.room.message", json!({"msgtype": "m.text", "body": texts.next()})),
            2 => ("m.room.encrypted", json!({
                "algorithm": texts.next(), "session_id": texts.next(), "ciphertext": texts.next(),
            })),
            _ => ("m.sticker", json!({"body": texts.next(), "url": texts.next()})),
        };
        json!({
            "event_id": texts.id("$"), "sender": people[n % people.len()].user_id,
            "origin_server_ts": n, "type": kind, "content": content,
            "unsigned": {"membership": texts.next()},
        })
    });
    account.timelines.insert(id.clone(), Timeline::of(events.collect()));
    let version = account.versions.get_mut(&3).unwrap().as_mut().unwrap();
    let json = version.rooms.values().next().unwrap().values().next().unwrap().clone();
    version.rooms.insert(id.clone(), [(texts.id(""), json)].into());
    let (name, alias) = (Some(texts.next()), Some(texts.id("#")));
    let membership = Membership::Joined;
    account.rooms.push(Room { id: id.clone(), name, alias, people, membership });
    id
}

/// Words of refusals, names of versions, an algorithm that nobody knows.
fn in_refusals(texts: &mut Texts) {
    let ada = Ada::new();
    for status in [400, 403, 404, 429, 500, 502, 401] {
        let said = json!({"errcode": texts.next(), "error": texts.next(), "flows": texts.next(),
            // Longer than anybody waits without being asked.
            "retry_after_ms": 400_000});
        let between = ada.between(vec![("/room_keys/version", Trick::Say(status, said))]);
        let args = ada.through(&between, ada.asks(&["backups"]));
        assert!(both(&ada.lab, &args)["error"]["code"].is_string(), "{status}");
    }
    for _ in 0..6 {
        let mut described = ada.account.version(3).unwrap().describe(3);
        described["version"] = texts.id("").into();
        described["etag"] = texts.next().into();
        described["algorithm"] = texts.next().into();
        let between = ada.between(vec![("/room_keys/version", Trick::Say(200, described))]);
        both(&ada.lab, &ada.through(&between, ada.opens(&["backups"])));
        both(&ada.lab, &ada.through(&between, ada.opens(&["restore"])));
    }
}

#[test]
fn what_anybody_says_is_printed_safely() {
    let begun = std::time::Instant::now();
    let mut texts = Texts::new();
    in_snapshots(&mut texts);
    in_key_files(&mut texts);
    on_servers(&mut texts);
    in_refusals(&mut texts);
    println!("{} texts in {:.1} s", texts.given.get(), begun.elapsed().as_secs_f64());
    assert!(texts.given.get() >= 10_000);
}

/// The same texts without the door: the list finds nearly all of them.
#[test]
fn texts_that_do_not_pass_the_door_are_found() {
    let mut texts = Texts::new();
    let all: Vec<String> = (0..1_000).map(|_| texts.next()).collect();
    let found = all.iter().filter(|text| stranger(text).is_some()).count();
    assert!(found > 700, "{found}");
    let careless = json!({"names": all}).to_string();
    assert!(stranger(&careless).is_some());
}

/// Each character by itself: what the door lets through is on the list.
#[test]
fn no_character_passes_the_door_that_is_not_on_the_list() {
    let passing = ('\0'..=char::MAX).filter(|character| Shown::passes(*character));
    let mut strangers = Vec::new();
    let mut count = 0;
    for character in passing {
        count += 1;
        if stranger(character.encode_utf8(&mut [0; 4])).is_some() {
            strangers.push(character);
        }
    }
    assert!(count > 100_000, "{count}");
    assert!(strangers.is_empty(), "{strangers:?}");
}

proptest! {
    #![proptest_config(cases(20_000))]

    /// The words of a failure, and of a document, without the program around them.
    #[test]
    fn words_are_safe(text in hostile()) {
        let failure = Failure::new(Code::ServerNotFound).with("name", &*text).because(&text);
        let detail = failure.detail().map(Shown::as_str).unwrap_or_default().to_owned();
        let document = keyhaul::base::shown::escape_json(&json!({"a": text}).to_string());
        for words in [failure.what(), failure.next_command(), detail, document] {
            prop_assert_eq!(stranger(&words), None);
        }
    }
}

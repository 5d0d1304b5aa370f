//! The form of a case's file, and what is no case.

use std::{fs, path::Path};

use keyhaul::base::limits;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, value::RawValue};

/// All words of the contract for why an entry is refused.
pub(super) const REASONS: [&str; 10] = [
    "malformed",
    "ephemeral",
    "mac",
    "corrupt",
    "algorithm",
    "missing_field",
    "session_key",
    "id_mismatch",
    "room_mismatch",
    "too_large",
];

/// The mark in `entry_text` that is filled up.
const FILL: &str = "<fill>";

/// What must become of an entry: one of the two, and nothing beside it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Expected {
    Opens {
        opens: bool,
        session_id: String,
        first_known_index: u32,
        session_key: String,
        metadata: Option<Value>,
        keeps: Option<Value>,
    },
    Refused {
        reason: String,
    },
}

/// One case, read from its file.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The file's name without its end.
    pub(super) name: String,
    pub(super) room_id: String,
    pub(super) session_id: String,
    /// The entry's JSON, or what stands in its place.
    pub(super) text: String,
    /// It breaks whatever it stands in.
    pub(super) alone: bool,
    pub(super) expected: Expected,
}

/// What all cases are locked for, and the two good entries that stand beside each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backup {
    #[expect(dead_code, reason = "for people")]
    about: String,
    pub(super) private_key: String,
    pub(super) public_key: String,
    pub(super) recovery_key: String,
    beside: [File; 2],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    room_id: String,
    session_id: String,
    #[serde(default, deserialize_with = "also_null")]
    entry: Option<Box<RawValue>>,
    entry_text: Option<String>,
    fill: Option<Fill>,
    alone: Option<String>,
    expected: Expected,
}

/// What is repeated in the entry's text, until it has so many bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fill {
    with: char,
    to: usize,
}

fn also_null<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(value).map(Some)
}

impl Expected {
    /// All that is expected of an opened key, by name.
    pub(super) fn opening(&self) -> Map<String, Value> {
        let Self::Opens { session_id, first_known_index, session_key, metadata, keeps, .. } = self
        else {
            panic!("{self:?} does not open");
        };
        let usual = [
            ("session_id", Value::from(session_id.as_str())),
            ("first_known_index", Value::from(*first_known_index)),
            ("session_key", Value::from(session_key.as_str())),
        ];
        let more = [("metadata", metadata), ("keeps", keeps)];
        let more = more.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        usual.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Case {
    /// All cases, in the order of their names.
    pub(super) fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for file in fs::read_dir(folder()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.extension().is_some_and(|end| end == "json") && name != "backup" {
                let json = fs::read_to_string(&path).unwrap();
                let case = Self::read(name, &json);
                cases.push(case.unwrap_or_else(|fault| panic!("{name}: {fault}")));
            }
        }
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    /// Reads a file, which must have one entry and one expectation.
    fn read(name: &str, json: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Self::of(name, file)
    }

    fn of(name: &str, file: File) -> Result<Self, String> {
        if !file.about.ends_with('.') {
            return Err("`about` is no sentence".to_owned());
        }
        let mut text = match (file.entry, file.entry_text) {
            (Some(entry), None) => entry.get().to_owned(),
            (None, Some(text)) => text,
            _ => return Err("expected one of `entry` and `entry_text`".to_owned()),
        };
        if let Some(Fill { with, to }) = file.fill {
            let parts: Vec<&str> = text.split(FILL).collect();
            let [before, after] = parts[..] else {
                return Err(format!("expected {FILL} once in `entry_text`"));
            };
            let count = to.saturating_sub(before.len() + after.len()) / with.len_utf8();
            text = [before, &with.to_string().repeat(count), after].concat();
        }
        match &file.expected {
            Expected::Opens { opens: false, .. } => return Err("`opens` is false".to_owned()),
            Expected::Refused { reason } if !REASONS.contains(&reason.as_str()) => {
                return Err(format!("{reason} is no reason"));
            }
            _ => {}
        }
        let (room_id, session_id, alone) = (file.room_id, file.session_id, file.alone.is_some());
        let (name, expected) = (name.to_owned(), file.expected);
        Ok(Self { name, room_id, session_id, text, alone, expected })
    }

    /// Where the entry stands in a backup.
    pub(super) fn place(&self) -> (&str, &str) {
        (&self.room_id, &self.session_id)
    }

    pub(super) fn opens(&self) -> bool {
        matches!(self.expected, Expected::Opens { .. })
    }
}

impl Backup {
    pub(super) fn read() -> Self {
        serde_json::from_str(&fs::read_to_string(folder().join("backup.json")).unwrap()).unwrap()
    }

    /// A good entry to stand before a case, and one to stand after it.
    pub(super) fn beside(&self) -> [Case; 2] {
        let [before, after] = self.beside.clone();
        [("before", before), ("after", after)].map(|(name, file)| Case::of(name, file).unwrap())
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/entries"))
}

#[test]
fn what_is_no_case_is_found() {
    let read = |more: &str, expected: &str| {
        let names = r#""about":"A.","room_id":"!r:x","session_id":"S""#;
        Case::read("x", &format!("{{{names}{more},\"expected\":{expected}}}")).map(|case| case.text)
    };
    let mac = r#"{"reason":"mac"}"#;
    let opens = r#""opens":true,"session_id":"S","first_known_index":0,"session_key":"K""#;
    for (more, text) in [
        (r#","entry":{ "a":1.0}"#, r#"{ "a":1.0}"#),
        (r#","entry":null"#, "null"),
        (r#","entry_text":"{\"a\":1,\"a\":1}""#, r#"{"a":1,"a":1}"#),
        (r#","entry_text":"<<fill>>","fill":{"with":"x","to":6}"#, "<xxxx>"),
    ] {
        assert_eq!(read(more, mac).as_deref(), Ok(text));
        assert_eq!(read(more, &format!("{{{opens}}}")).as_deref(), Ok(text));
    }
    for more in [
        "",
        r#","entry":{},"entry_text":"{}""#,
        r#","entry":{},"entry":{}"#,
        r#","entry":{},"fill":{"with":"x","to":6}"#,
        r#","entry_text":"<fill><fill>","fill":{"with":"x","to":6}"#,
        r#","entry":{},"expected":{"reason":"mac"}"#,
        r#","entry":{},"reason":"mac""#,
    ] {
        assert!(read(more, mac).is_err(), "{more}");
    }
    for expected in [
        "{}",
        "null",
        r#"{"reason":"bad"}"#,
        r#"{"opens":true}"#,
        &format!("{{{}}}", opens.replace("true", "false")),
        &format!("{{{opens},\"reason\":\"mac\"}}"),
        r#"{"reason":"mac","reason":"mac"}"#,
    ] {
        assert!(read(r#","entry":{}"#, expected).is_err(), "{expected}");
    }
}

/// Files stay small: what is larger than an entry may be is filled up on reading.
#[test]
fn files_are_small_and_say_the_size() {
    let cases = Case::all();
    assert!(cases.iter().any(|case| case.text.len() == limits::ENTRY && case.opens()));
    assert!(cases.iter().any(|case| case.text.len() == limits::ENTRY + 1 && !case.opens()));
    for file in fs::read_dir(folder()).unwrap() {
        let length = file.unwrap().metadata().unwrap().len();
        assert!(length < limits::ENTRY as u64, "{length} bytes");
    }
}

//! Entries with one fault or one oddity each, as files below `tests/cases/entries`, each with what
//! must become of it. An independent program made them (see the README there).

mod beside_others;
mod forms;
mod restored;

use std::collections::{BTreeMap, BTreeSet};

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        entry::{Metadata, RawEntry},
        recovery_key,
        scanner::{Scanner, Shape},
    },
    base::{base64, secret::Secret32},
    megolm::room_key::RoomKey,
};
use serde_json::{Map, Value, json, value::RawValue};

use forms::{Backup, Case, Expected, REASONS};

/// What became of an entry.
enum Became {
    Opened(Box<RoomKey>, Metadata),
    Refused(&'static str),
}

impl Backup {
    fn key(&self) -> DecryptionKey {
        let bytes: [u8; 32] = base64::decode_exact(&self.private_key).unwrap();
        DecryptionKey::new(Secret32::take(&mut { bytes }))
    }

    fn open(&self, entry: &RawEntry<'_>) -> Became {
        match self.key().open(entry, &mut Workroom::default()) {
            Ok(key) => Became::Opened(Box::new(key), Metadata::parse(entry.json)),
            Err(refusal) => Became::Refused(refusal.reason()),
        }
    }

    /// Opens a case by itself, as where a server is asked for one session. Where the text is so broken
    /// that the scanner gives out no entry, it is opened as it is.
    fn open_by_itself(&self, case: &Case) -> Became {
        let (room_id, session_id) = (case.room_id.as_str(), case.session_id.as_str());
        let shape =
            Shape::Session { room_id: room_id.to_owned(), session_id: session_id.to_owned() };
        let json = case.text.as_bytes();
        let mut became = None;
        let mut open = |entry: RawEntry<'_>| became = Some(self.open(&entry));
        let _ = Scanner::new(shape).feed(json, &mut open);
        became.unwrap_or_else(|| self.open(&RawEntry { room_id, session_id, json, fault: None }))
    }
}

/// What is not as it was expected, if anything.
fn fault(expected: &Expected, became: &Became) -> Option<String> {
    let (key, metadata) = match (expected, became) {
        (Expected::Refused { reason }, Became::Refused(got)) if reason == got => return None,
        (Expected::Refused { reason }, Became::Refused(got)) => {
            return Some(format!("expected {reason}, got {got}"));
        }
        (Expected::Refused { reason }, Became::Opened(..)) => {
            return Some(format!("expected {reason}, but it opens"));
        }
        (Expected::Opens { .. }, Became::Refused(got)) => {
            return Some(format!("expected that it opens, got {got}"));
        }
        (Expected::Opens { .. }, Became::Opened(key, metadata)) => (key, metadata),
    };
    let wanted = expected.opening();
    let got = opening(key, metadata, &wanted);
    (wanted != got).then(|| format!("expected {}, got {}", Value::from(wanted), Value::from(got)))
}

/// What an opened key says of everything that is expected of it.
fn opening(key: &RoomKey, metadata: &Metadata, wanted: &Map<String, Value>) -> Map<String, Value> {
    // Field by field: a claim may be a number that no program can hold.
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&key.to_plaintext()).unwrap();
    let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(Value::Null);
    let plaintext: Value = fields.iter().map(|(name, raw)| (name.clone(), value(raw))).collect();
    let metadata = json!({
        "first_message_index": metadata.first_message_index,
        "forwarded_count": metadata.forwarded_count,
        "is_verified": metadata.is_verified,
    });
    let only = |all: &Value, of: &Value| -> Value {
        let of = of.as_object().unwrap().keys();
        of.map(|name| (name.clone(), all.get(name).cloned().unwrap_or("missing".into()))).collect()
    };
    let one = |name: &String| match name.as_str() {
        "session_id" => key.session_id().to_string().into(),
        "first_known_index" => key.key.first_known_index().into(),
        "session_key" => key.key.to_base64().expose().into(),
        "metadata" => only(&metadata, &wanted[name]),
        "keeps" => only(&plaintext, &wanted[name]),
        other => panic!("nobody can tell {other}"),
    };
    wanted.keys().map(|name| (name.clone(), one(name))).collect()
}

/// All cases that end otherwise than their files say, each with its name.
fn faults(backup: &Backup, cases: &[Case]) -> Vec<String> {
    let one = |case: &Case| {
        let fault = fault(&case.expected, &backup.open_by_itself(case))?;
        Some(format!("{}: {fault}", case.name))
    };
    cases.iter().filter_map(one).collect()
}

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The cases with another expectation each: another reason, or refused in place of opening.
fn wrongly_expected(cases: &[Case]) -> Vec<Case> {
    let other = |expected: &Expected| {
        let reason = match expected {
            Expected::Refused { reason } if reason == "mac" => "corrupt",
            _ => "mac",
        };
        Expected::Refused { reason: reason.to_owned() }
    };
    let one = |case: &Case| Case { expected: other(&case.expected), ..case.clone() };
    cases.iter().map(one).collect()
}

#[test]
fn each_case_ends_as_its_file_says() {
    assert_none(&faults(&Backup::read(), &Case::all()));
}

#[test]
fn a_wrong_expectation_is_found() {
    let (backup, cases) = (Backup::read(), Case::all());
    let wrong = wrongly_expected(&cases);
    let found = faults(&backup, &wrong);
    let of = |name: &str| found.iter().find(|fault| fault.starts_with(&format!("{name}: ")));
    assert!(wrong.iter().all(|case| of(&case.name).is_some()));
    let planted = |name: &str| of(name).unwrap().as_str();
    assert_eq!(planted("mac-in-hex"), "mac-in-hex: expected mac, got malformed");
    assert_eq!(planted("index-300"), "index-300: expected mac, but it opens");
}

/// Each thing that is expected of an opened key is really looked at.
#[test]
fn a_wrong_detail_is_found() {
    let backup = Backup::read();
    let cases = Case::all();
    let named = |name: &str| cases.iter().find(|case| case.name == name).unwrap().clone();
    let wrong = [
        ("index-300", "session_id", json!("AAAA")),
        ("index-300", "first_known_index", json!(299)),
        ("index-300", "session_key", json!("AAAA")),
        ("index-300", "metadata", json!({"first_message_index": null})),
        ("m-shared-history", "keeps", json!({"m.shared_history": false})),
        ("m-shared-history", "keeps", json!({"shared_history": true})),
    ];
    for (name, detail, value) in wrong {
        let mut case = named(name);
        assert_none(&faults(&backup, std::slice::from_ref(&case)));
        let mut expected = case.expected.opening();
        expected.insert("opens".to_owned(), true.into());
        expected.insert(detail.to_owned(), value);
        case.expected = serde_json::from_value(expected.into()).unwrap();
        assert_eq!(faults(&backup, &[case]).len(), 1, "{name}: {detail}");
    }
    let refused = Case { text: "{}".to_owned(), ..named("index-300") };
    assert_eq!(faults(&backup, &[refused]), ["index-300: expected that it opens, got malformed"]);
}

/// How many cases there are for each outcome.
fn counts(cases: &[Case]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for case in cases {
        let outcome = match &case.expected {
            Expected::Opens { .. } => "opens",
            Expected::Refused { reason } => reason,
        };
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

/// Which outcomes have too few cases.
fn missing(cases: &[Case]) -> Vec<&'static str> {
    let counts = counts(cases);
    let outcomes = REASONS.iter().chain(&["opens"]).copied();
    outcomes.filter(|outcome| counts.get(outcome).is_none_or(|count| *count < 5)).collect()
}

#[test]
fn all_reasons_have_cases() {
    let cases = Case::all();
    assert_eq!(missing(&cases), [""; 0]);
    assert!(cases.len() >= 40 && counts(&cases)["opens"] >= 40, "{:?}", counts(&cases));
    // A session has one case, so that each is found again in a restored backup.
    let places: BTreeSet<_> = cases.iter().map(|case| case.place()).collect();
    assert_eq!(places.len(), cases.len());
}

#[test]
fn a_reason_without_cases_is_found() {
    let without = |outcome: &str| -> Vec<Case> {
        let is_other = |case: &Case| match &case.expected {
            Expected::Opens { .. } => outcome != "opens",
            Expected::Refused { reason } => outcome != reason,
        };
        Case::all().into_iter().filter(is_other).collect()
    };
    for outcome in REASONS.iter().chain(&["opens"]) {
        assert_eq!(missing(&without(outcome)), [*outcome]);
    }
}

#[test]
fn the_keys_of_the_backup_go_together() {
    let backup = Backup::read();
    assert_eq!(backup.key().public_key().to_base64(), backup.public_key);
    let typed = recovery_key::parse(&backup.recovery_key).unwrap();
    assert_eq!(base64::encode(typed.expose()), backup.private_key);
    assert_none(&faults(&backup, &backup.beside()));
}

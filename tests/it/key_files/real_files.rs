//! Files that two SDKs wrote, in every layout in which they could have come.

use std::collections::BTreeMap;

use keyhaul::key_file::armor::{HEADER, TRAILER};
use serde_json::{Value, value::RawValue};

use super::sessions;

fn known() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fixtures/key-export.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Compares every session of a file with what it is known to hold, claims included.
#[track_caller]
fn holds(file: &str, known: &Value) {
    let found = sessions(file, text(&known["passphrase"])).unwrap();
    let sessions = known["sessions"].as_array().unwrap();
    assert_eq!(found.len(), sessions.len());
    for (found, known) in found.into_iter().zip(sessions) {
        let key = found.unwrap();
        assert_eq!(key.room_id, text(&known["room_id"]));
        assert_eq!(key.session_id().to_string(), text(&known["session_id"]));
        let plain = key.to_plaintext();
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(&plain).unwrap();
        let expected = known.as_object().unwrap().iter();
        let expected: BTreeMap<String, String> = expected
            .filter(|(name, _)| !["room_id", "session_id"].contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect();
        let fields: BTreeMap<String, String> =
            fields.into_iter().map(|(name, raw)| (name, raw.get().to_owned())).collect();
        assert_eq!(fields, expected);
    }
}

/// The same file as other programs, editors and mail would have left it.
fn layouts(file: &str) -> Vec<String> {
    let lines: Vec<&str> = file.lines().collect();
    let body: String = lines.iter().filter(|line| !line.starts_with('-')).copied().collect();
    let body = body.trim_end_matches(TRAILER);
    let wrapped = |width: usize, end: &str| {
        let lines = body.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap());
        let lines: Vec<&str> = lines.collect();
        format!("{HEADER}{end}{}{end}{TRAILER}{end}", lines.join(end))
    };
    let unpadded = body.trim_end_matches('=');
    let mut padded = unpadded.to_owned();
    while !padded.len().is_multiple_of(4) {
        padded.push('=');
    }
    vec![
        file.to_owned(),
        wrapped(76, "\n"),
        wrapped(128, "\r\n"),
        wrapped(64, "\n   "),
        format!("\u{feff}{}", wrapped(76, "\n")),
        format!("{HEADER}\n{unpadded}\n{TRAILER}"),
        format!("{HEADER}\n{padded}\n{TRAILER}\n"),
        format!("Your keys:\n\n  {HEADER}  \n{body}\n{TRAILER}\n-- \nsent from my phone\n"),
    ]
}

fn is_read_in_every_layout(file: &str, name: &str) {
    let known = known();
    let known = known.iter().find(|known| known["file"] == name).unwrap();
    for layout in layouts(file) {
        holds(&layout, known);
    }
}

#[test]
fn key_export_legacy() {
    let file = include_str!("../../fixtures/key-export-legacy.txt");
    is_read_in_every_layout(file, "key-export-legacy.txt");
}

#[test]
fn key_export_modern() {
    let file = include_str!("../../fixtures/key-export-modern.txt");
    is_read_in_every_layout(file, "key-export-modern.txt");
}

//! Readings that were cut anywhere, of bodies that a server may word as it likes: the joined file holds
//! exactly what each of them gave.

use std::{collections::BTreeSet, fs, path::Path};

use keyhaul::snapshot::reader::Snapshot;
use proptest::prelude::*;

use super::{Entry, begin, entries, few::scanned};
use crate::chance::cases;

/// A name of a room or session, as JSON text.
fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        r#""!a:x""#,
        r#""!b:x""#,
        r#""a/+""#,
        r#""\u0021a:x""#,
        r#""quote\"brace}""#,
        r#""back\\slash""#,
        r#""写真""#,
        r#""\ud83d\udc22""#,
        r#""sessions""#,
        r#""rooms""#,
        r#""""#,
    ])
}

/// What stands where an entry should.
fn entry() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{}",
        r#"{"n":1}"#,
        r#"{ "n" : 1 }"#,
        "{\n\t\"n\": [1, {\"}\": \"]\"}]\r\n}",
        r#"{"s":"a\"},{\"b\\"}"#,
        r#"{"complete":true,"sha256":""}"#,
        r#""text, }""#,
        "[]",
        "7",
        "-1e9",
        "null",
        "true",
    ])
}

/// A member of a room that is no key.
fn beside() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", r#""etag":"1","#, r#""more":{"sessions":{"s":{}}},"#])
}

fn body() -> impl Strategy<Value = String> {
    let keys = prop::collection::vec((name(), entry()), 0..5);
    let rooms = prop::collection::vec((name(), beside(), keys), 0..5);
    (rooms, prop::sample::select(vec!["", " ", "\n"])).prop_map(|(rooms, blank)| {
        let rooms = rooms.into_iter().map(|(room, beside, keys)| {
            let keys = keys.into_iter().map(|(id, json)| format!("{id}:{blank}{json}"));
            let keys: Vec<String> = keys.collect();
            format!("{room}:{blank}{{{beside}\"sessions\":{{{}}}}}", keys.join(","))
        });
        let rooms: Vec<String> = rooms.collect();
        format!("{{{blank}\"rooms\":{{{}}}{blank}}}", rooms.join(&format!(",{blank}")))
    })
}

/// Saves what arrived of a body under a name.
fn save(file: &Path, arrived: &[u8]) {
    let mut writer = begin(file, "@a:x", "AAAA", 1);
    writer.write(arrived).unwrap();
    assert_eq!(writer.abandon().unwrap(), file);
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn the_joined_file_holds_exactly_what_each_reading_gave(
        readings in prop::collection::vec((body(), any::<prop::sample::Index>()), 1..4)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("snapshot");
        let mut expected: BTreeSet<Entry> = BTreeSet::new();
        for (body, cut) in &readings {
            // At any byte, in the middle of a character too.
            let arrived = &body.as_bytes()[..cut.index(body.len())];
            expected.extend(scanned(arrived));
            save(&file, arrived);
            let held = entries(&file);
            let each: BTreeSet<_> = held.iter().cloned().collect();
            prop_assert_eq!(&each, &expected);
            // One reading may itself say a thing twice; joined, it is there once.
            prop_assert!(readings.len() == 1 || held.len() == each.len() || held == scanned(arrived));
        }
        let snapshot = Snapshot::open(&file).unwrap();
        prop_assert!(snapshot.trailer.is_none() && !snapshot.bare);
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// The last thing written must not hang on what comes after it.
#[test]
fn a_number_at_the_end_is_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot");
    for arrived in
        [r#"{"rooms":{"!a:x":{"sessions":{"s":{}"#, r#"{"rooms":{"!a:x":{"sessions":{"t":7,"#]
    {
        save(&file, arrived.as_bytes());
    }
    save(&file, b"{");
    let ids: Vec<String> = entries(&file).into_iter().map(|(_, id, _)| id).collect();
    assert_eq!(ids, ["s", "t"]);
}

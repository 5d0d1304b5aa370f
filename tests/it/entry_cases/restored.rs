//! All cases in one backup, restored by the built program: every damaged entry is named once, with
//! its reason, and every other one is in the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::Timestamp;
use keyhaul::snapshot::{
    format::{FORMAT, Header, Trailer},
    writer::Writer,
};
use serde_json::{Value, json, value::to_raw_value};

use super::{
    assert_none,
    forms::{Backup, Case, Expected},
};
use crate::{program::Lab, snapshots::trailer};

/// The cases by room; none of those that break whatever they stand in.
type Rooms = BTreeMap<String, Vec<Case>>;

fn rooms(backup: &Backup) -> Rooms {
    let mut rooms = Rooms::new();
    let cases = Case::all().into_iter().filter(|case| !case.alone);
    for case in cases.chain(backup.beside()) {
        rooms.entry(case.room_id.clone()).or_default().push(case);
    }
    rooms
}

/// Writes the backup of all these rooms as a snapshot.
fn write(file: &Path, backup: &Backup, rooms: &Rooms) {
    let quoted = |text: &str| Value::from(text).to_string();
    let entry = |case: &Case| format!("{}:{}", quoted(&case.session_id), case.text);
    let room = |(room_id, cases): (&String, &Vec<Case>)| {
        let entries: Vec<String> = cases.iter().map(entry).collect();
        format!("{}:{{\"sessions\":{{{}}}}}", quoted(room_id), entries.join(","))
    };
    let body: Vec<String> = rooms.iter().map(room).collect();
    let entries = rooms.values().map(Vec::len).sum::<usize>() as u64;
    let version = json!({
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": {"public_key": backup.public_key},
        "count": entries,
        "etag": "1",
        "version": "1",
    });
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: "https://example.org".to_owned(),
        user: "@ada:example.org".to_owned(),
        started: Timestamp::UNIX_EPOCH,
        version: to_raw_value(&version).unwrap(),
        account_data: BTreeMap::new(),
    };
    let mut writer = Writer::create(file, &header).unwrap();
    writer.write(format!("{{\"rooms\":{{{}}}}}", body.join(",")).as_bytes()).unwrap();
    let etag = Some("1".to_owned());
    let (etag_before, etag_after) = (etag.clone(), etag);
    let trailer = Trailer { etag_before, etag_after, count: Some(entries), entries, ..trailer() };
    writer.finish(trailer, BTreeMap::new()).unwrap();
}

/// What a restore says that is not so. All its opened keys are new, or all were there before.
fn faults(done: &Value, rooms: &Rooms, kind: &str) -> Vec<String> {
    let run = &done["runs"][0];
    let mut faults = Vec::new();
    let mut must_be = |what: &str, got: &Value, expected: usize| {
        if *got != expected {
            faults.push(format!("{what}: expected {expected}, got {got}"));
        }
    };
    let all = || rooms.values().flatten();
    let (entries, opened) = (all().count(), all().filter(|case| case.opens()).count());
    for (figure, expected) in [
        ("entries", entries),
        ("opened", opened),
        ("refused_count", entries - opened),
        ("new", if kind == "new" { opened } else { 0 }),
        ("unchanged", if kind == "unchanged" { opened } else { 0 }),
        ("better", 0),
        ("candidates", 0),
    ] {
        must_be(figure, &run[figure], expected);
    }
    let listed = run["rooms"].as_array().unwrap();
    must_be("rooms", &listed.len().into(), rooms.len());
    for (room_id, cases) in rooms {
        let room = listed.iter().find(|room| room["room_id"] == room_id.as_str());
        let room = room.unwrap_or(&Value::Null);
        let opened = cases.iter().filter(|case| case.opens()).count();
        must_be("opened of a room", &room["opened"], opened);
        must_be("refused of a room", &room["refused"], cases.len() - opened);
    }
    let mut expected: BTreeSet<[String; 3]> = all().filter_map(refusal).collect();
    for refused in run["refused"].as_array().unwrap() {
        let named = named(refused);
        if !expected.remove(&named) {
            faults.push(format!("named, but not expected (again): {named:?}"));
        }
    }
    faults.extend(expected.into_iter().map(|refusal| format!("not named: {refusal:?}")));
    faults
}

fn refusal(case: &Case) -> Option<[String; 3]> {
    match &case.expected {
        Expected::Refused { reason } => {
            Some([case.room_id.clone(), case.session_id.clone(), reason.clone()])
        }
        Expected::Opens { .. } => None,
    }
}

fn named(refused: &Value) -> [String; 3] {
    ["room_id", "session_id", "reason"].map(|name| refused[name].as_str().unwrap().to_owned())
}

#[test]
fn damaged_entries_are_named_and_all_others_restored() {
    let backup = Backup::read();
    let rooms = rooms(&backup);
    let lab = Lab::new();
    let file = lab.path("home/cases.keyhaul");
    write(&file, &backup, &rooms);
    let snapshot = format!("--snapshot={}", file.to_str().unwrap());
    let secret = format!("--secret-file={}", lab.secret("recovery key", &backup.recovery_key));
    let opened = rooms.values().flatten().filter(|case| case.opens()).count();

    let plan = lab.json(&["restore", "--dry-run", &snapshot, &secret], 3);
    assert_none(&faults(&plan, &rooms, "new"));
    let first = lab.json(&["restore", &snapshot, &secret], 3);
    assert_none(&faults(&first, &rooms, "new"));
    assert_eq!(first["stored_total"], opened);

    let check = lab.json(&["store", "check", &secret], 0);
    assert_eq!(check["keys"], opened);
    assert_eq!(check["damaged"], 0);
    let with_keys = rooms.values().filter(|cases| cases.iter().any(Case::opens));
    assert_eq!(check["rooms"], with_keys.count());
    for room_id in rooms.keys().filter(|room_id| !room_id.contains('\0')) {
        let here = lab.json(&["sessions", room_id, &snapshot, &secret], 0);
        let restored = here["sessions"].as_array().unwrap().iter().map(|session| {
            (session["session_id"].as_str().unwrap(), session["restored"].as_bool().unwrap())
        });
        let expected = rooms[room_id].iter().map(|case| (case.session_id.as_str(), case.opens()));
        assert_eq!(restored.collect::<BTreeSet<_>>(), expected.collect());
    }

    let second = lab.json(&["restore", &snapshot, &secret], 3);
    assert_none(&faults(&second, &rooms, "unchanged"));
    assert_eq!(second["stored_total"], opened);
    let refused = |done: &Value| -> Vec<[String; 3]> {
        done["runs"][0]["refused"].as_array().unwrap().iter().map(named).collect()
    };
    assert_eq!(refused(&first), refused(&second));
}

#[test]
fn whatever_a_restore_says_wrongly_is_found() {
    let backup = Backup::read();
    let good = &backup.beside()[0];
    let mut bad = good.clone();
    bad.session_id = "damaged".to_owned();
    bad.expected = Expected::Refused { reason: "mac".to_owned() };
    let rooms = Rooms::from([("!r:x".to_owned(), vec![good.clone(), bad.clone()])]);
    let (room_id, session_id) = (&bad.room_id, &bad.session_id);
    let refused = json!({"room_id": room_id, "session_id": session_id, "reason": "mac"});
    let right = json!({"runs": [{
        "entries": 2, "opened": 1, "new": 1, "better": 0, "unchanged": 0, "candidates": 0,
        "refused_count": 1, "refused": [refused],
        "rooms": [{"room_id": "!r:x", "opened": 1, "refused": 1}],
    }]});
    assert_none(&faults(&right, &rooms, "new"));
    assert_eq!(faults(&right, &rooms, "unchanged").len(), 2);
    let other = json!({"room_id": room_id, "session_id": session_id, "reason": "corrupt"});
    for (place, value) in [
        ("/runs/0/entries", json!(3)),
        ("/runs/0/opened", json!(2)),
        ("/runs/0/candidates", json!(1)),
        ("/runs/0/rooms/0/refused", json!(0)),
        ("/runs/0/rooms/0/room_id", json!("!other:x")),
        ("/runs/0/refused", json!([])),
        ("/runs/0/refused", json!([other])),
        ("/runs/0/refused", json!([refused, refused])),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        assert_ne!(faults(&wrong, &rooms, "new"), [""; 0], "{place}");
    }
}

//! A snapshot that was cut is continued, and one that holds more is never replaced.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use serde_json::json;

use super::{Entry, begin, entries, sessions, trailer};
use crate::{
    chance::cases,
    program::{Ada, Trick},
};

const KEYS: &str = "/room_keys/keys?";

#[test]
fn cut_answers_add_up() {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul");
    let name = file.to_str().unwrap();
    let size = 4_600_000;
    let mut held = BTreeSet::new();
    // Through one and the same address, because another one is another server.
    let between = ada.between(Trick::Cut(size / 3).alone());
    let save = ada.through(&between, ada.asks(&["snapshot", "save", name]));
    for cut in [size / 3, size / 5, size / 2, size / 2] {
        between.play(Trick::Cut(cut).alone());
        ada.lab.fails(&save, 12, "connection-lost");
        let now = sessions(&file);
        assert!(now.is_superset(&held), "something got lost");
        assert_eq!(entries(&file).len(), now.len(), "something is there twice");
        let info = ada.lab.json(&["snapshot", "info", name], 3);
        assert_eq!((&info["complete"], &info["entries"]), (&json!(false), &json!(now.len())));
        held = now;
    }
    assert!(held.len() > 2_000, "{}", held.len());
    // What is there can be restored at any time.
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let done = ada.lab.json(&["restore", "--snapshot", name, &secret], 3);
    assert_eq!(done["runs"][0]["entries"], held.len());

    between.behave();
    let saved = ada.lab.json(&save, 0);
    assert_eq!((&saved["complete"], &saved["file"]), (&json!(true), &json!(name)));
    let whole = fs::read(&file).unwrap();
    // Now it is whole, and a part never takes its place.
    ada.lab.fails(&save, 14, "file-exists");
    between.play(Trick::Cut(size / 2).alone());
    let mut over = save.clone();
    over.push("--overwrite".to_owned());
    ada.lab.fails(&over, 12, "older-kept");
    assert!(fs::read(&file).unwrap() == whole);
    assert!(!ada.lab.path("home/backup-2.keyhaul").exists());
}

#[test]
fn cut_snapshot_of_something_else_is_not_continued() {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul");
    let between = ada.between(Trick::Cut(1_000_000).alone());
    let name = file.to_str().unwrap();
    let current = ada.through(&between, ada.asks(&["snapshot", "save", name]));
    ada.lab.fails(&current, 12, "connection-lost");
    let before = fs::read(&file).unwrap();
    let mut older = current.clone();
    older.push("--backup-version=1".to_owned());
    ada.lab.fails(&older, 14, "file-exists");
    // The same backup on another server is another one, too.
    ada.lab.fails(&ada.asks(&["snapshot", "save", name]), 14, "file-exists");
    assert!(fs::read(&file).unwrap() == before);
}

#[test]
fn snapshot_that_holds_more_stays() {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul");
    let name = file.to_str().unwrap();
    let between = ada.between(vec![]);
    let save = ada.through(&between, ada.asks(&["snapshot", "save", "--overwrite", name]));
    ada.lab.json(&save, 0);
    let before = fs::read(&file).unwrap();
    // Somebody pressed "reset" and began anew.
    let few = r#"{"rooms":{"!a:x":{"sessions":{"new":{}}}}}"#;
    between.play(vec![(KEYS, Trick::Body(few))]);
    let saved = ada.lab.json(&save, 0);
    let beside = ada.lab.path("home/backup-2.keyhaul");
    assert_eq!(saved["file"], beside.to_str().unwrap());
    assert_eq!(saved["entries"], 1);
    assert!(fs::read(&file).unwrap() == before);
    let people = ada.lab.run(&save).exited(0);
    assert!(people.stderr.contains("so it stays. The new one is"), "{people}");
    // It is the newer one's name that is used again.
    assert_eq!(sessions(&beside).len(), 1);
    assert!(!ada.lab.path("home/backup-3.keyhaul").exists());
}

/// A body of these sessions, each with a value of its own.
fn body(sessions: &[(u8, u8, u8)]) -> String {
    let mut rooms = serde_json::Map::new();
    for (room, session, value) in sessions {
        let room = rooms.entry(format!("!{room}:x")).or_insert_with(|| json!({"sessions": {}}));
        room["sessions"][format!("s{session}")] = json!({"n": value});
    }
    json!({ "rooms": rooms }).to_string()
}

fn cut_snapshot(file: &Path, body: &str) -> BTreeSet<Entry> {
    let aside = file.with_extension("aside");
    let mut writer = begin(&aside, "@a:x", "AAAA", 1);
    writer.write(body.as_bytes()).unwrap();
    writer.abandon().unwrap();
    let held = entries(&aside).into_iter().collect();
    fs::remove_file(aside).unwrap();
    let mut writer = begin(file, "@a:x", "AAAA", 1);
    writer.write(body.as_bytes()).unwrap();
    assert_eq!(writer.abandon().unwrap(), file);
    held
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn together_they_hold_what_either_held(
        one in prop::collection::vec((0_u8..4, 0_u8..6, 0_u8..2), 1..20),
        two in prop::collection::vec((0_u8..4, 0_u8..6, 0_u8..2), 1..20),
        cut_one: prop::sample::Index,
        cut_two: prop::sample::Index,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("snapshot");
        let mut expected = BTreeSet::new();
        for (sessions, cut) in [(one, cut_one), (two, cut_two)] {
            let body = body(&sessions);
            expected.extend(cut_snapshot(&file, &body[..cut.index(body.len())]));
        }
        let held = entries(&file);
        prop_assert_eq!(held.len(), expected.len());
        prop_assert_eq!(held.into_iter().collect::<BTreeSet<_>>(), expected);
        // Nothing is left beside it, and it is never taken for a whole one.
        prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let opened = keyhaul::snapshot::reader::Snapshot::open(&file).unwrap();
        prop_assert!(opened.trailer.is_none());
    }
}

/// Writes a snapshot of this account and key with this body, whole or cut; says where it is then.
fn save(file: &Path, (user, key): (&str, &str), body: &str, whole: bool) -> PathBuf {
    let mut writer = begin(file, user, key, 2);
    writer.write(body.as_bytes()).unwrap();
    if whole { writer.finish(trailer(), Default::default()) } else { writer.abandon() }.unwrap()
}

const ONE: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08";
const OTHER: &str = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo";

#[test]
fn nothing_takes_the_place_of_what_it_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["snapshot", "snapshot-2", "snapshot-3", "snapshot-4"];
    let [first, second, third, fourth] = names.map(|name| folder.path().join(name));
    let place = first.as_path();
    let ada = ("@a:x", ONE);
    assert_eq!(save(place, ada, &body(&[(1, 1, 1)]), true), first);
    // The same sessions, but of another account, locked for another key, or changed.
    assert_eq!(save(place, ("@b:x", ONE), &body(&[(1, 1, 1)]), true), second);
    assert_eq!(save(place, ("@a:x", OTHER), &body(&[(1, 1, 1)]), true), third);
    assert_eq!(save(place, ("@a:x", "odd"), &body(&[(1, 1, 1)]), true), fourth);
    assert_eq!(save(place, ada, &body(&[(1, 1, 2)]), true), folder.path().join("snapshot-5"));
    // Each is replaced by what holds it.
    assert_eq!(save(place, ("@b:x", ONE), &body(&[(1, 1, 1), (1, 2, 1)]), true), second);
    assert_eq!(save(place, ("@a:x", "odd"), &body(&[(1, 1, 1), (1, 2, 1)]), true), fourth);
    assert_eq!(save(place, ada, &body(&[(1, 1, 1), (1, 2, 1)]), true), first);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
}

#[test]
fn whole_one_stays_beside_a_cut_one() {
    let folder = tempfile::tempdir().unwrap();
    let (file, beside) = (folder.path().join("snapshot"), folder.path().join("snapshot-2"));
    let ada = ("@a:x", ONE);
    save(&file, ada, &body(&[(1, 1, 1), (1, 2, 1)]), true);
    let before = fs::read(&file).unwrap();
    // What arrived is in the whole one.
    let known = body(&[(1, 1, 1), (3, 3, 3)]);
    assert_eq!(save(&file, ada, &known[..known.find("!3").unwrap()], false), file);
    // What arrived is new.
    let new = body(&[(1, 3, 1), (3, 3, 3)]);
    assert_eq!(save(&file, ada, &new[..new.find("!3").unwrap()], false), beside);
    assert_eq!(save(&file, ada, &new[..new.len() - 1], false), beside);
    assert_eq!(sessions(&beside).len(), 2);
    assert!(fs::read(&file).unwrap() == before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

//! A snapshot that was cut is continued by each reading of the same backup, and of no other one.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::json;

use super::{
    Entry, entries,
    few::{SOME_REFUSED, all_of, backup_secret, body, current, few, keys, says, scanned},
};
use crate::program::{Ada, Between, Trick};

/// Ada behind a station, with a name for her snapshot.
struct Case {
    ada: Ada,
    between: Between,
    file: PathBuf,
}

impl Case {
    fn new() -> Self {
        let ada = few();
        let between = ada.between(Vec::new());
        let file = ada.lab.path("home/backup.keyhaul");
        Self { ada, between, file }
    }

    fn name(&self) -> &str {
        self.file.to_str().unwrap()
    }

    fn save(&self, more: &[&str]) -> Vec<String> {
        let words = [&["snapshot", "save", self.name()], more].concat();
        self.ada.through(&self.between, self.ada.asks(&words))
    }

    /// Every entry in the file, each of which must be there once.
    #[track_caller]
    fn held(&self) -> BTreeSet<Entry> {
        let all = entries(&self.file);
        let each: BTreeSet<_> = all.iter().cloned().collect();
        assert_eq!(each.len(), all.len(), "an entry is there twice");
        each
    }
}

#[test]
fn each_reading_adds_what_it_brought() {
    let case = Case::new();
    let forwards = keys(&case.ada);
    // A server need not give rooms in the same order twice.
    let backwards = body(current(&case.ada).rooms.iter().rev());
    let mut expected = BTreeSet::new();
    let readings =
        [(&forwards, 3), (&forwards, 5), (&backwards, 4), (&forwards, 2), (&backwards, 3)];
    for (number, (text, part)) in readings.into_iter().enumerate() {
        let cut = &text[..text.len() / part];
        case.between.play(says(cut));
        let saved = case.ada.lab.json(&case.save(&[]), 3);
        expected.extend(scanned(cut.as_bytes()));
        assert!(case.held() == expected, "reading {number}");
        let told = (&saved["complete"], &saved["entries"], &saved["file"]);
        assert_eq!(told, (&json!(false), &json!(expected.len()), &json!(case.name())));
        assert_eq!(case.ada.lab.json(&["snapshot", "info", case.name()], 3), saved);
        let (secret, file) = (backup_secret(&case.ada.lab), case.name());
        let args = ["restore", "--dry-run", "--snapshot", file, &secret];
        assert_eq!(case.ada.lab.json(&args, 3)["runs"][0]["entries"], expected.len());
    }
    assert!(expected.len() < current(&case.ada).count());

    case.between.behave();
    let saved = case.ada.lab.json(&case.save(&[]), 0);
    assert_eq!((&saved["complete"], &saved["file"]), (&json!(true), &json!(case.name())));
    assert!(case.held() == all_of(&forwards));
    assert_eq!(fs::read_dir(case.ada.lab.path("home")).unwrap().count(), 1);
}

/// Where the connection broke, people are told how many keys are in the file, not of one reading.
#[test]
fn broken_connections_tell_how_much_there_is() {
    let case = Case::new();
    let all = current(&case.ada).count();
    for length in [100_000, 60_000, 150_000] {
        case.between.play(Trick::Cut(length).alone());
        let told = case.ada.lab.fails(&case.save(&[]), 12, "connection-lost");
        let held = case.held().len();
        assert!(held > 50, "{held}");
        assert_eq!(told.safe, format!("{held} of {all} keys are saved on this computer."));
        let info = case.ada.lab.json(&["snapshot", "info", case.name()], 3);
        assert_eq!(info["entries"], held);
    }
}

/// What arrived is in the whole one already; then that one stays, byte for byte.
#[test]
fn a_part_never_replaces_the_whole() {
    let case = Case::new();
    case.ada.lab.json(&case.save(&[]), 0);
    let before = fs::read(&case.file).unwrap();
    let text = keys(&case.ada);
    for trick in [says(&text[..text.len() / 2]), Trick::Cut(90_000).alone()] {
        case.between.play(trick);
        case.ada.lab.fails(&case.save(&[]), 14, "file-exists");
        let told = case.ada.lab.fails(&case.save(&["--overwrite"]), 12, "older-kept");
        assert!(told.safe.contains(case.name()), "{}", told.safe);
        assert!(fs::read(&case.file).unwrap() == before);
    }
    assert_eq!(fs::read_dir(case.ada.lab.path("home")).unwrap().count(), 1);
}

/// The answer after somebody changed what it says of its first key.
fn changed(text: &str) -> String {
    let (from, to) = ("\"is_verified\":true", "\"is_verified\":false");
    let (before, after) = text.split_once(from).unwrap();
    format!("{before}{to}{after}")
}

/// Nobody knows which one is better without opening both, so both are kept; opened, they are one key.
#[test]
fn a_key_that_changed_meanwhile_is_kept_as_both() {
    let case = Case::new();
    let whole = keys(&case.ada);
    let cut = whole.len() / 3;
    case.between.play(says(&whole[..cut]));
    case.ada.lab.json(&case.save(&[]), 3);
    let sessions = case.held().len();
    let other = changed(&whole);
    assert_ne!(all_of(&other), all_of(&whole));
    case.between.play(says(&other[..cut]));
    let saved = case.ada.lab.json(&case.save(&[]), 3);
    assert_eq!(saved["entries"], sessions + 1);
    assert_eq!(super::sessions(&case.file).len(), sessions);
    assert!(case.held().is_superset(&scanned(&other.as_bytes()[..cut]).into_iter().collect()));

    let secret = backup_secret(&case.ada.lab);
    let args = ["restore", "--snapshot", case.name(), &secret];
    let done = case.ada.lab.json(&args, SOME_REFUSED);
    let run = &done["runs"][0];
    assert_eq!(run["entries"], sessions + 1);
    let unlike = run["refused_count"].as_u64().unwrap() as usize;
    let kept = done["stored_total"].as_u64().unwrap() as usize;
    assert!((sessions - unlike..=sessions + 1 - unlike).contains(&kept), "{done:#}");

    // The server has one of them only, so the cut one stays beside the whole one.
    let before = fs::read(&case.file).unwrap();
    case.between.behave();
    let saved = case.ada.lab.json(&case.save(&[]), 0);
    let beside = case.ada.lab.path("home/backup-2.keyhaul");
    assert_eq!(saved["file"], beside.to_str().unwrap());
    assert!(fs::read(&case.file).unwrap() == before);
    assert_eq!(entries(&beside).into_iter().collect::<BTreeSet<_>>(), all_of(&whole));
}

#[test]
fn only_the_same_backup_is_continued() {
    let case = Case::new();
    let text = keys(&case.ada);
    let half = says(&text[..text.len() / 2]);
    case.between.play(half.clone());
    case.ada.lab.json(&case.save(&[]), 3);
    let original = fs::read_to_string(&case.file).unwrap();
    let key = current(&case.ada).auth_data["public_key"].as_str().unwrap();
    let other_key = case.ada.account.version(1).unwrap().auth_data["public_key"].as_str().unwrap();
    let server = format!("\"server\":\"{}\"", case.between.base);
    for (from, to) in [
        ("\"user\":\"@ada:example.org\"", "\"user\":\"@eve:example.org\""),
        (server.as_str(), "\"server\":\"https://example.org\""),
        ("\"version\":\"3\"", "\"version\":\"30\""),
        (key, other_key),
    ] {
        let other = original.replacen(from, to, 1);
        assert_ne!(other, original);
        fs::write(&case.file, &other).unwrap();
        case.ada.lab.fails(&case.save(&[]), 14, "file-exists");
        // Whoever agrees to lose the name does not lose what is in the file.
        let beside = case.ada.lab.path("home/backup-2.keyhaul");
        for (tricks, exit) in [(half.clone(), 3), (Vec::new(), 0)] {
            case.between.play(tricks);
            let saved = case.ada.lab.json(&case.save(&["--overwrite"]), exit);
            assert_eq!(saved["file"], beside.to_str().unwrap(), "{to}");
            assert!(fs::read_to_string(&case.file).unwrap() == other, "{to}");
        }
        assert_eq!(entries(&beside).len(), current(&case.ada).count());
        fs::remove_file(beside).unwrap();
        case.between.play(half.clone());
    }
}

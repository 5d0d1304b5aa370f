//! Snapshots that are none, cut, damaged or newer.

use std::fs;

use serde_json::{Value, json};

use crate::program::{Ada, Trick};

/// Ada with a snapshot of her current backup, and its path.
fn saved() -> (Ada, String) {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    ada.lab.json(&ada.asks(&["snapshot", "save", &file]), 0);
    (ada, file)
}

/// Every command that reads a snapshot.
fn commands(ada: &Ada, file: &str) -> [Vec<String>; 5] {
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let snapshot = format!("--snapshot={file}");
    [
        vec!["snapshot", "info", file],
        vec!["backups", &snapshot],
        vec!["rooms", &snapshot],
        vec!["unlock", &snapshot, &secret],
        vec!["restore", &snapshot, &secret],
    ]
    .map(|words| words.into_iter().map(str::to_owned).collect())
}

/// Messages are on the server; no snapshot holds any.
#[test]
fn history_offline() {
    let (ada, file) = saved();
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let snapshot = format!("--snapshot={file}");
    let told =
        ada.lab.fails_untouched(&["history", "!a:x", &snapshot, &secret], 12, "history-offline");
    assert!(told.next.contains("without --snapshot"), "{}", told.next);
}

#[test]
fn file_that_is_not_there() {
    let ada = Ada::new();
    for args in commands(&ada, "/nowhere/backup.keyhaul") {
        ada.lab.fails_untouched(&args, 14, "no-snapshot");
    }
}

#[test]
fn file_that_is_no_snapshot() {
    let ada = Ada::new();
    for contents in [
        "",
        "my shopping list\n",
        "{\"rooms\":[]}",
        "{\"keyhaul_snapshot\":1}\n",
        "{\"keyhaul_snapshot\":\"one\"}\n",
        "{\"keyhaul_snapshot\":1,\"server\":\"https://x\",\"user\":\"@a:x\",\"started\":\"2026-01-01T00:00:00Z\",\"version\":7,\"account_data\":{}}\n{\"rooms\":{}}",
    ] {
        let file = ada.lab.secret("snapshot", contents);
        for args in commands(&ada, &file) {
            ada.lab.fails_untouched(&args, 14, "snapshot-unknown");
            assert_eq!(fs::read_to_string(&file).unwrap(), contents);
        }
    }
}

#[test]
fn folder_in_place_of_a_snapshot() {
    let ada = Ada::new();
    let folder = ada.lab.path("home").to_str().unwrap().to_owned();
    for args in commands(&ada, &folder) {
        ada.lab.fails_untouched(&args, 14, "file-unreadable");
    }
}

#[test]
fn newer_snapshot() {
    let (ada, file) = saved();
    let newer = fs::read_to_string(&file).unwrap().replacen(
        "\"keyhaul_snapshot\":1",
        "\"keyhaul_snapshot\":2",
        1,
    );
    fs::write(&file, &newer).unwrap();
    for args in commands(&ada, &file) {
        let told = ada.lab.fails_untouched(&args, 14, "snapshot-unknown");
        assert!(told.detail.unwrap().contains("got 2"));
    }
}

/// What is in a cut snapshot can be looked at and restored; that it is cut is said each time.
#[test]
fn cut_snapshot() {
    let (ada, file) = saved();
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 3]).unwrap();
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let snapshot = format!("--snapshot={file}");

    let info = ada.lab.json(&["snapshot", "info", &file], 3);
    assert_eq!(info["complete"], false);
    let people = ada.lab.run(&["snapshot", "info", &file]).exited(3);
    assert!(people.stdout.contains("incomplete: what is in it can be restored"), "{people}");
    let people = ada.lab.run(&["rooms", &snapshot]).exited(0);
    assert!(people.stdout.contains("This is not all"), "{people}");
    assert_eq!(ada.lab.json(&["rooms", &snapshot], 0)["whole"], false);
    // That a room has no keys cannot be told from a part.
    for room in
        ["!nowhere:example.org", ada.account.version(3).unwrap().rooms.keys().last().unwrap()]
    {
        assert_eq!(ada.lab.json(&["sessions", room, &snapshot], 0)["whole"], false);
        let people = ada.lab.run(&["sessions", room, &snapshot]).exited(0);
        assert!(people.stdout.contains("This is not all"), "{people}");
    }

    let done = ada.lab.json(&["restore", &snapshot, &secret], 3);
    let run = &done["runs"][0];
    assert_eq!(run["entries"], info["entries"]);
    assert_eq!(done["stored_total"], run["opened"]);
    let people = ada.lab.run(&["restore", &snapshot, &secret]).exited(3);
    assert!(people.stderr.contains("(snapshot-cut"), "{people}");
    assert!(people.stdout.contains("already here"), "{people}");
}

/// A changed byte in a whole snapshot is found by its digest, and costs one key at most.
#[test]
fn damaged_snapshot() {
    let (ada, file) = saved();
    let mut bytes = fs::read(&file).unwrap();
    let needle = b"\"ciphertext\":\"";
    let body = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let mut windows = bytes[body..].windows(needle.len());
    let place = windows.position(|window| window == needle).unwrap();
    let byte = &mut bytes[body + place + needle.len() + 40];
    *byte = if *byte == b'A' { b'B' } else { b'A' };
    fs::write(&file, &bytes).unwrap();
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    assert_eq!(ada.lab.json(&["snapshot", "info", &file], 3)["complete"], false);
    assert_eq!(ada.lab.json(&["rooms", &format!("--snapshot={file}")], 0)["whole"], false);
    let args = ["restore", &format!("--snapshot={file}"), &secret];
    let expected = ada.account.version(3).unwrap().expected();
    let done = ada.lab.json(&args, 3);
    assert_eq!(done["runs"][0]["entries"], expected.entries);
    let opened = done["runs"][0]["opened"].as_u64().unwrap();
    assert!(opened >= expected.openable as u64 - 1, "{opened}");
    let people = ada.lab.run(&args).exited(3);
    assert!(people.stderr.contains("(snapshot-cut"), "{people}");
}

#[test]
fn snapshot_in_the_way() {
    let (ada, file) = saved();
    let before = fs::read(&file).unwrap();
    let told = ada.lab.fails(&ada.asks(&["snapshot", "save", &file]), 14, "file-exists");
    assert!(told.what.contains(&file), "{}", told.what);
    assert!(fs::read(&file).unwrap() == before);
    ada.lab.json(&ada.asks(&["snapshot", "save", "--overwrite", &file]), 0);
}

/// A part does not take the place of what was there, and the older file is not told as the new one.
#[test]
fn cut_answer_for_a_snapshot_in_the_way() {
    let (ada, file) = saved();
    let before = fs::read(&file).unwrap();
    let between = ada.between(vec![("/room_keys/keys", Trick::Body("{\"rooms\":{"))]);
    let args = ada.asks(&["snapshot", "save", "--overwrite", &file]);
    // Through another address it is another server's, of which nothing came.
    let told = ada.lab.json(&ada.through(&between, args), 3);
    assert_eq!(told["entries"], 0);
    assert_ne!(told["file"], file);
    assert!(fs::read(&file).unwrap() == before);
}

/// What a server says of an account is kept word for word; it must not cost the snapshot.
#[test]
fn odd_words_of_a_server_in_a_snapshot() {
    let ada = Ada::new();
    let mut version = ada.account.version(3).unwrap().describe(3);
    version["etag"] = "e".repeat(5_000).into();
    let lines = "{\n\"key\":\r\n\"nobody's\"\n}\n";
    let names: Value = (0..8).map(|id| (id.to_string(), json!({}))).collect();
    let long = json!({"name": "x".repeat(900_000)});
    for (place, tricks) in [
        vec![("account_data/m.secret_storage.default_key", Trick::Body(lines))],
        vec![("/room_keys/version", Trick::Say(200, version))],
        vec![
            ("account_data/m.megolm_backup.v1", Trick::Say(200, json!({"encrypted": names}))),
            ("account_data/m.secret_storage.key.", Trick::Say(200, long)),
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let file = ada.lab.path("home").join(place.to_string()).to_str().unwrap().to_owned();
        let between = ada.between(tricks);
        let saved = ada.through(&between, ada.asks(&["snapshot", "save", &file]));
        assert_eq!(ada.lab.json(&saved, 0)["complete"], true);
        let count = ada.account.version(3).unwrap().count();
        assert_eq!(ada.lab.json(&["snapshot", "info", &file], 0)["entries"], count);
    }
}

#[test]
fn snapshot_where_nothing_can_be_written() {
    let ada = Ada::new();
    let told = ada.lab.fails(&ada.asks(&["snapshot", "save", "/nowhere/x"]), 14, "folder-missing");
    assert!(told.what.contains("/nowhere"), "{}", told.what);
}

#[test]
fn snapshot_of_another_version() {
    let (ada, file) = saved();
    let secret = ada.file("recovery key");
    for words in [["rooms", "--backup-version=1"], ["restore", "--backup-version=1"]] {
        let args = [&words[..], &["--snapshot", &file, "--secret-file", &secret]].concat();
        let told = ada.lab.fails_untouched(&args, 11, "snapshot-of-another");
        assert_eq!(told.what, "This snapshot holds backup 3, not backup 1.");
    }
}

#[test]
fn wrong_key_for_a_snapshot() {
    let (ada, file) = saved();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let snapshot = format!("--snapshot={file}");
    for command in ["restore", "unlock"] {
        ada.lab.fails_untouched(&[command, &snapshot, &old], 10, "fits-nothing");
    }
}

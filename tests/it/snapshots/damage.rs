//! Cut and damaged files: what is in them is used, what is not in them is said to be missing, and a
//! local file is never told as a fault of a server.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::few::{SOME_REFUSED, backup_secret, body, current, few, keys, scanned};
use crate::program::Ada;

/// Ada with a file of her own saving, and its path.
fn saved() -> (Ada, String) {
    let ada = few();
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    ada.lab.json(&ada.asks(&["snapshot", "save", &file]), 0);
    (ada, file)
}

fn write(ada: &Ada, text: &[u8]) -> String {
    let file = ada.lab.path("home/keys.json");
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Says of an incomplete file what each command must say, and restores what is there.
#[track_caller]
fn assert_part(ada: &Ada, file: &str, entries: usize) {
    let info = ada.lab.json(&["snapshot", "info", file], 3);
    assert_eq!((&info["complete"], &info["entries"]), (&json!(false), &json!(entries)));
    let people = ada.lab.run(&["snapshot", "info", file]).exited(3);
    assert!(people.stdout.contains("incomplete: what is in it can be restored"), "{people}");
    let snapshot = format!("--snapshot={file}");
    let rooms = ada.lab.json(&["rooms", &snapshot], 0);
    assert_eq!((&rooms["whole"], &rooms["sessions"]), (&json!(false), &json!(entries)));
    let secret = backup_secret(&ada.lab);
    let data = format!("--data-dir={}", ada.lab.path("home/part").to_str().unwrap());
    let args = ["restore", "--user=@ada:example.org", &data, &snapshot, &secret];
    let done = ada.lab.json(&args, 3);
    let run = &done["runs"][0];
    assert_eq!(run["entries"], entries);
    assert_eq!(run["shortfall"]["code"], "snapshot-cut");
    assert_eq!(done["stored_total"], run["opened"]);
    assert!(run["opened"].as_u64().unwrap() > 0);
    fs::remove_dir_all(ada.lab.path("home/part")).unwrap();
}

#[test]
fn cut_bodies() {
    let ada = few();
    let (version, keys) = (current(&ada).describe(3).to_string(), keys(&ada));
    for part in 1..8 {
        let begin = &keys[..keys.len() * part / 8];
        let entries = scanned(begin.as_bytes()).len();
        for text in [begin.to_owned(), format!("{version}\n{begin}"), format!("\u{feff}{begin}")] {
            assert_part(&ada, &write(&ada, text.as_bytes()), entries);
        }
    }
    // Without its last brackets every key is there; without the end of its first nothing is.
    assert_part(&ada, &write(&ada, &keys.as_bytes()[..keys.len() - 1]), current(&ada).count());
    let file = write(&ada, &keys.as_bytes()[..100]);
    let info = ada.lab.json(&["snapshot", "info", &file], 3);
    assert_eq!((&info["complete"], &info["entries"]), (&json!(false), &json!(0)));
}

/// curl broke off, and then somebody added the version.
#[test]
fn cut_body_with_its_version_after_it() {
    let ada = few();
    let (version, keys) = (current(&ada).describe(3), keys(&ada));
    let between = keys.rfind(",\"").unwrap();
    let end = keys[..keys.len() / 2].rfind("}},").unwrap() + 2;
    for cut in [between, between + 1, end] {
        let file = write(&ada, format!("{}\n{version:#}\n", &keys[..cut]).as_bytes());
        let entries = scanned(&keys.as_bytes()[..cut]).len();
        let info = ada.lab.json(&["snapshot", "info", &file], 3);
        assert_eq!((&info["version"], &info["complete"]), (&json!("3"), &json!(false)));
        assert_part(&ada, &file, entries);
    }
}

/// A bracket that turned into something else ends what can be read, and costs nothing before it.
#[test]
fn bytes_that_break_the_structure() {
    let (ada, file) = saved();
    let whole = fs::read(&file).unwrap();
    let begin = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let comma = |at: usize| {
        let rest = &whole[at..];
        at + rest.windows(3).position(|three| three == b"}},").unwrap() + 2
    };
    for at in [begin + 60_000, begin + 120_000, begin + 200_000].map(comma) {
        let mut damaged = whole.clone();
        damaged[at] = b';';
        fs::write(&file, &damaged).unwrap();
        assert_part(&ada, &file, scanned(&whole[begin..at]).len());
    }
}

/// Replaces a part of the first line, which the digest does not cover.
fn change_header(file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    let (header, rest) = text.split_once('\n').unwrap();
    assert!(header.contains(from), "{from}");
    fs::write(file, format!("{}\n{rest}", header.replacen(from, to, 1))).unwrap();
}

/// Where no public key tells, the entries do: for the backup's own key, and for the one on paper by way
/// of secret storage.
#[test]
fn damaged_public_key_in_a_snapshot() {
    let (ada, file) = saved();
    let key = format!("\"public_key\":{}", current(&ada).auth_data["public_key"]);
    let expected = current(&ada).expected();
    let snapshot = format!("--snapshot={file}");
    let paper = format!("--secret-file={}", ada.file("recovery key"));
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let original = fs::read(&file).unwrap();
    for damaged in ["\"public_key\":\"AAAA\"", "\"public_key\":7", "\"private_key\":\"\""] {
        fs::write(&file, &original).unwrap();
        change_header(&file, &key, damaged);
        let info = ada.lab.json(&["snapshot", "info", &file], 0);
        assert_eq!((&info["public_key"], &info["complete"]), (&Value::Null, &json!(true)));
        for secret in [&backup_secret(&ada.lab), &paper] {
            let unlocked = ada.lab.json(&["unlock", &snapshot, secret], 0);
            let fits = unlocked["fits"].as_array().unwrap();
            let fit = json!({"kind": "backup", "id": "3", "current": true, "proof": "entries"});
            assert!(fits.contains(&fit), "{unlocked:#}");
            let data = ada.lab.path("home/data");
            let data_dir = format!("--data-dir={}", data.to_str().unwrap());
            let done = ada.lab.json(&["restore", &snapshot, secret, &data_dir], SOME_REFUSED);
            assert_eq!(done["stored_total"], expected.openable);
            fs::remove_dir_all(data).unwrap();
        }
        ada.lab.fails_untouched(&["unlock", &snapshot, &old], 10, "fits-nothing");
    }
}

/// A body whose entries are all locked for another key proves nothing.
#[test]
fn entries_of_another_backup_prove_nothing() {
    let ada = few();
    let older = body(&ada.account.version(1).unwrap().rooms);
    let file = write(&ada, older.as_bytes());
    let args = ["unlock", &format!("--snapshot={file}"), &backup_secret(&ada.lab)];
    ada.lab.fails_untouched(&args, 10, "fits-nothing");
    assert!(Path::new(&file).exists());
}

//! `export` and `import` of the built program: what they write, where, and what they refuse.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    time::{Duration, Instant},
};

use keyhaul::base::base64;
use serde_json::{Value, json};

use super::{armored, locked};
use crate::program::{Ada, Lab, Told, set_mode};

pub(super) const WORDS: &str = "granite otter velvet";

/// Ada with restored keys.
pub(super) struct Case {
    pub(super) ada: Ada,
    pub(super) secret: String,
    pub(super) passphrase: String,
}

impl Case {
    pub(super) fn new() -> Self {
        let ada = Ada::new();
        ada.lab.run(&ada.opens(&["restore"])).exited(3);
        Self::of(ada)
    }

    pub(super) fn of(ada: Ada) -> Self {
        let secret = format!("--secret-file={}", ada.file("recovery key"));
        let passphrase = format!("--passphrase-file={}", ada.lab.secret("words", WORDS));
        Self { ada, secret, passphrase }
    }

    pub(super) fn lab(&self) -> &Lab {
        &self.ada.lab
    }

    pub(super) fn home(&self, name: &str) -> String {
        self.lab().path("home").join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn args<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        words.iter().copied().chain([self.secret.as_str(), &self.passphrase]).collect()
    }

    pub(super) fn export(&self, words: &[&str], exit: i32) -> Value {
        let words: Vec<&str> = ["export"].iter().chain(words).copied().collect();
        self.lab().json(&self.args(&words), exit)
    }

    pub(super) fn refuses(&self, words: &[&str], exit: i32, code: &str) -> Told {
        let before: Vec<_> = names(&self.lab().path("home"));
        let told = self.lab().fails_untouched(&self.args(words), exit, code);
        assert_eq!(names(&self.lab().path("home")), before, "something was left behind");
        told
    }
}

/// What is in a folder.
pub(super) fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn whole_store_and_single_rooms() {
    let case = Case::new();
    let expected = case.ada.account.version(3).unwrap().expected();
    let file = case.home("keys.txt");
    let told = case.export(&[&file], 0);
    assert_eq!(told["sessions"], expected.openable);
    assert_eq!(told["bytes"], fs::metadata(&file).unwrap().len());
    assert_eq!((&told["left_out"], &told["left_out_count"]), (&json!([]), &json!(0)));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let rooms: Vec<&String> = case.ada.account.version(3).unwrap().rooms.keys().take(2).collect();
    let opened = |room: &str| {
        let version = case.ada.account.version(3).unwrap();
        let damaged = version.damaged.keys().filter(|(of, _)| of == room).count();
        version.rooms[room].len() - damaged
    };
    let one = case.export(&[&case.home("one.txt"), "--room", rooms[0]], 0);
    assert_eq!((&one["rooms"], &one["sessions"]), (&json!(1), &json!(opened(rooms[0]))));
    let two = case.home("two.txt");
    let both = case.export(&[&two, "--room", rooms[0], "--room", rooms[1]], 0);
    let sum = opened(rooms[0]) + opened(rooms[1]);
    assert_eq!((&both["rooms"], &both["sessions"]), (&json!(2), &json!(sum)));
    // A room that is not there is not passed over, either.
    for rooms in [&["!nowhere:x"][..], &[rooms[0], "!nowhere:x"]] {
        let none = case.home("none.txt");
        let mut words = vec!["export", &none];
        rooms.iter().for_each(|room| words.extend(["--room", room]));
        let told = case.refuses(&words, 14, "room-not-here");
        assert!(told.what.contains("!nowhere:x"), "{}", told.what);
    }

    let again = case.lab().json(&case.args(&["import", &two]), 0);
    assert_eq!((&again["sessions"], &again["unchanged"]), (&json!(sum), &json!(sum)));
    let info = case.lab().json(&["store", "info", &case.secret], 0);
    assert_eq!(info["sources"][1], json!({"kind": "key_file", "name": "two.txt"}));
    // The same file under another name is the same source.
    let copy = case.home("copy.txt");
    fs::copy(&two, &copy).unwrap();
    case.lab().json(&case.args(&["import", &copy]), 0);
    let info = case.lab().json(&["store", "info", &case.secret], 0);
    assert_eq!(info["sources"].as_array().unwrap().len(), 2);
}

#[test]
fn import_makes_a_store_only_for_an_account() {
    let case = Case::new();
    let file = case.home("keys.txt");
    let count = case.export(&[&file], 0)["sessions"].clone();
    // Another computer, to which somebody carried the file.
    let there = Case::of(Ada::new());
    let carried = there.home("keys.txt");
    fs::copy(&file, &carried).unwrap();
    there.refuses(&["import", &carried], 14, "store-empty");
    let mut args = there.ada.opens(&["import", &carried]);
    args.push(there.passphrase.clone());
    let told = there.lab().json(&args, 0);
    assert_eq!((&told["new"], &told["stored_total"]), (&count, &count));
    let info = there.lab().json(&["store", "info", &there.secret], 0);
    assert_eq!(info["sources"], json!([{"kind": "key_file", "name": "keys.txt"}]));

    // A secret that opens nothing makes nothing.
    let nobody = Case::of(Ada::new());
    let wrong = nobody
        .lab()
        .secret("recovery key", "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d");
    let mut args = nobody.ada.asks(&["import", &file]);
    args.extend([nobody.passphrase.clone(), format!("--secret-file={wrong}")]);
    nobody.lab().fails_untouched(&args, 10, "fits-nothing");
}

/// A session that can be used.
const GOOD: &str = r#"{"algorithm":"m.megolm.v1.aes-sha2","room_id":"!r:x","session_key":"AQAAAABXGO+Z9jlQJhIL6ByhXrv2BwCIxkhh7MXpKLsYmXkJcWrQlirmXmD79ga1zo+I4DCtEZzyGSpDWXBC6G7ez3H4gDMBam1RE3Jm5tc+oTlIri32UkYgSL0kBkcEnttqmIXBlK8tAfJo3cJnlh7F4ltEOAqrdME6dU0zXTkqXmURqYqXSOmbP+w8xUxIYgNohmjA3x5CGApXql0+i/uXtf3K"}"#;

#[test]
fn damaged_sessions_are_named_and_the_others_taken() {
    let case = Case::new();
    let other_id = GOOD.replacen('{', r#"{"session_id":"AAAA","#, 1);
    let large = format!("\"{}\"", "x".repeat(70_000));
    let list = [
        GOOD,
        "7",
        r#"{"room_id":"!r:x","session_id":"nameless"}"#,
        &GOOD.replace("m.megolm.v1", "m.megolm.v9"),
        &GOOD.replace("AQAAAABX", "AQAAAABY=!"),
        &GOOD.replace(r#""room_id":"!r:x","#, ""),
        &other_id,
        &large,
        "{\"a\":\u{1}}",
    ];
    let file = case.home("odd.txt");
    fs::write(&file, locked(&list.join(","), WORDS)).unwrap();
    let told = case.lab().json(&case.args(&["import", &file]), 3);
    assert_eq!((&told["sessions"], &told["new"]), (&json!(9), &json!(1)));
    let mut reasons: Vec<&str> = told["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| refused["reason"].as_str().unwrap())
        .collect();
    reasons.sort_unstable();
    let expected = [
        "algorithm",
        "id_mismatch",
        "malformed",
        "malformed",
        "missing_field",
        "missing_field",
        "session_key",
        "too_large",
    ];
    assert_eq!(reasons, expected);
    let named = told["refused"].as_array().unwrap().iter();
    assert_eq!(named.filter(|refused| refused["session_id"] == "nameless").count(), 1);
}

#[test]
fn list_that_breaks_off_costs_what_is_behind() {
    let case = Case::new();
    let file = case.home("odd.txt");
    for rest in [r#"{"a":[1"#, "]7", "}"] {
        fs::write(&file, locked(&format!("{GOOD},{rest}"), WORDS)).unwrap();
        let told = case.lab().json(&case.args(&["import", &file]), 3);
        assert_eq!(told["new"].as_u64().unwrap() + told["unchanged"].as_u64().unwrap(), 1);
        let refused = &told["refused"].as_array().unwrap()[0];
        assert_eq!(refused["reason"], "malformed");
        assert!(refused["detail"].as_str().unwrap().contains("is broken at byte"), "{refused}");
    }
}

#[test]
fn all_refused_sessions_are_in_a_file_where_they_are_too_many() {
    let case = Case::new();
    let file = case.home("many.txt");
    fs::write(&file, locked(&vec!["{}"; 10_001].join(","), WORDS)).unwrap();
    let told = case.lab().json(&case.args(&["import", &file]), 3);
    assert_eq!(told["refused"].as_array().unwrap().len(), 10_000);
    let all = fs::read_to_string(told["refused_file"].as_str().unwrap()).unwrap();
    assert_eq!(all.lines().count(), 10_001);
    let people = case.lab().run(&case.args(&["import", &file])).exited(3);
    assert!(people.stdout.contains("Each of them is named in /"), "{people}");
}

#[test]
fn nothing_is_replaced_and_nothing_followed() {
    let case = Case::new();
    let at = |name: &str| case.home(name);
    fs::write(at("taken"), "mine").unwrap();
    case.refuses(&["export", &at("taken")], 14, "file-exists");
    assert_eq!(fs::read_to_string(at("taken")).unwrap(), "mine");
    symlink(at("taken"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    let mkfifo = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(mkfifo.success());
    for name in ["link", "dangling", "folder", "pipe"] {
        case.refuses(&["export", &at(name)], 14, "file-not-plain");
        case.refuses(&["export", &at(name), "--overwrite"], 14, "file-not-plain");
    }
    for name in ["folder", "pipe"] {
        case.refuses(&["import", &at(name)], 14, "file-not-plain");
    }
    assert_eq!(fs::read_to_string(at("taken")).unwrap(), "mine");
    case.export(&[&at("taken"), "--overwrite"], 0);
    assert!(fs::read_to_string(at("taken")).unwrap().starts_with("-----BEGIN MEGOLM"));
    if !rustix::process::geteuid().is_root() {
        set_mode(&case.lab().path("home/folder"), 0o500);
        case.refuses(&["export", &at("folder/keys.txt")], 14, "no-permission");
    }
    case.refuses(&["export", &at("nowhere/keys.txt")], 14, "folder-missing");
}

#[test]
fn passphrases_that_will_not_do() {
    let mut case = Case::new();
    let file = case.home("keys.txt");
    for (words, exit, code) in [
        ("", 2, "file-passphrase-missing"),
        ("\n", 2, "file-passphrase-missing"),
        ("too short", 2, "file-passphrase-weak"),
        ("éééééééééé", 2, "file-passphrase-weak"),
    ] {
        case.passphrase = format!("--passphrase-file={}", case.ada.lab.secret("words", words));
        case.refuses(&["export", &file], exit, code);
    }
    let (lab, secret) = (&case.ada.lab, &case.secret);
    lab.fails_untouched(&["export", &file, secret], 2, "file-passphrase-missing");
    lab.fails_untouched(
        &["export", &file, secret, "--passphrase-file=/nowhere"],
        14,
        "file-unreadable",
    );
}

#[test]
fn files_that_are_none_or_damaged() {
    let case = Case::new();
    let file = case.home("keys.txt");
    let with = |text: &str, exit: i32, code: &str| {
        fs::write(&file, text).unwrap();
        let told = case.refuses(&["import", &file], exit, code);
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        told
    };
    with("", 14, "file-unknown");
    with("my shopping list\n", 14, "file-unknown");
    let whole = locked(r#"{"a":"more than one block of sixteen bytes"}"#, WORDS);
    with(&whole[..whole.len() / 2], 14, "file-damaged");
    with(&whole.replacen("-----END", "----- END", 1), 14, "file-damaged");
    with(&armored("AAAA"), 14, "file-damaged");
    with(&locked("[1", WORDS), 14, "file-damaged");
    with(&locked("{}", "another passphrase"), 14, "file-passphrase");
    case.refuses(&["import", "/nowhere/keys.txt"], 14, "file-unreadable");

    // A file may ask for years of calculation, before anybody knows whether it is one.
    let mut bomb = vec![1; 37];
    bomb[33..].copy_from_slice(&0x8000_0000_u32.to_be_bytes());
    bomb.extend([0; 64]);
    let begun = Instant::now();
    fs::write(&file, armored(&base64::encode(&bomb))).unwrap();
    let told = case.lab().json(&case.args(&["import", &file]), 14);
    assert_eq!(told["error"]["code"], "file-slow");
    // The time is an estimate of this computer's, so its figure is not asked for.
    let what = told["error"]["what"].as_str().unwrap();
    assert!(what.ends_with(" min of calculation.") || what.ends_with(" hours of calculation."));
    assert!(begun.elapsed() < Duration::from_secs(20), "nothing of it was calculated");
}

//! Two places beside each other, through the built program: each figure against what the story holds.

use std::{collections::BTreeMap, fs};

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        entry::{Metadata, RawEntry},
        recovery_key,
    },
    demo::stories::Story,
};
use serde_json::{Value, json};

use crate::program::{Ada, backup_key};

/// The first message of every session that a side has, by room and session.
type Held = BTreeMap<(String, String), Option<u64>>;

fn old_key() -> DecryptionKey {
    let key = recovery_key::parse(Story::Plain.old_recovery_key().expose()).unwrap();
    DecryptionKey::new(key)
}

/// What a version holds: opened with the first of these keys that can, or, without any, by what its entries say.
fn held(ada: &Ada, number: u64, keys: &[DecryptionKey]) -> Held {
    let mut room = Workroom::default();
    let mut held = Held::new();
    for (room_id, sessions) in &ada.account.version(number).unwrap().rooms {
        for (session_id, json) in sessions {
            let entry = RawEntry { room_id, session_id, json, fault: None };
            let first = if keys.is_empty() {
                Metadata::parse(json).first_message_index
            } else {
                let opened = keys.iter().find_map(|key| key.open(&entry, &mut room).ok());
                let Some(opened) = opened else { continue };
                Some(u64::from(opened.key.first_known_index()))
            };
            held.insert((room_id.clone(), session_id.clone()), first);
        }
    }
    held
}

/// Only in one, only in the other, in both, earlier in one, earlier in the other.
fn figures<'a>(
    a: impl Iterator<Item = (&'a (String, String), &'a Option<u64>)>,
    all: &Held,
) -> u64 {
    a.filter(|(place, _)| !all.contains_key(place)).count() as u64
}

fn expected(a: &Held, b: &Held) -> [u64; 5] {
    let both: Vec<_> = a.iter().filter_map(|(place, first)| Some((first, b.get(place)?))).collect();
    let earlier = |a: &Option<u64>, b: &Option<u64>| a.zip(*b).is_some_and(|(a, b)| a < b);
    [
        figures(a.iter(), b),
        figures(b.iter(), a),
        both.len() as u64,
        both.iter().filter(|(a, b)| earlier(a, b)).count() as u64,
        both.iter().filter(|(a, b)| earlier(b, a)).count() as u64,
    ]
}

fn told(room: &Value) -> [u64; 5] {
    ["only_a", "only_b", "both", "earlier_a", "earlier_b"].map(|name| room[name].as_u64().unwrap())
}

/// Asserts every figure of a document, room by room.
#[track_caller]
fn assert_compared(document: &Value, a: &Held, b: &Held) {
    assert_eq!(told(&document["all"]), expected(a, b), "{:#}", document["all"]);
    let of_room = |held: &Held, room: &str| -> Held {
        let own = held.iter().filter(|((id, _), _)| id == room);
        own.map(|(place, first)| (place.clone(), *first)).collect()
    };
    let rooms = document["rooms"].as_array().unwrap();
    let mut ids: Vec<_> = a.keys().chain(b.keys()).map(|(room, _)| room.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(rooms.len(), ids.len());
    for room in rooms {
        let id = room["room_id"].as_str().unwrap();
        assert_eq!(told(room), expected(&of_room(a, id), &of_room(b, id)), "{id}");
    }
    let keys = [a.len(), b.len()];
    let sides = document["sides"].as_array().unwrap();
    assert_eq!([&sides[0]["keys"], &sides[1]["keys"]], [&json!(keys[0]), &json!(keys[1])]);
}

#[test]
fn two_backups_with_both_keys() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let args = ada.opens(&["diff", "backup:3", "backup:1", &old]);
    let document = ada.lab.json(&args, 0);
    // A part of backup 3 is locked for the key of backup 1.
    let (newer, older) = (held(&ada, 3, &[backup_key(), old_key()]), held(&ada, 1, &[old_key()]));
    assert_compared(&document, &newer, &older);
    let [only_a, only_b, both, earlier_a, earlier_b] = expected(&newer, &older);
    assert!(only_a > 0 && only_b > 0 && both > 0 && earlier_b > 0, "the story tells something");
    let side = |number: &str, refused: usize, keys: usize| json!({"name": format!("backup:{number}"), "read": "keys", "keys": keys, "refused": refused, "whole": true});
    let refused = ada.account.version(3).unwrap().expected().entries - newer.len();
    assert!(refused > 0 && refused < ada.account.version(3).unwrap().damaged.len());
    assert_eq!(
        document["sides"],
        json!([side("3", refused, newer.len()), side("1", 0, older.len())])
    );
    let names: Vec<_> = document["rooms"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|room| room["name"].as_str())
        .collect();
    assert!(names.contains(&"Family"), "{names:?}");

    // What would be lost, in a sentence for each of them.
    let people = ada.lab.run(&args).exited(0).stdout;
    let grouped = keyhaul::base::shown::grouped;
    let lost = format!(
        "If backup 1 were deleted, {} keys would be gone: backup 3 does not hold them.",
        grouped(only_b)
    );
    assert!(people.contains(&lost), "{people}");
    assert!(
        people.contains(&format!("{} more would start later.", grouped(earlier_b))),
        "{people}"
    );
    assert!(people.contains("If backup 3 were deleted, "), "{people}");
    assert_eq!(earlier_a > 0, people.matches("would start later").count() == 2);
    assert_eq!(ada.server.writes(), 0);
    // Names are remembered where there is a folder, and nothing else is kept.
    assert!(!ada.lab.data().exists());
}

#[test]
fn what_no_key_opens_is_read_by_what_it_says() {
    let ada = Ada::new();
    let document = ada.lab.json(&ada.asks(&["diff", "backup:current", "backup:1"]), 0);
    assert_compared(&document, &held(&ada, 3, &[]), &held(&ada, 1, &[]));
    let read = document["sides"].as_array().unwrap().iter().map(|side| &side["read"]);
    assert_eq!(read.collect::<Vec<_>>(), ["metadata", "metadata"]);
    assert_eq!(document["sides"][0]["name"], "backup:3");
    // With the key of one of them, that one is opened.
    let document = ada.lab.json(&ada.opens(&["diff", "backup:1", "backup:3"]), 0);
    assert_compared(&document, &held(&ada, 1, &[]), &held(&ada, 3, &[backup_key()]));
    let people = ada.lab.run(&ada.opens(&["diff", "backup:1", "backup:3"])).exited(0).stdout;
    assert!(people.contains("Backup 1 is read by what its entries say"), "{people}");
}

#[test]
fn the_store_a_key_file_and_a_snapshot() {
    let ada = Ada::new();
    ada.lab.run(&ada.opens(&["restore"])).exited(3);
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let passphrase = ada.lab.secret("passphrase", "granite otter velvet ninth");
    let passphrase = format!("--passphrase-file={passphrase}");
    let file = ada.lab.path("home/keys.txt").to_str().unwrap().to_owned();
    ada.lab.json(&["export", &file, &secret, &passphrase], 0);
    let before = ada.lab.kept();
    let stored = held(&ada, 3, &[backup_key()]);
    let older = held(&ada, 1, &[old_key()]);
    let key_file = format!("file:{file}");

    let same = ada.lab.json(&["diff", "store", &key_file, &secret, &passphrase], 0);
    assert_compared(&same, &stored, &stored);
    assert_eq!(told(&same["all"])[..2], [0, 0]);
    assert_eq!(same["sides"][1]["name"], key_file);
    let twice = ada.lab.json(&["diff", &key_file, &key_file, &passphrase], 0);
    assert_compared(&twice, &stored, &stored);
    // Two key files with a passphrase each, in the order of the files.
    let other = ada.lab.secret("other passphrase", "velvet kettle orbit seventh");
    let other = format!("--passphrase-file={other}");
    let second = ada.lab.path("home/second.txt").to_str().unwrap().to_owned();
    ada.lab.json(&["export", &second, &secret, &other], 0);
    let second = format!("file:{second}");
    let both = ada.lab.json(&["diff", &key_file, &second, &passphrase, &other], 0);
    assert_compared(&both, &stored, &stored);
    let swapped = ["diff", &key_file, &second, &other, &passphrase];
    ada.lab.fails(&swapped, 14, "file-passphrase");

    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let document = ada.lab.json(&ada.opens(&["diff", "store", "backup:1", &old]), 0);
    assert_compared(&document, &stored, &older);
    before.assert_same(&ada.lab.kept());

    let saved = ada.lab.data().join(ada.lab.kept().named(".keyhaul").next().unwrap());
    let saved = saved.to_str().unwrap().to_owned();
    let snapshot = format!("snapshot:{saved}");
    let document = ada.lab.json(&["diff", &snapshot, "store", &secret], 0);
    assert_compared(&document, &stored, &stored);
    // Names that the account's folder remembers are shown offline, too.
    assert!(document["rooms"].as_array().unwrap().iter().any(|room| room["name"] == "Family"));

    // A snapshot that was cut is told to be only a part.
    let cut = ada.lab.path("home/cut.keyhaul");
    let bytes = fs::read(&saved).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let cut = format!("snapshot:{}", cut.to_str().unwrap());
    let document = ada.lab.json(&["diff", &cut, "store", &secret], 3);
    assert_eq!(document["sides"][0]["whole"], false);
    assert_eq!(told(&document["all"])[0], 0);
    assert!(told(&document["all"])[1] > 100);
    let people = ada.lab.run(&["diff", &cut, "store", &secret]).exited(3).stdout;
    assert!(people.contains("could not be read to its end"), "{people}");
}

#[test]
fn sides_that_are_not_there() {
    let ada = Ada::new();
    let diff = |a: &str, b: &str| ada.opens(&["diff", a, b]);
    ada.lab.fails(&diff("backup:3", "backup:9"), 11, "backup-gone-for-good");
    ada.lab.fails(&diff("backup:3", "snapshot:/nowhere"), 14, "no-snapshot");
    ada.lab.fails(&diff("backup:3", "store"), 14, "store-empty");
    let passphrase = ada.lab.secret("passphrase", "granite otter velvet ninth");
    let passphrase = format!("--passphrase-file={passphrase}");
    let file = ada.opens(&["diff", "backup:3", "file:/nowhere", &passphrase]);
    ada.lab.fails(&file, 14, "file-unreadable");
    ada.lab.fails(&ada.asks(&["diff", "backup:3", "store"]), 2, "secret-missing");
    for word in ["backup:all", "backup:", "somewhere", "file:"] {
        let document = ada.lab.json(&["diff", word, "store"], 2);
        assert_eq!(document["error"]["code"], "usage", "{word}");
    }
}

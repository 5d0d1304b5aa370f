//! Servers that cannot send a backup whole: room by room, and where that is too much, key by key.

use std::collections::{BTreeMap, BTreeSet};

use keyhaul::demo::account::{Account, Membership};
use serde_json::{Value, json};

use crate::{
    demo::encoded,
    program::{Ada, Tree, Trick},
};

const WHOLE: &str = "/room_keys/keys?";

fn cut() -> Trick {
    Trick::Say(504, json!(null))
}

/// Keys that open, by room, as the story has them in its current backup.
fn openable(account: &Account) -> BTreeMap<&str, u64> {
    let version = account.version(3).unwrap();
    let rooms = version.rooms.iter().map(|(room, sessions)| {
        let sound = sessions
            .keys()
            .filter(|session| !version.damaged.contains_key(&(room.clone(), (*session).clone())));
        (room.as_str(), sound.count() as u64)
    });
    rooms.collect()
}

fn joined(account: &Account) -> BTreeSet<&str> {
    let joined = account.rooms.iter().filter(|room| room.membership == Membership::Joined);
    joined.map(|room| room.id.as_str()).collect()
}

/// On a computer that knows nothing yet only the rooms that the account is in can be asked for.
#[test]
fn rooms_in_place_of_the_whole() {
    let ada = Ada::new();
    let between = ada.between(vec![(WHOLE, cut())]);
    let args = ada.through(&between, ada.opens(&["restore"]));
    let joined = joined(&ada.account);
    let openable = openable(&ada.account);
    let in_joined: u64 =
        openable.iter().filter(|(room, _)| joined.contains(*room)).map(|(_, keys)| keys).sum();
    let people = ada.lab.run(&args).exited(3);
    assert!(people.stderr.contains("Room by room"), "{people}");
    let document = ada.lab.json(&args, 3);
    assert_eq!(document["stored_total"], in_joined);

    // Once a whole answer came, its rooms are known: left ones, too.
    between.behave();
    ada.lab.json(&args, 3);
    for store in Tree::of(&ada.lab.path("data")).named("store.sqlite3") {
        std::fs::remove_file(ada.lab.path("data").join(store)).unwrap();
    }
    between.play(vec![(WHOLE, cut())]);
    let document = ada.lab.json(&args, 3);
    assert_eq!(document["stored_total"], openable.values().sum::<u64>());
    assert_eq!(document["runs"][0]["entries"], ada.account.version(3).unwrap().count());
    assert!(document["runs"][0]["error"].is_null(), "{document:#}");
}

/// What came before the answer broke is not asked for again, and counts once.
#[test]
fn rooms_after_half_of_the_whole() {
    let ada = Ada::new();
    let between = ada.between(vec![(WHOLE, Trick::Cut(2_000_000))]);
    let args = ada.through(&between, ada.opens(&["restore"]));
    let document = ada.lab.json(&args, 3);
    let run = &document["runs"][0];
    let mut refused = BTreeSet::new();
    for entry in run["refused"].as_array().unwrap() {
        let name = (entry["room_id"].to_string(), entry["session_id"].to_string());
        assert!(refused.insert(name), "refused twice: {entry}");
    }
    assert_eq!(run["opened"], document["stored_total"]);
    let entries = run["entries"].as_u64().unwrap();
    assert_eq!(entries, run["opened"].as_u64().unwrap() + refused.len() as u64);
    let openable = openable(&ada.account);
    let joined = joined(&ada.account);
    let least: u64 =
        openable.iter().filter(|(room, _)| joined.contains(*room)).map(|(_, keys)| keys).sum();
    assert!(document["stored_total"].as_u64().unwrap() >= least);
}

/// A snapshot that came in parts holds what the store would have got.
#[test]
fn a_snapshot_in_parts() {
    let ada = Ada::with(|account| {
        account.rooms.iter_mut().for_each(|room| room.membership = Membership::Joined);
    });
    let between = ada.between(vec![(WHOLE, Trick::Cut(2_000_000))]);
    let file = ada.lab.path("parts.keyhaul");
    let file = file.to_str().unwrap();
    ada.lab.json(&ada.through(&between, ada.asks(&["snapshot", "save", file])), 0);
    let info = ada.lab.json(&["snapshot", "info", file], 0);
    assert_eq!(info["complete"], true, "{info:#}");
    let whole = ada.lab.json(&ada.asks(&["rooms"]), 0);
    let from_file = ada.lab.json(&["rooms", &format!("--snapshot={file}")], 0);
    let counts = |document: &Value| -> BTreeMap<String, Value> {
        let rooms = document["rooms"].as_array().unwrap().iter();
        rooms.map(|room| (room["room_id"].to_string(), room["sessions"].clone())).collect()
    };
    assert_eq!(counts(&from_file), counts(&whole));
}

/// Where even one room is too much, its messages name the keys.
#[test]
fn keys_in_place_of_a_room() {
    let ada = Ada::new();
    let room = ada.account.rooms.iter().find(|room| room.name.as_deref() == Some("Family"));
    let room = room.unwrap().id.clone();
    let words: &'static str = format!("/room_keys/keys/{}?", encoded(&room)).leak();
    let between = ada.between(vec![(WHOLE, cut()), (words, cut())]);
    let args = ada.through(&between, ada.opens(&["restore"]));
    let document = ada.lab.json(&args, 3);
    let rooms = document["runs"][0]["rooms"].as_array().unwrap();
    let family = rooms.iter().find(|told| told["room_id"] == room).expect("some keys of the room");
    let opened = family["opened"].as_u64().unwrap();
    // Its conversation was locked with some of them only.
    assert!((1..200).contains(&opened), "{opened}");
}

/// Where parts help no more than the whole, the first answer is what people hear, and soon.
#[test]
fn nothing_helps() {
    let ada = Ada::new();
    let between = ada.between(vec![("/room_keys/keys", cut())]);
    ada.lab.fails_untouched(&ada.through(&between, ada.asks(&["rooms"])), 12, "answer-cut");
}

/// A pause that a server asks for is kept, and then the work goes on by itself.
#[test]
fn a_server_that_wants_a_pause() {
    let ada = Ada::new();
    let wait = json!({"errcode": "M_LIMIT_EXCEEDED", "error": "slow", "retry_after_ms": 700});
    let once = Trick::turns([Trick::Say(429, wait), Trick::PASS]);
    let between = ada.between(vec![("/room_keys/version/1", once)]);
    let document = ada.lab.json(&ada.through(&between, ada.asks(&["backups"])), 0);
    assert_eq!(document["versions"].as_array().unwrap().len(), 2);
}

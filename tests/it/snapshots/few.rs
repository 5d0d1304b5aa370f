//! Ada with few keys, so that many runs are quick; and what her server says of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::ErrorKind,
    net::TcpListener,
};

use bytes::Bytes;
use keyhaul::{
    backup::{
        entry::RawEntry,
        recovery_key,
        scanner::{Scanner, Shape},
    },
    demo::account::{Account, Version},
};
use serde_json::Value;

use super::Entry;
use crate::program::{Ada, Trick, backup_key};

/// What asks for keys.
pub(super) const KEYS: &str = "/room_keys/keys?";
/// Rooms with more keys than this are left out.
const FEW: usize = 40;

/// Ada without her large rooms.
pub(super) fn few() -> Ada {
    few_and(|_| {})
}

/// The same after something happened to her account.
pub(super) fn few_and(happen: impl FnOnce(&mut Account)) -> Ada {
    let ada = Ada::with(|account| {
        for version in account.versions.values_mut().flatten() {
            version.rooms.retain(|_, keys| keys.len() <= FEW);
            let rooms = &version.rooms;
            version.damaged.retain(|(room, _), _| rooms.contains_key(room));
        }
        happen(account);
    });
    // Some of them cannot be opened, or the tests would see good days only.
    assert!(!current(&ada).damaged.is_empty());
    ada
}

/// Her current backup.
pub(super) fn current(ada: &Ada) -> &Version {
    ada.account.version(3).unwrap()
}

/// The exit code of restoring it: some keys are damaged.
pub(super) const SOME_REFUSED: i32 = 3;

/// The recovery key of her current backup itself, in a file of this lab.
pub(super) fn backup_secret(lab: &crate::program::Lab) -> String {
    let key = recovery_key::format(backup_key().secret());
    format!("--secret-file={}", lab.secret("backup key", key.expose()))
}

/// The answer with these rooms, in the order in which they come.
pub(super) fn body<'a>(
    rooms: impl IntoIterator<Item = (&'a String, &'a BTreeMap<String, Bytes>)>,
) -> String {
    let quoted = |text: &String| Value::from(text.as_str()).to_string();
    let rooms = rooms.into_iter().map(|(room, keys)| {
        let keys = keys
            .iter()
            .map(|(id, json)| format!("{}:{}", quoted(id), str::from_utf8(json).unwrap()));
        let keys: Vec<String> = keys.collect();
        format!("{}:{{\"sessions\":{{{}}}}}", quoted(room), keys.join(","))
    });
    let rooms: Vec<String> = rooms.collect();
    format!("{{\"rooms\":{{{}}}}}", rooms.join(","))
}

/// The answer with all keys of her current backup.
pub(super) fn keys(ada: &Ada) -> String {
    body(&current(ada).rooms)
}

/// From now on this is the answer with the keys.
pub(super) fn says(body: &str) -> Vec<(&'static str, Trick)> {
    vec![(KEYS, Trick::Body(body.to_owned().leak()))]
}

/// Every entry of an answer, as far as it can be read.
pub(super) fn scanned(body: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut give = |entry: RawEntry<'_>| {
        let json = String::from_utf8_lossy(entry.json).into_owned();
        entries.push((entry.room_id.to_owned(), entry.session_id.to_owned(), json));
    };
    // Where it stops making sense, the entries before stay good.
    let _ = Scanner::new(Shape::WholeBody).feed(body, &mut give);
    entries
}

/// Says whether an answer makes sense to its last byte, as far as it goes.
pub(super) fn makes_sense(body: &[u8]) -> bool {
    Scanner::new(Shape::WholeBody).feed(body, &mut |_| {}).is_ok()
}

/// The same, each once.
pub(super) fn all_of(body: &str) -> BTreeSet<Entry> {
    scanned(body.as_bytes()).into_iter().collect()
}

/// A server at which nobody may knock.
pub(super) struct Nobody(TcpListener);

impl Nobody {
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(super) fn option(&self) -> String {
        format!("--homeserver=http://{}", self.0.local_addr().unwrap())
    }

    #[track_caller]
    pub(super) fn heard_nothing(&self) {
        let knock = self.0.accept().map(|(_, from)| from);
        assert_eq!(knock.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[test]
fn a_knock_is_heard() {
    let nobody = Nobody::new();
    nobody.heard_nothing();
    let knock = std::net::TcpStream::connect(nobody.0.local_addr().unwrap()).unwrap();
    assert!(nobody.0.accept().is_ok());
    drop(knock);
}

#[test]
fn the_answer_is_what_the_server_says() {
    let ada = few();
    let file = ada.lab.path("home/backup.keyhaul");
    ada.lab.json(&ada.asks(&["snapshot", "save", file.to_str().unwrap()]), 0);
    let saved = std::fs::read_to_string(&file).unwrap();
    assert_eq!(saved.lines().nth(1), Some(keys(&ada).as_str()));
}

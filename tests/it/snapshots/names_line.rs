//! The line with the names of rooms: from somebody else's file it may say anything, and damaged it
//! costs nothing but the names.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use keyhaul::{
    base::{limits, shown::Shown},
    demo::account::{Account, Membership},
    snapshot::reader::Snapshot,
};
use serde_json::{Value, json};

use super::{
    begin, entries,
    few::{current, few, few_and, keys, says},
    trailer,
};
use crate::program::Lab;

const BODY: &str =
    r#"{"rooms":{"!a:x":{"sessions":{"s":{},"t":{}}},"!b:x":{"sessions":{"s":{}}}}}"#;

/// A file with these names, as another program could have written it.
fn with_names(folder: &Path, names: &[(&str, &str)]) -> PathBuf {
    let file = folder.join("named.keyhaul");
    let mut writer = begin(&file, "@a:x", "AAAA", 1);
    writer.write(BODY.as_bytes()).unwrap();
    let names = names.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned()));
    writer.finish(trailer(), names.collect()).unwrap();
    file
}

fn hostile() -> Vec<String> {
    vec![
        "\u{1b}[2J\u{1b}]0;title\u{7}".to_owned(),
        "\u{202e}gnp.exe\u{2066}".to_owned(),
        "\u{9b}31mred\r\n\nforged line".to_owned(),
        "x".repeat(10_000),
        "写".repeat(10_000),
        "\u{0}\u{feff}\u{200b}".to_owned(),
        r#"","names":{"!b:x":"forged"}"#.to_owned(),
        "\n{\"complete\":true,\"entries\":0,\"sha256\":\"\"}\n".to_owned(),
    ]
}

#[test]
fn names_of_a_foreign_file_are_shown_safely() {
    for name in hostile() {
        let lab = Lab::new();
        let file = with_names(&lab.path("home"), &[("!a:x", &name), ("!elsewhere:x", "no keys")]);
        let snapshot = format!("--snapshot={}", file.display());
        let rooms = lab.json(&["rooms", &snapshot], 0);
        let shown = Shown::limited(&name, limits::ROOM_NAME);
        assert_eq!(rooms["rooms"][0]["name"], shown.as_str());
        assert_eq!(rooms["rooms"][1]["name"], Value::Null);
        assert_eq!(rooms["rooms"].as_array().unwrap().len(), 2);
        assert_eq!(rooms["whole"], true);
        let people = lab.run(&["rooms", &snapshot]).exited(0);
        // As many lines as for any other name: none is forged.
        let other = with_names(&lab.path("home"), &[("!a:x", "plain")]);
        let other = lab.run(&["rooms", &format!("--snapshot={}", other.display())]).exited(0);
        assert_eq!(people.stdout.lines().count(), other.stdout.lines().count(), "{people}");
        assert!(people.stdout.lines().all(|line| Shown::new(line).width() <= 80), "{people}");
    }
}

/// What a room of the story is called: its name, its address, or the one other person in it.
fn named(account: &Account, id: &str) -> Option<String> {
    let room = account.room(id)?;
    let person = || Some(room.people.first()?.display_name.clone());
    let name = room.name.clone().or(room.alias.clone()).or_else(person);
    name.filter(|_| room.membership != Membership::Forgotten)
}

/// The same names from a server: they come into the file safe already.
#[test]
fn names_of_a_server_are_saved_safely() {
    let mut hostile = hostile().into_iter();
    let ada = few_and(|account| {
        let few = &account.versions[&3].as_ref().unwrap().rooms;
        let rooms = account.rooms.iter_mut().filter(|room| few.contains_key(&room.id));
        for room in rooms.filter(|room| room.membership == Membership::Joined) {
            room.name = hostile.next().or(room.name.take());
        }
    });
    assert!(hostile.next().is_none(), "every one of them was given to a room");
    let file = ada.lab.path("home/backup.keyhaul");
    let name = file.to_str().unwrap();
    ada.lab.json(&ada.asks(&["snapshot", "save", "--with-names", name]), 0);
    let online = ada.lab.json(&ada.asks(&["rooms"]), 0);
    let offline = ada.lab.json(&["rooms", "--snapshot", name], 0);
    assert_eq!(offline["rooms"], online["rooms"]);
    let names = Snapshot::open(&file).unwrap().names();
    assert!(names.len() > 8);
    for (id, saved) in names {
        let given = named(&ada.account, &id).unwrap();
        assert_eq!(saved, Shown::limited(&given, limits::ROOM_NAME).as_str());
    }
}

#[test]
fn names_come_with_the_whole_only() {
    let ada = few();
    let between = ada.between(says(&keys(&ada)[..50_000]));
    let file = ada.lab.path("home/backup.keyhaul");
    let save = ada.asks(&["snapshot", "save", "--with-names", file.to_str().unwrap()]);
    let save = ada.through(&between, save);
    ada.lab.json(&save, 3);
    assert!(Snapshot::open(&file).unwrap().names().is_empty());
    between.behave();
    let people = ada.lab.run(&save).exited(0);
    assert!(people.stderr.contains("learns the ids and names of"), "{people}");
    let names = Snapshot::open(&file).unwrap().names();
    let known = current(&ada).rooms.keys();
    let known: BTreeMap<_, _> =
        known.filter_map(|id| Some((id.clone(), named(&ada.account, id)?))).collect();
    assert_eq!(names, known);
    // The names are told apart from the keys: neither digest nor count has them.
    let info = ada.lab.json(&["snapshot", "info", file.to_str().unwrap()], 0);
    assert_eq!(info["bytes"], keys(&ada).len());
}

/// Whatever byte of the line is another one, the keys are all there and proven to be.
#[test]
fn any_changed_byte_costs_the_names_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let file = with_names(folder.path(), &[("!a:x", "Family"), ("!b:x", "Choir")]);
    let whole = fs::read(&file).unwrap();
    let begin = whole.windows(9).position(|bytes| bytes == b"{\"names\":").unwrap();
    let end = begin + whole[begin..].iter().position(|byte| *byte == b'\n').unwrap();
    let expected = entries(&file);
    assert_eq!(expected.len(), 3);
    let (mut without, mut other) = (0, 0);
    for at in begin..end {
        for byte in [b'x', b'"', b'\\', b'\n', 0xff, 0] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            fs::write(&file, &damaged).unwrap();
            let snapshot = Snapshot::open(&file).unwrap();
            assert!(snapshot.trailer.is_some());
            match snapshot.names() {
                names if names.is_empty() => without += 1,
                _ => other += 1,
            }
            let mut body = snapshot.into_body().unwrap();
            let mut read = vec![0; 1 << 10];
            assert_eq!(body.read(&mut read).unwrap(), BODY.len());
            assert_eq!(body.read(&mut read).unwrap(), 0);
            assert!(body.is_intact());
            assert_eq!(entries(&file), expected);
        }
    }
    // A letter inside a name is another letter; anything else is no line of names any more.
    assert!(without > other && other > 0, "{without} {other}");
}

/// A wrong length of the line must not cut the keys.
#[test]
fn a_wrong_length_is_no_knife() {
    let lab = Lab::new();
    let file = with_names(&lab.path("home"), &[("!a:x", "Family")]);
    let text = fs::read_to_string(&file).unwrap();
    let (before, length) = text.trim_end().rsplit_once("\"names_bytes\":").unwrap();
    let right: u64 = length.trim_end_matches('}').parse().unwrap();
    for wrong in [0, 1, right - 1, right + 1, right + 30, 1 << 20, u64::MAX] {
        fs::write(&file, format!("{before}\"names_bytes\":{wrong}}}\n")).unwrap();
        let rooms = lab.json(&["rooms", &format!("--snapshot={}", file.display())], 0);
        assert_eq!(rooms["sessions"], 3, "{wrong}");
        assert_eq!(rooms["rooms"][0]["name"], Value::Null, "{wrong}");
        assert_eq!(entries(&file).len(), 3);
        // The length is part of what proves the rest.
        let info = lab.json(&["snapshot", "info", file.to_str().unwrap()], 3);
        assert_eq!((&info["complete"], &info["entries"]), (&json!(false), &json!(3)), "{wrong}");
    }
}

//! Names that are remembered: when they are told, replaced, kept, and what the file is like.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, symlink},
};

use keyhaul::{
    backup::version::ALGORITHM,
    base::{limits, shown::Shown},
    recovery::names::Kind,
    snapshot::{
        format::{FORMAT, Header},
        writer::Writer,
    },
    store::names::{Remembered, remember, remembered},
};
use serde_json::{Value, json};
use wiremock::{
    Mock,
    matchers::{method, path_regex},
};

use super::*;
use crate::snapshots::trailer;

const FILE: &str = "names.json";

fn one(name: &str, left: bool) -> Remembered {
    Remembered { name: Shown::new(name), kind: Kind::Named, left }
}

fn some(rooms: &[(&str, &str, bool)]) -> BTreeMap<String, Remembered> {
    rooms.iter().map(|(room, name, left)| ((*room).to_owned(), one(name, *left))).collect()
}

impl House {
    fn remember(&self, rooms: &[(&str, &str, bool)]) {
        remember(&self.folder().lock().unwrap(), &some(rooms)).unwrap();
    }

    fn remembered(&self) -> BTreeMap<String, Remembered> {
        remembered(&self.folder()).unwrap()
    }
}

#[tokio::test]
async fn what_was_heard_is_told_first_the_next_time() {
    let house = House::new().await;
    house.folder();
    house.joined(&["!a:s", "!b:s"]).await;
    house.named("!a:s", "Garden").await;
    let (first, _) = house.ask(Whose::Own, &["!a:s", "!b:s"]).await;
    assert_eq!(last(&first)[0].1, "Garden");
    assert_eq!(house.remembered(), some(&[("!a:s", "Garden", false)]));
    let file = house.folder().path().join(FILE);
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);

    house.remember(&[("!a:s", "Old garden", false)]);
    let (second, requests) = house.ask(Whose::Own, &["!a:s"]).await;
    let names: Vec<_> = second.iter().map(|(_, told)| told.name.clone().unwrap()).collect();
    assert_eq!(names, [Shown::new("Old garden"), Shown::new("Garden")]);
    assert!(requests.iter().any(|request| request.contains("/state/")));
    assert_eq!(house.remembered(), some(&[("!a:s", "Garden", false)]));
}

#[tokio::test]
async fn a_remembered_name_lasts_where_the_server_tells_nothing_more() {
    let house = House::new().await;
    house.remember(&[("!forgotten:s", "Garden", false), ("!left:s", "Choir", true)]);
    house.joined(&[]).await;
    house.room("!forgotten:s", "state/m.room.name", forbidden()).await;
    let (told, requests) = house.ask(Whose::Own, &["!forgotten:s", "!left:s"]).await;
    assert_eq!(
        last(&told),
        [("!forgotten:s", "Garden", Kind::Named, true), ("!left:s", "Choir", Kind::Named, true)]
    );
    // What a room was called when it was left needs no question.
    assert!(!requests.iter().any(|request| request.contains("left")), "{requests:?}");
    assert_eq!(
        house.remembered(),
        some(&[("!forgotten:s", "Garden", true), ("!left:s", "Choir", true)])
    );
    // One that was joined again may be called otherwise by now.
    let house = House::new().await;
    house.remember(&[("!left:s", "Choir", true)]);
    house.joined(&["!left:s"]).await;
    house.named("!left:s", "Choir of the town").await;
    let (told, _) = house.ask(Whose::Own, &["!left:s"]).await;
    assert_eq!(last(&told), [("!left:s", "Choir of the town", Kind::Named, false)]);
}

#[tokio::test]
async fn a_look_makes_no_folder() {
    let house = House::new().await;
    house.named("!a:s", "Garden").await;
    house.ask(Whose::Own, &["!a:s"]).await;
    let data_dir = house.surroundings().data_dir;
    let folders = fs::read_dir(&data_dir).into_iter().flatten().flatten();
    let folders: Vec<_> = folders.filter(|entry| entry.path().is_dir()).collect();
    assert!(folders.is_empty(), "{folders:?}");
}

#[tokio::test]
async fn a_folder_that_is_in_use_is_left_alone() {
    let house = House::new().await;
    let held = house.folder().lock().unwrap();
    house.named("!a:s", "Garden").await;
    let (told, _) = house.ask(Whose::Own, &["!a:s"]).await;
    assert_eq!(last(&told)[0].1, "Garden");
    assert!(!held.folder().path().join(FILE).exists());
}

#[tokio::test]
async fn nothing_is_written_where_nothing_is_new() {
    let house = House::new().await;
    house.remember(&[("!a:s", "Garden", true)]);
    let file = house.folder().path().join(FILE);
    let before = fs::metadata(&file).unwrap().ino();
    house.joined(&[]).await;
    house.named("!a:s", "Garden").await;
    house.ask(Whose::Own, &["!a:s"]).await;
    assert_eq!(fs::metadata(&file).unwrap().ino(), before);
}

#[tokio::test]
async fn names_of_another_account_are_not_told() {
    let house = House::new().await;
    let data_dir = DataDir::open(&house.surroundings().data_dir).unwrap();
    let others = [("@eve:example.org", house.server.uri()), (USER, "https://other.example".into())];
    for (user, origin) in others {
        let folder = data_dir.account(user, &origin).unwrap();
        remember(&folder.lock().unwrap(), &some(&[("!a:s", "Secret", true)])).unwrap();
    }
    let (told, _) = house.ask(Whose::Own, &["!a:s"]).await;
    assert!(told.iter().all(|(_, name)| name.name.is_none()), "{told:?}");
}

#[tokio::test]
async fn an_empty_room_is_called_after_those_who_were_in_it() {
    let house = House::new().await;
    house.remember(&[("!a:s", "Grace", false)]);
    house.joined(&["!a:s"]).await;
    let alone = answer(200, &json!({"joined": {USER: {}}}));
    house.room("!a:s", "joined_members", alone).await;
    house.direct(json!({"@grace:s": ["!a:s"]})).await;
    let (told, _) = house.ask(Whose::Own, &["!a:s"]).await;
    assert_eq!(last(&told), [("!a:s", "Grace", Kind::Named, false)]);
    assert_eq!(told.last().unwrap().1.people, Some(1));
}

#[tokio::test]
async fn what_was_left_and_is_remembered_needs_few_questions() {
    let house = House::new().await;
    house.remember(&[("!a:s", "Choir", true)]);
    house.joined(&[]).await;
    let (told, requests) = house.ask(Whose::Own, &["!a:s"]).await;
    assert_eq!(last(&told), [("!a:s", "Choir", Kind::Named, true)]);
    assert_eq!(requests, ["/joined_rooms", "/user/@ada:example.org/account_data/m.direct"]);
}

#[tokio::test]
async fn offline_the_snapshot_knows_best_and_nobody_is_asked() {
    let house = House::new().await;
    house.remember(&[("!a:s", "Old garden", false), ("!b:s", "Choir", true)]);
    let file = house.home.path().join("backup.keyhaul");
    let version = json!({
        "version": "1", "algorithm": ALGORITHM,
        "auth_data": {"public_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo"},
    });
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: house.server.uri(),
        user: USER.to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
        version: serde_json::value::to_raw_value(&version).unwrap(),
        account_data: BTreeMap::new(),
    };
    let mut writer = Writer::create(&file, &header).unwrap();
    writer.write(br#"{"rooms":{}}"#).unwrap();
    let along = BTreeMap::from([("!a:s".to_owned(), "Gar\u{1b}den".to_owned())]);
    writer.finish(trailer(), along).unwrap();
    let place = Place::Snapshot { file, user: None, server: None };
    let visit = Visit::begin(place, &Wanted::Current, &mut |_| {}, &Quiet, &Cancel::default())
        .await
        .unwrap();
    let told = house.told(&visit, &["!a:s", "!b:s", "!c:s"]).await;
    assert_eq!(
        last(&told),
        [
            ("!a:s", "Gar␛den", Kind::Named, false),
            ("!b:s", "Choir", Kind::Named, true),
            ("!c:s", "", Kind::Nothing, false),
        ]
    );
    assert!(house.server.received_requests().await.unwrap().is_empty());
    // A look at a file changes nothing that is remembered.
    assert_eq!(house.remembered()["!a:s"].name.as_str(), "Old garden");
}

#[test]
fn names_come_back_as_they_were() {
    let home = tempfile::tempdir().unwrap();
    let folder = DataDir::open(home.path()).unwrap().account(USER, "https://s").unwrap();
    let lock = folder.lock().unwrap();
    let kinds = [Kind::Named, Kind::Alias, Kind::People, Kind::Direct];
    let all: BTreeMap<_, _> = kinds
        .into_iter()
        .map(|kind| {
            (format!("!{kind:?} \"\\\u{1}:s"), Remembered { kind, ..one("写真 \"\\", true) })
        })
        .collect();
    remember(&lock, &all).unwrap();
    assert_eq!(remembered(&folder).unwrap(), all);
    remember(&lock, &some(&[("!x:s", "More", false)])).unwrap();
    assert_eq!(remembered(&folder).unwrap().len(), all.len() + 1);
}

#[test]
fn the_file_stays_small() {
    let home = tempfile::tempdir().unwrap();
    let folder = DataDir::open(home.path()).unwrap().account(USER, "https://s").unwrap();
    let lock = folder.lock().unwrap();
    let many = |from: usize, name: &str| -> BTreeMap<String, Remembered> {
        (from..from + limits::NAMES_KEPT).map(|n| (format!("!{n}:s"), one(name, true))).collect()
    };
    remember(&lock, &many(0, "old")).unwrap();
    remember(&lock, &many(limits::NAMES_KEPT - 5, "new")).unwrap();
    let kept = remembered(&folder).unwrap();
    assert_eq!(kept.len(), limits::NAMES_KEPT);
    assert!(kept.values().all(|one| one.name.as_str() == "new"), "earlier ones go first");

    let long = "\u{fffd}".repeat(limits::ROOM_NAME);
    remember(&lock, &many(0, &long)).unwrap();
    let length = fs::metadata(folder.path().join(FILE)).unwrap().len();
    assert!(length <= limits::NAMES_FILE && length > limits::NAMES_FILE / 2, "{length}");
    assert!(!remembered(&folder).unwrap().is_empty());
    let huge_id = BTreeMap::from([("!".repeat(limits::NAME + 1), one("x", true))]);
    remember(&lock, &huge_id).unwrap();
    assert!(!remembered(&folder).unwrap().contains_key(&"!".repeat(limits::NAME + 1)));
}

#[tokio::test]
async fn what_stands_in_the_file_is_made_safe_or_counts_as_nothing() {
    let row = |name: &str, kind: &str| json!({"room_id": "!a:s", "name": name, "kind": kind, "left": false});
    let file = |rows: &[Value]| json!({"rooms": rows}).to_string();
    let huge = format!("{{\"rooms\":[],\"x\":\"{}\"}}", "x".repeat(limits::NAMES_FILE as usize));
    for (content, expected) in [
        (file(&[row("a\u{1b}[2J\u{202e}b", "named")]), Some("a␛[2Jb")),
        (file(&[row("", "named")]), None),
        (file(&[row("Garden", "nothing")]), None),
        (file(&[row("Garden", "other")]), None),
        ("garbage".to_owned(), None),
        ("[]".to_owned(), None),
        (String::new(), None),
        (huge, None),
    ] {
        let house = House::new().await;
        fs::write(house.folder().path().join(FILE), &content).unwrap();
        house.room("!a:s", "state/m.room.name", forbidden()).await;
        let (told, _) = house.ask(Whose::Own, &["!a:s"]).await;
        let name = told.last().unwrap().1.name.clone();
        assert_eq!(name, expected.map(Shown::new), "{}", &content[..content.len().min(80)]);
        // And something good takes its place.
        house.remember(&[("!b:s", "Choir", false)]);
        assert_eq!(house.remembered()["!b:s"], one("Choir", false));
    }
}

#[tokio::test]
async fn a_link_is_not_followed() {
    let house = House::new().await;
    let elsewhere = house.home.path().join("elsewhere.json");
    let text = r#"{"rooms":[{"room_id":"!a:s","name":"Garden","kind":"named","left":true}]}"#;
    fs::write(&elsewhere, text).unwrap();
    let link = house.folder().path().join(FILE);
    symlink(&elsewhere, &link).unwrap();
    let broken = Mock::given(method("GET")).and(path_regex("/state/"));
    broken.respond_with(forbidden()).with_priority(7).mount(&house.server).await;
    house.named("!b:s", "Choir").await;
    let (told, _) = house.ask(Whose::Own, &["!a:s", "!b:s"]).await;
    assert_eq!((last(&told)[0].1, last(&told)[1].1), ("", "Choir"));
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), text);
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
}

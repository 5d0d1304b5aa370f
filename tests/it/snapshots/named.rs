//! Names of rooms are in a snapshot only if somebody asked for them, and are as hostile as ever.

use std::fs;

use serde_json::Value;

use crate::program::Ada;

fn saved(ada: &Ada, more: &[&str]) -> String {
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    let words: Vec<&str> = ["snapshot", "save", &file].iter().chain(more).copied().collect();
    ada.lab.json(&ada.asks(&words), 0);
    file
}

fn names(ada: &Ada, file: &str) -> Vec<Option<String>> {
    let rooms = ada.lab.json(&["rooms", "--snapshot", file], 0)["rooms"].clone();
    let rooms: Vec<Value> = rooms.as_array().unwrap().clone();
    rooms.into_iter().map(|room| room["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn names_come_along_only_if_asked_for() {
    let ada = Ada::new();
    let file = saved(&ada, &[]);
    let bytes = fs::read(&file).unwrap();
    let named: Vec<&str> =
        ada.account.rooms.iter().filter_map(|room| room.name.as_deref()).collect();
    // Others could stand in the locked keys by chance.
    let told: Vec<_> = named.iter().filter(|name| name.contains(' ')).collect();
    assert!(told.len() > 3);
    for name in told {
        assert!(memchr::memmem::find(&bytes, name.as_bytes()).is_none(), "{name}");
    }
    assert!(names(&ada, &file).iter().all(Option::is_none));

    fs::remove_file(&file).unwrap();
    let file = saved(&ada, &["--with-names"]);
    let online = ada.lab.json(&ada.asks(&["rooms"]), 0)["rooms"].clone();
    let online: Vec<_> = online
        .as_array()
        .unwrap()
        .iter()
        .map(|room| room["name"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(names(&ada, &file), online);
    assert!(online.iter().flatten().count() > 10);
}

#[test]
fn hostile_names_are_shown_safely() {
    let mut hostile = String::new();
    let ada = Ada::with(|account| {
        let room = account.rooms.iter_mut().find(|room| room.name.as_deref() == Some("Family"));
        hostile = format!("a\u{1b}[2Jb\u{202e}c\n{}", "x".repeat(10_000));
        room.unwrap().name = Some(hostile.clone());
    });
    let file = saved(&ada, &["--with-names"]);
    let shown =
        names(&ada, &file).into_iter().flatten().find(|name| name.starts_with('a')).unwrap();
    assert!(shown.starts_with("a␛[2Jbc xxx") && shown.chars().count() < 300, "{shown}");
    ada.lab.run(&["rooms", "--snapshot", &file]).exited(0);
}

#[test]
fn damaged_names_cost_only_the_names() {
    let ada = Ada::new();
    let file = saved(&ada, &["--with-names"]);
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replacen("{\"names\":{", "{\"names\":[", 1)).unwrap();
    assert!(names(&ada, &file).iter().all(Option::is_none));
    let info = ada.lab.json(&["snapshot", "info", &file], 0);
    assert_eq!(info["complete"], true);
    assert_eq!(info["entries"], ada.account.version(3).unwrap().count());
}

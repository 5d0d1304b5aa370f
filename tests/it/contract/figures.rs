//! The figures: counted by the program on its way, and by the story while it was put together.

use std::collections::{BTreeMap, BTreeSet};

use keyhaul::{
    base::shown::{Shown, grouped},
    demo::account::{Expected, Membership, Version},
};
use serde_json::{Value, json};

use crate::program::{Ada, Tree};

fn version(ada: &Ada, number: u64) -> (&Version, Expected) {
    let version = ada.account.version(number).unwrap();
    (version, version.expected())
}

/// How many entries were refused for each reason.
fn reasons(run: &Value) -> BTreeMap<&str, usize> {
    let mut reasons = BTreeMap::new();
    for entry in run["refused"].as_array().unwrap() {
        *reasons.entry(entry["reason"].as_str().unwrap()).or_default() += 1;
    }
    reasons
}

#[track_caller]
fn assert_run(run: &Value, version: &Version, new: u64, unchanged: u64) {
    let expected = version.expected();
    assert_eq!(run["entries"], expected.entries);
    assert_eq!(run["opened"], expected.openable);
    assert_eq!(run["refused_count"], version.damaged.len());
    assert_eq!(reasons(run), expected.refused);
    assert_eq!(run["new"], new);
    assert_eq!(run["unchanged"], unchanged);
    assert_eq!(run["refused_file"], Value::Null);
    let named: BTreeSet<_> = run["refused"].as_array().unwrap().iter().map(place).collect();
    let damaged: BTreeSet<_> = version.damaged.keys().cloned().collect();
    assert!(named == damaged, "other entries are refused than were damaged");
    let rooms = run["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), version.rooms.len());
    for room in rooms {
        let id = room["room_id"].as_str().unwrap();
        let damaged = version.damaged.keys().filter(|(room, _)| room == id).count();
        assert_eq!(room["entries"], version.rooms[id].len());
        assert_eq!(room["refused"], damaged);
        assert_eq!(room["opened"], version.rooms[id].len() - damaged);
    }
}

fn place(entry: &Value) -> (String, String) {
    let text = |name: &str| entry[name].as_str().unwrap().to_owned();
    (text("room_id"), text("session_id"))
}

/// Restoring a second time finds nothing new, and still tells of every refused key, in each way.
#[test]
fn restored_twice() {
    let ada = Ada::new();
    let (current, expected) = version(&ada, 3);
    assert_eq!(current.damaged.len(), 40);
    let all = expected.openable as u64;

    let first = ada.lab.json(&ada.opens(&["restore"]), 3);
    assert_run(&first["runs"][0], current, all, 0);
    assert_eq!(first["stored_total"], all);
    assert_eq!(first["dry_run"], false);

    let second = ada.lab.json(&ada.opens(&["restore"]), 3);
    assert_run(&second["runs"][0], current, 0, all);
    assert_eq!(second["stored_total"], all);

    // From the snapshot that was saved beside it, without any server: the same.
    let tree = ada.lab.kept();
    let snapshot = ada.lab.data().join(tree.named(".keyhaul").next().unwrap());
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let snapshot = format!("--snapshot={}", snapshot.to_str().unwrap());
    let offline = ada.lab.json(&["restore", &snapshot, &secret], 3);
    assert_run(&offline["runs"][0], current, 0, all);
    assert_eq!(offline["stored_total"], all);
}

/// The store has what both backups hold, each key once.
#[test]
fn all_backups() {
    let ada = Ada::new();
    let ((current, _), (older, old)) = (version(&ada, 3), version(&ada, 1));
    let old_key = format!("--secret-file={}", ada.file("old recovery key"));
    let done = ada.lab.json(&ada.opens(&["restore", "--backup-version=all", &old_key]), 3);
    // What the current one holds for the older key opens, too.
    let mut both = current.clone();
    both.damaged.retain(|_, damage| damage.reason() != "mac");
    let current = &both;
    let openable = |version: &Version| -> BTreeSet<(String, String)> {
        let rooms = version.rooms.iter();
        let all = rooms.flat_map(|(room, keys)| keys.keys().map(|id| (room.clone(), id.clone())));
        all.filter(|place| !version.damaged.contains_key(place)).collect()
    };
    let union = &openable(current) | &openable(older);
    assert_eq!(done["stored_total"], union.len());
    let runs = done["runs"].as_array().unwrap();
    assert_eq!(runs[0]["version"], "3");
    assert_eq!(runs[1]["version"], "1");
    assert_run(&runs[0], current, openable(current).len() as u64, 0);
    let new = openable(older).difference(&openable(current)).count();
    assert_eq!(runs[1]["new"], new);
    assert_eq!(runs[1]["candidates"], 0);
    let known = runs[1]["better"].as_u64().unwrap() + runs[1]["unchanged"].as_u64().unwrap();
    assert_eq!(known, (old.openable - new) as u64);
    assert!(runs[1]["better"].as_u64().unwrap() > 100);
}

#[test]
fn one_room() {
    let ada = Ada::new();
    let (current, _) = version(&ada, 3);
    let (id, keys) = current.rooms.iter().max_by_key(|(_, keys)| keys.len()).unwrap();
    let damaged = current.damaged.keys().filter(|(room, _)| room == id).count();
    let done = ada.lab.json(&ada.opens(&["restore", "--room", id]), 3);
    assert_eq!(done["runs"][0]["entries"], keys.len());
    assert_eq!(done["stored_total"], keys.len() - damaged);
    assert_eq!(done["runs"][0]["rooms"].as_array().unwrap().len(), 1);
    // Part of a backup is no snapshot of it.
    assert_eq!(ada.lab.kept().named(".keyhaul").count(), 0);

    let rest = ada.lab.json(&ada.opens(&["restore"]), 3);
    assert_eq!(rest["runs"][0]["unchanged"], keys.len() - damaged);
}

/// A plan counts what a restore would do, and leaves every byte as it is.
#[test]
fn dry_run() {
    let ada = Ada::new();
    let (current, expected) = version(&ada, 3);
    let all = expected.openable as u64;
    let args = ada.opens(&["restore", "--dry-run"]);
    let plan = ada.lab.json(&args, 3);
    assert_run(&plan["runs"][0], current, all, 0);
    assert_eq!(plan["stored_total"], 0);
    assert_eq!(plan["dry_run"], true);
    assert!(!ada.lab.data().exists());

    let (id, _) = current.rooms.iter().next().unwrap();
    ada.lab.run(&ada.opens(&["restore", "--room", id]));
    let before = ada.lab.kept();
    let stored =
        ada.lab.json(&ada.opens(&["restore", "--dry-run", "--room", id]), before_exit(current, id));
    let unchanged = stored["runs"][0]["unchanged"].as_u64().unwrap();
    assert_eq!(stored["stored_total"], unchanged);
    let plan = ada.lab.json(&args, 3);
    assert_run(&plan["runs"][0], current, all - unchanged, unchanged);
    let after = ada.lab.kept();
    before.assert_same(&after);
    let lock = after.named("lock").next().unwrap();
    assert!(before.entries[lock] == after.entries[lock], "not even the lock is taken");
}

fn before_exit(version: &Version, id: &str) -> i32 {
    if version.damaged.keys().any(|(room, _)| room == id) { 3 } else { 0 }
}

#[test]
fn rooms_and_their_names() {
    let ada = Ada::new();
    let (current, _) = version(&ada, 3);
    let document = ada.lab.json(&ada.asks(&["rooms"]), 0);
    assert_eq!(document["sessions"], current.count());
    let rooms = document["rooms"].as_array().unwrap();
    assert_eq!(rooms.len(), current.rooms.len());
    for room in rooms {
        let id = room["room_id"].as_str().unwrap();
        let keys = &current.rooms[id];
        let entries: Vec<Value> =
            keys.values().map(|json| serde_json::from_slice(json).unwrap()).collect();
        let count = |test: &dyn Fn(&Value) -> bool| entries.iter().filter(|e| test(e)).count();
        assert_eq!(room["sessions"], keys.len());
        assert_eq!(room["partial"], count(&|e| e["first_message_index"].as_u64() > Some(0)));
        assert_eq!(room["forwarded"], count(&|e| e["forwarded_count"].as_u64() > Some(0)));
        assert_eq!(room["unverified"], count(&|e| e["is_verified"] != true));
        assert_eq!(room["restored"], Value::Null);
        let account = ada.account.room(id).unwrap();
        let own = account.name.as_deref().or(account.alias.as_deref()).map(Shown::new);
        match (account.membership, own) {
            (Membership::Forgotten, _) => assert_eq!(room["name"], Value::Null),
            (_, Some(name)) => assert_eq!(room["name"].as_str(), Some(name.as_str())),
            (_, None) => assert!(room["name"].is_string(), "{room}"),
        }
    }
    let named_by_people = ["Alan, Emmy 🧮, Grace, Hedwig, Mary and 1 other", "Grace", "Mary"];
    let names: BTreeSet<_> = rooms.iter().filter_map(|room| room["name"].as_str()).collect();
    for name in named_by_people {
        assert!(names.contains(name), "{name}");
    }
    let sizes: Vec<_> = rooms.iter().map(|room| room["sessions"].as_u64().unwrap()).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "the largest room stands first");
}

#[test]
fn restored_keys_are_counted_per_room() {
    let ada = Ada::new();
    let (current, _) = version(&ada, 3);
    let (id, keys) = current.rooms.iter().max_by_key(|(_, keys)| keys.len()).unwrap();
    ada.lab.run(&ada.opens(&["restore", "--room", id]));
    let damaged = current.damaged.keys().filter(|(room, _)| room == id).count();
    let document = ada.lab.json(&ada.opens(&["rooms"]), 0);
    for room in document["rooms"].as_array().unwrap() {
        let here = if room["room_id"] == id.as_str() { keys.len() - damaged } else { 0 };
        assert_eq!(room["restored"], here);
    }
    let document = ada.lab.json(&ada.opens(&["sessions", id]), 0);
    let sessions = document["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), keys.len());
    for session in sessions {
        let place = (id.clone(), session["session_id"].as_str().unwrap().to_owned());
        assert_eq!(session["restored"], !current.damaged.contains_key(&place));
    }
}

#[test]
fn backups_and_what_guards_them() {
    let ada = Ada::new();
    let document = ada.lab.json(&ada.opens(&["backups"]), 0);
    assert_eq!(document["current"], "3");
    let versions = document["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    for (shown, number, stored) in [(&versions[0], 3, true), (&versions[1], 1, false)] {
        let (version, expected) = version(&ada, number);
        assert_eq!(shown["version"], number.to_string());
        assert_eq!(shown["count"], expected.entries);
        assert_eq!(shown["etag"], version.etag.to_string());
        assert_eq!(shown["public_key"], version.auth_data["public_key"]);
        assert_eq!(shown["in_secret_storage"], stored);
        assert_eq!(shown["current"], number == 3);
    }
    // Without a key nobody can know what lies in secret storage.
    let document = ada.lab.json(&ada.asks(&["backups"]), 0);
    assert_eq!(document["versions"][0]["in_secret_storage"], Value::Null);
}

#[test]
fn what_the_keys_open() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    assert_eq!(ada.lab.json(&ada.opens(&["unlock"]), 0)["opens_backups"], json!(["3"]));
    assert_eq!(ada.lab.json(&ada.asks(&["unlock", &old]), 0)["opens_backups"], json!(["1"]));
    assert_eq!(ada.lab.json(&ada.opens(&["unlock", &old]), 0)["opens_backups"], json!(["1", "3"]));
}

#[test]
fn snapshots() {
    let ada = Ada::new();
    let (current, expected) = version(&ada, 3);
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    let saved = ada.lab.json(&ada.asks(&["snapshot", "save", &file]), 0);
    assert_eq!(ada.lab.json(&["snapshot", "info", &file], 0), saved);
    assert_eq!(saved["entries"], expected.entries);
    assert_eq!(saved["count"], expected.entries);
    assert_eq!(saved["rooms"], current.rooms.len());
    assert_eq!(saved["complete"], true);
    assert_eq!(saved["etag_before"], current.etag.to_string());
    assert_eq!(saved["etag_after"], current.etag.to_string());
    let rooms = ada.lab.json(&["rooms", &format!("--snapshot={file}")], 0);
    assert_eq!(rooms["sessions"], expected.entries);
}

#[test]
fn the_store() {
    let ada = Ada::new();
    let (current, expected) = version(&ada, 3);
    ada.lab.json(&ada.opens(&["restore"]), 3);
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let info = ada.lab.json(&["store", "info", &secret], 0);
    let check = ada.lab.json(&["store", "check", &secret], 0);
    let damaged = |id: &String| current.damaged.keys().filter(|(room, _)| room == id).count();
    let rooms = current.rooms.iter().filter(|(id, keys)| keys.len() > damaged(id)).count();
    for document in [&info, &check] {
        assert_eq!(document["keys"], expected.openable);
        assert_eq!(document["rooms"], rooms);
        assert_eq!(document["candidates"], 0);
    }
    assert_eq!(check["damaged"], 0);
    let kinds: BTreeSet<_> = info["locks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lock| lock["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, BTreeSet::from(["backup-key", "storage-key"]));
}

/// Nothing that keyhaul does now changes anything on a server, and no device stays.
#[test]
fn servers_are_only_read() {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    let password = format!("--password-file={}", ada.file("password"));
    let devices = ada.server.devices();
    for words in [&["backups"] as &[_], &["restore"], &["snapshot", "save", &file]] {
        ada.lab.run(&ada.opens(words));
    }
    let [server, user] = [ada.server.base_url(), &ada.account.user_id];
    let args = ["restore", "--homeserver", server, "--user", user, &password, "--secret-file"];
    let key = ada.file("recovery key");
    ada.lab.json(&[args.as_slice(), &[&key]].concat(), 3);
    assert_eq!(ada.server.devices(), devices);
    assert_eq!(ada.server.writes(), 0);
}

/// With `--ascii` nothing else is printed, whatever rooms are called.
#[test]
fn ascii_only() {
    let ada = Ada::new();
    ada.lab.json(&ada.opens(&["restore"]), 3);
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let stored = |command: &str| ["store", command, &secret].map(str::to_owned).to_vec();
    for mut args in [
        ada.opens(&["backups"]),
        ada.opens(&["rooms"]),
        ada.opens(&["unlock"]),
        ada.opens(&["restore"]),
        stored("info"),
        stored("check"),
        ada.asks(&["restore"]),
    ] {
        args.push("--ascii".to_owned());
        let ended = ada.lab.run(&args);
        assert!(ended.stdout.is_ascii() && ended.stderr.is_ascii(), "{ended}");
        args.push("--json".to_owned());
        let ended = ada.lab.run(&args);
        assert!(ended.stdout.is_ascii(), "{ended}");
    }
    let rooms = ada.lab.run(&ada.asks(&["rooms", "--ascii"])).exited(0);
    assert!(rooms.stdout.contains("?????"), "{rooms}");
}

#[test]
fn quiet_says_nothing_but_the_result() {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    for args in [ada.opens(&["restore", "--quiet"]), ada.asks(&["snapshot", "save", "-q", &file])] {
        let ended = ada.lab.run(&args);
        assert_eq!(ended.stderr, "", "{ended}");
        assert!(!ended.stdout.is_empty(), "{ended}");
    }
}

/// No line is wider than a piped terminal of 80 columns, unless a word in it is.
#[test]
fn lines_fit_80_columns() {
    let ada = Ada::new();
    let room = ada.account.rooms[0].id.clone();
    let expected = version(&ada, 3).1;
    for args in [
        ada.opens(&["backups"]),
        ada.opens(&["rooms"]),
        ada.opens(&["sessions", &room]),
        ada.opens(&["unlock"]),
        ada.opens(&["doctor"]),
        ada.opens(&["diff", "backup:1", "backup:3"]),
        ada.opens(&["restore"]),
    ] {
        let ended = ada.lab.run(&args);
        for line in ended.stdout.lines() {
            assert!(Shown::new(line).width() <= 80, "{line:?}");
        }
        if args[0] == "restore" {
            let opened = grouped(expected.openable as u64);
            assert!(ended.stdout.contains(&opened), "{ended}");
        }
    }
    assert!(
        Tree::of(&ada.lab.path("tmp")).entries.len() == 1,
        "nothing is left among temporary files"
    );
}

//! A new snapshot takes the place of an older one only if it holds all of it; else both stay, and
//! people are told where the new one is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use serde_json::json;

use super::{
    begin, entries,
    few::{SOME_REFUSED, all_of, backup_secret, body, current, few, keys, says},
    trailer,
};
use crate::program::{Ada, Between};

type Rooms = BTreeMap<String, BTreeMap<String, Bytes>>;

/// The rooms of her backup without one of them.
fn without(ada: &Ada, place: usize) -> Rooms {
    let mut rooms = current(ada).rooms.clone();
    let gone = rooms.keys().nth(place).unwrap().clone();
    rooms.remove(&gone);
    rooms
}

fn behind_a_station() -> (Ada, Between) {
    let ada = few();
    let between = ada.between(Vec::new());
    (ada, between)
}

/// Names of the files in a folder.
fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn set(file: &Path) -> BTreeSet<super::Entry> {
    entries(file).into_iter().collect()
}

#[test]
fn each_that_holds_something_of_its_own_stays() {
    let (ada, between) = behind_a_station();
    let home = ada.lab.path("home");
    for name in ["backup.keyhaul", "backup", ".hidden", "a.b.c"] {
        let file = home.join(name);
        let numbered = |number: &str| -> PathBuf {
            home.join(match name {
                "backup.keyhaul" => format!("backup-{number}.keyhaul"),
                "a.b.c" => format!("a.b-{number}.c"),
                name => format!("{name}-{number}"),
            })
        };
        let words = ["snapshot", "save", "--overwrite", file.to_str().unwrap()];
        let save = ada.through(&between, ada.asks(&words));
        let saves = |rooms: &Rooms, to: &Path| {
            between.play(says(&body(rooms)));
            let saved = ada.lab.json(&save, 0);
            assert_eq!(saved["file"], to.to_str().unwrap());
            assert!(set(to) == all_of(&body(rooms)), "{}", to.display());
        };
        let (whole, one, two) = (&current(&ada).rooms, &without(&ada, 0), &without(&ada, 1));
        saves(whole, &file);
        let before = fs::read(&file).unwrap();
        // Somebody deletes one room's keys, then another's; of equal ones the newer stays.
        saves(one, &numbered("2"));
        saves(one, &numbered("2"));
        saves(two, &numbered("3"));
        saves(one, &numbered("2"));
        assert!(fs::read(&file).unwrap() == before);
        assert!(set(&numbered("3")) == all_of(&body(two)));
        // What holds all of the first takes its place again.
        saves(whole, &file);
        for file in [file.clone(), numbered("2"), numbered("3")] {
            fs::remove_file(file).unwrap();
        }
        assert!(files(&home).is_empty());
    }
}

#[test]
fn people_are_told_where_the_new_one_is() {
    let (ada, between) = behind_a_station();
    let file = ada.lab.path("home/backup.keyhaul");
    let name = file.to_str().unwrap();
    let save = ada.through(&between, ada.asks(&["snapshot", "save", "--overwrite", name]));
    let first = ada.lab.run(&save).exited(0);
    assert!(!first.stderr.contains("so it stays"), "{first}");
    between.play(says(&body(&without(&ada, 2))));
    let second = ada.lab.run(&save).exited(0);
    let beside = name.replace("backup", "backup-2");
    let said = second.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("The new one is {beside}.")), "{second}");
    assert!(said.contains(name) && said.contains("so it stays."), "{second}");
    assert!(second.stdout.contains(&format!("Snapshot {beside}")), "{second}");
}

/// A key that the server changed could be a worse one.
#[test]
fn one_with_another_key_of_a_session_stays() {
    let (ada, between) = behind_a_station();
    let file = ada.lab.path("home/backup.keyhaul");
    let name = file.to_str().unwrap();
    let save = ada.through(&between, ada.asks(&["snapshot", "save", "--overwrite", name]));
    ada.lab.json(&save, 0);
    let before = fs::read(&file).unwrap();
    let later = keys(&ada).replacen("\"first_message_index\":0", "\"first_message_index\":9", 1);
    between.play(says(&later));
    assert_eq!(ada.lab.json(&save, 0)["file"], name.replace("backup", "backup-2"));
    assert!(fs::read(&file).unwrap() == before);
}

/// What cannot be read any more in a damaged one could be what the server lacks.
#[test]
fn a_damaged_one_stays() {
    let (ada, between) = behind_a_station();
    let file = ada.lab.path("home/backup.keyhaul");
    let name = file.to_str().unwrap();
    let save = ada.through(&between, ada.asks(&["snapshot", "save", "--overwrite", name]));
    ada.lab.json(&save, 0);
    let whole = fs::read_to_string(&file).unwrap();
    let start = whole.find('\n').unwrap() + 1;
    let half = start + 120_000;
    for (from, to) in [
        // Nothing behind it can be read, or not as what it was.
        (half + whole[half..].find("}},").unwrap() + 2, ";"),
        (start + whole[start..].find("\"rooms\"").unwrap() + 1, "R"),
        (half + whole[half..].find("\"sessions\"").unwrap() + 1, "S"),
    ] {
        let damaged = format!("{}{to}{}", &whole[..from], &whole[from + 1..]);
        fs::write(&file, &damaged).unwrap();
        // The same keys in another order: only their bytes tell.
        between.play(says(&body(current(&ada).rooms.iter().rev())));
        let saved = ada.lab.json(&save, 0);
        assert_eq!(saved["file"], name.replace("backup", "backup-2"), "{to}");
        assert_eq!(saved["entries"], current(&ada).count());
        assert!(fs::read_to_string(&file).unwrap() == damaged);
        // What it once was is known by its digest, so the very same mends it.
        between.behave();
        assert_eq!(ada.lab.json(&save, 0)["file"], name);
        assert_eq!(entries(&file).len(), current(&ada).count());
    }
}

#[test]
fn other_files_stay() {
    let (ada, between) = behind_a_station();
    let file = ada.lab.path("home/backup.keyhaul");
    let name = file.to_str().unwrap();
    let save = ada.through(&between, ada.asks(&["snapshot", "save", "--overwrite", name]));
    // An empty one of somebody else holds nothing, and is still not ours to replace.
    let mut other = begin(&file, "@eve:example.org", "AAAA", 1);
    other.write(b"{\"rooms\":{}}").unwrap();
    other.finish(trailer(), BTreeMap::new()).unwrap();
    let other = fs::read(&file).unwrap();
    let newer = String::from_utf8(other.clone()).unwrap().replacen(":1,", ":2,", 1);
    for contents in [&other[..], newer.as_bytes(), b"", b"my notes\n", keys(&ada).as_bytes()] {
        fs::write(&file, contents).unwrap();
        let saved = ada.lab.json(&save, 0);
        assert_eq!(saved["file"], name.replace("backup", "backup-2"));
        assert!(fs::read(&file).unwrap() == contents);
    }
}

/// What a restore saves on its way is held to the same.
#[test]
fn snapshots_of_restores() {
    let (ada, between) = behind_a_station();
    let restore = ada.through(&between, ada.opens(&["restore"]));
    ada.lab.json(&restore, SOME_REFUSED);
    let kept = ada.lab.kept();
    let first = ada.lab.data().join(kept.named(".keyhaul").next().unwrap());
    let before = fs::read(&first).unwrap();
    let beside = PathBuf::from(first.to_str().unwrap().replace(".keyhaul", "-2.keyhaul"));

    let fewer = without(&ada, 3);
    between.play(says(&body(&fewer)));
    ada.lab.json(&restore, SOME_REFUSED);
    assert_eq!(ada.lab.kept().named(".keyhaul").count(), 2);
    assert!(fs::read(&first).unwrap() == before);
    assert!(set(&beside) == all_of(&body(&fewer)));
    // A part adds nothing to them.
    between.play(says(&keys(&ada)[..100_000]));
    ada.lab.json(&restore, 12);
    assert_eq!(ada.lab.kept().named(".keyhaul").count(), 2);
    assert!(fs::read(&first).unwrap() == before);

    between.behave();
    ada.lab.json(&restore, SOME_REFUSED);
    assert_eq!(ada.lab.kept().named(".keyhaul").count(), 2);
    assert!(set(&first) == all_of(&keys(&ada)));
    // Whoever works on it offline has every key.
    let (secret, snapshot) = (backup_secret(&ada.lab), format!("--snapshot={}", first.display()));
    let rooms = ada.lab.json(&["rooms", &snapshot, &secret], 0);
    assert_eq!(
        (&rooms["sessions"], &rooms["whole"]),
        (&json!(current(&ada).count()), &json!(true))
    );
    let pruned = ada.lab.json(&["snapshot", "prune", "--yes"], 0);
    assert_eq!(pruned["snapshots"].as_array().unwrap().len(), 2);
    assert!(first.exists() && !beside.exists());
}

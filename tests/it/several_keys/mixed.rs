//! One backup, two recovery keys: what is locked for the other one is known by room, opens as soon as that
//! is at hand, and is not tried twice.

use std::collections::BTreeMap;

use keyhaul::demo::stories::Story;
use serde_json::{Value, json};

use super::{Person, has_line, old_key, paper};
use crate::program::Ada;

const STORY: Story = Story::MixedKeys;

/// What the story locked for the other key, by room.
fn locked_for_the_other() -> BTreeMap<String, u64> {
    let account = STORY.account();
    let version = account.version(2).unwrap();
    let mut rooms = BTreeMap::new();
    for ((room, _), damage) in &version.damaged {
        assert_eq!(damage.reason(), "mac");
        *rooms.entry(room.clone()).or_default() += 1;
    }
    rooms
}

fn by_room(run: &Value) -> BTreeMap<String, u64> {
    let rooms = run["for_another_key"]["rooms"].as_array().unwrap().iter();
    rooms
        .map(|room| (room["room_id"].as_str().unwrap().to_owned(), room["count"].as_u64().unwrap()))
        .collect()
}

/// Entries, opened, new, unchanged, refused, for another key, by another key.
fn figures(restored: &Value) -> [u64; 7] {
    let run = &restored["runs"][0];
    let names = ["entries", "opened", "new", "unchanged", "refused_count"];
    let [entries, opened, new, unchanged, refused] = names.map(|name| run[name].as_u64().unwrap());
    let other = run["for_another_key"]["count"].as_u64().unwrap();
    assert_eq!(by_room(run).values().sum::<u64>(), other);
    [entries, opened, new, unchanged, refused, other, run["by_another_key"].as_u64().unwrap()]
}

#[test]
fn without_the_other_key_its_rooms_are_named() {
    let rooms = locked_for_the_other();
    let other: u64 = rooms.values().sum();
    let all = STORY.account().version(2).unwrap().count() as u64;
    assert!(rooms.len() > 1 && other > 0);
    let person = Person::of(STORY);
    let expected = [all, all - other, all - other, 0, other, other, 0];
    let planned = person.says(&["restore", "--dry-run"], &[], 3);
    assert_eq!(figures(&planned), expected);
    let restored = person.says(&["restore"], &[], 3);
    assert_eq!(figures(&restored), expected);
    assert_eq!(by_room(&restored["runs"][0]), rooms);
    assert_eq!(restored["runs"][0]["for_another_key"]["tried"], json!([]));
    let told = person.told(&["restore"], &[], 3).stdout;
    has_line(&told, &format!("{other} keys of backup 2 are locked for another recovery key."));
    has_line(&told, &format!("The other {} are not affected.", all - other));
    has_line(&told, "Give the other recovery key with a second --secret-file.");
}

#[test]
fn with_the_other_key_everything_comes() {
    let other: u64 = locked_for_the_other().values().sum();
    let all = STORY.account().version(2).unwrap().count() as u64;
    let both = [paper(STORY), old_key(STORY)];
    let both = both.each_ref().map(String::as_str);
    let expected = [all, all, all, 0, 0, 0, other];
    let person = Person::of(STORY);
    // The check-up and the comparison know it, too.
    assert_eq!(person.says(&["doctor"], &both, 0)["wrong"], 0);
    let compared = person.says(&["diff", "backup:2", "backup:1"], &both, 0);
    assert_eq!(compared["sides"][0]["refused"], 0);
    assert_eq!(figures(&person.says(&["restore", "--dry-run"], &both, 0)), expected);
    let restored = person.says(&["restore"], &both, 0);
    assert_eq!(figures(&restored), expected);
    let [by] = restored["runs"][0]["opened_by"].as_array().unwrap().as_slice() else {
        panic!("{restored:#}")
    };
    assert_eq!((&by["key_of"], &by["count"]), (&json!(["1"]), &json!(other)));
    // A second run knows it all, and knows it of either key.
    for secrets in [&both[..], &both[..1]] {
        let again = person.says(&["restore"], secrets, 0);
        assert_eq!(figures(&again), [all, all, 0, all, 0, 0, other]);
    }
    let told = Person::of(STORY).told(&["restore"], &both, 0).stdout;
    has_line(&told, &format!("{other} keys of backup 2 opened with the key of backup 1."));
}

#[test]
fn a_key_that_comes_later_is_tried_on_the_rest_only() {
    let other: u64 = locked_for_the_other().values().sum();
    let all = STORY.account().version(2).unwrap().count() as u64;
    let person = Person::of(STORY);
    person.says(&["restore"], &[], 3);
    // One that opens nothing is tried once.
    let wrong = paper(Story::Plain);
    let secrets = [paper(STORY), wrong.clone()];
    let secrets = secrets.each_ref().map(String::as_str);
    for _ in 0..2 {
        let again = person.says(&["restore"], &secrets, 3);
        assert_eq!(figures(&again), [all, all - other, 0, all - other, other, other, 0]);
        let tried = again["runs"][0]["for_another_key"]["tried"].as_array().unwrap().len();
        assert_eq!(tried, 1);
    }
    let told = person.told(&["restore"], &secrets, 3).stdout;
    has_line(&told, "Tried on them, in vain: a key that opens no backup here.");
    let three = [paper(STORY), wrong, old_key(STORY)];
    let three = three.each_ref().map(String::as_str);
    let rest = person.says(&["restore"], &three, 0);
    assert_eq!(figures(&rest), [all, all, other, all - other, 0, 0, other]);
    // The key that opened nothing is nowhere named as a source.
    let secret = person.lab().secret("paper", paper(STORY));
    let info = person.lab().json(&["store", "info", &format!("--secret-file={secret}")], 0);
    let sources = info["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 2, "{info:#}");
}

#[test]
fn a_key_that_opens_no_backup_any_more_opens_what_was_locked_for_it() {
    // The older backup, by which its key could be proven, is deleted.
    let ada = Ada::with(|account| _ = account.versions.insert(1, None));
    let count = |run: &Value| {
        let other = run["for_another_key"]["count"].as_u64().unwrap();
        [run["opened"].as_u64().unwrap(), other, run["by_another_key"].as_u64().unwrap()]
    };
    let expected = ada.account.version(3).unwrap().expected();
    let (openable, other) = (expected.openable as u64, expected.refused["mac"] as u64);
    let alone = ada.lab.json(&ada.opens(&["restore"]), 3);
    assert_eq!(count(&alone["runs"][0]), [openable, other, 0]);
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let both = ada.lab.json(&ada.opens(&["restore", &old]), 3);
    assert_eq!(count(&both["runs"][0]), [openable + other, 0, other]);
    assert_eq!(both["runs"][0]["opened_by"][0]["key_of"], json!([]));
    // It was never proven by a lock, so it opens nothing on this computer.
    let alone = ada.lab.run(&["store", "info", &old]);
    assert!(alone.stderr.contains("(store-other-lock"), "{alone}");
}

//! All backups at once: each that opens, the better of each key, and what could open the others.

use keyhaul::demo::stories::Story;
use serde_json::{Value, json};

use super::{Person, has_line, old_key, paper};
use crate::program::Ada;

const ALL: [&str; 3] = ["restore", "--backup-version", "all"];

fn versions(restored: &Value) -> Vec<&str> {
    let runs = restored["runs"].as_array().unwrap().iter();
    runs.map(|run| run["version"].as_str().unwrap()).collect()
}

#[test]
fn backups_that_stay_closed_are_listed_with_what_could_open_them() {
    let story = Story::DeletedNewest;
    let person = Person::of(story);
    let some = person.says(&ALL, &[], 3);
    assert_eq!(versions(&some), ["2"]);
    let [closed] = some["closed"].as_array().unwrap().as_slice() else { panic!("{some:#}") };
    // Secret storage is open and holds another key, so nothing but its own is left.
    let could_open = json!([{"kind": "recovery_key"}]);
    assert_eq!((&closed["version"], &closed["could_open"]), (&json!("1"), &could_open));
    let count = story.account().version(1).unwrap().count();
    assert_eq!(closed["count"], count);
    let told = person.told(&ALL, &[], 3).stdout;
    let sentence = format!(
        "Backup 1 ({count} keys) stays closed. It opens with the recovery key made with it."
    );
    has_line(&told, &sentence);
    // Asked for by itself the one that opens is all that was wanted.
    let one = person.says(&["restore"], &[], 0);
    assert_eq!((versions(&one), &one["closed"]), (vec!["2"], &json!([])));

    let both = [paper(story), old_key(story)];
    let both = both.each_ref().map(String::as_str);
    let all = person.says(&ALL, &both, 0);
    assert_eq!((versions(&all), &all["closed"]), (vec!["2", "1"], &json!([])));
    assert_eq!(all["runs"][1]["new"], count);
}

/// Of a list those that open are restored, a plan says what that brings, and a damaged key that another
/// version has whole is not missed.
#[test]
fn a_list_of_backups() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let list = |more: &[&str], version: &str| {
        let version = format!("--backup-version={version}");
        ada.opens(&[&["restore", &version, &old], more].concat())
    };
    let figures = |done: &Value| -> Vec<Vec<u64>> {
        let names = ["entries", "new", "better", "unchanged", "candidates", "refused_count"];
        let runs = done["runs"].as_array().unwrap().iter();
        runs.map(|run| names.iter().map(|name| run[name].as_u64().unwrap()).collect()).collect()
    };
    let planned = ada.lab.json(&list(&["--dry-run"], "1, 3"), 3);
    let restored = ada.lab.json(&list(&[], "1,3"), 3);
    assert_eq!(versions(&restored), ["3", "1"]);
    assert_eq!(figures(&planned), figures(&restored));
    let spare = |done: &Value| done["runs"][0]["refused_but_whole_in"].clone();
    assert_eq!(spare(&planned), spare(&restored));
    // Both hold some sessions, which count once.
    let sum: u64 = figures(&restored).iter().map(|run| run[1]).sum();
    assert_eq!(restored["stored_total"], sum);
    assert!(figures(&restored)[1][3] > 0, "{restored:#}");
    // One that does not exist is told before anything is restored; other commands take one only.
    let computer = Ada::new();
    let asks = |words: &[&str]| computer.opens(words);
    computer.lab.fails(&asks(&["restore", "--backup-version=3,9"]), 11, "backup-gone-for-good");
    for (command, versions) in [
        ("rooms", "3,1"),
        ("rooms", "all"),
        ("restore", ","),
        ("restore", "3,,1"),
        ("restore", "all,1"),
        ("restore", "current,1"),
    ] {
        let versions = format!("--backup-version={versions}");
        computer.lab.fails(&asks(&[command, &versions]), 2, "usage");
    }
    // Also where only one exists.
    let one = Ada::with(|account| account.versions.retain(|number, _| *number == 3));
    one.lab.fails(&one.opens(&["rooms", "--backup-version=3,9"]), 2, "usage");
    one.lab.json(&one.opens(&["rooms", "--backup-version=all"]), 0);
    // A second secret with a slip is told, although the first one opens what is wanted.
    let mut slip = old_key(Story::Plain);
    slip.pop();
    let slip = format!("--secret-file={}", computer.lab.secret("slip", &slip));
    let told = computer.lab.run(&asks(&["restore", "--dry-run", &slip])).exited(3).stderr;
    assert!(told.contains("47"), "{told}");
}

#[test]
fn secret_storage_that_is_closed_could_open_a_backup_too() {
    let person = Person::of(Story::OlderKey);
    let some = person.says(&ALL, &[], 3);
    assert_eq!(versions(&some), ["1"]);
    let could_open = some["closed"][0]["could_open"].as_array().unwrap();
    let kinds: Vec<_> = could_open.iter().map(|opener| opener["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["recovery_key", "secret_storage"]);
}

#[test]
fn the_better_of_each_key_stays_whatever_the_order() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let at_once = ada.lab.json(&ada.opens(&["restore", "--backup-version=all", &old]), 3);
    assert_eq!(versions(&at_once), ["3", "1"]);
    assert_eq!(at_once["closed"], json!([]));
    let info = |ada: &Ada| {
        let secret = format!("--secret-file={}", ada.file("recovery key"));
        ada.lab.json(&["store", "info", &secret], 0)["stored"].clone()
    };
    let one_by_one = Ada::new();
    for version in ["1", "3"] {
        let version = format!("--backup-version={version}");
        let old = format!("--secret-file={}", one_by_one.file("old recovery key"));
        let args = one_by_one.opens(&["restore", &version, &old]);
        one_by_one.lab.run(&args);
    }
    assert_eq!(info(&ada), info(&one_by_one));
}

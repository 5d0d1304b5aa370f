//! `snapshot prune` as people and programs see it.

use std::{fs, path::PathBuf};

use keyhaul::store::folder::{DataDir, Folder};
use serde_json::{Value, json};

use super::{
    begin,
    few::{current, few, says},
    trailer,
};
use crate::program::Lab;

/// A computer with these accounts' snapshots, each given by user, name and body.
fn lab_with(snapshots: &[(&str, &str, &str)]) -> Lab {
    let lab = Lab::new();
    for (second, (user, name, body)) in (1..).zip(snapshots) {
        let mut writer = begin(&folder(&lab, user).path().join(name), user, "AAAA", second);
        writer.write(body.as_bytes()).unwrap();
        writer.finish(trailer(), Default::default()).unwrap();
    }
    lab
}

fn folder(lab: &Lab, user: &str) -> Folder {
    DataDir::open(&lab.data()).unwrap().account(user, "https://x").unwrap()
}

const ONE: &str = r#"{"rooms":{"!a:x":{"sessions":{"s":{}}}}}"#;
const TWO: &str = r#"{"rooms":{"!a:x":{"sessions":{"s":{},"t":{}}}}}"#;

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_document() {
    let lab = lab_with(&[
        ("@a:x", "snapshot-a.keyhaul", ONE),
        ("@a:x", "snapshot-b.keyhaul", TWO),
        ("@b:x", "snapshot-c.keyhaul", ONE),
    ]);
    let at = |user: &str, name: &str| folder(&lab, user).path().join(name);
    fs::write(at("@a:x", ".snapshot-x"), "{\"keyhaul_snapshot\":1").unwrap();
    fs::write(at("@a:x", "snapshot-d.keyhaul"), "no snapshot").unwrap();
    fs::write(at("@a:x", "notes.keyhaul"), "not its business").unwrap();
    let length = |user: &str, name: &str| fs::metadata(at(user, name)).unwrap().len();
    let one = |user: &str, name: &str, held_by: Option<&str>| {
        json!({
            "file": text(at(user, name)), "user_id": user, "version": "1", "complete": true,
            "bytes": length(user, name), "held_by": held_by.map(|name| text(at(user, name))),
        })
    };
    let mut snapshots = vec![
        one("@a:x", "snapshot-a.keyhaul", Some("snapshot-b.keyhaul")),
        one("@a:x", "snapshot-b.keyhaul", None),
        one("@b:x", "snapshot-c.keyhaul", None),
    ];
    snapshots.sort_by_key(|one| one["file"].as_str().unwrap().to_owned());
    let document = json!({
        "snapshots": snapshots,
        "left_over": [text(at("@a:x", ".snapshot-x"))],
        "unreadable": [text(at("@a:x", "snapshot-d.keyhaul"))],
        "bytes": length("@a:x", "snapshot-a.keyhaul") + length("@a:x", ".snapshot-x"),
        "removed": false,
    });
    let before = lab.kept();
    assert_eq!(lab.json(&["snapshot", "prune"], 0), document);
    before.assert_same(&lab.kept());
    let done = lab.json(&["snapshot", "prune", "--yes"], 0);
    assert_eq!(done["removed"], true);
    assert_eq!(done["snapshots"], document["snapshots"]);
    let kept = lab.kept();
    let left: Vec<_> = kept.named(".keyhaul").map(|path| path.file_name().unwrap()).collect();
    assert_eq!(left.len(), 4);
    assert!(!left.contains(&"snapshot-a.keyhaul".as_ref()));
    assert_eq!(kept.named(".snapshot-x").count(), 0);
}

#[test]
fn what_people_are_told() {
    let lab = Lab::new();
    let nothing = lab.run(&["snapshot", "prune"]).exited(0);
    assert_eq!(nothing.stdout, "There are no snapshots here.\n");
    assert!(!lab.data().exists());

    let lab = lab_with(&[("@a:x", "snapshot-a.keyhaul", ONE), ("@a:x", "snapshot-b.keyhaul", TWO)]);
    let plan = lab.run(&["snapshot", "prune"]).exited(0);
    assert!(plan.stdout.contains("1 can go: "), "{plan}");
    assert!(plan.stdout.contains("Nothing was removed. Give --yes to remove them."), "{plan}");
    let done = lab.run(&["snapshot", "prune", "--yes"]).exited(0);
    assert!(done.stdout.contains("✓ 1 removed, "), "{done}");
    for args in [&["snapshot", "prune"] as &[_], &["snapshot", "prune", "--yes"]] {
        let nothing = lab.run(args).exited(0);
        let said = "Each holds something that no other one holds: all stay.";
        assert!(nothing.stdout.contains(said), "{nothing}");
    }
    // What is removed is told, even where there is nothing else.
    let lab = Lab::new();
    fs::write(folder(&lab, "@a:x").path().join(".snapshot-x"), "{").unwrap();
    let plan = lab.run(&["snapshot", "prune"]).exited(0);
    assert!(plan.stdout.contains(".snapshot-x") && plan.stdout.contains("1 can go: "), "{plan}");
    let done = lab.run(&["snapshot", "prune", "--yes"]).exited(0);
    assert!(done.stdout.contains("✓ 1 removed, "), "{done}");
}

#[test]
fn named_files() {
    let lab = lab_with(&[("@a:x", "snapshot-a.keyhaul", ONE), ("@a:x", "snapshot-b.keyhaul", TWO)]);
    let own = |name: &str| folder(&lab, "@a:x").path().join(name);
    let copy = |name: &str| {
        let file = lab.path("home").join(name);
        fs::copy(own(name), &file).unwrap();
        text(file)
    };
    let (a, b) = (copy("snapshot-a.keyhaul"), copy("snapshot-b.keyhaul"));
    // Another folder's are judged by keyhaul's own, too; those that nobody named stay.
    let pruned = lab.json(&["snapshot", "prune", &a, "--yes"], 0);
    let held: Vec<_> = pruned["snapshots"].as_array().unwrap().iter().collect();
    assert_eq!(held.len(), 3);
    let gone: Vec<&Value> = held.into_iter().filter(|one| !one["held_by"].is_null()).collect();
    assert_eq!((gone.len(), &gone[0]["file"]), (1, &json!(a)));
    assert!(!PathBuf::from(&a).exists() && own("snapshot-a.keyhaul").exists());
    // The same name twice is one file.
    let empty = format!("--data-dir={}", lab.path("none").to_str().unwrap());
    let pruned = lab.json(&["snapshot", "prune", &b, &b, "--yes", &empty], 0);
    assert_eq!(pruned["snapshots"].as_array().unwrap().len(), 1);
    assert!(PathBuf::from(&b).exists());
    // A file that is none stops everything before anything is removed.
    let again = copy("snapshot-a.keyhaul");
    let notes = text(lab.path("home/notes"));
    fs::write(&notes, "no snapshot").unwrap();
    for (wrong, code) in [(notes, "snapshot-unknown"), (text(lab.path("gone")), "no-snapshot")] {
        lab.fails_untouched(&["snapshot", "prune", &again, &wrong, "--yes"], 14, code);
        assert!(PathBuf::from(&again).exists());
    }
}

/// While another keyhaul works in an account's folder, nothing of it goes, named or not.
#[test]
fn an_account_where_another_one_works() {
    let lab = lab_with(&[("@a:x", "snapshot-a.keyhaul", ONE), ("@a:x", "snapshot-b.keyhaul", TWO)]);
    let account = folder(&lab, "@a:x");
    fs::write(account.path().join(".snapshot-x"), "{").unwrap();
    let file = text(account.path().join("snapshot-a.keyhaul"));
    let held = account.lock().unwrap();
    for words in [
        &["snapshot", "prune"] as &[_],
        &["snapshot", "prune", "--yes"],
        &["snapshot", "prune", "--yes", &file],
    ] {
        lab.fails_untouched(words, 14, "already-running");
    }
    drop(held);
    assert!(PathBuf::from(file).exists());
}

/// From the first restore to the last: what piles up can go, and everything can still be restored.
#[test]
fn after_restores_that_were_cut() {
    let ada = few();
    let between = ada.between(Vec::new());
    let restore = ada.through(&between, ada.opens(&["restore"]));
    let whole = super::few::keys(&ada);
    between.play(says(&whole[..whole.len() / 2]));
    ada.lab.json(&restore, 12);
    let plan = ada.lab.json(&["snapshot", "prune", "--yes"], 0);
    assert_eq!((&plan["snapshots"][0]["complete"], &plan["bytes"]), (&json!(false), &json!(0)));
    let people = ada.lab.run(&["snapshot", "prune"]).exited(0);
    assert!(people.stdout.contains("stays, incomplete"), "{people}");
    between.behave();
    ada.lab.json(&restore, 3);
    let plan = ada.lab.json(&["snapshot", "prune", "--yes"], 0);
    let snapshots = plan["snapshots"].as_array().unwrap();
    assert_eq!((snapshots.len(), &snapshots[0]["complete"]), (1, &json!(true)));
    let file = snapshots[0]["file"].as_str().unwrap();
    let info = ada.lab.json(&["snapshot", "info", file], 0);
    assert_eq!(info["entries"], current(&ada).count());
}

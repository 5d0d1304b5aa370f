//! What a check-up finds in each story.

use keyhaul::demo::stories::Story;
use serde_json::Value;

use super::{check, wrong};
use crate::program::Lab;

fn checked(story: Story, exit: i32) -> Value {
    let demo = format!("--demo={}", story.name());
    Lab::new().json(&[&demo, "--quiet", "doctor"], exit)
}

#[test]
fn stories_in_which_nothing_is_wrong() {
    for story in [Story::Passphrase, Story::SeveralKeys, Story::DeletedNewest] {
        let document = checked(story, 0);
        assert_eq!(wrong(&document), [], "{}", story.name());
        // No key is on this computer yet; everything else was proven.
        assert_eq!(document["unknown"], 1, "{document:#}");
        assert_eq!(check(&document, "store"), ("unknown", "no key is here yet"));
    }
    let several = checked(Story::SeveralKeys, 0);
    assert!(check(&several, "key").1.ends_with("not the default one"));
}

#[test]
fn backups_of_old_need_no_secret_storage() {
    let document = checked(Story::LegacyKey, 0);
    assert_eq!(check(&document, "storage"), ("ok", "your key is that of the backup itself"));
    assert_eq!(check(&document, "key"), ("ok", "that of backup 1 itself"));
    assert_eq!(check(&document, "fits"), ("ok", "that of backup 1"));
    // Nothing proves the account key where there is no secret storage.
    assert_eq!(check(&document, "signature").0, "unknown");
    let document = checked(Story::LegacyPassphrase, 0);
    assert_eq!(check(&document, "fits").0, "ok");
    assert_eq!(check(&document, "signature"), ("unknown", "by a device, says the server"));
}

#[test]
fn a_key_of_an_older_backup_is_no_wrong_key() {
    let document = checked(Story::OlderKey, 3);
    assert_eq!(wrong(&document), [("fits", "key-of-another-backup")]);
    let checks = document["checks"].as_array().unwrap();
    let fits = checks.iter().find(|check| check["id"] == "fits").unwrap();
    assert_eq!(fits["fact"], "Your recovery key is right, but it belongs to backup 1.");
    assert_eq!(fits["next"], "restore backup 1. Then keep every signed-in app signed in.");
    // What can be opened is tried all the same.
    let sample = checks.iter().find(|check| check["id"] == "sample").unwrap();
    assert_eq!(sample["title"], "The keys of backup 1 open");
    assert_eq!(sample["mark"], "ok");
}

#[test]
fn entries_for_another_key_are_counted() {
    let expected = Story::MixedKeys.account().version(2).unwrap().expected();
    let document = checked(Story::MixedKeys, 3);
    assert_eq!(wrong(&document), [("sample", "entries-for-another-key")]);
    let (others, all) = (expected.refused["mac"], expected.entries);
    let sample = document["checks"].as_array().unwrap().iter().find(|c| c["id"] == "sample");
    let fact = format!("{others} of {all} keys are for another recovery key.");
    assert_eq!(sample.unwrap()["fact"], fact);

    // In the plain story a few are, among other damage.
    let plain = checked(Story::Plain, 3);
    assert_eq!(wrong(&plain), [("sample", "entries-for-another-key")]);
}

#[test]
fn no_backup_and_a_slip() {
    assert_eq!(wrong(&checked(Story::NoBackup, 3)), [("backup", "no-backup")]);
    assert_eq!(wrong(&checked(Story::Miscopied, 3)), [("key", "key-checksum")]);
}

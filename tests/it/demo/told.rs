//! Every story, told through the built program: what it says of an account is what was put into it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use keyhaul::{
    backup::recovery_key::{self, RecoveryKeyFault},
    demo::{
        account::{Account, Expected, Membership},
        stories::Story,
    },
};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::program::Lab;

/// What a command says of a story, as a program reads it.
fn says(story: Story, args: &[&str], exit: i32) -> Value {
    let demo = format!("--demo={}", story.name());
    Lab::new().json(&[&[demo.as_str(), "--quiet"], args].concat(), exit)
}

fn fails(story: Story, command: &str, exit: i32, code: &str) {
    let demo = format!("--demo={}", story.name());
    Lab::new().fails(&[demo.as_str(), "--quiet", command], exit, code);
}

/// What lies in secret storage or guards a backup, and is opened by what stands on the paper.
fn fits(unlocked: &Value) -> Vec<(&str, bool)> {
    let fits = unlocked["fits"].as_array().unwrap().iter();
    fits.map(|fit| (fit["kind"].as_str().unwrap(), fit["current"].as_bool().unwrap())).collect()
}

fn expected(account: &Account, version: u64) -> Expected {
    account.version(version).unwrap().expected()
}

/// Asserts that a restore gave what was put into the version, with the reasons of all refusals.
#[track_caller]
fn assert_restored(restored: &Value, version: u64, expected: &Expected) {
    let [run] = restored["runs"].as_array().unwrap().as_slice() else { panic!("{restored:#}") };
    assert_eq!(run["version"], version.to_string());
    assert_eq!(run["entries"], expected.entries);
    assert_eq!(
        (&run["opened"], &run["new"]),
        (&json!(expected.openable), &json!(expected.openable))
    );
    let mut refused = BTreeMap::<&str, usize>::new();
    for refusal in run["refused"].as_array().unwrap() {
        *refused.entry(refusal["reason"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(refused, expected.refused);
}

/// A story whose paper opens its current version, and where nothing is damaged.
#[track_caller]
fn assert_all_comes(story: Story, version: u64) {
    let account = story.account();
    assert_eq!(account.current().unwrap().0, version);
    let expected = expected(&account, version);
    assert!(expected.entries > 0 && expected.refused.is_empty());
    assert_restored(&says(story, &["restore"], 0), version, &expected);
}

#[test]
fn every_story_has_a_name_of_its_own() {
    let names = Story::ALL.map(Story::name);
    for (story, name) in Story::ALL.into_iter().zip(names) {
        assert_eq!(Story::named(name), Some(story));
        assert!(format!("{name:<18} {}", story.summary()).len() <= 80, "{name}");
    }
}

#[test]
fn no_backup_is_there() {
    assert_eq!(Story::NoBackup.account().current().map(|(number, _)| number), None);
    for command in ["backups", "rooms", "restore"] {
        fails(Story::NoBackup, command, 11, "no-backup");
    }
    // The key is right, and there is nothing for it to open.
    let unlocked = says(Story::NoBackup, &["unlock"], 0);
    assert_eq!(fits(&unlocked), [("secret_storage", true)]);
    assert_eq!(unlocked["opens_backups"], json!([]));
}

#[test]
fn an_older_key_opens_the_older_backup() {
    let story = Story::OlderKey;
    let unlocked = says(story, &["unlock"], 0);
    assert_eq!(fits(&unlocked), [("backup", false)]);
    assert_eq!(unlocked["opens_backups"], json!(["1"]));
    fails(story, "restore", 10, "opens-older-only");
    let restored = says(story, &["restore", "--backup-version=1"], 0);
    assert_restored(&restored, 1, &expected(&story.account(), 1));
}

#[test]
fn a_passphrase_opens_secret_storage() {
    let unlocked = says(Story::Passphrase, &["unlock"], 0);
    assert_eq!(unlocked["secret_is"], "passphrase");
    assert_eq!(fits(&unlocked), [("secret_storage", true), ("backup", true)]);
    assert_all_comes(Story::Passphrase, 1);
}

#[test]
fn backups_of_old_are_opened_without_secret_storage() {
    for (story, is) in [(Story::LegacyKey, "recovery_key"), (Story::LegacyPassphrase, "passphrase")]
    {
        let unlocked = says(story, &["unlock"], 0);
        assert_eq!(unlocked["secret_is"], is);
        assert_eq!(fits(&unlocked), [("backup", true)]);
        assert_all_comes(story, 1);
    }
}

#[test]
fn a_key_that_is_no_longer_the_default_opens_the_backup() {
    let unlocked = says(Story::SeveralKeys, &["unlock"], 0);
    assert_eq!(fits(&unlocked), [("secret_storage", false), ("backup", true)]);
    assert_all_comes(Story::SeveralKeys, 1);
}

#[test]
fn keys_that_are_locked_for_another_key_are_counted() {
    let expected = expected(&Story::MixedKeys.account(), 2);
    let others = expected.refused["mac"];
    assert_eq!(expected.entries, expected.openable + others);
    assert!(others > expected.entries / 4 && others < expected.openable);
    assert_restored(&says(Story::MixedKeys, &["restore"], 3), 2, &expected);
}

#[test]
fn a_miscopied_key_is_known_by_its_checksum() {
    let story = Story::Miscopied;
    let (paper, right) = (story.secret(), story.recovery_key());
    let fault = recovery_key::parse(paper.expose()).err();
    assert_eq!(fault, Some(RecoveryKeyFault::Parity));
    let pairs = paper.expose().chars().zip(right.expose().chars());
    assert_eq!(pairs.filter(|(one, other)| one != other).count(), 1);
    fails(story, "unlock", 10, "key-checksum");
}

#[test]
fn the_backup_before_a_deleted_one_is_current() {
    let story = Story::DeletedNewest;
    assert_eq!(story.account().versions.keys().last(), Some(&3));
    let backups = says(story, &["backups"], 0);
    let versions = backups["versions"].as_array().unwrap();
    let numbers: Vec<_> = versions.iter().map(|version| version["version"].clone()).collect();
    assert_eq!((&backups["current"], numbers), (&json!("2"), vec![json!("2"), json!("1")]));
    assert_all_comes(story, 2);
}

#[test]
fn a_slow_server_and_one_that_sends_people_away_are_waited_for() {
    for story in [Story::Slow, Story::Limits] {
        let began = Instant::now();
        assert_all_comes(story, 1);
        assert!(began.elapsed() >= Duration::from_secs(1), "{}", story.name());
    }
}

/// No server lists the rooms of a backup: those that the account left come only if the body broke after
/// them.
#[test]
fn a_backup_whose_body_breaks_comes_room_by_room() {
    let account = Story::Flaky.account();
    let (_, version) = account.current().unwrap();
    let joined = account.rooms.iter().filter(|room| room.membership == Membership::Joined);
    let joined: usize = joined.map(|room| version.rooms[&room.id].len()).sum();
    let restored = says(Story::Flaky, &["restore"], 3);
    let run = &restored["runs"][0];
    let opened = usize::try_from(run["opened"].as_u64().unwrap()).unwrap();
    assert!((joined..version.count()).contains(&opened), "{restored:#}");
    assert_eq!(run["entries"], opened);
}

#[test]
fn names_in_many_scripts_stay_within_the_screen() {
    let told = Lab::new().run(&["--demo=many-scripts", "rooms", "--quiet"]).exited(0);
    assert!(told.stdout.contains("写真クラブ"), "{told}");
    assert!(told.stdout.contains("#quiet:example.org"), "{told}");
    assert_eq!(too_wide(&told.stdout), Vec::<&str>::new(), "{told}");
    assert_eq!(too_wide(&format!("{}\n{}", "写".repeat(40), "写".repeat(41))).len(), 1);
    // The control sequences that would make it red are signs like others here.
    assert!(told.stdout.contains("[31mred"), "{told}");
    let rooms = says(Story::ManyScripts, &["rooms"], 0);
    assert_eq!(rooms["rooms"].as_array().map(Vec::len), Some(24));
    assert_all_comes(Story::ManyScripts, 1);
}

fn too_wide(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.width() > 80).collect()
}

#[test]
fn a_backup_of_any_size_is_made_while_it_is_read() {
    let account = Story::Huge.account_with(20_000);
    let expected = expected(&account, 1);
    assert_eq!((expected.entries, expected.openable), (20_000, 20_000));
    // Nothing of it is held.
    assert!(account.version(1).unwrap().rooms.is_empty());
    let restored = says(Story::Huge, &["restore", "--keys=20000"], 0);
    assert_restored(&restored, 1, &expected);
    // One more than the rooms share out evenly.
    let rooms = says(Story::Huge, &["rooms", "--keys=601"], 0);
    let counts = rooms["rooms"].as_array().unwrap().iter();
    let counts: Vec<_> = counts.map(|room| room["sessions"].as_u64().unwrap()).collect();
    assert_eq!(counts, [101, 100, 100, 100, 100, 100]);
}

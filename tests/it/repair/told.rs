//! The command `repair`: what it finds, what it says, and what it never shows.

use std::{fs, os::unix::fs::PermissionsExt};

use keyhaul::{base::secret::SecretText, demo::stories::Story};
use serde_json::{Value, json};

use crate::program::{Ada, Lab};

/// The paper of the plain story with something else in the place of these letters.
fn typed(place: usize, letters: usize, instead: &str) -> String {
    let paper = Story::Plain.recovery_key();
    let mut text: String = paper.expose().split(' ').collect();
    text.replace_range(place..place + letters, instead);
    text
}

fn letter(place: usize) -> char {
    let paper: String = Story::Plain.recovery_key().expose().split(' ').collect();
    paper.chars().nth(place).unwrap()
}

/// A letter that is another one than at this place.
fn other(place: usize) -> &'static str {
    if letter(place) == 'x' { "y" } else { "x" }
}

fn repair(ada: &Ada, typed: &str, more: &[&str]) -> Vec<String> {
    let mut args = ada.asks(&["repair"]);
    args.push(format!("--secret-file={}", ada.lab.secret("typed", typed)));
    args.extend(more.iter().map(|word| (*word).to_owned()));
    args
}

/// No text of this run shows the key, or a part of it that is long enough to be one.
#[track_caller]
fn nothing_shown(prints: &[&str], typed: &str) {
    let paper = Story::Plain.recovery_key();
    for secret in [paper.expose(), typed] {
        let bare: String = secret.split(' ').collect();
        for part in bare.as_bytes().windows(6).chain(secret.as_bytes().windows(6)) {
            let part = std::str::from_utf8(part).unwrap();
            let shown = prints.iter().find(|print| print.contains(part));
            assert!(shown.is_none(), "{part:?} in {shown:?}");
        }
    }
}

#[test]
fn the_miscopied_story_ends_well() {
    let lab = Lab::new();
    let story = Story::Miscopied;
    let found = lab.json(&["--demo=miscopied", "repair", "--reveal", "--quiet"], 0);
    assert_eq!(found["found"], true);
    assert_eq!(found["recovery_key"], story.recovery_key().expose());
    let paper = story.secret();
    let right = story.recovery_key();
    let mut slip = paper.expose().chars().zip(right.expose().chars());
    let (typed, meant) = slip.find(|(typed, meant)| typed != meant).unwrap();
    let told = &found["slips"][0];
    assert_eq!((&told["kind"], found["slips"].as_array().unwrap().len()), (&json!("wrong"), 1));
    assert_eq!((&told["typed"], &told["meant"]), (&json!(typed), &json!(meant)));
    assert_eq!((&found["tried"], &found["proof"]), (&json!(2_783), &json!("mac")));
    assert_eq!(found["opens_backups"], json!(["1"]));
    // The mended key restores.
    let mended = lab.path("mended");
    let save = format!("--save={}", mended.to_str().unwrap());
    lab.json(&["--demo=miscopied", "repair", &save, "--quiet"], 0);
    let secret = format!("--secret-file={}", mended.to_str().unwrap());
    let restored = lab.json(&["--demo=miscopied", "restore", &secret, "--quiet"], 0);
    assert!(restored["stored_total"].as_u64().unwrap() > 0);
}

#[test]
fn without_leave_no_letter_is_shown() {
    let ada = Ada::new();
    for text in [typed(20, 1, other(20)), typed(20, 1, ""), typed(20, 0, "Q")] {
        let people = ada.lab.run(&repair(&ada, &text, &[])).exited(0);
        let with_json = ada.lab.run(&repair(&ada, &text, &["--json"])).exited(0);
        nothing_shown(&[&people.stdout, &people.stderr, &with_json.stdout], &text);
        let found = with_json.document();
        assert_eq!((&found["found"], &found["recovery_key"]), (&json!(true), &Value::Null));
        let slip = &found["slips"][0];
        assert_eq!((&slip["typed"], &slip["meant"]), (&Value::Null, &Value::Null));
        assert!(people.stdout.contains("One slip found"), "{people}");
        assert!(people.stdout.contains("Element"), "{people}");
        let log = format!("--log-file={}", ada.lab.path("log").to_str().unwrap());
        ada.lab.run(&repair(&ada, &text, &[&log])).exited(0);
        nothing_shown(&[&fs::read_to_string(ada.lab.path("log")).unwrap()], &text);
    }
    // The search for leaks finds one.
    let text = typed(20, 1, other(20));
    let revealed = ada.lab.run(&repair(&ada, &text, &["--reveal"])).exited(0);
    assert!(revealed.stdout.contains(Story::Plain.recovery_key().expose()), "{revealed}");
    assert!(std::panic::catch_unwind(|| nothing_shown(&[&revealed.stdout], &text)).is_err());
}

#[test]
fn the_mended_key_is_saved_for_its_owner_only_and_nothing_is_replaced() {
    let ada = Ada::new();
    let text = typed(20, 1, other(20));
    let file = ada.lab.path("mended");
    let save = format!("--save={}", file.to_str().unwrap());
    let ended = ada.lab.run_without_umask(&repair(&ada, &text, &[&save])).exited(0);
    nothing_shown(&[&ended.stdout, &ended.stderr], &text);
    let saved = SecretText::new(fs::read_to_string(&file).unwrap());
    assert_eq!(saved.expose(), format!("{}\n", Story::Plain.recovery_key().expose()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let nowhere = format!("--save={}", ada.lab.path("nowhere/mended").to_str().unwrap());
    ada.lab.fails(&repair(&ada, &text, &[&nowhere]), 14, "folder-missing");
    fs::write(&file, "mine").unwrap();
    ada.lab.fails(&repair(&ada, &text, &[&save]), 14, "file-exists");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    ada.lab.json(&repair(&ada, &text, &[&save, "--overwrite"]), 0);
    assert_ne!(fs::read(&file).unwrap(), b"mine");
    let both = ada.lab.json(&repair(&ada, &text, &[&save, "--reveal"]), 2);
    assert_eq!(both["error"]["code"], "usage");
}

#[test]
fn a_right_key_has_no_slip() {
    let ada = Ada::new();
    let found = ada.lab.json(&repair(&ada, Story::Plain.recovery_key().expose(), &[]), 0);
    assert_eq!((&found["slips"], &found["tried"]), (&json!([]), &json!(0)));
    // The key of an older backup is right as well.
    let old = ada.lab.json(&repair(&ada, Story::Plain.old_recovery_key().expose(), &[]), 0);
    assert_eq!((&old["opens_backups"], &old["proof"]), (&json!(["1"]), &json!("public_key")));
}

#[test]
fn slips_in_the_key_of_an_older_backup_are_proven_by_its_public_key() {
    let ada = Ada::new();
    let old = Story::Plain.old_recovery_key();
    let mut slipped = old.expose().to_owned();
    slipped.remove(31);
    let found = ada.lab.json(&repair(&ada, &slipped, &["--reveal"]), 0);
    assert_eq!(found["recovery_key"], old.expose());
    assert_eq!((&found["proof"], &found["opens_backups"]), (&json!("public_key"), &json!(["1"])));
    assert_eq!(found["slips"][0]["kind"], "left_out");
}

#[test]
fn what_cannot_be_searched_is_told_at_once() {
    let ada = Ada::new();
    for text in ["EsTc LW2K", "hunter2", &"E".repeat(200)] {
        let told = ada.lab.fails_untouched(&repair(&ada, text, &[]), 10, "slip-not-found");
        assert!(told.what.contains("0 possibilities"), "{}", told.what);
    }
    ada.lab.fails(&repair(&ada, "", &[]), 2, "secret-missing");
    let mut two = repair(&ada, "one", &[]);
    two.push(format!("--secret-file={}", ada.file("recovery key")));
    ada.lab.fails(&two, 2, "usage");
}

/// Too many characters in all ways that are done in a moment: nothing is found, and all is counted.
#[test]
fn nothing_found_is_said_with_its_figures() {
    let ada = Ada::new();
    // Nothing that was meant is 96 letters long, so only a part twice is thought of.
    let text = "2".repeat(95);
    let told = ada.lab.fails_untouched(&repair(&ada, &text, &[]), 10, "slip-not-found");
    assert!(!told.what.contains(" 0 possibilities"), "{}", told.what);
    assert!(told.detail.as_ref().unwrap().contains("a part typed twice: "), "{}", told.what);
}

#[test]
fn a_snapshot_is_enough() {
    let ada = Ada::new();
    let file = ada.lab.path("snapshot");
    let file = file.to_str().unwrap();
    ada.lab.run(&ada.asks(&["snapshot", "save", file])).exited(0);
    let secret = ada.lab.secret("typed", typed(20, 1, other(20)));
    let args = ["repair", "--snapshot", file, "--reveal", "--secret-file", &secret];
    let found = ada.lab.json(&args, 0);
    assert_eq!(found["recovery_key"], Story::Plain.recovery_key().expose());
}

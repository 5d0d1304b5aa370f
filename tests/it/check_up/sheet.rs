//! The recovery sheet.

use std::{fs, os::unix::fs::PermissionsExt};

use keyhaul::base::shown::grouped;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use crate::{
    canary::{canaries, found},
    program::{Ada, Lab},
};

/// The sheet, line by line, with what differs from run to run taken out.
fn lines(lab: &Lab, text: &str, server: &str) -> Vec<String> {
    assert!(text.lines().all(|line| line.width() <= 80), "{text}");
    let today = jiff::Timestamp::now().strftime("%-d %b %Y").to_string();
    assert!(lab.path("home").exists());
    let whole = text.replace(&today, "DAY").replace(server, "SERVER");
    whole.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_sheet_has_everything_but_the_recovery_key() {
    let ada = Ada::new();
    let file = ada.lab.path("home/sheet.txt").to_str().unwrap().to_owned();
    let document = ada.lab.json(&ada.opens(&["sheet", &file]), 0);
    assert_eq!(document, json!({"file": file, "tried": true}));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(found(&canaries(&ada), text.as_bytes()), Vec::<&str>::new());
    let fingerprint = |number| {
        let key = &ada.account.version(number).unwrap().auth_data["public_key"];
        let key = key.as_str().unwrap();
        format!("{} {} {}", &key[..4], &key[4..8], &key[8..12])
    };
    let keys = grouped(ada.account.version(3).unwrap().count() as u64);
    let storage = ada.account.account_data["m.secret_storage.default_key"]["key"].as_str().unwrap();
    assert_eq!(
        lines(&ada.lab, &text, &ada.server.address().to_string()),
        [
            "Recovery sheet DAY".to_owned(),
            "Account @ada:example.org Server SERVER".to_owned(),
            format!("Opens secret storage {storage}, and with it"),
            format!("backup 3 public key {} {keys} keys that day", fingerprint(3)),
            format!("Does not open backup 1 public key {}", fingerprint(1)),
            String::new(),
            "Write your recovery key by hand. keyhaul does not print it.".to_owned(),
            "____ ____ ____ ____".to_owned(),
            "____ ____ ____ ____".to_owned(),
            "____ ____ ____ ____".to_owned(),
            "Never there: 0 (zero), O (capital o), I (capital i), l (small L).".to_owned(),
        ]
    );
    // Nothing is replaced.
    ada.lab.fails(&ada.opens(&["sheet", &file]), 14, "file-exists");
    let both = format!("--secret-file={}", ada.file("old recovery key"));
    ada.lab.fails(&ada.opens(&["sheet", "--overwrite", &file, &both]), 2, "usage");
}

#[test]
fn a_sheet_without_a_key_says_so() {
    let ada = Ada::new();
    let file = ada.lab.path("home/sheet.txt").to_str().unwrap().to_owned();
    let document = ada.lab.json(&ada.asks(&["sheet", &file]), 0);
    assert_eq!(document["tried"], false);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("not tried: no recovery key was given that day"), "{text}");
    assert!(text.contains("Not tried on"), "{text}");
}

#[test]
fn a_passphrase_has_a_line_and_no_cells() {
    let lab = Lab::new();
    let file = lab.path("home/sheet.txt").to_str().unwrap().to_owned();
    lab.json(&["--demo=passphrase", "--quiet", "sheet", &file], 0);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("Write your passphrase by hand."), "{text}");
    assert!(!text.contains("____  ____") && !text.contains("kettle"), "{text}");
}

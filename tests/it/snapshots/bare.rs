//! Bodies that somebody saved with curl, with and without the version object, before or after it.

use std::fs;

use keyhaul::{backup::recovery_key, base::base64};
use serde_json::{Value, json};

use crate::program::Lab;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../fixtures/backup-modern.json")).unwrap()
}

/// A computer without any server, with a saved body and the private key of the backup in it.
struct Case {
    lab: Lab,
    file: String,
    secret: String,
}

impl Case {
    fn new(text: &str) -> Self {
        let lab = Lab::new();
        let file = lab.path("home/body.json").to_str().unwrap().to_owned();
        fs::write(&file, text).unwrap();
        let fixture = fixture();
        let key = fixture["backup_private_key_base64"].as_str().unwrap();
        let secret = format!("--secret-file={}", lab.secret("raw key", key));
        Self { lab, file, secret }
    }

    fn asks<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        words.iter().copied().chain(["--snapshot", &self.file, &self.secret]).collect()
    }

    fn json(&self, words: &[&str], exit: i32) -> Value {
        self.lab.json(&self.asks(words), exit)
    }
}

const USER: &str = "--user=@me:harness.test";

/// The saved body, with its version object in every place where it could stand.
fn with_version() -> Vec<String> {
    let fixture = fixture();
    let (version, keys) = (&fixture["version_response"], &fixture["keys_response"]);
    vec![
        format!("{version}{keys}"),
        format!("{version}\n{keys}\n"),
        format!("{version:#}\r\n{keys}"),
        format!("\u{feff}{version}\n\n{keys:#}"),
        format!("{keys}\n{version}\n"),
        format!("{keys:#}{version:#}"),
    ]
}

#[test]
fn body_with_its_version() {
    for text in with_version() {
        let case = Case::new(&text);
        let backups = case.json(&["backups"], 0);
        assert_eq!(backups["versions"][0]["version"], "1");
        let fits = case.json(&["unlock"], 0)["fits"].clone();
        let fit = json!({"kind": "backup", "id": "1", "current": true, "proof": "public_key"});
        assert_eq!(fits, json!([fit]));
        let info = case.lab.json(&["snapshot", "info", &case.file], 0);
        assert_eq!(
            (&info["bare"], &info["complete"], &info["entries"]),
            (&json!(true), &json!(true), &json!(8))
        );
        let done = case.json(&["restore", USER], 0);
        assert_eq!(done["runs"][0]["version"], "1");
        assert_eq!(done["stored_total"], 8);
    }
}

#[test]
fn body_alone() {
    let case = Case::new(&fixture()["keys_response"].to_string());
    let rooms = case.json(&["rooms"], 0);
    assert_eq!((&rooms["sessions"], &rooms["whole"]), (&json!(8), &json!(true)));
    let room = rooms["rooms"][0]["room_id"].as_str().unwrap().to_owned();
    assert!(!case.json(&["sessions", &room], 0)["sessions"].as_array().unwrap().is_empty());
    // No public key: the entries are the proof, and nothing else needs a server.
    let unlocked = case.json(&["unlock"], 0);
    assert_eq!(unlocked["fits"][0]["proof"], "entries");
    let people = case.lab.run(&case.asks(&["unlock"])).exited(0);
    assert!(people.stdout.contains("(8 of 8 keys tried)"), "{people}");
    assert_eq!(case.json(&["unlock", "--backup-version=7"], 0)["opens_backups"], json!(["7"]));
    assert_eq!(case.json(&["restore", "--dry-run"], 0)["runs"][0]["opened"], 8);

    // Whose keys they are, somebody has to say before they are stored.
    case.lab.fails_untouched(&case.asks(&["restore"]), 2, "account-unknown");
    case.lab.fails_untouched(&case.asks(&["restore", "--user=me"]), 2, "account-unknown");
    let done = case.json(&["restore", USER, "--backup-version=7"], 0);
    assert_eq!((&done["runs"][0]["version"], &done["stored_total"]), (&json!("7"), &json!(8)));
    let info = case.lab.json(&["store", "info", &case.secret], 0);
    assert_eq!((&info["keys"], &info["sources"][0]["version"]), (&json!(8), &json!("7")));
    let other = case.json(&["restore", USER, "--homeserver=https://chat.harness.test"], 0);
    assert_eq!(other["runs"][0]["new"], 8, "another server is another account");
}

#[test]
fn key_that_opens_nothing_of_it() {
    let mut case = Case::new(&fixture()["keys_response"].to_string());
    let wrong = recovery_key::format(&keyhaul::base::secret::Secret32::take(&mut [9; 32]));
    case.secret = format!("--secret-file={}", case.lab.secret("wrong", wrong.expose()));
    case.lab.fails_untouched(&case.asks(&["unlock"]), 10, "fits-nothing");
    case.lab.fails_untouched(&case.asks(&["restore", USER]), 10, "fits-nothing");
}

#[test]
fn cut_body() {
    let text = fixture()["keys_response"].to_string();
    let case = Case::new(&text[..text.len() / 2]);
    assert_eq!(case.json(&["rooms"], 0)["whole"], false);
    let info = case.lab.json(&["snapshot", "info", &case.file], 3);
    assert_eq!(info["complete"], false);
    let done = case.json(&["restore", USER], 3);
    let opened = done["runs"][0]["opened"].as_u64().unwrap();
    assert!((1..8).contains(&opened), "{opened}");
    assert_eq!(done["runs"][0]["shortfall"]["code"], "snapshot-cut");
    assert_eq!(done["stored_total"], opened);
}

#[test]
fn what_is_no_body() {
    let fixture = fixture();
    let room = fixture["keys_response"]["rooms"].as_object().unwrap().values().next().unwrap();
    for text in [
        r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Unknown token"}"#.to_owned(),
        "<!doctype html><title>Sign in</title>".to_owned(),
        String::new(),
        "{}".to_owned(),
        "[{\"rooms\":{}}]".to_owned(),
        "{\"rooms\":[]}".to_owned(),
        room.to_string(),
        fixture["version_response"].to_string(),
    ] {
        let case = Case::new(&text);
        case.lab.fails_untouched(&case.asks(&["rooms"]), 14, "snapshot-unknown");
    }
}

#[test]
fn damaged_public_key_in_a_whole_snapshot() {
    let fixture = fixture();
    for auth_data in [json!({}), json!({"public_key": "damaged"})] {
        let mut version = fixture["version_response"].clone();
        version["auth_data"] = auth_data;
        let case = Case::new(&format!("{version}\n{}", fixture["keys_response"]));
        assert_eq!(case.json(&["unlock"], 0)["fits"][0]["proof"], "entries");
        assert_eq!(case.json(&["restore", USER], 0)["stored_total"], 8);
        let key = base64::decode(fixture["backup_private_key_base64"].as_str().unwrap()).unwrap();
        assert_eq!(key.len(), 32);
    }
}

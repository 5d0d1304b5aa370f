//! Import into an account, on a server or in a snapshot: where its keys go, and that nothing stays
//! behind where it fails.

use std::fs;

use keyhaul::base::base64;
use serde_json::json;

use super::{
    armored, left_out, locked,
    program::{Case, WORDS},
};
use crate::program::Ada;

/// Somebody who has a key file with one session, and no store.
fn newcomer() -> (Case, String) {
    let case = Case::of(Ada::new());
    let (_, session) = left_out::session("!r:x", &json!({}));
    let file = case.home("keys.txt");
    fs::write(&file, locked(&session.to_string(), WORDS)).unwrap();
    (case, file)
}

/// Without any server: whose store it is stands in the snapshot.
#[test]
fn into_the_account_of_a_snapshot() {
    let (case, file) = newcomer();
    let snapshot = case.home("backup.keyhaul");
    case.lab().json(&case.ada.asks(&["snapshot", "save", &snapshot]), 0);
    let snapshot = format!("--snapshot={snapshot}");
    let requests = case.ada.server.requests(&http::Method::GET);
    let told = case.lab().json(&case.args(&["import", &file, &snapshot]), 0);
    assert_eq!((&told["new"], &told["stored_total"]), (&json!(1), &json!(1)));
    let info = case.lab().json(&["store", "info", &case.secret], 0);
    assert_eq!(info["sources"], json!([{"kind": "key_file", "name": "keys.txt"}]));
    assert_eq!(case.ada.server.requests(&http::Method::GET), requests);

    // It is the store of the account itself: a restore adds to it.
    let mut args = case.ada.opens(&["restore"]);
    args.push("--no-snapshot".to_owned());
    let done = case.lab().json(&args, 3);
    let openable = case.ada.account.version(3).unwrap().expected().openable;
    assert_eq!(done["stored_total"], openable + 1);
    let info = case.lab().json(&["store", "info", &case.secret], 0);
    let kinds: Vec<_> = info["sources"].as_array().unwrap().iter().map(|s| &s["kind"]).collect();
    assert_eq!(kinds, ["key_file", "backup"]);
}

/// A file that cannot be opened makes no store.
#[test]
fn nothing_stays_of_a_file_that_cannot_be_opened() {
    let (case, file) = newcomer();
    let import = |file: &str, words: &str| {
        let passphrase = format!("--passphrase-file={}", case.lab().secret("typed", words));
        let mut args = case.ada.opens(&["import", file]);
        args.push(passphrase);
        args
    };
    case.lab().fails_untouched(&import(&file, "another passphrase"), 14, "file-passphrase");
    case.lab().fails_untouched(&import(&file, ""), 2, "file-passphrase-missing");

    let text = fs::read_to_string(&file).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let mut bytes = base64::decode(&body).unwrap();
    bytes[100] ^= 1;
    let mut slow = bytes.clone();
    slow[33] = 0x80;
    for (bad, code) in [
        (armored(&base64::encode(&bytes)), "file-damaged"),
        (armored(&base64::encode(&slow)), "file-slow"),
        (text[..text.len() / 2].to_owned(), "file-damaged"),
        ("my shopping list".to_owned(), "file-unknown"),
        (locked("", WORDS).replacen("-----BEGIN", "----BEGIN", 1), "file-unknown"),
    ] {
        let bad_file = case.home("bad.txt");
        fs::write(&bad_file, bad).unwrap();
        let before = case.lab().kept();
        // How long it would take is measured, so the words may differ from run to run.
        let told = case.lab().json(&import(&bad_file, WORDS), 14);
        assert_eq!(told["error"]["code"], code);
        before.assert_same(&case.lab().kept());
    }
    case.lab().fails_untouched(&import("/nowhere/keys.txt", WORDS), 14, "file-unreadable");
    // And the whole one still goes in.
    assert_eq!(case.lab().json(&import(&file, WORDS), 0)["new"], 1);
}

/// Whoever signs in with a password gets a device, which must not stay.
#[test]
fn no_device_stays() {
    let (case, file) = newcomer();
    let devices = case.ada.server.devices();
    let user = format!("--user={}", case.ada.account.user_id);
    let server = format!("--homeserver={}", case.ada.server.base_url());
    let password = format!("--password-file={}", case.ada.file("password"));
    let wrong = format!("--passphrase-file={}", case.lab().secret("typed", "another passphrase"));
    let signing_in = ["import", &file, &user, &server, &password, &case.secret];
    let with = |passphrase| [signing_in.as_slice(), &[passphrase]].concat();
    let told = case.lab().json(&with(&wrong), 14);
    assert_eq!(told["error"]["code"], "file-passphrase");
    assert_eq!(case.ada.server.devices(), devices);
    assert_eq!(case.lab().json(&with(&case.passphrase), 0)["new"], 1);
    assert_eq!(case.ada.server.devices(), devices);
}

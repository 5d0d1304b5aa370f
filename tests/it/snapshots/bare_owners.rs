//! A saved body does not say whose it is: somebody has to, and then its keys are where a restore from
//! the server would have put them.

use std::fs;

use http::Method;
use keyhaul::store::folder::DataDir;
use serde_json::{Value, json};

use super::few::{SOME_REFUSED, backup_secret, current, few, keys};
use crate::program::Ada;

/// Ada with a file that holds this, and the options that lead to it.
fn with_file(text: impl FnOnce(&Ada) -> String) -> (Ada, Vec<String>) {
    let ada = few();
    let file = ada.lab.path("home/keys.json").to_str().unwrap().to_owned();
    fs::write(&file, text(&ada)).unwrap();
    let options = vec![format!("--snapshot={file}"), backup_secret(&ada.lab)];
    (ada, options)
}

fn asks(words: &[&str], options: &[String]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).chain(options.to_vec()).collect()
}

fn described(ada: &Ada) -> String {
    format!("{}\n{}", current(ada).describe(3), keys(ada))
}

#[test]
fn somebody_has_to_say_whose_it_is() {
    let (ada, options) = with_file(described);
    for words in [
        &["restore"] as &[_],
        &["restore", "--user=ada"],
        &["restore", "--user=@ada"],
        &["restore", "--user=ada:example.org"],
        // A server alone is nobody.
        &["restore", "--homeserver=https://example.org"],
    ] {
        let told = ada.lab.fails_untouched(&asks(words, &options), 2, "account-unknown");
        assert!(told.next.contains("--user"), "{}", told.next);
    }
}

/// The same keys from the server, then, are nothing new.
#[test]
fn the_keys_are_in_the_store_of_that_account() {
    let (ada, options) = with_file(described);
    let (user, server) = (&ada.account.user_id, ada.server.base_url());
    let all = current(&ada).expected().openable;
    let before = ada.server.requests(&Method::GET);
    let who = [format!("--user={user}"), format!("--homeserver={server}/")];
    let done = ada.lab.json(&[asks(&["restore"], &options), who.to_vec()].concat(), SOME_REFUSED);
    assert_eq!(done["stored_total"], all);
    assert_eq!(ada.server.requests(&Method::GET), before);

    let args = ada.opens(&["restore", "--no-snapshot", &options[1]]);
    let online = ada.lab.json(&args, SOME_REFUSED);
    let run = &online["runs"][0];
    assert_eq!((&run["new"], &run["unchanged"]), (&json!(0), &json!(all)));
    assert_eq!(online["stored_total"], all);
}

/// Without an address it is the server that the id names, and a bare name is one with https.
#[test]
fn the_id_names_the_server() {
    for (words, origin) in [
        (&["restore", "--user=@ada:example.org"] as &[_], "https://example.org"),
        (
            &["restore", "--user=@ada:example.org", "--homeserver=chat.example.org"],
            "https://chat.example.org",
        ),
        (
            &["restore", "--user=@ada:example.org:8448", "--homeserver=http://localhost:1"],
            "http://localhost:1",
        ),
    ] {
        let (ada, options) = with_file(described);
        ada.lab.json(&asks(words, &options), SOME_REFUSED);
        let data_dir = DataDir::find(&ada.lab.data()).unwrap().unwrap();
        let accounts = data_dir.accounts().unwrap();
        let user = words[1].trim_start_matches("--user=");
        assert_eq!(accounts.len(), 1);
        assert!(accounts[0].belongs_to(user, origin), "{words:?}");
        assert!(accounts[0].path().join("store.sqlite3").exists());
    }
}

#[test]
fn a_nameless_one_is_the_one_that_was_asked_for() {
    let (ada, options) = with_file(keys);
    let named = |words: &[&str]| asks(&[words, &["--backup-version=7"]].concat(), &options);
    assert_eq!(ada.lab.json(&named(&["rooms"]), 0)["version"], "7");
    assert_eq!(ada.lab.json(&named(&["backups"]), 0)["current"], "7");
    assert_eq!(ada.lab.json(&named(&["unlock"]), 0)["opens_backups"], json!(["7"]));
    let done = ada.lab.json(&named(&["restore", "--user=@ada:example.org"]), SOME_REFUSED);
    assert_eq!(done["runs"][0]["version"], "7");
    let info = ada.lab.json(&["store", "info", &options[1]], 0);
    let public_key = &current(&ada).auth_data["public_key"];
    let source = json!({"kind": "backup", "version": "7", "public_key": public_key});
    assert_eq!(info["sources"], json!([source]));
    // All that open is this one.
    let all = asks(&["unlock", "--backup-version=all"], &options);
    assert_eq!(ada.lab.json(&all, 0)["opens_backups"], json!(["unknown"]));
}

#[test]
fn a_named_one_is_no_other() {
    let (ada, options) = with_file(described);
    for words in [["rooms", "--backup-version=7"], ["restore", "--backup-version=7"]] {
        ada.lab.fails_untouched(&asks(&words, &options), 11, "snapshot-of-another");
    }
}

/// With nothing but entries to try a key on, a wrong one is still a wrong one.
#[test]
fn keys_that_do_not_fit() {
    for text in [described, keys] {
        let (ada, options) = with_file(text);
        // The paper's key opens secret storage, and none is in the file.
        for wrong in ["old recovery key", "recovery key"] {
            let secret = format!("--secret-file={}", ada.file(wrong));
            for words in [&["unlock"] as &[_], &["restore", "--user=@ada:example.org"]] {
                let args = [words, &[options[0].as_str(), &secret]].concat();
                ada.lab.fails_untouched(&args, 10, "fits-nothing");
            }
        }
        let words = format!("--secret-file={}", ada.lab.secret("words", "an engine weaves"));
        ada.lab.fails_untouched(&["unlock", &options[0], &words], 10, "passphrase-unused");
        // A wrong key beside the right one costs nothing.
        let wrong = format!("--secret-file={}", ada.file("old recovery key"));
        let both: Value = ada.lab.json(&asks(&["unlock", &wrong], &options), 0);
        assert_eq!(both["fits"].as_array().unwrap().len(), 1);
    }
}

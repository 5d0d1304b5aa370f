//! Which snapshots tell how a passphrase becomes the key of a store: those of its own account, whole or
//! not, and no others.

use std::{fs, path::PathBuf};

use keyhaul::{
    base::{base64, stretch::Recipe},
    demo::account::Account,
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX},
        secret::{BACKUP_SECRET, describe, seal},
    },
};
use serde_json::{Value, json};

use super::few::{SOME_REFUSED, current, few_and};
use crate::{
    chance::Counting,
    program::{Ada, backup_key},
};

const WORDS: &str = "weaves algebraical patterns";
const SALT: &str = "a loom of Jacquard";

/// Locks her secret storage with a key made of the words, and says that it took so many rounds.
fn locked_by_words(account: &mut Account, rounds: u64) {
    let recipe = Recipe::new(SALT.as_bytes(), rounds.min(1_000), 256).unwrap();
    let key = recipe.stretch(WORDS.as_bytes(), &mut |_| true).unwrap();
    let mut description = describe(key.expose(), &mut Counting(1));
    description["passphrase"] =
        json!({"algorithm": "m.pbkdf2", "salt": SALT, "iterations": rounds, "bits": 256});
    let secret = base64::encode(backup_key().secret().expose());
    let sealed = seal(BACKUP_SECRET, key.expose(), secret.as_bytes(), &mut Counting(9));
    let data = &mut account.account_data;
    data.retain(|kind, _| !kind.starts_with(KEY_PREFIX));
    data.insert(DEFAULT_KEY.to_owned(), json!({"key": "words"}));
    data.insert(format!("{KEY_PREFIX}words"), description);
    data.insert(BACKUP_SECRET.to_owned(), json!({"encrypted": {"words": sealed}}));
}

/// Ada, her keys restored with her passphrase, and the snapshot beside them.
fn restored() -> (Ada, String, PathBuf) {
    let ada = few_and(|account| locked_by_words(account, 1_000));
    let words = format!("--secret-file={}", ada.lab.secret("words", format!("{WORDS}\n")));
    let done = ada.lab.json(&ada.asks(&["restore", &words]), SOME_REFUSED);
    assert_eq!(done["stored_total"], current(&ada).expected().openable);
    let snapshot = ada.lab.data().join(ada.lab.kept().named(".keyhaul").next().unwrap());
    (ada, words, snapshot)
}

/// What needs the store, and what each tells of its keys.
fn opened(ada: &Ada, words: &[&str], times: u32) -> [Value; 3] {
    let file = ada.lab.path("home").join(format!("keys {times}"));
    let passphrase = ada.lab.secret("file passphrase", "granite otter velvet");
    let passphrase = format!("--passphrase-file={passphrase}");
    let export = ["export", file.to_str().unwrap(), &passphrase];
    let told =
        |command: &[&str], field: &str| ada.lab.json(&[command, words].concat(), 0)[field].clone();
    [told(&["store", "info"], "keys"), told(&["store", "check"], "keys"), told(&export, "sessions")]
}

#[test]
fn any_snapshot_of_the_account_will_do() {
    let (ada, words, snapshot) = restored();
    let all = json!(current(&ada).expected().openable);
    assert_eq!(opened(&ada, &[&words], 0), [(); 3].map(|()| all.clone()));
    // The description stands in its first line, so a cut one tells it, too.
    let bytes = fs::read(&snapshot).unwrap();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(&snapshot, &bytes[..line + 100]).unwrap();
    assert_eq!(opened(&ada, &[&words], 1), [(); 3].map(|()| all.clone()));
    // Beside one that is of no use, too.
    fs::write(snapshot.with_file_name("snapshot-0.keyhaul"), "no snapshot").unwrap();
    assert_eq!(opened(&ada, &[&words], 2), [(); 3].map(|()| all.clone()));
    // And one that lies elsewhere, if it is named.
    let elsewhere = ada.lab.path("home/copy");
    fs::rename(&snapshot, &elsewhere).unwrap();
    ada.lab.fails_untouched(&["store", "info", &words], 14, "store-other-lock");
    let named = format!("--snapshot={}", elsewhere.display());
    assert_eq!(opened(&ada, &[&words, &named], 3), [(); 3].map(|()| all.clone()));
}

#[test]
fn snapshots_of_others_tell_nothing() {
    let (ada, words, snapshot) = restored();
    let text = fs::read_to_string(&snapshot).unwrap();
    for (from, to) in [
        ("\"user\":\"@ada:example.org\"".to_owned(), "\"user\":\"@eve:example.org\""),
        (format!("\"server\":\"{}\"", ada.server.base_url()), "\"server\":\"https://example.org\""),
    ] {
        let other = text.replacen(&from, to, 1);
        assert_ne!(other, text);
        fs::write(&snapshot, &other).unwrap();
        ada.lab.fails_untouched(&["store", "info", &words], 14, "store-other-lock");
        let named = format!("--snapshot={}", snapshot.display());
        ada.lab.fails_untouched(&["store", "info", &words, &named], 14, "store-other-lock");
    }
    // A body without any account describes nothing.
    let bare = ada.lab.path("home/keys.json");
    fs::write(&bare, super::few::keys(&ada)).unwrap();
    let named = format!("--snapshot={}", bare.display());
    ada.lab.fails_untouched(&["store", "info", &words, &named], 14, "store-other-lock");
}

#[test]
fn other_words_open_nothing() {
    let (ada, _, _) = restored();
    for wrong in [&WORDS[1..], &WORDS.to_uppercase(), "", "weaves  algebraical patterns"] {
        let secret = format!("--secret-file={}", ada.lab.secret("wrong", wrong));
        let code = if wrong.is_empty() { "secret-missing" } else { "store-other-lock" };
        let exit = if wrong.is_empty() { 2 } else { 14 };
        ada.lab.fails_untouched(&["store", "info", &secret], exit, code);
    }
}

/// Words on which much calculation was left out are not told to be wrong.
#[test]
fn a_slow_recipe_is_told_as_one() {
    let (ada, words, snapshot) = restored();
    let text = fs::read_to_string(&snapshot).unwrap();
    let slow = text.replacen("\"iterations\":1000", "\"iterations\":4000000000", 1);
    assert_ne!(slow, text);
    fs::write(&snapshot, slow).unwrap();
    // How long it takes is measured anew each time, so the two may differ in that.
    let told = ada.lab.json(&["store", "info", &words], 10);
    assert_eq!(told["error"]["code"], "passphrase-slow");
    let people = ada.lab.run(&["store", "info", &words]).exited(10);
    assert!(people.stderr.contains("give --yes to try all the same"), "{people}");
}

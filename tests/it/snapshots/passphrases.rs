//! A passphrase opens what lies on this computer through the snapshot beside it, which tells how it
//! becomes a key.

use keyhaul::{
    base::{base64, random::SystemRandom, stretch::Recipe},
    demo::account::Account,
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX},
        secret::{BACKUP_SECRET, describe, seal},
    },
};
use serde_json::json;

use crate::program::{Ada, backup_key};

const WORDS: &str = "an engine weaves patterns";

/// Locks the account's secret storage with a passphrase.
fn with_passphrase(account: &mut Account) {
    let made = Recipe::new(b"salt", 1_000, 256).unwrap().stretch(WORDS.as_bytes(), &mut |_| true);
    let key = made.unwrap();
    let mut description = describe(key.expose(), &mut SystemRandom);
    description["passphrase"] =
        json!({"algorithm": "m.pbkdf2", "salt": "salt", "iterations": 1000});
    let secret = base64::encode(backup_key().secret().expose());
    let sealed = seal(BACKUP_SECRET, key.expose(), secret.as_bytes(), &mut SystemRandom);
    let data = &mut account.account_data;
    data.retain(|kind, _| !kind.starts_with(KEY_PREFIX));
    data.insert(DEFAULT_KEY.to_owned(), json!({"key": "words"}));
    data.insert(format!("{KEY_PREFIX}words"), description);
    data.insert(BACKUP_SECRET.to_owned(), json!({"encrypted": {"words": sealed}}));
}

#[test]
fn passphrase_opens_the_store_later() {
    let ada = Ada::with(with_passphrase);
    let words = format!("--secret-file={}", ada.lab.secret("words", WORDS));
    let with = |words: &[&str], secret: &str| -> Vec<String> {
        words.iter().copied().chain([secret]).map(str::to_owned).collect()
    };
    let mut restore = ada.asks(&["restore"]);
    restore.push(words.clone());
    let kept = ada.lab.json(&restore, 3)["stored_total"].clone();

    let info = ada.lab.json(&with(&["store", "info"], &words), 0);
    assert_eq!(info["keys"], kept);
    assert_eq!(ada.lab.json(&with(&["store", "check"], &words), 0)["damaged"], 0);
    let file = ada.lab.path("home/keys.txt").to_str().unwrap().to_owned();
    let passphrase =
        format!("--passphrase-file={}", ada.lab.secret("file", "granite otter velvet"));
    let told = ada.lab.json(&with(&["export", &file, &passphrase], &words), 0);
    assert_eq!(told["sessions"], kept);

    let wrong = format!("--secret-file={}", ada.lab.secret("wrong", "another engine"));
    ada.lab.fails_untouched(&with(&["store", "info"], &wrong), 14, "store-other-lock");

    // Without its snapshot nobody knows how the passphrase becomes a key; a copy of it helps.
    let own = ada.lab.kept().named(".keyhaul").next().unwrap().to_owned();
    let copy = ada.lab.path("home/copy.keyhaul");
    std::fs::rename(ada.lab.data().join(own), &copy).unwrap();
    ada.lab.fails_untouched(&with(&["store", "info"], &words), 14, "store-other-lock");
    let snapshot = format!("--snapshot={}", copy.to_str().unwrap());
    let info = ada.lab.json(&with(&["store", "info", &snapshot], &words), 0);
    assert_eq!(info["keys"], kept);
}

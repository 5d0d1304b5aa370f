//! Stores that are damaged, newer or another person's: all are left as they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::program::{Ada, Lab};

/// Ada, after she restored her current backup, and the path of her store.
fn restored() -> (Ada, PathBuf) {
    let ada = Ada::new();
    ada.lab.json(&ada.opens(&["restore", "--no-snapshot"]), 3);
    let kept = ada.lab.kept();
    let store = kept.named("store.sqlite3").next().unwrap();
    let path = ada.lab.data().join(store);
    (ada, path)
}

/// Every command that opens the store.
fn commands(ada: &Ada) -> [Vec<String>; 5] {
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let own =
        |words: [&str; 2]| words.iter().map(|w| (*w).to_owned()).chain([secret.clone()]).collect();
    [
        ada.opens(&["restore"]),
        ada.opens(&["restore", "--dry-run"]),
        ada.opens(&["history", "!a:x"]),
        own(["store", "info"]),
        own(["store", "check"]),
    ]
}

fn change(store: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(store).unwrap();
    change(&mut bytes);
    fs::write(store, bytes).unwrap();
}

#[test]
fn store_that_is_none() {
    for contents in [b"".as_slice(), b"nothing of the kind", &[0; 4_096]] {
        let (ada, store) = restored();
        fs::write(&store, contents).unwrap();
        for args in commands(&ada) {
            ada.lab.fails_untouched(&args, 14, "store-unreadable");
        }
    }
}

/// Another account's store that cannot be read costs nobody the own one.
#[test]
fn store_of_another_account_that_is_none() {
    let (ada, store) = restored();
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    // Whatever the order in which folders are met.
    for name in ["0".repeat(32), "f".repeat(32)] {
        let other = ada.lab.data().join(name);
        fs::create_dir(&other).unwrap();
        fs::write(other.join(store.file_name().unwrap()), b"nothing of the kind").unwrap();
    }
    ada.lab.json(&["store", "info", &secret], 0);
    fs::remove_file(&store).unwrap();
    ada.lab.fails_untouched(&["store", "info", &secret], 14, "store-unreadable");
}

#[test]
fn store_with_broken_locks() {
    let (ada, store) = restored();
    // The page of the schema: without it SQLite finds no table at all.
    change(&store, |bytes| bytes[100..4_096].fill(0x5a));
    for args in commands(&ada) {
        ada.lab.fails_untouched(&args, 14, "store-unreadable");
    }
}

#[test]
fn store_that_was_cut() {
    let (ada, store) = restored();
    change(&store, |bytes| bytes.truncate(bytes.len() / 2));
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let document = ada.lab.run(&["store", "check", "--json", &secret]).exited(14).document();
    let code = document["error"]["code"].as_str().unwrap();
    assert!(["store-damaged", "store-unreadable"].contains(&code), "{document:#}");
    ada.lab.fails_untouched(&["store", "check", &secret], 14, code);
}

#[test]
fn damaged_keys_are_counted_and_mended() {
    let (ada, store) = restored();
    let database = rusqlite::Connection::open(&store).unwrap();
    let spoil = "UPDATE sessions SET sealed = zeroblob(length(sealed)) WHERE id IN (10, 20, 30)";
    assert_eq!(database.execute(spoil, []).unwrap(), 3);
    drop(database);
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let found = ada.lab.json(&["store", "check", &secret], 14);
    let what = &found["error"]["what"];
    assert_eq!(what, "The store on this computer is damaged in 3 places.");

    // What was damaged is gone, and the next restore brings it back.
    let expected = ada.account.version(3).unwrap().expected();
    assert_eq!(ada.lab.json(&["store", "check", &secret], 0)["keys"], expected.openable - 3);
    let done = ada.lab.json(&ada.opens(&["restore", "--no-snapshot"]), 3);
    assert_eq!(done["runs"][0]["new"], 3);
    assert_eq!(done["stored_total"], expected.openable);
}

#[test]
fn newer_store() {
    let (ada, store) = restored();
    // Where SQLite keeps `user_version`, the number of the store's form.
    change(&store, |bytes| bytes[60..64].copy_from_slice(&99_u32.to_be_bytes()));
    for args in commands(&ada) {
        ada.lab.fails_untouched(&args, 14, "store-newer");
    }
}

/// The store was made with the older backup's key; the other recovery key opens another lock.
#[test]
fn store_under_another_lock() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    ada.lab.json(&ada.asks(&["restore", "--backup-version=1", &old]), 0);
    for args in commands(&ada) {
        let told = ada.lab.fails_untouched(&args, 14, "store-other-lock");
        let detail = told.detail.unwrap();
        assert!(detail.contains("the key of the backup whose public key begins with"), "{detail}");
    }
    // Both keys together open the store, and from then on the new one does alone.
    ada.lab.json(&ada.opens(&["restore", &old]), 3);
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    ada.lab.json(&["store", "info", &secret], 0);
}

#[test]
fn no_store() {
    let ada = Ada::new();
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    for command in ["info", "check"] {
        ada.lab.fails_untouched(&["store", command, &secret], 14, "store-empty");
    }
    ada.lab.fails_untouched(&ada.opens(&["history", "!a:x"]), 14, "store-empty");
}

#[test]
fn no_secret_for_the_store() {
    let lab = Lab::new();
    lab.fails_untouched(&["store", "info"], 2, "secret-missing");
}

//! `secret-storage.json`: locks of secret storage as several versions of SDKs left them, each a case.

use keyhaul::{
    backup::recovery_key,
    recovery::unlock::{LockKind, Proof, SecretKind::RecoveryKey},
};
use serde_json::Value;

use super::{Account, Opened, backup, key, storage, text};

/// The case with this label.
fn case(label: &str) -> Value {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../../fixtures/secret-storage.json")).unwrap();
    let mut found = all.into_iter().filter(|case| text(&case["label"]).starts_with(label));
    let case = found.next().unwrap_or_else(|| panic!("no case {label}"));
    assert!(found.next().is_none(), "{label} names two cases");
    case
}

/// The case's account, with a backup for the key that its secret storage holds.
fn account(case: &Value) -> Account {
    let expected = &case["expected_backup_private_key_base64"];
    let expected =
        if expected.is_null() { &case["expected"]["m.megolm_backup.v1"] } else { expected };
    Account::with_backup_of(&key(expected), &case["account_data"])
}

async fn opens(case: &Value, paper: &Value, id: &str, current: bool) {
    let opened = account(case).opened(&[text(paper)]).await;
    let fits = vec![storage(id, current), backup()];
    assert_eq!(opened, Opened { kinds: vec![RecoveryKey], fits, cannot_check: vec![] });
}

#[tokio::test]
async fn recovery_key_of_secret_storage() {
    let case = case("recovery key");
    opens(&case, &case["recovery_key"], text(&case["key_id"]), true).await;
}

#[tokio::test]
async fn passphrase_of_secret_storage() {
    let case = case("passphrase");
    opens(&case, &case["recovery_key"], text(&case["key_id"]), true).await;
}

#[tokio::test]
async fn two_keys_of_which_either_opens() {
    let case = case("two keys");
    for (id, keys) in case["keys"].as_object().unwrap() {
        let current = case["account_data"]["m.secret_storage.default_key"]["key"] == id.as_str();
        opens(&case, &keys["recovery_key"], id, current).await;
    }
    let papers = case["keys"].as_object().unwrap().values();
    let papers: Vec<&str> = papers.map(|keys| text(&keys["recovery_key"])).collect();
    let both = account(&case).opened(&papers).await;
    assert_eq!(both.kinds, [RecoveryKey, RecoveryKey]);
    assert_eq!(both.fits.len(), 3);
}

/// The 4S key is the key of the backup itself, so both roles fit; in the algorithm of 2020 it is
/// checked by a public key.
async fn passes_through(label: &str, proof: Proof) {
    let case = case(label);
    let opened = account(&case).opened(&[text(&case["recovery_key"])]).await;
    let lock = (LockKind::SecretStorage, text(&case["key_id"]).to_owned(), true, proof);
    assert_eq!(opened.fits, [backup(), lock], "{label}");
}

#[tokio::test]
async fn passthrough_without_encrypted() {
    passes_through("passthrough as written by js-sdk 4.0.0", Proof::PublicKey).await;
}

#[tokio::test]
async fn passthrough_within_encrypted() {
    passes_through("passthrough as written by js-sdk 5.0.1", Proof::PublicKey).await;
}

#[tokio::test]
async fn passthrough_under_todays_algorithm() {
    passes_through("passthrough under an AES key description", Proof::Mac).await;
}

#[tokio::test]
async fn secret_of_the_algorithm_of_2020() {
    let case = case("secret encrypted with m.secret_storage.v1.curve25519-aes-sha2");
    let opened = account(&case).opened(&[text(&case["recovery_key"])]).await;
    let id = text(&case["key_id"]).to_owned();
    let lock = (LockKind::SecretStorage, id, true, Proof::PublicKey);
    assert_eq!(opened.fits, [lock, backup()]);
}

#[tokio::test]
async fn description_without_anything_to_check_with() {
    let case = case("key description without iv and mac");
    let id = text(&case["key_id"]);
    // Its own secret opens with it, and that proves it.
    opens(&case, &case["recovery_key"], id, true).await;
    let visit = account(&case)
        .visit(&[text(&case["recovery_key"])], false, &Default::default())
        .await
        .unwrap();
    let unlocked = visit.unlocked.unwrap();
    assert!(unlocked.storage_keys.iter().all(|key| key.id == id && !key.checked));
    // Of any other key nobody knows.
    let other = recovery_key::format(&key(&"B".repeat(43).into()));
    let opened = account(&case).opened(&[other.expose()]).await;
    let expected =
        Opened { kinds: vec![RecoveryKey], fits: vec![], cannot_check: vec![id.to_owned()] };
    assert_eq!(opened, expected);
}

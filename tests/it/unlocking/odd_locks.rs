//! Locks that are described wrongly, hold another's key, or hold it in an odd form (SPEC §5.5, §12.2).

use keyhaul::{
    backup::{decryption::DecryptionKey, recovery_key},
    base::{base64, secret::Secret32},
    recovery::unlock::{Proof, SecretKind},
    secret_storage::{
        key::{ALGORITHM, DEFAULT_KEY, KEY_PREFIX, OLD_ALGORITHM},
        secret::{BACKUP_SECRET, describe, seal},
    },
};
use serde_json::{Value, json};
use vodozemac::{Curve25519PublicKey, pk_encryption::PkEncryption};

use super::{Account, Opened, backup, storage, version};
use crate::{chance::Counting, program::Lab};

/// The key of the one backup.
fn backup_key() -> Secret32 {
    Secret32::take(&mut [7; 32])
}

fn storage_key(byte: u8) -> Secret32 {
    Secret32::take(&mut [byte; 32])
}

fn paper(key: &Secret32) -> String {
    recovery_key::format(key).expose().to_owned()
}

/// What clients write into secret storage: the key of the backup in base64 with padding.
fn usual() -> Vec<u8> {
    format!("{}=", base64::encode(backup_key().expose())).into_bytes()
}

fn sealed(key: &Secret32, plaintext: &[u8]) -> Value {
    seal(BACKUP_SECRET, key.expose(), plaintext, &mut Counting(1))
}

fn described(key: &Secret32) -> Value {
    describe(key.expose(), &mut Counting(2))
}

fn account(keys: &[(&str, Value)], encrypted: Value) -> Account {
    Account::with_backup_of(&backup_key(), &account_data(keys, encrypted))
}

fn account_data(keys: &[(&str, Value)], encrypted: Value) -> Value {
    let default = keys.first().map_or("", |(id, _)| id);
    let mut data = json!({
        DEFAULT_KEY: {"key": default},
        BACKUP_SECRET: {"encrypted": encrypted},
    });
    for (id, description) in keys {
        data[format!("{KEY_PREFIX}{id}")] = description.clone();
    }
    data
}

async fn fits(account: &Account, secret: &str) -> Vec<(String, bool)> {
    let opened = account.opened(&[secret]).await;
    opened.fits.into_iter().map(|(_, id, current, _)| (id, current)).collect()
}

fn both(id: &str, current: bool) -> Vec<(String, bool)> {
    vec![(id.to_owned(), current), ("1".to_owned(), true)]
}

#[tokio::test]
async fn backup_key_is_read_in_every_form_it_was_stored_in() {
    let key = storage_key(1);
    let plain = base64::encode(backup_key().expose());
    let decimal = [7; 32].map(|byte: u8| byte.to_string()).join(",");
    let hex = "07".repeat(32);
    for stored in [
        plain.clone(),
        format!("{plain}="),
        format!(" {plain}\r\n"),
        base64::encode(plain.as_bytes()),
        decimal.clone(),
        format!("[{decimal}]"),
        hex,
    ] {
        let encrypted = json!({"a": sealed(&key, stored.as_bytes())});
        let account = account(&[("a", described(&key))], encrypted);
        assert_eq!(fits(&account, &paper(&key)).await, both("a", true), "{stored}");
    }
}

#[tokio::test]
async fn what_is_stored_wrongly_says_so() {
    let key = storage_key(1);
    let told = async |encrypted: Value| {
        let account = account(&[("a", described(&key))], encrypted);
        let paper = paper(&key);
        let visit = account.visit(&[&paper], false, &Default::default()).await.unwrap();
        assert!(visit.fits_nothing().is_none(), "secret storage itself opens");
        visit.closed().code().word()
    };
    assert_eq!(told(json!({"a": sealed(&key, b"no key at all")})).await, "storage-damaged");
    assert_eq!(
        told(json!({"a": {"iv": "", "mac": "", "ciphertext": ""}})).await,
        "storage-damaged"
    );
    let another = base64::encode(&[8; 32]);
    assert_eq!(told(json!({"a": sealed(&key, another.as_bytes())})).await, "storage-for-another");
    assert_eq!(told(json!({"b": sealed(&storage_key(2), &usual())})).await, "storage-without-key");
}

#[tokio::test]
async fn secret_under_another_key_than_the_default() {
    let (default, other) = (storage_key(1), storage_key(2));
    let keys = [("a", described(&default)), ("b", described(&other))];
    let account = account(&keys, json!({"b": sealed(&other, &usual())}));
    assert_eq!(fits(&account, &paper(&other)).await, both("b", false));
    // The default key is right, too; it just holds nothing.
    assert_eq!(fits(&account, &paper(&default)).await, [("a".to_owned(), true)]);
}

#[tokio::test]
async fn secret_under_the_id_of_another_key() {
    let (one, two) = (storage_key(1), storage_key(2));
    // Written with the key of `a`, filed under `b`.
    let keys = [("a", described(&one)), ("b", described(&two))];
    let account = account(&keys, json!({"b": sealed(&one, &usual())}));
    let opened = fits(&account, &paper(&one)).await;
    assert!(opened.contains(&("1".to_owned(), true)), "{opened:?}");
    assert!(opened.contains(&("a".to_owned(), true)), "{opened:?}");
}

#[tokio::test]
async fn key_whose_description_is_lost_or_broken() {
    let key = storage_key(1);
    for description in [
        None,
        Some(json!({})),
        Some(json!({"algorithm": ALGORITHM, "iv": "AAAA", "mac": "AAAA"})),
        Some(json!({"algorithm": "m.secret_storage.v9"})),
    ] {
        let keys: Vec<_> = description.iter().map(|content| ("a", content.clone())).collect();
        let account = account(&keys, json!({"a": sealed(&key, &usual())}));
        let opened = account.opened(&[&paper(&key)]).await;
        let current = !keys.is_empty();
        let expected = vec![storage("a", current), backup()];
        assert_eq!(opened.fits, expected, "{description:?}");
    }
}

#[tokio::test]
async fn passthrough_of_a_key_that_cannot_be_checked() {
    // Nothing but the backup tells whether it is the right one.
    let bare = json!({"algorithm": ALGORITHM});
    let account = account(&[("a", bare)], json!({"a": {"passthrough": true}}));
    let opened = account.opened(&[&paper(&backup_key())]).await;
    assert_eq!(opened.fits, [backup(), storage("a", true)]);
    let opened = account.opened(&[&paper(&storage_key(1))]).await;
    let kinds = vec![SecretKind::RecoveryKey];
    assert_eq!(opened, Opened { kinds, fits: vec![], cannot_check: vec!["a".to_owned()] });
}

#[tokio::test]
async fn public_key_that_was_encoded_twice() {
    let key = keyhaul::backup::decryption::DecryptionKey::new(backup_key());
    let twice = base64::encode(key.public_key().to_base64().as_bytes());
    let account =
        Account::new(&version(json!({"public_key": twice})), &json!({"rooms": {}}), &json!({}));
    assert_eq!(account.opened(&[&paper(&backup_key())]).await.fits, [backup()]);
}

#[tokio::test]
async fn raw_key_that_is_somebodys_passphrase() {
    // 43 letters of base64 can be a passphrase all the same; what opens decides.
    let words = base64::encode(&[9; 32]);
    let recipe = keyhaul::base::stretch::Recipe::new(b"salt", 1_000, 256).unwrap();
    let made = recipe.stretch(words.as_bytes(), &mut |_| true).unwrap();
    let made = Secret32::from_slice(made.expose()).unwrap();
    let mut description = described(&made);
    description["passphrase"] =
        json!({"algorithm": "m.pbkdf2", "salt": "salt", "iterations": 1000});
    let account = account(&[("a", description)], json!({"a": sealed(&made, &usual())}));
    let opened = account.opened(&[&words]).await;
    assert_eq!(
        (opened.kinds, opened.fits),
        (vec![SecretKind::Passphrase], vec![storage("a", true), backup(),])
    );
}

#[tokio::test]
async fn entries_prove_a_key_where_no_public_key_does() {
    use keyhaul::backup::{decryption::DecryptionKey, encryption::seal};
    use keyhaul::base::random::SystemRandom;
    let public = DecryptionKey::new(backup_key()).public_key();
    let entry = |public| {
        let data = seal(b"{}", public, &mut SystemRandom).unwrap();
        json!({"first_message_index": 0, "session_data": data})
    };
    let stranger = DecryptionKey::new(storage_key(3)).public_key();
    let keys = json!({"rooms": {
        "!a:x": {"sessions": {"s": entry(stranger), "t": {"session_data": 7}}},
        "!b:x": {"sessions": {"u": entry(public)}},
    }});
    for auth_data in [json!({}), json!({"public_key": "damaged"}), json!({"public_key": 7})] {
        let account = Account::new(&version(auth_data.clone()), &keys, &json!({}));
        let opened = account.opened(&[&paper(&backup_key())]).await;
        let (kind, id, current, _) = backup();
        assert_eq!(opened.fits, [(kind, id, current, Proof::Entries)], "{auth_data}");
        let secret = paper(&backup_key());
        let visit = account.visit(&[&secret], false, &Default::default()).await.unwrap();
        let version = visit.overview.versions.first().unwrap();
        assert_eq!(visit.sampled(version), Some((1, 3)));
        assert_eq!(account.refusal(&paper(&storage_key(9))).await, "fits-nothing");
    }
}

/// Whoever knows the public key of an old 4S key can store secrets under it: so also the server. It may
/// show a backup of its own in that way, but what it knows must not open the store.
#[test]
fn key_that_a_server_could_have_made_up_opens_no_store() {
    let key = storage_key(1);
    let public =
        Curve25519PublicKey::from_bytes(DecryptionKey::new(key.duplicate()).public_key().0);
    let forged = PkEncryption::from_key(public).encrypt(&usual()).unwrap();
    let secret = json!({
        "ephemeral": base64::encode(forged.ephemeral_key.as_bytes()),
        "ciphertext": base64::encode(&forged.ciphertext),
        "mac": base64::encode(&forged.mac),
    });
    let old = json!({"algorithm": OLD_ALGORITHM, "pubkey": base64::encode(public.as_bytes())});
    for (description, secret, locks) in [
        (old, secret.clone(), vec!["storage-key"]),
        // The kind of the secret is what counts, not what the key is said to be.
        (described(&key), secret, vec!["storage-key"]),
        (described(&key), sealed(&key, &usual()), vec!["backup-key", "storage-key"]),
    ] {
        let data = account_data(&[("a", description)], json!({ "a": secret }));
        let public = DecryptionKey::new(backup_key()).public_key().to_base64();
        let keys = json!({"rooms": {"!a:x": {"sessions": {"nothing": {}}}}});
        let account = Account::new(&version(json!({ "public_key": public })), &keys, &data);
        let lab = Lab::new();
        let snapshot = account.file();
        let snapshot = snapshot.to_str().unwrap();
        let secret = format!("--secret-file={}", lab.secret("recovery key", paper(&key)));
        let unlocked = lab.json(&["unlock", "--snapshot", snapshot, &secret], 0);
        assert_eq!(unlocked["opens_backups"], json!(["1"]), "it is open all the same");
        lab.json(&["restore", "--snapshot", snapshot, &secret], 3);
        let info = lab.json(&["store", "info", &secret], 0);
        let kinds = info["locks"].as_array().unwrap().iter();
        let mut kinds: Vec<_> = kinds.map(|lock| lock["kind"].as_str().unwrap()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, locks);
        // What was typed itself is nobody's invention.
        let typed = lab.secret("backup key", paper(&backup_key()));
        let typed = format!("--secret-file={typed}");
        lab.json(&["restore", "--snapshot", snapshot, &secret, &typed], 3);
        lab.json(&["store", "info", &typed], 0);
    }
}

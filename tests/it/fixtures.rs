//! Backups that real clients made, opened from the recovery key down to each room key.

use keyhaul::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        entry::{Metadata, RawEntry},
        recovery_key,
        scanner::{Ending, Scanner, Shape},
        version::BackupVersion,
    },
    base::{base64, secret::Secret32},
    megolm::room_key::RoomKey,
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX, KeyCheck, KeyDescription},
        secret::{self, BACKUP_SECRET, StoredSecret},
    },
};
use serde_json::Value;

fn modern() -> Value {
    serde_json::from_str(include_str!("../fixtures/backup-modern.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// From the recovery key through secret storage to the backup's private key.
fn backup_key(fixture: &Value) -> Secret32 {
    let key = recovery_key::parse(text(&fixture["recovery_key"])).unwrap();
    let account_data = &fixture["account_data"];
    let key_id = text(&account_data[DEFAULT_KEY]["key"]);
    let content = account_data[format!("{KEY_PREFIX}{key_id}")].to_string();
    let description = KeyDescription::parse(key_id, &content).unwrap();
    assert_eq!(description.check(key.expose()), KeyCheck::Fits);
    let stored =
        StoredSecret::parse(BACKUP_SECRET, &account_data[BACKUP_SECRET].to_string()).unwrap();
    assert_eq!(stored.key_ids().collect::<Vec<_>>(), [key_id]);
    secret::read_key(&stored.open(key_id, key.expose()).unwrap()).unwrap()
}

#[test]
fn a_modern_backup_opens_through_secret_storage() {
    let fixture = modern();
    let secret = backup_key(&fixture);
    let expected = text(&fixture["backup_private_key_base64"]);
    assert_eq!(base64::decode(expected).unwrap(), secret.expose());
    let form = text(&fixture["backup_private_key_recovery_form"]);
    assert_eq!(recovery_key::format(&secret).expose(), form);

    let version = BackupVersion::parse(&fixture["version_response"].to_string(), None).unwrap();
    let key = DecryptionKey::new(secret);
    assert_eq!(version.public_key().unwrap(), key.public_key());
    assert_eq!((version.version.as_str(), version.etag.as_deref()), ("1", Some("2")));

    let body = fixture["keys_response"].to_string();
    let mut opened: Vec<(RoomKey, Metadata)> = Vec::new();
    let mut workroom = Workroom::default();
    let mut scanner = Scanner::new(Shape::WholeBody);
    let mut take = |entry: RawEntry<'_>| {
        opened.push((key.open(&entry, &mut workroom).unwrap(), Metadata::parse(entry.json)));
    };
    assert_eq!(scanner.feed(body.as_bytes(), &mut take), Ok(body.len()));
    assert_eq!(scanner.finish(), Ending::Whole);
    assert_eq!(scanner.entries(), version.count.unwrap());

    let truth = fixture["sessions"].as_array().unwrap();
    assert_eq!(opened.len(), truth.len());
    for known in truth {
        let is_known = |key: &RoomKey| {
            key.room_id == text(&known["room_id"])
                && key.session_id().to_string() == text(&known["session_id"])
        };
        let (key, metadata) = opened.iter().find(|(key, _)| is_known(key)).unwrap();
        assert_eq!(
            key.key.first_known_index(),
            known["first_known_index"].as_u64().unwrap() as u32
        );
        assert_eq!(metadata.first_message_index, known["first_known_index"].as_u64());
        assert_eq!(metadata.forwarded_count, Some(0));
        assert_eq!(metadata.is_verified, Some(false));
        // All else that was inside comes out again word for word.
        let plaintext: Value = serde_json::from_str(&key.to_plaintext()).unwrap();
        let mut expected = known.clone();
        for ours in ["room_id", "session_id", "first_known_index"] {
            expected.as_object_mut().unwrap().remove(ours);
        }
        assert_eq!(plaintext, expected);
    }
}

#[test]
fn another_recovery_key_opens_nothing_of_it() {
    let fixture = modern();
    // The backup's own private key written as a recovery key looks the same, but is another key.
    let other = recovery_key::parse(text(&fixture["backup_private_key_recovery_form"])).unwrap();
    let account_data = &fixture["account_data"];
    let key_id = text(&account_data[DEFAULT_KEY]["key"]);
    let content = account_data[format!("{KEY_PREFIX}{key_id}")].to_string();
    let description = KeyDescription::parse(key_id, &content).unwrap();
    assert_eq!(description.check(other.expose()), KeyCheck::DoesNotFit);

    let storage_key = recovery_key::parse(text(&fixture["recovery_key"])).unwrap();
    let wrong = DecryptionKey::new(storage_key);
    let body = fixture["keys_response"].to_string();
    let mut reasons = Vec::new();
    let mut workroom = Workroom::default();
    let mut refuse = |entry: RawEntry<'_>| {
        reasons.push(wrong.open(&entry, &mut workroom).map(|_| ()).unwrap_err().reason());
    };
    Scanner::new(Shape::WholeBody).feed(body.as_bytes(), &mut refuse).unwrap();
    assert_eq!(reasons, ["mac"; 8]);
}

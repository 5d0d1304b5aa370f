//! The four accounts that real clients made, each by every secret that belongs to it.

use keyhaul::{
    backup::recovery_key,
    base::base64,
    recovery::unlock::SecretKind::{self, Passphrase, RawKey, RecoveryKey},
};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{Account, Opened, backup, hex, key, storage, text};

/// Files of `tests/fixtures`.
pub(crate) const MODERN: &str = include_str!("../../fixtures/backup-modern.json");
pub(crate) const PASSPHRASE: &str = include_str!("../../fixtures/backup-passphrase.json");
pub(crate) const LEGACY: &str = include_str!("../../fixtures/backup-legacy.json");
pub(crate) const LEGACY_PASSPHRASE: &str =
    include_str!("../../fixtures/backup-legacy-passphrase.json");

/// Every secret of a fixture in every form a person may have, with its kind and whether it opens
/// secret storage first.
pub(crate) fn secrets(fixture: &Value) -> Vec<(String, SecretKind, bool)> {
    let mut secrets = Vec::new();
    let has_storage = fixture.get("ss_key_id").is_some();
    let paper = text(&fixture["recovery_key"]).to_owned();
    secrets.push((paper.clone(), RecoveryKey, has_storage));
    secrets.push((paper.replace(' ', "\n"), RecoveryKey, has_storage));
    if let Some(passphrase) = fixture["passphrase"].as_str() {
        let forms = [
            passphrase.to_owned(),
            passphrase.nfc().collect(),
            passphrase.nfd().collect(),
            format!("{passphrase} \n"),
            passphrase.nfd().chain(" ".chars()).collect(),
        ];
        secrets.extend(forms.map(|form| (form, Passphrase, has_storage)));
    }
    let mut raw = |value: &Value, opens_storage: bool| {
        let key = key(value);
        let plain = base64::encode(key.expose());
        for form in [plain.clone(), format!("{plain}="), plain.replace('+', "-"), hex(&key)] {
            secrets.push((form, RawKey, opens_storage));
        }
        let on_paper = recovery_key::format(&key).expose().to_owned();
        secrets.push((on_paper, RecoveryKey, opens_storage));
    };
    raw(&fixture["backup_private_key_base64"], false);
    if has_storage {
        raw(&fixture["ss_key_base64"], true);
    }
    secrets
}

async fn every_secret_opens(fixture: &str) {
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let account = Account::new(
        &fixture["version_response"],
        &fixture["keys_response"],
        &fixture["account_data"],
    );
    for (secret, kind, opens_storage) in secrets(&fixture) {
        let mut fits = vec![backup()];
        if opens_storage {
            fits.insert(0, storage(text(&fixture["ss_key_id"]), true));
        }
        let expected = Opened { kinds: vec![kind], fits, cannot_check: vec![] };
        assert_eq!(account.opened(&[&secret]).await, expected, "{secret:?}");
    }
    let wrong = recovery_key::format(&key(&"B".repeat(43).into()));
    assert_eq!(account.refusal(wrong.expose()).await, "fits-nothing");
}

#[tokio::test]
async fn modern_backup() {
    every_secret_opens(MODERN).await;
}

#[tokio::test]
async fn backup_of_a_passphrase() {
    every_secret_opens(PASSPHRASE).await;
}

#[tokio::test]
async fn legacy_backup() {
    every_secret_opens(LEGACY).await;
}

#[tokio::test]
async fn legacy_backup_of_a_passphrase() {
    every_secret_opens(LEGACY_PASSPHRASE).await;
}

#[tokio::test]
async fn words_that_are_no_secret_of_the_account_are_told_apart() {
    let of = |fixture: &str| {
        let fixture: Value = serde_json::from_str(fixture).unwrap();
        let [version, keys, data] =
            ["version_response", "keys_response", "account_data"].map(|name| fixture[name].clone());
        Account::new(&version, &keys, &data)
    };
    let (with, without) = (of(PASSPHRASE), of(MODERN));
    assert_eq!(with.refusal("not the passphrase of this account").await, "passphrase-fits-nothing");
    assert_eq!(without.refusal("not the passphrase of this account").await, "passphrase-unused");
    // Where it was meant as a recovery key, a slip is told as one.
    let slip = "EsTs oX29 DkvF o3dL XQBZ c4xg FzkD umJx yJ63 31Qq QEwt YmFq";
    assert_eq!(without.refusal(slip).await, "key-checksum");
    assert_eq!(with.refusal(slip).await, "key-checksum");
    assert_eq!(with.refusal(" ").await, "secret-missing");
}

//! What each kind of secret opens, on the locks that real clients made and on odd ones; offline, from
//! snapshots, by the same way that every command takes.

pub(crate) mod accounts;
mod effort;
mod odd_locks;
mod storage;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use keyhaul::{
    backup::decryption::DecryptionKey,
    base::{
        base64,
        cancel::Cancel,
        failure::Failure,
        progress::{Progress, Silent},
        secret::{Secret32, SecretText},
    },
    recovery::{
        look::Wanted,
        unlock::{LockKind, Proof, SecretKind},
        visit::{Place, Visit},
    },
    snapshot::{
        format::{FORMAT, Header},
        writer::Writer,
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::snapshots::trailer;

/// An account as a snapshot has it.
pub(super) struct Account {
    folder: TempDir,
}

/// What secrets opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    kinds: Vec<SecretKind>,
    /// Kind of the lock, its id, whether it is the one in use, the proof.
    fits: Vec<(LockKind, String, bool, Proof)>,
    cannot_check: Vec<String>,
}

impl Account {
    /// A version, its keys and account data by type.
    pub(super) fn new(version: &Value, keys: &Value, account_data: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let raw = |value: &Value| serde_json::value::to_raw_value(value).unwrap();
        let account_data = account_data.as_object().into_iter().flatten();
        let header = Header {
            keyhaul_snapshot: FORMAT,
            server: "https://harness.test".to_owned(),
            user: "@fixture:harness.test".to_owned(),
            started: jiff::Timestamp::UNIX_EPOCH,
            version: raw(version),
            account_data: account_data.map(|(kind, data)| (kind.clone(), raw(data))).collect(),
        };
        let mut writer = Writer::create(&folder.path().join("snapshot"), &header).unwrap();
        writer.write(keys.to_string().as_bytes()).unwrap();
        writer.finish(trailer(), BTreeMap::new()).unwrap();
        Self { folder }
    }

    /// An account whose one backup, without any keys, is locked for this private key.
    pub(super) fn with_backup_of(key: &Secret32, account_data: &Value) -> Self {
        let public = DecryptionKey::new(key.duplicate()).public_key().to_base64();
        Self::new(&version(json!({ "public_key": public })), &json!({"rooms": {}}), account_data)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("snapshot")
    }

    /// Tries secrets on all its locks, by as much calculation as they ask for if `slow`.
    pub(super) async fn visit(
        &self,
        secrets: &[&str],
        slow: bool,
        cancel: &Cancel,
    ) -> Result<Visit, Failure> {
        let place = Place::Snapshot { file: self.file(), user: None, server: None };
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let mut visit =
            Visit::begin(place, &Wanted::Current, &mut |_| {}, &*progress, cancel).await?;
        let secrets: Vec<_> =
            secrets.iter().map(|secret| SecretText::new((*secret).to_owned())).collect();
        visit.unlock(&secrets, slow, &progress, cancel).await?;
        Ok(visit)
    }

    pub(super) async fn opened(&self, secrets: &[&str]) -> Opened {
        let visit = self.visit(secrets, false, &Cancel::default()).await.unwrap();
        let unlocked = visit.unlocked.unwrap();
        let fits = unlocked.fits.into_iter();
        Opened {
            kinds: unlocked.kinds,
            fits: fits.map(|fit| (fit.kind, fit.id, fit.current, fit.proof)).collect(),
            cannot_check: unlocked.cannot_check,
        }
    }

    /// Why a secret opens nothing.
    pub(super) async fn refusal(&self, secret: &str) -> &'static str {
        let visit = self.visit(&[secret], false, &Cancel::default()).await.unwrap();
        visit.fits_nothing().expect("it opens nothing").code().word()
    }
}

/// A version as a server describes it.
pub(super) fn version(auth_data: Value) -> Value {
    json!({
        "version": "1",
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": auth_data,
        "etag": "1",
        "count": 0,
    })
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(super) fn key(base64: &Value) -> Secret32 {
    Secret32::from_slice(&base64::decode(text(base64)).unwrap()).unwrap()
}

pub(super) fn hex(key: &Secret32) -> String {
    key.expose().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The lock of the only backup, opened by its public key.
pub(super) fn backup() -> (LockKind, String, bool, Proof) {
    (LockKind::Backup, "1".to_owned(), true, Proof::PublicKey)
}

/// A lock of secret storage, opened by a MAC.
pub(super) fn storage(id: &str, current: bool) -> (LockKind, String, bool, Proof) {
    (LockKind::SecretStorage, id.to_owned(), current, Proof::Mac)
}

//! What a store holds, read through the library with secrets that a fixture names, so that two
//! stores can be compared: rows differ in order, numbers and nonces, their meaning must not.

use std::ops::ControlFlow;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use keyhaul::{
    backup::decryption::DecryptionKey,
    base::secret::Secret32,
    store::{
        error::StoreError,
        folder::DataDir,
        reader::Reader,
        slots::SlotSecret,
        sources::{Source, SourceId},
    },
};
use serde_json::Value;

use super::{computer::Computer, text};

/// One key in a store, with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeptKey {
    pub(super) room_id: String,
    pub(super) session_id: String,
    /// 0 is the preferred one.
    pub(super) rank: u8,
    pub(super) first_known_index: u32,
    /// The export format in base64.
    pub(super) export: String,
    /// The backup versions that hold it, with their public keys.
    pub(super) held_by: Vec<String>,
    /// The key with all claims, as JSON.
    pub(super) plaintext: String,
}

/// A secret that may open a store.
pub(super) enum Opener {
    BackupKey(DecryptionKey),
    StorageKey { id: String, secret: Secret32 },
}

impl Opener {
    /// The private key of the fixture's backup.
    pub(super) fn backup_key_of(fixture: &Value) -> Self {
        Self::backup_key(secret(text(fixture, "backup_private_key_base64")))
    }

    pub(super) fn backup_key(secret: Secret32) -> Self {
        Self::BackupKey(DecryptionKey::new(secret))
    }

    /// The key of the fixture's secret storage.
    pub(super) fn storage_key_of(fixture: &Value) -> Self {
        let id = text(fixture, "ss_key_id").to_owned();
        Self::StorageKey { id, secret: secret(text(fixture, "ss_key_base64")) }
    }

    /// Opens the store that an account has on a computer.
    pub(super) fn open(
        &self,
        computer: &Computer,
        user_id: &str,
        server: &str,
    ) -> Result<Reader, StoreError> {
        let secret = match self {
            Self::BackupKey(key) => SlotSecret::BackupKey {
                secret: key.secret().expose(),
                public_key: key.public_key(),
            },
            Self::StorageKey { id, secret } => {
                SlotSecret::StorageKey { secret: secret.expose(), key_id: id }
            }
        };
        let data_dir = DataDir::find(&computer.data_dir())?.ok_or(StoreError::Missing)?;
        let folder = data_dir.find_account(user_id, server)?.ok_or(StoreError::Missing)?;
        Reader::open(&folder, &[secret])
    }
}

fn secret(base64: &str) -> Secret32 {
    Secret32::from_slice(&BASE64_STANDARD_NO_PAD.decode(base64).unwrap()).unwrap()
}

/// All keys of a store, in an order that is the same for equal stores.
pub(super) fn keys(store: &Reader) -> Vec<KeptKey> {
    let sources = store.sources().unwrap();
    let mut keys = Vec::new();
    let read = store.for_each_key(None, |stored| {
        let mut held_by: Vec<_> = stored.sources.iter().map(|id| name(*id, &sources)).collect();
        held_by.sort();
        keys.push(KeptKey {
            room_id: stored.key.room_id.clone(),
            session_id: stored.key.session_id().to_string(),
            rank: stored.rank,
            first_known_index: stored.key.key.first_known_index(),
            export: stored.key.key.to_base64().expose().to_owned(),
            held_by,
            plaintext: stored.key.to_plaintext().to_string(),
        });
        ControlFlow::Continue(())
    });
    assert_eq!(read.unwrap().damaged, 0);
    keys.sort();
    keys
}

fn name(wanted: SourceId, sources: &[(SourceId, Source)]) -> String {
    let (_, source) = sources.iter().find(|(id, _)| *id == wanted).unwrap();
    match source {
        Source::Backup { version, public_key } => format!("{version} {}", public_key.to_base64()),
        Source::KeyFile { name, .. } => panic!("nothing was imported, but a key is from {name}"),
    }
}

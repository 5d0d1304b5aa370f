//! The encrypted local store, on real files.

mod damage;
mod merging;
mod opening;
mod small_files;

use std::{path::Path, time::Instant};

use curve25519_dalek::{EdwardsPoint, Scalar};
use keyhaul::{
    backup::{decryption::DecryptionKey, version::PublicKey},
    base::{random::SystemRandom, secret::Secret32},
    megolm::{
        room_key::{Claims, RoomKey},
        session_key::SessionKey,
    },
    store::{
        Merged,
        error::StoreError,
        folder::{DataDir, Folder, FolderLock},
        slots::SlotSecret,
        sources::{Source, SourceId},
        writer::Store,
    },
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vodozemac::megolm::{ExportedSessionKey, InboundGroupSession, SessionConfig};

const USER: &str = "@a:example.org";
const ORIGIN: &str = "https://matrix.example.org";
const ROOM: &str = "!canary-room:example.org";

/// A data directory of its own, with one account.
struct Home {
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn data_dir(&self) -> DataDir {
        DataDir::open(&self.dir.path().join("data")).unwrap()
    }

    fn folder(&self) -> Folder {
        self.data_dir().account(USER, ORIGIN).unwrap()
    }

    fn lock(&self) -> FolderLock {
        self.folder().lock().unwrap()
    }

    fn open(&self) -> Store {
        open(&self.lock(), 1).unwrap()
    }

    fn database(&self) -> std::path::PathBuf {
        self.folder().path().join("store.sqlite3")
    }
}

fn open(lock: &FolderLock, secret: u8) -> Result<Store, StoreError> {
    let (secret, public_key) = backup_key(secret);
    let slot = SlotSecret::BackupKey { secret: secret.expose(), public_key };
    Store::open(lock, &[slot], &mut SystemRandom)
}

fn backup_key(seed: u8) -> (Secret32, PublicKey) {
    let secret = Secret32::take(&mut [seed; 32]);
    let public_key = DecryptionKey::new(secret.duplicate()).public_key();
    (secret, public_key)
}

fn version(name: &str) -> Source {
    Source::Backup { version: name.to_owned(), public_key: PublicKey([1; 32]) }
}

fn key_file(seed: u8) -> Source {
    Source::KeyFile { name: "keys.txt".to_owned(), sha256: [seed; 32] }
}

/// The key of a session at a message. Ratchets of one session have nothing in common, but for the
/// one above 100: it differs from the one 100 below in its last part only, so that the two become one
/// at the next multiple of 256.
fn key(session: u32, ratchet: u8, index: u32) -> SessionKey {
    let part = |ratchet: u8, part: u8| {
        Sha256::digest([&session.to_le_bytes()[..], &[ratchet, part]].concat())
    };
    let point = EdwardsPoint::mul_base(&Scalar::from(u64::from(session) + 1_000));
    let mut export = vec![1, 0, 0, 0, 0];
    for number in 0..3 {
        export.extend(part(ratchet % 100, number));
    }
    export.extend(part(ratchet, 3));
    export.extend(point.compress().to_bytes());
    if index > 0 {
        let export_key = ExportedSessionKey::from_bytes(&export).unwrap();
        let mut group = InboundGroupSession::import(&export_key, SessionConfig::version_1());
        export = group.export_at(index).unwrap().to_bytes();
    }
    SessionKey::from_bytes(&export).unwrap()
}

/// What a usual client stores in a backup.
fn usual(room: &str, key: SessionKey) -> RoomKey {
    let json = r#"{"algorithm":"m.megolm.v1.aes-sha2","forwarding_curve25519_key_chain":[],
        "sender_key":"Y2FuYXJ5IGNhbmFyeSBjYW5hcnkgY2FuYXJ5IGNhbmE",
        "sender_claimed_keys":{"ed25519":"ZWQyNTUxOSBjYW5hcnkgZWQyNTUxOSBjYW5hcnkgZWQ"},
        "m.shared_history":false,"session_key":""#;
    let json = format!("{json}{}\"}}", key.to_base64().expose());
    let session = key.session_id().to_string();
    let whole = RoomKey::parse(json.as_bytes(), room, &session).unwrap();
    assert!(whole.claims.sender_key.is_some() && whole.claims.ed25519.is_some());
    whole
}

fn bare(room: &str, key: SessionKey) -> RoomKey {
    RoomKey { room_id: room.to_owned(), key, claims: Claims::default() }
}

/// Merges keys of one source in one transaction.
fn merge(
    store: &mut Store,
    source: SourceId,
    keys: impl IntoIterator<Item = RoomKey>,
) -> Result<Vec<Merged>, StoreError> {
    let preparer = store.preparer();
    let mut batch = store.begin(Instant::now())?;
    let mut merged = Vec::new();
    for key in keys {
        let prepared = preparer.prepare(key, source, &mut SystemRandom)?;
        merged.push(batch.merge(prepared, &mut SystemRandom)?);
    }
    batch.commit()?;
    Ok(merged)
}

fn source(store: &mut Store, source: &Source) -> SourceId {
    store.source_id(source, &mut SystemRandom).unwrap()
}

/// All bytes of all files in a folder, by name.
fn bytes_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

//! How fast the way of one key is: cutting a body into entries, opening them, storing them, and all of
//! it together from a snapshot.
//!
//! The peer of opening stands beside it in the same run: vodozemac's `PkDecryption`, one thread each.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
    time::Instant,
};

use divan::{Bencher, black_box, counter::BytesCount, counter::ItemsCount};
use keyhaul::{
    backup::recovery_key,
    backup::{
        decryption::{DecryptionKey, Workroom},
        encryption::seal,
        entry::{RawEntry, Sealed},
        scanner::{Scanner, Shape},
    },
    base::{
        base64,
        cancel::Cancel,
        progress::{Progress, Silent},
        random::SystemRandom,
        secret::Secret32,
    },
    megolm::room_key::RoomKey,
    recovery::{
        look::Wanted,
        restore::{Wish, restore},
        visit::{Place, Visit},
        watch::Watch,
    },
    snapshot::{
        format::{FORMAT, Header, Trailer},
        writer::Writer,
    },
    store::{folder::DataDir, slots::SlotSecret, sources::Source, writer::Store},
};
use serde_json::{json, value::to_raw_value};
use tempfile::TempDir;
use vodozemac::{
    Curve25519SecretKey,
    megolm::{GroupSession, InboundGroupSession, SessionConfig},
    pk_encryption::{Message, PkDecryption},
};

/// Rooms of the made-up backup.
const ROOMS: usize = 50;
/// Entries of each room.
const SESSIONS: usize = 200;
const PRIVATE: [u8; 32] = [7; 32];

/// A body as a server sends it, sealed for [`PRIVATE`].
static BODY: LazyLock<String> = LazyLock::new(|| {
    let public = decryption_key().public_key();
    let entry = |room: usize| {
        let session = GroupSession::new(SessionConfig::version_1());
        let key = InboundGroupSession::new(&session.session_key(), SessionConfig::version_1());
        let plaintext = json!({
            "algorithm": "m.megolm.v1.aes-sha2",
            "sender_key": base64::encode(&[room as u8; 32]),
            "sender_claimed_keys": {"ed25519": base64::encode(&[room as u8; 32])},
            "forwarding_curve25519_key_chain": [],
            "session_key": key.export_at_first_known_index().to_base64(),
            "m.shared_history": true,
        });
        let sealed = seal(plaintext.to_string().as_bytes(), public, &mut SystemRandom)
            .unwrap_or_else(|weak| unreachable!("{weak}"));
        let data = json!({
            "first_message_index": 0,
            "forwarded_count": 0,
            "is_verified": false,
            "session_data": sealed,
        });
        format!("\"{}\":{data}", session.session_id())
    };
    let room = |room: usize| {
        let sessions: Vec<String> = (0..SESSIONS).map(|_| entry(room)).collect();
        format!("\"!{room:018}:example.org\":{{\"sessions\":{{{}}}}}", sessions.join(","))
    };
    let rooms: Vec<String> = (0..ROOMS).map(room).collect();
    format!("{{\"rooms\":{{{}}}}}", rooms.join(","))
});

fn decryption_key() -> DecryptionKey {
    DecryptionKey::new(Secret32::take(&mut PRIVATE.clone()))
}

/// The body's entries: room, session, JSON.
fn entries(chunk: usize, mut give: impl FnMut(RawEntry<'_>)) {
    let mut scanner = Scanner::new(Shape::WholeBody);
    for chunk in BODY.as_bytes().chunks(chunk) {
        if let Err(fault) = scanner.feed(chunk, &mut give) {
            unreachable!("{fault}");
        }
    }
    assert_eq!(scanner.entries(), (ROOMS * SESSIONS) as u64);
}

/// The first room's entries, owned.
fn one_room() -> Vec<(String, String, Vec<u8>)> {
    let mut owned = Vec::new();
    entries(BODY.len(), |entry| {
        owned.push((entry.room_id.to_owned(), entry.session_id.to_owned(), entry.json.to_owned()));
    });
    owned.truncate(SESSIONS);
    owned
}

/// From bytes to entries, in chunks as they come from a socket and at once as from a file.
#[divan::bench(args = [4 << 10, 16 << 10, 64 << 10, 16 << 20])]
fn scan(bencher: Bencher<'_, '_>, chunk: usize) {
    bencher.counter(BytesCount::new(BODY.len())).bench(|| {
        let mut bytes = 0;
        entries(black_box(chunk), |entry| bytes += entry.json.len());
        bytes
    });
}

/// From entries to checked room keys.
#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let key = decryption_key();
    let entries = one_room();
    let mut workroom = Workroom::default();
    bencher.counter(ItemsCount::new(entries.len())).bench_local(|| {
        for (room_id, session_id, json) in &entries {
            let entry = RawEntry { room_id, session_id, json, fault: None };
            assert!(black_box(key.open(&entry, &mut workroom)).is_ok());
        }
    });
}

/// The peer: the same parts read from the same JSON and unlocked, with no check of what is inside.
#[divan::bench]
fn open_by_vodozemac(bencher: Bencher<'_, '_>) {
    let key = PkDecryption::from_key(Curve25519SecretKey::from_slice(&PRIVATE));
    let entries = one_room();
    bencher.counter(ItemsCount::new(entries.len())).bench_local(|| {
        for (_, _, json) in &entries {
            let opened = Sealed::parse(json)
                .and_then(|s| Message::from_base64(&s.ciphertext, &s.mac, &s.ephemeral).ok())
                .and_then(|message| key.decrypt(&message).ok());
            assert!(black_box(opened).is_some());
        }
    });
}

/// Room keys into an empty store, sealed, merged and committed: what one writer thread does, and the
/// sealing that workers do beside it.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn store(bencher: Bencher<'_, '_>) {
    let mut keys = Vec::new();
    let (key, mut workroom) = (decryption_key(), Workroom::default());
    entries(BODY.len(), |entry| keys.extend(key.open(&entry, &mut workroom)));
    let plain: Vec<_> =
        keys.iter().map(|key: &RoomKey| (key.room_id.clone(), key.to_plaintext())).collect();
    let again = || {
        let read = |(room, json): &(String, zeroize::Zeroizing<String>)| {
            let session = keys_session(json);
            RoomKey::parse(json.as_bytes(), room, &session).ok()
        };
        (TempDir::new(), plain.iter().filter_map(read).collect::<Vec<_>>())
    };
    bencher.counter(ItemsCount::new(keys.len())).with_inputs(again).bench_local_values(
        |(folder, keys)| {
            let folder = folder.unwrap_or_else(|error| unreachable!("{error}"));
            fill(folder.path(), keys).unwrap_or_else(|error| unreachable!("{error}"));
            folder
        },
    );
}

fn keys_session(plaintext: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(plaintext).unwrap_or_default();
    let key = value.get("session_key").and_then(|key| key.as_str()).unwrap_or_default();
    let bytes = base64::decode(key).unwrap_or_default();
    base64::encode(bytes.get(133..).unwrap_or_default())
}

fn fill(folder: &Path, keys: Vec<RoomKey>) -> Result<(), keyhaul::store::error::StoreError> {
    let (key, random) = (decryption_key(), &mut SystemRandom);
    let lock = DataDir::open(folder)?.account("@a:example.org", "https://example.org")?.lock()?;
    let public_key = key.public_key();
    let secret = SlotSecret::BackupKey { secret: key.secret().expose(), public_key };
    let mut store = Store::open(&lock, &[secret], random)?;
    let source = Source::Backup { version: "1".to_owned(), public_key };
    let source = store.source_id(&source, random)?;
    let preparer = store.preparer();
    let mut batch = store.begin(Instant::now())?;
    for key in keys {
        batch.merge(preparer.prepare(key, source, random)?, random)?;
    }
    batch.commit()
}

/// The whole way: from a snapshot of 10 000 keys on disk to a store, all cores.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn restore_a_snapshot(bencher: Bencher<'_, '_>) {
    let folder = TempDir::new().unwrap_or_else(|error| unreachable!("{error}"));
    let file = folder.path().join("snapshot");
    save(&file).unwrap_or_else(|error| unreachable!("{error}"));
    let runtime = tokio::runtime::Runtime::new().unwrap_or_else(|error| unreachable!("{error}"));
    bencher
        .counter(ItemsCount::new(ROOMS * SESSIONS))
        .with_inputs(|| TempDir::new_in(folder.path()))
        .bench_local_values(|data| {
            let data = data.unwrap_or_else(|error| unreachable!("{error}"));
            let done = runtime.block_on(restore_into(&file, data.path()));
            let done = done.unwrap_or_else(|failure| unreachable!("{}", failure.what()));
            assert_eq!(done, (ROOMS * SESSIONS) as u64);
            data
        });
}

async fn restore_into(file: &Path, data: &Path) -> Result<u64, keyhaul::base::failure::Failure> {
    let secret = recovery_key::format(decryption_key().secret());
    let (wanted, cancel) = (Wanted::Current, Cancel::default());
    let place = Place::Snapshot { file: file.to_owned(), user: None, server: None };
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let mut visit = Visit::begin(place, &wanted, &mut |_| {}, &*progress, &cancel).await?;
    visit.unlock(&[secret], false, &progress, &cancel).await?;
    let wish = Wish {
        wanted,
        rooms: Vec::new(),
        dry_run: false,
        save_snapshot: false,
        data_dir: data.to_owned(),
        from: Default::default(),
        read_back: false,
    };
    Ok(restore(&visit, wish, Watch::default(), progress, cancel).await?.stored_total)
}

fn save(file: &Path) -> std::io::Result<()> {
    let version = json!({
        "version": "1",
        "algorithm": keyhaul::backup::version::ALGORITHM,
        "auth_data": {"public_key": decryption_key().public_key().to_base64()},
        "etag": "1",
        "count": ROOMS * SESSIONS,
    });
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: "https://example.org".to_owned(),
        user: "@a:example.org".to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
        version: to_raw_value(&version)?,
        account_data: Default::default(),
    };
    let mut writer = Writer::create(file, &header)?;
    writer.write(BODY.as_bytes())?;
    let trailer = Trailer {
        complete: true,
        etag_before: Some("1".to_owned()),
        etag_after: Some("1".to_owned()),
        count: None,
        entries: (ROOMS * SESSIONS) as u64,
        sha256: String::new(),
        names_bytes: 0,
    };
    writer.finish(trailer, Default::default()).map(|_| ())
}

fn main() {
    divan::main();
}

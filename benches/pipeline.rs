//! How fast the way of one key is: cutting a body into entries, and opening them.
//!
//! The peer stands beside it in the same run: vodozemac's `PkDecryption`, one thread each.

use std::sync::LazyLock;

use divan::{Bencher, black_box, counter::BytesCount, counter::ItemsCount};
use keyhaul::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        encryption::seal,
        entry::{RawEntry, Sealed},
        scanner::{Scanner, Shape},
    },
    base::{base64, random::SystemRandom, secret::Secret32},
};
use serde_json::json;
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

fn main() {
    divan::main();
}

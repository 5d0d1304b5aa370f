//! How fast passphrases become keys, and keys go into a key file and out of it.
//!
//! The peer of our own rounds stands beside them in the same run: the crate `pbkdf2`, one thread each.

use divan::{Bencher, black_box, counter::ItemsCount};
use keyhaul::{
    base::{base64, random::SystemRandom, secret::SecretText, stretch::Recipe},
    key_file::{
        crypt::{FileKeys, Head},
        portable::Portable,
        reading,
        writing::KeyFile,
    },
    megolm::room_key::RoomKey,
};
use serde_json::json;
use sha2::Sha512;
use vodozemac::megolm::{GroupSession, InboundGroupSession, SessionConfig};

/// What most clients ask for.
const ROUNDS: u32 = 500_000;
const PASSPHRASE: &[u8] = b"an engine weaves patterns";
const SALT: &[u8] = b"JlqNrQmUFzEmaXtxEEn4VgVKJ9dB3z5C";
/// Keys of the file.
const KEYS: usize = 10_000;

#[divan::bench(sample_count = 10, sample_size = 1)]
fn rounds_of_ours(bencher: Bencher<'_, '_>) {
    let recipe = Recipe::new(SALT, ROUNDS.into(), 256);
    let recipe = recipe.unwrap_or_else(|fault| unreachable!("{fault}"));
    bencher.counter(ItemsCount::new(ROUNDS)).bench_local(|| {
        recipe
            .stretch(black_box(PASSPHRASE), &mut |_| true)
            .map(|key| black_box(key.expose().len()))
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn rounds_of_the_crate(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(ROUNDS)).bench_local(|| {
        let mut key = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha512>(black_box(PASSPHRASE), SALT, ROUNDS, &mut key);
        black_box(key)
    });
}

fn keys() -> Vec<RoomKey> {
    let one = || {
        let session = GroupSession::new(SessionConfig::version_1());
        let key = InboundGroupSession::new(&session.session_key(), SessionConfig::version_1());
        let json = json!({
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": "!abcdefghijklmnopqr:example.org",
            "sender_key": base64::encode(&[7; 32]),
            "sender_claimed_keys": {"ed25519": base64::encode(&[1; 32])},
            "forwarding_curve25519_key_chain": [],
            "session_key": key.export_at_first_known_index().to_base64(),
        });
        RoomKey::parse_exported(json.to_string().as_bytes())
            .unwrap_or_else(|fault| unreachable!("{fault}"))
    };
    (0..KEYS).map(|_| one()).collect()
}

fn locked() -> (Head, FileKeys) {
    let head = Head::fresh(1, &mut SystemRandom);
    let keys = head.keys(&SecretText::new("passphrase".to_owned()), &mut |_| true);
    (head, keys.unwrap_or_else(|| unreachable!("nobody stops it")))
}

fn write(keys: &[RoomKey], head: &Head, locks: &FileKeys) -> std::io::Result<Vec<u8>> {
    let mut file = KeyFile::new(Vec::new(), head, locks)?;
    for key in keys {
        let portable = Portable::of(key).unwrap_or_else(|fault| unreachable!("{fault}"));
        file.add(&portable)?;
    }
    file.finish()
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn write_a_key_file(bencher: Bencher<'_, '_>) {
    let (keys, (head, locks)) = (keys(), locked());
    bencher.counter(ItemsCount::new(KEYS)).bench_local(|| write(&keys, &head, &locks));
}

/// Both ways through the file: the MAC first, then every session with its checks.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn read_a_key_file(bencher: Bencher<'_, '_>) {
    let (head, locks) = locked();
    let file = write(&keys(), &head, &locks).unwrap_or_else(|error| unreachable!("{error}"));
    bencher.counter(ItemsCount::new(KEYS)).bench_local(|| {
        let read =
            reading::check(file.as_slice(), &head, &locks, &|| false).and_then(|(checked, _)| {
                checked.sessions(file.as_slice(), &head, &locks, &mut |key| key.is_ok())
            });
        assert!(matches!(read, Ok(sessions) if sessions == KEYS as u64));
    });
}

fn main() {
    divan::main();
}

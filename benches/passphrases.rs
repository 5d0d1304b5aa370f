//! How fast a list of passphrases is tried, on all cores, beside the crate `pbkdf2` on one; and how fast the
//! guesses themselves are worked out. An item of the first two is one passphrase on one lock.

use std::sync::Arc;

use divan::{Bencher, black_box, counter::ItemsCount};
use keyhaul::{
    base::{
        cancel::Cancel,
        progress::{Progress, Silent},
        random::{Random, SystemRandom},
        secret::{SecretBytes, SecretText},
    },
    recovery::{
        look::Wanted,
        passphrase_list::{Goal, List},
        visit::{Place, Visit},
    },
    secret_storage::{
        guesses::{Guesses, Kind, list::ListLine},
        secret::describe,
    },
    snapshot::format::{FORMAT, Header},
};
use serde_json::{json, value::to_raw_value};
use sha2::Sha512;

/// What most clients ask for.
const ROUNDS: u32 = 500_000;
const SALT: &str = "JlqNrQmUFzEmaXtxEEn4VgVKJ9dB3z5C";
/// Passphrases of the list.
const LINES: usize = 16;

fn raw(value: &serde_json::Value) -> Box<serde_json::value::RawValue> {
    to_raw_value(value).unwrap_or_else(|fault| unreachable!("{fault}"))
}

/// A snapshot with a lock that nothing opens.
fn visit() -> (tempfile::TempDir, Visit) {
    let folder = tempfile::tempdir().unwrap_or_else(|fault| unreachable!("{fault}"));
    let mut key = [0; 32];
    SystemRandom.fill(&mut key);
    let mut lock = describe(&key, &mut SystemRandom);
    let passphrase = json!({ "algorithm": "m.pbkdf2", "salt": SALT, "iterations": ROUNDS });
    if let serde_json::Value::Object(lock) = &mut lock {
        lock.insert("passphrase".to_owned(), passphrase);
    }
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: "https://example.org".to_owned(),
        user: "@ada:example.org".to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
        version: raw(&json!({
            "version": "1",
            "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
            "auth_data": { "public_key": "bSXxO0Ar6S2bfLjILJVHBvfA2r+TwbGGgjWn8o2AlUA" },
            "etag": "1",
            "count": 0,
        })),
        account_data: [("m.secret_storage.key.a".to_owned(), raw(&lock))].into(),
    };
    let file = folder.path().join("snapshot");
    let text = serde_json::to_string(&header).unwrap_or_else(|fault| unreachable!("{fault}"));
    let text = format!("{text}\n{{\"rooms\":{{}}}}\n");
    std::fs::write(&file, text).unwrap_or_else(|fault| unreachable!("{fault}"));
    let place = Place::Snapshot { file, user: None, server: None };
    let cancel = Cancel::default();
    let visit = block_on(Visit::begin(place, &Wanted::Current, &mut |_| {}, &Silent, &cancel));
    (folder, visit.unwrap_or_else(|failure| unreachable!("{}", failure.what())))
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap_or_else(|fault| unreachable!("{fault}")).block_on(work)
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn tries_of_ours(bencher: Bencher<'_, '_>) {
    let (_folder, visit) = visit();
    let list: String = (0..LINES).map(|number| format!("passphrase {number}\n")).collect();
    let list = List::read(&SecretBytes::new(list.into_bytes()), &[]);
    let list = Arc::new(list.unwrap_or_else(|failure| unreachable!("{}", failure.what())));
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        let cancel = Cancel::default();
        let searched = visit.try_list(&list, Goal::AllLocks, true, &progress, &cancel);
        let searched = block_on(searched).unwrap_or_else(|fault| unreachable!("{}", fault.what()));
        assert_eq!(searched.tried, LINES as u64);
    });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn tries_of_the_crate_on_one_core(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        for number in 0..LINES {
            let (passphrase, mut key) = (format!("passphrase {number}"), [0; 32]);
            let passphrase = black_box(passphrase.as_bytes());
            pbkdf2::pbkdf2_hmac::<Sha512>(passphrase, SALT.as_bytes(), ROUNDS, &mut key);
            black_box(key);
        }
    });
}

/// All variations of a thousand lines: what is done before the first try.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn guesses_of_a_list(bencher: Bencher<'_, '_>) {
    let line = |number| ListLine {
        number,
        text: SecretText::new(format!("the kettle sings {number} times a day")),
    };
    let lines = || (0..1_000).map(line).collect::<Vec<_>>();
    bencher.with_inputs(lines).bench_local_values(|lines| {
        let guesses = Guesses::of(lines, &Kind::ALL, 1 << 20, &mut SystemRandom);
        guesses.unwrap_or_else(|_| unreachable!("there are fewer")).len()
    });
}

fn main() {
    divan::main();
}

//! How long it takes to find what a mistyped recovery key was meant to be, by the way that the command takes:
//! from the typed text to the proven answer, on all cores. The account has one backup and one key of secret
//! storage, so every guess is proven against both.
//!
//! A stage that is not the first comes after all those before it, as for a person.

use std::sync::{Arc, LazyLock};

use divan::{Bencher, black_box};
use keyhaul::{
    backup::{decryption::DecryptionKey, recovery_key},
    base::{
        cancel::Cancel,
        progress::{Progress, Silent},
        random::SystemRandom,
        secret::{Secret32, SecretText},
    },
    recovery::{
        look::Wanted,
        visit::{Place, Visit},
    },
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX},
        secret::describe,
    },
    snapshot::{
        format::{FORMAT, Header, Trailer},
        writer::Writer,
    },
};
use serde_json::{Value, json, value::to_raw_value};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The key that was meant: that of the backup.
const MEANT: [u8; 32] = [
    0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
    0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
];

struct Account {
    visit: Visit,
    runtime: Runtime,
    _folder: TempDir,
}

static ACCOUNT: LazyLock<Account> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap_or_else(|error| unreachable!("{error}"));
    let file = folder.path().join("snapshot");
    let public = DecryptionKey::new(Secret32::take(&mut { MEANT })).public_key();
    let raw = |value: &Value| to_raw_value(value).unwrap_or_else(|error| unreachable!("{error}"));
    let version = json!({
        "version": "1",
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": {"public_key": public.to_base64()},
        "etag": "1",
        "count": 0,
    });
    let storage = describe(&[9; 32], &mut SystemRandom);
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: "https://example.org".to_owned(),
        user: "@ada:example.org".to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
        version: raw(&version),
        account_data: [
            (DEFAULT_KEY.to_owned(), raw(&json!({"key": "main"}))),
            (format!("{KEY_PREFIX}main"), raw(&storage)),
        ]
        .into(),
    };
    let trailer = Trailer {
        complete: true,
        etag_before: None,
        etag_after: None,
        count: Some(0),
        entries: 0,
        sha256: String::new(),
        names_bytes: 0,
    };
    let mut writer = Writer::create(&file, &header).unwrap_or_else(|error| unreachable!("{error}"));
    writer
        .write(json!({"rooms": {}}).to_string().as_bytes())
        .and_then(|()| writer.finish(trailer, Default::default()).map(|_| ()))
        .unwrap_or_else(|error| unreachable!("{error}"));
    let runtime = Runtime::new().unwrap_or_else(|error| unreachable!("{error}"));
    let place = Place::Snapshot { file, user: None, server: None };
    let begun = async {
        Visit::begin(place, &Wanted::Current, &mut |_| {}, &Silent, &Cancel::default()).await
    };
    let visit =
        runtime.block_on(begun).unwrap_or_else(|failure| unreachable!("{}", failure.what()));
    Account { visit, runtime, _folder: folder }
});

/// The letters of the key that was meant.
fn meant() -> Vec<char> {
    let text = recovery_key::format(&Secret32::take(&mut { MEANT }));
    text.expose().chars().filter(|letter| *letter != ' ').collect()
}

/// Searches for what a text was meant to be; how many possibilities it took.
fn search(typed: &[char], is_there: bool) -> u64 {
    let account = &*ACCOUNT;
    let typed = SecretText::new(typed.iter().collect());
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    let cancel = Cancel::default();
    let searched = account.visit.repair(&typed, &progress, &cancel);
    let repaired = account.runtime.block_on(searched);
    let repaired = repaired.unwrap_or_else(|failure| unreachable!("{}", failure.what()));
    assert_eq!(repaired.answers.len(), usize::from(is_there));
    repaired.tried
}

/// Puts another letter at a place, and no look-alike.
fn wrong_at(typed: &mut [char], place: usize) {
    if let Some(letter) = typed.get_mut(place) {
        *letter = if *letter == 'x' { 'h' } else { 'x' };
    }
}

fn measure(bencher: Bencher<'_, '_>, slip: impl Fn(&mut Vec<char>)) {
    let mut typed = meant();
    slip(&mut typed);
    LazyLock::force(&ACCOUNT);
    bencher.bench_local(|| search(black_box(&typed), true));
}

mod one_slip {
    use super::{Bencher, measure, wrong_at};

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn wrong(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| wrong_at(typed, 40));
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn left_out(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| {
            typed.remove(40);
        });
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn too_many(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| typed.insert(40, 'x'));
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn neighbours_swapped(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| typed.swap(40, 41));
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn groups_swapped(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| (0..4).for_each(|of| typed.swap(20 + of, 40 + of)));
    }

    #[divan::bench(sample_count = 20, sample_size = 1)]
    fn capitals_reversed(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| {
            typed.iter_mut().take(44).skip(30).for_each(|letter| {
                *letter = match letter.is_ascii_uppercase() {
                    true => letter.to_ascii_lowercase(),
                    false => letter.to_ascii_uppercase(),
                };
            });
        });
    }
}

mod two_slips {
    use super::{Bencher, measure, wrong_at};

    #[divan::bench(sample_count = 5, sample_size = 1)]
    fn wrong_and_wrong(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| {
            wrong_at(typed, 38);
            wrong_at(typed, 44);
        });
    }

    #[divan::bench(sample_count = 5, sample_size = 1)]
    fn left_out_and_left_out(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| {
            typed.remove(44);
            typed.remove(38);
        });
    }

    #[divan::bench(sample_count = 5, sample_size = 1)]
    fn left_out_and_wrong(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| {
            wrong_at(typed, 44);
            typed.remove(38);
        });
    }

    #[divan::bench(sample_count = 5, sample_size = 1)]
    fn wrong_and_swapped(bencher: Bencher<'_, '_>) {
        measure(bencher, |typed| {
            wrong_at(typed, 44);
            typed.swap(20, 21);
        });
    }
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_lost_group(bencher: Bencher<'_, '_>) {
    measure(bencher, |typed| drop(typed.drain(40..44)));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn groups_in_another_order(bencher: Bencher<'_, '_>) {
    measure(bencher, |typed| {
        let groups: Vec<char> = typed.drain(20..32).collect();
        typed.extend(groups);
    });
}

/// All stages of a text of 48 letters but the last one end before it.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn three_wrong(bencher: Bencher<'_, '_>) {
    measure(bencher, |typed| {
        (30..48).step_by(8).for_each(|place| wrong_at(typed, place));
    });
}

/// Nothing is found: every possibility is tried.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn nothing_found(bencher: Bencher<'_, '_>) {
    let mut typed = meant();
    (4..48).step_by(6).for_each(|place| wrong_at(&mut typed, place));
    LazyLock::force(&ACCOUNT);
    bencher.bench_local(|| search(black_box(&typed), false));
}

fn main() {
    divan::main();
}

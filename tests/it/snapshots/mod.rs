//! Snapshots in all their states: bare, cut and continued, better than a newer one, pruned, with names.

mod bare;
mod bare_forms;
mod bare_owners;
mod continued;
mod cut_again;
mod damage;
mod few;
mod joined;
mod named;
mod names_line;
mod passphrases;
mod pruned;
mod pruned_files;
mod pruned_told;
mod recipes;
mod replacing;
mod targets;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    thread,
};

use keyhaul::{
    backup::{
        entry::RawEntry,
        scanner::{Scanner, Shape},
    },
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
    },
    recovery::prune::{Pruning, prune},
    snapshot::{
        format::{FORMAT, Header, Trailer},
        reader::Snapshot,
        writer::Writer,
    },
};
use serde_json::json;

use crate::program::runtime;

/// Room, session and JSON of an entry.
type Entry = (String, String, String);

/// Every entry that a snapshot gives, as often as it does.
fn entries(file: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut body = Snapshot::open(file).unwrap().into_body().unwrap();
    let mut scanner = Scanner::new(Shape::WholeBody);
    let mut give = |entry: RawEntry<'_>| {
        let json = String::from_utf8_lossy(entry.json).into_owned();
        entries.push((entry.room_id.to_owned(), entry.session_id.to_owned(), json));
    };
    let mut piece = [0; 1000];
    loop {
        let length = body.read(&mut piece).unwrap();
        if length == 0 {
            return entries;
        }
        scanner.feed(&piece[..length], &mut give).unwrap();
    }
}

/// Rooms and sessions of a snapshot.
fn sessions(file: &Path) -> BTreeSet<(String, String)> {
    entries(file).into_iter().map(|(room, session, _)| (room, session)).collect()
}

/// Begins a snapshot of a version with this public key, as of this second.
fn begin(file: &Path, user: &str, public_key: &str, second: i64) -> Writer {
    let version = json!({
        "version": "1",
        "algorithm": "m.megolm_backup.v1.curve25519-aes-sha2",
        "auth_data": {"public_key": public_key},
    });
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: "https://x".to_owned(),
        user: user.to_owned(),
        started: jiff::Timestamp::from_second(second).unwrap(),
        version: serde_json::value::to_raw_value(&version).unwrap(),
        account_data: Default::default(),
    };
    Writer::create(file, &header).unwrap()
}

/// The last line of a whole snapshot of which nothing else is known.
pub(crate) fn trailer() -> Trailer {
    Trailer {
        complete: true,
        etag_before: None,
        etag_after: None,
        count: None,
        entries: 0,
        sha256: String::new(),
        names_bytes: 0,
    }
}

/// Prunes in this process. A program that another test is just starting holds a copy of every open file
/// for a moment, that of a lock that was given up too; so the lock is asked for more than once.
fn prune_here(files: &[PathBuf], data_dir: &Path, agreed: bool) -> Result<Pruning, Failure> {
    let mut tries = 0;
    loop {
        let (files, data_dir) = (files.to_vec(), data_dir.to_owned());
        let pruned = runtime().block_on(prune(files, data_dir, agreed, Cancel::default()));
        let held = pruned.as_ref().is_err_and(|failure| failure.code() == Code::AlreadyRunning);
        if !held || tries == 1_000 {
            return pruned;
        }
        tries += 1;
        thread::yield_now();
    }
}

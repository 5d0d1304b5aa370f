//! Out of the store into a key file: written strictly, read back, and only then given its name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Seek},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{file_keys, passphrase::SHORTEST, stopped};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        limits,
        progress::{News, Progress},
        random::SystemRandom,
        secret::SecretText,
        shown::Shown,
    },
    key_file::{
        armor::ArmorFault,
        crypt::{Head, ROUNDS},
        portable::Portable,
        reading,
        writing::KeyFile,
    },
    megolm::room_key::RoomKey,
    recovery::{
        failures::{IntoFailure, writing},
        new_file::{self, NewFile, folder_name},
        store::Kept,
    },
};

/// Keys between two pieces of news.
const NEWS: u64 = 1_000;

/// What is to go into a key file.
pub struct Export {
    /// The file to write.
    pub file: PathBuf,
    /// Only these rooms, if any are named.
    pub rooms: Vec<String>,
    /// Locks the file.
    pub passphrase: SecretText,
    /// Replace a file of this name.
    pub overwrite: bool,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Exported {
    /// Rooms with keys in the file.
    pub rooms: usize,
    /// Keys in the file.
    pub sessions: u64,
    /// Length of the file, in bytes.
    pub bytes: u64,
    /// What is not in it, at most [`limits::REFUSED_LISTED`].
    pub left_out: Vec<LeftOut>,
    /// All that is not in it.
    pub left_out_count: u64,
    /// How much was left out for each reason.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Sessions of which no key at all is in it.
    pub missing: u64,
}

/// A key, or a claim beside one, that is not in a key file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The room.
    pub room_id: String,
    /// The session.
    pub session_id: String,
    /// The stable word of the reason (DESIGN §5).
    pub reason: &'static str,
    /// The reason in detail.
    pub detail: String,
}

impl Exported {
    /// What is not in the file, in words, each with how many.
    pub fn left_out_words(&self) -> Vec<(u64, &'static str)> {
        let count = |reasons: &[&str]| {
            reasons.iter().filter_map(|reason| self.reasons.get(reason)).sum::<u64>()
        };
        let words = [
            (
                count(&["bad_sender_key", "malformed"]),
                "left out: they lack a part without which Element refuses the file.",
            ),
            (
                count(&["candidate"]),
                "left out: in doubt, because another key of the same session is preferred.",
            ),
            (count(&["bad_claim"]), "written without a claim that no app could read."),
        ];
        words.into_iter().filter(|(count, _)| *count > 0).collect()
    }
}

/// Writes the preferred key of every session into a new file, reads that back, and only then gives it
/// its name.
pub async fn export(
    kept: Kept,
    wish: Export,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Exported, Failure> {
    if wish.passphrase.expose().chars().count() < SHORTEST {
        return Err(Failure::new(Code::FilePassphraseWeak));
    }
    new_file::is_taken(&wish.file, wish.overwrite)?;
    let work = move || write(&kept, &wish, &*progress, &cancel);
    super::super::joined(tokio::task::spawn_blocking(work).await)?
}

/// What went into a file, to be compared with what can be read from it.
#[derive(Default)]
struct Contents {
    digest: Sha256,
    sessions: u64,
}

impl Contents {
    fn add(&mut self, key: &RoomKey) {
        self.digest.update(key.room_id.as_bytes());
        self.digest.update([0]);
        self.digest.update(key.key.expose());
        self.sessions += 1;
    }
}

fn write(
    kept: &Kept,
    wish: &Export,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Exported, Failure> {
    let mut file = NewFile::create(&wish.file, wish.overwrite)?;
    let head = Head::fresh(ROUNDS, &mut SystemRandom);
    let keys = file_keys(&head, &wish.passphrase, progress, cancel)?;
    let failed = |error: io::Error| writing(&folder_name(&wish.file), &error);
    let mut exported = Exported::default();
    let mut written = Contents::default();
    let (mut rooms, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut key_file = KeyFile::new(&mut file, &head, &keys).map_err(failed)?;
    let mut result = Ok(());
    let wanted: BTreeSet<&str> = wish.rooms.iter().map(String::as_str).collect();
    // One room is read alone; of several, all keys pass by.
    let only = if wanted.len() == 1 { wish.rooms.first().map(String::as_str) } else { None };
    let read = kept.reader().for_each_key(only, |stored| {
        if cancel.is_cancelled() {
            result = Err(stopped());
            return ControlFlow::Break(());
        }
        let key = &stored.key;
        if !wanted.is_empty() && !wanted.contains(key.room_id.as_str()) {
            return ControlFlow::Continue(());
        }
        seen.insert(key.room_id.clone());
        if stored.rank > 0 {
            exported.leave_out(key, "candidate", "another key of this session is preferred");
            return ControlFlow::Continue(());
        }
        match Portable::of(key) {
            Err(fault) => {
                exported.missing += 1;
                exported.leave_out(key, fault.reason(), &fault.to_string());
            }
            Ok(portable) => {
                if let Err(error) = key_file.add(&portable) {
                    result = Err(failed(error));
                    return ControlFlow::Break(());
                }
                if !portable.dropped.is_empty() {
                    let names = Shown::limited(&portable.dropped.join(", "), 200);
                    exported.leave_out(key, "bad_claim", &format!("without {names}"));
                }
                written.add(key);
                rooms.insert(key.room_id.clone());
                if written.sessions.is_multiple_of(NEWS) {
                    progress.tell(News::Carrying { keys: written.sessions });
                }
            }
        }
        ControlFlow::Continue(())
    });
    let read = read.map_err(IntoFailure::into_failure)?;
    result?;
    if read.damaged > 0 {
        // A file that silently lacks keys would be taken for all of them.
        return Err(Failure::new(Code::StoreDamaged).with("n", read.damaged));
    }
    // A room that silently lacks would be taken for saved.
    if let Some(room) = wanted.iter().find(|room| !seen.contains(**room)) {
        return Err(Failure::new(Code::RoomNotHere).with("room", Shown::limited(room, 80)));
    }
    if seen.is_empty() {
        return Err(Failure::new(Code::StoreEmpty));
    }
    key_file.finish().map_err(failed)?;
    let back = file.read_back().map_err(failed)?;
    exported.bytes = back.metadata().map_err(failed)?.len();
    if !reads_back(back, &wish.passphrase, &written, progress, cancel)? {
        return Err(Failure::new(Code::FileNotVerified));
    }
    file.settle()?;
    Ok(Exported { rooms: rooms.len(), sessions: written.sessions, ..exported })
}

impl Exported {
    fn leave_out(&mut self, key: &RoomKey, reason: &'static str, detail: &str) {
        self.left_out_count += 1;
        *self.reasons.entry(reason).or_default() += 1;
        if self.left_out.len() < limits::REFUSED_LISTED {
            self.left_out.push(LeftOut {
                room_id: key.room_id.clone(),
                session_id: key.session_id().to_string(),
                reason,
                detail: detail.to_owned(),
            });
        }
    }
}

/// Opens a written file from its first byte, by its passphrase, and compares every key.
fn reads_back(
    mut file: File,
    passphrase: &SecretText,
    written: &Contents,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<bool, Failure> {
    let Ok(head) = reading::head(&mut file) else { return Ok(false) };
    let keys = file_keys(&head, passphrase, progress, cancel)?;
    let mut found = Contents::default();
    let read = || {
        file.rewind().map_err(ArmorFault::Io)?;
        let (checked, mut file) = reading::check(file, &head, &keys, &|| cancel.is_cancelled())?;
        file.rewind().map_err(ArmorFault::Io)?;
        checked.sessions(file, &head, &keys, &mut |key| {
            key.map(|key| found.add(&key)).is_ok() && !cancel.is_cancelled()
        })
    };
    let read = read();
    if cancel.is_cancelled() {
        return Err(stopped());
    }
    let same = found.digest.finalize() == written.digest.clone().finalize();
    Ok(read.is_ok() && same && found.sessions == written.sessions)
}

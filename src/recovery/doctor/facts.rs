//! What a check-up knows before it judges: plain values, gathered without writing anything.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::super::{look::Overview, trust::SignedBy, unlock::StorageFault};
use crate::{
    backup::{signatures::Signature, version::BackupVersion},
    base::{failure::Failure, shown::Shown},
    store::check::Info,
};

/// Everything that a check-up found out.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// When it was.
    pub at: Timestamp,
    /// Why nobody could be asked, where that is so; then all that a server knows is missing.
    pub unreached: Option<Failure>,
    /// The server; `None` where it could not be reached, and in a snapshot.
    pub server: Option<ServerFacts>,
    /// When the snapshot was read that stands in for a server.
    pub saved: Option<Timestamp>,
    /// Which backups and locks there are.
    pub overview: Overview,
    /// The current version when the check-up ended, where somebody could be asked again.
    pub current_later: Option<Option<String>>,
    /// Versions that were seen at earlier looks, or of which there are snapshots or keys here.
    pub seen_before: Vec<SeenBefore>,
    /// Whether the account's settings switch backing up off; `None` where nobody could be asked.
    pub switched_off: Option<bool>,
    /// What the secrets at hand open; `None` where none was given.
    pub opened: Option<OpenedFacts>,
    /// Who signed the current version; `None` where nobody shows the keys to judge with.
    pub signed: Option<SignedFacts>,
    /// All signatures by version, for a report.
    pub signatures: BTreeMap<String, Vec<Signature>>,
    /// What was read: the current version, and one that opens where the current one does not.
    pub readings: Vec<Reading>,
    /// Why the current version could not be read, where that is so.
    pub unread: Option<Failure>,
    /// The store on this computer.
    pub store: StoreFacts,
}

impl Facts {
    /// The current version.
    pub fn current(&self) -> Option<&BackupVersion> {
        let name = self.overview.current.as_ref()?;
        self.overview.versions.iter().find(|version| version.version == *name)
    }

    /// What was read of a version.
    pub fn reading(&self, version: &str) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.version == version)
    }
}

/// A server that was reached.
#[derive(Clone, Debug)]
pub struct ServerFacts {
    /// Its host.
    pub host: Shown,
    /// How long it took to answer, and how far its clock is ahead of this computer's, in seconds.
    pub pulse: Result<(Duration, Option<i64>), Failure>,
    /// The device that keyhaul is seen with, where there is one.
    pub device: Option<Shown>,
    /// Whether that is another app's.
    pub borrowed: bool,
}

/// A version that exists or existed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBefore {
    /// Its name.
    pub version: String,
    /// When somebody looked at it; `None` where only a snapshot or keys of it tell.
    pub looked: Option<Timestamp>,
}

/// What the secrets at hand open.
#[derive(Clone, Debug, Default)]
pub struct OpenedFacts {
    /// Locks of secret storage, by their ids.
    pub storage: Vec<String>,
    /// Backups, by their versions.
    pub backups: Vec<String>,
    /// Of these backups those that their entries prove, whatever public key the server shows.
    pub by_entries: Vec<String>,
    /// Backups whose key lies in what was opened of secret storage.
    pub in_storage: Vec<String>,
    /// Where secret storage opened and led no further.
    pub fault: Option<StorageFault>,
    /// Why nothing opens, if nothing does.
    pub nothing: Option<Failure>,
}

/// Who signed a version.
#[derive(Clone, Debug, Default)]
pub struct SignedFacts {
    /// The signers, each once.
    pub by: Vec<SignedBy>,
    /// Whether the account key that the server shows is the one in secret storage.
    pub account_key_proven: Option<bool>,
}

/// A version that was read to see what is in it.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The version.
    pub version: String,
    /// Entries.
    pub entries: u64,
    /// Entries that a key at hand opens; `None` where none does.
    pub opened: Option<u64>,
    /// Refused entries, by the word of the reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Room by room.
    pub rooms: BTreeMap<Arc<str>, RoomReading>,
    /// Whether that is all.
    pub whole: bool,
    /// Whether it changed while it was read.
    pub changed: bool,
    /// Whether a snapshot was read in place of the server's answer.
    pub from_snapshot: bool,
}

impl Reading {
    /// How many entries were refused.
    pub fn refused_count(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// What was read of one room.
#[derive(Clone, Debug, Default)]
pub struct RoomReading {
    /// Entries.
    pub entries: u64,
    /// Refused ones, by the word of the reason.
    pub refused: BTreeMap<&'static str, u64>,
}

/// The store on this computer.
#[derive(Clone, Debug, Default)]
pub enum StoreFacts {
    /// There is none.
    #[default]
    Nothing,
    /// It stays closed: no secret was given.
    NotTried,
    /// It stays closed, and why.
    Closed(Failure),
    /// It is open.
    Open {
        /// What it holds.
        info: Info,
        /// Damaged places.
        damaged: u64,
    },
}

//! What the model wants done outside of it. Values only: who is signed in, and where, is held by the
//! [`super::runner::Runner`] under the number of the job that brought it.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{message::Job, paper_form::Paper};
use crate::{
    backup::version::BackupVersion,
    base::secret::SecretText,
    recovery::{look::Wanted, sign_in::Way},
    secret_storage::guesses::Kind,
};

/// One thing to do.
pub enum Effect {
    /// Look for a server.
    Find {
        /// The number of this work.
        job: Job,
        /// A Matrix id, a server name or an address.
        typed: String,
    },
    /// Sign in.
    SignIn {
        /// The number of this work, and of the account that it brings.
        job: Job,
        /// Name or address of the server, if it is not told by the id.
        server: Option<String>,
        /// Matrix id or its first part.
        user: Option<String>,
        /// With what.
        way: Way,
    },
    /// Look which versions there are.
    Look {
        /// The number of this work, and of the visit that it brings.
        job: Job,
        /// Where.
        at: At,
        /// Which version is wanted by name, perhaps.
        wanted: Wanted,
    },
    /// Read a version.
    Haul {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// The version.
        version: Box<BackupVersion>,
        /// Save a snapshot of it.
        save: bool,
        /// Ask the server even if a snapshot of this very state is at hand.
        afresh: bool,
        /// Count this snapshot anew, without asking anybody.
        from: Option<PathBuf>,
    },
    /// Ask what rooms are called.
    Names {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// The rooms.
        rooms: Vec<Arc<str>>,
    },
    /// Read the keys of one room.
    Sessions {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// The version.
        version: Box<BackupVersion>,
        /// The room.
        room: Arc<str>,
        /// The snapshot that holds the version, if one was saved.
        file: Option<PathBuf>,
    },
    /// Look which snapshots there are in keyhaul's own folder.
    Kept {
        /// The number of this work.
        job: Job,
        /// Whose folder, if somebody is signed in: the made-up person has one of her own.
        account: Option<Job>,
    },
    /// Start the demo homeserver.
    Demo {
        /// The number of this work.
        job: Job,
    },
    /// Sign out, or stay signed in for later.
    Leave {
        /// The number of this work.
        job: Job,
        /// The account.
        account: Job,
        /// Keep the session.
        stay: bool,
    },
    /// Try secrets on every lock.
    Unlock {
        /// The number of this work, and of the visit that holds what opens.
        job: Job,
        /// The visit.
        visit: Job,
        /// The secrets.
        secrets: Vec<SecretText>,
        /// Do calculations that nobody should start by mistake.
        slow: bool,
    },
    /// Search for what a mistyped recovery key was meant to be.
    Mend {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// What was typed.
        secret: SecretText,
    },
    /// Read a list of passphrases from a file.
    ReadList {
        /// The number of this work.
        job: Job,
        /// The file.
        file: PathBuf,
    },
    /// Count what a list of passphrases gives to try.
    Count {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// The lines.
        lines: Vec<SecretText>,
        /// In which ways passphrases may differ from them.
        kinds: Vec<Kind>,
    },
    /// Try a list of passphrases, until one opens a lock.
    Guess {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// The lines.
        lines: Vec<SecretText>,
        /// In which ways passphrases may differ from them.
        kinds: Vec<Kind>,
        /// Somebody knows how long it takes.
        slow: bool,
    },
    /// Plan what a restore would do, or restore.
    Restore {
        /// The number of this work.
        job: Job,
        /// The visit that holds the key.
        visit: Job,
        /// The versions.
        versions: Vec<String>,
        /// Only these rooms, if any are named.
        rooms: Vec<String>,
        /// The snapshots to read, where some were saved.
        from: BTreeMap<String, PathBuf>,
        /// Write nothing.
        dry_run: bool,
        /// Save a snapshot of what is read from a server.
        save: bool,
    },
    /// Pause a restore, or let it go on.
    Pause(Job, bool),
    /// Bring a room of a restore to the front.
    Front(Job, String),
    /// Stop a piece of work.
    Cancel(Job),
    /// Nobody needs this visit any more.
    Forget(Job),
    /// Read messages of a room.
    History {
        /// The number of this work.
        job: Job,
        /// The visit that holds what opened the store.
        visit: Job,
        /// The room.
        room: Arc<str>,
        /// Where to go on backwards; the newest ones else.
        from: Option<String>,
    },
    /// Make a passphrase.
    MakePassphrase {
        /// The number of this work.
        job: Job,
    },
    /// Write a key file.
    Export {
        /// The number of this work.
        job: Job,
        /// The visit that holds the key.
        visit: Job,
        /// The file.
        file: PathBuf,
        /// Only these rooms, if any are named.
        rooms: Vec<String>,
        /// Locks the file.
        passphrase: SecretText,
    },
    /// Check everything up.
    CheckUp {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
    },
    /// Compare a version with another one, or with the store.
    Compare {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// The version.
        own: Read,
        /// The other one; the store where there is none.
        beside: Option<Read>,
    },
    /// Write a report or a recovery sheet.
    Paper {
        /// The number of this work.
        job: Job,
        /// The visit.
        visit: Job,
        /// Which of them.
        paper: Paper,
        /// The file.
        file: PathBuf,
    },
    /// Put text on the clipboard of this computer.
    Copy {
        /// The number of this work.
        job: Job,
        /// The text.
        text: SecretText,
    },
    /// Put text on the clipboard of the terminal.
    CopyByTerminal(SecretText),
    /// Draw everything anew.
    Redraw,
    /// Back to the shell until it wants us again.
    Suspend,
}

/// A version to read, and the snapshot that spares the server the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The version.
    pub version: String,
    /// Its snapshot, where it was read whole.
    pub file: Option<PathBuf>,
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// On the server, as the account of this job.
    Account(Job),
    /// In a snapshot.
    Snapshot(PathBuf),
}

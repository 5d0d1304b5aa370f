//! What can happen: a person means something, time passes, work reports.

use std::{sync::Arc, time::Duration};

use ratatui::layout::{Position, Size};

use super::{field::Edit, intent::Intent};
use crate::{
    backup::{repair::Slips, version::BackupVersion},
    base::{failure::Failure, progress::Delay, secret::SecretText, shown::Shown},
    recovery::{
        contents::{Glance, RoomSessions},
        diff::Diff,
        doctor::checks::Check,
        fits::Fits,
        haul::Hauled,
        key_files::export::Exported,
        look::Overview,
        looks::Earlier,
        names::RoomName,
        passphrase_list::Estimate,
        proof::History,
        repair::Repaired,
        restore::Restoring,
        sign_in::{Device, Found, Left},
        snapshots::Kept,
        trust::SignedBy,
        unlock::{Fit, SecretKind},
        watch::Glance as RestoreGlance,
        way_on::{Cause, WayOn},
    },
    secret_storage::guesses::Variation,
};

/// The number of a piece of work; answers of work that nobody waits for any more are dropped by it.
pub type Job = u64;

/// One thing that happened.
pub enum Message {
    /// A person means something.
    Intent(Intent),
    /// A key for the field in focus.
    Edit(Edit),
    /// Text was pasted; it may be a secret.
    Pasted(SecretText),
    /// A click.
    Clicked(Position),
    /// The wheel, by so many rows.
    Wheel(i8),
    /// The window has another size.
    Resized(Size),
    /// Time passed, and something may have to be drawn anew.
    Clock,
    /// The system wants the program to end, with this exit code.
    Signal(u8),
    /// Work reports.
    Happened(Job, Happened),
}

/// What work reports.
pub enum Happened {
    /// A server was looked for.
    Found(Result<Found, Failure>),
    /// Somebody signed in.
    SignedIn(Result<Signed, Failure>),
    /// A backup version was found; more may come.
    Seen(Box<BackupVersion>),
    /// All that can be found was looked at.
    Looked(Result<Box<Looked>, Failure>),
    /// The reading of a version goes on.
    Glanced(Glance),
    /// A version was read.
    Hauled(Box<Result<Hauled, Failure>>),
    /// What rooms are called.
    Named(Vec<(Arc<str>, RoomName)>),
    /// No more names come.
    NamesEnded,
    /// The keys of one room were read.
    Sessions(Result<RoomSessions, Failure>),
    /// The snapshots in keyhaul's own folder.
    Kept(Vec<Kept>),
    /// The demo homeserver runs.
    Demo(Result<DemoPaper, Failure>),
    /// The way out is done.
    Left(Result<Left, Failure>),
    /// A passphrase becomes a key: so many rounds of all.
    Stretched(u64, u64),
    /// A secret was tried on every lock.
    Unlocked(Result<Box<Opened>, Failure>),
    /// What a search for a slip looks for, in this order, and how many possibilities each kind has.
    MendPlanned(Vec<(Slips, u64)>),
    /// The search goes on.
    Mending {
        /// What it looks for now.
        stage: &'static str,
        /// Possibilities of that which were tried.
        tried: u64,
        /// Seconds left for it, once that can be told.
        left: Option<u64>,
    },
    /// The search is over.
    Mended(Box<Result<Repaired, Failure>>),
    /// Who signed each version, judged anew with what was opened.
    Judged(Vec<(String, Vec<SignedBy>)>),
    /// A restore goes on.
    Restoring(RestoreGlance),
    /// A plan was made, or keys were restored.
    Restored(Box<Result<Restoring, Failure>>),
    /// Messages of a room were read.
    Read(Box<Result<History, Failure>>),
    /// The lines of a list of passphrases were read.
    ListRead(Result<Vec<SecretText>, Failure>),
    /// What a list gives to try was counted.
    Counted(Result<Estimate, Failure>),
    /// Passphrases of a list are tried.
    Guessing(Guessing),
    /// One of them opens a lock, or none does.
    Guessed(Result<Box<Hit>, Failure>),
    /// A passphrase was made.
    Passphrase(SecretText),
    /// So many keys are in the file by now, or were read for a comparison or a check-up.
    Carried(u64),
    /// A key file was written.
    Exported(Box<Result<Exported, Failure>>),
    /// Everything was checked up.
    CheckedUp(Box<Result<Vec<Check>, Failure>>),
    /// Two places were compared.
    Compared(Box<Result<Diff, Failure>>),
    /// A report or a recovery sheet was written.
    Written(Result<(), Failure>),
    /// A server lets the work wait: seconds left, none when it goes on.
    Waiting(u64, Delay),
    /// A backup is read room by room: rooms that were asked for, rooms that are known.
    RoomByRoom(u64, u64),
    /// A text is on the clipboard of this computer, or is given back because that has none.
    Copied(Option<SecretText>),
}

impl Happened {
    /// Says whether more reports of the same work come.
    pub(super) fn goes_on(&self) -> bool {
        matches!(
            self,
            Self::Seen(_)
                | Self::Glanced(_)
                | Self::Named(_)
                | Self::Stretched(..)
                | Self::Unlocked(Ok(_))
                | Self::MendPlanned(_)
                | Self::Mending { .. }
                | Self::Restoring(_)
                | Self::Carried(_)
                | Self::Guessing(_)
                | Self::Waiting(..)
                | Self::RoomByRoom(..)
        )
    }
}

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The account's Matrix id, as the server names it.
    pub user_id: String,
    /// The server's address.
    pub server: String,
    /// With whose device.
    pub device: Device,
}

/// What a look found.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// The versions and the locks.
    pub overview: Overview,
    /// Who signed each version, by its name.
    pub signers: Vec<(String, Vec<SignedBy>)>,
    /// Whether somebody showed the keys to judge signatures with.
    pub judged: bool,
    /// How the versions were at the last visit.
    pub earlier: Vec<Earlier>,
}

/// How far a list of passphrases is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guessing {
    /// Tries so far: one is one passphrase on one lock.
    pub tried: u64,
    /// Tries in all.
    pub of: u64,
    /// Tries in ten seconds, on the average.
    pub in_ten_seconds: u64,
    /// Seconds that the rest may take, as soon as that is known.
    pub left: Option<u64>,
}

/// A passphrase of a list that opens a lock.
pub struct Hit {
    /// The passphrase, as it is typed.
    pub secret: SecretText,
    /// The number of its line, from one.
    pub line: u64,
    /// In what it differs from the line.
    pub variation: Variation,
}

/// What the secrets at hand open.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the last one is.
    pub kind: SecretKind,
    /// The locks that it opens.
    pub fits: Vec<Fit>,
    /// The versions whose key lies in secret storage.
    pub in_secret_storage: Vec<String>,
    /// Locks that have nothing to check it with.
    pub cannot_check: Vec<String>,
    /// Seconds of calculation that were left out because nobody agreed to them.
    pub left_out_seconds: Option<u64>,
    /// Why it opens no backup, if it does not.
    pub closed: Option<Failure>,
    /// Every secret on every lock.
    pub table: Fits,
    /// What that leads to.
    pub way_on: WayOn,
    /// Why it could be that nothing opens.
    pub causes: Vec<Cause>,
}

/// What lies on the table of the made-up person.
#[derive(Clone)]
pub struct DemoPaper {
    /// The story's name; nothing for the one that is told unless another is asked for.
    pub story: Option<&'static str>,
    /// Where the embedded server listens.
    pub server: String,
    /// The person's Matrix id.
    pub user: String,
    /// The password, made up and public.
    pub password: Arc<SecretText>,
    /// The recovery key on the paper, made up and public.
    pub recovery_key: Shown,
}

/// Time since the program began.
pub type Moment = Duration;

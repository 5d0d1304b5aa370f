//! The way on: what the secrets at hand lead to, in words, and what could open the rest. Never only “not
//! correct” (SPEC §5.6).

pub use super::closed::typable;
use super::{
    closed,
    fits::{LeadsTo, LockKind, Outcome, Reading},
    look::Overview,
    typed::SecretKind,
    unlock::Unlocked,
};
use crate::{
    backup::version::BackupVersion,
    base::{
        shown::Shown,
        words::{counted, listed},
    },
};

/// A version that stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Its name.
    pub version: String,
    /// Keys in it, as the server says.
    pub count: Option<u64>,
    /// Whether apps write to it now.
    pub current: bool,
    /// What could open it; nothing where keyhaul does not know how it is locked.
    pub could_open: Vec<Opener>,
}

/// Something that could open a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opener {
    /// The recovery key that was made with it.
    RecoveryKey,
    /// The passphrase from which its key was made.
    Passphrase,
    /// What opens this lock of secret storage, where its key may lie.
    Storage {
        /// The id of the 4S key.
        id: String,
        /// Whether apps use it now.
        default: bool,
        /// It was made from a passphrase.
        passphrase: bool,
    },
}

impl Closed {
    /// Every version that nothing at hand opens, in the order of the overview.
    pub(super) fn all(unlocked: &Unlocked, overview: &Overview) -> Vec<Self> {
        let stays_closed = |version: &&BackupVersion| unlocked.key_for(version).is_none();
        let closed = overview.versions.iter().filter(stays_closed);
        closed
            .map(|version| Self {
                version: version.version.clone(),
                count: version.count,
                current: overview.current.as_ref() == Some(&version.version),
                could_open: could_open(version, unlocked, overview),
            })
            .collect()
    }

    /// Says whether there is something in it that is missed.
    pub fn is_missed(&self) -> bool {
        self.count != Some(0)
    }

    /// What could open it, in words.
    pub fn openers(&self) -> String {
        if self.could_open.is_empty() {
            return "keyhaul does not know how it is locked".to_owned();
        }
        let words = self.could_open.iter().map(|opener| match opener {
            Opener::RecoveryKey => "the recovery key made with it".to_owned(),
            Opener::Passphrase => "its passphrase".to_owned(),
            Opener::Storage { id, .. } => {
                format!("what opens secret storage {}", storage_name(id))
            }
        });
        words.collect::<Vec<_>>().join(", or ")
    }
}

/// A lock of secret storage by the begin of its id.
pub fn storage_name(id: &str) -> Shown {
    Shown::new(&id.chars().take(4).collect::<String>())
}

fn could_open(version: &BackupVersion, unlocked: &Unlocked, overview: &Overview) -> Vec<Opener> {
    if !version.supported() {
        return Vec::new();
    }
    let mut openers = vec![Opener::RecoveryKey];
    if version.passphrase().is_some_and(|made| made.is_ok()) {
        openers.push(Opener::Passphrase);
    }
    // Under each of its keys secret storage holds the same secret: once one is open, it is known whose key
    // that is.
    let is_known = unlocked.table.rows.iter().any(|row| {
        let held = [LeadsTo::Nowhere, LeadsTo::NoKey, LeadsTo::Damaged];
        row.kind == LockKind::SecretStorage && !held.contains(&row.leads_to)
    });
    if !is_known {
        let is_open = |id: &String| unlocked.storage_keys.iter().any(|known| known.id == *id);
        let default = overview.locks.default_key();
        let closed = overview.locks.holders().into_iter().filter(|id| !is_open(id));
        openers.extend(closed.map(|id| {
            let description = overview.locks.description(&id);
            let passphrase = description.is_some_and(|about| about.passphrase().is_some());
            Opener::Storage { default: default.as_deref() == Some(&*id), id, passphrase }
        }));
    }
    openers
}

/// What the secrets at hand lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WayOn {
    /// What it means, in one or two sentences.
    pub what: String,
    /// The versions that open, the one with the most keys first.
    pub restore: Vec<String>,
    /// Whether all that is wanted opens: the current version, or the only one.
    pub current_opens: bool,
    /// What stays closed.
    pub closed: Vec<Closed>,
}

impl WayOn {
    pub(super) fn of(unlocked: &Unlocked, overview: &Overview) -> Self {
        let mut open: Vec<&BackupVersion> =
            overview.versions.iter().filter(|one| unlocked.key_for(one).is_some()).collect();
        let current = overview.current.as_deref();
        let is_current = |version: &BackupVersion| current == Some(version.version.as_str());
        let current_opens = open.iter().any(|version| is_current(version));
        open.sort_by_key(|version| {
            (!is_current(version), std::cmp::Reverse(version.count.unwrap_or(0)))
        });
        let what = match open.first() {
            None => closed::failure(unlocked, overview, None).what(),
            Some(_) => opens(unlocked, overview, &open, current_opens),
        };
        Self {
            what,
            restore: open.iter().map(|version| version.version.clone()).collect(),
            current_opens,
            closed: Closed::all(unlocked, overview),
        }
    }

    /// The option of `restore` that takes what opens; none where it takes it without one.
    pub fn option(&self) -> Option<String> {
        match self.restore.as_slice() {
            [] => None,
            [_] if self.current_opens => Some(String::new()),
            [one] => Some(format!(" --backup-version {}", closed::typable(one))),
            _ => Some(" --backup-version all".to_owned()),
        }
    }
}

fn opens(
    unlocked: &Unlocked,
    overview: &Overview,
    open: &[&BackupVersion],
    current_opens: bool,
) -> String {
    // A snapshot does not know what is current now.
    let knows_current = overview.all_found.is_some();
    let name = |version: &&BackupVersion| {
        let keys = match version.count {
            Some(count) => format!(" ({})", counted(count, "key")),
            None => String::new(),
        };
        format!("backup {}{keys}", Shown::limited(&version.version, 20))
    };
    let opened = listed(&open.iter().map(name).collect::<Vec<_>>());
    let who = who(unlocked);
    let current = overview.current.as_deref().filter(|_| knows_current);
    let mut what = match current {
        Some(_) if current_opens && open.len() == 1 => format!("{who} {opened}, the current one."),
        Some(_) if current_opens => format!("{who} {opened}."),
        Some(current) => {
            format!("{who} {opened}, not the current backup {}.", Shown::limited(current, 20))
        }
        None => format!("{who} {opened}."),
    };
    let filled = unlocked.in_secret_storage.first().filter(|_| !current_opens);
    if let Some(held) = filled.filter(|_| knows_current) {
        let held = Shown::limited(held, 20);
        what.push_str(&format!(
            " Secret storage holds the key of backup {held}: it was filled when that one was current."
        ));
    }
    what
}

/// The beginning of the sentence: what was given, and that it is right.
fn who(unlocked: &Unlocked) -> &'static str {
    match unlocked.kinds.as_slice() {
        [SecretKind::RecoveryKey] => "Your recovery key is right. It opens",
        [SecretKind::Passphrase] => "Your passphrase is right. It opens",
        [_] => "It opens",
        _ => "Together your secrets open",
    }
}

/// Why it could be that a secret opens nothing (SCREENS, step 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Slips that cancel each other in the checksum.
    Slips,
    /// It fits a lock that was left out.
    LeftOut,
    /// It is for another account or server.
    OtherAccount,
    /// It is for a backup that was deleted.
    GoneBackup,
    /// It is another paper.
    OtherPaper,
    /// A passphrase was chosen.
    Passphrase,
}

impl Cause {
    /// What is possible after these secrets, the likeliest first.
    pub fn possible(unlocked: &Unlocked) -> Vec<Self> {
        let is_key =
            |kind: &SecretKind| matches!(kind, SecretKind::RecoveryKey | SecretKind::RawKey);
        let rows = &unlocked.table.rows;
        let left_out = rows.iter().flat_map(|row| &row.cells);
        let left_out =
            left_out.into_iter().any(|cell| matches!(cell.best(), Outcome::LeftOut { .. }));
        let made = unlocked.table.was_read_as(Reading::Passphrase);
        let possible = [
            (Self::Slips, unlocked.kinds.contains(&SecretKind::RecoveryKey)),
            (Self::LeftOut, left_out),
            (Self::OtherAccount, true),
            (Self::GoneBackup, rows.iter().any(|row| row.gone)),
            (Self::OtherPaper, true),
            (Self::Passphrase, made && unlocked.kinds.iter().any(is_key)),
        ];
        possible.into_iter().filter(|(_, is)| *is).map(|(cause, _)| cause).collect()
    }

    /// How that can be.
    pub fn words(self) -> &'static str {
        match self {
            Self::Slips => "Two slips that cancel in the checksum (1 in 256)",
            Self::LeftOut => "It fits a lock that was left out",
            Self::OtherAccount => "It belongs to another account or server",
            Self::GoneBackup => "It belongs to a backup that is gone",
            Self::OtherPaper => "It is another paper than you think",
            Self::Passphrase => "You chose a passphrase, not a recovery key",
        }
    }

    /// What helps somebody who runs a command.
    pub fn option(self) -> &'static str {
        match self {
            Self::Slips => "keyhaul repair",
            Self::LeftOut => "--yes tries it all the same",
            Self::OtherAccount => "--user and --homeserver",
            Self::GoneBackup => "an old snapshot: --snapshot",
            Self::OtherPaper => "another --secret-file",
            Self::Passphrase => "give that instead",
        }
    }
}

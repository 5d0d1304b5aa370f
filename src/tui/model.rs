//! All that the assistant knows, and nothing that does anything.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use ratatui::layout::Size;

use super::{
    backups::Backups,
    check_up::CheckUp,
    compare_step::Compare,
    guess_step::GuessStep,
    haul::Haul,
    jobs::Jobs,
    key_step::KeyStep,
    keymap::Place,
    layout::{Regions, SMALLEST, layout},
    list::Cursor,
    mend::Mend,
    message::{DemoPaper, Job, Moment, Signed},
    overlay::Overlay,
    page::Line,
    pen::Pen,
    proof_step::ProofStep,
    restore_step::RestoreStep,
    rooms::Names,
    sign_in::SignIn,
    take_away::TakeAway,
    theme::Theme,
};
use crate::{
    backup::version::BackupVersion,
    base::{progress::Delay, secret::SecretText},
    recovery::{contents::RoomSessions, look::Wanted, sign_in::Way},
};

/// How long a typed secret is kept without a key press.
pub(super) const SECRETS_KEPT: Duration = Duration::from_secs(15 * 60);

/// A step on the way from paper to history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Sign in.
    SignIn,
    /// Which backups exist.
    Backups,
    /// What one of them holds.
    Contents,
    /// The recovery key.
    Key,
    /// Restoring.
    Restore,
    /// Real messages.
    Proof,
    /// Handing the keys on.
    TakeAway,
}

impl Step {
    /// All steps in their order.
    pub const ALL: [Self; 7] = [
        Self::SignIn,
        Self::Backups,
        Self::Contents,
        Self::Key,
        Self::Restore,
        Self::Proof,
        Self::TakeAway,
    ];

    /// Its number, which is its key, too.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).unwrap_or(0) + 1
    }

    /// The step of a number.
    pub fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }

    /// Its name on the rail.
    pub fn title(self) -> &'static str {
        match self {
            Self::SignIn => "Sign in",
            Self::Backups => "Backups",
            Self::Contents => "Contents",
            Self::Key => "Key",
            Self::Restore => "Restore",
            Self::Proof => "Proof",
            Self::TakeAway => "Take away",
        }
    }
}

/// A screen above a step: Esc goes back to what is below.
pub(super) enum Branch {
    /// One room, key by key.
    Room(RoomView),
    /// One key of the room below.
    Key,
    /// The search for a slip, and what it found.
    Mend(Mend),
    /// Every secret on every lock, with the lock in focus.
    Fits(Cursor),
    /// Passphrases that somebody may have used.
    Passphrases,
    /// The refused keys.
    Refused,
    /// Why a message is closed.
    Why,
    /// Which room's messages to read.
    ProofRooms,
    /// Making a key file.
    KeyFile,
    /// A key file that was made.
    KeyFileMade,
    /// The check-up.
    CheckUp,
    /// Two places beside each other.
    Compare,
    /// Writing a report or a recovery sheet.
    Paper,
}

/// One room, key by key.
pub(super) struct RoomView {
    /// The room.
    pub(super) id: Arc<str>,
    /// Its keys; `None` while they are read.
    pub(super) sessions: Option<RoomSessions>,
    /// The order of the rows.
    pub(super) order: Vec<usize>,
    /// The column that sorts.
    pub(super) sort: KeySort,
    /// Against its usual direction.
    pub(super) backwards: bool,
    /// The focus.
    pub(super) cursor: Cursor,
}

/// How the keys of a room are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum KeySort {
    /// As the server gave them.
    #[default]
    Given,
    /// Those that start latest first.
    Start,
    /// Those passed on most often first.
    PassedOn,
}

/// Who the account is, and the work that brought it.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// The job under which the account is held.
    pub(super) job: Job,
    /// Who.
    pub(super) signed: Signed,
    /// Whether it is the made-up one.
    pub(super) demo: bool,
}

/// What is being visited.
#[derive(Clone, Debug)]
pub(super) struct Visiting {
    /// The job under which the visit is held.
    pub(super) job: Job,
    /// The snapshot, where it is no server.
    pub(super) file: Option<PathBuf>,
}

/// How the program ends.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The exit code.
    pub exit: u8,
    /// What is said when the terminal is the shell's again.
    pub words: Vec<String>,
}

/// How far the end is.
#[derive(Clone, Debug, Default)]
pub(super) enum Leaving {
    /// Nobody wants to leave.
    #[default]
    No,
    /// Ctrl-C was pressed: the next one leaves.
    Asked,
    /// Ending what must not be cut and signing out, no longer than until then.
    SigningOut {
        /// The end of patience.
        until: Moment,
        /// The exit code.
        exit: u8,
        /// What is to be said at the end.
        words: Vec<String>,
    },
    /// Over.
    Over(Ending),
}

/// What never changes while the program runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The colours.
    pub theme: Theme,
    /// Plain ASCII signs only.
    pub ascii: bool,
    /// Figures are drawn anew less often.
    pub calm: bool,
    /// The wall clock when the program began.
    pub began: Timestamp,
    /// The zone of times on the screen.
    pub zone: TimeZone,
    /// Which version the command line wants.
    pub wanted: Wanted,
    /// Whether what is read from a server is saved.
    pub saves: bool,
    /// The person's own folder, for names that begin with `~/`.
    pub home: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::Dark,
            ascii: false,
            calm: false,
            began: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
            wanted: Wanted::Current,
            saves: true,
            home: None,
        }
    }
}

/// What the command line says about the beginning.
#[derive(Default)]
pub struct Start {
    /// Matrix id, or the part before the colon.
    pub user: Option<String>,
    /// Name or address of the server.
    pub server: Option<String>,
    /// With what to sign in, if that is known.
    pub way: Option<Way>,
    /// A snapshot to open.
    pub snapshot: Option<PathBuf>,
    /// The made-up account, if its server runs.
    pub demo: Option<DemoPaper>,
    /// Names and ids are hidden from the start.
    pub masked: bool,
}

/// A wait that a server imposes on running work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The work.
    pub(super) job: Job,
    /// Seconds left.
    pub(super) left: u64,
    /// Why.
    pub(super) why: Delay,
}

/// All that the assistant knows.
pub struct Model {
    pub(super) size: Size,
    pub(super) now: Moment,
    pub(super) settings: Settings,
    pub(super) masked: bool,
    pub(super) step: Step,
    pub(super) branches: Vec<Branch>,
    pub(super) overlays: Vec<Overlay>,
    /// The first line of the explain text that is seen, while it is open.
    pub(super) explaining: Option<usize>,
    /// What a server lets us wait for.
    pub(super) waiting: Option<Waiting>,
    /// A passing remark in the place of the fact, until the next key.
    pub(super) remark: Option<Line>,
    pub(super) sign_in: SignIn,
    pub(super) account: Option<Account>,
    pub(super) visiting: Option<Visiting>,
    /// A snapshot that is being opened; what was there before stays until it has proven to be one.
    pub(super) opening: Option<PathBuf>,
    pub(super) backups: Backups,
    pub(super) hauls: BTreeMap<String, Haul>,
    /// The version whose contents are open.
    pub(super) open: Option<String>,
    /// Somebody is typing a word to find.
    pub(super) finding: bool,
    pub(super) names: Names,
    /// When the table is to be sorted by the names that came meanwhile.
    pub(super) names_due: Option<Moment>,
    pub(super) key: KeyStep,
    pub(super) guess: GuessStep,
    pub(super) restore: RestoreStep,
    pub(super) proof: ProofStep,
    pub(super) take: TakeAway,
    pub(super) check_up: CheckUp,
    pub(super) compare: Compare,
    pub(super) jobs: Jobs,
    /// A recovery key that came into a wrong field, kept for the step that wants it.
    pub(super) kept_secret: Option<SecretText>,
    /// What is being copied.
    pub(super) copying: &'static str,
    pub(super) last_press: Moment,
    pub(super) last_letter: Option<Moment>,
    pub(super) leaving: Leaving,
}

impl Model {
    /// The window's size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How everything is drawn now.
    pub fn pen(&self) -> Pen {
        let Settings { theme, ascii, .. } = self.settings;
        Pen { theme, ascii, masked: self.masked }
    }

    /// The screen that the keys are for.
    pub fn place(&self) -> Place {
        match self.branches.last() {
            Some(Branch::Room(_)) => return Place::Room,
            Some(Branch::Key) => return Place::Key,
            Some(Branch::Mend(_)) => return Place::Mend,
            Some(Branch::Fits(_)) => return Place::Fits,
            Some(Branch::Passphrases) => return Place::Passphrases,
            Some(Branch::Refused) => return Place::Refused,
            Some(Branch::Why) => return Place::Why,
            Some(Branch::ProofRooms) => return Place::ProofRooms,
            Some(Branch::KeyFile) => return Place::KeyFile,
            Some(Branch::KeyFileMade) => return Place::FileMade,
            Some(Branch::CheckUp) => return Place::CheckUp,
            Some(Branch::Compare) => return Place::Compare,
            Some(Branch::Paper) => return Place::Paper,
            None => {}
        }
        match self.step {
            Step::SignIn => Place::SignIn,
            Step::Backups => Place::Backups,
            Step::Contents => Place::Contents,
            Step::Key => Place::RecoveryKey,
            Step::Restore => Place::Restore,
            Step::Proof => Place::Proof,
            Step::TakeAway => Place::TakeAway,
        }
    }

    /// Says whether letters are text now.
    pub fn in_field(&self) -> bool {
        match self.overlays.last() {
            Some(overlay) => overlay.field().is_some(),
            None => self.screen_in_field(),
        }
    }

    /// Says whether letters are text on the screen, whatever lies above it.
    pub(super) fn screen_in_field(&self) -> bool {
        match self.place() {
            Place::SignIn => self.sign_in.in_field && self.sign_in.is_field(),
            Place::Contents => self.finding,
            Place::RecoveryKey => self.key.in_field,
            Place::Passphrases => self.guess.in_field(),
            Place::KeyFile => self.take.form.in_field(),
            Place::Paper => true,
            _ => false,
        }
    }

    /// How everything is to be drawn, for whoever learns it after the beginning.
    pub fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// How the program ended, once it has.
    pub fn ended(&self) -> Option<&Ending> {
        match &self.leaving {
            Leaving::Over(ending) => Some(ending),
            _ => None,
        }
    }

    /// The wall clock now.
    pub(super) fn wall(&self) -> Timestamp {
        let since = jiff::SignedDuration::try_from(self.now).unwrap_or_default();
        self.settings.began.checked_add(since).unwrap_or(self.settings.began)
    }

    /// Where the parts of the screen are; of a window that is too small, as if it were the smallest.
    pub(super) fn regions(&self) -> Regions {
        layout(self.size).or_else(|| layout(SMALLEST)).unwrap_or_default()
    }

    /// The contents that are open.
    pub(super) fn haul(&self) -> Option<&Haul> {
        self.hauls.get(self.open.as_ref()?)
    }

    pub(super) fn haul_mut(&mut self) -> Option<&mut Haul> {
        self.hauls.get_mut(self.open.as_ref()?)
    }

    /// The other versions that hold keys, with their rows among those that exist.
    pub(super) fn others_with_keys(&self) -> impl Iterator<Item = (usize, &BackupVersion)> {
        let others = self.backups.versions().iter().enumerate();
        others.filter(|(_, other)| {
            other.count.is_some_and(|count| count > 0) && Some(&other.version) != self.open.as_ref()
        })
    }

    /// The room that is open, key by key.
    pub(super) fn room_view(&self) -> Option<&RoomView> {
        self.branches.iter().rev().find_map(|branch| match branch {
            Branch::Room(view) => Some(view),
            _ => None,
        })
    }

    pub(super) fn room_view_mut(&mut self) -> Option<&mut RoomView> {
        self.branches.iter_mut().rev().find_map(|branch| match branch {
            Branch::Room(view) => Some(view),
            _ => None,
        })
    }

    /// Says whether somebody is signed in, and looks at their account.
    pub(super) fn is_signed_in(&self) -> bool {
        self.account.is_some() && self.visiting.is_some() && !self.is_offline()
    }

    /// Says whether everything belongs to the made-up person.
    pub(super) fn is_demo(&self) -> bool {
        let account = self.account.as_ref().map(|account| account.demo);
        account.unwrap_or(self.sign_in.demo.is_some())
    }

    /// Says whether a copy of what is read is saved on this computer.
    pub(super) fn saves(&self) -> bool {
        self.settings.saves && !self.is_offline()
    }

    /// Says whether everything comes from a file, without any server.
    pub(super) fn is_offline(&self) -> bool {
        self.visiting.as_ref().is_some_and(|visiting| visiting.file.is_some())
    }

    /// When the model wants to hear that time passed, if nothing else happens. Nothing moves without work:
    /// then this is `None`, and an idle program uses no processor.
    pub fn wakes_at(&self) -> Option<Moment> {
        let tick = Duration::from_millis(if self.settings.calm { 1_000 } else { 250 });
        let waits = self.sign_in.waits(self.now).is_some();
        let leaving = matches!(self.leaving, Leaving::SigningOut { .. });
        let moving = (self.jobs.is_busy() || waits || leaving).then(|| self.now + tick);
        let secrets = self.holds_secrets().then(|| self.last_press + SECRETS_KEPT);
        let SignIn { password, token, .. } = &self.sign_in;
        let chosen = self.take.form.chosen.hides_at();
        let (key, line) = (self.key.field.hides_at(), self.guess.field.hides_at());
        let shown = [password.hides_at(), token.hides_at(), key, line, chosen];
        let all = [moving, self.sign_in.ask_at, secrets, self.names_due]
            .into_iter()
            .chain(shown)
            .flatten();
        all.min()
    }

    /// Says whether a typed secret is held.
    pub(super) fn holds_secrets(&self) -> bool {
        let SignIn { password, token, .. } = &self.sign_in;
        let kept = !self.key.field.is_empty() || !self.key.others.is_empty();
        let typed = !password.is_empty() || !token.is_empty() || kept;
        let opened = self.key.visit.is_some() && !self.is_restoring();
        let listed = self.guess.holds_secrets() || self.take.form.holds_secrets();
        typed || opened || listed || self.kept_secret.is_some()
    }
}

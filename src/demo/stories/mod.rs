//! The stories: cases that support staff meet. Who the made-up person is, what happened to their backups,
//! what stands on their paper, and how their server behaves.

mod cases;
mod person;
mod places;
mod plain;

use std::{num::NonZero, time::Duration};

use jiff::Timestamp;

use super::{
    account::Account,
    setting::Setting,
    weather::{Busy, Weather, Whole},
};
use crate::{backup::recovery_key, base::secret::SecretText};

/// A scenario of the demo; the same on every computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Ada lost her phone. Backup 3 is current, backup 1 has another key, backup 2 was deleted.
    Plain,
    /// Ada never had a backup, though she has a recovery key.
    NoBackup,
    /// The paper holds backup 1's own key; backup 2 is current and has another.
    OlderKey,
    /// Secret storage was made from a passphrase, and that is what Ada noted.
    Passphrase,
    /// No secret storage: the paper holds the backup's own key, as in 2019.
    LegacyKey,
    /// No secret storage: the backup's own key comes from a passphrase, as in 2018.
    LegacyPassphrase,
    /// Three keys of secret storage; the paper holds one that is not the default.
    SeveralKeys,
    /// An app went on writing to backup 2 with the key of backup 1.
    MixedKeys,
    /// A letter on the paper is wrong.
    Miscopied,
    /// The newest backup was deleted, so that the one before is current again.
    DeletedNewest,
    /// The server takes its time.
    Slow,
    /// The connection breaks within the whole backup, every time; rooms come one by one.
    Flaky,
    /// Signing in is limited, and now and then the server sends everybody away.
    Limits,
    /// Rooms with names in many scripts, and such as are meant to do harm.
    ManyScripts,
    /// A backup of as many keys as wanted, made while they are read.
    Huge,
}

/// Keys of the huge story, unless another number is asked for.
const HUGE: u64 = 50_000;

impl Story {
    /// All stories, for a list.
    pub const ALL: [Self; 15] = [
        Self::Plain,
        Self::NoBackup,
        Self::OlderKey,
        Self::Passphrase,
        Self::LegacyKey,
        Self::LegacyPassphrase,
        Self::SeveralKeys,
        Self::MixedKeys,
        Self::Miscopied,
        Self::DeletedNewest,
        Self::Slow,
        Self::Flaky,
        Self::Limits,
        Self::ManyScripts,
        Self::Huge,
    ];

    /// The moment at which every story plays, for whoever shows times.
    pub const NOW: Timestamp = Timestamp::constant(1_795_608_000, 0);

    /// The word that chooses it on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::NoBackup => "no-backup",
            Self::OlderKey => "older-key",
            Self::Passphrase => "passphrase",
            Self::LegacyKey => "legacy-key",
            Self::LegacyPassphrase => "legacy-passphrase",
            Self::SeveralKeys => "several-keys",
            Self::MixedKeys => "mixed-keys",
            Self::Miscopied => "miscopied",
            Self::DeletedNewest => "deleted-newest",
            Self::Slow => "slow",
            Self::Flaky => "flaky",
            Self::Limits => "limits",
            Self::ManyScripts => "many-scripts",
            Self::Huge => "huge",
        }
    }

    /// What happens in it, in one line.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Plain => "Two backups with different keys; some keys are damaged.",
            Self::NoBackup => "There is a recovery key, but no backup was ever made.",
            Self::OlderKey => "The key on the paper opens backup 1; backup 2 is current.",
            Self::Passphrase => "A passphrase was noted in place of a recovery key.",
            Self::LegacyKey => "The paper holds the backup's own key, as in 2019.",
            Self::LegacyPassphrase => "A passphrase opens the backup itself, as in 2018.",
            Self::SeveralKeys => "Of three recovery keys, the paper holds a former one.",
            Self::MixedKeys => "A third of the backup was locked for another key.",
            Self::Miscopied => "One letter of the recovery key was copied wrong.",
            Self::DeletedNewest => "The newest backup was deleted; the one before counts.",
            Self::Slow => "The server takes its time for everything it sends.",
            Self::Flaky => "The connection breaks within the backup, every time.",
            Self::Limits => "The server sends people away who ask too often.",
            Self::ManyScripts => "Room names in many scripts, and some that do harm.",
            Self::Huge => "A backup of 50 000 keys, or as many as --keys says.",
        }
    }

    /// The story with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|story| story.name() == name)
    }

    /// The person's whole Matrix id.
    pub fn user_id(self) -> &'static str {
        "@ada:example.org"
    }

    /// The person's password.
    pub fn password(self) -> SecretText {
        SecretText::new("an engine weaves patterns".to_owned())
    }

    /// What stands on the person's paper: a recovery key, or a passphrase.
    pub fn secret(self) -> SecretText {
        match self {
            Self::OlderKey | Self::LegacyKey => self.old_recovery_key(),
            Self::Passphrase | Self::LegacyPassphrase => SecretText::new(PASSPHRASE.to_owned()),
            Self::Miscopied => miscopied(&self.recovery_key()),
            _ => self.recovery_key(),
        }
    }

    /// Whether [`Self::secret`] is a passphrase.
    pub fn has_passphrase(self) -> bool {
        matches!(self, Self::Passphrase | Self::LegacyPassphrase)
    }

    /// The key of secret storage, as a recovery key; where there is none, it opens nothing.
    pub fn recovery_key(self) -> SecretText {
        recovery_key::format(&self.key("secret storage"))
    }

    /// The private key of backup 1, as a recovery key; on an older paper in the plain story.
    pub fn old_recovery_key(self) -> SecretText {
        recovery_key::format(&self.key("backup 1"))
    }

    /// How the server behaves.
    pub fn setting(self) -> Setting {
        let weather = match self {
            Self::Slow => Weather {
                first_byte: Duration::from_secs(1),
                bytes_per_second: NonZero::new(60_000),
                ..Weather::default()
            },
            Self::Flaky => Weather { whole: Whole::Breaks { after: 40_000 }, ..Weather::default() },
            Self::Limits => {
                let wait = Duration::from_secs(1);
                let busy = NonZero::new(2).map(|every| Busy { every, wait });
                Weather { busy, ..Weather::default() }
            }
            _ => Weather::default(),
        };
        Setting { weather, limits_logins: self == Self::Limits, ..Setting::default() }
    }

    /// Makes the account. Takes some tenths of a second on all cores.
    pub fn account(self) -> Account {
        self.account_with(HUGE)
    }

    /// The same, with so many keys in the huge story; the others have theirs.
    pub fn account_with(self, keys: u64) -> Account {
        match self {
            Self::Plain => plain::account(),
            _ => cases::account(self, keys),
        }
    }
}

const PASSPHRASE: &str = "the kettle sings before the rain";

/// The paper with one wrong letter: of two that look alike, the other one, or else any other.
fn miscopied(key: &SecretText) -> SecretText {
    let place = key.expose().rfind(|letter: char| letter.is_ascii_lowercase());
    let slip = key.expose().char_indices().map(|(at, letter)| match (Some(at) == place, letter) {
        (true, 'n') => 'h',
        (true, _) => 'n',
        (false, letter) => letter,
    });
    SecretText::new(slip.collect())
}

//! Judges what was gathered: each check is right, wrong, or cannot be proven. Pure: it asks nobody.

use serde::Serialize;

use super::{
    super::trust::{Who, Worth},
    facts::{Facts, OpenedFacts, StoreFacts},
    findings::Finding,
    storage,
};
use crate::base::{
    failure::Code,
    shown::{Shown, grouped},
    words::{ago, counted, length},
};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It was checked here and is right.
    Ok,
    /// It was checked here and needs a person.
    Wrong,
    /// It cannot be proven.
    Unknown,
}

/// What a check says beside its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Says {
    /// The words.
    pub text: String,
    /// Whether a screen that others see must not show them: a host, a device, an id.
    pub private: bool,
}

/// One check.
#[derive(Clone, Debug)]
pub struct Check {
    /// The stable word.
    pub id: &'static str,
    /// What is checked.
    pub title: String,
    /// How it ended.
    pub mark: Mark,
    /// In a few words, what was seen.
    pub says: Says,
    /// What needs a person, or is worth knowing.
    pub finding: Option<Finding>,
}

impl Check {
    pub(super) fn new(id: &'static str, title: impl Into<String>, outcome: Outcome) -> Self {
        let Outcome { mark, says, finding } = outcome;
        Self { id, title: title.into(), mark, says, finding }
    }
}

/// How one check ended, before it has a title.
pub(super) struct Outcome {
    mark: Mark,
    says: Says,
    finding: Option<Finding>,
}

impl Outcome {
    fn of(mark: Mark, text: impl Into<String>) -> Self {
        Self { mark, says: Says { text: text.into(), private: false }, finding: None }
    }

    pub(super) fn ok(text: impl Into<String>) -> Self {
        Self::of(Mark::Ok, text)
    }

    pub(super) fn unknown(text: impl Into<String>) -> Self {
        Self::of(Mark::Unknown, text)
    }

    /// Nothing is wrong, but it is worth knowing.
    pub(super) fn unproven(finding: Finding, text: impl Into<String>) -> Self {
        Self { finding: Some(finding), ..Self::of(Mark::Unknown, text) }
    }

    pub(super) fn wrong(finding: Finding, text: impl Into<String>) -> Self {
        Self { finding: Some(finding), ..Self::of(Mark::Wrong, text) }
    }

    pub(super) fn private(mut self) -> Self {
        self.says.private = true;
        self
    }
}

/// A clock that is off by more than this hurts, in seconds.
const CLOCK: u64 = 300;
/// Within so many seconds nobody can tell clocks apart: servers tell theirs in whole ones.
const CLOCK_NOISE: u64 = 5;
/// Two new backups within this time are made by apps, not by people, in seconds.
const DAY: i64 = 86_400;

/// A version's name.
pub(super) fn name(version: &str) -> Shown {
    Shown::limited(version, 20)
}

/// What is said where a server would know.
pub(super) const OFFLINE: &str = "offline: nobody was asked";
/// What is said of what a check before this one already told.
pub(super) const NOT_REACHED: &str = "not known";

impl Facts {
    /// What is said where the server told nothing.
    pub(super) fn silence(&self) -> Outcome {
        Outcome::unknown(if self.saved.is_some() { OFFLINE } else { NOT_REACHED })
    }

    /// Judges everything, in the order in which one thing hangs on another.
    pub fn checks(&self) -> Vec<Check> {
        let current = self.current().map(|version| name(&version.version));
        let of_current = |rest: &str| match &current {
            Some(n) => format!("Backup {n} {rest}"),
            None => format!("The current backup {rest}"),
        };
        let exists = if self.saved.is_some() {
            "A backup is in the snapshot"
        } else {
            "A current backup exists"
        };
        vec![
            Check::new("server", "The server answers", self.server_answers()),
            Check::new("sign_in", "You are signed in", self.signed_in()),
            Check::new("backup", exists, self.backup()),
            Check::new("switched_on", "Backing up is not switched off", self.switched_on()),
            Check::new("storage", storage::exists_title(self), storage::exists(self)),
            Check::new("key", storage::key_title(self), storage::key(self)),
            Check::new("secret", "Its default lock holds a backup's key", storage::secret(self)),
            Check::new("fits", storage::fits_title(self), storage::fits(self)),
            Check::new("signature", of_current("is signed"), self.signature()),
            Check::new("count", "The number of keys fits the contents", self.count()),
            Check::new("sample", self.sample_title(), self.sample()),
            Check::new("store", "The store on this computer", self.store_is_whole()),
            Check::new("clock", "The clock", self.clock()),
        ]
    }

    fn server_answers(&self) -> Outcome {
        if let Some(failure) = &self.unreached {
            // Whoever does not let us in answers.
            return match failure.exit() {
                13 => Outcome::ok("it answers"),
                _ => Outcome::wrong(Finding::Failed(failure.clone()), "no"),
            };
        }
        match &self.server {
            None => self.silence(),
            Some(server) => match &server.pulse {
                Ok((took, _)) => {
                    Outcome::ok(format!("{}, {} ms", server.host, grouped(took.as_millis() as u64)))
                        .private()
                }
                Err(failure) => Outcome::wrong(Finding::Failed(failure.clone()), "no"),
            },
        }
    }

    fn signed_in(&self) -> Outcome {
        match (&self.unreached, &self.server) {
            (Some(failure), _) if failure.exit() == 13 => {
                Outcome::wrong(Finding::Failed(failure.clone()), "no")
            }
            (_, None) => self.silence(),
            (_, Some(server)) => match &server.device {
                Some(device) if server.borrowed => {
                    Outcome::ok(format!("with another app's device {device}")).private()
                }
                Some(device) => Outcome::ok(format!("device {device}")).private(),
                None => Outcome::ok("without a device"),
            },
        }
    }

    fn backup(&self) -> Outcome {
        if self.unreached.is_some() {
            return self.silence();
        }
        let Some(current) = self.current() else {
            return match self.newest_before() {
                Some(newest) => Outcome::wrong(
                    Finding::NoBackup,
                    format!("no; backup {} is gone", name(&newest.to_string())),
                ),
                None => Outcome::wrong(Finding::NoBackup, "no"),
            };
        };
        let n = name(&current.version);
        if !current.supported() {
            return Outcome::wrong(Finding::UnknownKind { n }, "of a kind that is not known");
        }
        if self.saved.is_none()
            && let Some(outcome) = self.changes(&n)
        {
            return outcome;
        }
        if current.public_key().is_err() {
            return Outcome::wrong(Finding::KeyMalformed { n }, "its public key is damaged");
        }
        if current.has_key_encoded_twice() {
            return Outcome::wrong(Finding::KeyEncodedTwice { n }, "its public key is odd");
        }
        let opened = self.opened.iter().flat_map(|opened| &opened.by_entries);
        if opened.into_iter().any(|version| *version == current.version) {
            return Outcome::wrong(Finding::KeyNotItsOwn { n }, "its public key is another's");
        }
        let keys = current.count.map(|count| format!(", {}", counted(count, "key")));
        let text = format!("backup {n}{}", keys.unwrap_or_default());
        match self.saved {
            Some(then) => Outcome::unknown(format!("backup {n}, read {}", ago(then, self.at))),
            None => Outcome::ok(text),
        }
    }

    /// What happened to the backups, lately or since somebody looked.
    fn changes(&self, n: &Shown) -> Option<Outcome> {
        let current = self.overview.current.as_deref();
        if let Some(Some(now)) = self.current_later.as_ref().filter(|now| now.as_deref() != current)
        {
            let finding = Finding::NewBackupMade { now: name(now) };
            return Some(Outcome::wrong(finding, "another one was made just now"));
        }
        let number: u64 = current?.parse().ok()?;
        if let Some(newest) = self.newest_before().filter(|newest| *newest > number) {
            let newest = name(&newest.to_string());
            let finding = Finding::NewestDeleted { current: n.clone(), newest: newest.clone() };
            return Some(Outcome::wrong(
                finding,
                format!("backup {n} again; backup {newest} is gone"),
            ));
        }
        // Only where numbers are counted per account do they tell how many were made.
        let looked = self
            .seen_before
            .iter()
            .filter_map(|seen| Some((seen.version.parse::<u64>().ok()?, seen.looked?)));
        let (known, at) = looked.max()?;
        let made = number.saturating_sub(known);
        let lately = self.at.as_second() - at.as_second() < DAY;
        (self.overview.all_found == Some(true) && made >= 2 && lately).then(|| {
            Outcome::wrong(
                Finding::AppsFighting { made },
                format!("backup {n}, the latest of many"),
            )
        })
    }

    /// The newest version that was ever seen and is no more.
    fn newest_before(&self) -> Option<u64> {
        let here = |name: &str| self.overview.versions.iter().any(|it| it.version == name);
        let gone = self.seen_before.iter().filter(|seen| !here(&seen.version));
        gone.filter_map(|seen| seen.version.parse().ok()).max()
    }

    fn switched_on(&self) -> Outcome {
        match self.switched_off {
            Some(true) => Outcome::wrong(Finding::SwitchedOff, "it is switched off"),
            Some(false) => Outcome::ok("it is on"),
            None => self.silence(),
        }
    }

    fn signature(&self) -> Outcome {
        let Some(current) = self.current() else { return self.silence() };
        let Some(signed) = &self.signed else { return self.silence() };
        let opened = self.opened.as_ref().is_some_and(|opened| opened.opens(&current.version));
        if signed.by.is_empty() {
            return Outcome::unproven(Finding::Unsigned { opened }, "by nobody");
        }
        if signed.by.iter().any(|one| one.worth == Worth::Broken) {
            return Outcome::wrong(Finding::SignatureBroken, "a signature is broken");
        }
        if signed.account_key_proven == Some(false) {
            return Outcome::wrong(Finding::AccountKeyExchanged, "by a key that is not proven");
        }
        if signed.by.iter().any(|one| one.worth == Worth::Proven) {
            return Outcome::ok("by your account");
        }
        let is = |wanted: &dyn Fn(&Who) -> bool| signed.by.iter().any(|one| wanted(&one.who));
        if is(&|who| *who == Who::Account) {
            Outcome::unknown("by your account, says the server")
        } else if is(&|who| matches!(who, Who::Device(_) | Who::DeviceId(_))) {
            Outcome::unknown("by a device, says the server")
        } else if is(&|who| *who == Who::Replaced) {
            Outcome::unknown("by a key that was replaced since")
        } else {
            Outcome::unknown("by a key that nobody knows")
        }
    }

    fn count(&self) -> Outcome {
        let Some(current) = self.current() else { return self.silence() };
        let Some(reading) = self.reading(&current.version) else {
            return match &self.unread {
                Some(failure) => {
                    Outcome::wrong(Finding::Failed(failure.clone()), "it cannot be read")
                }
                None => self.silence(),
            };
        };
        let there = grouped(reading.entries);
        let text = match (reading.from_snapshot, self.saved) {
            (true, None) => format!("{there} counted in the snapshot"),
            _ => format!("{there} counted"),
        };
        match current.count {
            // Apps write at any time.
            _ if reading.changed => Outcome::unknown(format!("{text}, while an app was writing")),
            _ if !reading.whole => Outcome::wrong(Finding::ReadInPart, format!("{text} so far")),
            None => Outcome::unknown(format!("{text}; the server says no number")),
            Some(said) if said == reading.entries => Outcome::ok(text),
            Some(said) => {
                let finding = Finding::CountDiffers { said, counted: reading.entries };
                Outcome::wrong(finding, format!("{text}, not {}", grouped(said)))
            }
        }
    }

    fn sample_title(&self) -> String {
        let opened = self.readings.iter().find(|reading| reading.opened.is_some());
        let name_of = opened.map(|reading| name(&reading.version));
        let current = || self.current().map(|version| name(&version.version));
        match name_of.or_else(current) {
            Some(n) => format!("The keys of backup {n} open"),
            None => "The keys open".to_owned(),
        }
    }

    fn sample(&self) -> Outcome {
        let opened = |reading: &super::facts::Reading| Some((reading.clone(), reading.opened?));
        let Some((reading, opened)) = self.readings.iter().find_map(opened) else {
            return Outcome::unknown("no key for it is at hand");
        };
        let all = reading.entries;
        let text = match opened == all {
            true => format!("all {}", grouped(all)),
            false => format!("{} of {}", grouped(opened), counted(all, "key")),
        };
        let others = reading.refused.get("mac").copied().unwrap_or(0);
        let refused = reading.refused_count();
        if all == 0 {
            Outcome::unknown("it holds no keys")
        } else if others > 0 {
            let left = refused - others;
            let rest =
                if left > 0 { format!("; {} damaged", grouped(left)) } else { String::new() };
            Outcome::wrong(
                Finding::EntriesForAnotherKey { n: others, all },
                format!("{text}{rest}"),
            )
        } else if refused > 0 {
            Outcome::wrong(Finding::EntriesDamaged { n: refused, all }, text)
        } else {
            Outcome::ok(text)
        }
    }

    fn store_is_whole(&self) -> Outcome {
        match &self.store {
            StoreFacts::Nothing => Outcome::unknown("no key is here yet"),
            StoreFacts::NotTried => Outcome::unknown("closed: no recovery key was given"),
            StoreFacts::Closed(failure) if failure.code() == Code::StoreOtherLock => {
                Outcome::unknown("closed: under another recovery key")
            }
            StoreFacts::Closed(failure) => {
                Outcome::wrong(Finding::Failed(failure.clone()), "it cannot be read")
            }
            StoreFacts::Open { info, damaged: 0 } => {
                Outcome::ok(format!("{}, no damage", counted(info.keys, "key")))
            }
            StoreFacts::Open { info, damaged } => {
                let text = format!("{}, damaged", counted(info.keys, "key"));
                Outcome::wrong(Finding::StoreDamaged { n: *damaged }, text)
            }
        }
    }

    fn clock(&self) -> Outcome {
        let Some(server) = &self.server else { return self.silence() };
        let Ok((_, Some(ahead))) = &server.pulse else {
            return Outcome::unknown("the server does not tell its time");
        };
        match ahead.unsigned_abs() {
            0..CLOCK_NOISE => Outcome::ok(format!("differs by less than {CLOCK_NOISE} s")),
            off @ CLOCK_NOISE..CLOCK => Outcome::ok(format!("differs by {}", length(off))),
            off => Outcome::wrong(Finding::ClockOff, format!("differs by {}", length(off))),
        }
    }
}

impl OpenedFacts {
    /// Says whether a version opens.
    pub(super) fn opens(&self, version: &str) -> bool {
        self.backups.iter().any(|opened| opened == version)
    }
}

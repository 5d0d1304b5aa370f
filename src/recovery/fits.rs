//! The fit table: every secret at hand on every lock of an account, by every way in which it can be read,
//! and what opens in turn (SPEC §5.7). A value without any secret in it: whoever shows it needs no more.

use serde::Serialize;

use super::{look::Overview, typed::SecretKind};
use crate::{backup::version::BackupVersion, secret_storage::key::KeyDescription};

/// Most rows for backups that are gone: some servers give numbers with large gaps.
const GONE: usize = 20;

/// A lock that a secret opens, and how that was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fit {
    /// What kind of lock.
    pub kind: LockKind,
    /// The id of the 4S key, or the backup version.
    pub id: String,
    /// Whether it is the default 4S key, or the current backup; in a snapshot its only one.
    pub current: bool,
    /// What proves it.
    pub proof: Proof,
}

/// The kinds of locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// A 4S key.
    SecretStorage,
    /// A backup version.
    Backup,
}

/// What proves that a secret opens a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The public key derived from it is the lock's.
    PublicKey,
    /// A MAC verifies under it.
    Mac,
    /// Entries of the backup open with it, where no public key tells.
    Entries,
}

/// In which role a typed text is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As the 32 bytes of a key.
    Key,
    /// As a passphrase from which a key is made.
    Passphrase,
}

/// What came of one secret, read in one way, on one lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// This way does not exist: no key was made from a passphrase here, or the text is no key.
    #[default]
    Impossible,
    /// Not tried, because the secret opened something in another way, or nobody waited for it.
    NotTried,
    /// It does not open.
    No,
    /// Left out, because one try takes about so many seconds on this computer.
    LeftOut {
        /// The seconds.
        seconds: u64,
    },
    /// The lock has nothing to check it with.
    Maybe,
    /// It opens.
    Opens {
        /// What proves that.
        proof: Proof,
        /// The 4S key under which the key of this backup is held, where it is not the secret itself.
        held_in: Option<String>,
    },
}

impl Outcome {
    /// The stable word of the JSON contract.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::Impossible => None,
            Self::NotTried => Some("not_tried"),
            Self::No => Some("no"),
            Self::LeftOut { .. } => Some("left_out"),
            Self::Maybe => Some("maybe"),
            Self::Opens { .. } => Some("opens"),
        }
    }

    /// Says whether the lock opens.
    pub fn opens(&self) -> bool {
        matches!(self, Self::Opens { .. })
    }

    fn weight(&self) -> u8 {
        match self {
            Self::Impossible => 0,
            Self::NotTried => 1,
            Self::No => 2,
            Self::LeftOut { .. } => 3,
            Self::Maybe => 4,
            Self::Opens { .. } => 5,
        }
    }

    /// Takes what says more: a lock that opens in any way is open.
    fn learn(&mut self, other: Self) {
        if other.weight() > self.weight() {
            *self = other;
        }
    }
}

/// One secret on one lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Read as a key.
    pub key: Outcome,
    /// Read as a passphrase.
    pub passphrase: Outcome,
}

impl Cell {
    /// The better of both.
    pub fn best(&self) -> &Outcome {
        if self.passphrase.weight() > self.key.weight() { &self.passphrase } else { &self.key }
    }

    fn of(&mut self, reading: Reading) -> &mut Outcome {
        match reading {
            Reading::Key => &mut self.key,
            Reading::Passphrase => &mut self.passphrase,
        }
    }
}

/// Where an open lock leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LeadsTo {
    /// Nowhere: it is closed.
    #[default]
    Nowhere,
    /// To the keys of a backup, as many as the server says.
    Keys(Option<u64>),
    /// Secret storage holds the key of these backups.
    KeyOf(Vec<String>),
    /// Secret storage holds a key that is for no backup here.
    KeyOfAnother,
    /// Secret storage holds no key of a backup.
    NoKey,
    /// What secret storage holds is damaged.
    Damaged,
}

/// One lock, with what came of every secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What kind of lock.
    pub kind: LockKind,
    /// The id of the 4S key, or the backup version.
    pub id: String,
    /// Whether it is the default 4S key, or the current backup.
    pub current: bool,
    /// Keys of a backup, as the server says.
    pub count: Option<u64>,
    /// A backup that does not exist any more.
    pub gone: bool,
    /// What came of each secret, in the order given.
    pub cells: Vec<Cell>,
    /// Where it leads.
    pub leads_to: LeadsTo,
    /// Where only its entries could tell: how many open, of how many tried.
    pub sampled: Option<(usize, usize)>,
}

impl Row {
    /// Says whether some secret opens it.
    pub fn opens(&self) -> bool {
        self.cells.iter().any(|cell| cell.best().opens())
    }
}

/// Every secret on every lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fits {
    /// The locks: those of secret storage first, the default one at the top, then backups from new to old.
    pub rows: Vec<Row>,
    /// What each secret is, in the order given.
    pub secrets: Vec<SecretKind>,
}

impl Fits {
    /// The empty table of an account, for so many secrets.
    pub(super) fn of(overview: &Overview, secrets: usize) -> Self {
        let storage = overview.locks.listed().into_iter().map(|(id, default)| {
            let made = overview.locks.description(&id).and_then(KeyDescription::passphrase);
            let from_passphrase = made.is_some_and(Result::is_ok);
            Row::new(LockKind::SecretStorage, id, secrets).current(default).made(from_passphrase)
        });
        let backup = |version: &BackupVersion| {
            let row = Row::new(LockKind::Backup, version.version.clone(), secrets);
            let current = overview.is_current(&version.version);
            let from_passphrase = version.passphrase().is_some_and(|made| made.is_ok());
            Row { count: version.count, ..row.current(current).made(from_passphrase) }
        };
        let mut rows: Vec<Row> = storage.collect();
        let mut above: Option<u64> = None;
        let gone = |number: u64| {
            let row = Row::new(LockKind::Backup, number.to_string(), secrets);
            Row { gone: true, ..row }
        };
        for version in &overview.versions {
            let number = version.version.parse::<u64>().ok();
            let counted = overview.all_found == Some(true);
            if let (true, Some(above), Some(number)) = (counted, above, number) {
                rows.extend((number + 1..above).rev().take(GONE).map(gone));
            }
            rows.push(backup(version));
            above = number.filter(|_| counted);
        }
        if let Some(above) = above {
            rows.extend((1..above).rev().take(GONE).map(gone));
        }
        Self { rows, secrets: Vec::new() }
    }

    /// Notes what came of one secret on one lock.
    pub(super) fn note(
        &mut self,
        secret: usize,
        lock: (LockKind, &str),
        reading: Reading,
        outcome: Outcome,
    ) {
        if let Some(cell) = self.row_mut(lock).and_then(|row| row.cells.get_mut(secret)) {
            cell.of(reading).learn(outcome);
        }
    }

    /// Notes where an open lock leads; what was known before stays, unless it was nothing good.
    pub(super) fn leads(&mut self, lock: (LockKind, &str), to: LeadsTo) {
        if let Some(row) = self.row_mut(lock) {
            let better = matches!(to, LeadsTo::Keys(_) | LeadsTo::KeyOf(_));
            if better || row.leads_to == LeadsTo::Nowhere {
                row.leads_to = to;
            }
        }
    }

    /// Notes how many entries of a backup opened, where no public key told.
    pub(super) fn sampled(&mut self, version: &str, opened: usize, tried: usize) {
        if let Some(row) = self.row_mut((LockKind::Backup, version)) {
            row.sampled = row.sampled.max(Some((opened, tried)));
        }
    }

    fn row_mut(&mut self, (kind, id): (LockKind, &str)) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.kind == kind && row.id == id && !row.gone)
    }

    /// How many locks there are that somebody could open.
    pub fn locks(&self) -> usize {
        self.rows.iter().filter(|row| !row.gone).count()
    }

    /// How many of them open.
    pub fn open(&self) -> usize {
        self.rows.iter().filter(|row| row.opens()).count()
    }

    /// How many secrets were tried on locks, each way counted.
    pub fn tries(&self) -> usize {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        let outcomes = cells.flat_map(|cell| [&cell.key, &cell.passphrase]);
        let tried = |outcome: &&Outcome| {
            matches!(outcome, Outcome::No | Outcome::Maybe | Outcome::Opens { .. })
        };
        outcomes.filter(tried).count()
    }

    /// The locks that one secret opens, in the order of the table.
    pub fn of_secret(&self, secret: usize) -> impl Iterator<Item = Fit> {
        self.rows.iter().filter_map(move |row| match row.cells.get(secret)?.best() {
            Outcome::Opens { proof, .. } => Some(Fit {
                kind: row.kind,
                id: row.id.clone(),
                current: row.current,
                proof: *proof,
            }),
            _ => None,
        })
    }

    /// Says whether some secret was read as this.
    pub fn was_read_as(&self, reading: Reading) -> bool {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.clone().any(|cell| match reading {
            Reading::Key => cell.key != Outcome::Impossible,
            Reading::Passphrase => cell.passphrase != Outcome::Impossible,
        })
    }
}

impl Row {
    fn new(kind: LockKind, id: String, secrets: usize) -> Self {
        Self {
            kind,
            id,
            current: false,
            count: None,
            gone: false,
            cells: vec![Cell::default(); secrets],
            leads_to: LeadsTo::default(),
            sampled: None,
        }
    }

    fn current(self, current: bool) -> Self {
        Self { current, ..self }
    }

    /// A lock that was made from a passphrase can be tried with one.
    fn made(mut self, from_passphrase: bool) -> Self {
        if from_passphrase {
            self.cells.iter_mut().for_each(|cell| cell.passphrase = Outcome::NotTried);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::version::ALGORITHM;

    fn overview(numbers: &[u64], all_found: Option<bool>) -> Overview {
        let version = |number: &u64| {
            let body = format!(r#"{{"algorithm":"{ALGORITHM}","auth_data":{{}},"count":7}}"#);
            BackupVersion::parse(&body, Some(&number.to_string())).unwrap()
        };
        let versions = numbers.iter().map(version).collect();
        let current = numbers.first().map(u64::to_string);
        Overview { versions, current, all_found, ..Overview::default() }
    }

    fn rows(fits: &Fits) -> Vec<(&str, bool)> {
        fits.rows.iter().map(|row| (row.id.as_str(), row.gone)).collect()
    }

    #[test]
    fn numbers_are_gone_only_where_all_were_asked_for() {
        let all = Fits::of(&overview(&[5, 3], Some(true)), 1);
        let expected = [("5", false), ("4", true), ("3", false), ("2", true), ("1", true)];
        assert_eq!(rows(&all), expected);
        assert_eq!((all.locks(), all.open(), all.tries()), (2, 0, 0));
        for found in [None, Some(false)] {
            assert_eq!(rows(&Fits::of(&overview(&[5, 3], found), 1)), [("5", false), ("3", false)]);
        }
        let far = Fits::of(&overview(&[900], Some(true)), 1);
        assert_eq!(far.rows.len(), GONE + 1);
    }

    #[test]
    fn what_says_more_stays() {
        let mut fits = Fits::of(&overview(&[2, 1], Some(true)), 2);
        let lock = (LockKind::Backup, "1");
        let opens = Outcome::Opens { proof: Proof::PublicKey, held_in: Some("a".to_owned()) };
        for outcome in [Outcome::No, opens.clone(), Outcome::No, Outcome::Maybe] {
            fits.note(1, lock, Reading::Key, outcome);
        }
        fits.note(1, (LockKind::Backup, "2"), Reading::Key, Outcome::No);
        fits.note(0, (LockKind::Backup, "none"), Reading::Key, Outcome::No);
        let one = &fits.rows[1];
        assert_eq!(one.cells[1], Cell { key: opens, passphrase: Outcome::Impossible });
        assert_eq!(one.cells[0], Cell::default());
        assert!(one.opens() && !fits.rows[0].opens());
        assert_eq!((fits.open(), fits.tries()), (1, 2));
        assert_eq!(fits.of_secret(1).map(|fit| fit.id).collect::<Vec<_>>(), ["1"]);
        assert_eq!(fits.of_secret(0).count(), 0);
        assert!(fits.was_read_as(Reading::Key) && !fits.was_read_as(Reading::Passphrase));
    }
}

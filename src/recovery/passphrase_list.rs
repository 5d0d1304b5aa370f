//! Trying a list of passphrases that somebody may have used, with variations of them, on every lock that
//! was made from one. All of it happens here: nothing is asked of a server, and nobody counts the tries.
//!
//! Recovery keys in the list are tried as such first. Then each guess is calculated as a whole on one
//! core, many at a time; locks whose calculation is quick come first.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    failures::IntoFailure,
    passphrase::{self, Effort, cores},
    typed::{self, Typed},
    unlock::{Fit, LockKind, Made, Place, Unlocked, unlock},
};
use crate::{
    backup::recovery_key,
    base::{
        failure::{Code, Failure},
        limits,
        progress::News,
        random::SystemRandom,
        secret::{SecretBytes, SecretText},
        shown::{Shown, waiting},
        stretch::Recipe,
    },
    homeserver::RequestError,
    secret_storage::guesses::{
        Guesses, Kind, Variation,
        list::{self, ListFault},
    },
};

/// No guess opens it yet.
const CLOSED: usize = usize::MAX;
/// How often news is told while guesses are tried.
const NEWS: Duration = Duration::from_millis(100);

/// A list that was read, with all that it gives to try.
pub struct List {
    /// Lines that are a recovery key or a raw key: the number of the line, and the key as a recovery key.
    keys: Vec<(u64, SecretText)>,
    guesses: Guesses,
    /// Lines that are not empty.
    lines: usize,
}

impl List {
    /// Reads a list, one passphrase or recovery key in a line, and works out the variations that were
    /// chosen. Fails with `list-line` where a line is no text, with `list-too-long` where there would be
    /// more than [`limits::GUESSES`], and with `secret-missing` where no line has anything in it.
    pub fn read(list: &SecretBytes, kinds: &[Kind]) -> Result<Self, Failure> {
        let mut lines = list::lines(list).map_err(|fault| fault.into_failure())?;
        if lines.is_empty() {
            return Err(Failure::new(Code::SecretMissing).because("the list has no line"));
        }
        let so_many = lines.len();
        let mut keys = Vec::new();
        lines.retain(|line| match typed::read(&line.text) {
            Typed::RecoveryKey(key) => {
                keys.push((line.number, recovery_key::format(&key)));
                false
            }
            // The same text could be a passphrase all the same.
            Typed::RawKey(key) => {
                keys.push((line.number, recovery_key::format(&key)));
                true
            }
            Typed::Words(_) => true,
        });
        let guesses = Guesses::of(lines, kinds, limits::GUESSES, &mut SystemRandom);
        let guesses = guesses.map_err(|_| {
            Failure::new(Code::ListTooLong).with("n", Shown::from(limits::GUESSES as u64))
        })?;
        Ok(Self { keys, guesses, lines: so_many })
    }

    /// How many lines have something in them.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// How many different passphrases and keys there are to try.
    pub fn guesses(&self) -> usize {
        self.guesses.len() + self.keys.len()
    }
}

impl IntoFailure for ListFault {
    fn into_failure(self) -> Failure {
        let (Self::NotText { line } | Self::TooLong { line }) = self;
        Failure::new(Code::ListLine).with("n", Shown::from(line)).because(&self.to_string())
    }
}

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Until every lock is open that was made from a passphrase.
    AllLocks,
    /// Until one is.
    FirstLock,
}

/// What a line of a list opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The number of the line, from one.
    pub line: u64,
    /// In what the passphrase differs from the line.
    pub variation: Variation,
    /// What kind of lock.
    pub kind: LockKind,
    /// The id of the 4S key, or the backup version.
    pub lock: String,
}

impl Opened {
    fn is(&self, (kind, id): (LockKind, &str)) -> bool {
        self.kind == kind && self.lock == id
    }
}

/// What came of a list.
#[derive(Default)]
pub struct Searched {
    /// Lines that have something in them.
    pub lines: usize,
    /// Different passphrases and keys that the list gives.
    pub guesses: usize,
    /// Tries that were made: one is one passphrase on one lock, or on several that were made alike.
    pub tried: u64,
    /// What opened, in the order found.
    pub opened: Vec<Opened>,
    /// Locks that were left out: one try asks for more calculation than is done without asking.
    pub left_out: Vec<String>,
    /// The passphrases and keys that opened something, as they are typed.
    pub secrets: Vec<SecretText>,
}

impl Searched {
    /// Why the list opens nothing.
    pub fn exhausted(&self) -> Failure {
        Failure::new(Code::ListExhausted).with("n", Shown::from(self.guesses as u64))
    }
}

/// A recipe, and the locks that were made by it.
type Lock<'a> = (Recipe, Vec<Made<'a>>);

fn seconds(rounds: u64) -> u64 {
    passphrase::seconds(rounds / cores() as u64)
}

/// Tries a list on everything. Fails with `passphrase-unused` where there is nothing to try it on, with
/// `passphrase-slow` where one try on any lock is too much, and with `list-slow` where all of it takes
/// long, unless `effort` says that it may.
pub(super) fn search(
    list: &List,
    goal: Goal,
    place: &Place<'_>,
    effort: &Effort<'_>,
) -> Result<Searched, Failure> {
    let mut searched =
        Searched { lines: list.lines, guesses: list.guesses(), ..Searched::default() };
    try_keys(list, goal, place, effort, &mut searched)?;
    if goal == Goal::FirstLock && !searched.opened.is_empty() {
        return Ok(searched);
    }
    let made = place.made_from_passphrases();
    let open = |lock: &Made<'_>| searched.opened.iter().any(|opened| opened.is(name(*lock)));
    let closed = made.into_iter().filter(|(_, locks)| !locks.iter().all(open));
    let (mut closed, dear): (Vec<Lock<'_>>, Vec<Lock<'_>>) =
        closed.partition(|(recipe, _)| recipe.work() <= limits::STRETCH_ROUNDS);
    closed.sort_by_key(|(recipe, _)| recipe.work());
    let locks = dear.iter().flat_map(|(_, locks)| locks);
    searched.left_out = locks.map(|lock| name(*lock).1.to_owned()).collect();
    if list.guesses.is_empty() || closed.is_empty() && !searched.opened.is_empty() {
        return Ok(searched);
    }
    if closed.is_empty() {
        let least = dear.iter().map(|(recipe, _)| recipe.work()).min();
        let unused = || Failure::new(Code::PassphraseUnused);
        return Err(least.map_or_else(unused, too_dear));
    }
    let all: u64 = closed.iter().map(|(recipe, _)| recipe.work()).sum();
    let all = all.saturating_mul(list.guesses.len() as u64);
    if all > limits::LIST_BUDGET && !effort.slow {
        return Err(Failure::new(Code::ListSlow).with("time", waiting(Some(seconds(all)))));
    }
    let hunt = Hunt::new(&list.guesses, goal, &closed, place, effort);
    hunt.run();
    if effort.cancel.is_cancelled() {
        return Err(RequestError::Cancelled.into_failure());
    }
    searched.tried += hunt.tried.load(Ordering::Relaxed);
    let mut finds = hunt.finds.into_inner().unwrap_or_else(PoisonError::into_inner);
    finds.sort_by_key(|find| (find.guess, find.recipe));
    for Find { guess, locks, .. } in finds {
        let Some(guess) = list.guesses.guess(guess) else { continue };
        let (line, variation) = (guess.line, guess.variation);
        let opened = locks.into_iter().map(|(kind, lock)| Opened { line, variation, kind, lock });
        searched.opened.extend(opened);
        let text = guess.text.expose();
        if !searched.secrets.iter().any(|known| known.expose() == text) {
            searched.secrets.push(guess.text);
        }
    }
    Ok(searched)
}

fn too_dear(rounds: u64) -> Failure {
    let time = waiting(Some(passphrase::seconds(rounds)));
    Failure::new(Code::PassphraseSlow)
        .with("time", time)
        .because("a list leaves such locks out; one passphrase in --secret-file may try them")
}

/// Kind and name of a lock.
fn name(lock: Made<'_>) -> (LockKind, &str) {
    match lock {
        Made::Storage(key) => (LockKind::SecretStorage, &key.id),
        Made::Backup(version) => (LockKind::Backup, &version.version),
    }
}

/// The lines that are keys, each by itself, so that it is known which one opens what.
fn try_keys(
    list: &List,
    goal: Goal,
    place: &Place<'_>,
    effort: &Effort<'_>,
    searched: &mut Searched,
) -> Result<(), Failure> {
    for (line, key) in &list.keys {
        if effort.cancel.is_cancelled() {
            return Err(RequestError::Cancelled.into_failure());
        }
        let key = [key.duplicate()];
        let Unlocked { fits, .. } = unlock(&key, place, effort)?;
        searched.tried += 1;
        let known = |fit: &Fit| searched.opened.iter().any(|open| open.is((fit.kind, &fit.id)));
        let new: Vec<Fit> = fits.into_iter().filter(|fit| !known(fit)).collect();
        if new.is_empty() {
            continue;
        }
        let opened = new.into_iter().map(|fit| Opened {
            line: *line,
            variation: Variation::AsTyped,
            kind: fit.kind,
            lock: fit.id,
        });
        searched.opened.extend(opened);
        searched.secrets.extend(key);
        if goal == Goal::FirstLock {
            break;
        }
    }
    Ok(())
}

/// A guess that opens something.
struct Find {
    guess: usize,
    recipe: usize,
    locks: Vec<(LockKind, String)>,
}

/// A search on all cores. Its jobs are numbered: first all lines as they stand, on one lock after the
/// other, then the likely variations, then slips.
struct Hunt<'a> {
    guesses: &'a Guesses,
    goal: Goal,
    locks: &'a [Lock<'a>],
    place: &'a Place<'a>,
    effort: &'a Effort<'a>,
    begun: Instant,
    next: AtomicUsize,
    /// For each recipe: the first guess that opens it, and how many were tried on it.
    open: Vec<AtomicUsize>,
    tries: Vec<AtomicU64>,
    tried: AtomicU64,
    rounds: AtomicU64,
    told: Mutex<Instant>,
    finds: Mutex<Vec<Find>>,
}

impl<'a> Hunt<'a> {
    fn new(
        guesses: &'a Guesses,
        goal: Goal,
        locks: &'a [Lock<'a>],
        place: &'a Place<'a>,
        effort: &'a Effort<'a>,
    ) -> Self {
        let begun = Instant::now();
        Self {
            guesses,
            goal,
            locks,
            place,
            effort,
            begun,
            next: AtomicUsize::new(0),
            open: locks.iter().map(|_| AtomicUsize::new(CLOSED)).collect(),
            tries: locks.iter().map(|_| AtomicU64::new(0)).collect(),
            tried: AtomicU64::new(0),
            rounds: AtomicU64::new(0),
            told: Mutex::new(begun),
            finds: Mutex::new(Vec::new()),
        }
    }

    fn run(&self) {
        self.tell();
        let jobs = self.guesses.len().saturating_mul(self.locks.len());
        thread::scope(|scope| {
            for _ in 0..cores().min(jobs) {
                scope.spawn(|| self.work());
            }
        });
        self.tell();
    }

    fn work(&self) {
        while let Some((guess, lock)) = self.job(self.next.fetch_add(1, Ordering::Relaxed)) {
            if self.is_over() {
                return;
            }
            if self.is_open_before(guess, lock) {
                continue;
            }
            let (Some((recipe, locks)), Some(text)) =
                (self.locks.get(lock), self.guesses.guess(guess).map(|guess| guess.text))
            else {
                return;
            };
            let key = recipe.stretch(text.expose().as_bytes(), &mut |rounds| {
                self.rounds.fetch_add(rounds.into(), Ordering::Relaxed);
                self.tell_now_and_then();
                !self.is_over() && !self.is_open_before(guess, lock)
            });
            let Some(key) = key else { continue };
            self.tried.fetch_add(1, Ordering::Relaxed);
            self.count(lock);
            let opened = locks.iter().filter(|lock| self.place.opens(**lock, key.expose()));
            let opened: Vec<_> = opened.map(|lock| name(*lock)).collect();
            if !opened.is_empty() {
                let locks = opened.into_iter().map(|(kind, id)| (kind, id.to_owned())).collect();
                self.found(Find { guess, recipe: lock, locks });
            }
        }
    }

    /// The guess and the lock of a job.
    fn job(&self, number: usize) -> Option<(usize, usize)> {
        let mut left = number;
        for part in self.guesses.parts() {
            let jobs = part.len() * self.locks.len();
            if left < jobs {
                return Some((part.start + left % part.len(), left / part.len()));
            }
            left -= jobs;
        }
        None
    }

    /// Says whether an earlier guess opens the lock. What came before the one that does is tried to the
    /// end: so the number of tries is no matter of luck.
    fn is_open_before(&self, guess: usize, lock: usize) -> bool {
        self.open.get(lock).is_none_or(|open| open.load(Ordering::Relaxed) < guess)
    }

    /// Somebody wants to stop, or what is wanted was found.
    fn is_over(&self) -> bool {
        let enough = self.goal == Goal::FirstLock
            && self.open.iter().any(|open| open.load(Ordering::Relaxed) != CLOSED);
        enough || self.effort.cancel.is_cancelled()
    }

    fn count(&self, lock: usize) {
        if let Some(tries) = self.tries.get(lock) {
            tries.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn found(&self, find: Find) {
        if let Some(open) = self.open.get(find.recipe) {
            open.fetch_min(find.guess, Ordering::Relaxed);
        }
        if let Some(guess) = self.guesses.guess(find.guess) {
            self.effort.progress.tell(News::Guessed { line: guess.line });
        }
        self.finds.lock().unwrap_or_else(PoisonError::into_inner).push(find);
    }

    fn tell_now_and_then(&self) {
        let due = |told: &Instant| told.elapsed() >= NEWS;
        if self.told.try_lock().is_ok_and(|mut told| {
            let due = due(&told);
            if due {
                *told = Instant::now();
            }
            due
        }) {
            self.tell();
        }
    }

    /// Tells how many tries there were and how many may come, how fast it goes, and how long it takes yet.
    fn tell(&self) {
        let tried = self.tried.load(Ordering::Relaxed);
        let guesses = self.guesses.len() as u64;
        let (mut left, mut rounds_left) = (0_u64, 0_u64);
        for ((recipe, _), (open, tries)) in self.locks.iter().zip(self.open.iter().zip(&self.tries))
        {
            if open.load(Ordering::Relaxed) == CLOSED {
                let untried = guesses.saturating_sub(tries.load(Ordering::Relaxed));
                left += untried;
                rounds_left = rounds_left.saturating_add(untried.saturating_mul(recipe.work()));
            }
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        let per_second = |number: u64| number as f64 / seconds.max(f64::EPSILON);
        let rounds = self.rounds.load(Ordering::Relaxed);
        let known = seconds >= 1.0 && rounds > 0;
        self.effort.progress.tell(News::Guessing {
            tried,
            of: tried + left,
            in_ten_seconds: (per_second(tried) * 10.0).round() as u64,
            left: known.then(|| (rounds_left as f64 / per_second(rounds)).ceil() as u64),
        });
    }
}

/// In what a passphrase differs from its line, to be said after the line's number; nothing where it is as
/// it stands.
pub fn difference(variation: Variation) -> Option<&'static str> {
    Some(match variation {
        Variation::AsTyped => return None,
        Variation::Spelling => "in another spelling: accents, or spaces at its end",
        Variation::FirstSmall => "with its first letter small",
        Variation::FirstLarge => "with its first letter large",
        Variation::EndingAdded => "with an ending added",
        Variation::EndingAway => "with its ending taken away",
        Variation::EndingOther => "with another ending",
        Variation::FirstAndEndingAdded => "with the other first letter and an ending added",
        Variation::FirstAndEndingAway => "with the other first letter and its ending taken away",
        Variation::FirstAndEndingOther => "with the other first letter and another ending",
        Variation::Layout => "as typed on another keyboard layout",
        Variation::Swapped => "with two neighbours swapped",
        Variation::Doubled => "with one character doubled",
        Variation::Missing => "with one character left out",
        Variation::Beside => "with one key beside the right one",
    })
}

//! Guess after guess on lock after lock, on all cores.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{
        passphrase::{Effort, cores},
        unlock::{LockKind, Place},
    },
    Goal, Lock, name,
};
use crate::{base::progress::News, secret_storage::guesses::Guesses};

/// No guess opens it yet.
const CLOSED: usize = usize::MAX;
/// How often news is told while guesses are tried.
const NEWS: Duration = Duration::from_millis(100);

/// A guess that opens something.
pub(super) struct Find {
    pub(super) guess: usize,
    pub(super) recipe: usize,
    pub(super) locks: Vec<(LockKind, String)>,
}

/// A search on all cores. Its jobs are numbered: first all lines as they stand, on one lock after the
/// other, then the likely variations, then slips.
pub(super) struct Hunt<'a> {
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
    pub(super) tried: AtomicU64,
    rounds: AtomicU64,
    told: Mutex<Instant>,
    pub(super) finds: Mutex<Vec<Find>>,
}

impl<'a> Hunt<'a> {
    pub(super) fn new(
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

    pub(super) fn run(&self) {
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

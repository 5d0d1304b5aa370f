//! Trying a list of passphrases that somebody may have used, with variations of them, on every lock that
//! was made from one. All of it happens here: nothing is asked of a server, and nobody counts the tries.
//!
//! Recovery keys in the list are tried as such first. Then each guess is calculated as a whole on one
//! core, many at a time; locks whose calculation is quick come first.

mod hunt;
mod list;

use std::sync::{PoisonError, atomic::Ordering};

use self::hunt::{Find, Hunt};
pub use self::list::{List, read_file};
use super::{
    failures::IntoFailure,
    passphrase::{self, Effort, cores},
    unlock::{Fit, LockKind, Made, Place, Unlocked, unlock},
};
use crate::{
    base::{
        failure::{Code, Failure},
        limits,
        secret::SecretText,
        shown::{Shown, waiting},
        stretch::Recipe,
    },
    homeserver::RequestError,
    secret_storage::guesses::Variation,
};

/// What a list gives to try, and how long that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Different passphrases and keys.
    pub guesses: u64,
    /// Locks on which they are tried.
    pub locks: u64,
    /// Seconds for all of them on this computer; nothing where no lock was made from a passphrase.
    pub seconds: Option<u64>,
}

/// Estimates how long a whole list takes here.
pub(super) fn estimate(list: &List, place: &Place<'_>) -> Estimate {
    let made = place.made_from_passphrases();
    let bearable = made.iter().filter(|(recipe, _)| recipe.work() <= limits::STRETCH_ROUNDS);
    let rounds: u64 = bearable.clone().map(|(recipe, _)| recipe.work()).sum();
    let all = rounds.saturating_mul(list.guesses.len() as u64);
    Estimate {
        guesses: list.guesses() as u64,
        locks: bearable.map(|(_, locks)| locks.len() as u64).sum(),
        seconds: (rounds > 0).then(|| seconds(all)),
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

//! Judges secret storage and the recovery key: is there a lock, does the key open it, and does what lies
//! behind it open the current backup (SPEC §5.6)?

use super::{
    super::{locks::Locks, unlock::StorageFault},
    checks::{Outcome, name},
    facts::{Facts, OpenedFacts},
    findings::Finding,
};
use crate::{
    base::{shown::Shown, words::counted},
    secret_storage::secret::StoredSecret,
};

/// The beginning of a lock's id.
fn short(id: &str) -> Shown {
    let begin: String = id.chars().take(4).collect();
    Shown::new(&begin)
}

/// Says whether anything of secret storage is there.
fn is_there(locks: &Locks) -> bool {
    !locks.key_ids().is_empty()
}

/// Says whether nothing can be known of secret storage: nobody was asked, or a bare body does not tell.
fn is_untold(facts: &Facts) -> bool {
    let offline = facts.saved.is_some();
    facts.unreached.is_some() || (offline && facts.overview.locks.account_data().is_empty())
}

/// The backups that the recovery key opens by itself, without secret storage.
fn direct(opened: &OpenedFacts) -> Option<&str> {
    let first = opened.backups.first().filter(|_| opened.storage.is_empty());
    first.map(String::as_str)
}

/// Says whether the current backup opens although there is no secret storage, as before 2020.
fn is_needless(facts: &Facts) -> bool {
    let opened = facts.opened.as_ref().zip(facts.overview.current.as_ref());
    !is_there(&facts.overview.locks) && opened.is_some_and(|(opened, n)| opened.opens(n))
}

pub(super) fn exists_title(facts: &Facts) -> &'static str {
    if is_needless(facts) { "Secret storage is not needed" } else { "Secret storage exists" }
}

pub(super) fn exists(facts: &Facts) -> Outcome {
    if is_untold(facts) {
        return facts.silence();
    }
    let locks = &facts.overview.locks;
    if !is_there(locks) {
        return match facts.overview.current {
            Some(_) if is_needless(facts) => Outcome::ok("your key is that of the backup itself"),
            Some(_) => Outcome::wrong(Finding::NoStorage, "no"),
            None => Outcome::unknown("no"),
        };
    }
    let Some(default) = locks.default_key() else {
        return Outcome::wrong(Finding::NoDefaultLock, "none of its locks is the default one");
    };
    if locks.description(&default).is_none() {
        return Outcome::wrong(Finding::DescriptionMissing, "its default lock is not described");
    }
    let count = counted(locks.count() as u64, "lock");
    Outcome::ok(format!("{count}, {} is the default one", short(&default))).private()
}

pub(super) fn key_title(facts: &Facts) -> &'static str {
    match facts.opened.as_ref().and_then(direct) {
        Some(_) => "Your recovery key opens a lock",
        None => "Your recovery key opens secret storage",
    }
}

pub(super) fn key(facts: &Facts) -> Outcome {
    if facts.unreached.is_some() {
        return facts.silence();
    }
    let Some(opened) = &facts.opened else {
        return Outcome::unknown("none was given");
    };
    if let Some(nothing) = &opened.nothing {
        return Outcome::wrong(Finding::Failed(nothing.clone()), "no");
    }
    if let Some(version) = direct(opened) {
        return Outcome::ok(format!("that of backup {} itself", name(version)));
    }
    let default = facts.overview.locks.default_key();
    let is_default = |id: &String| default.as_ref() == Some(id);
    match opened.storage.iter().find(|id| is_default(id)).or(opened.storage.first()) {
        Some(id) if is_default(id) => Outcome::ok(short(id).to_string()).private(),
        Some(id) => Outcome::ok(format!("{}, not the default one", short(id))).private(),
        None => Outcome::unknown("not known"),
    }
}

pub(super) fn secret(facts: &Facts) -> Outcome {
    let locks = &facts.overview.locks;
    if is_untold(facts) {
        return facts.silence();
    }
    if !is_there(locks) {
        return Outcome::unknown("there is no secret storage");
    }
    let Some(default) = locks.default_key() else {
        return Outcome::unknown("there is no default lock");
    };
    let holds = |secret: &StoredSecret| secret.key_ids().any(|id| id == default);
    match &locks.secret {
        None if facts.overview.current.is_none() => Outcome::unknown("no, and there is no backup"),
        None => Outcome::wrong(Finding::NoKeyInStorage, "no"),
        Some(secret) if holds(secret) => {
            let opened = facts.opened.as_ref().is_some_and(|opened| !opened.storage.is_empty());
            Outcome::ok(if opened { "there" } else { "there, still locked" })
        }
        Some(_) => Outcome::wrong(Finding::KeyForFormerLock, "only a former lock does"),
    }
}

pub(super) fn fits_title(facts: &Facts) -> &'static str {
    match facts.opened.as_ref().and_then(direct) {
        // A snapshot does not know what is current now.
        Some(_) if facts.saved.is_some() => "It is the key of this backup",
        None if facts.saved.is_some() => "It holds the key of this backup",
        Some(_) => "It is the key of the current backup",
        None => "It holds the key of the current backup",
    }
}

pub(super) fn fits(facts: &Facts) -> Outcome {
    if facts.unreached.is_some() {
        return facts.silence();
    }
    let (Some(opened), Some(current)) = (&facts.opened, &facts.overview.current) else {
        return match facts.opened {
            None => Outcome::unknown("no recovery key was given"),
            Some(_) => Outcome::unknown("there is no current backup"),
        };
    };
    let n = name(current);
    if opened.opens(current) {
        return Outcome::ok(format!("that of backup {n}"));
    }
    if let Some(version) = direct(opened) {
        let other = name(version);
        let text = format!("no: that of backup {other}");
        return Outcome::wrong(Finding::KeyOfAnotherBackup { n: other, current: n }, text);
    }
    if let Some(version) = opened.in_storage.first() {
        let other = name(version);
        let text = format!("no: it holds the key of backup {other}");
        return Outcome::wrong(Finding::StorageOfAnotherBackup { n: other, current: n }, text);
    }
    match opened.fault {
        Some(StorageFault::ForAnother) => {
            Outcome::wrong(Finding::StorageOfNoBackup, "no: that of a backup which is gone")
        }
        Some(StorageFault::Damaged) => Outcome::wrong(Finding::StorageDamaged, "it is damaged"),
        Some(StorageFault::WithoutKey) => Outcome::unknown("it holds no key for this lock"),
        None => Outcome::unknown("nothing was opened"),
    }
}

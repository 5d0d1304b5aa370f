//! Why the secrets at hand do not open what is wanted, and what they open instead.

use super::{
    failures::IntoFailure,
    look::Overview,
    unlock::{SecretKind, StorageFault, Unlocked},
};
use crate::{
    backup::version::BackupVersion,
    base::{
        failure::{Code, Failure},
        shown::{Shown, waiting},
    },
};

/// A name as it can be typed: a server's own words could be more than a word to a shell.
pub fn typable(version: &str) -> Shown {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if version.chars().all(plain) {
        return Shown::new(version);
    }
    Shown::limited(&format!("'{}'", version.replace('\'', "'\\''")), 200)
}

/// Why the secrets at hand do not open what is wanted, and what they open instead.
pub(super) fn failure(
    unlocked: &Unlocked,
    overview: &Overview,
    wanted: Option<&BackupVersion>,
) -> Failure {
    let other = unlocked
        .opens_backups()
        .into_iter()
        .find(|open| wanted.is_none_or(|wanted| wanted.version != *open));
    if let Some(open) = other {
        let count = overview.versions.iter().find(|version| version.version == open);
        let keys = count.and_then(|version| version.count).map_or(Shown::new("Its"), Shown::from);
        let failure = match wanted {
            Some(wanted) if overview.current.as_ref() != Some(&wanted.version) => {
                let name = Shown::limited(&wanted.version, 20);
                Failure::new(Code::OpensAnotherOnly).with("wanted", name)
            }
            _ => Failure::new(Code::OpensOlderOnly).exiting(10),
        };
        return failure.with("n", typable(&open)).with("m", keys);
    }
    // What has a slip in it was most likely no passphrase, so no time helps.
    if unlocked.left_out > 0 && (unlocked.unreadable.is_empty() || !is_slip(unlocked)) {
        let time = waiting(unlocked.left_out_seconds());
        return Failure::new(Code::PassphraseSlow).with("time", time);
    }
    match unlocked.storage_fault {
        Some(StorageFault::WithoutKey) => Failure::new(Code::StorageWithoutKey),
        Some(StorageFault::Damaged) => Failure::new(Code::StorageDamaged),
        Some(StorageFault::ForAnother) => Failure::new(Code::StorageForAnother),
        None => nothing_fits(unlocked),
    }
}

/// Says whether all that was given is recovery keys with a slip in them.
fn is_slip(unlocked: &Unlocked) -> bool {
    unlocked.kinds.iter().all(|kind| *kind == SecretKind::Unknown)
}

fn nothing_fits(unlocked: &Unlocked) -> Failure {
    if unlocked.no_passphrase_locks {
        return Failure::new(Code::PassphraseUnused);
    }
    if let Some(fault) = unlocked.unreadable.first().filter(|_| is_slip(unlocked)) {
        return fault.into_failure();
    }
    let failure = if unlocked.kinds.contains(&SecretKind::Passphrase) {
        Failure::new(Code::PassphraseFitsNothing)
    } else {
        Failure::new(Code::FitsNothing)
    };
    match unlocked.cannot_check.first() {
        Some(id) => failure.because(&format!("lock {} has nothing to check a secret with", id)),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_one_word_to_a_shell() {
        assert_eq!(typable("4").as_str(), "4");
        assert_eq!(typable("$(reboot)").as_str(), "'$(reboot)'");
        assert_eq!(typable("a'; b").as_str(), r"'a'\''; b'");
    }
}

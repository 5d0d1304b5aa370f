//! What a check-up can find: each with what it is, the cause, and the safe next step, in the words of
//! everybody (SCREENS §2). None of them holds a name, an id or an address.

use crate::base::{
    failure::Failure,
    shown::{Shown, grouped},
    words::counted,
};

/// Something that needs a person.
#[derive(Clone, Debug)]
pub enum Finding {
    /// What another part of keyhaul already has words for.
    Failed(Failure),
    /// There is no backup.
    NoBackup,
    /// A newer backup was here, and an older one is current again.
    NewestDeleted {
        /// The version that is current again.
        current: Shown,
        /// The newest one that was ever seen.
        newest: Shown,
    },
    /// Two apps each make backups of their own.
    AppsFighting {
        /// How many were made since the last look.
        made: u64,
    },
    /// Another backup became current while this check-up ran.
    NewBackupMade {
        /// The version that is current now.
        now: Shown,
    },
    /// The current backup is locked in a way that keyhaul does not know.
    UnknownKind {
        /// The version.
        n: Shown,
    },
    /// The public key of the current backup is missing or makes no sense.
    KeyMalformed {
        /// The version.
        n: Shown,
    },
    /// The public key of the current backup is encoded twice.
    KeyEncodedTwice {
        /// The version.
        n: Shown,
    },
    /// The server shows another public key for the current backup than that which its keys are locked for.
    KeyNotItsOwn {
        /// The version.
        n: Shown,
    },
    /// The account's settings switch backing up off.
    SwitchedOff,
    /// There is no secret storage, and nothing else opens the backup.
    NoStorage,
    /// Secret storage is there, and no lock of it is the default one.
    NoDefaultLock,
    /// The default lock has no description, so nobody can check a recovery key for it.
    DescriptionMissing,
    /// Secret storage holds no key of a backup.
    NoKeyInStorage,
    /// Secret storage holds the key of a backup for a former recovery key only.
    KeyForFormerLock,
    /// The recovery key is that of another backup than the current one.
    KeyOfAnotherBackup {
        /// The version that it opens.
        n: Shown,
        /// The current one.
        current: Shown,
    },
    /// Secret storage holds the key of another backup than the current one.
    StorageOfAnotherBackup {
        /// The version that it opens.
        n: Shown,
        /// The current one.
        current: Shown,
    },
    /// Secret storage holds a key of a backup that does not exist any more.
    StorageOfNoBackup,
    /// What secret storage holds as the key of a backup is damaged.
    StorageDamaged,
    /// Nobody signed the current backup.
    Unsigned {
        /// Whether the recovery key opens it all the same.
        opened: bool,
    },
    /// A signature does not fit.
    SignatureBroken,
    /// The server shows another account key than secret storage has.
    AccountKeyExchanged,
    /// The server says another number of keys than there are.
    CountDiffers {
        /// What it says.
        said: u64,
        /// What there is.
        counted: u64,
    },
    /// The backup could not be read to its end.
    ReadInPart,
    /// Entries are locked for another key than the backup's.
    EntriesForAnotherKey {
        /// How many.
        n: u64,
        /// Of how many.
        all: u64,
    },
    /// Entries are damaged.
    EntriesDamaged {
        /// How many.
        n: u64,
        /// Of how many.
        all: u64,
    },
    /// The store is damaged.
    StoreDamaged {
        /// In how many places.
        n: u64,
    },
    /// The clocks of the server and of this computer differ much.
    ClockOff,
}

impl Finding {
    /// The stable word, for `--json` and for the phone.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.code().word(),
            Self::NoBackup => "no-backup",
            Self::NewestDeleted { .. } => "newest-deleted",
            Self::AppsFighting { .. } => "apps-fighting",
            Self::NewBackupMade { .. } => "new-backup-made",
            Self::UnknownKind { .. } => "unknown-kind",
            Self::KeyMalformed { .. } => "key-malformed",
            Self::KeyEncodedTwice { .. } => "key-encoded-twice",
            Self::KeyNotItsOwn { .. } => "key-not-its-own",
            Self::SwitchedOff => "switched-off",
            Self::NoStorage => "no-storage",
            Self::NoDefaultLock => "no-default-lock",
            Self::DescriptionMissing => "description-missing",
            Self::NoKeyInStorage => "no-key-in-storage",
            Self::KeyForFormerLock => "key-for-former-lock",
            Self::KeyOfAnotherBackup { .. } => "key-of-another-backup",
            Self::StorageOfAnotherBackup { .. } => "storage-of-another-backup",
            Self::StorageOfNoBackup => "storage-of-no-backup",
            Self::StorageDamaged => "storage-damaged",
            Self::Unsigned { .. } => "unsigned",
            Self::SignatureBroken => "signature-broken",
            Self::AccountKeyExchanged => "account-key-exchanged",
            Self::CountDiffers { .. } => "count-differs",
            Self::ReadInPart => "read-in-part",
            Self::EntriesForAnotherKey { .. } => "entries-for-another-key",
            Self::EntriesDamaged { .. } => "entries-damaged",
            Self::StoreDamaged { .. } => "store-damaged",
            Self::ClockOff => "clock-off",
        }
    }

    /// The backup that is to be restored next, where it is that.
    pub fn backup(&self) -> Option<&Shown> {
        match self {
            Self::KeyOfAnotherBackup { n, .. } | Self::StorageOfAnotherBackup { n, .. } => Some(n),
            _ => None,
        }
    }

    /// What it is, in one sentence.
    pub fn fact(&self) -> String {
        match self {
            Self::Failed(failure) => failure.what(),
            Self::NoBackup => "There is no backup on this server.".to_owned(),
            Self::NewestDeleted { current, newest } => {
                format!("Backup {newest} was deleted, and backup {current} is current again.")
            }
            Self::AppsFighting { made } => {
                format!("{} new backups were made within a day.", grouped(*made))
            }
            Self::NewBackupMade { now } => format!("Backup {now} was made a moment ago."),
            Self::UnknownKind { n } => {
                format!("Backup {n} is locked in a way that keyhaul does not know.")
            }
            Self::KeyMalformed { n } => {
                format!("The public key of backup {n} is missing or makes no sense.")
            }
            Self::KeyEncodedTwice { n } => {
                format!("Some apps cannot read backup {n}; keyhaul can.")
            }
            Self::KeyNotItsOwn { n } => {
                format!("The server shows another public key for backup {n} than its keys have.")
            }
            Self::SwitchedOff => "Your account's settings switch backing up off.".to_owned(),
            Self::NoStorage => "There is no secret storage on this account.".to_owned(),
            Self::NoDefaultLock => "Secret storage has no lock that apps use.".to_owned(),
            Self::DescriptionMissing => {
                "The lock of secret storage that apps use is not described.".to_owned()
            }
            Self::NoKeyInStorage => "Secret storage holds no key of a backup.".to_owned(),
            Self::KeyForFormerLock => {
                "Secret storage has a newer recovery key than the backup's key.".to_owned()
            }
            Self::KeyOfAnotherBackup { n, .. } | Self::StorageOfAnotherBackup { n, .. } => {
                format!("Your recovery key is right, but it belongs to backup {n}.")
            }
            Self::StorageOfNoBackup => {
                "Your recovery key is right, but its backup does not exist any more.".to_owned()
            }
            Self::StorageDamaged => {
                "Your recovery key is right, but what it opens is damaged.".to_owned()
            }
            Self::Unsigned { .. } => "Nobody signed the current backup.".to_owned(),
            Self::SignatureBroken => "A signature of the current backup does not fit.".to_owned(),
            Self::AccountKeyExchanged => {
                "The server shows another account key than your secret storage.".to_owned()
            }
            Self::CountDiffers { said, counted: there } => {
                let (said, there) = (grouped(*said), grouped(*there));
                format!("The server says {said} keys, and {there} are there.")
            }
            Self::ReadInPart => "The backup could not be read to its end.".to_owned(),
            Self::EntriesForAnotherKey { n, all } => {
                let are = if *n == 1 { "is" } else { "are" };
                format!("{} of {} keys {are} for another recovery key.", grouped(*n), grouped(*all))
            }
            Self::EntriesDamaged { n, all } => {
                let are = if *n == 1 { "is" } else { "are" };
                format!("{} of {} keys {are} of no use.", grouped(*n), grouped(*all))
            }
            Self::StoreDamaged { n } => {
                format!("The store on this computer is damaged in {}.", counted(*n, "place"))
            }
            Self::ClockOff => "This computer and the server disagree about the time.".to_owned(),
        }
    }

    /// Why it is so, as far as that is known.
    pub fn cause(&self) -> String {
        let words = match self {
            Self::Failed(failure) => return failure.safe_command(),
            Self::KeyOfAnotherBackup { current, .. } => {
                return format!(
                    "Backup {current} was made later, with a key of its own. An app where you are still \
                     signed in may have it."
                );
            }
            Self::StorageOfAnotherBackup { current, .. } => {
                return format!(
                    "Backup {current} was made later. Its key never came into secret storage. An app \
                     where you are still signed in may have it."
                );
            }
            Self::NoBackup => "None was ever made, or all were deleted. Looking changed nothing.",
            Self::NewestDeleted { .. } => {
                "An app or somebody deleted it. Its keys on the server are gone; apps now write to the \
                 older one."
            }
            Self::AppsFighting { .. } => {
                "Two apps do not accept each other's backup, and each makes a new one. Keys are spread \
                 over all of them."
            }
            Self::NewBackupMade { .. } => "Another app works on your backups right now.",
            Self::UnknownKind { .. } => {
                "A newer app made it, or one that keyhaul does not know. It was left alone."
            }
            Self::KeyMalformed { .. } => {
                "The app that made it wrote it wrongly. Its keys may be whole all the same."
            }
            Self::KeyEncodedTwice { .. } => {
                "The app that made it encoded the public key twice. Other apps take it for damaged."
            }
            Self::KeyNotItsOwn { .. } => {
                "An app or the server exchanged the description. The keys themselves open with your \
                 recovery key, which is the better proof."
            }
            Self::SwitchedOff => {
                "Somebody switched it off in an app. New keys then reach no backup; what is there stays."
            }
            Self::NoStorage => {
                "It was never set up. The key on your paper may be that of a backup itself."
            }
            Self::NoDefaultLock => "An app stopped in the middle of a reset, or removed it.",
            Self::DescriptionMissing => {
                "An app stopped in the middle of a reset. Nobody can check a recovery key against it."
            }
            Self::NoKeyInStorage => {
                "The app that made the backup never put its key there. That app may still have it."
            }
            Self::KeyForFormerLock => {
                "A new recovery key was made, and the backup's key was not put under it. Only the former \
                 recovery key leads to the backup."
            }
            Self::StorageOfNoBackup => {
                "The backup was deleted, or replaced by one whose key never came into secret storage."
            }
            Self::StorageDamaged => "An app wrote it wrongly, or with another recovery key.",
            Self::Unsigned { opened: true } => {
                "The app that made it had no account key at hand. Your recovery key opens it, which is \
                 the better proof."
            }
            Self::Unsigned { opened: false } => {
                "The app that made it had no account key at hand, or somebody else made it."
            }
            Self::SignatureBroken => {
                "The description of the backup was changed after it was signed, by an app or by the server."
            }
            Self::AccountKeyExchanged => {
                "Your account's identity was reset after secret storage was made, or the server shows a \
                 wrong one."
            }
            Self::CountDiffers { .. } => "The server counts wrongly, or does not send everything.",
            Self::ReadInPart => {
                "The connection or the snapshot broke off. What came before is good."
            }
            Self::EntriesForAnotherKey { .. } => {
                "An app went on writing with the key of an older backup. They open with that key only."
            }
            Self::EntriesDamaged { .. } => {
                "An app wrote them wrongly, or they were changed since. The others are not affected."
            }
            Self::StoreDamaged { .. } => {
                "The disk has a fault, or another program wrote to the file."
            }
            Self::ClockOff => {
                "One of the two clocks is wrong. Certificates and signing in may suffer."
            }
        };
        words.to_owned()
    }

    /// What to do now that can do no harm.
    pub fn next(&self) -> String {
        let words = match self {
            Self::Failed(failure) => return failure.next_command(),
            Self::KeyOfAnotherBackup { n, .. } | Self::StorageOfAnotherBackup { n, .. } => {
                return format!("restore backup {n}. Then keep every signed-in app signed in.");
            }
            Self::NewestDeleted { newest, .. } => {
                return format!(
                    "look for a snapshot of backup {newest}, and keep every signed-in app signed in."
                );
            }
            Self::NewBackupMade { .. } => "wait until that app is done, then check again.",
            Self::NoBackup => "look for an app that is still signed in, or for a key file.",
            Self::AppsFighting { .. } => {
                "restore all backups. Then leave backing up to one app, and switch it off in the other."
            }
            Self::UnknownKind { .. } => "use the app that made it, or choose an older backup.",
            Self::KeyMalformed { .. } => {
                "save a snapshot; a recovery key is tried on the keys in it."
            }
            Self::KeyEncodedTwice { .. } => {
                "restore it here. Do not reset it in another app before."
            }
            Self::KeyNotItsOwn { .. } => {
                "restore it now; what apps add from here on may be locked for another key."
            }
            Self::SwitchedOff => "restore what is there, then switch it on in one app.",
            Self::NoStorage => "try the key on your paper: it may open the backup itself.",
            Self::NoDefaultLock | Self::DescriptionMissing => {
                "try every recovery key that you have; keep every signed-in app signed in."
            }
            Self::NoKeyInStorage => {
                "keep the app that made the backup signed in, and make a key file there."
            }
            Self::KeyForFormerLock => "look for the former recovery key; it opens the backup.",
            Self::StorageOfNoBackup => {
                "look for an app that is still signed in, or for a snapshot."
            }
            Self::StorageDamaged => "try another recovery key; keep every signed-in app signed in.",
            Self::Unsigned { opened: true } => "go on; nothing needs to be done.",
            Self::Unsigned { opened: false } => {
                "believe in it only once your recovery key opens it."
            }
            Self::SignatureBroken | Self::AccountKeyExchanged => {
                "restore what your recovery key opens; do not type it into other apps before you know why."
            }
            Self::CountDiffers { .. } => "restore what is there, and check again later.",
            Self::ReadInPart => "check again; a restore goes on where it stopped.",
            Self::EntriesForAnotherKey { .. } => {
                "give older recovery keys, too: each is tried on the rest."
            }
            Self::EntriesDamaged { .. } => {
                "restore the others; an older backup may hold these whole."
            }
            Self::StoreDamaged { .. } => {
                "keep a copy of the folder, then restore the missing keys again."
            }
            Self::ClockOff => "set this computer's clock, then check again.",
        };
        words.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::failure::Code;

    fn all() -> Vec<Finding> {
        let one = || Shown::new("4");
        vec![
            Finding::Failed(Failure::new(Code::ServerSilent)),
            Finding::NoBackup,
            Finding::NewestDeleted { current: one(), newest: Shown::new("5") },
            Finding::AppsFighting { made: 2 },
            Finding::NewBackupMade { now: one() },
            Finding::UnknownKind { n: one() },
            Finding::KeyMalformed { n: one() },
            Finding::KeyEncodedTwice { n: one() },
            Finding::KeyNotItsOwn { n: one() },
            Finding::SwitchedOff,
            Finding::NoStorage,
            Finding::NoDefaultLock,
            Finding::DescriptionMissing,
            Finding::NoKeyInStorage,
            Finding::KeyForFormerLock,
            Finding::KeyOfAnotherBackup { n: one(), current: one() },
            Finding::StorageOfAnotherBackup { n: one(), current: one() },
            Finding::StorageOfNoBackup,
            Finding::StorageDamaged,
            Finding::Unsigned { opened: true },
            Finding::Unsigned { opened: false },
            Finding::SignatureBroken,
            Finding::AccountKeyExchanged,
            Finding::CountDiffers { said: 18_420, counted: 18_000 },
            Finding::ReadInPart,
            Finding::EntriesForAnotherKey { n: 1, all: 18_420 },
            Finding::EntriesDamaged { n: 1_200, all: 18_420 },
            Finding::StoreDamaged { n: 1 },
            Finding::ClockOff,
        ]
    }

    /// Every finding says what it is, why, and what to do; short enough for the lines of the screen.
    #[test]
    fn every_finding_has_all_its_words() {
        let mut words: Vec<&str> = Vec::new();
        for finding in all() {
            let (fact, cause, next) = (finding.fact(), finding.cause(), finding.next());
            for text in [&fact, &cause, &next] {
                assert!(text.ends_with('.') && !text.contains(['{', '!']), "{text}");
                assert!(!text.contains("please"), "{text}");
            }
            assert!(fact.chars().count() <= 78, "{fact}");
            assert!(next.chars().count() <= 2 * 78, "{next}");
            assert!(cause.chars().count() <= 2 * 67, "{cause}");
            assert!(fact.split_whitespace().count() <= 15, "{fact}");
            words.push(finding.word());
        }
        words.dedup();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count, "each word means one thing: {words:?}");
    }
}

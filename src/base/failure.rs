//! What went wrong, in the user's words: always what happened, what is safe and what to do next.
//!
//! The sentences live in `assets/failures.toml`, one table for all faces; a code is the stable word
//! that support asks for on the phone.

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;

use super::shown::Shown;

macro_rules! codes {
    ($($name:ident = $word:literal,)*) => {
        /// The stable word of a failure; its sentences are in `assets/failures.toml`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the table says what each one means")]
        pub enum Code { $($name,)* }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word as it is read out on the phone and written in `--json`.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

codes! {
    ServerNotFound = "server-not-found",
    NoNetwork = "no-network",
    ServerSilent = "server-silent",
    ConnectionLost = "connection-lost",
    OlderKept = "older-kept",
    Certificate = "certificate",
    PlainHttp = "plain-http",
    NotMatrix = "not-matrix",
    ServerHintBroken = "server-hint-broken",
    SentElsewhere = "sent-elsewhere",
    AskedToWait = "asked-to-wait",
    ServerFault = "server-fault",
    AnswerCut = "answer-cut",
    AnswerTooLarge = "answer-too-large",
    AnswerOdd = "answer-odd",
    PasswordWrong = "password-wrong",
    TooManyTries = "too-many-tries",
    NoWayIn = "no-way-in",
    TokenRefused = "token-refused",
    TokenOfAnother = "token-of-another",
    SignedOut = "signed-out",
    AccountLocked = "account-locked",
    AccountClosed = "account-closed",
    AccountSuspended = "account-suspended",
    TermsFirst = "terms-first",
    BrowserSilent = "browser-silent",
    BrowserMixedUp = "browser-mixed-up",
    CodeExpired = "code-expired",
    CodeDeclined = "code-declined",
    DeviceRemains = "device-remains",
    NoBackup = "no-backup",
    BackupGone = "backup-gone",
    BackupGoneForGood = "backup-gone-for-good",
    BackupEmpty = "backup-empty",
    BackupChanged = "backup-changed",
    KeysMissing = "keys-missing",
    RoomsMissing = "rooms-missing",
    BackupUnknownKind = "backup-unknown-kind",
    BackupOdd = "backup-odd",
    OlderNotListed = "older-not-listed",
    KeyBadCharacter = "key-bad-character",
    KeyTooShort = "key-too-short",
    KeyTooLong = "key-too-long",
    KeyWrongCase = "key-wrong-case",
    KeyChecksum = "key-checksum",
    KeyNotMatrix = "key-not-matrix",
    FitsNothing = "fits-nothing",
    OpensOlderOnly = "opens-older-only",
    OpensAnotherOnly = "opens-another-only",
    StorageWithoutKey = "storage-without-key",
    StorageForAnother = "storage-for-another",
    StorageDamaged = "storage-damaged",
    PassphraseSlow = "passphrase-slow",
    PassphraseFitsNothing = "passphrase-fits-nothing",
    PassphraseUnused = "passphrase-unused",
    SlipNotFound = "slip-not-found",
    ListExhausted = "list-exhausted",
    ListLine = "list-line",
    ListTooLong = "list-too-long",
    ListSlow = "list-slow",
    SomeRefused = "some-refused",
    TwoRecoveryKeys = "two-recovery-keys",
    Stopped = "stopped",
    AlreadyRunning = "already-running",
    StoreOtherLock = "store-other-lock",
    StoreDamaged = "store-damaged",
    DiskFull = "disk-full",
    NoPermission = "no-permission",
    SnapshotCut = "snapshot-cut",
    SnapshotOfAnother = "snapshot-of-another",
    SnapshotUnknown = "snapshot-unknown",
    AccountUnknown = "account-unknown",
    FileExists = "file-exists",
    FileNotPlain = "file-not-plain",
    FolderMissing = "folder-missing",
    FilePassphraseWeak = "file-passphrase-weak",
    FilePassphraseMissing = "file-passphrase-missing",
    FileUnknown = "file-unknown",
    FileNotVerified = "file-not-verified",
    FileSlow = "file-slow",
    RoomNotHere = "room-not-here",
    FilePassphrase = "file-passphrase",
    FileDamaged = "file-damaged",
    NoClipboard = "no-clipboard",
    NotInRoom = "not-in-room",
    HistoryInCircles = "history-in-circles",
    HistoryOffline = "history-offline",
    OtherBackupMade = "other-backup-made",
    AnswerLost = "answer-lost",
    WriteRefused = "write-refused",
    StorageChanged = "storage-changed",
    Bug = "bug",
    Usage = "usage",
    SecretMissing = "secret-missing",
    SignInMissing = "sign-in-missing",
    ServerMissing = "server-missing",
    FileUnreadable = "file-unreadable",
    FolderForeign = "folder-foreign",
    StoreNewer = "store-newer",
    StoreUnreadable = "store-unreadable",
    StoreEmpty = "store-empty",
    NoSnapshot = "no-snapshot",
    RoomUnknown = "room-unknown",
    OutputClosed = "output-closed",
    GuestAccount = "guest-account",
}

/// One row of the table of failures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    exit: u8,
    what: String,
    safe: String,
    next: String,
    command_safe: Option<String>,
    command: Option<String>,
}

static TABLE: LazyLock<HashMap<String, Words>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the table is part of the program and tested")]
    toml::from_str(include_str!("../../assets/failures.toml"))
        .expect("the table of failures is well-formed")
});

/// A failure with its sentences filled in. `detail` is the technical line below them.
#[derive(Clone, Debug)]
pub struct Failure {
    code: Code,
    values: Vec<(&'static str, Shown)>,
    detail: Option<Shown>,
    exit: Option<u8>,
    wait: Option<u64>,
}

impl Failure {
    /// The failure of this code; its words may still need [`Failure::with`].
    pub fn new(code: Code) -> Self {
        Self { code, values: Vec::new(), detail: None, exit: None, wait: None }
    }

    /// Fills in the word `{name}`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Shown>) -> Self {
        self.values.push((name, value.into()));
        self
    }

    /// Adds the technical line, made safe and cut to the length of an error text.
    #[must_use]
    pub fn because(mut self, detail: &str) -> Self {
        self.detail = Some(Shown::limited(detail, super::limits::ERROR_TEXT));
        self
    }

    /// Ends the program with another exit code than the table's (interrupted by a signal).
    #[must_use]
    pub fn exiting(mut self, exit: u8) -> Self {
        self.exit = Some(exit);
        self
    }

    /// Says after how many seconds another try makes sense, where the server tells.
    #[must_use]
    pub fn after(mut self, seconds: Option<u64>) -> Self {
        self.wait = seconds;
        self
    }

    /// After how many seconds another try makes sense, where the server tells.
    pub fn wait(&self) -> Option<u64> {
        self.wait
    }

    /// The same without names, ids, files and addresses, for a screen that others see (`--mask`). Numbers
    /// and waiting times stay, because support needs them; so does the code.
    #[must_use]
    pub fn masked(&self) -> Self {
        const OPEN: &[&str] = &["n", "m", "all", "c", "x", "likely", "time", "size", "wanted"];
        let mut masked = self.clone();
        let private = masked.values.iter_mut().filter(|(name, _)| !OPEN.contains(name));
        private.for_each(|(_, value)| *value = Shown::new("•••"));
        masked.detail = masked.detail.map(|_| Shown::new("(hidden while masked)"));
        masked
    }

    /// The stable word.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened, for everybody.
    pub fn what(&self) -> String {
        self.fill(|words| &words.what)
    }

    /// What is safe, for somebody in front of the assistant.
    pub fn safe(&self) -> String {
        self.fill(|words| &words.safe)
    }

    /// What is safe, for somebody who ran a command.
    pub fn safe_command(&self) -> String {
        self.fill(|words| words.command_safe.as_ref().unwrap_or(&words.safe))
    }

    /// What to do next, for somebody in front of the assistant.
    pub fn next(&self) -> String {
        self.fill(|words| &words.next)
    }

    /// What to do next, for somebody who ran a command.
    pub fn next_command(&self) -> String {
        self.fill(|words| words.command.as_ref().unwrap_or(&words.next))
    }

    /// The technical line, if there is one.
    pub fn detail(&self) -> Option<&Shown> {
        self.detail.as_ref()
    }

    /// The exit code of a command that ends with this failure (DESIGN §5).
    pub fn exit(&self) -> u8 {
        self.exit.or_else(|| TABLE.get(self.code.word()).map(|words| words.exit)).unwrap_or(70)
    }

    /// Fills the words in, in one pass: a value that looks like a word of ours stays as it is.
    fn fill(&self, choose: impl Fn(&Words) -> &String) -> String {
        let mut rest = TABLE.get(self.code.word()).map(choose).map_or("", String::as_str);
        let mut text = String::with_capacity(rest.len());
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let value = after.split_once('}').and_then(|(word, after)| {
                let (_, value) = self.values.iter().find(|(name, _)| *name == word)?;
                Some((value.as_str(), after))
            });
            let (value, after) = value.unwrap_or(("{", after));
            text.push_str(value);
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_codes_are_the_same_set() {
        for code in Code::ALL {
            let words =
                TABLE.get(code.word()).unwrap_or_else(|| panic!("no row for {}", code.word()));
            for sentence in [&words.what, &words.safe, &words.next] {
                assert!(
                    sentence.ends_with('.') || sentence.ends_with('?'),
                    "{}: {sentence}",
                    code.word()
                );
            }
        }
        assert_eq!(TABLE.len(), Code::ALL.len());
    }

    #[test]
    fn words_are_filled_in_safely() {
        let failure = Failure::new(Code::ServerNotFound).with("name", "a\u{1b}[2Jb");
        assert_eq!(failure.what(), "There is no server called a␛[2Jb.");
        assert_eq!(failure.exit(), 12);
    }
}

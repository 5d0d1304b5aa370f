//! The list itself: lines that somebody typed or keeps in a file, and what they give to try.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use zeroize::Zeroizing;

use super::super::{
    failures::IntoFailure,
    typed::{self, Typed},
};
use crate::{
    backup::recovery_key,
    base::{
        failure::{Code, Failure},
        limits,
        random::SystemRandom,
        secret::{SecretBytes, SecretText},
        shown::Shown,
    },
    secret_storage::guesses::{
        Guesses, Kind,
        list::{self, ListFault, ListLine},
    },
};

/// A list that was read, with all that it gives to try.
pub struct List {
    /// Lines that are a recovery key or a raw key: the number of the line, and the key as a recovery key.
    pub(super) keys: Vec<(u64, SecretText)>,
    pub(super) guesses: Guesses,
    /// Lines that are not empty.
    pub(super) lines: usize,
}

impl List {
    /// Reads a list, one passphrase or recovery key in a line, and works out the variations that were
    /// chosen. Fails with `list-line` where a line is no text, with `list-too-long` where there would be
    /// more than [`limits::GUESSES`], and with `secret-missing` where no line has anything in it.
    pub fn read(list: &SecretBytes, kinds: &[Kind]) -> Result<Self, Failure> {
        Self::with(list::lines(list).map_err(|fault| fault.into_failure())?, kinds)
    }

    /// The same for lines that somebody typed.
    pub fn of(lines: Vec<SecretText>, kinds: &[Kind]) -> Result<Self, Failure> {
        let numbered = (1..).zip(lines).map(|(number, text)| ListLine { number, text });
        Self::with(numbered.collect(), kinds)
    }

    fn with(mut lines: Vec<ListLine>, kinds: &[Kind]) -> Result<Self, Failure> {
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

/// Reads the lines of a file, one passphrase in a line.
pub fn read_file(file: &Path) -> Result<Vec<SecretText>, Failure> {
    let unreadable = |error: io::Error| {
        let name = file.to_string_lossy();
        Failure::new(Code::FileUnreadable).with("file", &*name).because(&error.to_string())
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(limits::SECRET_LIST as usize + 1));
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(limits::SECRET_LIST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits::SECRET_LIST {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    let list = SecretBytes::new(std::mem::take(&mut bytes));
    let lines = list::lines(&list).map_err(|fault| fault.into_failure())?;
    Ok(lines.into_iter().map(|line| line.text).collect())
}

impl IntoFailure for ListFault {
    fn into_failure(self) -> Failure {
        let (Self::NotText { line } | Self::TooLong { line }) = self;
        Failure::new(Code::ListLine).with("n", Shown::from(line)).because(&self.to_string())
    }
}

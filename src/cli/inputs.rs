//! Secrets from files, standard input or a hidden prompt; never from arguments or the environment.

use std::{
    fs::File,
    io::{self, BufRead, IsTerminal, Read, Write},
    path::Path,
};

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::base::{
    cancel::Cancel,
    failure::{Code, Failure},
    limits,
    secret::{SecretBytes, SecretText},
};

/// Longest answer to a question, in bytes.
const ANSWER: u64 = 256;

/// Reads secrets; standard input can be given once only.
#[derive(Default)]
pub(super) struct Inputs {
    stdin_used: bool,
}

impl Inputs {
    /// Reads a secret from a file, or from standard input where the path is `-`. A wish to stop ends
    /// it: whoever should write into a pipe may never come.
    pub(super) async fn file(
        &mut self,
        path: &Path,
        cancel: &Cancel,
    ) -> Result<SecretText, Failure> {
        let stdin = self.takes_stdin(path)?;
        let file = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            if stdin { read(io::stdin().lock()) } else { File::open(file).and_then(read) }
        });
        tokio::select! {
            read = reading => match read {
                Ok(read) => read.map_err(|error| unreadable(path, &error)),
                Err(_) => Err(Failure::new(Code::Bug).because("a file could not be read")),
            },
            () = cancel.cancelled() => Err(stopped()),
        }
    }

    /// Reads a list of secrets as it stands, from a file or from standard input.
    pub(super) async fn list(
        &mut self,
        path: &Path,
        cancel: &Cancel,
    ) -> Result<SecretBytes, Failure> {
        let stdin = self.takes_stdin(path)?;
        let file = path.to_owned();
        let read = |source: &mut dyn Read| bounded(source, limits::SECRET_LIST);
        let reading = tokio::task::spawn_blocking(move || {
            if stdin {
                read(&mut io::stdin().lock())
            } else {
                File::open(file).and_then(|mut file| read(&mut file))
            }
        });
        tokio::select! {
            read = reading => match read {
                Ok(read) => read.map_err(|error| unreadable(path, &error)),
                Err(_) => Err(Failure::new(Code::Bug).because("a file could not be read")),
            },
            () = cancel.cancelled() => Err(stopped()),
        }
    }

    /// Reads the ids of rooms, one in a line, from a file or from standard input.
    pub(super) async fn rooms(
        &mut self,
        path: &Path,
        cancel: &Cancel,
    ) -> Result<Vec<String>, Failure> {
        let stdin = self.takes_stdin(path)?;
        let file = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            if stdin { ids(io::stdin().lock()) } else { File::open(file).and_then(ids) }
        });
        tokio::select! {
            read = reading => match read {
                Ok(read) => read.map_err(|error| unreadable(path, &error)),
                Err(_) => Err(Failure::new(Code::Bug).because("a file could not be read")),
            },
            () = cancel.cancelled() => Err(stopped()),
        }
    }

    /// Says whether a path is standard input, which can be given once only.
    fn takes_stdin(&mut self, path: &Path) -> Result<bool, Failure> {
        let stdin = path == Path::new("-");
        if stdin && std::mem::replace(&mut self.stdin_used, true) {
            return Err(Failure::new(Code::Usage).because("- can be given once only"));
        }
        Ok(stdin)
    }

    /// Says whether somebody sits in front of a terminal and can be asked.
    pub(super) fn can_ask(&self) -> bool {
        !self.stdin_used && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks whether to go on; no where nobody sits in front of a terminal, and by Enter alone.
    pub(super) async fn confirm(&self, question: &str, cancel: &Cancel) -> Result<bool, Failure> {
        if !self.can_ask() {
            return Ok(false);
        }
        // Nobody reads stderr any more: then nobody answers either.
        let _ =
            write!(io::stderr().lock(), "{question} [y/N] ").and_then(|()| io::stderr().flush());
        let answered = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().lock().take(ANSWER).read_line(&mut line).map(|_| line)
        });
        tokio::select! {
            line = answered => {
                let line = line.ok().and_then(Result::ok).unwrap_or_default();
                Ok(matches!(line.trim(), "y" | "Y" | "yes" | "Yes"))
            }
            () = cancel.cancelled() => Err(stopped()),
        }
    }

    /// Asks for a secret without showing it; `None` where nobody sits in front of a terminal.
    ///
    /// A wish to stop ends the question, and gives the terminal back as it was.
    pub(super) async fn prompt(
        &self,
        question: &'static str,
        cancel: &Cancel,
    ) -> Result<Option<SecretText>, Failure> {
        if !self.can_ask() {
            return Ok(None);
        }
        let before = tcgetattr(io::stdin()).ok();
        let asked = tokio::task::spawn_blocking(move || rpassword::prompt_password(question));
        tokio::select! {
            typed = asked => Ok(typed.ok().and_then(Result::ok).map(SecretText::new)),
            () = cancel.cancelled() => {
                if let Some(before) = before {
                    // Where the terminal is gone, there is nothing left to give back.
                    let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
                }
                Err(stopped())
            }
        }
    }
}

/// Reads so many bytes at most, into memory that does not grow: a grown one leaves copies behind.
fn bounded(source: impl Read, most: u64) -> io::Result<SecretBytes> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(most as usize + 1));
    source.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(SecretBytes::new(std::mem::take(&mut bytes)))
}

/// Reads a bounded text and drops the line break that editors add.
fn read(source: impl Read) -> io::Result<SecretText> {
    let bytes = bounded(source, limits::SECRET_FILE)?;
    let text = str::from_utf8(bytes.expose()).map_err(|_| io::ErrorKind::InvalidData)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(SecretText::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

/// Reads the ids of rooms, one in a line; empty lines are left out.
fn ids(source: impl Read) -> io::Result<Vec<String>> {
    let mut text = String::new();
    source.take(limits::ROOMS_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limits::ROOMS_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn stopped() -> Failure {
    Failure::new(Code::Stopped).with("n", "The restored")
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let name = path.to_string_lossy();
    Failure::new(Code::FileUnreadable).with("file", &*name).because(&error.to_string())
}

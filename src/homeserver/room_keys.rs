//! Backup versions and the keys in them, as far as reading goes (spec: server-side key backups).

use bytes::Bytes;

use super::{
    answer::{Answer, check_beginning},
    error::RequestError,
    request::{Persistence, Request},
    session::Session,
};
use crate::{
    backup::version::BackupVersion,
    base::{cancel::Cancel, limits, shown::Shown},
};

const EXPECTED_VERSION: &str = "a backup version";
const EXPECTED_KEYS: &str = "keys of a backup";

/// All versions of an account's backup that could be found.
#[derive(Debug)]
pub struct Versions {
    /// The version that apps write to now.
    pub current: Option<BackupVersion>,
    /// Older ones that still exist, the newest first.
    pub older: Vec<BackupVersion>,
    /// How far the search for older ones went.
    pub search: Search,
}

/// How far a search for older versions went. No server lists them: they are asked for one by one,
/// counting down from the current one, which finds them where versions are numbered per account.
#[derive(Debug)]
pub enum Search {
    /// Down to the first.
    Whole,
    /// Not begun: there is no current version, or its name is no number that small.
    NotPossible,
    /// Ended after [`limits::VERSION_PROBES`] questions.
    CutShort {
        /// The next number that was not asked for.
        at: u64,
    },
    /// Ended by an error.
    Stopped {
        /// The number that was asked for.
        at: u64,
        /// What happened.
        why: RequestError,
    },
}

/// The version that apps write to now; `None` where there is none.
pub async fn current(
    session: &Session,
    cancel: &Cancel,
) -> Result<Option<BackupVersion>, RequestError> {
    ask_version(session, None, cancel).await
}

/// One version by its name; `None` where it does not exist (any more).
pub async fn version(
    session: &Session,
    name: &str,
    cancel: &Cancel,
) -> Result<Option<BackupVersion>, RequestError> {
    ask_version(session, Some(name), cancel).await
}

/// Hears of each version as it is found.
pub type Seen<'a> = &'a mut (dyn FnMut(&BackupVersion) + Send);

/// The current version and the older ones (SPEC §1.5); each is told as it is found.
pub async fn all_versions(
    session: &Session,
    seen: Seen<'_>,
    cancel: &Cancel,
) -> Result<Versions, RequestError> {
    let current = current(session, cancel).await?;
    if let Some(current) = &current {
        seen(current);
    }
    let mut older = Vec::new();
    let number = current.as_ref().and_then(|current| current.version.parse().ok());
    let search = match number.filter(|number| *number <= limits::VERSION_NUMBER) {
        Some(number) => {
            let mut found = |version: BackupVersion| {
                seen(&version);
                older.push(version);
            };
            look_below(session, number, &mut found, cancel).await?
        }
        None => Search::NotPossible,
    };
    Ok(Versions { current, older, search })
}

async fn look_below(
    session: &Session,
    number: u64,
    found: &mut (dyn FnMut(BackupVersion) + Send),
    cancel: &Cancel,
) -> Result<Search, RequestError> {
    let last = number.saturating_sub(limits::VERSION_PROBES).max(1);
    for at in (last..number).rev() {
        match version(session, &at.to_string(), cancel).await {
            Ok(Some(version)) => found(version),
            Ok(None) => {}
            Err(RequestError::Cancelled) => return Err(RequestError::Cancelled),
            Err(why) => return Ok(Search::Stopped { at, why }),
        }
    }
    Ok(if last > 1 { Search::CutShort { at: last - 1 } } else { Search::Whole })
}

async fn ask_version(
    session: &Session,
    name: Option<&str>,
    cancel: &Cancel,
) -> Result<Option<BackupVersion>, RequestError> {
    let request = match name {
        Some(name) => {
            check_name(name)?;
            Request::get("/_matrix/client/v3/room_keys/version/{}", &[name])
        }
        None => Request::get("/_matrix/client/v3/room_keys/version", &[]),
    };
    let read = |answer: Answer| answer.object(EXPECTED_VERSION, cancel);
    let text = match session.ask(request, cancel, read).await {
        Err(error) if error.is_missing() => return Ok(None),
        text => text?,
    };
    let found = BackupVersion::parse(&text, name).map_err(|fault| RequestError::Odd {
        expected: EXPECTED_VERSION,
        got: Shown::new(&fault.to_string()),
    })?;
    // A server that answers every name with the same version would seem to hold many.
    if name.is_some_and(|name| name != found.version) {
        let got = Shown::limited(&format!("version {}", found.version), limits::ERROR_TEXT);
        return Err(RequestError::Odd { expected: "the backup version asked for", got });
    }
    Ok(Some(found))
}

fn check_name(name: &str) -> Result<(), RequestError> {
    let fits = (1..=limits::VERSION_NAME).contains(&name.len());
    if fits { Ok(()) } else { Err(RequestError::NameUnsendable) }
}

/// Which keys of a version to read.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// All: `{"rooms":{…}}`.
    Whole,
    /// One room: `{"sessions":{…}}`.
    Room(&'a str),
    /// One session: the entry itself.
    Session {
        /// The room's id.
        room: &'a str,
        /// The session's id.
        session: &'a str,
    },
}

/// Begins to read keys; the server may collect for minutes before the first byte.
///
/// `limit` is the longest body accepted, in decoded bytes ([`limits::KEYS_BODY`] unless a person
/// chose another). A session that does not exist is [`RequestError::is_missing`]; a version that does
/// not exist is that on some servers and an empty body on others.
pub async fn keys(
    session: &Session,
    version: &str,
    part: Part<'_>,
    limit: u64,
    cancel: &Cancel,
) -> Result<KeysStream, RequestError> {
    const KEYS: &str = "/_matrix/client/v3/room_keys/keys";
    check_name(version)?;
    let request = match part {
        Part::Whole => Request::get(KEYS, &[]),
        Part::Room(room) => Request::get(&format!("{KEYS}/{{}}"), &[room]),
        Part::Session { room, session } => {
            Request::get(&format!("{KEYS}/{{}}/{{}}"), &[room, session])
        }
    };
    let persistence = match part {
        Part::Whole => Persistence::Whole,
        Part::Room(_) | Part::Session { .. } => Persistence::Stubborn,
    };
    let request = request.query("version", version).collecting().persistence(persistence);
    let answer = session.send(request, cancel).await?;
    Ok(KeysStream { answer, limit, cancel: cancel.clone(), begun: false })
}

/// The bytes of a keys body, as they come.
#[derive(Debug)]
pub struct KeysStream {
    answer: Answer,
    limit: u64,
    cancel: Cancel,
    begun: bool,
}

impl KeysStream {
    /// The next bytes; `None` at the end. What came before an error is good.
    pub async fn next(&mut self) -> Result<Option<Bytes>, RequestError> {
        let piece = self.answer.next(self.limit, &self.cancel).await?;
        if !self.begun {
            let bytes = piece.as_deref().unwrap_or_default();
            let blank = piece.is_some() && bytes.trim_ascii_start().is_empty();
            if !blank {
                check_beginning(bytes, self.answer.host(), EXPECTED_KEYS)?;
                self.begun = true;
            }
        }
        Ok(piece)
    }

    /// Bytes received so far, decoded.
    pub fn received(&self) -> u64 {
        self.answer.received()
    }
}

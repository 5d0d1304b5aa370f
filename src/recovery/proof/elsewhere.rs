//! Where keys are that are not on this computer: the backups of the account are asked for them, one
//! by one, because what people can do depends on it.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use tracing::debug;

use super::reason::Reason;
use crate::{
    backup::{
        decryption::{DecryptionKey, Workroom},
        entry::{RawEntry, Sealed},
    },
    base::{cancel::Cancel, limits, shown::Shown},
    homeserver::{
        RequestError, Session,
        room_keys::{Part, keys},
    },
    megolm::session_key::SessionId,
    recovery::visit::Visit,
};

/// What a backup has of one key, the most hopeful first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Found {
    /// A key that opens, from this message on.
    Open { first: u32, version: String },
    /// An entry that nothing at hand opens.
    Locked { version: String },
    /// An entry that is of no use.
    Refused { version: String, why: &'static str },
}

impl Found {
    /// What it means for the message with this number.
    pub(super) fn reason(&self, index: u32) -> Reason {
        let shown = |version: &str| Shown::limited(version, 20);
        match self {
            Self::Open { first, .. } if *first > index => {
                Reason::StartsLater { first: *first, index }
            }
            Self::Open { version, .. } => Reason::NotRestored { version: shown(version) },
            Self::Locked { version } => Reason::LockedBackup { version: shown(version) },
            Self::Refused { version, why } => Reason::Refused { version: shown(version), why },
        }
    }
}

/// Asks for keys of a room, at most [`limits::KEYS_LOOKED_FOR`]; a fault ends the search, because it
/// only explains.
pub(super) async fn look_for(
    visit: &Visit,
    session: &Session,
    room_id: &str,
    wanted: &[SessionId],
    cancel: &Cancel,
) -> BTreeMap<SessionId, Found> {
    let versions = visit.overview.versions.iter().filter(|version| version.supported());
    let versions: Vec<_> = versions.take(limits::BACKUPS_LOOKED_IN).collect();
    let mut questions = Vec::new();
    for id in wanted.iter().take(limits::KEYS_LOOKED_FOR) {
        for version in &versions {
            let key = visit.unlocked.as_ref().and_then(|unlocked| unlocked.key_for(version));
            questions.push(ask(session, room_id, *id, &version.version, key, cancel));
        }
    }
    let mut answers = stream::iter(questions).buffered(limits::NAMES_AT_A_TIME);
    let mut found = BTreeMap::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(None) => {}
            Ok(Some((id, new))) => {
                let best = found.entry(id).or_insert_with(|| new.clone());
                if new < *best {
                    *best = new;
                }
            }
            Err(_) => {
                debug!("not all missing keys were looked for in the backups");
                break;
            }
        }
    }
    found
}

async fn ask(
    session: &Session,
    room_id: &str,
    id: SessionId,
    version: &str,
    key: Option<&DecryptionKey>,
    cancel: &Cancel,
) -> Result<Option<(SessionId, Found)>, RequestError> {
    let name = id.to_string();
    let part = Part::Session { room: room_id, session: &name };
    let read = async {
        let mut stream = keys(session, version, part, limits::ENTRY as u64, cancel).await?;
        let mut json = Vec::new();
        while let Some(piece) = stream.next().await? {
            json.extend_from_slice(&piece);
        }
        Ok(json)
    };
    let json = match read.await {
        Ok(json) => json,
        Err(RequestError::TooLarge { .. } | RequestError::Odd { .. }) => return Ok(None),
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    let version = version.to_owned();
    let entry = RawEntry { room_id, session_id: &name, json: &json, fault: None };
    let found = match key.map(|key| key.open(&entry, &mut Workroom::default())) {
        Some(Ok(key)) => Found::Open { first: key.key.first_known_index(), version },
        Some(Err(refusal)) => Found::Refused { version, why: refusal.reason() },
        // Some servers answer with something else where there is no key.
        None if Sealed::parse(&json).is_none() => return Ok(None),
        None => Found::Locked { version },
    };
    Ok(Some((id, found)))
}

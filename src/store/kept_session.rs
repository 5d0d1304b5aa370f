//! The session of `--keep-signed-in`, and how often somebody signed in lately.
//!
//! The file holds an access token in the clear: whoever may read our files can use it until sign-out,
//! and nothing here could prevent that. It is written only when it was asked for.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;
use zeroize::Zeroizing;

use super::folder::{DataDir, Folder, FolderError, hex};
use crate::base::{limits, secret::SecretText};

const NAME: &str = "session.json";
/// How far back servers usually count logins.
const LATELY: SignedDuration = SignedDuration::from_mins(5);
/// Most logins remembered for one server.
const LOGINS: usize = 32;

/// A signed-in session that later runs use.
pub struct KeptSession {
    /// Base URL of the server's client API.
    pub base_url: Url,
    /// Whose session it is, as whoami said.
    pub user_id: String,
    /// The device that keyhaul made.
    pub device_id: String,
    /// What stands for the password.
    pub access_token: SecretText,
}

#[derive(Serialize)]
struct Written<'a> {
    base_url: &'a str,
    user_id: &'a str,
    device_id: &'a str,
    access_token: &'a str,
}

#[derive(Deserialize)]
struct Read<'a> {
    base_url: String,
    user_id: String,
    device_id: String,
    #[serde(borrow)]
    access_token: Cow<'a, str>,
}

impl KeptSession {
    /// Keeps the session in its account's folder.
    pub fn save(&self, folder: &Folder) -> Result<(), FolderError> {
        let written = Written {
            base_url: self.base_url.as_str(),
            user_id: &self.user_id,
            device_id: &self.device_id,
            access_token: self.access_token.expose(),
        };
        // Room for every escape, so that the buffer never grows and leaves the token behind.
        let parts = [written.base_url, written.user_id, written.device_id, written.access_token];
        let room = 128 + parts.iter().map(|part| part.len() * 6).sum::<usize>();
        let mut json = Zeroizing::new(Vec::with_capacity(room));
        #[expect(clippy::expect_used, reason = "four texts are always JSON")]
        serde_json::to_writer(&mut *json, &written).expect("four texts are always JSON");
        folder.write_private(NAME, &json)
    }

    /// The kept session of an account. One that cannot be understood, or that belongs to another
    /// account than the folder, counts as none.
    pub fn load(folder: &Folder) -> Result<Option<Self>, FolderError> {
        let Some(json) = folder.read(NAME, limits::SECRET_FILE)?.map(Zeroizing::new) else {
            return Ok(None);
        };
        let session = serde_json::from_slice(&json).ok().and_then(Self::understand);
        Ok(session.filter(|session| {
            folder.belongs_to(&session.user_id, &session.base_url.origin().ascii_serialization())
        }))
    }

    fn understand(read: Read<'_>) -> Option<Self> {
        Some(Self {
            base_url: Url::parse(&read.base_url).ok()?,
            user_id: read.user_id,
            device_id: read.device_id,
            access_token: SecretText::new(read.access_token.into_owned()),
        })
    }

    /// Forgets the kept session of an account; `false` if there was none.
    pub fn remove(folder: &Folder) -> Result<bool, FolderError> {
        folder.remove(NAME)
    }

    /// All sessions kept under a data directory.
    pub fn all(data_dir: &DataDir) -> Result<Vec<Self>, FolderError> {
        let mut sessions = Vec::new();
        for folder in data_dir.accounts()? {
            sessions.extend(Self::load(&folder)?);
        }
        Ok(sessions)
    }
}

/// How often this data directory's user signed in to a server within the last five minutes.
pub fn recent_logins(
    data_dir: &DataDir,
    origin: &str,
    now: Timestamp,
) -> Result<usize, FolderError> {
    recent(data_dir, origin, now).map(|times| times.len())
}

/// Notes a login, whether it succeeded or not: servers count both.
pub fn note_login(data_dir: &DataDir, origin: &str, now: Timestamp) -> Result<(), FolderError> {
    let mut times = recent(data_dir, origin, now)?;
    times.push(now);
    let times = times.split_off(times.len().saturating_sub(LOGINS));
    let json = serde_json::to_vec(&times).unwrap_or_default();
    data_dir.folder().write_private(&logins(origin), &json)
}

fn recent(data_dir: &DataDir, origin: &str, now: Timestamp) -> Result<Vec<Timestamp>, FolderError> {
    let json = data_dir.folder().read(&logins(origin), limits::SECRET_FILE)?.unwrap_or_default();
    let mut times: Vec<Timestamp> = serde_json::from_slice(&json).unwrap_or_default();
    // A clock that was set back must not count the future as recent.
    times.retain(|time| *time <= now && now.duration_since(*time) < LATELY);
    Ok(times)
}

fn logins(origin: &str) -> String {
    format!("logins-{}.json", hex(&Sha256::digest(origin), 8))
}

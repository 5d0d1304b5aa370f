//! What each backup version looked like when it was last seen, for "changed since".
//!
//! A file of its own beside the store: a look comes before anybody typed a secret, so it can neither
//! be sealed nor wait for a store to exist. It holds nothing that a server does not tell anybody who
//! is signed in, and no ids of rooms or sessions.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::folder::{Folder, FolderError, FolderLock};
use crate::base::limits;

const NAME: &str = "looks.json";
/// Most versions remembered; an account has a handful.
const LOOKS: usize = 200;

/// One version as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The version's name.
    pub version: String,
    /// Its etag: compare for equality only.
    pub etag: Option<String>,
    /// How many entries the server said there are.
    pub count: Option<u64>,
    /// How many entries there really were, if they were read.
    pub entries: Option<u64>,
    /// When.
    pub at: Timestamp,
}

#[derive(Default, Serialize, Deserialize)]
struct File {
    looks: Vec<Look>,
}

/// The last look at each version, the latest first. A file that cannot be understood counts as none:
/// nothing but a comparison is lost.
pub fn last(folder: &Folder) -> Result<Vec<Look>, FolderError> {
    let bytes = folder.read(NAME, limits::ANSWER)?.unwrap_or_default();
    let mut file: File = serde_json::from_slice(&bytes).unwrap_or_default();
    file.looks.sort_by_key(|look| Reverse(look.at));
    file.looks.truncate(LOOKS);
    Ok(file.looks)
}

/// Remembers looks in place of earlier ones at the same versions.
pub fn remember(lock: &FolderLock, new: &[Look]) -> Result<(), FolderError> {
    let _turn = lock.turn();
    let mut looks = last(lock.folder())?;
    looks.retain(|old| !new.iter().any(|look| look.version == old.version));
    looks.splice(0..0, new.iter().cloned());
    looks.truncate(LOOKS);
    let json = serde_json::to_vec(&File { looks }).unwrap_or_default();
    lock.folder().write_private(NAME, &json)
}

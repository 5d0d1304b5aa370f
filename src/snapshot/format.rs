//! The first and the last line of a snapshot (DESIGN §4).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::limits;

/// How every snapshot begins; also tells it from other JSON files.
pub const MAGIC: &[u8] = b"{\"keyhaul_snapshot\":";
/// The format's number.
pub const FORMAT: u32 = 1;
/// Longest first line, in bytes: a version, two pieces of account data that name locks, and one for
/// each lock. None is longer than the answer in which it came.
pub const HEADER_LIMIT: usize = (limits::STORAGE_KEYS + 4) * limits::ANSWER as usize;
/// Longest last line, in bytes: two etags of [`limits::ETAG`] bytes, each six in JSON at most, and
/// figures.
pub const TRAILER_LIMIT: u64 = 4 << 10;
/// Longest line with room names, in bytes.
pub const NAMES_LIMIT: u64 = 32 << 20;

/// Line 1: whose backup, which version, and the account data needed to unlock it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// The format's number, [`FORMAT`].
    pub keyhaul_snapshot: u32,
    /// Origin of the homeserver.
    pub server: String,
    /// The account.
    pub user: String,
    /// When reading began.
    pub started: Timestamp,
    /// The version object as the server described it.
    pub version: Box<RawValue>,
    /// Account data by type: the descriptions of 4S keys and the backup secret, still locked.
    pub account_data: BTreeMap<String, Box<RawValue>>,
}

/// The last line: the proof that the body is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// Always true; a snapshot without this line is incomplete.
    pub complete: bool,
    /// The version's etag before reading.
    pub etag_before: Option<String>,
    /// The version's etag after reading; a difference means it changed meanwhile.
    pub etag_after: Option<String>,
    /// How many entries the server said there are.
    pub count: Option<u64>,
    /// How many entries there are.
    pub entries: u64,
    /// SHA-256 of the body's bytes, in hex.
    pub sha256: String,
    /// Length of the line with room names before this one, in bytes with its line break; 0 where there
    /// is none. Names are only there if somebody asked for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub names_bytes: u64,
}

/// The line with room names: by room id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The names, as the server told them.
    pub names: BTreeMap<String, String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

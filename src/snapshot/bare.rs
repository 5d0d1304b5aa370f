//! A keys body that somebody saved without keyhaul, with curl for instance: the answer of
//! `room_keys/keys` as it is, perhaps with that of `room_keys/version` before or after it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::{
    format::{FORMAT, Header},
    reader::{Snapshot, SnapshotFault},
};
use crate::{
    backup::version::{ALGORITHM, BackupVersion},
    base::limits,
};

/// What a version is called whose name nobody wrote down.
pub const UNKNOWN: &str = "unknown";
/// What some programs write before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Opens the file, if its body begins as the server's answer does.
pub(super) fn open(mut file: File) -> Result<Snapshot, SnapshotFault> {
    let about = file.metadata()?;
    let length = about.len();
    let head = read_at(&mut file, 0, limits::ANSWER.min(length))?;
    let (before, begin) = version_at_start(&head);
    let rest = head.get(begin..).unwrap_or_default().trim_ascii_start();
    let rest = rest.strip_prefix(MARK).unwrap_or(rest);
    if !begins_as_keys(rest) {
        return Err(SnapshotFault::NotASnapshot);
    }
    let version = match before {
        Some(version) => version,
        None => {
            let from = length.saturating_sub(limits::WELL_KNOWN).max(begin as u64);
            let tail = read_at(&mut file, from, length - from)?;
            version_at_end(&tail).map_or_else(unknown, Ok)?
        }
    };
    let saved = about.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    let header = Header {
        keyhaul_snapshot: FORMAT,
        server: String::new(),
        user: String::new(),
        started: saved.unwrap_or(Timestamp::UNIX_EPOCH),
        version: serde_json::value::to_raw_value(&version.to_json())
            .map_err(|_| SnapshotFault::Header)?,
        account_data: BTreeMap::new(),
    };
    Ok(Snapshot::of_bare(file, header, version, begin as u64..length))
}

fn read_at(file: &mut File, from: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A version object at the beginning, and where the body begins.
fn version_at_start(head: &[u8]) -> (Option<BackupVersion>, usize) {
    let begin = if head.starts_with(MARK) { MARK.len() } else { 0 };
    let text = head.get(begin..).unwrap_or_default();
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    if let Some(Ok(first)) = values.next()
        && let Ok(version) = BackupVersion::parse(first.get(), Some(UNKNOWN))
    {
        return (Some(version), begin + values.byte_offset());
    }
    (None, begin)
}

/// A version object at the end: the last one that reaches to the end of the file.
fn version_at_end(tail: &[u8]) -> Option<BackupVersion> {
    let tail = tail.trim_ascii_end();
    let opening = tail.iter().enumerate().rev().filter(|(_, byte)| **byte == b'{');
    // An object with a name and signatures is not nested any deeper.
    opening.take(16).find_map(|(at, _)| {
        let text = str::from_utf8(tail.get(at..)?).ok()?;
        BackupVersion::parse(text, Some(UNKNOWN)).ok()
    })
}

fn unknown() -> Result<BackupVersion, SnapshotFault> {
    let body = format!(r#"{{"version":"{UNKNOWN}","algorithm":"{ALGORITHM}","auth_data":{{}}}}"#);
    Ok(BackupVersion::parse(&body, None)?)
}

fn begins_as_keys(text: &[u8]) -> bool {
    let next =
        |text: &[u8], sign: &[u8]| text.trim_ascii_start().strip_prefix(sign).map(<[u8]>::to_vec);
    next(text, b"{")
        .and_then(|rest| next(&rest, b"\"rooms\""))
        .and_then(|rest| next(&rest, b":"))
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"))
}

//! What changed since somebody looked last.

use std::path::Path;

use jiff::Timestamp;

use super::look::Overview;
use crate::{
    backup::version::BackupVersion,
    store::{
        folder::FolderLock,
        looks::{self, Look},
    },
};

/// How a version was when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The version's name.
    pub version: String,
    /// When.
    pub at: Timestamp,
    /// How many entries the server said there are.
    pub count: Option<u64>,
    /// Whether nothing changed since.
    pub same: bool,
}

/// The last look at each version of an account, the latest first; none where nobody looked yet or the
/// file cannot be read: nothing but a comparison is lost.
pub fn earlier(overview: &Overview, data_dir: &Path) -> Vec<Earlier> {
    let found = overview.folder(data_dir).and_then(|folder| looks::last(&folder).ok());
    let looks = found.unwrap_or_default().into_iter();
    looks
        .map(|look| {
            let now = overview.versions.iter().find(|now| now.version == look.version);
            let same = now.is_some_and(|now| now.etag == look.etag && now.count == look.count);
            Earlier { version: look.version, at: look.at, count: look.count, same }
        })
        .collect()
}

/// Versions that were here at an earlier look and are no more, the latest look first. One that cannot be
/// enumerated any more counts only if it is newer than the current one: a server that goes back to an
/// older backup was restored from a copy of itself, or wants something.
pub fn vanished(overview: &Overview, data_dir: &Path) -> Vec<Earlier> {
    let number = |name: &str| name.parse::<u64>().ok();
    let current = overview.current.as_deref().and_then(number);
    let is_newer = |name: &str| match (number(name), current) {
        (Some(seen), Some(current)) => seen > current,
        (seen, None) => seen.is_some() && overview.versions.is_empty(),
        (None, _) => false,
    };
    let is_here = |name: &str| overview.versions.iter().any(|version| version.version == name);
    let mut earlier = earlier(overview, data_dir);
    earlier.retain(|look| {
        let told = overview.all_found == Some(true) || is_newer(&look.version);
        overview.all_found.is_some() && told && !is_here(&look.version)
    });
    earlier
}

/// Remembers how all versions look now. Makes no folder: who only looks leaves nothing behind.
pub fn remember(overview: &Overview, data_dir: &Path) {
    let Some(lock) = overview.folder(data_dir).and_then(|folder| folder.share().ok()) else {
        return;
    };
    let known = looks::last(lock.folder()).unwrap_or_default();
    let new: Vec<Look> = overview
        .versions
        .iter()
        .map(|version| {
            let before = known.iter().find(|look| look.version == version.version);
            let same = before.filter(|look| look.etag == version.etag);
            look(version, same.and_then(|look| look.entries))
        })
        .collect();
    // Nothing but the next comparison hangs on it.
    let _ = looks::remember(&lock, &new);
}

/// Remembers how one version looked when it was read, and how many entries there were.
pub(super) fn note(lock: &FolderLock, version: &BackupVersion, entries: Option<u64>) {
    let _ = looks::remember(lock, &[look(version, entries)]);
}

/// How a version looks now.
pub(super) fn look(version: &BackupVersion, entries: Option<u64>) -> Look {
    Look {
        version: version.version.clone(),
        etag: version.etag.clone(),
        count: version.count,
        entries,
        at: Timestamp::now(),
    }
}

//! Saving snapshots: beside a restore, or on their own; and telling what one holds.

use std::{io, path::Path, sync::Arc};

use jiff::Timestamp;

use super::{
    contents::{Contents, contents},
    failures::{IntoFailure, writing},
    look::{Overview, etag_now},
    source::Source,
    visit::Visit,
};
use crate::{
    backup::version::BackupVersion,
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::Progress,
        shown::grouped,
    },
    snapshot::{
        format::{FORMAT, Header, Trailer},
        reader::Snapshot,
        writer::Writer,
    },
};

/// Saves a body while it is read.
pub struct Saver {
    writer: Writer,
}

impl Saver {
    /// Begins a snapshot of a version.
    pub fn begin(
        file: &Path,
        overview: &Overview,
        version: &BackupVersion,
    ) -> Result<Self, Failure> {
        let header = Header {
            keyhaul_snapshot: FORMAT,
            server: overview.server.clone(),
            user: overview.user_id.clone(),
            started: Timestamp::now(),
            version: serde_json::value::to_raw_value(&version.to_json())
                .map_err(|error| Failure::new(Code::Bug).because(&error.to_string()))?,
            account_data: overview.locks.account_data().clone(),
        };
        let writer = Writer::create(file, &header).map_err(|error| {
            let folder = file.parent().unwrap_or(file).to_string_lossy();
            writing(if folder.is_empty() { "this folder" } else { &folder }, &error)
        })?;
        Ok(Self { writer })
    }

    /// Lets an older snapshot that holds more stay beside it.
    pub(super) fn yielding(self) -> Self {
        Self { writer: self.writer.yielding() }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write(bytes)
    }

    /// Ends it: whole, or incomplete.
    pub(super) fn end(
        self,
        version: &BackupVersion,
        etag_after: Option<String>,
        entries: u64,
        whole: bool,
    ) -> Result<(), Failure> {
        let ended = if whole {
            self.writer.finish(Trailer {
                complete: true,
                etag_before: version.etag.clone(),
                etag_after,
                count: version.count,
                entries,
                sha256: String::new(),
            })
        } else {
            self.writer.abandon()
        };
        ended.map_err(|error| writing("the folder of the snapshot", &error))
    }
}

/// What a snapshot holds.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its header and version.
    pub overview: Overview,
    /// When reading began.
    pub started: Timestamp,
    /// Whether it has its last line, and its bytes are those that were written.
    pub complete: bool,
    /// What its last line says, if it is there.
    pub trailer: Option<Trailer>,
    /// Its rooms and counts.
    pub contents: Contents,
    /// Length of the locked keys, in bytes.
    pub bytes: u64,
}

/// Looks into a snapshot and counts what is there.
pub async fn describe(
    file: &Path,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Described, Failure> {
    let snapshot = Snapshot::open(file).map_err(IntoFailure::into_failure)?;
    let overview = Overview::in_snapshot(&snapshot);
    let source = Source::Snapshot { file: file.to_owned() };
    let contents = contents(source, None, None, progress, cancel).await?;
    Ok(Described {
        overview,
        started: snapshot.header.started,
        complete: snapshot.trailer.is_some() && contents.whole,
        bytes: snapshot.body_length(),
        trailer: snapshot.trailer,
        contents,
    })
}

/// Reads a version into a file, opening nothing; tells what the file holds then.
pub async fn save(
    file: &Path,
    overwrite: bool,
    visit: &Visit,
    version: &BackupVersion,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Described, Failure> {
    let in_the_way = file.exists();
    if in_the_way && !overwrite {
        let name = file.to_string_lossy();
        return Err(Failure::new(Code::FileExists).with("name", &*name));
    }
    let mut saver = Saver::begin(file, &visit.overview, version)?;
    let source = visit.whole(version);
    let account = source.whole_account();
    let read =
        contents(source, Some(&mut saver), None, Arc::clone(&progress), cancel.clone()).await;
    let whole = read.as_ref().is_ok_and(|contents| contents.whole);
    let entries = read.as_ref().map_or(0, |contents| contents.sessions);
    let etag_after = etag_now(account.filter(|_| whole), version, &cancel).await;
    saver.end(version, etag_after, entries, whole)?;
    read?;
    if in_the_way && !whole {
        // The file is the one that was there before: a part does not take its place.
        let all = version.count.map_or_else(|| "all".to_owned(), grouped);
        return Err(Failure::new(Code::ConnectionLost)
            .with("n", 0)
            .with("all", all)
            .because("the answer ended before its last bracket; the older file was kept"));
    }
    describe(file, progress, cancel).await
}

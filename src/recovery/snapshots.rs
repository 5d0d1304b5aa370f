//! Saving snapshots: beside a restore, or on their own; and telling what one holds.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    contents::{Contents, contents},
    failures::{IntoFailure, writing},
    look::{Overview, etag_now},
    new_file::{self, folder_name},
    source::Source,
    visit::Visit,
};
use crate::{
    backup::{entry::RawEntry, version::BackupVersion},
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        limits,
        progress::Progress,
        shown::{Shown, grouped},
    },
    snapshot::{
        format::{FORMAT, Header, Trailer},
        join::Entries,
        place::is_of,
        reader::Snapshot,
        writer::Writer,
    },
    store::folder::DataDir,
};

/// Saves a body while it is read.
pub struct Saver {
    file: PathBuf,
    header: Header,
    /// The body as it is received.
    writer: Writer,
    /// What comes entry by entry after that broke.
    rest: Option<Entries<Writer>>,
    names: BTreeMap<String, String>,
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
        let writer =
            Writer::create(file, &header).map_err(|error| writing(&folder_name(file), &error))?;
        Ok(Self { file: file.to_owned(), header, writer, rest: None, names: BTreeMap::new() })
    }

    /// Saves room names along, because somebody asked for it.
    pub(super) fn with_names(&mut self, names: BTreeMap<Arc<str>, Shown>) {
        let names = names.into_iter().map(|(id, name)| (id.to_string(), name.to_string()));
        self.names = names.collect();
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write(bytes)
    }

    /// The body cannot be received as it is any more: what is still missing comes entry by entry.
    pub(super) fn go_on_by_entries(&mut self) -> io::Result<()> {
        self.rest = Some(Entries::begin(Writer::create(&self.file, &self.header)?)?);
        Ok(())
    }

    /// Saves an entry that came by itself.
    pub(super) fn add(&mut self, entry: &RawEntry<'_>) {
        if let Some(rest) = &mut self.rest {
            rest.add(entry);
        }
    }

    /// Ends it: whole, or incomplete. Says where it is then: never in the place of one that holds more.
    pub(super) fn end(
        self,
        version: &BackupVersion,
        etag_after: Option<String>,
        entries: u64,
        whole: bool,
    ) -> Result<PathBuf, Failure> {
        let writing_failed = |error| writing("the folder of the snapshot", &error);
        let writer = match self.rest {
            None => self.writer,
            Some(rest) => rest
                .end(false)
                .and_then(|rest| self.writer.with_rest(rest, &self.header, whole))
                .map_err(writing_failed)?,
        };
        let ended = if whole {
            let trailer = Trailer {
                complete: true,
                etag_before: version.etag.clone(),
                etag_after,
                count: version.count,
                entries,
                sha256: String::new(),
                names_bytes: 0,
            };
            writer.finish(trailer, self.names)
        } else {
            writer.abandon()
        };
        ended.map_err(writing_failed)
    }
}

/// What a snapshot holds.
#[derive(Clone, Debug)]
pub struct Described {
    /// Where it is.
    pub file: PathBuf,
    /// Its header and version.
    pub overview: Overview,
    /// When reading began.
    pub started: Timestamp,
    /// Whether everything is there: it has its last line and its bytes are those that were written, or
    /// it is a bare body that was closed.
    pub complete: bool,
    /// A keys body that somebody saved without keyhaul.
    pub bare: bool,
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
    let contents = contents(source, None, None, None, progress, cancel).await?;
    Ok(Described {
        file: file.to_owned(),
        overview,
        started: snapshot.header.started,
        complete: (snapshot.trailer.is_some() || snapshot.bare) && contents.whole,
        bare: snapshot.bare,
        bytes: snapshot.body_length(),
        trailer: snapshot.trailer,
        contents,
    })
}

/// How a snapshot is to be saved.
pub struct Saving<'a> {
    /// The file that was asked for.
    pub file: &'a Path,
    /// A snapshot of this name may be replaced by one that holds all of it.
    pub overwrite: bool,
    /// Save room names along.
    pub with_names: bool,
}

/// Reads a version into a file, opening nothing; tells what the file holds then.
///
/// An incomplete snapshot of the same backup is continued. Whatever would lose a key takes the next name
/// instead.
pub async fn save(
    saving: Saving<'_>,
    visit: &Visit,
    version: &BackupVersion,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Described, Failure> {
    let Saving { file, overwrite, with_names } = saving;
    new_file::is_taken(file, overwrite || is_cut_one_of(file, visit, version))?;
    let mut saver = Saver::begin(file, &visit.overview, version)?;
    let source = visit.whole(version, None);
    let account = source.whole_account();
    let read =
        contents(source, Some(&mut saver), None, None, Arc::clone(&progress), cancel.clone()).await;
    let whole = read.as_ref().is_ok_and(|contents| contents.whole);
    if let (Ok(contents), true) = (&read, whole && with_names) {
        // Only now: the keys are what matters.
        saver.with_names(visit.names(contents.rooms.keys(), None, &*progress, &cancel).await);
    }
    let entries = read.as_ref().map_or(0, |contents| contents.sessions);
    let etag_after = etag_now(account.filter(|_| whole), version, &cancel).await;
    let place = saver.end(version, etag_after, entries, whole)?;
    let is_whole = |file: &Path| Snapshot::open(file).is_ok_and(|one| one.trailer.is_some());
    let older_kept = !whole && is_whole(&place);
    match read {
        Err(failure) if !older_kept && failure.code() == Code::ConnectionLost => {
            let saved = describe(&place, progress, cancel).await?;
            Err(lost(&failure, version, &saved))
        }
        Err(failure) if !older_kept || failure.code() == Code::Stopped => Err(failure),
        _ if older_kept => {
            let name = Shown::new(&place.to_string_lossy());
            Err(Failure::new(Code::OlderKept).with("name", name))
        }
        read => {
            let by_room = read.ok().and_then(|contents| contents.by_room);
            match by_room.and_then(|by_room| by_room.shortfall()) {
                Some(shortfall) => Err(shortfall),
                None => describe(&place, progress, cancel).await,
            }
        }
    }
}

/// How much of a version is in the file after the connection broke.
fn lost(failure: &Failure, version: &BackupVersion, saved: &Described) -> Failure {
    let all = version.count.map_or_else(|| "all".to_owned(), grouped);
    let lost = Failure::new(Code::ConnectionLost).with("n", grouped(saved.contents.sessions));
    lost.with("all", all).because(failure.detail().map_or("", Shown::as_str))
}

/// Says whether a file is an incomplete snapshot of this very backup, to be continued.
fn is_cut_one_of(file: &Path, visit: &Visit, version: &BackupVersion) -> bool {
    let Overview { user_id, server, .. } = &visit.overview;
    Snapshot::open(file).is_ok_and(|snapshot| {
        snapshot.trailer.is_none() && !snapshot.bare && is_of(&snapshot, user_id, server, version)
    })
}

/// The room names that a snapshot has brought along.
pub(super) fn names(file: &Path) -> BTreeMap<Arc<str>, Shown> {
    let names = Snapshot::open(file).map(|snapshot| snapshot.names()).unwrap_or_default();
    let shown = |name: String| Shown::limited(&name, limits::ROOM_NAME);
    names.into_iter().map(|(id, name)| (Arc::from(id), shown(name))).collect()
}

/// A snapshot in keyhaul's own folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub file: PathBuf,
    /// Whose backup it holds.
    pub user_id: String,
    /// Its backup version.
    pub version: String,
    /// When reading began.
    pub started: Timestamp,
    /// How many entries its last line tells of; `None` for an incomplete one.
    pub entries: Option<u64>,
}

/// The snapshots of all accounts in keyhaul's own folder, the newest first. One that cannot be read is
/// left out.
pub fn kept(data_dir: &Path) -> Vec<Kept> {
    let found = DataDir::find(data_dir).ok().flatten();
    let folders = found.and_then(|data_dir| data_dir.accounts().ok()).unwrap_or_default();
    let files = folders.iter().flat_map(|folder| in_folder(folder.path()));
    let mut kept: Vec<Kept> = files
        .filter_map(|file| {
            let snapshot = Snapshot::open(&file).ok()?;
            Some(Kept {
                user_id: snapshot.header.user.clone(),
                version: snapshot.version.version.clone(),
                started: snapshot.header.started,
                entries: snapshot.trailer.as_ref().map(|trailer| trailer.entries),
                file,
            })
        })
        .collect();
    kept.sort_by_key(|one| std::cmp::Reverse(one.started));
    kept
}

/// The snapshots in an account's folder, by their names.
pub(super) fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_one = |name: &str| name.starts_with("snapshot-") && name.ends_with(".keyhaul");
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_one))
        // A link leads to a file that is somebody else's, or to one that is here already.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

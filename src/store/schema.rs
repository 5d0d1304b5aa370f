//! The SQLite file: how it is made, told from other files, opened and brought up to date.
//!
//! - A store is made under another name and renamed when it is whole. So a file under the store's name
//!   that is empty or odd is never a fresh one: it is somebody's damaged store, and stays untouched.
//! - Before a database is opened for writing, its header is read as plain bytes and its locks through
//!   a connection that cannot write, not even the files that SQLite puts beside it.
//! - `synchronous=FULL`: what is reported as committed survives a power cut. That costs one fsync per
//!   transaction, of which there are at most four a second.

use std::{fs::OpenOptions, io::Read, os::unix::ffi::OsStrExt, path::PathBuf, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{error::StoreError, folder::Folder};

pub(super) const NAME: &str = "store.sqlite3";
const NEW_NAME: &str = "store.sqlite3.new";
/// What SQLite may leave beside a database: a log to read with it, a journal to roll back.
const BESIDE: [&str; 3] = ["-wal", "-journal", "-shm"];

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// "keyh", at offset 68 of the header.
const APPLICATION_ID: i32 = 0x6b65_7968;
/// All forms of the store, oldest first; `user_version` says how many were applied. Append only.
const FORMS: [&str; 1] = [include_str!("../../assets/schema/001.sql")];
const BUSY: Duration = Duration::from_secs(5);

/// Says whether there is a store, judging by its first 100 bytes; anything that is no store of ours,
/// or a newer one, is an error.
pub(super) fn exists(folder: &Folder) -> Result<bool, StoreError> {
    if !folder.path().join(NAME).try_exists().unwrap_or(true)
        && folder.path().join(NAME).symlink_metadata().is_err()
    {
        return Ok(false);
    }
    let mut header = [0; 100];
    let mut file = folder.open_plain(NAME, OpenOptions::new().read(true))?;
    file.read_exact(&mut header)
        .map_err(|_| StoreError::unreadable("it is shorter than a database's header"))?;
    let number = |at| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, i32::from_be_bytes)
    };
    if !header.starts_with(MAGIC) || number(68) != APPLICATION_ID {
        return Err(StoreError::unreadable("it is not a store of keyhaul"));
    }
    known_form(i64::from(number(60))).map(|_| true)
}

/// Makes a store, whole or not at all. `fill` writes the rows without which it cannot be opened.
pub(super) fn create(
    folder: &Folder,
    fill: impl FnOnce(&Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for left_over in BESIDE.map(|end| format!("{NEW_NAME}{end}")) {
        folder.remove(&left_over)?;
    }
    folder.remove(NEW_NAME)?;
    folder.open_plain(NEW_NAME, OpenOptions::new().write(true).create_new(true))?;
    let path = folder.path().join(NEW_NAME);
    let database = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    database.execute_batch("BEGIN IMMEDIATE")?;
    database.pragma_update(None, "application_id", APPLICATION_ID)?;
    bring_up_to_date(&database)?;
    fill(&database)?;
    database.execute_batch("COMMIT")?;
    database.close().map_err(|(_, error)| error)?;
    Ok(folder.rename(NEW_NAME, NAME)?)
}

/// Opens an existing store to look at its locks, without changing a byte of it. `exclusive`: we hold
/// the folder's lock.
pub(super) fn probe(folder: &Folder, exclusive: bool) -> Result<Connection, StoreError> {
    let [wal, journal, _] = BESIDE.map(|end| folder.path().join(format!("{NAME}{end}")).metadata());
    let left_over = [&wal, &journal].into_iter().flatten().any(|file| file.len() > 0);
    let database = if exclusive && left_over {
        // A run was killed: only a writer can read what it left. It must not tidy up, though, until
        // we know that the store is ours to open.
        let database = connect(folder.path().join(NAME), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        database
    } else if !left_over && (exclusive || wal.is_err()) {
        // Nobody writes: a writer would have made its log.
        connect_unchanging(folder)?
    } else {
        return open_read(folder);
    };
    known_form(form(&database)?)?;
    Ok(database)
}

/// Opens an existing store that [`probe`] found good, for its only writer.
pub(super) fn open_write(folder: &Folder) -> Result<Connection, StoreError> {
    folder.open_plain(NAME, OpenOptions::new().read(true))?;
    let database = connect(folder.path().join(NAME), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Where a file system cannot share memory (NFS, FUSE), a rollback journal has to do.
    let mode = database
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    if mode.is_ok_and(|mode| mode == "wal") {
        database.pragma_update(None, "journal_size_limit", 16 << 20)?;
    } else {
        database.pragma_update(None, "journal_mode", "DELETE")?;
    }
    if known_form(form(&database)?)? < FORMS.len() {
        database.execute_batch("BEGIN IMMEDIATE")?;
        bring_up_to_date(&database)?;
        database.execute_batch("COMMIT")?;
    }
    Ok(database)
}

/// Moves the log into the main file, as far as readers let it, without waiting for them. SQLite does
/// so by itself only if the writer is the last to leave.
pub(super) fn tidy(database: &Connection) {
    // Whatever does not work now is done when the store is opened next.
    let _ = database.busy_timeout(Duration::ZERO);
    let _ = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

/// Opens an existing store for reading, also beside a writer.
pub(super) fn open_read(folder: &Folder) -> Result<Connection, StoreError> {
    let database = connect(folder.path().join(NAME), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match form(&database) {
        // In a folder that we may not write to, the files of a log cannot be made.
        Err(StoreError::NoPermission { .. }) => {
            let database = connect_unchanging(folder)?;
            known_form(form(&database)?)?;
            Ok(database)
        }
        found => known_form(found?).map(|_| database),
    }
}

fn bring_up_to_date(database: &Connection) -> Result<(), StoreError> {
    let done = known_form(form(database)?)?;
    for (number, sql) in FORMS.iter().enumerate().skip(done) {
        database.execute_batch(sql)?;
        database.pragma_update(None, "user_version", number + 1)?;
    }
    Ok(())
}

fn form(database: &Connection) -> Result<i64, StoreError> {
    Ok(database.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn known_form(found: i64) -> Result<usize, StoreError> {
    let known = FORMS.len();
    match usize::try_from(found) {
        Ok(form) if form <= known => Ok(form),
        Ok(_) => Err(StoreError::Newer { found, known: known as i64 }),
        Err(_) => Err(StoreError::unreadable("it is of no known form")),
    }
}

/// Promises SQLite that nobody writes, so that it needs no files beside the database.
fn connect_unchanging(folder: &Folder) -> Result<Connection, StoreError> {
    let mut uri = String::from("file:");
    for byte in folder.path().join(NAME).as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    connect(PathBuf::from(uri), flags)
}

fn connect(path: PathBuf, mode: OpenFlags) -> Result<Connection, StoreError> {
    let flags = mode
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(BUSY)?;
    // The file is data, whoever wrote it: no code in its schema may run.
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        database.set_db_config(setting, on)?;
    }
    database.execute_batch(
        "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON",
    )?;
    Ok(database)
}

/// Bytes of the store on disk, its log included.
pub(super) fn size(folder: &Folder) -> u64 {
    let bytes = |name: String| folder.path().join(name).metadata().map_or(0, |file| file.len());
    let [wal, journal, _] = BESIDE.map(|end| format!("{NAME}{end}"));
    [NAME.to_owned(), wal, journal].map(bytes).iter().sum()
}

/// Says whether an error means that the file, not the asking, is at fault.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    let broken = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase, ErrorCode::SystemIoFailure];
    code.is_none_or(|code| broken.contains(&code))
}

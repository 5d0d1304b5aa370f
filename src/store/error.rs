//! What can go wrong with the store, and which of SQLite's codes mean it.

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;

use super::{folder::FolderError, slots::Lock};

/// Why the store could not be opened, read or written. Nothing of a failed batch is kept.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder around the store is not usable.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Reading was asked for, and nothing was ever stored.
    #[error("expected a store in the account's folder, found none")]
    Missing,
    /// Written by a newer keyhaul; left untouched.
    #[error("expected a store of form {known} or older, got form {found}")]
    Newer {
        /// Form of the file.
        found: i64,
        /// Newest form this program knows.
        known: i64,
    },
    /// No database, not ours, or damaged in its bones; left untouched.
    #[error("the store is not readable: {detail}")]
    Unreadable {
        /// What SQLite or keyhaul found, in fixed words.
        detail: &'static str,
    },
    /// None of the secrets opens it; left untouched.
    #[error("expected a secret for one of the {} locks of the store, got another", locks.len())]
    OtherLock {
        /// The locks that would open it.
        locks: Vec<Lock>,
    },
    /// A secret whose lock id is too long to be believed.
    #[error("expected a lock id of at most {limit} bytes, got {got}")]
    LockId {
        /// Longest lock id accepted, in bytes.
        limit: usize,
        /// Its length, in bytes.
        got: usize,
    },
    /// No such lock to forget.
    #[error("expected a lock of the store, got another")]
    UnknownLock,
    /// Without its last lock nobody could open the store again.
    #[error("expected at least one other lock to remain, this is the last one")]
    LastLock,
    /// Another program held the store for longer than five seconds.
    #[error("the store was held by another program for more than 5 seconds")]
    Busy,
    /// The disk (or a quota) is full; what was committed before is kept.
    #[error("the disk is full: {detail}")]
    DiskFull {
        /// SQLite's words for it.
        detail: &'static str,
    },
    /// The store may be read, but not written.
    #[error("the store may not be written: {detail}")]
    NoPermission {
        /// SQLite's words for it.
        detail: &'static str,
    },
    /// A key with more claims beside it than any real one.
    #[error("expected a key of at most {limit} bytes with its claims, got {got}")]
    RecordTooLarge {
        /// Most bytes of one record.
        limit: usize,
        /// Bytes it would have taken.
        got: usize,
    },
    /// Anything else that SQLite says.
    #[error("the database failed with code {code}: {detail}")]
    Database {
        /// SQLite's extended result code.
        code: i32,
        /// SQLite's words for it.
        detail: &'static str,
    },
}

impl StoreError {
    pub(super) fn unreadable(detail: &'static str) -> Self {
        Self::Unreadable { detail }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let Some(&inner) = error.sqlite_error() else {
            // All that is left are columns of another type and rows that must be there.
            return Self::unreadable("a row has another form than expected");
        };
        let code = inner.extended_code;
        let detail = ffi::code_to_str(code);
        match inner.code {
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Unreadable { detail },
            ErrorCode::DiskFull => Self::DiskFull { detail },
            // A quota or a limit on file sizes ends a write without the disk being full.
            ErrorCode::SystemIoFailure if is_write(code) => Self::DiskFull { detail },
            ErrorCode::SystemIoFailure => Self::Unreadable { detail },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => {
                Self::NoPermission { detail }
            }
            _ => Self::Database { code, detail },
        }
    }
}

fn is_write(code: i32) -> bool {
    matches!(
        code,
        ffi::SQLITE_IOERR_WRITE
            | ffi::SQLITE_IOERR_FSYNC
            | ffi::SQLITE_IOERR_DIR_FSYNC
            | ffi::SQLITE_IOERR_TRUNCATE
            | ffi::SQLITE_IOERR_SHMSIZE
    )
}

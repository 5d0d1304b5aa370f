//! The data directory and the folder of one account in it: private, ours, and locked by one run.
//!
//! Names never come from a server. Nothing is opened through a link, modes are set explicitly so
//! that no umask matters, and a folder that others own or may write is refused.

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use rustix::{fs::OFlags, process::geteuid};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::base::shown::Shown;

const LOCK: &str = "lock";
/// A pid and a line end.
const LOCK_SIZE: u64 = 32;
/// How long it takes at most to give up a right that nobody holds any more.
const GIVING_UP: Duration = Duration::from_millis(100);
const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
const OTHERS_MAY_WRITE: u32 = 0o022;
const OTHERS: u32 = 0o077;

/// Why a folder or a file in it cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FolderError {
    /// The file system does not let us write.
    #[error("expected to be allowed to write to {folder}")]
    NoPermission {
        /// The folder.
        folder: Shown,
    },
    /// Owned by somebody else, or others may write to it.
    #[error("expected {folder} to be ours alone, but others own it or may write to it")]
    Foreign {
        /// The folder or file.
        folder: Shown,
    },
    /// A link, a pipe, a device: anything but a plain folder or file.
    #[error("expected a plain file or folder at {path}, found something else")]
    NotPlain {
        /// The path.
        path: Shown,
    },
    /// Another run holds the account.
    #[error("another keyhaul runs for this account")]
    AlreadyRunning {
        /// Its process id, if it could be read.
        pid: Option<u32>,
    },
    /// A file of ours is larger than it can be.
    #[error("expected at most {limit} bytes in {file}")]
    TooLarge {
        /// The file's name.
        file: Shown,
        /// Most bytes accepted.
        limit: u64,
    },
    /// The disk (or a quota) is full.
    #[error("no room is left for {folder}")]
    DiskFull {
        /// The folder.
        folder: Shown,
    },
    /// Anything else the operating system says.
    #[error("{folder}: {kind}")]
    Io {
        /// The folder.
        folder: Shown,
        /// What kind of failure.
        kind: ErrorKind,
    },
}

/// The folder that holds all accounts' folders.
#[derive(Clone, Debug)]
pub struct DataDir(Folder);

/// A private folder: the data directory itself or one account's.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// The right to write in one account's folder; clones are the same right, given up with the last.
#[derive(Clone, Debug)]
pub struct FolderLock {
    folder: Folder,
    held: Arc<Held>,
}

/// What holds the right to write.
#[derive(Debug)]
struct Held {
    _file: File,
    turn: Mutex<()>,
}

/// The rights that several pieces of work of this run share. The system's lock belongs to an open file and
/// not to a program, so a second piece of work would else shut itself out.
static SHARED: Mutex<Vec<(PathBuf, Weak<Held>)>> = Mutex::new(Vec::new());

impl DataDir {
    /// Opens the directory, making it (and what is above it) if need be. It may be reached through a
    /// link; what the link leads to must be ours.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        for missing in path.ancestors().collect::<Vec<_>>().into_iter().rev() {
            if !missing.as_os_str().is_empty() && !missing.exists() {
                make(missing)?;
            }
        }
        Self::find(path)?.ok_or(FolderError::Io { folder: shown(path), kind: ErrorKind::NotFound })
    }

    /// Opens the directory if it is there; makes nothing.
    pub fn find(path: &Path) -> Result<Option<Self>, FolderError> {
        match fs::canonicalize(path) {
            Ok(path) => Ok(Some(Self(Folder::checked(path)?))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(path, &error)),
        }
    }

    /// The folder of an account, made if need be. `origin` is that of the server's base URL.
    pub fn account(&self, user_id: &str, origin: &str) -> Result<Folder, FolderError> {
        let path = self.0.path.join(account_name(user_id, origin));
        make(&path)?;
        Folder::checked(path)
    }

    /// The folder of an account if it is there; makes nothing.
    pub fn find_account(&self, user_id: &str, origin: &str) -> Result<Option<Folder>, FolderError> {
        self.find_folder(&account_name(user_id, origin))
    }

    /// The directory as a folder, for what belongs to no account.
    pub(super) fn folder(&self) -> &Folder {
        &self.0
    }

    /// All accounts' folders that can be used; others are left out.
    pub fn accounts(&self) -> Result<Vec<Folder>, FolderError> {
        let entries = fs::read_dir(&self.0.path).map_err(|error| failed(&self.0.path, &error))?;
        let mut folders = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            if let Some(name) = name.to_str()
                && name.len() == 32
                && name.bytes().all(|byte| byte.is_ascii_hexdigit())
                && let Ok(Some(folder)) = self.find_folder(name)
            {
                folders.push(folder);
            }
        }
        Ok(folders)
    }

    fn find_folder(&self, name: &str) -> Result<Option<Folder>, FolderError> {
        let path = self.0.path.join(name);
        match fs::symlink_metadata(&path) {
            Ok(_) => Folder::checked(path).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path, &error)),
        }
    }
}

impl Folder {
    fn checked(path: PathBuf) -> Result<Self, FolderError> {
        let about = fs::symlink_metadata(&path).map_err(|error| failed(&path, &error))?;
        if !about.is_dir() {
            return Err(FolderError::NotPlain { path: shown(&path) });
        }
        if about.uid() != geteuid().as_raw() || about.mode() & OTHERS_MAY_WRITE != 0 {
            return Err(FolderError::Foreign { folder: shown(&path) });
        }
        Ok(Self { path })
    }

    /// Where it is, for showing and for files of other rooms.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says whether this is the folder of that account.
    pub fn belongs_to(&self, user_id: &str, origin: &str) -> bool {
        self.path.file_name().is_some_and(|name| name == account_name(user_id, origin).as_str())
    }

    /// Takes the right to write here, together with whatever else this run writes here; never waits.
    pub fn share(&self) -> Result<FolderLock, FolderError> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shared.iter().position(|(path, _)| *path == self.path);
        let known = known.map(|place| shared.swap_remove(place).1);
        if let Some(held) = known.as_ref().and_then(Weak::upgrade) {
            shared.push((self.path.clone(), Arc::downgrade(&held)));
            return Ok(FolderLock { folder: self.clone(), held });
        }
        let mut lock = self.lock();
        // Its last holder may be giving it up in this very moment.
        let given_up = Instant::now() + GIVING_UP;
        while known.is_some() && lock.is_err() && Instant::now() < given_up {
            std::thread::yield_now();
            lock = self.lock();
        }
        let lock = lock?;
        shared.push((self.path.clone(), Arc::downgrade(&lock.held)));
        Ok(lock)
    }

    /// Takes the right to write here for one piece of work alone; never waits.
    pub fn lock(&self) -> Result<FolderLock, FolderError> {
        let failed = |error| failed(&self.path, &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = self.open_plain(LOCK, &mut options)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.take(LOCK_SIZE).read_to_string(&mut holder).unwrap_or_default();
                return Err(FolderError::AlreadyRunning { pid: holder.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // A folder made before its umask was set right: we may mend it, now that it is ours alone.
        if fs::symlink_metadata(&self.path).map_err(failed)?.mode() & OTHERS != 0 {
            let private = Permissions::from_mode(PRIVATE_FOLDER);
            fs::set_permissions(&self.path, private).map_err(failed)?;
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        let held = Arc::new(Held { _file: file, turn: Mutex::new(()) });
        Ok(FolderLock { folder: self.clone(), held })
    }

    /// Replaces a file whole or not at all: whatever happens, the old or the new one is there.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let failed = |error| failed(&self.path, &error);
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(Permissions::from_mode(PRIVATE_FILE))
            .tempfile_in(&self.path)
            .map_err(failed)?;
        file.as_file()
            .set_permissions(Permissions::from_mode(PRIVATE_FILE))
            .and_then(|()| file.write_all(bytes))
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed)?;
        file.persist(self.path.join(name)).map_err(|error| failed(error.error))?;
        self.sync()
    }

    /// Reads a whole file; `None` if it is not there.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, FolderError> {
        let file = match self.open_plain(name, OpenOptions::new().read(true)) {
            Err(FolderError::Io { kind: ErrorKind::NotFound, .. }) => return Ok(None),
            file => file?,
        };
        let mut bytes = Vec::new();
        let got = file.take(limit + 1).read_to_end(&mut bytes);
        if got.map_err(|error| failed(&self.path, &error))? as u64 > limit {
            return Err(FolderError::TooLarge { file: Shown::new(name), limit });
        }
        Ok(Some(bytes))
    }

    /// Removes a file; `false` if it was not there.
    pub fn remove(&self, name: &str) -> Result<bool, FolderError> {
        match fs::remove_file(self.path.join(name)) {
            Ok(()) => self.sync().map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(&self.path, &error)),
        }
    }

    /// Gives a file its final name; what was under that name is replaced.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), FolderError> {
        fs::rename(self.path.join(from), self.path.join(to))
            .map_err(|error| failed(&self.path, &error))?;
        self.sync()
    }

    /// Opens a file that is ours and no link; a new one is private, an older one is made so.
    pub(super) fn open_plain(
        &self,
        name: &str,
        options: &mut OpenOptions,
    ) -> Result<File, FolderError> {
        let path = self.path.join(name);
        // Without waiting: somebody may have put a pipe there.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        options.mode(PRIVATE_FILE).custom_flags(flags as i32);
        let file = options.open(&path).map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => {
                FolderError::NotPlain { path: shown(&path) }
            }
            _ => failed(&self.path, &error),
        })?;
        let about = file.metadata().map_err(|error| failed(&self.path, &error))?;
        if !about.is_file() {
            return Err(FolderError::NotPlain { path: shown(&path) });
        }
        if about.uid() != geteuid().as_raw() {
            return Err(FolderError::Foreign { folder: shown(&path) });
        }
        if about.mode() & OTHERS != 0 || about.mode() & PRIVATE_FILE != PRIVATE_FILE {
            file.set_permissions(Permissions::from_mode(PRIVATE_FILE))
                .map_err(|error| failed(&self.path, &error))?;
        }
        Ok(file)
    }

    /// Makes names that were given or taken survive a power cut.
    fn sync(&self) -> Result<(), FolderError> {
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed(&self.path, &error))
    }
}

impl FolderLock {
    /// The folder in which its holder may write.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Waits until nobody else who shares the right changes a small file here by reading and replacing it.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.held.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first 32 hex digits of SHA-256(user id, 0, origin).
fn account_name(user_id: &str, origin: &str) -> String {
    hex(&Sha256::digest([user_id.as_bytes(), &[0], origin.as_bytes()].concat()), 16)
}

/// The first bytes in hex digits.
pub(super) fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Makes a private folder, unless something is there already.
fn make(path: &Path) -> Result<(), FolderError> {
    let made = DirBuilder::new()
        .mode(PRIVATE_FOLDER)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(PRIVATE_FOLDER)));
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn failed(folder: &Path, error: &io::Error) -> FolderError {
    let folder = shown(folder);
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            FolderError::NoPermission { folder }
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            FolderError::DiskFull { folder }
        }
        kind => FolderError::Io { folder, kind },
    }
}

fn shown(path: &Path) -> Shown {
    Shown::new(&path.to_string_lossy())
}

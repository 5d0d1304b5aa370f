//! A file that somebody asked for: it appears under its name only when it is whole, never in the place
//! of something that they did not agree to lose.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempPath};

use super::failures::writing;
use crate::base::{
    failure::{Code, Failure},
    secret::SecretText,
};

/// Bytes gathered before they go to the disk.
const BUFFER: usize = 256 << 10;

/// A file being written under another name in the same folder, readable by its owner only.
pub(super) struct NewFile {
    file: BufWriter<File>,
    temporary: TempPath,
    target: PathBuf,
    overwrite: bool,
}

/// Says whether a name is taken by a file that may be replaced. A name that is taken by anything but a
/// plain file (a link, a pipe, a device) is refused, and one that must stay, and one in a folder that is not
/// there, too.
pub(super) fn is_taken(target: &Path, overwrite: bool) -> Result<bool, Failure> {
    let name = target.to_string_lossy();
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
                Err(Failure::new(Code::FolderMissing).with("folder", folder_name(target)))
            }
            _ => Ok(false),
        },
        Err(error) => Err(writing(&folder_name(target), &error)),
        Ok(about) if !about.is_file() => Err(Failure::new(Code::FileNotPlain).with("name", &*name)),
        Ok(_) if overwrite => Ok(true),
        Ok(_) => Err(Failure::new(Code::FileExists).with("name", &*name)),
    }
}

/// The folder of a file, as people know it.
pub(super) fn folder_name(file: &Path) -> String {
    let folder = file.parent().unwrap_or(file).to_string_lossy();
    if folder.is_empty() { "this folder".to_owned() } else { folder.into_owned() }
}

impl NewFile {
    /// Begins a file that will be called `target`.
    pub(super) fn create(target: &Path, overwrite: bool) -> Result<Self, Failure> {
        is_taken(target, overwrite)?;
        let folder = match target.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return Err(Failure::new(Code::FileNotPlain).with("name", "/")),
        };
        let (file, temporary) = NamedTempFile::with_prefix_in(".keyhaul-", folder)
            .map_err(|error| writing(&folder_name(target), &error))?
            .into_parts();
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok(Self { file, temporary, target: target.to_owned(), overwrite })
    }

    /// Writes a secret past the buffer, which nobody wipes.
    pub(super) fn write_secret(&mut self, secret: &SecretText) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_mut().write_all(secret.expose().as_bytes())
    }

    /// What is written so far, to be read back.
    pub(super) fn read_back(&mut self) -> io::Result<File> {
        self.file.flush()?;
        File::open(&self.temporary)
    }

    /// Gives the file its name. What took the name meanwhile is not replaced either.
    pub(super) fn settle(self) -> Result<(), Failure> {
        let Self { mut file, temporary, target, overwrite } = self;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new(Code::FileExists).with("name", &*target.to_string_lossy())
            }
            _ => writing(&folder_name(&target), &error),
        };
        file.flush().and_then(|()| file.get_ref().sync_all()).map_err(failed)?;
        let folder = temporary.parent().map(Path::to_owned);
        if is_taken(&target, overwrite)? {
            temporary.persist(&target).map_err(|error| failed(error.error))?;
        } else {
            temporary.persist_noclobber(&target).map_err(|error| failed(error.error))?;
        }
        // The name itself must survive a power cut too.
        folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all()).map_err(failed)
    }
}

impl Write for &mut NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(target: &Path, overwrite: bool) -> Result<(), Code> {
        let begun = NewFile::create(target, overwrite).map(|mut file| {
            (&mut file).write_all(b"new").unwrap();
            assert_eq!(io::read_to_string(file.read_back().unwrap()).unwrap(), "new");
            file
        });
        begun.and_then(NewFile::settle).map_err(|failure| failure.code())
    }

    #[test]
    fn nothing_is_replaced_that_somebody_did_not_agree_to_lose() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(written(&at("a"), false), Ok(()));
        assert_eq!(fs::read(at("a")).unwrap(), b"new");
        fs::write(at("a"), "old").unwrap();
        assert_eq!(written(&at("a"), false), Err(Code::FileExists));
        assert_eq!(fs::read(at("a")).unwrap(), b"old");
        std::os::unix::fs::symlink(at("a"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
        for name in ["link", "dangling", "."] {
            for overwrite in [false, true] {
                assert_eq!(written(&at(name), overwrite), Err(Code::FileNotPlain), "{name}");
            }
        }
        assert_eq!(fs::read(at("a")).unwrap(), b"old");
        assert_eq!(written(&at("a"), true), Ok(()));
        assert_eq!(fs::read(at("a")).unwrap(), b"new");
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_name_that_is_taken_meanwhile_stays_taken() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let file = NewFile::create(&target, false).unwrap();
        fs::write(&target, "somebody else's").unwrap();
        assert_eq!(file.settle().unwrap_err().code(), Code::FileExists);
        assert_eq!(fs::read(&target).unwrap(), b"somebody else's");
    }
}

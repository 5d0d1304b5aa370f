//! Writes a snapshot while the body arrives; the final name appears only when it is whole.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::{
    format::{HEADER_LIMIT, Header, Names, Trailer},
    join::join,
    place,
    reader::Snapshot,
};

/// How the name of a snapshot begins while it is written.
pub const BEGUN: &str = ".snapshot-";

/// A snapshot being written, under a temporary name in the same folder, readable by its owner only.
pub struct Writer {
    file: BufWriter<File>,
    temporary: TempPath,
    target: PathBuf,
    digest: Sha256,
}

impl Writer {
    /// Begins a snapshot that will be called `target`.
    pub fn create(target: &Path, header: &Header) -> io::Result<Self> {
        let folder = match target.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let (file, temporary) = NamedTempFile::with_prefix_in(BEGUN, folder)?.into_parts();
        let mut file = BufWriter::with_capacity(256 << 10, file);
        file.write_all(&first_line(header)?)?;
        Ok(Self { file, temporary, target: target.to_owned(), digest: Sha256::new() })
    }

    /// Adds the next bytes of the body.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.file.write_all(bytes)
    }

    /// Ends a whole snapshot and gives it its name, or the next one where an older snapshot holds
    /// sessions that this one does not; returns where it is then.
    ///
    /// `trailer` gets the digest of what was written; `names` are saved along if there are any.
    pub fn finish(
        mut self,
        trailer: Trailer,
        names: BTreeMap<String, String>,
    ) -> io::Result<PathBuf> {
        let sha256 = hex(&self.digest.finalize_reset());
        let mut line = Vec::new();
        if !names.is_empty() {
            line.push(b'\n');
            serde_json::to_writer(&mut line, &Names { names })?;
        }
        let names_bytes = line.len() as u64;
        self.file.write_all(&line)?;
        self.file.write_all(b"\n")?;
        serde_json::to_writer(&mut self.file, &Trailer { sha256, names_bytes, ..trailer })?;
        self.file.write_all(b"\n")?;
        self.file.flush()?;
        self.target = place::find(&self.temporary, &self.target)?;
        self.settle()
    }

    /// Ends an incomplete snapshot; returns where it is then.
    ///
    /// An older whole one is worth more and stays as it is. An older incomplete one of the same backup
    /// is continued: together they hold what either of them held.
    pub fn abandon(mut self) -> io::Result<PathBuf> {
        if self.target.symlink_metadata().is_err() {
            return self.settle();
        }
        self.file.flush()?;
        let older = Snapshot::open(&self.target).ok();
        let newer = Snapshot::open(&self.temporary).ok();
        match (older, newer) {
            (Some(older), Some(newer))
                if older.trailer.is_none() && place::same_backup(&older, &newer) =>
            {
                let mut joined = Self::create(&self.target, &newer.header)?;
                join(older, newer, &mut joined.file)?;
                joined.settle()
            }
            _ => Ok(self.target),
        }
    }

    fn settle(mut self) -> io::Result<PathBuf> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        let folder = self.temporary.parent().map(Path::to_owned);
        self.temporary.persist(&self.target)?;
        // The name itself must survive a power cut too.
        folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        Ok(self.target)
    }
}

/// The header on one line. What came from a server is in it word for word, with the line breaks that
/// it has between its parts; in a text JSON has none.
fn first_line(header: &Header) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(header)?;
    line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    line.push(b'\n');
    if line.len() > HEADER_LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(line)
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

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
    join::{Entries, join, visit},
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
        let may_take =
            |name: &PathBuf| place::is_free(name) || place::covers(&self.temporary, name);
        let name = place::names(&self.target).find(may_take);
        self.settle(name)
    }

    /// Ends an incomplete snapshot; returns where what it held is then.
    ///
    /// An older whole one of the same backup that holds all of it stays as it is. An older incomplete one
    /// is continued: together they hold what either of them held. Anything else keeps its name.
    pub fn abandon(mut self) -> io::Result<PathBuf> {
        self.file.flush()?;
        let target = self.target.clone();
        for name in place::names(&target) {
            if place::is_free(&name) {
                return self.settle(Some(name));
            }
            let Ok(older) = Snapshot::open(&name) else { continue };
            if older.trailer.is_some() && place::covers(&name, &self.temporary) {
                return Ok(name);
            }
            let newer = Snapshot::open(&self.temporary).map_err(io::Error::other)?;
            if older.trailer.is_none() && !older.bare && place::same_backup(&older, &newer) {
                let mut joined = Self::create(&self.target, &newer.header)?;
                join(older, newer, &mut joined.file)?;
                return joined.settle(Some(name));
            }
        }
        Ok(target)
    }

    /// One snapshot of two: what was received until it broke, and what came entry by entry since.
    pub fn with_rest(mut self, mut rest: Self, header: &Header, whole: bool) -> io::Result<Self> {
        let mut entries = Entries::begin(Self::create(&self.target, header)?)?;
        for part in [&mut self, &mut rest] {
            part.file.flush()?;
            let part = Snapshot::open(&part.temporary).map_err(io::Error::other)?;
            visit(part, |entry| entries.add(&entry))?;
        }
        entries.end(whole)
    }

    fn settle(mut self, name: Option<PathBuf>) -> io::Result<PathBuf> {
        let name = name.unwrap_or(self.target);
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        let folder = self.temporary.parent().map(Path::to_owned);
        self.temporary.persist(&name)?;
        // The name itself must survive a power cut too.
        folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
        Ok(name)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
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

//! Writes a snapshot while the body arrives; the final name appears only when it is whole.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::{
    format::{HEADER_LIMIT, Header, Trailer},
    place,
};

/// A snapshot being written, under a temporary name in the same folder, readable by its owner only.
pub struct Writer {
    file: BufWriter<File>,
    temporary: TempPath,
    target: PathBuf,
    digest: Sha256,
    yields: bool,
}

impl Writer {
    /// Begins a snapshot that will be called `target`.
    pub fn create(target: &Path, header: &Header) -> io::Result<Self> {
        let folder = match target.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return Err(io::ErrorKind::InvalidInput.into()),
        };
        let (file, temporary) = NamedTempFile::with_prefix_in(".snapshot-", folder)?.into_parts();
        let mut file = BufWriter::with_capacity(256 << 10, file);
        file.write_all(&first_line(header)?)?;
        Ok(Self {
            file,
            temporary,
            target: target.to_owned(),
            digest: Sha256::new(),
            yields: false,
        })
    }

    /// Lets an older snapshot keep its name if it holds sessions that this one will not; this one
    /// takes the next name then.
    #[must_use]
    pub fn yielding(mut self) -> Self {
        self.yields = true;
        self
    }

    /// Adds the next bytes of the body.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.file.write_all(bytes)
    }

    /// Ends a whole snapshot and gives it its name, in place of an older one (unless it is
    /// [`Self::yielding`]).
    ///
    /// `trailer` gets the digest of what was written.
    pub fn finish(mut self, trailer: Trailer) -> io::Result<()> {
        let sha256 = hex(&self.digest.finalize_reset());
        self.file.write_all(b"\n")?;
        serde_json::to_writer(&mut self.file, &Trailer { sha256, ..trailer })?;
        self.file.write_all(b"\n")?;
        self.file.flush()?;
        if self.yields {
            self.target = place::find(&self.temporary, &self.target)?;
        }
        self.settle()
    }

    /// Ends an incomplete snapshot. It takes the name only where there is no snapshot yet: an older
    /// whole one is worth more.
    pub fn abandon(self) -> io::Result<()> {
        if self.target.exists() {
            return Ok(());
        }
        self.settle()
    }

    fn settle(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        let folder = self.temporary.parent().map(Path::to_owned);
        self.temporary.persist(&self.target)?;
        // The name itself must survive a power cut too.
        folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())
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

//! Opens a snapshot: what it is of, whether it is whole, and its body as a stream.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{
    bare,
    format::{FORMAT, HEADER_LIMIT, Header, MAGIC, NAMES_LIMIT, Names, TRAILER_LIMIT, Trailer},
    writer::hex,
};
use crate::backup::version::{BackupVersion, VersionFault};

/// Why a file is no snapshot that can be read.
#[derive(Debug, Error)]
pub enum SnapshotFault {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It does not begin as a snapshot does.
    #[error("expected a keyhaul snapshot, got another file")]
    NotASnapshot,
    /// A format of a newer keyhaul.
    #[error("expected snapshot format {FORMAT}, got {got}")]
    Format {
        /// The format's number in the file.
        got: u32,
    },
    /// The first line is damaged.
    #[error("the first line of the snapshot is damaged")]
    Header,
    /// The version object in it is damaged.
    #[error("the version in the snapshot is damaged: {0}")]
    Version(#[from] VersionFault),
}

/// An opened snapshot.
pub struct Snapshot {
    /// What it is a snapshot of.
    pub header: Header,
    /// The backup version it holds.
    pub version: BackupVersion,
    /// Its last line; `None` where the snapshot is incomplete, or bare.
    pub trailer: Option<Trailer>,
    /// A keys body that somebody saved without keyhaul: nobody wrote down whose it is.
    pub bare: bool,
    file: File,
    body: std::ops::Range<u64>,
    names: std::ops::Range<u64>,
}

/// The body of a snapshot, to be read once.
pub struct Body {
    file: io::Take<File>,
    digest: Sha256,
    expected: Option<String>,
}

impl Snapshot {
    /// Opens a file and reads its first and last line. A bare keys body opens too, with or without a
    /// version object before or after it. Only a plain file does: a pipe could keep us waiting for ever.
    pub fn open(path: &Path) -> Result<Self, SnapshotFault> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a plain file").into());
        }
        let mut reader = BufReader::new(File::open(path)?);
        if reader.fill_buf()?.starts_with(MAGIC) {
            Self::read(reader)
        } else {
            bare::open(reader.into_inner())
        }
    }

    fn read(mut reader: BufReader<File>) -> Result<Self, SnapshotFault> {
        let mut line = Vec::new();
        (&mut reader).take(HEADER_LIMIT as u64).read_until(b'\n', &mut line)?;
        let header = read_header(&line)?;
        let version = BackupVersion::parse(header.version.get(), None)?;
        let begin = line.len() as u64;
        let mut file = reader.into_inner();
        let (trailer, end) = read_trailer(&mut file, begin)?;
        let names = trailer.as_ref().map_or(0, |trailer| trailer.names_bytes);
        // The line break before the line with the names belongs to it. Where there is none, the length
        // is wrong, and the body must not be cut by it.
        let body_end = match end.saturating_sub(names).max(begin) {
            cut if cut < end && !is_line_break(&mut file, cut)? => end,
            body_end => body_end,
        };
        let names = body_end..end;
        Ok(Self { header, version, trailer, bare: false, file, body: begin..body_end, names })
    }

    /// Length of the body, in bytes.
    pub fn body_length(&self) -> u64 {
        self.body.end - self.body.start
    }

    /// The room names that were saved along, by room id; none where none were, or where they cannot be
    /// read: names are not worth failing for.
    pub fn names(&self) -> BTreeMap<String, String> {
        let length = self.names.end - self.names.start;
        if length == 0 || length > NAMES_LIMIT {
            return BTreeMap::new();
        }
        let read = || {
            let mut file = self.file.try_clone()?;
            file.seek(SeekFrom::Start(self.names.start))?;
            let names: Names = serde_json::from_reader(BufReader::new(file.take(length)))?;
            Ok::<_, io::Error>(names.names)
        };
        read().unwrap_or_default()
    }

    /// The body, from its first byte.
    pub fn into_body(mut self) -> io::Result<Body> {
        self.file.seek(SeekFrom::Start(self.body.start))?;
        let length = self.body_length();
        Ok(Body {
            file: self.file.take(length),
            digest: Sha256::new(),
            expected: self.trailer.map(|trailer| trailer.sha256),
        })
    }
}

impl Body {
    /// Reads the next bytes; 0 at the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        self.digest.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }

    /// Once all is read: says whether the bytes are those that were written. A snapshot without a
    /// last line has nothing to compare with.
    pub fn is_intact(self) -> bool {
        self.expected.is_none_or(|expected| expected == hex(&self.digest.finalize()))
    }
}

impl Snapshot {
    /// What [`bare::open`] found.
    pub(super) fn of_bare(
        file: File,
        header: Header,
        version: BackupVersion,
        body: std::ops::Range<u64>,
    ) -> Self {
        let names = body.end..body.end;
        Self { header, version, trailer: None, bare: true, file, body, names }
    }
}

fn is_line_break(file: &mut File, at: u64) -> io::Result<bool> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    Ok(byte == *b"\n")
}

fn read_header(line: &[u8]) -> Result<Header, SnapshotFault> {
    #[derive(serde::Deserialize)]
    struct Format {
        keyhaul_snapshot: u32,
    }
    let format: Format = serde_json::from_slice(line).map_err(|_| SnapshotFault::Header)?;
    if format.keyhaul_snapshot != FORMAT {
        return Err(SnapshotFault::Format { got: format.keyhaul_snapshot });
    }
    serde_json::from_slice(line).map_err(|_| SnapshotFault::Header)
}

/// Looks for a trailer on the last line; returns it and where the body ends.
fn read_trailer(file: &mut File, begin: u64) -> io::Result<(Option<Trailer>, u64)> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TRAILER_LIMIT).max(begin);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(TRAILER_LIMIT).read_to_end(&mut tail)?;
    let text = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let line = text.iter().rposition(|byte| *byte == b'\n');
    let trailer =
        line.and_then(|line| serde_json::from_slice::<Trailer>(text.get(line + 1..)?).ok());
    match (trailer, line) {
        (Some(trailer), Some(line)) if trailer.complete => Ok((Some(trailer), from + line as u64)),
        _ => Ok((None, length)),
    }
}

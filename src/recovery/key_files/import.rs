//! Out of a key file into the store: nothing is believed before the file's MAC is checked, and each
//! session is taken or refused on its own.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Read, Seek},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use sha2::{Digest, Sha256};

use super::{file_keys, stopped};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        limits,
        progress::{News, Progress},
        random::SystemRandom,
        secret::SecretText,
        shown::{Shown, waiting},
        stretch::Recipe,
    },
    key_file::{
        armor::ArmorFault,
        crypt::{FileKeys, Head},
        reading::{self, Checked, KeyFileFault, SessionFault},
    },
    megolm::room_key::RoomKey,
    recovery::{
        failures::IntoFailure,
        passphrase,
        store::Kept,
        tally::{RefusedEntry, Tally},
        target::Target,
        unlock::Unlocked,
        visit::Visit,
    },
    store::{
        error::StoreError,
        sources::{Source, SourceId},
        writer::Store,
    },
};

/// Keys merged in one transaction.
const TOGETHER: usize = limits::TRANSACTION_ROWS / 10;

/// What is to come out of a key file.
pub struct Import {
    /// The file to read.
    pub file: PathBuf,
    /// Opens the file.
    pub passphrase: SecretText,
    /// Do as much calculation as the file asks for.
    pub slow: bool,
}

/// Where imported keys go.
pub enum Into<'a> {
    /// Into a store that is there.
    Kept(Kept),
    /// Into the store of the visited account, made if need be.
    Account {
        /// The visit, with a secret that opens something.
        visit: &'a Visit,
        /// The folder for keys.
        data_dir: &'a Path,
    },
}

/// What became of an import.
#[derive(Debug)]
pub struct Imported {
    /// The figures; refused sessions are named in it.
    pub tally: Tally,
    /// Sessions in the store now.
    pub stored_total: u64,
}

/// Takes every usable key of a file into a store; what the store has is never worsened.
pub async fn import(
    into: Into<'_>,
    wish: Import,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Imported, Failure> {
    if let Into::Account { visit, .. } = &into {
        proven(visit)?;
    }
    // The file first: one that cannot be opened must not leave an empty store behind.
    let (telling, stopping) = (Arc::clone(&progress), cancel.clone());
    let open = move || Opened::open(&wish, &*telling, &stopping);
    let opened = super::super::joined(tokio::task::spawn_blocking(open).await)??;
    let account = match into {
        Into::Kept(kept) => Err(kept),
        Into::Account { visit, data_dir } => {
            Ok(Target::for_keys(&visit.overview, proven(visit)?, data_dir)?)
        }
    };
    let work = move || {
        let mut target = account.or_else(Target::of_kept)?;
        let refused_file = target.place("refused", source_name(&opened.source), "jsonl");
        let store = target.store().ok_or_else(|| Failure::new(Code::StoreEmpty))?;
        opened.read_into(store, refused_file, &*progress, &cancel)
    };
    super::super::joined(tokio::task::spawn_blocking(work).await)?
}

/// What a file warns of before it is opened: very much calculation. Nothing where it has another fault,
/// which [`import`] tells.
pub fn opens_slowly(file: &Path) -> Option<Failure> {
    let head = reading::head(open_file(file).ok()?).ok()?;
    slow(&head)
}

fn slow(head: &Head) -> Option<Failure> {
    let work = head.recipe().as_ref().map_or(0, Recipe::work);
    (work > limits::STRETCH_ROUNDS).then(|| {
        Failure::new(Code::FileSlow).with("time", waiting(Some(passphrase::seconds(work))))
    })
}

/// Opens a file without waiting: it could be a pipe.
fn open_file(file: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    OpenOptions::new().read(true).custom_flags(flags).open(file)
}

/// What a visit's secrets open: a store is made only for a secret that was proven.
fn proven(visit: &Visit) -> Result<&Unlocked, Failure> {
    let unlocked = visit.unlocked.as_ref().ok_or_else(|| Failure::new(Code::SecretMissing))?;
    if unlocked.fits.is_empty() { Err(visit.closed()) } else { Ok(unlocked) }
}

/// A key file whose MAC fits.
struct Opened {
    file: File,
    head: Head,
    keys: FileKeys,
    checked: Checked,
    source: Source,
}

impl Opened {
    fn open(wish: &Import, progress: &dyn Progress, cancel: &Cancel) -> Result<Self, Failure> {
        let name = Shown::new(&wish.file.to_string_lossy());
        let failed = |fault: KeyFileFault| key_file_failure(fault, &name);
        let io = |error: io::Error| failed(ArmorFault::Io(error).into());
        let mut file = open_file(&wish.file).map_err(io)?;
        if !file.metadata().map_err(io)?.is_file() {
            return Err(Failure::new(Code::FileNotPlain).with("name", name));
        }
        let head = reading::head(&mut file).map_err(failed)?;
        if let Some(failure) = slow(&head).filter(|_| !wish.slow) {
            return Err(failure);
        }
        let keys = file_keys(&head, &wish.passphrase, progress, cancel)?;
        file.rewind().map_err(io)?;
        let hashing = Hashing { from: BufReader::new(file), digest: Sha256::new() };
        let stop = || cancel.is_cancelled();
        let (mut checked, mut hashing) =
            reading::check(hashing, &head, &keys, &stop).map_err(failed)?;
        // What stands behind the last line belongs to the file, too.
        io::copy(&mut hashing, &mut io::sink()).map_err(io)?;
        let sha256 = hashing.digest.finalize().into();
        let mut file = hashing.from.into_inner();
        file.rewind().map_err(io)?;
        checked.look_through(&file, &head, &keys, &stop).map_err(failed)?;
        let short = wish.file.file_name().map(|name| name.to_string_lossy().into_owned());
        let source = Source::KeyFile { name: short.unwrap_or_default(), sha256 };
        Ok(Self { file, head, keys, checked, source })
    }

    fn read_into(
        &self,
        store: &mut Store,
        refused_file: Option<PathBuf>,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Imported, Failure> {
        let source = store.source_id(&self.source, &mut SystemRandom);
        let source = source.map_err(IntoFailure::into_failure)?;
        let mut keys = Vec::with_capacity(TOGETHER);
        let mut tally = Tally::with_overflow(refused_file);
        let mut result = Ok(());
        let name = Shown::new(source_name(&self.source));
        let failed = |fault: KeyFileFault| key_file_failure(fault, &name);
        (&self.file).rewind().map_err(|error| failed(ArmorFault::Io(error).into()))?;
        let read = self.checked.sessions(&self.file, &self.head, &self.keys, &mut |key| {
            keys.push(key);
            if keys.len() == TOGETHER {
                result = merge(&mut keys, store, source, &mut tally);
                progress.tell(News::Carrying { keys: tally.figures.entries });
            }
            result.is_ok() && !cancel.is_cancelled()
        });
        if result.is_ok() {
            result = merge(&mut keys, store, source, &mut tally);
        }
        result.map_err(IntoFailure::into_failure)?;
        if cancel.is_cancelled() {
            let kept = tally.figures.opened;
            return Err(Failure::new(Code::Stopped).with("n", kept));
        }
        read.map_err(failed)?;
        let stored = store.reader().and_then(|reader| reader.count());
        let stored_total = stored.map_err(IntoFailure::into_failure)?;
        Ok(Imported { tally: tally.ended(), stored_total })
    }
}

/// Gives out every session of a file, for whoever only looks into it.
pub(in crate::recovery) fn look_into(
    wish: &Import,
    take: &mut dyn FnMut(Result<RoomKey, SessionFault>),
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let opened = Opened::open(wish, progress, cancel)?;
    let failed =
        |fault: KeyFileFault| key_file_failure(fault, &Shown::new(source_name(&opened.source)));
    let mut file = &opened.file;
    file.rewind().map_err(|error| failed(ArmorFault::Io(error).into()))?;
    let mut one = |key| {
        take(key);
        !cancel.is_cancelled()
    };
    opened.checked.sessions(file, &opened.head, &opened.keys, &mut one).map_err(failed)?;
    Ok(())
}

fn source_name(source: &Source) -> &str {
    match source {
        Source::KeyFile { name, .. } => name,
        Source::Backup { version, .. } => version,
    }
}

/// Merges what was read in one transaction, and counts it once that is committed.
fn merge(
    keys: &mut Vec<Result<RoomKey, SessionFault>>,
    store: &mut Store,
    source: SourceId,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let preparer = store.preparer();
    let mut outcomes = Vec::with_capacity(keys.len());
    let mut batch = store.begin(Instant::now())?;
    for key in keys.drain(..) {
        match key {
            Err(fault) => {
                let (reason, detail) = (fault.why.reason(), fault.why.to_string());
                let SessionFault { room_id, session_id, .. } = fault;
                let room_id = Arc::from(room_id);
                outcomes.push(Err(RefusedEntry { room_id, session_id, reason, detail }));
            }
            Ok(key) => {
                let room_id: Arc<str> = Arc::from(key.room_id.as_str());
                let session_id = key.session_id().to_string();
                match preparer.prepare(key, source, &mut SystemRandom) {
                    Ok(prepared) => {
                        let merged = batch.merge(prepared, &mut SystemRandom)?;
                        outcomes.push(Ok((room_id, merged)));
                    }
                    Err(error @ StoreError::RecordTooLarge { .. }) => {
                        let (reason, detail) = ("too_large", error.to_string());
                        outcomes.push(Err(RefusedEntry { room_id, session_id, reason, detail }));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }
    batch.commit()?;
    for outcome in outcomes {
        match outcome {
            Ok((room_id, merged)) => tally.opened(&room_id, merged, None),
            Err(refused) => tally.refused(refused),
        }
    }
    Ok(())
}

/// Hashes what is read.
struct Hashing<R> {
    from: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.digest.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

fn key_file_failure(fault: KeyFileFault, name: &Shown) -> Failure {
    let detail = fault.to_string();
    let failure = match fault {
        KeyFileFault::Armor(ArmorFault::Io(_)) => {
            Failure::new(Code::FileUnreadable).with("file", name.clone())
        }
        KeyFileFault::Armor(ArmorFault::Header | ArmorFault::TooLarge { .. }) => {
            Failure::new(Code::FileUnknown).with("name", name.clone())
        }
        KeyFileFault::Armor(_)
        | KeyFileFault::Head(_)
        | KeyFileFault::Changed
        | KeyFileFault::NotAList { .. }
        | KeyFileFault::TooMany { .. } => Failure::new(Code::FileDamaged),
        KeyFileFault::Passphrase => Failure::new(Code::FilePassphrase),
        KeyFileFault::Stopped => return stopped(),
    };
    failure.because(&detail)
}

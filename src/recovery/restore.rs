//! Restoring: one version at a time through the pipeline into the store, by a job that can be
//! stopped and begun again; what is done is not done twice.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

use tokio::sync::mpsc;

use super::{
    failures::IntoFailure,
    look::{Wanted, etag_now},
    looks,
    pipeline::{self, Orders, Sink},
    snapshots::Saver,
    source::{PIECES, Pumped, Source, SourceFault, judged},
    spares::{self, Spares},
    tally::Tally,
    target::Target,
    visit::{Place, Visit},
    watch::{Front, Teller, Watch},
    way_on::Closed,
};
use crate::{
    backup::{
        decryption::DecryptionKey,
        scanner::Ending,
        version::{BackupVersion, PublicKey},
    },
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        pause::Pause,
        progress::Progress,
        shown::{Shown, grouped},
    },
    homeserver::RequestError,
    store::error::StoreError,
};

pub use crate::store::check::CheckReport;

/// What somebody wants restored, and how.
pub struct Wish {
    /// Which versions.
    pub wanted: Wanted,
    /// Only these rooms, if any are named.
    pub rooms: Vec<String>,
    /// Tell what would happen, and write nothing.
    pub dry_run: bool,
    /// Save a snapshot of each version that is read whole from a server.
    pub save_snapshot: bool,
    /// The folder for keys and snapshots.
    pub data_dir: PathBuf,
    /// The snapshots from which versions are to be read, in place of their server.
    pub from: BTreeMap<String, PathBuf>,
    /// Read every key back at the end.
    pub read_back: bool,
}

/// What came of a wish.
#[derive(Debug, Default)]
pub struct Restoring {
    /// Each version that was restored.
    pub runs: Vec<Restored>,
    /// Versions that were asked for and stay closed, where several were asked for.
    pub closed: Vec<Closed>,
    /// The keys at hand, each with the versions that it opens.
    pub keys: Vec<(PublicKey, Vec<String>)>,
    /// Sessions in the store now.
    pub stored_total: u64,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What reading the store back found, if that was wanted.
    pub read_back: Option<CheckReport>,
}

/// Restores every version of the wish, one after the other, into the account's store.
///
/// The store is touched only after every wanted lock was proven to open. A version that cannot be
/// read to its end ends the row; what is committed is kept.
pub async fn restore(
    visit: &Visit,
    mut wish: Wish,
    watch: Watch,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Restoring, Failure> {
    // A room that is named twice is read once, as from a snapshot.
    wish.rooms.sort();
    wish.rooms.dedup();
    let open = visit.openable(&wish.wanted)?;
    let unlocked = visit.unlocked.as_ref().ok_or_else(|| Failure::new(Code::SecretMissing))?;
    let mut target = if wish.dry_run {
        Target::for_plan(&visit.overview, unlocked, &wish.data_dir, open.len() > 1)?
    } else {
        Target::for_keys(&visit.overview, unlocked, &wish.data_dir)?
    };
    let mut runs: Vec<Restored> = Vec::with_capacity(open.len());
    let Watch { pause, front, glances } = watch;
    for version in open {
        let from = wish.from.get(&version.version);
        let saves = wish.save_snapshot && wish.rooms.is_empty();
        let file = target.place("snapshot", &version.version, "keyhaul");
        let saver = match (&visit.place, file) {
            (Place::Server(_), Some(file)) if saves && from.is_none() => {
                Some(Saver::begin(&file, &visit.overview, version)?)
            }
            _ => None,
        };
        let job = RestoreJob {
            source: match from {
                Some(file) => Source::Snapshot { file: file.clone() },
                None if wish.rooms.is_empty() => visit.whole(version, Some(&wish.data_dir)),
                None => visit.rooms(version, wish.rooms.clone()),
            },
            version: version.clone(),
            keys: unlocked.keys_for(version),
            rooms: wish.rooms.clone(),
            saver,
            refused_file: target.place("refused", &version.version, "jsonl"),
            pause: pause.clone(),
            front: front.clone(),
            teller: Teller::after(&runs, glances.clone()),
        };
        let (restored, back) = job.run(target, Arc::clone(&progress), cancel.clone()).await?;
        target = back;
        let broke_off = restored.broke_off().is_some();
        runs.push(restored);
        if broke_off {
            break;
        }
    }
    if runs.iter().all(|run| run.tally.figures.entries == 0 && run.shortfall.is_none()) {
        return Err(nothing_there(&runs, &wish.rooms));
    }
    spares::find(&mut runs, &target).map_err(IntoFailure::into_failure)?;
    let stored_total = target.stored().map_err(IntoFailure::into_failure)?;
    let mut read_back = None;
    let whole = !cancel.is_cancelled() && runs.iter().all(|run| run.broke_off().is_none());
    if wish.read_back && !wish.dry_run && whole {
        let checked = tokio::task::spawn_blocking(move || target.check()).await;
        read_back = Some(super::joined(checked)?.map_err(IntoFailure::into_failure)?);
    }
    let closed = visit.closed_among(&wish.wanted);
    let keys = unlocked.keys_at_hand();
    Ok(Restoring { runs, closed, keys, stored_total, dry_run: wish.dry_run, read_back })
}

/// An empty backup is like none, and a room without keys is perhaps another one than was meant.
fn nothing_there(runs: &[Restored], rooms: &[String]) -> Failure {
    let code = if rooms.is_empty() { Code::BackupEmpty } else { Code::RoomUnknown };
    let version = runs.first().map(|run| Shown::limited(&run.version, 20));
    Failure::new(code).with("n", version.unwrap_or_default())
}

/// One version to be restored.
pub struct RestoreJob {
    /// Where its entries come from.
    pub source: Source,
    /// The version as it was seen before.
    pub version: BackupVersion,
    /// The key that opens it, and after it others that are tried on what is locked for another one.
    pub keys: Vec<DecryptionKey>,
    /// Only these rooms, if any are named.
    pub rooms: Vec<String>,
    /// Saves what is read, if it is to be saved.
    pub saver: Option<Saver>,
    /// Where the full list of refused entries goes when it grows too long.
    pub refused_file: Option<PathBuf>,
    /// Pauses it.
    pub pause: Pause,
    /// Rooms that somebody wants before the others.
    pub front: Front,
    teller: Teller,
}

/// What became of a restore.
#[derive(Debug)]
pub struct Restored {
    /// The version's name.
    pub version: String,
    /// Its etag before reading.
    pub etag: Option<String>,
    /// The figures.
    pub tally: Tally,
    /// The public key that the server shows for it, where that is not the one of the key that opens it.
    pub shown_key: Option<PublicKey>,
    /// Where whole keys of refused entries are.
    pub spares: Vec<Spares>,
    /// The keys that were tried on it: its own first, the others on what is locked for another one.
    pub tried: Vec<PublicKey>,
    /// Bytes read, decoded.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// Why it is not all, if it is not: what was read is restored all the same.
    pub shortfall: Option<Failure>,
}

impl Restored {
    /// What is to be said where the server shows another public key than the one that opens it (RELIABILITY
    /// H12): its entries are the better proof.
    pub fn shown_key_words(&self) -> Option<String> {
        let (shown, own) = (self.shown_key?, self.tried.first()?);
        Some(format!(
            "The server shows public key {} for backup {}. Its keys are locked for {}, which is yours: \
             they open.",
            shown.fingerprint(),
            Shown::limited(&self.version, 20),
            own.fingerprint()
        ))
    }

    /// Why it ended before all could be read, if it did. One that came to its end and is partial all
    /// the same (exit code 3) does not keep the next version from its turn.
    pub fn broke_off(&self) -> Option<&Failure> {
        self.shortfall.as_ref().filter(|failure| failure.exit() != 3)
    }
}

impl RestoreJob {
    /// Runs the job into a target, which is given back for the next one.
    ///
    /// Fails only where nothing can be said about the result: when the store cannot be written.
    pub async fn run(
        self,
        target: Target,
        progress: Arc<dyn Progress>,
        cancel: Cancel,
    ) -> Result<(Restored, Target), Failure> {
        let begun = Instant::now();
        let account = self.source.whole_account();
        let file = self.source.file();
        let Self { source, version, keys, rooms, mut saver, refused_file, pause, front, teller } =
            self;
        let tried: Vec<PublicKey> = keys.iter().map(DecryptionKey::public_key).collect();
        let rooms_all = rooms.is_empty();
        let shown_key = version.public_key().ok().filter(|shown| Some(shown) != tried.first());
        let (to, pieces) = mpsc::channel(PIECES);
        let work = {
            let (progress, cancel) = (Arc::clone(&progress), cancel.clone());
            let expected = version.count.filter(|_| rooms.is_empty());
            let version = version.clone();
            move || {
                let mut target = target;
                let orders = Orders {
                    keys: &keys,
                    rooms: &rooms,
                    expected,
                    progress: &*progress,
                    pause: &pause,
                    front: file.as_deref().map(|file| (&front, file)),
                    cancel: &cancel,
                };
                let hands = target.hands(&version, &keys, pipeline::workers())?;
                let tally = Tally::with_overflow(refused_file);
                let ended = pipeline::run(pieces, hands, &mut target.sink, &orders, tally, teller)?;
                target.settle(&ended.tally)?;
                Ok::<_, StoreError>((ended, target))
            }
        };
        let work = tokio::task::spawn_blocking(work);
        let pumped = source.pump(to, saver.as_mut(), &*progress, &cancel).await;
        let (ended, target) = match super::joined(work.await)? {
            Ok(done) => done,
            Err(error) => {
                // What was read already is worth keeping, even where keys cannot be stored.
                if let Some(saver) = saver {
                    saver.end(&version, None, 0, false)?;
                }
                return Err(error.into_failure());
            }
        };
        // After a wish to stop, entries that were read already are left lying.
        let by_room = pumped.as_ref().ok().and_then(|pumped| pumped.by_room);
        let whole = matches!(ended.ending, Ok(Ending::Whole))
            && pumped.is_ok()
            && by_room.is_none_or(|by_room| by_room.is_whole())
            && !cancel.is_cancelled();
        let seen_on_server = account.is_some();
        let etag_after = etag_now(account.filter(|_| whole), &version, &cancel).await;
        let changed = etag_after != version.etag;
        if let Some(saver) = saver {
            saver.end(&version, etag_after, ended.tally.figures.entries, whole)?;
        }
        if whole && seen_on_server {
            let look = looks::look(&version, Some(ended.tally.figures.entries));
            target.remember(look).map_err(IntoFailure::into_failure)?;
        }
        let bytes = pumped.as_ref().map_or(0, |pumped| pumped.bytes);
        let kept =
            if matches!(target.sink, Sink::Store(_)) { ended.tally.figures.opened } else { 0 };
        let shortfall = shortfall(pumped, ended.ending, kept, &ended.tally, &version, &cancel)
            .or_else(|| by_room.and_then(|by_room| by_room.shortfall()))
            .or_else(|| changed.then(|| backup_changed(&version)))
            .or_else(|| keys_missing(&version, &ended.tally).filter(|_| rooms_all));
        let restored = Restored {
            version: version.version,
            etag: version.etag,
            tally: ended.tally,
            shown_key,
            spares: Vec::new(),
            tried,
            bytes,
            seconds: begun.elapsed().as_secs_f64(),
            shortfall,
        };
        Ok((restored, target))
    }
}

/// Says in words why not everything came, and how many keys of it are in the store.
fn shortfall(
    pumped: Result<Pumped, SourceFault>,
    ending: Result<Ending, crate::backup::scanner::ScanFault>,
    kept: u64,
    tally: &Tally,
    version: &BackupVersion,
    cancel: &Cancel,
) -> Option<Failure> {
    let kept = grouped(kept);
    let all = version.count.map_or_else(|| "all".to_owned(), grouped);
    if cancel.is_cancelled() {
        return Some(Failure::new(Code::Stopped).with("n", kept));
    }
    let lost = |detail: &str| {
        Failure::new(Code::ConnectionLost)
            .with("n", kept.as_str())
            .with("all", all.as_str())
            .because(detail)
    };
    let ending = judged(&pumped, ending);
    match (pumped, ending) {
        (
            Err(SourceFault::Request(
                error @ (RequestError::ConnectionLost { .. } | RequestError::Silent { .. }),
            )),
            _,
        ) if tally.figures.entries > 0 => Some(lost(&error.to_string())),
        (Err(SourceFault::Request(error)), _) if error.is_other_version() => {
            let gone = Failure::new(Code::BackupGoneForGood);
            let name = Shown::limited(&version.version, 20);
            Some(gone.with("n", name).because(&error.to_string()))
        }
        (Err(fault), _) => Some(fault.into_failure()),
        (Ok(_), Err(fault)) => Some(fault.into_failure()),
        (Ok(Pumped { snapshot: true, damaged, .. }), Ok(ending))
            if damaged || ending == Ending::Cut =>
        {
            Some(Failure::new(Code::SnapshotCut).with("n", tally.figures.entries).with("all", all))
        }
        (Ok(_), Ok(Ending::Cut)) => Some(lost("the answer ended before its last bracket")),
        (Ok(_), Ok(Ending::Whole)) => None,
    }
}

/// A server that sends fewer keys than it counts: an answer can be whole and still not be all.
fn keys_missing(version: &BackupVersion, tally: &Tally) -> Option<Failure> {
    let announced = version.count.filter(|count| *count > tally.figures.entries)?;
    let name = Shown::limited(&version.version, 20);
    let missing = Failure::new(Code::KeysMissing).with("n", name);
    Some(missing.with("all", announced).with("m", tally.figures.entries))
}

fn backup_changed(version: &BackupVersion) -> Failure {
    Failure::new(Code::BackupChanged).with("n", Shown::limited(&version.version, 20))
}

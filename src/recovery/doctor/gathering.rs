//! Gathers what a check-up needs to know, from a server or a snapshot and from this computer. It asks and
//! reads; nothing is written anywhere.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    super::{
        failures::IntoFailure,
        haul::is_current,
        look::{Overview, version_now},
        looks,
        opener::{self, Verdict},
        sign_in::{Account, Device},
        snapshots,
        source::Source,
        store::{Kept, Origin},
        trust::Trust,
        unlock::LockKind,
        visit::{Place, Visit},
    },
    facts::{Facts, OpenedFacts, Reading, SeenBefore, ServerFacts, SignedFacts, StoreFacts},
};
use crate::{
    backup::version::BackupVersion,
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::Progress,
        shown::Shown,
    },
    homeserver::{RequestError, account_data, pulse::pulse, room_keys},
    snapshot::reader::Snapshot,
    store::reader::Reader,
};

/// Account data in which the account says whether apps should back up (SPEC §1.2).
const PREFERENCE: &str = "m.key_backup";
/// The same in the words of Element, before there was a word for it.
const OLD_PREFERENCE: &str = "m.org.matrix.custom.backup_disabled";

/// What can be known where no visit came about, because the server could not be reached or did not let us
/// in. Any other failure is none of a check-up, and comes back.
pub fn without_visit(failure: Failure) -> Result<Facts, Failure> {
    /// The exit codes of the network and of signing in.
    const SERVERS: [u8; 2] = [12, 13];
    let usual = SERVERS.contains(&failure.exit()) && failure.code() != Code::DeviceRemains;
    if !usual {
        return Err(failure);
    }
    Ok(Facts { at: Timestamp::now(), unreached: Some(failure), ..Facts::default() })
}

/// Looks at everything that a visit leads to. What cannot be found out is missing in the facts; only a
/// wish to stop ends it.
pub async fn gather(
    visit: &Visit,
    data_dir: &Path,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<Facts, Failure> {
    let mut facts = Facts {
        at: Timestamp::now(),
        overview: visit.overview.clone(),
        opened: opened(visit),
        ..Facts::default()
    };
    match &visit.place {
        Place::Server(account) => {
            facts.server = Some(server(account, &cancel).await?);
            facts.switched_off = unless_stopped(switched_off(account, &cancel).await)?;
        }
        Place::Snapshot { file, .. } => {
            facts.saved = Snapshot::open(file).ok().map(|snapshot| snapshot.header.started);
        }
    }
    facts.store = store(visit, data_dir).await?;
    facts.seen_before = seen_before(&facts, data_dir);
    let trust = Trust::of(visit, &cancel).await?;
    for version in &facts.overview.versions {
        let signatures = trust.signatures(version, &visit.overview);
        facts.signatures.insert(version.version.clone(), signatures);
    }
    if let Some(current) = facts.current().filter(|_| trust.could_judge()) {
        let by = trust.signers(current, &visit.overview);
        let account_key_proven = trust.account_key_proven;
        facts.signed = Some(SignedFacts { by, account_key_proven });
    }
    let versions = facts.overview.versions.iter().filter(|version| version.supported());
    let current = facts.overview.current.as_ref();
    let is_current = |version: &BackupVersion| current == Some(&version.version);
    let key_for = |version| visit.unlocked.as_ref()?.key_for(version);
    let first = versions.clone().find(|version| is_current(version));
    // The recovery key may open another one only; then that one is what can be checked.
    let closed = first.is_none_or(|first| key_for(first).is_none());
    let other = versions.clone().find(|version| key_for(version).is_some());
    let wanted: Vec<_> = first.into_iter().chain(other.filter(|_| closed)).cloned().collect();
    for version in wanted {
        let read = read(visit, &version, data_dir, Arc::clone(&progress), cancel.clone()).await;
        match read {
            Err(failure) if failure.code() == Code::Stopped => return Err(failure),
            Err(failure) => facts.unread = facts.unread.or(Some(failure)),
            Ok((now, reading)) => {
                let known = facts.overview.versions.iter_mut();
                known.filter(|known| known.version == now.version).for_each(|it| *it = now.clone());
                facts.readings.push(reading);
            }
        }
    }
    if let Place::Server(account) = &visit.place {
        let now = room_keys::current(account.session(), &cancel).await;
        let now = unless_stopped(now.map_err(IntoFailure::into_failure))?;
        facts.current_later = now.map(|now| now.map(|version| version.version));
    }
    Ok(facts)
}

/// What was found out, or nothing; a wish to stop is no fact.
fn unless_stopped<T>(found: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.code() == Code::Stopped => Err(failure),
        Err(_) => Ok(None),
    }
}

async fn server(account: &Account, cancel: &Cancel) -> Result<ServerFacts, Failure> {
    let session = account.session();
    let felt = match pulse(session.client(), cancel).await {
        Err(RequestError::Cancelled) => return Err(RequestError::Cancelled.into_failure()),
        felt => felt.map_err(IntoFailure::into_failure),
    };
    Ok(ServerFacts {
        host: session.client().host(),
        pulse: felt.map(|felt| (felt.took, felt.date.map(|date| ahead(date, felt.took)))),
        device: session.device().map(|device| Shown::limited(device.as_str(), 40)),
        borrowed: account.device() == Device::OfAnotherApp,
    })
}

/// How far another clock is ahead, in seconds: it was read when half of the answer's time had passed.
fn ahead(date: Timestamp, took: Duration) -> i64 {
    let then = Timestamp::now().as_millisecond() - (took.as_millis() / 2) as i64;
    date.as_second() - then.div_euclid(1_000)
}

/// Says whether the account's settings keep apps from backing up. A setting that makes no sense counts as
/// none.
async fn switched_off(account: &Account, cancel: &Cancel) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Preference {
        enabled: Option<bool>,
    }
    #[derive(Deserialize)]
    struct OldPreference {
        disabled: Option<bool>,
    }
    let get = |kind| account_data::get(account.session(), kind, cancel);
    let (new, old) = (get(PREFERENCE).await, get(OLD_PREFERENCE).await);
    let new = new.map_err(IntoFailure::into_failure)?;
    let old = old.map_err(IntoFailure::into_failure)?;
    let new = new.and_then(|data| serde_json::from_str::<Preference>(data.get()).ok()?.enabled);
    let old = old.and_then(|data| serde_json::from_str::<OldPreference>(data.get()).ok()?.disabled);
    // The new word counts where both are there.
    Ok(new.map_or(old == Some(true), |enabled| !enabled))
}

fn opened(visit: &Visit) -> Option<OpenedFacts> {
    let unlocked = visit.unlocked.as_ref()?;
    let of = |kind| {
        let fits = unlocked.fits.iter().filter(move |fit| fit.kind == kind);
        fits.map(|fit| fit.id.clone()).collect()
    };
    Some(OpenedFacts {
        storage: of(LockKind::SecretStorage),
        backups: of(LockKind::Backup),
        by_entries: unlocked.opened_by_entries(&visit.overview),
        in_storage: unlocked.in_secret_storage.clone(),
        fault: unlocked.storage_fault,
        nothing: visit.fits_nothing(),
    })
}

async fn store(visit: &Visit, data_dir: &Path) -> Result<StoreFacts, Failure> {
    let Some(folder) = visit.overview.folder(data_dir) else { return Ok(StoreFacts::Nothing) };
    match Reader::locks(&folder) {
        Ok(None) => return Ok(StoreFacts::Nothing),
        Ok(Some(_)) => {}
        Err(error) => return Ok(StoreFacts::Closed(error.into_failure())),
    }
    if visit.unlocked.is_none() {
        return Ok(StoreFacts::NotTried);
    }
    let kept = match Kept::of_visit(visit, data_dir) {
        Ok(kept) => kept,
        Err(failure) => return Ok(StoreFacts::Closed(failure)),
    };
    let check = move || {
        let damaged = kept.reader().check().map_err(IntoFailure::into_failure)?.damaged;
        Ok(StoreFacts::Open { info: kept.info()?, damaged })
    };
    let checked = super::super::joined(tokio::task::spawn_blocking(check).await)?;
    Ok(checked.unwrap_or_else(StoreFacts::Closed))
}

/// What earlier visits left behind: looks, snapshots, and where the keys of the store are from.
fn seen_before(facts: &Facts, data_dir: &Path) -> Vec<SeenBefore> {
    let overview = &facts.overview;
    let looks = looks::earlier(overview, data_dir).into_iter();
    let mut seen: Vec<_> =
        looks.map(|look| SeenBefore { version: look.version, looked: Some(look.at) }).collect();
    let mut add = |version: String| {
        if !seen.iter().any(|known| known.version == version) {
            seen.push(SeenBefore { version, looked: None });
        }
    };
    let folder = overview.folder(data_dir);
    let files = folder.iter().flat_map(|folder| snapshots::in_folder(folder.path()));
    for snapshot in files.filter_map(|file| Snapshot::open(&file).ok()) {
        let header = &snapshot.header;
        if header.user == overview.user_id && header.server == overview.server {
            add(snapshot.version.version.clone());
        }
    }
    if let StoreFacts::Open { info, .. } = &facts.store {
        for source in &info.sources {
            if let Origin::Backup { version, .. } = source {
                add(version.clone());
            }
        }
    }
    seen
}

/// Reads a version, from a snapshot of the very same state if there is one.
async fn read(
    visit: &Visit,
    version: &BackupVersion,
    data_dir: &Path,
    progress: Arc<dyn Progress>,
    cancel: Cancel,
) -> Result<(BackupVersion, Reading), Failure> {
    let account = match &visit.place {
        Place::Server(account) => Some(account),
        Place::Snapshot { .. } => None,
    };
    let now = match account {
        Some(account) => version_now(account, version, &cancel).await,
        None => version.clone(),
    };
    let saved = account.and_then(|_| saved(&visit.overview, &now, data_dir));
    let from_snapshot = saved.is_some() || account.is_none();
    let source = saved.unwrap_or_else(|| visit.whole(&now, Some(data_dir)));
    let unlocked = visit.unlocked.as_ref();
    let keys = unlocked.map_or_else(Vec::new, |unlocked| unlocked.keys_for(&now));
    let begun = Reading {
        version: now.version.clone(),
        opened: (!keys.is_empty()).then_some(0),
        from_snapshot,
        ..Reading::default()
    };
    let done = opener::read(source, keys, begun, count, progress, cancel.clone()).await?;
    let (mut reading, ended) = done;
    reading.whole = ended.whole;
    if let Some(account) = account.filter(|_| !from_snapshot) {
        reading.changed = version_now(account, &now, &cancel).await.etag != now.etag;
    }
    Ok((now, reading))
}

fn count(reading: &mut Reading, room: &Arc<str>, verdict: Verdict) {
    if !reading.rooms.contains_key(room) {
        reading.rooms.insert(Arc::clone(room), Default::default());
    }
    reading.entries += 1;
    let in_room = reading.rooms.get_mut(room);
    match verdict {
        Verdict::Key { .. } => {
            reading.opened = reading.opened.map(|opened| opened + 1);
            in_room.into_iter().for_each(|room| room.entries += 1);
        }
        Verdict::Refused(reason) => {
            *reading.refused.entry(reason).or_default() += 1;
            in_room.into_iter().for_each(|room| {
                room.entries += 1;
                *room.refused.entry(reason).or_default() += 1;
            });
        }
    }
}

/// A whole snapshot of this version as it is now.
fn saved(overview: &Overview, version: &BackupVersion, data_dir: &Path) -> Option<Source> {
    let folder = overview.folder(data_dir)?;
    let files = snapshots::in_folder(folder.path());
    let file = files.into_iter().find(|file| is_current(file, overview, version))?;
    Some(Source::Snapshot { file })
}

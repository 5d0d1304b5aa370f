//! A visit to a backup: on a server with an account, or in a snapshot without any network. What was
//! found there, what the secrets at hand open, and the way back out.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    closed,
    failures::IntoFailure,
    look::{Overview, Wanted},
    names::{self, RoomName},
    passphrase::Effort,
    passphrase_list::{self, Estimate, Goal, List, Searched},
    proof::Sightings,
    sample::Sample,
    sign_in::Account,
    source::Source,
    target,
    unlock::{self, Unlocked, try_spare_keys, unlock},
    way_on::{Closed, WayOn},
};
use crate::{
    backup::version::BackupVersion,
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        limits,
        progress::Progress,
        secret::SecretText,
        shown::Shown,
    },
    homeserver::room_keys::{self, Seen},
    store::reader::Reader,
};

/// Where the backup is.
#[derive(Clone)]
pub enum Place {
    /// On a server, seen by a signed-in account.
    Server(Arc<Account>),
    /// In a file.
    Snapshot {
        /// The file.
        file: PathBuf,
        /// Whose backup it is, where the file does not tell.
        user: Option<String>,
        /// On which server, likewise.
        server: Option<String>,
    },
}

/// Entries to try keys on, by version.
pub(super) type Samples = BTreeMap<String, Arc<Sample>>;

/// A visit: the place, what is there, and what the secrets opened.
pub struct Visit {
    /// Where the backup is.
    pub place: Place,
    /// What was found there.
    pub overview: Overview,
    /// What the secrets opened; `None` where none was given.
    pub unlocked: Option<Unlocked>,
    /// Entries of versions whose public key does not tell, as far as they are at hand.
    samples: Arc<Mutex<Samples>>,
    /// Names of rooms that were asked for.
    heard: Arc<Mutex<BTreeMap<Arc<str>, RoomName>>>,
    /// Messages that were opened.
    sightings: Arc<Sightings>,
}

impl Visit {
    /// Looks at the place; each version on a server is told as it is found.
    pub async fn begin(
        place: Place,
        wanted: &Wanted,
        seen: Seen<'_>,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let overview = match &place {
            Place::Server(account) => {
                Overview::of_account(account, wanted, seen, progress, cancel).await?
            }
            Place::Snapshot { file, user, server } => {
                let mut overview = Overview::of_snapshot(file, wanted)?;
                overview.belongs_to(user.as_deref(), server.as_deref());
                overview
            }
        };
        Ok(Self {
            place,
            overview,
            unlocked: None,
            samples: Arc::default(),
            heard: Arc::default(),
            sightings: Arc::default(),
        })
    }

    /// Looks for a version that is asked for by name, where older ones cannot be enumerated. Says whether
    /// it was found only now: secrets must be tried on it then.
    pub async fn look_for(&mut self, wanted: &Wanted, cancel: &Cancel) -> Result<bool, Failure> {
        let Place::Server(account) = &self.place else { return Ok(false) };
        let mut is_new = false;
        for name in wanted.names() {
            if self.overview.versions.iter().any(|version| version.version == *name) {
                continue;
            }
            let found = room_keys::version(account.session(), name, cancel).await;
            let found = found.map_err(IntoFailure::into_failure)?;
            is_new |= found.is_some();
            self.overview.versions.extend(found);
        }
        Ok(is_new)
    }

    /// The same visit with nothing opened yet, for somebody who tries another secret while the first one
    /// is still in use. Names and messages that one of them hears the other one knows.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self {
            place: self.place.clone(),
            overview: self.overview.clone(),
            unlocked: None,
            samples: Arc::clone(&self.samples),
            heard: Arc::clone(&self.heard),
            sightings: Arc::clone(&self.sightings),
        }
    }

    /// Tries secrets on the locks that were found. A passphrase may take seconds, so this runs on
    /// threads of its own; with `slow` it may take as long as a lock asks for.
    ///
    /// Where no public key tells, entries are read to try keys on them: those of versions whose public
    /// key makes no sense, and, where nothing opens at all, those of the current one.
    pub async fn unlock(
        &mut self,
        secrets: &[SecretText],
        slow: bool,
        progress: &Arc<dyn Progress>,
        cancel: &Cancel,
    ) -> Result<(), Failure> {
        let samples = self.samples_of_odd_ones(cancel).await?;
        let odd: Vec<String> = samples.keys().cloned().collect();
        let secrets: Vec<_> = secrets.iter().map(SecretText::duplicate).collect();
        let overview = self.overview.clone();
        let (progress, stop) = (Arc::clone(progress), cancel.clone());
        let tried = tokio::task::spawn_blocking(move || {
            let place = unlock::Place { overview: &overview, samples: &samples };
            unlock(&secrets, &place, &Effort { slow, progress: &*progress, cancel: &stop })
        });
        let mut unlocked = super::joined(tried.await)??;
        if unlocked.opens_backups().is_empty()
            && unlocked.has_spare_keys()
            && let Some(current) = self.overview.current.clone()
            && !odd.contains(&current)
            && self.sample(&current, cancel).await?
        {
            let (overview, samples) = (self.overview.clone(), self.samples());
            let tried = tokio::task::spawn_blocking(move || {
                let place = unlock::Place { overview: &overview, samples: &samples };
                try_spare_keys(unlocked, &place)
            });
            unlocked = super::joined(tried.await)?;
        }
        self.unlocked = Some(unlocked);
        Ok(())
    }

    /// What a list of passphrases gives to try on the locks that were found, and how long that takes.
    pub fn estimate(&self, list: &List) -> Estimate {
        let place = unlock::Place { overview: &self.overview, samples: &self.samples() };
        passphrase_list::estimate(list, &place)
    }

    /// Entries of the versions whose public key makes no sense, as far as there are some.
    pub(super) async fn samples_of_odd_ones(&self, cancel: &Cancel) -> Result<Samples, Failure> {
        let odd = self.overview.versions.iter().filter(|version| version.needs_a_sample());
        let odd: Vec<String> = odd.map(|version| version.version.clone()).collect();
        for version in odd.iter().take(limits::BACKUPS_LOOKED_IN) {
            self.sample(version, cancel).await?;
        }
        let mut samples = self.samples();
        samples.retain(|version, _| odd.contains(version));
        Ok(samples)
    }

    /// Gets entries of a version to try keys on, unless they are at hand; says whether there are some now. A
    /// server that gives none keeps nobody from trying the other locks.
    async fn sample(&self, version: &str, cancel: &Cancel) -> Result<bool, Failure> {
        if self.samples().contains_key(version) {
            return Ok(true);
        }
        let mut versions = self.overview.versions.iter();
        let version = versions.find(|one| one.version == version && one.supported());
        let Some(version) = version else { return Ok(false) };
        let sample = match &self.place {
            Place::Snapshot { file, .. } => Sample::of_snapshot(file)?,
            Place::Server(_) if version.count == Some(0) => return Ok(false),
            Place::Server(account) => Sample::of_server(account, &version.version, cancel).await?,
        };
        if sample.len() == 0 {
            return Ok(false);
        }
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.insert(version.version.clone(), Arc::new(sample));
        Ok(true)
    }

    fn samples(&self) -> Samples {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries a list of passphrases on the locks that were found, on threads of its own; see
    /// [`passphrase_list`]. What it opens is not kept: the secrets that came of it are to be given to
    /// [`Self::unlock`].
    pub async fn try_list(
        &self,
        list: &Arc<List>,
        goal: Goal,
        slow: bool,
        progress: &Arc<dyn Progress>,
        cancel: &Cancel,
    ) -> Result<Searched, Failure> {
        let samples = self.samples_of_odd_ones(cancel).await?;
        let overview = self.overview.clone();
        let (list, progress, cancel) = (Arc::clone(list), Arc::clone(progress), cancel.clone());
        let tried = tokio::task::spawn_blocking(move || {
            let place = unlock::Place { overview: &overview, samples: &samples };
            let effort = Effort { slow, progress: &*progress, cancel: &cancel };
            passphrase_list::search(&list, goal, &place, &effort)
        });
        super::joined(tried.await)?
    }

    /// Why the secrets that were tried open no lock at all, if they do not.
    pub fn fits_nothing(&self) -> Option<Failure> {
        let unlocked = self.unlocked.as_ref().filter(|unlocked| unlocked.fits.is_empty())?;
        Some(closed::failure(unlocked, &self.overview, None))
    }

    /// Why the secrets that were tried open no backup.
    pub fn closed(&self) -> Failure {
        let none = Unlocked::default();
        closed::failure(self.unlocked.as_ref().unwrap_or(&none), &self.overview, None)
    }

    /// What the secrets that were tried lead to, in words, and what stays closed.
    pub fn way_on(&self) -> Option<WayOn> {
        Some(WayOn::of(self.unlocked.as_ref()?, &self.overview))
    }

    /// The versions that no secret at hand opens, and what could open each of them.
    pub fn closed_versions(&self) -> Vec<Closed> {
        let none = Unlocked::default();
        Closed::all(self.unlocked.as_ref().unwrap_or(&none), &self.overview)
    }

    /// Of the versions that are wanted those that stay closed, where the others are taken without them.
    pub(super) fn closed_among(&self, wanted: &Wanted) -> Vec<Closed> {
        let mut closed = self.closed_versions();
        match wanted {
            Wanted::All => {}
            Wanted::Several(names) => closed.retain(|closed| names.contains(&closed.version)),
            Wanted::Current | Wanted::Named(_) => closed.clear(),
        }
        closed
    }

    /// How many entries were tried with a key, and how many of them it opens, where no public key tells.
    pub fn sampled(&self, version: &BackupVersion) -> Option<(usize, usize)> {
        let key = self.unlocked.as_ref()?.key_for(version)?;
        let samples = self.samples();
        let sample = samples.get(&version.version)?;
        Some((sample.locked_for(key), sample.len()))
    }

    /// Why secrets at hand could not be read, one by one.
    pub fn unread_secrets(&self) -> Vec<Failure> {
        let unlocked = self.unlocked.as_ref();
        let faults = unlocked.map(|unlocked| unlocked.unreadable.as_slice()).unwrap_or_default();
        faults.iter().map(|fault| (*fault).into_failure()).collect()
    }

    /// The versions to restore, as far as a key at hand opens them.
    ///
    /// For [`Wanted::All`] every version that opens, for [`Wanted::Several`] those of them that open; else
    /// the one that is wanted, or the reason why it stays closed.
    pub fn openable(&self, wanted: &Wanted) -> Result<Vec<&BackupVersion>, Failure> {
        let unlocked = self.unlocked.as_ref().ok_or_else(|| Failure::new(Code::SecretMissing))?;
        let closed = |version| closed::failure(unlocked, &self.overview, version);
        if wanted.takes_what_opens() {
            let names = wanted.names();
            names.iter().try_for_each(|name| self.overview.named(name).map(|_| ()))?;
            let versions = self.overview.versions.iter();
            let wanted = versions.filter(|it| names.is_empty() || names.contains(&it.version));
            let open: Vec<_> =
                wanted.filter(|version| unlocked.key_for(version).is_some()).collect();
            return if open.is_empty() { Err(closed(None)) } else { Ok(open) };
        }
        let version = self.overview.choose(wanted)?;
        let closed = || match version.public_key() {
            // Nothing but its entries could tell, and they are not at hand.
            Err(fault) if !self.samples().contains_key(&version.version) => {
                Failure::new(Code::BackupOdd)
                    .with("n", Shown::limited(&version.version, 20))
                    .because(&fault.to_string())
            }
            _ => closed(Some(version)),
        };
        unlocked.key_for(version).ok_or_else(closed)?;
        Ok(vec![version])
    }

    /// A source of all entries of a version.
    ///
    /// `data_dir` has what earlier visits learnt of rooms, for a server that cannot send it whole.
    pub fn whole(&self, version: &BackupVersion, data_dir: Option<&Path>) -> Source {
        match &self.place {
            Place::Server(account) => Source::WholeBody {
                account: Arc::clone(account),
                version: version.version.clone(),
                count: version.count,
                data_dir: data_dir.map(Path::to_owned),
            },
            Place::Snapshot { file, .. } => Source::Snapshot { file: file.clone() },
        }
    }

    /// A source that gives at least the entries of these rooms; a snapshot gives others too.
    pub fn rooms(&self, version: &BackupVersion, rooms: Vec<String>) -> Source {
        match &self.place {
            Place::Server(account) => Source::Rooms {
                account: Arc::clone(account),
                version: version.version.clone(),
                rooms,
            },
            Place::Snapshot { file, .. } => Source::Snapshot { file: file.clone() },
        }
    }

    /// What these rooms are called, as far as anybody knows: a room without a name is not in the answer.
    /// See [`names::names`], which tells them as they come.
    pub async fn names<'a>(
        &self,
        room_ids: impl Iterator<Item = &'a Arc<str>>,
        data_dir: Option<&Path>,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> BTreeMap<Arc<str>, Shown> {
        let rooms: Vec<Arc<str>> = room_ids.cloned().collect();
        let mut found = BTreeMap::new();
        let mut told = |room: &Arc<str>, told: &RoomName| {
            if let Some(name) = &told.name {
                found.insert(Arc::clone(room), name.clone());
            }
        };
        names::names(self, &rooms, data_dir, &mut told, progress, cancel).await;
        found
    }

    /// The names that were asked for before.
    pub(super) fn heard(&self) -> BTreeMap<Arc<str>, RoomName> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps names for as long as the visit lasts, so that nobody asks for them again.
    pub(super) fn hear(&self, names: BTreeMap<Arc<str>, RoomName>) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// What is remembered of opened messages, so that one sent twice is noticed on any page.
    pub(super) fn sightings(&self) -> Arc<Sightings> {
        Arc::clone(&self.sightings)
    }

    /// A look into the account's store, if there is one and the secrets at hand open it.
    pub fn store(&self, data_dir: &Path) -> Option<Reader> {
        target::look_into(&self.overview, self.unlocked.as_ref()?, data_dir)
    }
}

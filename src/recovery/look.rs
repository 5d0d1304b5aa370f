//! Looking: which backup versions exist, and which locks guard them. Nothing is written.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde_json::value::RawValue;
use tracing::debug;

pub use super::locks::Locks;
use super::{failures::IntoFailure, sign_in::Account};
use crate::{
    backup::version::BackupVersion,
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::{News, Progress, Stage},
        shown::Shown,
    },
    homeserver::{
        RequestError, account_data,
        room_keys::{self, Search, Seen},
    },
    snapshot::{bare::UNKNOWN, reader::Snapshot},
    store::folder::{DataDir, Folder},
};

/// What a look found: on a server, or in a snapshot.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The account; empty where a file does not tell whose backup it holds.
    pub user_id: String,
    /// Origin of the server; empty likewise.
    pub server: String,
    /// All versions that could be found, the current one first, then from new to old.
    pub versions: Vec<BackupVersion>,
    /// Whether no version can be missing: servers list none, so they are asked for one by one, as far
    /// as that leads. `None` in a snapshot, which knows of its own version only.
    pub all_found: Option<bool>,
    /// The version that apps write to now.
    pub current: Option<String>,
    /// The locks of secret storage.
    pub locks: Locks,
}

/// Which version somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The current one; in a snapshot the only one.
    Current,
    /// A version by its name.
    Named(String),
    /// These, as far as the secrets at hand open them.
    Several(Vec<String>),
    /// Every one that the secrets at hand open.
    All,
}

impl Wanted {
    /// Reads the word of `--backup-version`: a name, names with commas between them, `current` or `all`.
    pub fn parse(word: &str) -> Self {
        match word {
            "current" => Self::Current,
            "all" => Self::All,
            list if list.contains(',') => {
                Self::Several(list.split(',').map(|name| name.trim().to_owned()).collect())
            }
            name => Self::Named(name.to_owned()),
        }
    }

    /// The names that it names.
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Named(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
            Self::Current | Self::All => &[],
        }
    }

    /// Says whether versions that stay closed are to be told, because others may open all the same.
    pub(super) fn takes_what_opens(&self) -> bool {
        matches!(self, Self::Several(_) | Self::All)
    }
}

impl Overview {
    /// Looks at an account on its server; each version is told as it is found. A version asked for by
    /// name is looked for even where older ones cannot be enumerated.
    pub async fn of_account(
        account: &Account,
        wanted: &Wanted,
        seen: Seen<'_>,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        progress.tell(News::Began(Stage::Looking));
        let session = account.session();
        let found = room_keys::all_versions(session, seen, cancel)
            .await
            .map_err(IntoFailure::into_failure)?;
        let current = found.current.as_ref().map(|version| version.version.clone());
        let all_found = Some(matches!(found.search, Search::Whole));
        let mut versions: Vec<_> = found.current.into_iter().chain(found.older).collect();
        for name in wanted.names() {
            if !versions.iter().any(|version| version.version == *name) {
                let named = room_keys::version(session, name, cancel).await;
                versions.extend(named.map_err(IntoFailure::into_failure)?);
            }
        }
        let locks = read_locks(account, cancel).await?;
        Ok(Self {
            user_id: account.user_id().to_owned(),
            server: account.server(),
            versions,
            all_found,
            current,
            locks,
        })
    }

    /// Looks into a snapshot. A version whose name the file does not tell is the one that is wanted.
    pub fn of_snapshot(file: &Path, wanted: &Wanted) -> Result<Self, Failure> {
        let snapshot = Snapshot::open(file).map_err(IntoFailure::into_failure)?;
        let mut overview = Self::in_snapshot(&snapshot);
        if let Wanted::Named(name) = wanted
            && snapshot.bare
        {
            for version in overview.versions.iter_mut().filter(|held| held.version == UNKNOWN) {
                version.version.clone_from(name);
                overview.current = Some(name.clone());
            }
        }
        Ok(overview)
    }

    /// Whose backup this is. A body that somebody saved without keyhaul does not tell; then it is what
    /// they say now, with the server that the id names unless they name another.
    pub(super) fn belongs_to(&mut self, user: Option<&str>, server: Option<&str>) {
        if !self.user_id.is_empty() {
            return;
        }
        let whole = user.filter(|user| user.starts_with('@') && user.contains(':'));
        let named = whole.and_then(|user| user.split_once(':')).map(|(_, server)| server);
        let address = server.or(named).map(|server| match server.contains("//") {
            true => server.trim_end_matches('/').to_owned(),
            false => format!("https://{server}"),
        });
        if let (Some(user), Some(address)) = (whole, address) {
            self.user_id = user.to_owned();
            self.server = address;
        }
    }

    /// Several overviews of one account as one: what all of them describe together.
    pub(super) fn merged(overviews: Vec<Self>) -> Option<Self> {
        overviews.into_iter().reduce(|mut all, more| {
            all.versions.extend(more.versions);
            all.locks = all.locks.with(&more.locks);
            all
        })
    }

    /// What an opened snapshot tells.
    pub(super) fn in_snapshot(snapshot: &Snapshot) -> Self {
        Self {
            user_id: snapshot.header.user.clone(),
            server: snapshot.header.server.clone(),
            all_found: None,
            current: Some(snapshot.version.version.clone()),
            locks: Locks::read(snapshot.header.account_data.clone()),
            versions: vec![snapshot.version.clone()],
        }
    }

    /// The account's folder on this computer, if there is one; makes none.
    pub(super) fn folder(&self, data_dir: &Path) -> Option<Folder> {
        if self.user_id.is_empty() {
            return None;
        }
        DataDir::find(data_dir).ok()??.find_account(&self.user_id, &self.server).ok()?
    }

    /// The one version that is wanted.
    pub fn choose(&self, wanted: &Wanted) -> Result<&BackupVersion, Failure> {
        let name = match wanted {
            Wanted::Named(name) => Some(name),
            // All of one are that one; a list names more, whatever exists.
            Wanted::All if self.versions.len() < 2 => self.current.as_ref(),
            Wanted::Several(_) | Wanted::All => {
                return Err(Failure::new(Code::Usage).because("this takes one backup version only"));
            }
            Wanted::Current => self.current.as_ref(),
        };
        let Some(name) = name else { return Err(Failure::new(Code::NoBackup)) };
        of_known_kind(self.named(name)?)
    }

    /// Says whether apps write to this version now: a snapshot does not know that.
    pub(super) fn is_current(&self, version: &str) -> bool {
        self.all_found.is_some() && self.current.as_deref() == Some(version)
    }

    /// A version by its name.
    pub(super) fn named(&self, name: &str) -> Result<&BackupVersion, Failure> {
        let version = self.versions.iter().find(|version| version.version == *name);
        version.ok_or_else(|| self.without(name))
    }

    /// A version that is not among those found. A snapshot knows of its own only.
    fn without(&self, name: &str) -> Failure {
        match (self.all_found, self.versions.first()) {
            (None, Some(held)) => Failure::new(Code::SnapshotOfAnother)
                .with("n", Shown::limited(&held.version, 20))
                .with("wanted", Shown::limited(name, 20)),
            _ => Failure::new(Code::BackupGoneForGood).with("n", name),
        }
    }
}

/// The version, unless it is of a kind that keyhaul does not know.
pub fn of_known_kind(version: &BackupVersion) -> Result<&BackupVersion, Failure> {
    if version.supported() {
        return Ok(version);
    }
    Err(Failure::new(Code::BackupUnknownKind)
        .with("n", Shown::limited(&version.version, 20))
        .because(&format!("algorithm {}", version.algorithm)))
}

/// A version's etag after it was read: another one means that it changed meanwhile. Where nobody can
/// be asked, or nobody answers, it counts as unchanged; the keys are what matters.
pub(super) async fn etag_now(
    account: Option<Arc<Account>>,
    before: &BackupVersion,
    cancel: &Cancel,
) -> Option<String> {
    match account {
        Some(account) => version_now(&account, before, cancel).await.etag,
        None => before.etag.clone(),
    }
}

/// A version as it is at this moment; as it was before where the server does not tell.
pub(super) async fn version_now(
    account: &Account,
    before: &BackupVersion,
    cancel: &Cancel,
) -> BackupVersion {
    let now = room_keys::version(account.session(), &before.version, cancel).await;
    now.ok().flatten().unwrap_or_else(|| before.clone())
}

/// Asks for the account data that describes the locks: what names keys first, then the keys.
async fn read_locks(account: &Account, cancel: &Cancel) -> Result<Locks, Failure> {
    let first: Vec<String> = Locks::FIRST.iter().map(|kind| (*kind).to_owned()).collect();
    let mut account_data = BTreeMap::new();
    gather(account, first, &mut account_data, cancel).await?;
    let keys = Locks::read(account_data.clone()).key_types();
    gather(account, keys, &mut account_data, cancel).await?;
    Ok(Locks::read(account_data))
}

async fn gather(
    account: &Account,
    types: Vec<String>,
    account_data: &mut BTreeMap<String, Box<RawValue>>,
    cancel: &Cancel,
) -> Result<(), Failure> {
    for kind in types {
        match account_data::get(account.session(), &kind, cancel).await {
            Ok(Some(content)) => {
                account_data.insert(kind, content);
            }
            Ok(None) => {}
            // A lock that is described by nonsense opens for nobody; the others may.
            Err(error @ (RequestError::Odd { .. } | RequestError::TooLarge { .. })) => {
                debug!(%error, "account data of a lock left out");
            }
            Err(error) => return Err(error.into_failure()),
        }
    }
    Ok(())
}

//! The locks of secret storage, as an account's data describes them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{
    base::limits,
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX, KeyDescription},
        secret::{BACKUP_SECRET, StoredSecret},
    },
};

/// The locks of an account, as its account data describes them. The raw JSON is kept, because a
/// snapshot carries it along.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    account_data: BTreeMap<String, Box<RawValue>>,
    /// Descriptions of 4S keys.
    pub(super) keys: Vec<KeyDescription>,
    /// The secret that holds a backup's private key.
    pub(super) secret: Option<StoredSecret>,
}

impl Locks {
    /// Account data types that must be asked for first.
    pub const FIRST: [&'static str; 2] = [DEFAULT_KEY, BACKUP_SECRET];

    /// Reads the locks from account data, by type. Descriptions that make no sense are left out: such a
    /// lock can still be tried on what it should hold. At most [`limits::STORAGE_KEYS`] are taken.
    pub fn read(account_data: BTreeMap<String, Box<RawValue>>) -> Self {
        let keys = account_data
            .iter()
            .filter_map(|(kind, content)| {
                KeyDescription::parse(kind.strip_prefix(KEY_PREFIX)?, content.get()).ok()
            })
            .take(limits::STORAGE_KEYS)
            .collect();
        let secret = account_data
            .get(BACKUP_SECRET)
            .and_then(|content| StoredSecret::parse(BACKUP_SECRET, content.get()).ok());
        Self { account_data, keys, secret }
    }

    /// The keys of secret storage that are named anywhere: each id, and whether clients use it now.
    pub fn listed(&self) -> Vec<(String, bool)> {
        let default = self.default_key();
        let ids = self.key_ids().into_iter();
        ids.map(|id| (id.clone(), default.as_deref() == Some(&id))).collect()
    }

    /// The 4S keys under which the key of a backup is stored.
    pub(super) fn holders(&self) -> Vec<String> {
        let named = self.secret.iter().flat_map(StoredSecret::key_ids).map(str::to_owned);
        named.filter(|id| id.len() <= limits::NAME).take(limits::STORAGE_KEYS).collect()
    }

    /// How many 4S keys there are.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// These locks and others of the same account.
    pub(super) fn with(&self, more: &Self) -> Self {
        let mut account_data = more.account_data.clone();
        account_data.extend(self.account_data.clone());
        Self::read(account_data)
    }

    /// The account data types of all 4S keys that are named anywhere, at most
    /// [`limits::STORAGE_KEYS`]: the default key first, then those of the backup secret. Ids longer than
    /// [`limits::NAME`] are left out; no server would take the address.
    pub fn key_types(&self) -> Vec<String> {
        self.key_ids().into_iter().map(|id| format!("{KEY_PREFIX}{id}")).collect()
    }

    /// The ids of these keys.
    pub(super) fn key_ids(&self) -> Vec<String> {
        let default = self.default_key().into_iter();
        let described = self.keys.iter().map(|key| key.id.clone());
        let named = self.secret.iter().flat_map(StoredSecret::key_ids).map(str::to_owned);
        let mut ids = Vec::new();
        for id in default.chain(named).chain(described).filter(|id| id.len() <= limits::NAME) {
            if ids.len() < limits::STORAGE_KEYS && !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// The account data as it was read, for a snapshot.
    pub fn account_data(&self) -> &BTreeMap<String, Box<RawValue>> {
        &self.account_data
    }

    /// The id of the key that clients use now.
    pub(super) fn default_key(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Content {
            key: String,
        }
        let content = self.account_data.get(DEFAULT_KEY)?;
        serde_json::from_str::<Content>(content.get()).ok().map(|content| content.key)
    }

    /// The description of a key, if there is one that makes sense.
    pub(super) fn description(&self, id: &str) -> Option<&KeyDescription> {
        self.keys.iter().find(|key| key.id == id)
    }
}

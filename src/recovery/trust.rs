//! Who signed the backups of an account, and how much that is worth (SPEC §3.3).

use tracing::debug;
use vodozemac::Ed25519SecretKey;

use super::{
    failures::IntoFailure,
    look::Overview,
    sign_in::Account,
    unlock::Unlocked,
    visit::{Place, Visit},
};
use crate::{
    backup::{
        signatures::{Identity, Signature, SigningKey, signatures},
        version::BackupVersion,
    },
    base::{cancel::Cancel, failure::Failure},
    homeserver::{RequestError, account_data, device_keys},
    secret_storage::secret::{MASTER_SECRET, StoredSecret},
};

/// The keys to judge signatures with.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    identity: Option<Identity>,
    /// Whether the account key that the server shows is the one that lies in secret storage; `None`
    /// where that was not opened, or holds none.
    pub account_key_proven: Option<bool>,
}

impl Trust {
    /// Asks the server for the account's signing keys, and compares its account key with the one in
    /// secret storage, as far as that is open. Where nobody answers, no signature is judged: backups
    /// must be listed all the same. Offline there is nobody to ask.
    pub async fn of(visit: &Visit, cancel: &Cancel) -> Result<Self, Failure> {
        let Place::Server(account) = &visit.place else { return Ok(Self::default()) };
        let identity = match device_keys::own_identity(account.session(), cancel).await {
            Ok(identity) => identity,
            Err(RequestError::Cancelled) => return Err(RequestError::Cancelled.into_failure()),
            Err(error) => {
                debug!(%error, "nobody shows the keys of the account");
                return Ok(Self::default());
            }
        };
        let proven = match (&visit.unlocked, identity.master) {
            (Some(unlocked), Some(master)) => {
                let own = own_account_key(account, unlocked, cancel).await;
                own.map(|own| own == master)
            }
            _ => None,
        };
        Ok(Self { identity: Some(identity), account_key_proven: proven })
    }

    /// All signatures under a version, judged.
    pub fn signatures(&self, version: &BackupVersion, overview: &Overview) -> Vec<Signature> {
        signatures(version, &overview.user_id, self.identity.as_ref())
    }

    /// Says whether somebody showed the keys to judge with.
    pub fn could_judge(&self) -> bool {
        self.identity.is_some()
    }
}

/// The public part of the account key in secret storage, if that is open and holds it.
async fn own_account_key(
    account: &Account,
    unlocked: &Unlocked,
    cancel: &Cancel,
) -> Option<SigningKey> {
    if unlocked.storage_keys.is_empty() {
        return None;
    }
    let content = account_data::get(account.session(), MASTER_SECRET, cancel).await.ok()??;
    let secret = StoredSecret::parse(MASTER_SECRET, content.get()).ok()?;
    // What the server itself could have written proves nothing about the server.
    let seeds = unlocked.storage_keys.iter().filter(|key| secret.is_authentic(&key.id));
    let seed = seeds.filter_map(|key| secret.open_key(&key.id, key.key.expose()).ok()).next()?;
    Some(*Ed25519SecretKey::from_slice(seed.expose()).public_key().as_bytes())
}

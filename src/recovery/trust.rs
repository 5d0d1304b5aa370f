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
        signatures::{Identity, Signature, Signer, SigningKey, signatures},
        version::BackupVersion,
    },
    base::{cancel::Cancel, failure::Failure, shown::Shown},
    homeserver::{RequestError, account_data, device_keys},
    secret_storage::secret::{MASTER_SECRET, StoredSecret},
};

/// Whose signature stands under a version (SCREENS §4, step 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The account's own key.
    Account,
    /// A device, by its name.
    Device(Shown),
    /// A device without a name, by its id.
    DeviceId(Shown),
    /// A key of the account that was replaced since.
    Replaced,
    /// A key that the account does not have.
    Unknown,
    /// A key that nobody could be asked about, by its id.
    NotChecked(Shown),
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Right, by a key that secret storage proves.
    Proven,
    /// Right, by a key that the server shows.
    NotProven,
    /// There, but it does not fit.
    Broken,
    /// It says nothing.
    Nothing,
}

/// One signer of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// Whose signature it is.
    pub who: Who,
    /// What it is worth.
    pub worth: Worth,
}

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

    /// Who signed a version, each once, the account first; what the column of signers says.
    pub fn signers(&self, version: &BackupVersion, overview: &Overview) -> Vec<SignedBy> {
        let mut all: Vec<SignedBy> = Vec::new();
        for signature in self.signatures(version, overview) {
            let signer = self.judge(&signature);
            if !all.contains(&signer) {
                all.push(signer);
            }
        }
        // Most is said by the account's own key.
        all.sort_by_key(|signer| signer.who != Who::Account);
        all
    }

    fn judge(&self, signature: &Signature) -> SignedBy {
        let id = signature.key_id.split_once(':').map_or(&*signature.key_id, |(_, id)| id);
        let who = match &signature.signer {
            Signer::Master => Who::Account,
            Signer::Device(Some(name)) => Who::Device(name.clone()),
            Signer::Device(None) => Who::DeviceId(Shown::new(id)),
            Signer::Replaced => Who::Replaced,
            Signer::Unknown if self.could_judge() => Who::Unknown,
            Signer::Unknown => Who::NotChecked(Shown::new(id)),
        };
        let worth = match (&who, signature.valid) {
            (Who::Replaced | Who::Unknown | Who::NotChecked(_), _) => Worth::Nothing,
            (_, Some(false)) => Worth::Broken,
            (Who::Account, _) if self.account_key_proven == Some(true) => Worth::Proven,
            _ => Worth::NotProven,
        };
        SignedBy { who, worth }
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

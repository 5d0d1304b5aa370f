//! The person of the stories: keys, devices, and what their secret storage holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vodozemac::Ed25519SecretKey;

use super::{
    super::random::Seeded,
    Story,
    places::{LETTERS, Place},
};
use crate::{
    backup::decryption::DecryptionKey,
    base::{
        base64,
        random::{Random, array},
        secret::Secret32,
        stretch::Recipe,
    },
    secret_storage::{
        key::{DEFAULT_KEY, KEY_PREFIX},
        secret::{BACKUP_SECRET, MASTER_SECRET, describe, seal},
    },
};

impl Story {
    pub(super) fn seed(self) -> Seeded {
        Seeded::new(self.name())
    }

    pub(super) fn key(self, name: &str) -> Secret32 {
        let mut random = self.seed().derive(name, 0);
        Secret32::filled_by(|bytes| random.fill(bytes))
    }

    /// The cross-signing object of the account's own key (SPEC §5.8).
    pub(super) fn master_key(self, seed: &Seeded) -> Value {
        let key = signing_key(seed, "master").public_key().to_base64();
        json!({
            "user_id": self.user_id(),
            "usage": ["master"],
            "keys": { format!("ed25519:{key}"): key },
        })
    }

    pub(super) fn laptop(self, seed: &Seeded) -> Value {
        let signing = signing_key(seed, "device OLDLAPTOP").public_key().to_base64();
        json!({
            "user_id": self.user_id(),
            "device_id": "OLDLAPTOP",
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": { "ed25519:OLDLAPTOP": signing },
            "unsigned": { "device_display_name": "Old laptop" },
        })
    }

    /// `auth_data` with the signature of one of the account's keys (SPEC §3.2).
    pub(super) fn signature(self, seed: &Seeded, signer: &str, key: &DecryptionKey) -> Value {
        self.signed(seed, signer, json!({ "public_key": key.public_key().to_base64() }))
    }

    /// The same for other contents, whose members stand in the order of their names.
    pub(super) fn signed(self, seed: &Seeded, signer: &str, mut content: Value) -> Value {
        let signing = signing_key(seed, signer);
        let signed = content.to_string();
        let signature = signing.sign(signed.as_bytes()).to_base64();
        let id =
            signer.strip_prefix("device ").map_or(signing.public_key().to_base64(), str::to_owned);
        let signatures = json!({ self.user_id(): { format!("ed25519:{id}"): signature } });
        if let Value::Object(content) = &mut content {
            content.insert("signatures".to_owned(), signatures);
        }
        content
    }

    /// What lies in secret storage under a key, and which rooms are direct chats. Without a `backup` its
    /// secret is not there.
    pub(super) fn account_data(
        self,
        seed: &Seeded,
        places: &[Place],
        storage: &Secret32,
        backup: Option<&DecryptionKey>,
    ) -> BTreeMap<String, Value> {
        let mut random = seed.derive("account data", 0);
        let id = random.text(LETTERS, 32);
        let sealed = backup.map(|backup| sealed_backup(storage, backup, &mut random));
        let master = base64::encode(&*signing_key(seed, "master").to_bytes());
        let master = seal(MASTER_SECRET, storage.expose(), master.as_bytes(), &mut random);
        let mut data = BTreeMap::from([
            (MASTER_SECRET.to_owned(), json!({ "encrypted": { &id: master } })),
            (DEFAULT_KEY.to_owned(), json!({ "key": id })),
            (format!("{KEY_PREFIX}{id}"), describe(storage.expose(), &mut random)),
            ("m.direct".to_owned(), direct_chats(places)),
        ]);
        if let Some(sealed) = sealed {
            data.insert(BACKUP_SECRET.to_owned(), json!({ "encrypted": { id: sealed } }));
        }
        data
    }
}

/// A backup's private key, locked for secret storage.
pub(super) fn sealed_backup(
    storage: &Secret32,
    backup: &DecryptionKey,
    random: &mut dyn Random,
) -> Value {
    // Clients write the key with padding.
    let secret = format!("{}=", base64::encode(backup.secret().expose()));
    seal(BACKUP_SECRET, storage.expose(), secret.as_bytes(), random)
}

/// What `m.direct` says.
pub(super) fn direct_chats(places: &[Place]) -> Value {
    let mut direct = BTreeMap::<_, Vec<_>>::new();
    for place in places {
        if let Some(person) = place.plan.direct {
            direct.entry(person).or_default().push(&place.room.id);
        }
    }
    json!(direct)
}

/// The key that a passphrase gives.
pub(super) fn stretched(passphrase: &str, salt: &str, rounds: u64) -> Secret32 {
    let key = Recipe::new(salt.as_bytes(), rounds, 256).ok();
    let key = key.and_then(|recipe| recipe.stretch(passphrase.as_bytes(), &mut |_| true));
    #[expect(clippy::expect_used, reason = "the recipes of the stories are sound")]
    key.and_then(|key| Secret32::from_slice(key.expose())).expect("256 bits are 32 bytes")
}

/// The signing key of a signer of the story.
pub(super) fn signing_key(seed: &Seeded, signer: &str) -> Ed25519SecretKey {
    Ed25519SecretKey::from_slice(&array(&mut seed.derive(signer, 0)))
}

//! A fixture's account on a real Synapse, and a computer for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    computer::{Call, Computer},
    fixture,
    kept_keys::{KeptKey, Opener, keys},
    text,
};
use crate::synapse::{FixtureAccount, Synapse};

/// The fixture's account, and a computer for it.
pub(super) struct Case {
    pub(super) fixture: Value,
    pub(super) there: FixtureAccount,
    pub(super) server: &'static str,
    pub(super) computer: Computer,
}

impl Case {
    /// The account whose secret storage opens with a recovery key.
    pub(super) async fn new(synapse: &'static Synapse) -> Self {
        Self::of(synapse, fixture()).await
    }

    pub(super) async fn of(synapse: &'static Synapse, fixture: Value) -> Self {
        let there = synapse.account_of_fixture(&fixture).await;
        Self { fixture, there, server: synapse.base_url(), computer: Computer::new() }
    }

    pub(super) fn restore(&self) -> Call<'_> {
        self.computer.keyhaul(&["restore"]).password_of(&self.there.account, self.server)
    }

    pub(super) fn paper(&self) -> &str {
        text(&self.fixture, "recovery_key")
    }

    #[track_caller]
    pub(super) fn kept(&self, opener: &Opener) -> Vec<KeptKey> {
        self.kept_on(&self.computer, opener)
    }

    #[track_caller]
    pub(super) fn kept_on(&self, computer: &Computer, opener: &Opener) -> Vec<KeptKey> {
        let store = opener.open(computer, &self.there.account.user_id, self.server);
        keys(&store.unwrap_or_else(|error| panic!("{error}")))
    }

    /// What the fixture says that the backup holds, of these rooms.
    #[track_caller]
    pub(super) fn check(&self, kept: &[KeptKey], in_room: impl Fn(&str) -> bool) {
        let known = self.fixture["sessions"].as_array().unwrap();
        let known: BTreeMap<_, _> = known
            .iter()
            .filter(|session| in_room(text(session, "room_id")))
            .map(|session| ((text(session, "room_id"), text(session, "session_id")), session))
            .collect();
        let found: BTreeSet<_> =
            kept.iter().map(|key| (key.room_id.as_str(), key.session_id.as_str())).collect();
        assert_eq!(found, known.keys().copied().collect());
        assert_eq!(kept.len(), known.len());
        let public_key = text(&self.fixture["version_response"]["auth_data"], "public_key");
        for key in kept {
            let session = known[&(key.room_id.as_str(), key.session_id.as_str())];
            assert_eq!(key.export, text(session, "session_key"));
            assert_eq!(json!(key.first_known_index), session["first_known_index"]);
            assert_eq!(key.rank, 0);
            assert_eq!(key.held_by, [format!("{} {public_key}", self.there.version)]);
            let plaintext: Value = serde_json::from_str(&key.plaintext).unwrap();
            let told = ["room_id", "session_id", "first_known_index"];
            let claims = session.as_object().unwrap().iter();
            for (claim, value) in claims.filter(|(name, _)| !told.contains(&name.as_str())) {
                assert_eq!(&plaintext[claim], value, "{claim}");
            }
        }
    }
}

//! A person at the use-cases, without the built program: signed in with a token, the small backup opened,
//! and as many restores as a test wants.

use std::{collections::BTreeSet, ops::ControlFlow, path::Path, sync::Arc, time::Duration};

use keyhaul::{
    base::{
        cancel::Cancel,
        failure::Failure,
        progress::{Progress, Silent},
        secret::SecretText,
    },
    demo::stories::Story,
    recovery::{
        look::Wanted,
        restore::{Restoring, Wish, restore},
        sign_in::{Asked, Patience, Surroundings, Way, sign_in},
        visit::{Place, Visit},
        watch::Watch,
    },
};

use serde_json::json;

use super::small::{self, Entry};
use crate::program::{Ada, Between, Trick};

/// Ada in front of her opened backup, with a station on the way to her server.
pub(super) struct Person {
    pub(super) ada: Ada,
    pub(super) entries: Vec<Entry>,
    pub(super) between: Between,
    pub(super) visit: Visit,
}

/// A server that tells nothing of rooms, so that a broken answer cannot be asked for in parts.
pub(super) fn no_parts() -> Trick {
    Trick::Say(403, json!({"errcode": "M_FORBIDDEN", "error": "not now"}))
}

/// A session in a store: room, session, first message that it opens.
pub(super) type Known = BTreeSet<(String, String, u32)>;

impl Person {
    pub(super) async fn new() -> Self {
        let (ada, entries) = tokio::task::spawn_blocking(small::ada).await.unwrap();
        let between = ada.between(Vec::new());
        let token = std::fs::read_to_string(ada.file("token")).unwrap();
        let patience = Patience { back_off: Duration::from_millis(1), ..Patience::default() };
        let data_dir = ada.lab.data();
        let surroundings = Surroundings { allow_http: false, ca_file: None, data_dir, patience };
        let asked = Asked {
            device: None,
            renew: false,
            homeserver: Some(between.base.clone()),
            user: Some(ada.account.user_id.clone()),
            way: Way::Token(SecretText::new(token)),
            keep: false,
        };
        let (progress, cancel): (Arc<dyn Progress>, _) = (Arc::new(Silent), Cancel::default());
        let account = sign_in(asked, &surroundings, &*progress, &cancel).await.unwrap();
        let place = Place::Server(Arc::new(account));
        let seen = &mut |_: &_| {};
        let mut visit =
            Visit::begin(place, &Wanted::Current, seen, &*progress, &cancel).await.unwrap();
        let key = [Story::Plain.recovery_key()];
        visit.unlock(&key, false, &progress, &cancel).await.unwrap();
        Self { ada, entries, between, visit }
    }

    /// Restores into a folder, while this is done to requests for keys.
    pub(super) async fn restore(
        &self,
        folder: &Path,
        rooms: Vec<String>,
        trick: Option<Trick>,
        cancel: Cancel,
    ) -> Result<Restoring, Failure> {
        let alone = ("/joined_rooms", no_parts());
        let tricks = trick.map(|trick| vec![("/room_keys/keys", trick), alone]);
        self.between.play(tricks.unwrap_or_default());
        let wish = Wish {
            wanted: Wanted::Current,
            rooms,
            dry_run: false,
            save_snapshot: false,
            data_dir: folder.to_owned(),
            from: Default::default(),
            read_back: false,
        };
        restore(&self.visit, wish, Watch::default(), Arc::new(Silent), cancel).await
    }

    /// Everything in the store of a folder; nothing where there is none.
    pub(super) fn known(&self, folder: &Path) -> Known {
        let Some(reader) = self.visit.store(folder) else { return Known::new() };
        let mut known = Known::new();
        let read = reader.for_each_key(None, |kept| {
            let key = &kept.key.key;
            known.insert((
                kept.key.room_id.clone(),
                key.session_id().to_string(),
                key.first_known_index(),
            ));
            ControlFlow::Continue(())
        });
        assert_eq!(read.unwrap().damaged, 0);
        known
    }
}

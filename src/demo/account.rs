//! One made-up account as its server holds it: rooms, backup versions, account data.
//!
//! [`Expected`] tells what opening a version should give. It is counted from what was put in, entry
//! by entry, so that tests compare two independent computations.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{bulk::Bulk, kinds::Kind, timeline::Timeline};

/// Everything a server knows of an account.
#[derive(Clone)]
pub struct Account {
    /// The whole Matrix id.
    pub user_id: String,
    /// The password that the server accepts; made up and public.
    pub password: String,
    /// All rooms that the account was ever in, in no special order.
    pub rooms: Vec<Room>,
    /// What was written in them, by room id; nothing in those that are not there.
    pub timelines: BTreeMap<String, Timeline>,
    /// Every backup version ever made, by its number; `None` once deleted.
    pub versions: BTreeMap<u64, Option<Version>>,
    /// Global account data: content by type.
    pub account_data: BTreeMap<String, Value>,
    /// The account's cross-signing object for its master key.
    pub master_key: Value,
    /// The keys of its devices, by their ids.
    pub device_keys: BTreeMap<String, Value>,
}

/// One room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its id: with a server part, or without one since room version 12.
    pub id: String,
    /// What `m.room.name` says, if there is one.
    pub name: Option<String>,
    /// What `m.room.canonical_alias` says, if there is one.
    pub alias: Option<String>,
    /// Who else is in it, or was when the account left it.
    pub people: Vec<Person>,
    /// How the account stands to it.
    pub membership: Membership,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The whole Matrix id.
    pub user_id: String,
    /// What the person wants to be called.
    pub display_name: String,
}

/// How an account stands to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Listed among the joined rooms.
    Joined,
    /// Not listed; its state up to the leaving can still be read.
    Left,
    /// Not listed, and the server tells nothing more of it.
    Forgotten,
}

/// One backup version that was not deleted.
#[derive(Clone, Debug)]
pub struct Version {
    /// How its entries are locked.
    pub algorithm: String,
    /// Public key and signatures.
    pub auth_data: Value,
    /// Raised by each writing request.
    pub etag: u64,
    /// The JSON of every entry, by room and session id of the map keys.
    pub rooms: BTreeMap<String, BTreeMap<String, Bytes>>,
    /// The entries that cannot be opened, by room and session id of the map keys.
    pub damaged: BTreeMap<(String, String), Damage>,
    /// More entries, all sound, that are made when they are read. They cannot be changed.
    pub bulk: Option<Bulk>,
}

/// What was done to an entry, so that it cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Damage {
    /// Locked for the key of an older version.
    OtherKey,
    /// Its last block was changed, which the tag does not notice.
    Padding,
    /// It stands under the id of another session.
    OtherSession,
    /// The room named inside is not the one that it stands under.
    OtherRoom,
    /// Locked without its session key.
    NoSessionKey,
    /// Made for a room lock that nobody uses.
    Algorithm,
    /// Its ephemeral key is of low order.
    Ephemeral,
    /// Its `session_data` is no object.
    NoObject,
}

/// What opening a version with its own key must give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// All entries.
    pub entries: usize,
    /// Entries that open and are sound.
    pub openable: usize,
    /// Refused entries by reason, in the words of the JSON contract.
    pub refused: BTreeMap<&'static str, usize>,
}

impl Account {
    /// The version that clients write to: the highest one that was not deleted.
    pub fn current(&self) -> Option<(u64, &Version)> {
        let mut versions = self.versions.iter().rev();
        versions.find_map(|(number, version)| Some((*number, version.as_ref()?)))
    }

    /// A version that exists; `None` if it was deleted or never made.
    pub fn version(&self, number: u64) -> Option<&Version> {
        self.versions.get(&number)?.as_ref()
    }

    /// A room by its id.
    pub fn room(&self, id: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }
}

impl Version {
    /// A version that nothing was put into yet.
    pub fn new(algorithm: &str, auth_data: Value) -> Self {
        Self {
            algorithm: algorithm.to_owned(),
            auth_data,
            etag: 0,
            rooms: BTreeMap::new(),
            damaged: BTreeMap::new(),
            bulk: None,
        }
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        let made = self.bulk.as_ref().map_or(0, Bulk::count);
        self.rooms.values().map(BTreeMap::len).sum::<usize>() + made
    }

    /// What opening all of them with this version's own key must give.
    pub fn expected(&self) -> Expected {
        let entries = self.count();
        let mut refused = BTreeMap::new();
        for damage in self.damaged.values() {
            *refused.entry(damage.reason()).or_default() += 1;
        }
        Expected { entries, openable: entries.saturating_sub(self.damaged.len()), refused }
    }

    /// The answer of `GET /room_keys/version/{number}`.
    pub fn describe(&self, number: u64) -> Value {
        self.describe_as(number, Kind::Synapse)
    }

    pub(super) fn describe_as(&self, number: u64, kind: Kind) -> Value {
        json!({
            "auth_data": self.auth_data,
            "version": number.to_string(),
            "algorithm": self.algorithm,
            "etag": kind.etag(self.etag),
            "count": self.count(),
        })
    }
}

impl Damage {
    /// The reason that a restore must give, in the words of the JSON contract (DESIGN §5).
    pub fn reason(self) -> &'static str {
        match self {
            Self::OtherKey => "mac",
            Self::Padding => "corrupt",
            Self::OtherSession => "id_mismatch",
            Self::OtherRoom => "room_mismatch",
            Self::NoSessionKey => "missing_field",
            Self::Algorithm => "algorithm",
            Self::Ephemeral => "ephemeral",
            Self::NoObject => "malformed",
        }
    }
}

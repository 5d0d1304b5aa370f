//! Homeservers that are known to differ, and in what (SPEC §1.4). Every difference is a rule of its own
//! here; whoever answers requests asks the rule and not the name.

use std::collections::BTreeMap;

use super::{account::Version, replacement::Rule};

/// Which homeserver the demo behaves as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Synapse 1.163, as recorded.
    #[default]
    Synapse,
    /// Dendrite, as its source reads.
    Dendrite,
    /// Conduwuit and continuwuity, as their source reads.
    Conduwuit,
    /// Tuwunel 1.9, as its source reads.
    Tuwunel,
}

/// How a server refuses keys for a version that is not the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrongVersion {
    /// 403 that repeats the version that was asked for, or 404 if that does not exist.
    RepeatsAsked,
    /// 403 that names the current version, or 404 if the one asked for does not exist.
    NamesCurrent,
    /// 400 as for any bad parameter.
    BadParameter,
    /// 400 that names the current version.
    BadNamesCurrent,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Synapse, Self::Dendrite, Self::Conduwuit, Self::Tuwunel];

    /// The number of a new version. Synapse counts for each account; the others for the whole server, so
    /// there are gaps of what other accounts made.
    pub(super) fn next_number(self, highest: u64) -> u64 {
        let step = match self {
            Self::Synapse => 1,
            Self::Dendrite => 13,
            Self::Conduwuit | Self::Tuwunel => 1_009,
        };
        highest.saturating_add(step)
    }

    /// The version that counts as current.
    pub(super) fn current(self, versions: &BTreeMap<u64, Option<Version>>) -> Option<u64> {
        let existing = || versions.iter().filter(|(_, version)| version.is_some());
        match self {
            Self::Synapse | Self::Tuwunel => existing().next_back().map(|(number, _)| *number),
            // The newest stays in its place when it is deleted, and hides the older ones.
            Self::Dendrite => {
                let (number, version) = versions.last_key_value()?;
                version.is_some().then_some(*number)
            }
            // In the order of texts, 9 comes after 10.
            Self::Conduwuit => existing().map(|(number, _)| *number).max_by_key(u64::to_string),
        }
    }

    pub(super) fn wrong_version(self) -> WrongVersion {
        match self {
            Self::Synapse => WrongVersion::RepeatsAsked,
            Self::Dendrite => WrongVersion::NamesCurrent,
            Self::Conduwuit => WrongVersion::BadParameter,
            Self::Tuwunel => WrongVersion::BadNamesCurrent,
        }
    }

    /// Which of two entries stays; `several` where the request could carry more than one.
    pub(super) fn replacement(self, several: bool) -> Rule {
        match (self, several) {
            (Self::Synapse | Self::Dendrite, _) => Rule::Synapse,
            (Self::Conduwuit, true) => Rule::Always,
            (Self::Conduwuit, false) | (Self::Tuwunel, _) => Rule::Spec,
        }
    }

    /// Whether keys of a version that does not exist are asked for in vain, but without an error.
    pub(super) fn empty_for_unknown(self) -> bool {
        matches!(self, Self::Conduwuit | Self::Tuwunel)
    }

    /// Whether deleting keys of a version that does not exist makes the server stumble.
    pub(super) fn stumbles_deleting(self) -> bool {
        matches!(self, Self::Conduwuit | Self::Tuwunel)
    }

    /// Whether keys can be deleted at all.
    pub(super) fn deletes_keys(self) -> bool {
        self != Self::Dendrite
    }

    /// Whether deleting a version that never existed is an error.
    pub(super) fn misses_deleted(self) -> bool {
        self != Self::Tuwunel
    }

    /// The code of the answer to a request without `?version=`.
    pub(super) fn missing_version(self) -> &'static str {
        match self {
            Self::Dendrite => "M_INVALID_PARAM",
            Self::Synapse | Self::Conduwuit | Self::Tuwunel => "M_MISSING_PARAM",
        }
    }

    /// How the etag is written.
    pub(super) fn etag(self, changes: u64) -> String {
        match (self, changes) {
            (Self::Dendrite, 0) => String::new(),
            _ => changes.to_string(),
        }
    }

    /// By how much a request raises the etag that changed so many entries.
    pub(super) fn raise(self, changed: u64) -> u64 {
        match self {
            Self::Synapse | Self::Dendrite => changed.min(1),
            Self::Conduwuit | Self::Tuwunel => changed,
        }
    }

    /// Whether an upload without rooms empties the version's `auth_data`.
    pub(super) fn empty_upload_spoils(self) -> bool {
        self == Self::Dendrite
    }
}

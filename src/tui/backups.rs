//! What stands on the second screen: the versions that exist, those that are gone, those being asked for.

use std::collections::BTreeSet;

use super::{list::Cursor, message::Looked};
use crate::{
    backup::version::BackupVersion,
    recovery::{look::Wanted, looks::Earlier, trust::SignedBy},
};

/// Most rows for versions that are gone.
const GONE: usize = 20;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    /// A version that exists.
    There(&'a BackupVersion),
    /// A version that was deleted, by its number.
    Gone(u64),
}

/// The state of the screen.
#[derive(Default)]
pub(super) struct Backups {
    /// Versions found so far, while the look goes on.
    pub(super) seen: Vec<BackupVersion>,
    /// What was found.
    pub(super) looked: Option<Looked>,
    /// The focus, among the versions that exist.
    pub(super) cursor: Cursor,
    /// The version that somebody asked for by its number and wants to see.
    pub(super) seek: Option<String>,
    /// The versions whose boxes are ticked.
    ticked: BTreeSet<String>,
    /// A new version and the fuller old one beside it, as the first look found them.
    emptier: Option<(String, String)>,
}

impl Backups {
    /// The versions that exist, as far as is known.
    pub(super) fn versions(&self) -> &[BackupVersion] {
        self.looked.as_ref().map_or(&self.seen, |looked| &looked.overview.versions)
    }

    /// The version in focus.
    pub(super) fn focus(&self) -> Option<&BackupVersion> {
        self.versions().get(self.cursor.at)
    }

    /// A version by its name.
    pub(super) fn version(&self, name: &str) -> Option<&BackupVersion> {
        self.versions().iter().find(|version| version.version == name)
    }

    /// Ticks the box of the version in focus, or unticks it.
    pub(super) fn tick(&mut self) {
        let Some(name) = self.focus().map(|version| version.version.clone()) else { return };
        if !self.ticked.remove(&name) {
            self.ticked.insert(name);
        }
    }

    /// Ticks the boxes of all versions that keyhaul can read, or, where they are ticked, unticks them.
    pub(super) fn tick_all(&mut self) {
        let known = self.versions().iter().filter(|version| version.supported());
        let all: BTreeSet<_> = known.map(|version| version.version.clone()).collect();
        self.ticked = if all == self.ticked { BTreeSet::new() } else { all };
    }

    /// Unticks all boxes.
    pub(super) fn untick(&mut self) {
        self.ticked.clear();
    }

    /// Says whether a version's box is ticked.
    pub(super) fn is_ticked(&self, name: &str) -> bool {
        self.ticked.contains(name)
    }

    /// The versions whose boxes are ticked, from new to old.
    pub(super) fn ticked(&self) -> Vec<&BackupVersion> {
        let there = self.versions().iter();
        there.filter(|version| self.is_ticked(&version.version)).collect()
    }

    /// Says whether apps write to this version now.
    pub(super) fn is_current(&self, version: &BackupVersion) -> bool {
        match &self.looked {
            Some(looked) => looked.overview.current.as_ref() == Some(&version.version),
            // The current one is found first.
            None => self.seen.first().is_some_and(|first| first.version == version.version),
        }
    }

    /// Who signed a version; `None` while nobody knows.
    pub(super) fn signers(&self, version: &BackupVersion) -> Option<&[SignedBy]> {
        let looked = self.looked.as_ref()?;
        let (_, signers) = looked.signers.iter().find(|(name, _)| *name == version.version)?;
        Some(signers)
    }

    /// How a version was at the last visit.
    pub(super) fn earlier(&self, version: &BackupVersion) -> Option<&Earlier> {
        let looked = self.looked.as_ref()?;
        looked.earlier.iter().find(|earlier| earlier.version == version.version)
    }

    /// Versions and gaps from new to old. Numbers are known to be gone only where all were asked for.
    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        let versions = self.versions();
        let counted = self.looked.as_ref().is_some_and(|l| l.overview.all_found == Some(true));
        let mut rows = Vec::new();
        let mut above: Option<u64> = None;
        for version in versions {
            let number = version.version.parse::<u64>().ok();
            if let (true, Some(above), Some(number)) = (counted, above, number) {
                rows.extend((number + 1..above).rev().take(GONE).map(Row::Gone));
            }
            rows.push(Row::There(version));
            above = number;
        }
        if let (true, Some(above)) = (counted, above) {
            rows.extend((1..above).rev().take(GONE).map(Row::Gone));
        }
        rows
    }

    /// How many are gone.
    pub(super) fn gone(&self) -> usize {
        self.rows().iter().filter(|row| matches!(row, Row::Gone(_))).count()
    }

    /// Takes what a look found. The focus stays on its version, unless another one is wanted.
    pub(super) fn take(&mut self, looked: Looked, wanted: &Wanted) -> usize {
        let focus = self.looked.is_some().then(|| self.focus().map(|one| one.version.clone()));
        self.seen.clear();
        let name = match (self.seek.take(), focus.flatten(), wanted) {
            (Some(seek), ..) => Some(seek),
            (None, Some(focus), _) => Some(focus),
            (None, None, Wanted::Named(name)) => Some(name.clone()),
            (None, None, _) => looked.overview.current.clone(),
        };
        let versions = &looked.overview.versions;
        let place = versions.iter().position(|version| Some(&version.version) == name.as_ref());
        self.looked = Some(looked);
        self.emptier = self.emptier.take().or_else(|| self.new_and_emptier());
        place.unwrap_or(0)
    }

    /// A version as its reading found it, in place of what the look had found.
    pub(super) fn renew(&mut self, version: BackupVersion) {
        let versions = self.looked.as_mut().map(|looked| &mut looked.overview.versions);
        let known = versions.into_iter().flatten().find(|one| one.version == version.version);
        if let Some(known) = known {
            *known = version;
        }
    }

    /// A version that is new since the last visit, and the fuller old one beside it.
    pub(super) fn emptier(&self) -> Option<(&BackupVersion, &BackupVersion)> {
        let (new, fuller) = self.emptier.as_ref()?;
        let (new, fuller) = (self.version(new)?, self.version(fuller)?);
        (fuller.count > new.count).then_some((new, fuller))
    }

    fn new_and_emptier(&self) -> Option<(String, String)> {
        let looked = self.looked.as_ref()?;
        let current = looked.overview.versions.first().filter(|first| self.is_current(first))?;
        let known = looked.earlier.iter().any(|earlier| earlier.version == current.version);
        let fuller = looked.overview.versions.get(1..)?.iter().max_by_key(|other| other.count)?;
        let new = !known && looked.earlier.iter().any(|e| e.version == fuller.version);
        let emptier = new && fuller.count > current.count;
        emptier.then(|| (current.version.clone(), fuller.version.clone()))
    }
}

//! Placeholder until the names branch is merged.
use super::visit::Visit;
use crate::base::{cancel::Cancel, progress::Progress, shown::Shown};
use std::{path::Path, sync::Arc};

/// How a room got its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// m.room.name
    Named,
    /// alias
    Alias,
    /// people
    People,
    /// direct
    Direct,
    /// nothing
    Nothing,
}
/// What a room is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName {
    /// name
    pub name: Option<Shown>,
    /// kind
    pub kind: Kind,
    /// left
    pub left: bool,
    /// people
    pub people: Option<u64>,
}
/// names
pub async fn names(
    _visit: &Visit,
    _rooms: &[Arc<str>],
    _data_dir: Option<&Path>,
    _told: &mut (dyn FnMut(&Arc<str>, &RoomName) + Send),
    _progress: &dyn Progress,
    _cancel: &Cancel,
) {
}

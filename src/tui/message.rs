//! What can happen: a person means something, time passes, work reports.

use std::{sync::Arc, time::Duration};

use ratatui::layout::{Position, Size};

use super::{field::Edit, intent::Intent};
use crate::{
    backup::version::BackupVersion,
    base::{failure::Failure, secret::SecretText, shown::Shown},
    recovery::{
        contents::{Glance, RoomSessions},
        haul::Hauled,
        look::Overview,
        looks::Earlier,
        names::RoomName,
        sign_in::{Device, Found, Left},
        snapshots::Kept,
        trust::SignedBy,
    },
};

/// The number of a piece of work; answers of work that nobody waits for any more are dropped by it.
pub type Job = u64;

/// One thing that happened.
pub enum Message {
    /// A person means something.
    Intent(Intent),
    /// A key for the field in focus.
    Edit(Edit),
    /// Text was pasted; it may be a secret.
    Pasted(SecretText),
    /// A click.
    Clicked(Position),
    /// The wheel, by so many rows.
    Wheel(i8),
    /// The window has another size.
    Resized(Size),
    /// Time passed, and something may have to be drawn anew.
    Clock,
    /// The system wants the program to end, with this exit code.
    Signal(u8),
    /// Work reports.
    Happened(Job, Happened),
}

/// What work reports.
pub enum Happened {
    /// A server was looked for.
    Found(Result<Found, Failure>),
    /// Somebody signed in.
    SignedIn(Result<Signed, Failure>),
    /// A backup version was found; more may come.
    Seen(Box<BackupVersion>),
    /// All that can be found was looked at.
    Looked(Result<Box<Looked>, Failure>),
    /// The reading of a version goes on.
    Glanced(Glance),
    /// A version was read.
    Hauled(Box<Result<Hauled, Failure>>),
    /// What rooms are called.
    Named(Vec<(Arc<str>, RoomName)>),
    /// No more names come.
    NamesEnded,
    /// The keys of one room were read.
    Sessions(Result<RoomSessions, Failure>),
    /// The snapshots in keyhaul's own folder.
    Kept(Vec<Kept>),
    /// The demo homeserver runs.
    Demo(Result<DemoPaper, Failure>),
    /// The way out is done.
    Left(Result<Left, Failure>),
}

impl Happened {
    /// Says whether more reports of the same work come.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self, Self::Seen(_) | Self::Glanced(_) | Self::Named(_))
    }
}

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The account's Matrix id, as the server names it.
    pub user_id: String,
    /// The server's address.
    pub server: String,
    /// With whose device.
    pub device: Device,
}

/// What a look found.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// The versions and the locks.
    pub overview: Overview,
    /// Who signed each version, by its name.
    pub signers: Vec<(String, Vec<SignedBy>)>,
    /// Whether somebody showed the keys to judge signatures with.
    pub judged: bool,
    /// How the versions were at the last visit.
    pub earlier: Vec<Earlier>,
}

/// What lies on the table of the made-up person.
#[derive(Clone)]
pub struct DemoPaper {
    /// Where the embedded server listens.
    pub server: String,
    /// The person's Matrix id.
    pub user: String,
    /// The password, made up and public.
    pub password: Arc<SecretText>,
    /// The recovery key on the paper, made up and public.
    pub recovery_key: Shown,
}

/// Time since the program began.
pub type Moment = Duration;

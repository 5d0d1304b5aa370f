//! Where entries come from: the whole body, rooms one by one, or a snapshot. Every source gives the
//! same entries, so every source gives the same store.

use std::{path::PathBuf, sync::Arc};

use bytes::{Bytes, BytesMut};
use thiserror::Error;
use tokio::sync::{mpsc::Sender, oneshot};

use super::{
    room_by_room::{ByRoom, Parts, may_help},
    scan::Standing,
    sign_in::Account,
    snapshots::Saver,
};
use crate::{
    backup::scanner::{Ending, ScanFault, Shape},
    base::{
        cancel::Cancel,
        limits,
        progress::{News, Progress, Stage},
    },
    homeserver::{
        RequestError,
        room_keys::{self, Part, keys},
    },
    snapshot::reader::{Snapshot, SnapshotFault},
};

/// Largest piece handed on at once, so that the pieces under way are bounded in bytes.
pub(super) const PIECE: usize = 64 << 10;
/// Most pieces between the source and the scanner: half of what may be in flight.
pub(super) const PIECES: usize = limits::IN_FLIGHT / 2 / PIECE;

/// A place that gives the entries of one backup version.
pub enum Source {
    /// One answer with everything.
    WholeBody {
        /// The signed-in account.
        account: Arc<Account>,
        /// The version's name.
        version: String,
        /// Keys that the server counts.
        count: Option<u64>,
        /// Where earlier visits left what they learnt of rooms, for a server that cannot send it whole.
        data_dir: Option<PathBuf>,
    },
    /// Chosen rooms, one answer each.
    Rooms {
        /// The signed-in account.
        account: Arc<Account>,
        /// The version's name.
        version: String,
        /// The rooms, in this order.
        rooms: Vec<String>,
    },
    /// A saved snapshot.
    Snapshot {
        /// The file.
        file: PathBuf,
    },
}

/// What goes from a source to the scanner: bodies, each begun by its shape.
pub(super) enum Piece {
    Begin(Shape),
    Bytes(Bytes),
    /// The body broke: somebody wants to know how far the scan came, to go on in another way.
    Broke(oneshot::Sender<Standing>),
}

/// What a source gave.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pumped {
    /// Bytes of all bodies, decoded.
    pub(super) bytes: u64,
    /// They came from a snapshot.
    pub(super) snapshot: bool,
    /// A snapshot's bytes are not those that were written.
    pub(super) damaged: bool,
    /// What became of a backup that its server could not send whole.
    pub(super) by_room: Option<ByRoom>,
}

/// Why a source gave no more.
#[derive(Debug, Error)]
pub enum SourceFault {
    /// The server or the way to it.
    #[error("{0}")]
    Request(#[from] RequestError),
    /// The snapshot that is read.
    #[error("{0}")]
    Snapshot(#[from] SnapshotFault),
    /// The snapshot that is written.
    #[error("the snapshot could not be written: {0}")]
    Saving(std::io::Error),
}

/// How the bodies ended. Where a snapshot stops making sense it is damaged: it counts as cut there, and
/// what was read before stays good.
pub(super) fn judged(
    pumped: &Result<Pumped, SourceFault>,
    scanned: Result<Ending, ScanFault>,
) -> Result<Ending, ScanFault> {
    match scanned {
        Err(ScanFault::NotJson { .. } | ScanFault::TooDeep { .. })
            if pumped.as_ref().is_ok_and(|pumped| pumped.snapshot) =>
        {
            Ok(Ending::Cut)
        }
        scanned => scanned,
    }
}

impl Source {
    /// The account, where a whole version is read from its server.
    pub(super) fn whole_account(&self) -> Option<Arc<Account>> {
        match self {
            Self::WholeBody { account, .. } => Some(Arc::clone(account)),
            _ => None,
        }
    }

    /// The snapshot, where one is read.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Snapshot { file } => Some(file.clone()),
            _ => None,
        }
    }

    /// Sends everything to the scanner, and the bytes of a whole body to a snapshot on the way.
    ///
    /// Ends early without a fault when the scanner hears no more.
    pub(super) async fn pump(
        self,
        to: Sender<Piece>,
        mut saver: Option<&mut Saver>,
        progress: &dyn Progress,
        cancel: &Cancel,
    ) -> Result<Pumped, SourceFault> {
        let mut pumped = Pumped::default();
        match self {
            Self::WholeBody { account, version, count, data_dir } => {
                progress.tell(News::Began(Stage::Collecting));
                let reading = WholeBody { account: &account, version: &version, to: &to, cancel };
                match reading.pump(saver.as_deref_mut(), &mut pumped).await {
                    Err(SourceFault::Request(error)) if may_help(&error) => {
                        let parts = Parts {
                            account: &account,
                            version: &version,
                            all: count,
                            data_dir: data_dir.as_deref(),
                            to: &to,
                            saver,
                            cancel,
                            pumped,
                        };
                        return parts.read(error).await;
                    }
                    done => done?,
                }
            }
            Self::Rooms { account, version, rooms } => {
                progress.tell(News::Began(Stage::Collecting));
                for room_id in rooms {
                    let left = limits::KEYS_BODY.saturating_sub(pumped.bytes);
                    let part = Part::Room(&room_id);
                    let asked = keys(account.session(), &version, part, left, cancel).await;
                    let mut stream = match asked {
                        // Some servers know no room without keys.
                        Err(error) if error.is_missing() => {
                            still_there(&account, &version, error, cancel).await?;
                            continue;
                        }
                        stream => stream?,
                    };
                    let mut open = to.send(Piece::Begin(Shape::Room { room_id })).await.is_ok();
                    while open && let Some(bytes) = stream.next().await? {
                        pumped.bytes += bytes.len() as u64;
                        open = send(&to, bytes).await;
                    }
                    if !open {
                        break;
                    }
                }
            }
            Self::Snapshot { file } => {
                pumped.snapshot = true;
                let mut body = Snapshot::open(&file)?.into_body().map_err(SnapshotFault::Io)?;
                let mut open = to.send(Piece::Begin(Shape::WholeBody)).await.is_ok();
                while open && !cancel.is_cancelled() {
                    let mut piece = BytesMut::zeroed(PIECE);
                    let length = body.read(&mut piece).map_err(SnapshotFault::Io)?;
                    if length == 0 {
                        pumped.damaged = !body.is_intact();
                        break;
                    }
                    pumped.bytes += length as u64;
                    piece.truncate(length);
                    open = to.send(Piece::Bytes(piece.freeze())).await.is_ok();
                }
            }
        }
        Ok(pumped)
    }
}

/// Says what the server means that knows no keys of a room: nothing, unless the whole version is gone.
pub(super) async fn still_there(
    account: &Account,
    version: &str,
    missing: RequestError,
    cancel: &Cancel,
) -> Result<(), RequestError> {
    match room_keys::version(account.session(), version, cancel).await? {
        Some(_) => Ok(()),
        None => Err(missing),
    }
}

/// One answer with everything.
struct WholeBody<'a> {
    account: &'a Account,
    version: &'a str,
    to: &'a Sender<Piece>,
    cancel: &'a Cancel,
}

impl WholeBody<'_> {
    async fn pump(
        &self,
        mut saver: Option<&mut Saver>,
        pumped: &mut Pumped,
    ) -> Result<(), SourceFault> {
        let session = self.account.session();
        let asked = keys(session, self.version, Part::Whole, limits::KEYS_BODY, self.cancel);
        let mut stream = asked.await?;
        let mut open = self.to.send(Piece::Begin(Shape::WholeBody)).await.is_ok();
        while open && let Some(bytes) = stream.next().await? {
            pumped.bytes += bytes.len() as u64;
            if let Some(saver) = &mut saver {
                saver.write(&bytes).map_err(SourceFault::Saving)?;
            }
            open = send(self.to, bytes).await;
        }
        Ok(())
    }
}

/// Hands bytes on in pieces; `false` when nobody hears.
pub(super) async fn send(to: &Sender<Piece>, mut bytes: Bytes) -> bool {
    while !bytes.is_empty() {
        let piece = bytes.split_to(bytes.len().min(PIECE));
        if to.send(Piece::Bytes(piece)).await.is_err() {
            return false;
        }
    }
    true
}

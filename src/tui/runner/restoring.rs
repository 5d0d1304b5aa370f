//! Trying secrets, and bringing keys back.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{Held, Placed, Post, Runner, forgotten};
use crate::{
    base::{
        cancel::Cancel,
        progress::{News, Progress, Silent},
        secret::SecretText,
    },
    recovery::{
        key_files::export::{Export, export},
        look::Wanted,
        proof,
        restore::{Wish, restore},
        store::Kept,
        trust::{SignedBy, Trust},
        unlock::SecretKind,
        visit::Visit,
        watch::Watch,
        way_on::Cause,
    },
    tui::message::{Happened, Job, Opened},
};

/// Messages that are read at once.
const MESSAGES: usize = 50;

/// Tells how far the calculation for a passphrase is.
struct Stretching(Post);

impl Progress for Stretching {
    fn tell(&self, news: News) {
        if let News::Stretching { done, all } = news {
            self.0.send(Happened::Stretched(done, all));
        }
    }
}

/// What a restore is to do.
pub(super) struct Restore {
    pub(super) visit: Job,
    pub(super) versions: Vec<String>,
    pub(super) rooms: Vec<String>,
    pub(super) from: BTreeMap<String, PathBuf>,
    pub(super) dry_run: bool,
    pub(super) save: bool,
}

impl Runner {
    pub(super) fn unlock(&mut self, job: Job, visit: Job, secrets: Vec<SecretText>, slow: bool) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(Placed { it: visit, surroundings }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Unlocked(Err(forgotten("visit"))));
        };
        tokio::spawn(async move {
            let mut visit = visit.afresh();
            let progress: Arc<dyn Progress> = Arc::new(Stretching(post.clone()));
            if let Err(failure) = visit.unlock(&secrets, slow, &progress, &cancel).await {
                return post.send(Happened::Unlocked(Err(failure)));
            }
            let opened = Box::new(opened(&visit));
            let visit = Placed { it: Arc::new(visit), surroundings };
            let judged = Arc::clone(&visit.it);
            post.bring(Happened::Unlocked(Ok(opened)), Held::Visit(visit));
            // With secret storage open, signatures of the account are more than a claim.
            let signers = signers(&judged, &cancel).await.unwrap_or_default();
            post.send(Happened::Judged(signers));
        });
    }

    pub(super) fn history(&mut self, job: Job, visit: Job, room: Arc<str>, from: Option<String>) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(Placed { it: visit, surroundings }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Read(Box::new(Err(forgotten("visit")))));
        };
        tokio::spawn(async move {
            let wish = proof::Wish {
                data_dir: surroundings.data_dir.clone(),
                room_id: room.to_string(),
                from,
                limit: MESSAGES,
                kept: None,
            };
            let history = proof::history(&visit, wish, &Silent, &cancel).await;
            post.send(Happened::Read(Box::new(history)));
        });
    }

    pub(super) fn export(&mut self, job: Job, visit: Job, wish: Export) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(Placed { it: visit, surroundings }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Exported(Box::new(Err(forgotten("visit")))));
        };
        tokio::spawn(async move {
            let opening =
                tokio::task::spawn_blocking(move || Kept::of_visit(&visit, &surroundings.data_dir));
            let exported = match opening.await {
                Ok(Ok(kept)) => {
                    let progress: Arc<dyn Progress> = Arc::new(Carrying(post.clone()));
                    export(kept, wish, progress, cancel).await
                }
                Ok(Err(failure)) => Err(failure),
                Err(_) => Err(forgotten("store")),
            };
            post.send(Happened::Exported(Box::new(exported)));
        });
    }

    pub(super) fn restore(&mut self, job: Job, wanted: Restore) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Restore { visit, mut versions, rooms, from, dry_run, save } = wanted;
        let Some(Placed { it: visit, surroundings }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Restored(Box::new(Err(forgotten("visit")))));
        };
        let glances = post.clone();
        let watch = Watch {
            glances: Some(Arc::new(move |glance| glances.send(Happened::Restoring(glance)))),
            ..Watch::default()
        };
        self.watches.insert(job, (watch.pause.clone(), watch.front.clone()));
        tokio::spawn(async move {
            let wanted = match versions.len() {
                1 => Wanted::Named(versions.remove(0)),
                _ => Wanted::Several(versions),
            };
            let wish = Wish {
                wanted,
                rooms,
                dry_run,
                save_snapshot: save,
                data_dir: surroundings.data_dir.clone(),
                from,
                read_back: !dry_run,
            };
            let restored = restore(&visit, wish, watch, Arc::new(Silent), cancel).await;
            post.send(Happened::Restored(Box::new(restored)));
        });
    }
}

/// Tells how many keys are in a file.
struct Carrying(Post);

impl Progress for Carrying {
    fn tell(&self, news: News) {
        if let News::Carrying { keys } = news {
            self.0.send(Happened::Carried(keys));
        }
    }
}

/// What the secrets of a visit open, without the secrets.
fn opened(visit: &Visit) -> Opened {
    let unlocked = visit.unlocked.as_ref();
    let no_backup = unlocked.is_none_or(|unlocked| unlocked.opens_backups().is_empty());
    Opened {
        kind: unlocked
            .and_then(|unlocked| unlocked.kinds.last().copied())
            .unwrap_or(SecretKind::Unknown),
        fits: unlocked.map(|unlocked| unlocked.fits.clone()).unwrap_or_default(),
        in_secret_storage: unlocked
            .map(|unlocked| unlocked.in_secret_storage.clone())
            .unwrap_or_default(),
        cannot_check: unlocked.map(|unlocked| unlocked.cannot_check.clone()).unwrap_or_default(),
        left_out_seconds: unlocked.and_then(|unlocked| unlocked.left_out_seconds()),
        closed: no_backup.then(|| visit.closed()),
        table: unlocked.map(|unlocked| unlocked.table.clone()).unwrap_or_default(),
        way_on: visit.way_on().unwrap_or_default(),
        causes: unlocked.map(Cause::possible).unwrap_or_default(),
    }
}

/// Who signed each version, judged with what is open; `None` where nobody can be asked.
async fn signers(visit: &Visit, cancel: &Cancel) -> Option<Vec<(String, Vec<SignedBy>)>> {
    let trust = Trust::of(visit, cancel).await.ok().filter(Trust::could_judge)?;
    let versions = visit.overview.versions.iter();
    let signers =
        versions.map(|version| (version.version.clone(), trust.signers(version, &visit.overview)));
    Some(signers.collect())
}

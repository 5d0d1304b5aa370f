//! Looking closely: the check-up, two places beside each other, and papers about them.

use std::{path::PathBuf, sync::Arc};

use jiff::tz::TimeZone;

use super::{Placed, Post, Runner, forgotten};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::{News, Progress},
        shown::Shown,
    },
    recovery::{
        diff::{Diff, Name, Side, diff},
        doctor::{facts::Facts, gather},
        look::{Wanted, of_known_kind},
        report, sheet,
        store::Kept,
        visit::Visit,
    },
    tui::{
        effect::Read,
        message::{Happened, Job},
        paper_form::Paper,
    },
};

/// Tells how many keys were read.
struct Reading(Post);

impl Progress for Reading {
    fn tell(&self, news: News) {
        match news {
            News::Reading { entries: keys, .. } | News::Carrying { keys } => {
                self.0.send(Happened::Carried(keys));
            }
            _ => {}
        }
    }
}

impl Runner {
    pub(super) fn check_up(&mut self, job: Job, visit: Job) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(placed) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::CheckedUp(Box::new(Err(forgotten("visit")))));
        };
        tokio::spawn(async move {
            let facts = facts(&placed, &post, cancel).await;
            post.send(Happened::CheckedUp(Box::new(facts.map(|facts| facts.checks()))));
        });
    }

    pub(super) fn compare(&mut self, job: Job, visit: Job, own: Read, beside: Option<Read>) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(placed) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Compared(Box::new(Err(forgotten("visit")))));
        };
        tokio::spawn(async move {
            let compared = compare(&placed, own, beside, &post, cancel).await;
            post.send(Happened::Compared(Box::new(compared)));
        });
    }

    pub(super) fn paper(&mut self, job: Job, visit: Job, paper: Paper, file: PathBuf) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(placed) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Written(Err(forgotten("visit"))));
        };
        tokio::spawn(async move {
            let written = match paper {
                Paper::Sheet => {
                    let wish = sheet::Wish { file: &file, overwrite: false };
                    sheet::sheet(&placed.it, wish, &TimeZone::system()).map(drop)
                }
                Paper::Report => {
                    let wish = report::Wish { file: &file, overwrite: false, with_ids: false };
                    match wish.check() {
                        Ok(()) => facts(&placed, &post, cancel)
                            .await
                            .and_then(|facts| report::report(&facts, wish).map(drop)),
                        Err(failure) => Err(failure),
                    }
                }
            };
            post.send(Happened::Written(written));
        });
    }
}

async fn facts(placed: &Placed<Visit>, post: &Post, cancel: Cancel) -> Result<Facts, Failure> {
    let progress: Arc<dyn Progress> = Arc::new(Reading(post.clone()));
    gather(&placed.it, &placed.surroundings.data_dir, progress, cancel).await
}

async fn compare(
    placed: &Placed<Visit>,
    own: Read,
    beside: Option<Read>,
    post: &Post,
    cancel: Cancel,
) -> Result<Diff, Failure> {
    let visit = &placed.it;
    let side = |read: Read| {
        let version = visit.overview.choose(&Wanted::Named(read.version))?;
        let name = Name::Backup(Shown::limited(&version.version, 20));
        Ok::<_, Failure>(Side::Backup {
            visit,
            version: of_known_kind(version)?,
            name,
            from: read.file,
        })
    };
    let own = side(own)?;
    let beside = match beside {
        Some(read) => side(read)?,
        None => {
            let (visit, surroundings) = (Arc::clone(visit), Arc::clone(&placed.surroundings));
            let opening =
                tokio::task::spawn_blocking(move || Kept::of_visit(&visit, &surroundings.data_dir));
            let kept =
                opening.await.map_err(|_| Failure::new(Code::Bug).because("a worker ended"))?;
            Side::Store(kept?)
        }
    };
    let progress: Arc<dyn Progress> = Arc::new(Reading(post.clone()));
    diff(own, beside, progress, cancel).await
}

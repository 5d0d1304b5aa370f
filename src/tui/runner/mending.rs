//! Searching for what a mistyped recovery key was meant to be.

use std::sync::Arc;

use super::{Placed, Post, Runner, forgotten};
use crate::{
    base::{
        progress::{News, Progress},
        secret::SecretText,
    },
    recovery::repair,
    tui::message::{Happened, Job},
};

/// Tells how far the search is.
struct Mending(Post);

impl Progress for Mending {
    fn tell(&self, news: News) {
        if let News::Mending { stage, tried, left, .. } = news {
            self.0.send(Happened::Mending { stage, tried, left });
        }
    }
}

impl Runner {
    pub(super) fn mend(&mut self, job: Job, visit: Job, secret: SecretText) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(Placed { it: visit, .. }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Mended(Box::new(Err(forgotten("visit")))));
        };
        tokio::spawn(async move {
            let planned = secret.duplicate();
            let stages = tokio::task::spawn_blocking(move || repair::stages(&planned)).await;
            post.send(Happened::MendPlanned(stages.unwrap_or_default()));
            let progress: Arc<dyn Progress> = Arc::new(Mending(post.clone()));
            let mended = visit.repair(&secret, &progress, &cancel).await;
            post.send(Happened::Mended(Box::new(mended)));
        });
    }
}

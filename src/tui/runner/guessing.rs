//! Trying passphrases that somebody may have used.

use std::{path::PathBuf, sync::Arc};

use super::{Placed, Post, Runner, forgotten};
use crate::{
    base::{
        progress::{News, Progress},
        secret::SecretText,
    },
    recovery::passphrase_list::{self, Goal, List},
    secret_storage::guesses::Kind,
    tui::message::{Guessing, Happened, Hit, Job},
};

/// Tells how far the tries are.
struct Trying(Post);

impl Progress for Trying {
    fn tell(&self, news: News) {
        if let News::Guessing { tried, of, in_ten_seconds, left } = news {
            self.0.send(Happened::Guessing(Guessing { tried, of, in_ten_seconds, left }));
        }
    }
}

impl Runner {
    pub(super) fn read_list(&mut self, job: Job, file: PathBuf) {
        let post = self.post(job);
        tokio::task::spawn_blocking(move || {
            post.send(Happened::ListRead(passphrase_list::read_file(&file)));
        });
    }

    pub(super) fn count(&mut self, job: Job, visit: Job, lines: Vec<SecretText>, kinds: Vec<Kind>) {
        let post = self.post(job);
        let Some(Placed { it: visit, .. }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Counted(Err(forgotten("visit"))));
        };
        tokio::task::spawn_blocking(move || {
            let counted = List::of(lines, &kinds).map(|list| visit.estimate(&list));
            post.send(Happened::Counted(counted));
        });
    }

    pub(super) fn guess(
        &mut self,
        job: Job,
        visit: Job,
        (lines, kinds): (Vec<SecretText>, Vec<Kind>),
        slow: bool,
    ) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(Placed { it: visit, .. }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Guessed(Err(forgotten("visit"))));
        };
        tokio::spawn(async move {
            let list = tokio::task::spawn_blocking(move || List::of(lines, &kinds)).await;
            let list = match list.unwrap_or_else(|_| Err(forgotten("list"))) {
                Ok(list) => Arc::new(list),
                Err(failure) => return post.send(Happened::Guessed(Err(failure))),
            };
            let progress: Arc<dyn Progress> = Arc::new(Trying(post.clone()));
            let searched = visit.try_list(&list, Goal::FirstLock, slow, &progress, &cancel).await;
            let guessed = searched.and_then(|mut searched| {
                let exhausted = searched.exhausted();
                let opened = searched.opened.into_iter().next();
                let hit = opened.zip(searched.secrets.pop()).map(|(opened, secret)| Hit {
                    secret,
                    line: opened.line,
                    variation: opened.variation,
                });
                hit.map(Box::new).ok_or(exhausted)
            });
            post.send(Happened::Guessed(guessed));
        });
    }
}

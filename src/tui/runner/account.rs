//! Finding a server, signing in and out, looking which backups there are.

use std::sync::Arc;

use super::{Held, Placed, Runner, forgotten, paper};
use crate::{
    backup::version::BackupVersion,
    base::{cancel::Cancel, failure::Failure, progress::Silent},
    demo::{running::Running, stories::Story},
    recovery::{
        look::Wanted,
        looks,
        sign_in::{self, Account, Asked, Left, Surroundings, Way},
        trust::Trust,
        visit::{Place, Visit},
    },
    tui::{
        effect::At,
        message::{Happened, Job, Looked, Signed},
    },
};

impl Runner {
    pub(super) fn find(&mut self, job: Job, typed: String) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let surroundings = Arc::clone(&self.surroundings);
        tokio::spawn(async move {
            let found = sign_in::find(&typed, &surroundings, &cancel).await;
            post.send(Happened::Found(found));
        });
    }

    pub(super) fn sign_in(
        &mut self,
        job: Job,
        server: Option<String>,
        user: Option<String>,
        way: Way,
    ) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let surroundings = self.surroundings_of(server.as_deref());
        let device = self.own_device(server.as_deref(), user.as_deref());
        tokio::spawn(async move {
            let (keep, renew) = (false, false);
            let asked = Asked { homeserver: server, user, way, keep, device, renew };
            match sign_in::sign_in(asked, &surroundings, &Silent, &cancel).await {
                Ok(account) => {
                    let (user_id, server) = (account.user_id().to_owned(), account.server());
                    let device = account.device();
                    let happened = Happened::SignedIn(Ok(Signed { user_id, server, device }));
                    let account = Placed { it: Arc::new(account), surroundings };
                    post.bring(happened, Held::Account(account));
                }
                Err(failure) => post.send(Happened::SignedIn(Err(failure))),
            }
        });
    }

    /// The device that was made for this account earlier in this run and not removed yet: whoever signs in
    /// again, because its token has expired, takes it again.
    fn own_device(&self, server: Option<&str>, user: Option<&str>) -> Option<String> {
        let (server, user) = (server?.trim_end_matches('/'), user?);
        let same = |account: &&Account| {
            let server_same = account.server().trim_end_matches('/') == server;
            server_same && account.user_id() == user
        };
        let account = self.accounts.values().map(|placed| &*placed.it).find(same)?;
        account.own_device().map(str::to_owned)
    }

    pub(super) fn look(&mut self, job: Job, at: At, wanted: Wanted) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let (place, surroundings) = match at {
            At::Snapshot(file) => {
                let demo = self.demo.as_ref().map(|demo| &demo.surroundings);
                let demo = demo.filter(|demo| file.starts_with(&demo.data_dir));
                let surroundings = Arc::clone(demo.unwrap_or(&self.surroundings));
                (Place::Snapshot { file, user: None, server: None }, surroundings)
            }
            At::Account(account) => match self.accounts.get(&account).cloned() {
                Some(Placed { it, surroundings }) => (Place::Server(it), surroundings),
                None => return post.send(Happened::Looked(Err(forgotten("account")))),
            },
        };
        tokio::spawn(async move {
            let mut seen = |version: &BackupVersion| {
                post.send(Happened::Seen(Box::new(version.clone())));
            };
            let begun = Visit::begin(place, &wanted, &mut seen, &Silent, &cancel).await;
            let looked = match begun {
                Ok(visit) => judged(visit, &surroundings, &cancel).await,
                Err(failure) => Err(failure),
            };
            match looked {
                Ok((looked, visit)) => {
                    let happened = Happened::Looked(Ok(Box::new(looked)));
                    let visit = Placed { it: Arc::new(visit), surroundings };
                    post.bring(happened, Held::Visit(visit));
                }
                Err(failure) => post.send(Happened::Looked(Err(failure))),
            }
        });
    }

    pub(super) fn begin_demo(&mut self, job: Job) {
        let post = self.post(job);
        if let Some(demo) = &self.demo {
            return post.send(Happened::Demo(Ok(paper(&demo.running))));
        }
        tokio::spawn(async move {
            match Running::begin(Story::Plain).await {
                Ok(demo) => {
                    let paper = paper(&demo);
                    post.bring(Happened::Demo(Ok(paper)), Held::Demo(Box::new(demo)));
                }
                Err(failure) => post.send(Happened::Demo(Err(failure))),
            }
        });
    }

    pub(super) fn leave(&mut self, job: Job, account: Job, stay: bool) {
        let post = self.post(job);
        let Some(Placed { it: account, surroundings }) = self.accounts.remove(&account) else {
            return post.send(Happened::Left(Ok(Left::NotOurs)));
        };
        tokio::spawn(async move {
            // Leaving must work after any wish to stop.
            let cancel = Cancel::default();
            let left = if stay {
                sign_in::stay(&account, &surroundings, &Silent, &cancel).await
            } else {
                account.leave(&Silent, &cancel).await
            };
            post.send(Happened::Left(left));
        });
    }
}

/// Adds to what was seen who signed it, and what changed since the last visit.
async fn judged(
    visit: Visit,
    surroundings: &Surroundings,
    cancel: &Cancel,
) -> Result<(Looked, Visit), Failure> {
    let trust = Trust::of(&visit, cancel).await?;
    let overview = visit.overview.clone();
    let signers = overview.versions.iter();
    let signers = signers
        .map(|version| (version.version.clone(), trust.signers(version, &overview)))
        .collect();
    let mut earlier = Vec::new();
    if let Place::Server(_) = visit.place {
        earlier = looks::earlier(&overview, &surroundings.data_dir);
        looks::remember(&overview, &surroundings.data_dir);
    }
    let judged = trust.could_judge();
    Ok((Looked { overview, signers, judged, earlier }, visit))
}

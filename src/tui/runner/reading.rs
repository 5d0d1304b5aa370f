//! Reading versions and rooms, and asking what rooms are called.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Placed, Runner, forgotten};
use crate::{
    backup::version::BackupVersion,
    base::progress::{Progress, Silent},
    recovery::{contents, haul, names, source::Source},
    tui::message::{Happened, Job},
};

/// Most names in one report, and the longest time that one waits for others.
const NAMES: usize = 64;
const NAMES_WAIT: Duration = Duration::from_millis(150);

/// Which version to read, and how.
pub(super) struct Haul {
    pub(super) visit: Job,
    pub(super) version: BackupVersion,
    pub(super) save: bool,
    pub(super) afresh: bool,
    pub(super) from: Option<PathBuf>,
}

impl Runner {
    pub(super) fn haul(&mut self, job: Job, wanted: Haul) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Haul { visit, version, save, afresh, from } = wanted;
        let Some(Placed { it: visit, surroundings }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Hauled(Box::new(Err(forgotten("visit")))));
        };
        tokio::spawn(async move {
            let glances = post.clone();
            let glances = Box::new(move |glance| glances.send(Happened::Glanced(glance)));
            let hauling = haul::Hauling {
                visit: &visit,
                version: &version,
                data_dir: &surroundings.data_dir,
                save,
                afresh,
                from,
            };
            let progress: Arc<dyn Progress> = Arc::new(Silent);
            let hauled = haul::haul(hauling, glances, progress, cancel).await;
            post.send(Happened::Hauled(Box::new(hauled)));
        });
    }

    pub(super) fn names(&mut self, job: Job, visit: Job, rooms: Vec<Arc<str>>) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(Placed { it: visit, surroundings }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::NamesEnded);
        };
        tokio::spawn(async move {
            let mut gathered = Vec::new();
            let mut last = Instant::now();
            let mut told = |id: &Arc<str>, name: &names::RoomName| {
                gathered.push((Arc::clone(id), name.clone()));
                if gathered.len() >= NAMES || last.elapsed() >= NAMES_WAIT {
                    last = Instant::now();
                    post.send(Happened::Named(std::mem::take(&mut gathered)));
                }
            };
            let data_dir = Some(&*surroundings.data_dir);
            names::names(&visit, &rooms, data_dir, &mut told, &Silent, &cancel).await;
            post.send(Happened::Named(gathered));
            post.send(Happened::NamesEnded);
        });
    }

    pub(super) fn sessions(
        &mut self,
        job: Job,
        visit: Job,
        version: &BackupVersion,
        room: Arc<str>,
        file: Option<PathBuf>,
    ) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let Some(Placed { it: visit, surroundings }) = self.visits.get(&visit).cloned() else {
            return post.send(Happened::Sessions(Err(forgotten("visit"))));
        };
        let source = match file {
            Some(file) => Source::Snapshot { file },
            None => visit.rooms(version, vec![room.to_string()]),
        };
        let store = visit.store(&surroundings.data_dir);
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        tokio::spawn(async move {
            let read = contents::sessions(source, &room, store, progress, cancel).await;
            post.send(Happened::Sessions(read));
        });
    }
}

//! Does what the model wants done: the only place of the assistant that starts work. It holds who is signed
//! in and where; the model knows them by the number of the job that brought them.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    effect::{At, Effect},
    message::{DemoPaper, Happened, Job, Looked, Signed},
};
use crate::{
    backup::version::BackupVersion,
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::{Progress, Silent},
        shown::Shown,
    },
    demo::{running::Running, stories::Story},
    recovery::{
        contents, haul,
        look::Wanted,
        looks, names,
        sign_in::{self, Account, Asked, Left, Surroundings, Way},
        snapshots,
        source::Source,
        trust::Trust,
        visit::{Place, Visit},
    },
};

/// Most names in one report, and the longest time that one waits for others.
const NAMES: usize = 64;
const NAMES_WAIT: Duration = Duration::from_millis(150);

/// What work reports, and what is to be held for later work.
pub struct Report {
    /// The work.
    pub job: Job,
    /// What it reports.
    pub happened: Happened,
    held: Option<Held>,
}

enum Held {
    Account(Placed<Account>),
    Visit(Placed<Visit>),
    Demo(Box<Running>),
}

/// Does what the model wants done.
pub struct Runner {
    surroundings: Arc<Surroundings>,
    reports: UnboundedSender<Report>,
    cancels: HashMap<Job, Cancel>,
    accounts: HashMap<Job, Placed<Account>>,
    visits: HashMap<Job, Placed<Visit>>,
    demo: Option<Demo>,
}

/// Something, and where files about it go.
struct Placed<T> {
    it: Arc<T>,
    surroundings: Arc<Surroundings>,
}

impl<T> Clone for Placed<T> {
    fn clone(&self) -> Self {
        Self { it: Arc::clone(&self.it), surroundings: Arc::clone(&self.surroundings) }
    }
}

/// The demo, whose server runs as long as this is held, and the folder for what a made-up person leaves.
struct Demo {
    running: Running,
    surroundings: Arc<Surroundings>,
}

impl Runner {
    /// A runner, and where its work reports; the demo comes with the folder for its files.
    pub fn new(
        surroundings: Surroundings,
        demo: Option<(Running, PathBuf)>,
    ) -> (Self, UnboundedReceiver<Report>) {
        let (reports, receiver) = unbounded_channel();
        let mut runner = Self {
            surroundings: Arc::new(surroundings),
            reports,
            cancels: HashMap::new(),
            accounts: HashMap::new(),
            visits: HashMap::new(),
            demo: None,
        };
        runner.demo = demo.map(|(running, data_dir)| runner.demo(running, data_dir));
        (runner, receiver)
    }

    /// Keeps what a report brings along.
    pub fn hold(&mut self, report: &mut Report) {
        if !report.happened.goes_on() {
            self.cancels.remove(&report.job);
        }
        match report.held.take() {
            Some(Held::Account(account)) => {
                self.accounts.insert(report.job, account);
            }
            Some(Held::Visit(visit)) => {
                self.visits.insert(report.job, visit);
            }
            Some(Held::Demo(running)) => {
                let data_dir = running.data_dir();
                self.demo = Some(self.demo(*running, data_dir));
            }
            None => {}
        }
    }

    /// The demo: what a made-up account leaves goes to a folder of its own.
    fn demo(&self, running: Running, data_dir: PathBuf) -> Demo {
        let Surroundings { allow_http, ca_file, .. } = &*self.surroundings;
        let (allow_http, ca_file) = (*allow_http, ca_file.clone());
        Demo { running, surroundings: Arc::new(Surroundings { allow_http, ca_file, data_dir }) }
    }

    /// Where files of an account on this server go.
    fn surroundings_of(&self, server: Option<&str>) -> Arc<Surroundings> {
        let same = |demo: &&Demo| {
            let address = demo.running.homeserver();
            server
                .is_some_and(|server| server.trim_end_matches('/') == address.trim_end_matches('/'))
        };
        let demo = self.demo.as_ref().filter(same);
        Arc::clone(demo.map_or(&self.surroundings, |demo| &demo.surroundings))
    }

    /// Begins one piece of work. Copying, drawing and suspending are the terminal's.
    pub fn begin(&mut self, effect: Effect) {
        match effect {
            Effect::Cancel(job) => {
                if let Some(cancel) = self.cancels.get(&job) {
                    cancel.cancel();
                }
            }
            Effect::Find { job, typed } => self.find(job, typed),
            Effect::SignIn { job, server, user, way } => self.sign_in(job, server, user, way),
            Effect::Look { job, at, wanted } => self.look(job, at, wanted),
            Effect::Haul { job, visit, version, save, afresh } => {
                self.haul(job, visit, *version, save, afresh);
            }
            Effect::Names { job, visit, rooms } => self.names(job, visit, rooms),
            Effect::Sessions { job, visit, version, room, file } => {
                self.sessions(job, visit, &version, room, file);
            }
            Effect::Kept { job, account } => {
                let account = account.and_then(|account| self.accounts.get(&account));
                let surroundings = account.map_or(&self.surroundings, |one| &one.surroundings);
                let (surroundings, post) = (Arc::clone(surroundings), self.post(job));
                tokio::task::spawn_blocking(move || {
                    post.send(Happened::Kept(snapshots::kept(&surroundings.data_dir)));
                });
            }
            Effect::Demo { job } => self.begin_demo(job),
            Effect::Leave { job, account, stay } => self.leave(job, account, stay),
            Effect::Forget(visit) => {
                self.visits.remove(&visit);
            }
            Effect::Copy(_) | Effect::Redraw | Effect::Suspend => {}
        }
    }

    fn post(&self, job: Job) -> Post {
        Post { job, reports: self.reports.clone() }
    }

    /// The wish to stop of a new piece of work.
    fn cancel(&mut self, job: Job) -> Cancel {
        let cancel = Cancel::default();
        self.cancels.insert(job, cancel.clone());
        cancel
    }

    fn find(&mut self, job: Job, typed: String) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let surroundings = Arc::clone(&self.surroundings);
        tokio::spawn(async move {
            let found = sign_in::find(&typed, &surroundings, &cancel).await;
            post.send(Happened::Found(found));
        });
    }

    fn sign_in(&mut self, job: Job, server: Option<String>, user: Option<String>, way: Way) {
        let (cancel, post) = (self.cancel(job), self.post(job));
        let surroundings = self.surroundings_of(server.as_deref());
        tokio::spawn(async move {
            let asked = Asked { homeserver: server, user, way, keep: false };
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

    fn look(&mut self, job: Job, at: At, wanted: Wanted) {
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

    fn haul(&mut self, job: Job, visit: Job, version: BackupVersion, save: bool, afresh: bool) {
        let (cancel, post) = (self.cancel(job), self.post(job));
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
            };
            let progress: Arc<dyn Progress> = Arc::new(Silent);
            let hauled = haul::haul(hauling, glances, progress, cancel).await;
            post.send(Happened::Hauled(Box::new(hauled)));
        });
    }

    fn names(&mut self, job: Job, visit: Job, rooms: Vec<Arc<str>>) {
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

    fn sessions(
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

    fn begin_demo(&mut self, job: Job) {
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

    fn leave(&mut self, job: Job, account: Job, stay: bool) {
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

/// What lies on the table of the made-up person.
pub fn paper(demo: &Running) -> DemoPaper {
    DemoPaper {
        server: demo.homeserver(),
        user: demo.user(),
        password: Arc::new(demo.password()),
        recovery_key: Shown::new(demo.recovery_key().expose()),
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

/// What the model names is not held: a bug of ours, told as one.
fn forgotten(what: &str) -> Failure {
    Failure::new(Code::Bug).with("file", "the log").because(&format!("the {what} is not held"))
}

/// Where one piece of work reports.
#[derive(Clone)]
struct Post {
    job: Job,
    reports: UnboundedSender<Report>,
}

impl Post {
    fn send(&self, happened: Happened) {
        // Nobody hears any more when the program ends.
        let _ = self.reports.send(Report { job: self.job, happened, held: None });
    }

    fn bring(&self, happened: Happened, held: Held) {
        let _ = self.reports.send(Report { job: self.job, happened, held: Some(held) });
    }
}

//! Does what the model wants done: the only place of the assistant that starts work. It holds who is signed
//! in, where, and what was opened; the model knows them by the number of the job that brought them.

mod account;
mod guessing;
mod insight;
mod mending;
mod reading;
mod restoring;

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::{reading::Haul, restoring::Restore};
use super::{
    clipboard::Clipboard,
    effect::Effect,
    message::{DemoPaper, Happened, Job},
};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        pause::Pause,
        progress::{News, Progress},
        random::SystemRandom,
        secret::SecretText,
        shown::Shown,
    },
    demo::{running::Running, stories::Story},
    recovery::{
        key_files::{export::Export, passphrase},
        sign_in::{Account, Surroundings},
        snapshots,
        visit::Visit,
        watch::Front,
    },
};

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
    /// How restores that run are paused and steered.
    watches: HashMap<Job, (Pause, Front)>,
    demo: Option<Demo>,
    clipboard: Option<Clipboard>,
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
        clipboard: Option<Clipboard>,
    ) -> (Self, UnboundedReceiver<Report>) {
        let (reports, receiver) = unbounded_channel();
        let mut runner = Self {
            surroundings: Arc::new(surroundings),
            reports,
            cancels: HashMap::new(),
            accounts: HashMap::new(),
            visits: HashMap::new(),
            watches: HashMap::new(),
            demo: None,
            clipboard,
        };
        runner.demo = demo.map(|(running, data_dir)| runner.demo(running, data_dir));
        (runner, receiver)
    }

    /// Keeps what a report brings along.
    pub fn hold(&mut self, report: &mut Report) {
        if !report.happened.goes_on() {
            self.cancels.remove(&report.job);
            self.watches.remove(&report.job);
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
        let surroundings = Surroundings { data_dir, ..(*self.surroundings).clone() };
        Demo { running, surroundings: Arc::new(surroundings) }
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
            Effect::Haul { job, visit, version, save, afresh, from } => {
                self.haul(job, Haul { visit, version: *version, save, afresh, from });
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
            Effect::Unlock { job, visit, secrets, slow } => self.unlock(job, visit, secrets, slow),
            Effect::ReadList { job, file } => self.read_list(job, file),
            Effect::Count { job, visit, lines, kinds } => self.count(job, visit, lines, kinds),
            Effect::Guess { job, visit, lines, kinds, slow } => {
                self.guess(job, visit, (lines, kinds), slow);
            }
            Effect::Mend { job, visit, secret } => self.mend(job, visit, secret),
            Effect::Restore { job, visit, versions, rooms, from, dry_run, save } => {
                let wanted = Restore { visit, versions, rooms, from, dry_run, save };
                self.restore(job, wanted);
            }
            Effect::Pause(job, paused) => {
                if let Some((pause, _)) = self.watches.get(&job) {
                    pause.set(paused);
                }
            }
            Effect::Front(job, room) => {
                if let Some((_, front)) = self.watches.get(&job) {
                    front.bring(room);
                }
            }
            Effect::Forget(visit) => {
                self.visits.remove(&visit);
            }
            Effect::History { job, visit, room, from } => self.history(job, visit, room, from),
            Effect::MakePassphrase { job } => {
                self.post(job).send(Happened::Passphrase(passphrase::make(&mut SystemRandom)));
            }
            Effect::Export { job, visit, file, rooms, passphrase } => {
                let wish = Export { file, rooms, passphrase, overwrite: false };
                self.export(job, visit, wish);
            }
            Effect::CheckUp { job, visit } => self.check_up(job, visit),
            Effect::Compare { job, visit, own, beside } => self.compare(job, visit, own, beside),
            Effect::Paper { job, visit, paper, file } => self.paper(job, visit, paper, file),
            Effect::Copy { job, text } => self.copy(job, text),
            Effect::CopyByTerminal(_) | Effect::Redraw | Effect::Suspend => {}
        }
    }

    /// Copies to the clipboard of this computer, or gives the text back for that of the terminal.
    fn copy(&self, job: Job, text: SecretText) {
        let post = self.post(job);
        let Some(clipboard) = self.clipboard.clone() else {
            return post.send(Happened::Copied(Some(text)));
        };
        tokio::spawn(async move {
            let copied = clipboard.copy(text.duplicate()).await;
            post.send(Happened::Copied(Some(text).filter(|_| !copied)));
        });
    }

    fn post(&self, job: Job) -> Post {
        Post { job, reports: self.reports.clone() }
    }

    /// The wish to stop of a new piece of work.
    fn cancel(&mut self, job: Job) -> Cancel {
        let cancel = Cancel::default().heard_by(Arc::new(Ear(self.post(job))));
        self.cancels.insert(job, cancel.clone());
        cancel
    }
}

/// What lies on the table of the made-up person.
pub fn paper(demo: &Running) -> DemoPaper {
    let story = (demo.story() != Story::Plain).then(|| demo.story().name());
    DemoPaper {
        story,
        server: demo.homeserver(),
        user: demo.user(),
        password: Arc::new(demo.password()),
        recovery_key: Shown::new(demo.recovery_key().expose()),
    }
}

/// What the model names is not held: a bug of ours, told as one.
fn forgotten(what: &str) -> Failure {
    Failure::new(Code::Bug).with("file", "the log").because(&format!("the {what} is not held"))
}

/// Hears what a server lets us wait for, below all that a use-case tells.
struct Ear(Post);

impl Progress for Ear {
    fn tell(&self, news: News) {
        match news {
            News::Waiting { left, why } => self.0.send(Happened::Waiting(left, why)),
            News::RoomByRoom { done, all } => self.0.send(Happened::RoomByRoom(done, all)),
            _ => {}
        }
    }
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

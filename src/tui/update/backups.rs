//! Step 2: which versions exist, and which of them to open.

use crate::{
    backup::version::BackupVersion,
    base::{
        failure::{Code, Failure},
        shown::Shown,
    },
    recovery::look::{Wanted, of_known_kind},
    tui::{
        effect::{At, Effect},
        field::Field,
        haul::{Haul, Reading},
        intent::Intent,
        jobs::Work,
        list::{Cursor, Move},
        message::{Job, Looked},
        model::{Model, Step, Visiting},
        overlay::{Choice, Overlay, Repeat},
        screens,
    },
};

impl Model {
    pub(super) fn on_backups(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::GoOn if self.backups.focus().is_some() => self.go_on_from_backups(effects),
            Intent::GoOn if self.backups.looked.is_some() => self.open_file(effects),
            Intent::GoOn => self.remark("One moment: the server is being asked."),
            Intent::Back => self.go_to(Step::SignIn, effects),
            Intent::Again => self.look_again(effects),
            Intent::ByNumber if self.is_offline() => {
                self.remark("A snapshot holds one backup only.");
            }
            Intent::ByNumber => self.overlays.push(Overlay::ByNumber { field: Field::default() }),
            Intent::Choose | Intent::ChooseAll => self.tick(intent),
            Intent::CheckUp => self.open_check_up(effects),
            Intent::Compare => self.open_compare(effects),
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// Ticks boxes: what is to be restored together.
    fn tick(&mut self, intent: Intent) {
        if self.backups.versions().len() < 2 {
            return self.remark("There is one backup only: Enter opens it.");
        }
        if intent == Intent::ChooseAll {
            self.backups.tick_all();
        } else if let Some(Err(failure)) = self.backups.focus().map(of_known_kind) {
            return self.failed(failure, Vec::new());
        } else {
            self.backups.tick();
        }
        // Whoever ticks boxes decides anew what is to be restored.
        self.key.wanted = None;
    }

    /// The ticked versions go to the key together; a single one is opened, as the one in focus is.
    fn go_on_from_backups(&mut self, effects: &mut Vec<Effect>) {
        let ticked: Vec<String> = self.ticked();
        let versions = self.backups.versions();
        let first =
            ticked.first().and_then(|name| versions.iter().position(|v| v.version == *name));
        if let Some(first) = first {
            self.backups.cursor.at = first;
        }
        self.open_contents(effects);
        if ticked.len() > 1 {
            ticked.iter().for_each(|name| self.read_version(name, effects));
            self.go_to(Step::Key, effects);
        }
    }

    /// The names of the versions whose boxes are ticked, from new to old.
    pub(in crate::tui) fn ticked(&self) -> Vec<String> {
        self.backups.ticked().into_iter().map(|version| version.version.clone()).collect()
    }

    /// Begins to read a version, unless somebody did.
    pub(super) fn read_version(&mut self, name: &str, effects: &mut Vec<Effect>) {
        if !self.hauls.contains_key(name) {
            self.hauls.insert(name.to_owned(), Haul::begin(self.now));
            self.haul_version(name, false, effects);
        }
    }

    /// Looks once more at the same place.
    pub(super) fn look_again(&mut self, effects: &mut Vec<Effect>) {
        let file = self.visiting.as_ref().and_then(|visiting| visiting.file.clone());
        let at = match (file, &self.account) {
            (Some(file), _) => At::Snapshot(file),
            (None, Some(account)) => At::Account(account.job),
            (None, None) => return self.remark("Sign in first, or open a snapshot with o."),
        };
        self.look_for(at, self.settings.wanted.clone(), effects);
    }

    /// Opens the contents of the version in focus, and begins to read them if nobody did.
    pub(super) fn open_contents(&mut self, effects: &mut Vec<Effect>) {
        let Some(version) = self.backups.focus().cloned() else { return };
        if let Err(failure) = of_known_kind(&version) {
            return self.failed(failure, Vec::new());
        }
        self.open = Some(version.version.clone());
        self.branches.clear();
        self.finding = false;
        self.explaining = None;
        self.step = Step::Contents;
        self.read_version(&version.version, effects);
        self.settle();
    }

    /// Reads a version. Somebody may open one while older ones are still looked for: it is read once the
    /// look is done.
    pub(super) fn haul_version(&mut self, name: &str, afresh: bool, effects: &mut Vec<Effect>) {
        let now = self.now;
        if self.backups.looked.is_some() && self.backups.version(name).is_none() {
            return self.version_is_gone(name);
        }
        if let Some(haul) = self.hauls.get_mut(name) {
            haul.again(now);
        }
        self.plan_is_stale(name);
        if self.backups.looked.is_none() {
            if self.jobs.since(&Work::Look).is_none() {
                self.look_again(effects);
            }
            return;
        }
        let Some(version) = self.backups.version(name) else { return };
        let version = Box::new(version.clone());
        let Some(visit) = self.visit() else { return };
        let job = self.begin(Work::Haul(name.to_owned()), effects);
        let save = self.saves();
        effects.push(Effect::Haul { job, visit, version, save, afresh, from: None });
    }

    /// Counts a version's snapshot anew: what is on this computer has changed.
    pub(super) fn count_again(&mut self, name: &str, effects: &mut Vec<Effect>) {
        let Some(haul) = self.hauls.get_mut(name).filter(|haul| !haul.is_reading()) else { return };
        let Some(file) = haul.saved().map(|saved| saved.file.clone()) else { return };
        let Some(version) = self.backups.version(name).cloned().map(Box::new) else { return };
        let Some(visit) = self.visit() else { return };
        let job = self.begin(Work::Recount(name.to_owned()), effects);
        let from = Some(file);
        effects.push(Effect::Haul { job, visit, version, save: false, afresh: false, from });
    }

    /// The visit to work with: the one that opened something, if there is one, because it sees the store.
    pub(super) fn visit(&self) -> Option<Job> {
        self.key.visit.or(self.visiting.as_ref().map(|visiting| visiting.job))
    }

    /// Somebody deleted the version meanwhile; what was read of it stays.
    fn version_is_gone(&mut self, name: &str) {
        if let Some(haul) = self.hauls.get_mut(name).filter(|haul| haul.is_reading()) {
            haul.reading = Reading::Failed;
        }
        let gone = Failure::new(Code::BackupGoneForGood).with("n", Shown::limited(name, 20));
        self.failed(gone, vec![Choice::Snapshot]);
    }

    pub(super) fn looked(
        &mut self,
        job: Job,
        looked: Result<Box<Looked>, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let looked = match looked {
            Ok(looked) => *looked,
            Err(failure) => return self.look_failed(failure, effects),
        };
        let file = self.opening.take();
        if file.is_some() {
            self.overlays.retain(|overlay| !matches!(overlay, Overlay::OpenFile { .. }));
            self.start_afresh(effects);
        }
        if self.visiting.as_ref().is_none_or(|visiting| visiting.job != job) {
            self.forget_visit(effects);
        }
        self.visiting = Some(Visiting { job, file });
        if let Wanted::Named(name) = &self.settings.wanted
            && !looked.overview.versions.iter().any(|version| version.version == *name)
        {
            let name = Shown::limited(name, 20);
            self.remark(format!("There is no backup {name}. These are all that were found."));
        }
        let names = |versions: &[BackupVersion]| -> Vec<String> {
            versions.iter().map(|version| version.version.clone()).collect()
        };
        let other = names(self.backups.versions()) != names(&looked.overview.versions);
        let place = self.backups.take(looked, &self.settings.wanted);
        if other && !self.is_restoring() {
            // What is typed may open the others, too.
            self.close_key(effects);
        }
        if self.step == Step::SignIn {
            self.step = Step::Backups;
        }
        let count = self.backups.versions().len();
        self.backups.cursor.go(Move::To(place), count, screens::list_height(self));
        if self.is_offline() && count == 1 {
            self.open_contents(effects);
        }
        for name in self.waiting_hauls() {
            self.haul_version(&name, false, effects);
        }
        if self.step == Step::Key {
            self.try_if_ready(effects);
        }
    }

    /// Goes on with the first look at the account, which made room for a look into a file.
    pub(super) fn look_on(&mut self, effects: &mut Vec<Effect>) {
        let wanted = self.visiting.is_some() && self.backups.looked.is_none();
        if wanted && self.jobs.since(&Work::Look).is_none() {
            self.look_again(effects);
        }
    }

    /// The versions that are to be read, although nothing reads them yet.
    fn waiting_hauls(&self) -> Vec<String> {
        let waits = |name: &&String| self.jobs.since(&Work::Haul((*name).clone())).is_none();
        let reading = self.hauls.iter().filter(|(_, haul)| haul.is_reading());
        reading.map(|(name, _)| name).filter(waits).cloned().collect()
    }

    fn look_failed(&mut self, failure: Failure, effects: &mut Vec<Effect>) {
        let file = self.opening.take();
        if file.is_some() {
            self.look_on(effects);
        } else {
            // What is being read goes on; what waited for this look does not.
            for name in self.waiting_hauls() {
                if let Some(haul) = self.hauls.get_mut(&name) {
                    haul.reading = Reading::Failed;
                }
            }
        }
        if failure.code() == Code::Stopped {
            return;
        }
        if file.is_some()
            && let Some(Overlay::OpenFile { failed, .. }) = self.overlays.last_mut()
        {
            *failed = Some(failure);
            return;
        }
        let again = Choice::Again(Repeat::Look(file));
        self.failed(failure, vec![again, Choice::Snapshot, Choice::SignIn]);
    }

    /// Shows a failure above the screen; what is behind keeps its data.
    pub(super) fn failed(&mut self, failure: Failure, choices: Vec<Choice>) {
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Failed { .. }));
        let cursor = Cursor::default();
        self.overlays.push(Overlay::Failed { failure, choices, cursor, detail: false });
    }
}

//! Step 2: which versions exist, and which of them to open.

use crate::{
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
        overlay::{Choice, Overlay},
        screens,
    },
};

impl Model {
    pub(super) fn on_backups(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::GoOn if self.backups.focus().is_some() => self.open_contents(effects),
            Intent::GoOn if self.backups.looked.is_some() => self.open_file(effects),
            Intent::GoOn => self.remark("One moment: the server is being asked."),
            Intent::Back => self.go_to(Step::SignIn, effects),
            Intent::Again => self.look_again(Wanted::Current, effects),
            Intent::ByNumber if self.is_offline() => {
                self.remark("A snapshot holds one backup only.");
            }
            Intent::ByNumber => self.overlays.push(Overlay::ByNumber { field: Field::default() }),
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// Looks once more at the same place.
    pub(super) fn look_again(&mut self, wanted: Wanted, effects: &mut Vec<Effect>) {
        let file = self.visiting.as_ref().and_then(|visiting| visiting.file.clone());
        let at = match (file, &self.account) {
            (Some(file), _) => At::Snapshot(file),
            (None, Some(account)) => At::Account(account.job),
            (None, None) => return self.remark("Sign in first, or open a snapshot with o."),
        };
        self.look_for(at, wanted, effects);
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
        if !self.hauls.contains_key(&version.version) {
            self.hauls.insert(version.version.clone(), Haul::begin(self.now));
            self.haul_version(false, effects);
        }
        self.settle();
    }

    /// Reads the version that is open. Somebody may open one while older ones are still looked for: it is
    /// read once the look is done.
    pub(super) fn haul_version(&mut self, afresh: bool, effects: &mut Vec<Effect>) {
        if self.backups.looked.is_none() {
            if self.jobs.since(&Work::Look).is_none() {
                self.look_again(self.settings.wanted.clone(), effects);
            }
            return;
        }
        let Some(version) = self.open.as_ref().and_then(|name| self.backups.version(name)) else {
            return;
        };
        let version = Box::new(version.clone());
        let Some(visit) = self.visiting.as_ref().map(|visiting| visiting.job) else { return };
        let job = self.begin(Work::Haul(version.version.clone()), effects);
        effects.push(Effect::Haul { job, visit, version, afresh });
    }

    pub(super) fn looked(
        &mut self,
        job: Job,
        looked: Result<Box<Looked>, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let looked = match looked {
            Ok(looked) => *looked,
            Err(failure) => return self.look_failed(failure),
        };
        if let Some(file) = self.opening.take() {
            self.overlays.retain(|overlay| !matches!(overlay, Overlay::OpenFile { .. }));
            self.start_afresh(effects);
            self.visiting = Some(Visiting { job, file: Some(file) });
        } else {
            self.visiting = Some(Visiting { job, file: None });
        }
        self.backups.seen.clear();
        let wanted = match &self.settings.wanted {
            Wanted::Named(name) => Some(name.clone()),
            _ => looked.overview.current.clone(),
        };
        let versions = &looked.overview.versions;
        let place = versions.iter().position(|version| Some(&version.version) == wanted.as_ref());
        if let (Wanted::Named(name), None) = (&self.settings.wanted, place) {
            let name = Shown::limited(name, 20);
            self.remark(format!("There is no backup {name}. These are all that were found."));
        }
        let open_at_once = self.is_offline() && versions.len() == 1;
        self.backups.looked = Some(looked);
        if self.step == Step::SignIn {
            self.step = Step::Backups;
        }
        self.backups.cursor.go(
            Move::To(place.unwrap_or(0)),
            self.backups.versions().len(),
            screens::list_height(self),
        );
        if open_at_once {
            self.open_contents(effects);
        }
        let waits = self.open.as_ref().filter(|open| {
            let reading = self.hauls.get(*open).is_some_and(Haul::is_reading);
            reading && self.jobs.since(&Work::Haul((*open).clone())).is_none()
        });
        if waits.is_some() {
            self.haul_version(false, effects);
        }
    }

    fn look_failed(&mut self, failure: Failure) {
        self.opening = None;
        for (version, haul) in &mut self.hauls {
            // What is being read goes on; what waited for this look does not.
            if haul.is_reading() && self.jobs.since(&Work::Haul(version.clone())).is_none() {
                haul.reading = Reading::Failed;
            }
        }
        if failure.code() == Code::Stopped {
            return;
        }
        if let Some(Overlay::OpenFile { failed, .. }) = self.overlays.last_mut() {
            *failed = Some(failure);
            return;
        }
        self.failed(failure, vec![Choice::Again, Choice::Snapshot, Choice::SignIn]);
    }

    /// Shows a failure above the screen; what is behind keeps its data.
    pub(super) fn failed(&mut self, failure: Failure, choices: Vec<Choice>) {
        self.overlays.retain(|overlay| !matches!(overlay, Overlay::Failed { .. }));
        let cursor = Cursor::default();
        self.overlays.push(Overlay::Failed { failure, choices, cursor, detail: false });
    }
}

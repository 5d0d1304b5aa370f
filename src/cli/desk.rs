//! What a command needs from its options: an account or a snapshot, secrets, a place for files.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use etcetera::BaseStrategy;
use jiff::tz::TimeZone;

use super::{args::Global, inputs::Inputs, output::Output, progress::Stderr};
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::{Progress, Silent},
        secret::SecretText,
        shown::Shown,
        words::date,
    },
    demo::running::{self, Running},
    recovery::{
        look::{Overview, Wanted},
        looks,
        passphrase_list::{Goal, List, Searched},
        sign_in::{Asked, Left, Patience, Surroundings, Way, is_kept, sign_in},
        store::{Finding, Kept},
        visit::{Place, Visit},
    },
    secret_storage::guesses::Kind,
};

/// One run's options, inputs and outputs.
pub(super) struct Desk {
    pub(super) global: Global,
    pub(super) output: Output,
    pub(super) cancel: Cancel,
    inputs: Inputs,
    progress: Arc<dyn Progress>,
    /// Secrets are read once, because standard input can be.
    secrets: Option<Vec<SecretText>>,
    pub(super) demo: Option<Running>,
}

impl Desk {
    pub(super) fn new(global: Global, output: Output, cancel: Cancel) -> Self {
        let progress: Arc<dyn Progress> = if output.shows_progress() {
            Arc::new(Stderr::new(output.clone()))
        } else {
            Arc::new(Silent)
        };
        let inputs = Inputs::default();
        let cancel = cancel.heard_by(Arc::clone(&progress));
        Self { global, output, cancel, inputs, progress, secrets: None, demo: None }
    }

    /// Starts a story; its recovery key is made up, so it can be shown.
    pub(super) async fn begin_demo(&mut self, name: &str) -> Result<(), Failure> {
        self.start_demo(name).await?;
        if let Some(story) = &self.demo
            && self.global.secret_file.is_empty()
        {
            let what = if story.has_passphrase() { "passphrase" } else { "recovery key" };
            self.output.say(&format!("Demo of {}. Its {what}:", story.user()));
            self.output.say(story.recovery_key().expose());
        }
        Ok(())
    }

    /// Starts a story and says nothing.
    pub(super) async fn start_demo(&mut self, name: &str) -> Result<(), Failure> {
        let story = running::find(name)?;
        self.demo = Some(Running::begin_with(story, self.global.keys).await?);
        Ok(())
    }

    /// The password or the token that a file holds, if the options name one.
    pub(super) async fn given_way(&mut self) -> Result<Option<Way>, Failure> {
        if let Some(file) = &self.global.access_token_file {
            return Ok(Some(Way::Token(self.inputs.file(file, &self.cancel).await?)));
        }
        match &self.global.password_file {
            Some(file) => Ok(Some(Way::Password(self.inputs.file(file, &self.cancel).await?))),
            None => Ok(None),
        }
    }

    pub(super) fn progress(&self) -> Arc<dyn Progress> {
        Arc::clone(&self.progress)
    }

    /// Which version the options name.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted::parse(&self.global.backup_version)
    }

    /// Goes to the backup and tries the secrets that were given, if any.
    pub(super) async fn visit(&mut self) -> Result<Visit, Failure> {
        let secrets = self.given_secrets().await?;
        self.go(secrets).await
    }

    /// The same where these versions are wanted, whatever the options name; with a secret if need be.
    pub(super) async fn visit_versions(
        &mut self,
        versions: &[Wanted],
        with_secret: bool,
    ) -> Result<Visit, Failure> {
        let first = versions.first().unwrap_or(&Wanted::Current);
        let mut visit = match with_secret {
            true => self.visit_with_secret_to(first).await?,
            false => {
                let secrets = self.given_secrets().await?;
                self.go_to(secrets, first).await?
            }
        };
        for wanted in versions.iter().skip(1) {
            match visit.look_for(wanted, &self.cancel).await {
                Ok(false) => {}
                Ok(true) => {
                    // What the secrets open has to be tried on it, too.
                    let secrets = self.given_secrets().await?;
                    if !secrets.is_empty() {
                        self.unlock(&mut visit, &secrets).await?;
                    }
                }
                Err(failure) => {
                    self.leave(visit).await;
                    return Err(failure);
                }
            }
        }
        Ok(visit)
    }

    /// Opens a saved snapshot beside whatever else is looked at, and tries the secrets that were given.
    pub(super) async fn visit_file(&mut self, file: PathBuf) -> Result<Visit, Failure> {
        let secrets = self.given_secrets().await?;
        let (user, server) = (self.global.user.clone(), self.global.homeserver.clone());
        let place = Place::Snapshot { file, user, server };
        let begun = self.look_and_unlock(place, &Wanted::Current, &secrets).await;
        self.progress.finish();
        begun
    }

    /// Goes to the backup with a secret; where none was given, asks for it once the backup is found.
    pub(super) async fn visit_with_secret(&mut self) -> Result<Visit, Failure> {
        let wanted = self.wanted();
        self.visit_with_secret_to(&wanted).await
    }

    async fn visit_with_secret_to(&mut self, wanted: &Wanted) -> Result<Visit, Failure> {
        let secrets = self.given_secrets().await?;
        if secrets.is_empty() && !self.inputs.can_ask() {
            return Err(Failure::new(Code::SecretMissing));
        }
        let mut visit = self.go_to(secrets, wanted).await?;
        if visit.unlocked.is_some() {
            return Ok(visit);
        }
        match self.ask_until_it_fits(&mut visit).await {
            Ok(()) => Ok(visit),
            Err(failure) => {
                self.leave(visit).await;
                Err(failure)
            }
        }
    }

    /// Goes to the backup and tries a list of passphrases there; where only the time that it takes is in
    /// the way, asks first. What opened is tried on everything, with the secrets that were given, too.
    pub(super) async fn visit_with_list(
        &mut self,
        file: &Path,
        kinds: &[Kind],
    ) -> Result<(Visit, Searched), Failure> {
        let list = self.inputs.list(file, &self.cancel).await?;
        let kinds = kinds.to_vec();
        let list = tokio::task::spawn_blocking(move || List::read(&list, &kinds)).await;
        let list =
            list.map_err(|_| Failure::new(Code::Bug).because("a list could not be read"))??;
        let secrets = match self.global.secret_file.is_empty() {
            // The demo's own secret would leave nothing to find.
            true => Vec::new(),
            false => self.given_secrets().await?,
        };
        let mut visit = self.go(Vec::new()).await?;
        match self.try_list(&mut visit, &Arc::new(list), secrets).await {
            Ok(searched) => Ok((visit, searched)),
            Err(failure) => {
                self.leave(visit).await;
                Err(failure)
            }
        }
    }

    async fn try_list(
        &self,
        visit: &mut Visit,
        list: &Arc<List>,
        mut secrets: Vec<SecretText>,
    ) -> Result<Searched, Failure> {
        let search = |slow| {
            let (progress, cancel) = (&self.progress, &self.cancel);
            visit.try_list(list, Goal::AllLocks, slow, progress, cancel)
        };
        let mut searched = search(self.global.yes).await;
        self.progress.finish();
        if let Err(failure) = &searched
            && failure.code() == Code::ListSlow
            && self.go_on_although(failure).await?
        {
            searched = search(true).await;
            self.progress.finish();
        }
        let searched = searched?;
        secrets.extend(searched.secrets.iter().map(SecretText::duplicate));
        if secrets.is_empty() {
            return Err(searched.exhausted());
        }
        self.unlock(visit, &secrets).await?;
        Ok(searched)
    }

    /// Goes to the backup, for a command that takes one secret and does not try it as it is.
    pub(super) async fn visit_untried(&mut self) -> Result<(Visit, SecretText), Failure> {
        let mut secrets = self.given_secrets().await?;
        if secrets.len() > 1 {
            return Err(Failure::new(Code::Usage).because("only one --secret-file can be taken"));
        }
        if secrets.is_empty() && !self.inputs.can_ask() {
            return Err(Failure::new(Code::SecretMissing));
        }
        let visit = self.go(Vec::new()).await?;
        let secret = match secrets.pop() {
            Some(secret) if secret.is_empty() => Err(Failure::new(Code::SecretMissing)),
            Some(secret) => Ok(secret),
            None => self.ask_for_secret().await,
        };
        match secret {
            Ok(secret) => Ok((visit, secret)),
            Err(failure) => {
                self.leave(visit).await;
                Err(failure)
            }
        }
    }

    /// Asks a question; no where nobody can answer.
    pub(super) async fn confirm(&self, question: &str) -> Result<bool, Failure> {
        self.inputs.confirm(question, &self.cancel).await
    }

    /// The store that the secrets at hand open.
    pub(super) async fn kept(&mut self) -> Result<Kept, Failure> {
        let secrets = self.secrets().await?;
        let data_dir = self.data_dir()?;
        let finding = Finding {
            data_dir: &data_dir,
            snapshot: self.global.snapshot.as_deref(),
            slow: self.global.yes,
        };
        let kept = Kept::open(&secrets, &finding, &self.progress, &self.cancel).await;
        self.progress.finish();
        kept
    }

    /// Says whether the options lead to an account or a snapshot, and not only to this computer.
    pub(super) fn goes_somewhere(&self) -> bool {
        let Global { user, homeserver, snapshot, .. } = &self.global;
        user.is_some() || homeserver.is_some() || snapshot.is_some() || self.demo.is_some()
    }

    /// The passphrase of a key file: from a file, or asked for, twice if it is a new one.
    pub(super) async fn file_passphrase(
        &mut self,
        file: Option<&Path>,
        new: bool,
    ) -> Result<SecretText, Failure> {
        let missing = || Failure::new(Code::FilePassphraseMissing);
        if let Some(file) = file {
            let given = self.inputs.file(file, &self.cancel).await?;
            return if given.is_empty() { Err(missing()) } else { Ok(given) };
        }
        loop {
            let question = "Passphrase of the key file (hidden): ";
            let typed = self.inputs.prompt(question, &self.cancel).await?;
            let typed = typed.filter(|typed| !typed.is_empty()).ok_or_else(missing)?;
            if !new {
                return Ok(typed);
            }
            let again = self.inputs.prompt("The same again: ", &self.cancel).await?;
            if again.is_some_and(|again| again.expose() == typed.expose()) {
                return Ok(typed);
            }
            self.output.say("That was not the same. Once more:");
        }
    }

    /// The secrets that were given; one is asked for where there is none.
    pub(super) async fn secrets(&mut self) -> Result<Vec<SecretText>, Failure> {
        let mut secrets = self.given_secrets().await?;
        if secrets.is_empty() {
            secrets.push(self.ask_for_secret().await?);
        }
        Ok(secrets)
    }

    /// The rooms that are named, each by itself or all in a file. A file that names none is no wish for all.
    pub(super) async fn rooms(&mut self, mut named: Vec<String>) -> Result<Vec<String>, Failure> {
        if let Some(file) = self.global.rooms_file.clone() {
            let more = self.inputs.rooms(&file, &self.cancel).await?;
            if more.is_empty() {
                return Err(
                    Failure::new(Code::Usage).because("the file of --rooms-file names no room")
                );
            }
            named.extend(more);
        }
        Ok(named)
    }

    /// Asks for a recovery key or passphrase; one that opens nothing is explained and asked for again, because
    /// nothing counts the tries.
    async fn ask_until_it_fits(&self, visit: &mut Visit) -> Result<(), Failure> {
        loop {
            let typed = [self.ask_for_secret().await?];
            self.unlock(visit, &typed).await?;
            match visit.fits_nothing() {
                Some(failure) if self.output.talks() => self.output.warning(&failure),
                _ => return Ok(()),
            }
        }
    }

    async fn ask_for_secret(&self) -> Result<SecretText, Failure> {
        let question = "Recovery key or passphrase (hidden, stays on this computer): ";
        let typed = self.inputs.prompt(question, &self.cancel).await?;
        typed
            .filter(|typed| !typed.expose().trim().is_empty())
            .ok_or_else(|| Failure::new(Code::SecretMissing))
    }

    /// Ends a visit: signs out unless the session is kept. What was done stays done, so a failure
    /// is told and does not change the result.
    pub(super) async fn leave(&self, visit: Visit) {
        let Place::Server(account) = &visit.place else { return };
        // Leaving must work after Ctrl-C too.
        let left = account.leave(&*self.progress, &Cancel::default()).await;
        self.progress.finish();
        match left {
            Ok(Left::StaysSignedIn) if self.global.keep_signed_in => {
                self.output.say(
                    "The session is kept: whoever reads your files can use it until keyhaul sign-out.",
                );
            }
            Ok(_) => {}
            Err(failure) => self.output.warning(&failure),
        }
    }

    /// How to reach servers, and where files are.
    pub(super) fn surroundings(&self) -> Result<Surroundings, Failure> {
        let ca_file = match &self.global.ca_file {
            None => None,
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                let name = path.to_string_lossy();
                Failure::new(Code::FileUnreadable).with("file", &*name).because(&error.to_string())
            })?),
        };
        let allow_http = self.global.allow_http;
        let (data_dir, patience) = (self.data_dir()?, Patience::default());
        Ok(Surroundings { allow_http, ca_file, data_dir, patience })
    }

    /// The folder for keys and snapshots.
    pub(super) fn data_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(demo) = &self.demo
            && self.global.data_dir.is_none()
        {
            return Ok(demo.data_dir());
        }
        if let Some(folder) = &self.global.data_dir {
            return Ok(folder.clone());
        }
        let places = etcetera::choose_base_strategy().map_err(|error| {
            Failure::new(Code::NoPermission)
                .with("folder", "a folder of yours, because none is known")
                .because(&error.to_string())
        })?;
        Ok(places.data_dir().join("keyhaul"))
    }

    async fn go(&mut self, secrets: Vec<SecretText>) -> Result<Visit, Failure> {
        let wanted = self.wanted();
        self.go_to(secrets, &wanted).await
    }

    async fn go_to(&mut self, secrets: Vec<SecretText>, wanted: &Wanted) -> Result<Visit, Failure> {
        let place = match self.global.snapshot.clone() {
            Some(file) => Place::Snapshot {
                file,
                user: self.global.user.clone(),
                server: self.global.homeserver.clone(),
            },
            None => {
                let asked = self.asked().await?;
                let surroundings = self.surroundings()?;
                let signed_in = sign_in(asked, &surroundings, &*self.progress, &self.cancel);
                Place::Server(Arc::new(signed_in.await?))
            }
        };
        let account = match &place {
            Place::Server(account) => Some(Arc::clone(account)),
            Place::Snapshot { .. } => None,
        };
        let begun = self.look_and_unlock(place, wanted, &secrets).await;
        self.progress.finish();
        if let (Err(_), Some(account)) = (&begun, account) {
            // The visit failed, but the device must not stay; the first failure is the one to tell.
            if let Err(failure) = account.leave(&*self.progress, &Cancel::default()).await {
                self.output.warning(&failure);
            }
        }
        begun
    }

    async fn look_and_unlock(
        &self,
        place: Place,
        wanted: &Wanted,
        secrets: &[SecretText],
    ) -> Result<Visit, Failure> {
        let mut visit =
            Visit::begin(place, wanted, &mut |_| {}, &*self.progress, &self.cancel).await?;
        self.tell_of_vanished(&visit.overview)?;
        if !secrets.is_empty() {
            self.unlock(&mut visit, secrets).await?;
        }
        Ok(visit)
    }

    /// Says which backups were here at an earlier run and are no more.
    fn tell_of_vanished(&self, overview: &Overview) -> Result<(), Failure> {
        for look in looks::vanished(overview, &self.data_dir()?) {
            self.progress.finish();
            let name = Shown::limited(&look.version, 20);
            let day = date(look.at, &TimeZone::system());
            let now = overview.current.as_deref().map(|name| Shown::limited(name, 20));
            let now = now.map(|name| format!(" The current one is {name}.")).unwrap_or_default();
            self.output.say(&format!(
                "Backup {name}, seen on {day}, does not exist on this server any more.{now}"
            ));
        }
        Ok(())
    }

    /// Tries secrets; where only locks are left that ask for very much calculation, asks first.
    async fn unlock(&self, visit: &mut Visit, secrets: &[SecretText]) -> Result<(), Failure> {
        visit.unlock(secrets, self.global.yes, &self.progress, &self.cancel).await?;
        self.progress.finish();
        if let Some(slow) = visit.fits_nothing().filter(|why| why.code() == Code::PassphraseSlow)
            && self.go_on_although(&slow).await?
        {
            visit.unlock(secrets, true, &self.progress, &self.cancel).await?;
            self.progress.finish();
        }
        // Where another secret opens something, a slip in this one must not go unnoticed.
        if visit.fits_nothing().is_none() {
            visit.unread_secrets().iter().for_each(|failure| self.output.warning(failure));
        }
        Ok(())
    }

    /// Asks whether to do all the same what a failure warns of.
    pub(super) async fn go_on_although(&self, failure: &Failure) -> Result<bool, Failure> {
        self.inputs.confirm(&format!("{} Do it?", failure.what()), &self.cancel).await
    }

    async fn asked(&mut self) -> Result<Asked, Failure> {
        let given = self.given_way().await?;
        let global = &self.global;
        let way = if let Some(way) = given {
            way
        } else if let Some(demo) = self.demo.as_ref().filter(|_| global.user.is_none()) {
            Way::Password(demo.password())
        } else if global.user.is_some() && !self.is_kept()? {
            let question = "Password (hidden; goes to your server and nowhere else): ";
            let typed = self.inputs.prompt(question, &self.cancel).await?;
            Way::Password(typed.ok_or_else(|| Failure::new(Code::SignInMissing))?)
        } else {
            Way::Kept
        };
        let demo = self.demo.as_ref();
        Ok(Asked {
            device: None,
            renew: true,
            homeserver: self.global.homeserver.clone().or(demo.map(Running::homeserver)),
            user: self.global.user.clone().or(demo.map(Running::user)),
            way,
            keep: self.global.keep_signed_in,
        })
    }

    pub(super) fn is_kept(&self) -> Result<bool, Failure> {
        let (server, user) = (self.global.homeserver.as_deref(), self.global.user.as_deref());
        Ok(is_kept(&self.data_dir()?, server, user))
    }

    async fn given_secrets(&mut self) -> Result<Vec<SecretText>, Failure> {
        if self.secrets.is_none() {
            let files = self.global.secret_file.clone();
            let mut secrets = Vec::with_capacity(files.len());
            for file in &files {
                secrets.push(self.inputs.file(file, &self.cancel).await?);
            }
            if let Some(demo) = &self.demo
                && secrets.is_empty()
            {
                secrets.push(demo.recovery_key());
            }
            self.secrets = Some(secrets);
        }
        let secrets = self.secrets.iter().flatten();
        Ok(secrets.map(SecretText::duplicate).collect())
    }
}

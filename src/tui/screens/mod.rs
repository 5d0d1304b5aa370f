//! What each screen says. Nothing here decides anything: pages are read from the model.

mod backups;
mod check_up;
mod compare;
mod contents;
mod explain;
mod fits;
mod guesses;
mod key;
mod locks;
mod mend;
mod overlays;
mod papers;
mod plan;
mod proof;
mod refused;
mod restore;
mod room;
mod rooms;
mod several;
mod sign_in;
mod take_away;

pub(super) use check_up::check_up_height;
pub(super) use compare::compare_height;
pub(super) use explain::covers as explain_covers;
pub(super) use fits::in_words as fit_in_words;
pub(super) use overlays::{failure_to_copy, palette_rows, rows as overlay_rows};
pub(super) use refused::to_copy as refused_to_copy;
pub(super) use restore::rows as restore_rows;

use super::{
    compare_step::Beside,
    intent::Intent,
    jobs::Work,
    keymap::Place,
    layout::Regions,
    model::{Leaving, Model, Step, Waiting},
    page::{Instead, Line, Page, Row, called, instead, line, own},
    paper_form::Paper,
    restore_step::Stage,
    theme::Ink,
};
use crate::base::{
    failure::Failure,
    progress::Delay,
    shown::{Shown, grouped, waiting},
    words::ago,
};

/// The whole page for a window.
pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let mut page = match model.place() {
        Place::SignIn => sign_in::page(model, regions),
        Place::Backups => backups::page(model, regions),
        Place::Contents => contents::page(model, regions),
        Place::Room => room::page(model, regions),
        Place::Key => room::key_page(model, regions),
        Place::RecoveryKey => key::page(model, regions),
        Place::Mend => mend::page(model, regions),
        Place::Fits => fits::page(model, regions),
        Place::Passphrases => guesses::page(model, regions),
        Place::Restore => restore::page(model, regions),
        Place::Refused => refused::page(model, regions),
        Place::TakeAway => take_away::page(model, regions),
        Place::KeyFile => take_away::form_page(model, regions),
        Place::FileMade => take_away::made_page(model, regions),
        Place::CheckUp => check_up::page(model, regions),
        Place::Compare => compare::page(model, regions),
        Place::Paper => papers::page(model, regions),
        Place::Proof => proof::page(model, regions),
        Place::Why => proof::why_page(model),
        Place::ProofRooms => proof::rooms_page(model, regions),
        Place::Everywhere | Place::Lists | Place::Field => Page::default(),
    };
    page.command = command(model);
    if model.explaining.is_some() {
        explain::add(model, regions, &mut page);
    }
    if !model.overlays.is_empty() {
        overlays::cover(model, regions, &mut page);
    }
    if page.side.is_none() {
        page.side = Some(explain::side(model));
    }
    if model.leaving_now() {
        page.fact = line("Signing out. What was read and saved is kept.");
        page.next = line("wait a moment, or press Ctrl-C to leave at once.");
        page.hints = vec![called(Intent::Stop, "leave at once")];
    }
    if let Some(Waiting { left, why, .. }) = model.waiting {
        let time = waiting(Some(left));
        page.fact = line(match why {
            Delay::AskedFor => {
                format!("The server asks us to wait {time}. Nothing is lost; it goes on.")
            }
            Delay::Fault => format!("The server has a fault. keyhaul tries again in {time}."),
        });
    }
    if let Some(remark) = &model.remark {
        page.fact.clone_from(remark);
    }
    page
}

/// The first line: who, and what happens to the server.
pub(super) fn head(model: &Model, regions: &Regions) -> (Line, Line) {
    let mut left = if regions.rail.is_some() {
        let mut left = vec![own("keyhaul").ink(Ink::Strong)];
        if model.is_demo() {
            left.push(own(" demo"));
        }
        if let Some(user) = user(model) {
            left.push(own("   "));
            left.push(instead(&user.cut(40), Instead::Account));
        }
        left
    } else {
        let step = model.step;
        vec![own(format!("{}/7 {}", step.number(), step.title())).ink(Ink::Strong)]
    };
    if model.masked {
        left.push(own("  MASKED").ink(Ink::Warn));
    }
    let long = regions.rail.is_some();
    let right = if model.is_offline() {
        let read = model.haul().and_then(super::haul::Haul::saved).map(|saved| saved.read);
        match read.filter(|_| long) {
            Some(read) => {
                let ago = ago(read, model.wall());
                format!("offline: snapshot of {ago}")
            }
            None => "offline: snapshot".to_owned(),
        }
    } else if model.account.is_some() {
        if long { "server: reading only" } else { "reading only" }.to_owned()
    } else {
        if long { "server: nobody signed in" } else { "nobody signed in" }.to_owned()
    };
    (left, line(right))
}

/// Whose backup it is, if that is known.
pub(super) fn user(model: &Model) -> Option<Shown> {
    if let Some(looked) = &model.backups.looked
        && !looked.overview.user_id.is_empty()
    {
        return Some(Shown::new(&looked.overview.user_id));
    }
    let account = model.account.as_ref().filter(|_| !model.is_offline())?;
    Some(Shown::new(&account.signed.user_id))
}

/// The sign of a step on the rail.
pub(super) fn rail_sign(model: &Model, step: Step) -> (&'static str, Ink) {
    let work = |work: &Work| model.jobs.since(work).is_some();
    let here = model.step == step;
    let (done, working, needs) = match step {
        Step::SignIn => (
            model.account.is_some() || model.is_offline(),
            work(&Work::SignIn),
            model.sign_in.failed.is_some(),
        ),
        Step::Backups => {
            let looked = model.backups.looked.is_some();
            (looked, work(&Work::Look), model.visiting.is_some() && !looked)
        }
        Step::Contents => {
            let haul = model.haul();
            (
                haul.is_some_and(super::haul::Haul::is_whole),
                model.jobs.hauling().is_some(),
                haul.is_some_and(|haul| !haul.is_reading() && !haul.is_whole()),
            )
        }
        Step::Key => {
            let closed = model.key.opened.is_some() && model.target_version().is_none();
            let kept = model.kept_secret.is_some() && model.open.is_some();
            let tried = model.key.trying.is_some() || model.guess.trying.is_some();
            let works = tried || work(&Work::Mend);
            (model.target_version().is_some(), works, closed || kept)
        }
        Step::Proof => {
            let failed = model.proof.failed.is_some();
            let opened = model.proof.sum().opened > 0;
            (opened, model.proof.reading.is_some(), failed && !opened)
        }
        Step::TakeAway => (!model.take.made.is_empty(), work(&Work::Export), false),
        Step::Restore => {
            let stage = model.restore.stage;
            (stage == Stage::Done, model.is_restoring(), stage == Stage::Stopped)
        }
    };
    match () {
        () if here && !(working && step == Step::Restore) => ("▸", Ink::Accent),
        () if working => ("~", Ink::Accent),
        () if needs => ("!", Ink::Warn),
        () if done => ("✓", Ink::Ok),
        () => (" ", Ink::Plain),
    }
}

/// What runs, in a few words, for a window that is too small for more.
pub(super) fn working(model: &Model) -> Option<Line> {
    if let Some(restoring) = restore::working(model) {
        return Some(restoring);
    }
    let version = model.jobs.hauling()?;
    let keys = model.hauls.get(version).map_or(0, |haul| haul.keys);
    Some(line(format!("Reading goes on: {} keys", grouped(keys))))
}

/// The rows of the list on top that are seen at once.
pub(super) fn list_height(model: &Model) -> usize {
    let regions = model.regions();
    if !model.overlays.is_empty() {
        return overlays::list_height(model, &regions);
    }
    match model.place() {
        Place::Backups => regions.rows(),
        Place::Contents => contents::list_height(model, &regions),
        Place::Room => room::list_height(model, &regions),
        Place::Restore => restore::list_height(model, &regions),
        Place::Fits => fits::height(model, &regions),
        Place::Refused => refused::height(&regions),
        Place::CheckUp => check_up_height(model),
        Place::Compare => compare_height(model),
        _ => regions.rows(),
    }
}

/// The command that does the same as this screen.
fn command(model: &Model) -> Line {
    let words = command_words(model);
    let mut line = Line::new();
    for (place, word) in words.into_iter().enumerate() {
        if place > 0 {
            line.push(own(" "));
        }
        line.push(match word {
            Word::Plain(text) => own(text),
            Word::Private(text, stands_for) => {
                instead(&Shown::new(&quoted(&text)), Instead::Word(stands_for))
            }
            Word::Rooms(_) => own("ROOMS"),
        });
    }
    line
}

/// More rooms than these become a file in the command.
const FEW_ROOMS: usize = 3;

enum Word {
    Plain(String),
    Private(String, &'static str),
    /// The ids of many rooms, as a file.
    Rooms(Vec<String>),
}

/// The whole command, for the clipboard: under the mask, too, it is the real one.
pub(super) fn command_to_copy(model: &Model) -> String {
    let words = command_words(model).into_iter().map(|word| match word {
        Word::Plain(text) => text,
        Word::Private(text, _) => quoted(&text),
        // A file that the shell makes up: the whole command is one line that can be pasted.
        Word::Rooms(rooms) => {
            let rooms: Vec<String> = rooms.iter().map(|room| quoted(room)).collect();
            format!(r"<(printf '%s\n' {})", rooms.join(" "))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it for one. What a terminal might obey is written out, byte by byte.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@:._-/+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if word.chars().all(Shown::passes) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for c in word.chars() {
        match c {
            '\'' | '\\' => quoted.extend(['\\', c]),
            c if Shown::passes(c) => quoted.push(c),
            c => {
                let mut bytes = [0; 4];
                let bytes = c.encode_utf8(&mut bytes).bytes();
                bytes.for_each(|byte| quoted.push_str(&format!("\\x{byte:02x}")));
            }
        }
    }
    quoted + "'"
}

fn command_words(model: &Model) -> Vec<Word> {
    let plain = |text: &str| Word::Plain(text.to_owned());
    let mut words = vec![plain("keyhaul")];
    let place = model.place();
    if place == Place::SignIn && model.overlays.is_empty() {
        return with_account(model, words);
    }
    match place {
        Place::CheckUp => words.push(plain("doctor")),
        Place::Compare => {
            words.extend([
                plain("diff"),
                Word::Plain(quoted(&format!("backup:{}", model.compare.own))),
            ]);
            words.push(match &model.compare.beside {
                Some(Beside::Backup(version)) => Word::Plain(quoted(&format!("backup:{version}"))),
                Some(Beside::Store) | None => plain("store"),
            });
        }
        Place::Paper => {
            words.push(plain(match model.take.paper.paper {
                Paper::Sheet => "sheet",
                Paper::Report => "report",
            }));
            let file = model.path(model.take.paper.file.text().trim());
            words.push(Word::Private(file.to_string_lossy().into_owned(), "FILE"));
        }
        Place::SignIn | Place::Backups => words.push(plain("backups")),
        Place::Contents => words.push(plain("rooms")),
        Place::Room | Place::Key => {
            words.push(plain("sessions"));
            if let Some(view) = model.room_view() {
                words.push(Word::Private(view.id.to_string(), "ROOM"));
            }
        }
        Place::RecoveryKey | Place::Fits => words.push(plain("unlock")),
        Place::Mend => words.push(plain("repair")),
        Place::Passphrases => {
            words.extend(["unlock", "--secret-list", "-"].map(plain));
            if !model.guess.kinds.is_empty() {
                words.extend([plain("--vary"), Word::Plain(guesses::kinds_for_command(model))]);
            }
        }
        Place::Proof | Place::Why | Place::ProofRooms => {
            words.push(plain("history"));
            if let Some(room) = &model.proof.room {
                words.push(Word::Private(room.to_string(), "ROOM"));
            }
        }
        Place::TakeAway | Place::KeyFile | Place::FileMade => {
            words.push(plain("export"));
            let made = model.take.made.last().filter(|_| place == Place::FileMade);
            // A shell puts no home in the place of a ~ that is quoted.
            let file = match (made, model.take.form.file.text().trim()) {
                (Some(made), _) => made.file.clone(),
                (None, "") => "matrix-keys.txt".into(),
                (None, typed) => model.path(typed),
            };
            words.push(Word::Private(file.to_string_lossy().into_owned(), "FILE"));
        }
        _ => words.push(plain("restore")),
    }
    let mut words = with_account(model, words);
    let current = model.backups.looked.as_ref().and_then(|looked| looked.overview.current.as_ref());
    let reads = matches!(place, Place::Contents | Place::Room | Place::Key);
    let restores = matches!(place, Place::Restore | Place::Refused);
    if restores && model.restore.is_several() {
        words.push(plain("--backup-version"));
        words.push(Word::Plain(quoted(&model.restore.versions.join(","))));
    } else if let Some(version) = model.open.as_ref().filter(|_| reads || restores)
        && (Some(version) != current || !restores)
        && !model.is_offline()
    {
        words.push(plain("--backup-version"));
        words.push(Word::Plain(quoted(version)));
    }
    // All rooms are what a restore takes anyway.
    if restores && !model.restore.rooms.is_empty() {
        let rooms = model.restore.rooms.clone();
        if rooms.len() > FEW_ROOMS {
            words.push(plain("--rooms-file"));
            words.push(Word::Rooms(rooms));
        } else {
            for room in rooms {
                words.push(plain("--room"));
                words.push(Word::Private(room, "ROOM"));
            }
        }
    }
    words
}

fn with_account(model: &Model, mut words: Vec<Word>) -> Vec<Word> {
    let plain = |text: &str| Word::Plain(text.to_owned());
    if let Some(file) = model.visiting.as_ref().and_then(|visiting| visiting.file.as_ref()) {
        words.push(plain("--snapshot"));
        words.push(Word::Private(file.to_string_lossy().into_owned(), "FILE"));
        return words;
    }
    if model.is_demo() {
        let story = model.sign_in.demo.as_ref().and_then(|paper| paper.story);
        words.push(match story {
            Some(story) => Word::Plain(format!("--demo={story}")),
            None => plain("--demo"),
        });
        return words;
    }
    if let Some(server) = &model.sign_in.server {
        words.push(plain("--homeserver"));
        words.push(Word::Private(server.clone(), "SERVER"));
    } else if let Some(found) = model.sign_in.found()
        && !model.sign_in.id.text().trim().starts_with('@')
    {
        words.push(plain("--homeserver"));
        words.push(Word::Private(found.address.clone(), "SERVER"));
    }
    let user = model.account.as_ref().map(|account| account.signed.user_id.clone());
    if let Some(user) = user.or_else(|| model.sign_in.user()) {
        words.push(plain("--user"));
        words.push(Word::Private(user, "ID"));
    }
    words
}

/// An id for the clipboard, as the screen shows it: whatever a terminal might obey is not in it.
fn safe(id: &str) -> String {
    Shown::limited(id, 512).to_string()
}

/// What is in focus, for the clipboard, and how it is called.
pub(super) fn focus_to_copy(model: &Model) -> Option<(&'static str, String)> {
    match model.place() {
        Place::SignIn => Some(("The address of the server", safe(&model.sign_in.found()?.address))),
        Place::Backups => {
            let version = model.backups.focus()?;
            let key = version.public_key().ok().map(|key| key.to_base64()).unwrap_or_default();
            let count = version.count.map(|count| count.to_string()).unwrap_or_default();
            let name = safe(&version.version);
            Some(("The backup in focus", format!("backup {name}, {count} keys, public key {key}")))
        }
        Place::Contents => Some(("The id of the room", safe(&model.haul()?.rooms.focus()?.id))),
        Place::Room | Place::Key => {
            Some(("The id of the key", safe(&model.room_view()?.focus()?.session_id)))
        }
        Place::RecoveryKey | Place::Fits => {
            Some(("What it opens, without names,", fits::to_copy(model)?))
        }
        Place::Restore => Some(("The plan, without names,", plan::figures_to_copy(model)?)),
        Place::CheckUp => Some(("The check-up, without names,", check_up::to_copy(model)?)),
        Place::Compare => Some(("The comparison, without names,", compare::to_copy(model)?)),
        Place::Why => Some(("The reason, without names,", proof::why_to_copy(model)?)),
        Place::Proof | Place::ProofRooms => {
            Some(("The id of the room", safe(model.proof.room.as_ref()?)))
        }
        Place::TakeAway => Some(("The summary, without names,", take_away::summary_to_copy(model))),
        Place::FileMade => {
            let made = model.take.made.last()?;
            Some(("The name of the file", safe(&made.file.to_string_lossy())))
        }
        Place::Refused => Some(("The list of refused keys", refused_to_copy(model))),
        _ => Some(("The command", command_to_copy(model))),
    }
}

/// The table of the contents or of a room in its place: empty rows up to a height.
pub(super) fn filled(mut rows: Vec<Row>, height: usize) -> Vec<Row> {
    rows.resize_with(height.max(rows.len()), Row::empty);
    rows
}

impl Model {
    /// A failure as this screen may tell it.
    fn told(&self, failure: &Failure) -> Failure {
        if self.masked { failure.masked() } else { failure.clone() }
    }

    fn leaving_now(&self) -> bool {
        matches!(self.leaving, Leaving::SigningOut { .. })
    }
}

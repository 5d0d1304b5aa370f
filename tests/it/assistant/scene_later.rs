//! The story goes on: the recovery key, the plan, the messages, the key file.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyhaul::backup::version::PublicKey;
use keyhaul::base::failure::{Code, Failure};
use keyhaul::base::secret::SecretText;
use keyhaul::base::shown::Shown;
use keyhaul::recovery::fits::{Cell, Fits, LeadsTo, Outcome, Row};
use keyhaul::recovery::key_files::export::Exported;
use keyhaul::recovery::look::Locks;
use keyhaul::recovery::proof::reason::Reason;
use keyhaul::recovery::proof::said::{File, FileKind, Said};
use keyhaul::recovery::proof::words::Words;
use keyhaul::recovery::proof::{Answered, History, Message};
use keyhaul::recovery::restore::{Restored, Restoring};
use keyhaul::recovery::spares::Spares;
use keyhaul::recovery::tally::{Figures, RefusedEntry, Tally};
use keyhaul::recovery::unlock::{Fit, LockKind, Proof, SecretKind};
use keyhaul::recovery::watch::Glance;
use keyhaul::recovery::way_on::{Cause, Closed, Opener, WayOn};
use keyhaul::store::check::CheckReport;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::{Happened, Job, Opened};

use super::scene::{self, Scene};

/// A recovery key of nobody, from the test vectors of the protocol.
pub(super) const KEY: &str = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d";

impl Scene {
    /// At the field for the recovery key, with backup 4 read.
    pub(super) fn at_key(width: u16, height: u16) -> Self {
        let mut scene = Self::signed_in(width, height);
        let job = scene.looking();
        let mut looked = scene::looked();
        looked.overview.locks = locks();
        scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
        scene.press("Enter");
        scene.hauled(Ok(scene::hauled()));
        let job = scene.job(|effect| match effect {
            Effect::Names { job, .. } => Some(*job),
            _ => None,
        });
        scene.happens(job, Happened::Named(scene::names()));
        scene.happens(job, Happened::NamesEnded);
        scene.press("Enter");
        scene
    }

    pub(super) fn unlocking(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Unlock { job, .. } => Some(*job),
            _ => None,
        })
    }

    /// The recovery key was pasted, and tried.
    pub(super) fn with_key(width: u16, height: u16, opened: Opened) -> Self {
        let mut scene = Self::at_key(width, height);
        scene.paste(KEY);
        scene.opens(opened);
        scene
    }

    pub(super) fn opens(&mut self, opened: Opened) {
        let job = self.unlocking();
        self.happens(job, Happened::Unlocked(Ok(Box::new(opened))));
        self.happens(job, Happened::Judged(scene::looked().signers));
    }

    pub(super) fn restoring(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Restore { job, .. } => Some(*job),
            _ => None,
        })
    }

    pub(super) fn restored(&mut self, restoring: Result<Restoring, Failure>) {
        let job = self.restoring();
        self.happens(job, Happened::Restored(Box::new(restoring)));
    }

    /// The plan for backup 4 is there.
    pub(super) fn planned(width: u16, height: u16) -> Self {
        let mut scene = Self::with_key(width, height, opens_all());
        scene.press("Enter");
        scene.restored(Ok(plan()));
        scene
    }

    /// A part of the keys is restored.
    pub(super) fn in_the_middle(width: u16, height: u16) -> Self {
        let mut scene = Self::planned(width, height);
        scene.press("Enter");
        let job = scene.restoring();
        scene.wait(2.0);
        scene.happens(job, Happened::Restoring(glance()));
        scene
    }

    /// Everything that opens is restored.
    pub(super) fn done(width: u16, height: u16) -> Self {
        let mut scene = Self::planned(width, height);
        scene.press("Enter");
        scene.restored(Ok(done()));
        scene
    }

    pub(super) fn reading(&self) -> Job {
        self.job(|effect| match effect {
            Effect::History { job, .. } => Some(*job),
            _ => None,
        })
    }

    pub(super) fn read_messages(&mut self, history: Result<History, Failure>) {
        let job = self.reading();
        self.happens(job, Happened::Read(Box::new(history)));
    }

    /// Messages of the room “Family” are open.
    pub(super) fn at_proof(width: u16, height: u16) -> Self {
        let mut scene = Self::done(width, height);
        scene.press("Enter");
        scene.read_messages(Ok(history()));
        scene
    }

    pub(super) fn at_take_away(width: u16, height: u16) -> Self {
        let mut scene = Self::at_proof(width, height);
        scene.press("Enter");
        scene
    }

    /// At the form for a key file, with a passphrase that was made.
    pub(super) fn at_key_file(width: u16, height: u16) -> Self {
        let mut scene = Self::at_take_away(width, height);
        scene.press("Enter");
        let job = scene.job(|effect| match effect {
            Effect::MakePassphrase { job } => Some(*job),
            _ => None,
        });
        let made = SecretText::new("granite-otter-velvet-ninth-maple-canoe".to_owned());
        scene.happens(job, Happened::Passphrase(made));
        scene
    }

    pub(super) fn exporting(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Export { job, .. } => Some(*job),
            _ => None,
        })
    }

    pub(super) fn exported(&mut self, exported: Result<Exported, Failure>) {
        let job = self.exporting();
        self.happens(job, Happened::Exported(Box::new(exported)));
    }
}

fn locks() -> Locks {
    let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
    let mut data = BTreeMap::new();
    data.insert("m.secret_storage.default_key".to_owned(), raw(r#"{"key":"f4KqAAAAAAAAAAAA"}"#));
    for id in ["f4KqAAAAAAAAAAAA", "9bTzBBBBBBBBBBBB"] {
        let content = raw(r#"{"algorithm":"m.secret_storage.v1.aes-hmac-sha2"}"#);
        data.insert(format!("m.secret_storage.key.{id}"), content);
    }
    Locks::read(data)
}

fn fit(kind: LockKind, id: &str, current: bool) -> Fit {
    let proof = if kind == LockKind::Backup { Proof::PublicKey } else { Proof::Mac };
    Fit { kind, id: id.to_owned(), current, proof }
}

fn opened(fits: Vec<Fit>, in_secret_storage: &[&str]) -> Opened {
    Opened {
        kind: SecretKind::RecoveryKey,
        fits,
        in_secret_storage: in_secret_storage.iter().map(|id| (*id).to_owned()).collect(),
        cannot_check: Vec::new(),
        left_out_seconds: None,
        closed: None,
        table: Fits::default(),
        way_on: WayOn::default(),
        causes: Vec::new(),
    }
}

/// A row of the fit table, with what came of each secret.
fn row(kind: LockKind, id: &str, current: bool, count: Option<u64>, cells: &[Cell]) -> Row {
    Row {
        kind,
        id: id.to_owned(),
        current,
        count,
        gone: false,
        cells: cells.to_vec(),
        leads_to: LeadsTo::Nowhere,
        sampled: None,
    }
}

/// The table of the story for one secret: the lock of secret storage in use, another one, three backups
/// and one that is gone. All say no.
fn table(made: &[&str], secrets: usize) -> Fits {
    let cell = |id: &str| Cell {
        key: Outcome::No,
        passphrase: if made.contains(&id) { Outcome::No } else { Outcome::Impossible },
    };
    let cells = |id: &str| vec![cell(id); secrets];
    let (storage, backup) = (LockKind::SecretStorage, LockKind::Backup);
    let (in_use, other) = ("f4KqAAAAAAAAAAAA", "9bTzAAAAAAAAAAAA");
    let rows = vec![
        row(storage, in_use, true, None, &cells(in_use)),
        row(storage, other, false, None, &cells(other)),
        row(backup, "4", true, Some(18_420), &cells("4")),
        Row { gone: true, ..row(backup, "3", false, None, &vec![Cell::default(); secrets]) },
        row(backup, "2", false, Some(6_312), &cells("2")),
        row(backup, "1", false, Some(411), &cells("1")),
    ];
    Fits { rows, secrets: vec![SecretKind::RecoveryKey; secrets] }
}

fn proven(held_in: Option<&str>) -> Outcome {
    Outcome::Opens { proof: Proof::PublicKey, held_in: held_in.map(str::to_owned) }
}

fn closed(version: &str, count: u64, current: bool) -> Closed {
    let could_open = vec![Opener::RecoveryKey];
    Closed { version: version.to_owned(), count: Some(count), current, could_open }
}

/// The key of an older backup, with the whole table.
pub(super) fn fits_older() -> Opened {
    let mut table = table(&["f4KqAAAAAAAAAAAA", "1"], 1);
    table.rows[4].cells[0].key = proven(None);
    table.rows[4].leads_to = LeadsTo::Keys(Some(6_312));
    let way_on = WayOn {
        what:
            "Your recovery key is right. It opens backup 2 (6 312 keys), not the current backup 4."
                .to_owned(),
        restore: vec!["2".to_owned()],
        current_opens: false,
        closed: vec![closed("4", 18_420, true), closed("1", 411, false)],
    };
    Opened { table, way_on, ..opens_older() }
}

/// Secret storage opens, and holds the key of an older backup.
pub(super) fn fits_by_storage() -> Opened {
    let mut table = table(&[], 1);
    table.rows[0].cells[0].key = Outcome::Opens { proof: Proof::Mac, held_in: None };
    table.rows[0].leads_to = LeadsTo::KeyOf(vec!["2".to_owned()]);
    table.rows[4].cells[0].key = proven(Some("f4KqAAAAAAAAAAAA"));
    table.rows[4].leads_to = LeadsTo::Keys(Some(6_312));
    let storage = fit(LockKind::SecretStorage, "f4KqAAAAAAAAAAAA", true);
    let opened = opened(vec![storage, fit(LockKind::Backup, "2", false)], &["2"]);
    let what = "Your recovery key is right. It opens backup 2 (6 312 keys), not the current backup 4. \
                Secret storage holds the key of backup 2: it was filled when that one was current.";
    Opened { table, way_on: WayOn { what: what.to_owned(), ..fits_older().way_on }, ..opened }
}

/// Nothing fits.
pub(super) fn fits_nothing() -> Opened {
    let table = table(&["f4KqAAAAAAAAAAAA", "1"], 1);
    let what = "It opens nothing on this account.".to_owned();
    let causes = vec![
        Cause::Slips,
        Cause::OtherAccount,
        Cause::GoneBackup,
        Cause::OtherPaper,
        Cause::Passphrase,
    ];
    let closed = vec![closed("4", 18_420, true), closed("2", 6_312, false)];
    let way_on = WayOn { what, closed, ..WayOn::default() };
    Opened { table, way_on, causes, ..opens_nothing() }
}

/// Two recovery keys: one of an older backup, one of secret storage with the current one.
pub(super) fn fits_two() -> Opened {
    let mut table = table(&[], 2);
    table.rows[0].cells[1].key = Outcome::Opens { proof: Proof::Mac, held_in: None };
    table.rows[0].leads_to = LeadsTo::KeyOf(vec!["4".to_owned()]);
    table.rows[2].cells[1].key = proven(Some("f4KqAAAAAAAAAAAA"));
    table.rows[2].leads_to = LeadsTo::Keys(Some(18_420));
    table.rows[4].cells[0].key = proven(None);
    table.rows[4].leads_to = LeadsTo::Keys(Some(6_312));
    let mut opened = opens_all();
    opened.fits.insert(0, fit(LockKind::Backup, "2", false));
    let way_on = WayOn {
        what: "Together your secrets open backup 4 (18 420 keys) and backup 2 (6 312 keys)."
            .to_owned(),
        restore: vec!["4".to_owned(), "2".to_owned()],
        current_opens: true,
        closed: vec![closed("1", 411, false)],
    };
    Opened { table, way_on, ..opened }
}

/// It opens secret storage, and through it the current backup.
pub(super) fn opens_all() -> Opened {
    let storage = fit(LockKind::SecretStorage, "f4KqAAAAAAAAAAAA", true);
    opened(vec![storage, fit(LockKind::Backup, "4", true)], &["4"])
}

/// It is the key of an older backup.
pub(super) fn opens_older() -> Opened {
    opened(vec![fit(LockKind::Backup, "2", false)], &[])
}

/// It opens nothing.
pub(super) fn opens_nothing() -> Opened {
    Opened { closed: Some(Failure::new(Code::FitsNothing)), ..opened(Vec::new(), &[]) }
}

/// It opens secret storage, which holds no key of a backup.
pub(super) fn opens_storage_only() -> Opened {
    let storage = fit(LockKind::SecretStorage, "f4KqAAAAAAAAAAAA", true);
    Opened { closed: Some(Failure::new(Code::StorageWithoutKey)), ..opened(vec![storage], &[]) }
}

/// A passphrase whose lock asks for more than anybody should begin by mistake.
pub(super) fn opens_slowly() -> Opened {
    Opened {
        kind: SecretKind::Passphrase,
        left_out_seconds: Some(120),
        closed: Some(Failure::new(Code::PassphraseSlow).with("time", "2 min")),
        ..opened(Vec::new(), &[])
    }
}

fn refused_entry(room: &str, session: &str, reason: &'static str) -> RefusedEntry {
    RefusedEntry {
        room_id: Arc::from(room),
        session_id: session.to_owned(),
        reason,
        detail: "told by a test".to_owned(),
    }
}

fn tally() -> Tally {
    let mut tally = Tally::default();
    tally.figures = Figures {
        entries: 18_420,
        opened: 18_231,
        new: 17_633,
        better: 12,
        unchanged: 584,
        candidates: 2,
        refused: 189,
        ..Figures::default()
    };
    for (id, room) in scene::contents().rooms {
        let (refused, opened) = match &*id {
            "!oldphone00:example.org" => (187, 0),
            "!neighbours:example.org" => (2, room.sessions - 2),
            _ => (0, room.sessions),
        };
        let entries = room.sessions;
        let unchanged = room.restored.min(opened);
        let new = opened - unchanged;
        let figures = Figures { entries, opened, new, unchanged, refused, ..Figures::default() };
        tally.rooms.insert(id, figures);
    }
    tally.reason_counts = BTreeMap::from([("mac", 171), ("corrupt", 15), ("id_mismatch", 3)]);
    tally.refused = vec![
        refused_entry(
            "!neighbours:example.org",
            "9sQeRXk8AmVv1jV0aFzXk8AmVv1jV0aFzXk8Am0aTg",
            "corrupt",
        ),
        refused_entry(
            "!neighbours:example.org",
            "Lw0TRXk8AmVv1jV0aFzXk8AmVv1jV0aFzXk8Ame7Pu",
            "id_mismatch",
        ),
        refused_entry(
            "!oldphone00:example.org",
            "b3RzRXk8AmVv1jV0aFzXk8AmVv1jV0aFzXk8AmQ1nM",
            "mac",
        ),
    ];
    tally
}

fn run(tally: Tally) -> Restored {
    Restored {
        version: "4".to_owned(),
        etag: Some("311".to_owned()),
        tally,
        shown_key: None,
        spares: Vec::new(),
        tried: Vec::new(),
        bytes: 15_510_000,
        seconds: 1.1,
        shortfall: None,
    }
}

pub(super) fn plan() -> Restoring {
    let runs = vec![run(tally())];
    Restoring { runs, stored_total: 598, dry_run: true, ..Restoring::default() }
}

/// Backups 4 and 2 together; backup 1 stays closed.
pub(super) fn several(dry_run: bool) -> Restoring {
    let mut newer = run(tally());
    newer.spares = vec![Spares { version: Some("2".to_owned()), count: 9 }];
    let mut older = Tally::default();
    let (new, better, unchanged) = (997, 31, 5_284);
    let entries = new + better + unchanged;
    older.figures =
        Figures { entries, opened: entries, new, better, unchanged, ..Figures::default() };
    older.rooms.insert(Arc::from("!neighbours:example.org"), older.figures);
    let older = Restored { version: "2".to_owned(), ..run(older) };
    let (runs, closed) = (vec![newer, older], vec![closed("1", 411, false)]);
    let stored_total = if dry_run { 598 } else { 19_214 };
    Restoring { runs, closed, stored_total, dry_run, ..Restoring::default() }
}

pub(super) fn nothing_new() -> Restoring {
    let mut tally = tally();
    let figures = &mut tally.figures;
    (figures.new, figures.better, figures.candidates, figures.unchanged) = (0, 0, 0, 18_231);
    let runs = vec![run(tally)];
    Restoring { runs, stored_total: 18_231, dry_run: true, ..Restoring::default() }
}

/// A plan for these rooms only.
pub(super) fn plan_of(rooms: &[&str]) -> Restoring {
    let mut plan = plan();
    plan.runs[0].tally.rooms.retain(|id, _| rooms.contains(&&**id));
    plan
}

/// A plan by which every key is refused.
pub(super) fn all_refused() -> Restoring {
    let mut plan = plan();
    plan.runs[0].tally.figures = Figures { entries: 171, refused: 171, ..Figures::default() };
    plan
}

pub(super) fn done() -> Restoring {
    let whole = CheckReport { keys: 18_231, candidates: 2, rooms: 211, ..CheckReport::default() };
    Restoring {
        runs: vec![run(tally())],
        stored_total: 18_231,
        read_back: Some(whole),
        ..Restoring::default()
    }
}

/// A plan of which 171 keys are locked for another recovery key, after the key of backup 2 was tried.
pub(super) fn mixed() -> Restoring {
    let mut mixed = plan();
    mixed.runs[0].tally.figures.for_another = 171;
    let room = mixed.runs[0].tally.rooms.get_mut("!oldphone00:example.org").unwrap();
    room.for_another = 171;
    let (own, other) = (PublicKey([1; 32]), PublicKey([2; 32]));
    mixed.runs[0].tried = vec![own, other];
    mixed.keys = vec![(own, vec!["4".to_owned()]), (other, vec!["2".to_owned()])];
    mixed
}

/// Somebody stopped it at about two fifths.
pub(super) fn stopped() -> Restoring {
    let mut stopped = done();
    stopped.read_back = None;
    let run = &mut stopped.runs[0];
    run.tally.figures =
        Figures { entries: 7_500, opened: 7_480, new: 7_480, refused: 20, ..Figures::default() };
    run.shortfall = Some(Failure::new(Code::Stopped).with("n", "7 480"));
    stopped
}

pub(super) fn glance() -> Glance {
    let all = tally().rooms;
    let half = |id: &str| {
        let room = all[id];
        let entries = room.entries / 2;
        (Arc::from(id), Figures { entries, opened: entries, new: entries, ..Figures::default() })
    };
    let whole = |id: &str| (Arc::from(id), all[id]);
    Glance {
        figures: Figures {
            entries: 7_500,
            opened: 7_480,
            new: 7_440,
            better: 2,
            unchanged: 38,
            candidates: 0,
            refused: 20,
            ..Figures::default()
        },
        rooms: vec![
            half("!f3kQ9vZe1TqLm8:example.org"),
            half("!chess00000:example.org"),
            whole("!9aaTz0cWq1:example.org"),
            whole("!photos0000:example.org"),
            whole("!oldphone00:example.org"),
        ],
    }
}

fn message(at: &str, name: &str, said: Said) -> Message {
    Message {
        event_id: format!("$event{at}"),
        sender: format!("@{}:example.org", name.to_lowercase()),
        name: Shown::new(name),
        own: name == "Ada",
        at: Some(format!("2026-11-{at}:00Z").parse().unwrap()),
        kind: "m.room.message".to_owned(),
        locked: true,
        edited: false,
        answers: None,
        said,
    }
}

fn text(words: &str) -> Said {
    Said::Text(Words::new(words.to_owned()))
}

pub(super) fn history() -> History {
    let answered = Answered {
        event_id: "$event14T09:14".to_owned(),
        words: Some(Words::new("I do. And rope.".to_owned())),
    };
    let photo = File {
        what: FileKind::Photo,
        name: Words::new("harbour.jpg".to_owned()),
        caption: None,
        bytes: Some(2_100_000),
    };
    let later = Reason::StartsLater { first: 40, index: 12 };
    let mut messages = vec![
        message("14T09:12", "Mika", text("Who brings the ladder?")),
        message("14T09:14", "Ada", text("I do. And rope.")),
        message("14T09:15", "Mika", text("Good. The long one, please.")),
        message("14T09:31", "Jo", Said::File(photo)),
        message("15T08:02", "Jo", Said::Closed(later.clone())),
        message("15T08:03", "Jo", Said::Closed(later)),
        message("15T08:05", "Mika", text("Coming down now")),
        message("15T08:41", "Jo", Said::Closed(Reason::NoKey)),
        message("15T09:00", "Ada", text("All tied up. See you at noon.")),
        message("15T09:02", "Mika", Said::Deleted),
    ];
    messages[2].answers = Some(answered);
    messages[6].edited = true;
    History {
        room_id: "!9aaTz0cWq1:example.org".to_owned(),
        messages,
        earlier: Some("t47429-4392820".to_owned()),
        readable: 6,
        unreadable: 3,
        deleted: 1,
        odd: 0,
        shortfall: None,
    }
}

/// Older messages of the same room, and no more before them.
pub(super) fn older() -> History {
    let messages = (10..30)
        .map(|number| message(&format!("10T08:{number}"), "Jo", text(&format!("Plank {number}."))))
        .collect();
    History { messages, earlier: None, readable: 20, unreadable: 0, deleted: 0, ..history() }
}

pub(super) fn exported() -> Exported {
    Exported {
        rooms: 211,
        sessions: 18_228,
        bytes: 14_600_000,
        left_out_count: 3,
        reasons: BTreeMap::from([("bad_sender_key", 3)]),
        ..Exported::default()
    }
}

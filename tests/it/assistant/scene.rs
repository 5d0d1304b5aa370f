//! A model that is told what happened, without any server: the story of Ada with backups 4, 2 and 1.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::{Timestamp, tz::TimeZone};
use keyhaul::backup::entry::Metadata;
use keyhaul::backup::version::BackupVersion;
use keyhaul::base::failure::{Code, Failure};
use keyhaul::base::secret::SecretText;
use keyhaul::base::shown::Shown;
use keyhaul::recovery::contents::{Contents, Glance, RoomContents, RoomSessions, SessionContents};
use keyhaul::recovery::haul::{Hauled, Saved};
use keyhaul::recovery::look::Overview;
use keyhaul::recovery::looks::Earlier;
use keyhaul::recovery::names::{Kind, RoomName};
use keyhaul::recovery::sign_in::{Device, Flow, Found};
use keyhaul::recovery::trust::{SignedBy, Who, Worth};
use keyhaul::tui::draw::draw;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::input;
use keyhaul::tui::message::{DemoPaper, Happened, Job, Looked, Message, Signed};
use keyhaul::tui::model::{Model, Settings, Start};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

pub(super) const NOW: &str = "2026-11-24T12:00:00Z";

/// A model, the work it began, and its clock.
pub(super) struct Scene {
    pub(super) model: Model,
    pub(super) effects: Vec<Effect>,
    pub(super) now: Duration,
    pub(super) size: (u16, u16),
}

pub(super) fn settings() -> Settings {
    Settings { began: NOW.parse().unwrap(), zone: TimeZone::UTC, ..Settings::default() }
}

impl Scene {
    pub(super) fn begin(width: u16, height: u16) -> Self {
        Self::with(width, height, settings(), Start::default())
    }

    pub(super) fn with(width: u16, height: u16, settings: Settings, start: Start) -> Self {
        let (model, effects) = Model::start(settings, Size { width, height }, start);
        Self { model, effects, now: Duration::from_secs(1), size: (width, height) }
    }

    pub(super) fn tell(&mut self, message: Message) {
        let effects = self.model.update(self.now, message);
        self.effects.extend(effects);
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, seconds: f32) {
        self.now += Duration::from_secs_f32(seconds);
        self.tell(Message::Clock);
    }

    /// Presses keys by their names, a tenth of a second apart.
    pub(super) fn press(&mut self, keys: &str) {
        for name in keys.split(' ') {
            self.now += Duration::from_millis(100);
            if let Some(message) = input::message(&self.model, key(name)) {
                self.tell(message);
            }
        }
    }

    /// Types letters.
    pub(super) fn types(&mut self, text: &str) {
        for letter in text.chars() {
            self.now += Duration::from_millis(100);
            let event = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            if let Some(message) = input::message(&self.model, Event::Key(event)) {
                self.tell(message);
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.now += Duration::from_millis(100);
        self.tell(input::message(&self.model, Event::Paste(text.to_owned())).unwrap());
    }

    /// How often the model wanted something done.
    pub(super) fn count(&self, is: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| is(effect)).count()
    }

    /// The job of the last effect that `is` finds.
    #[track_caller]
    pub(super) fn job(&self, is: impl Fn(&Effect) -> Option<Job>) -> Job {
        self.effects.iter().rev().find_map(is).expect("the model wanted this done")
    }

    pub(super) fn happens(&mut self, job: Job, happened: Happened) {
        self.tell(Message::Happened(job, happened));
    }

    /// The window as lines of text.
    pub(super) fn screen(&self) -> String {
        lines(&self.buffer())
    }

    pub(super) fn buffer(&self) -> Buffer {
        let (width, height) = self.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(&self.model, frame)).unwrap();
        terminal.backend().buffer().clone()
    }

    // The story, step by step.

    pub(super) fn found(&mut self, found: Result<Found, Failure>) {
        let job = self.job(|effect| match effect {
            Effect::Find { job, .. } => Some(*job),
            _ => None,
        });
        self.happens(job, Happened::Found(found));
    }

    /// At the password, with the server found.
    pub(super) fn at_password(width: u16, height: u16) -> Self {
        let mut scene = Self::begin(width, height);
        scene.paste("@ada:example.org");
        scene.press("Enter");
        scene.found(Ok(server()));
        scene
    }

    pub(super) fn signing_in(&self) -> Job {
        self.job(|effect| match effect {
            Effect::SignIn { job, .. } => Some(*job),
            _ => None,
        })
    }

    /// Signed in; the look at the backups runs.
    pub(super) fn signed_in(width: u16, height: u16) -> Self {
        let mut scene = Self::at_password(width, height);
        scene.paste("an engine");
        scene.press("Enter");
        let job = scene.signing_in();
        scene.happens(job, Happened::SignedIn(Ok(signed("@ada:example.org"))));
        scene
    }

    pub(super) fn looking(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Look { job, .. } => Some(*job),
            _ => None,
        })
    }

    /// Backups 4, 2 and 1 were found.
    pub(super) fn at_backups(width: u16, height: u16) -> Self {
        let mut scene = Self::signed_in(width, height);
        let job = scene.looking();
        scene.happens(job, Happened::Looked(Ok(Box::new(looked()))));
        scene
    }

    pub(super) fn hauling(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Haul { job, .. } => Some(*job),
            _ => None,
        })
    }

    /// Backup 4 is being read; nothing came yet.
    pub(super) fn at_contents(width: u16, height: u16) -> Self {
        let mut scene = Self::at_backups(width, height);
        scene.press("Enter");
        scene
    }

    /// A part of backup 4 is here.
    pub(super) fn streaming(width: u16, height: u16) -> Self {
        let mut scene = Self::at_contents(width, height);
        let job = scene.hauling();
        let some = |sessions, bytes, count| Glance {
            rooms: contents().rooms.into_iter().take(count).collect(),
            sessions,
            bytes,
        };
        scene.wait(0.5);
        scene.happens(job, Happened::Glanced(some(1_000, 850_000, 3)));
        scene.wait(2.0);
        scene.happens(job, Happened::Glanced(some(7_214, 6_100_000, 12)));
        scene
    }

    pub(super) fn hauled(&mut self, hauled: Result<Hauled, Failure>) {
        let job = self.hauling();
        self.happens(job, Happened::Hauled(Box::new(hauled)));
    }

    /// Backup 4 was read; its rooms have no names yet.
    pub(super) fn read(width: u16, height: u16) -> Self {
        let mut scene = Self::streaming(width, height);
        scene.hauled(Ok(hauled()));
        scene
    }

    /// Backup 4 was read, and the names came.
    pub(super) fn named(width: u16, height: u16) -> Self {
        let mut scene = Self::read(width, height);
        let job = scene.job(|effect| match effect {
            Effect::Names { job, .. } => Some(*job),
            _ => None,
        });
        scene.happens(job, Happened::Named(names()));
        scene.happens(job, Happened::NamesEnded);
        scene
    }

    /// One room is open, key by key.
    pub(super) fn at_room(width: u16, height: u16) -> Self {
        let mut scene = Self::named(width, height);
        scene.press("Down Right");
        let job = scene.job(|effect| match effect {
            Effect::Sessions { job, .. } => Some(*job),
            _ => None,
        });
        scene.happens(job, Happened::Sessions(Ok(sessions())));
        scene
    }
}

/// The window as lines of text; what a wide character covers is left out.
pub(super) fn lines(buffer: &Buffer) -> String {
    use unicode_width::UnicodeWidthStr;
    let width = usize::from(buffer.area.width.max(1));
    let mut text = String::new();
    for row in buffer.content().chunks(width) {
        let mut covered = 0;
        let mut line = String::new();
        for cell in row {
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = cell.symbol().width().saturating_sub(1);
            line.push_str(cell.symbol());
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A key by its name in the key map.
pub(super) fn key(name: &str) -> Event {
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BackTab" => KeyCode::BackTab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "Space" => KeyCode::Char(' '),
        "Backspace" => KeyCode::Backspace,
        "Del" => KeyCode::Delete,
        "F1" => KeyCode::F(1),
        "F2" => KeyCode::F(2),
        "F3" => KeyCode::F(3),
        ctrl if ctrl.starts_with("Ctrl-") => {
            let letter = ctrl.chars().last().unwrap().to_ascii_lowercase();
            return Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL));
        }
        one => KeyCode::Char(one.chars().next().unwrap()),
    };
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

pub(super) fn signed(user_id: &str) -> Signed {
    Signed {
        user_id: user_id.to_owned(),
        server: "https://matrix.example.org".to_owned(),
        device: Device::Ours,
    }
}

pub(super) fn paper() -> DemoPaper {
    let password = SecretText::new("an engine weaves patterns".to_owned());
    DemoPaper {
        story: None,
        server: "http://127.0.0.1:1".to_owned(),
        user: "@ada:example.org".to_owned(),
        password: Arc::new(password),
        recovery_key: Shown::new("EsU1 ezue GXv9 awie ZAqG u9wi LpjF WTTJ CNuk qFq5 Vq9v ept5"),
    }
}

pub(super) fn server() -> Found {
    Found {
        address: "https://matrix.example.org/".to_owned(),
        host: Shown::new("matrix.example.org"),
        named_by: Some(Shown::new("example.org")),
        flows: vec![Flow::Password, Flow::Browser { providers: vec![Shown::new("Example Login")] }],
    }
}

fn version(name: &str, count: u64, key: &str) -> BackupVersion {
    let json = format!(
        r#"{{"algorithm":"m.megolm_backup.v1.curve25519-aes-sha2","auth_data":{{"public_key":"{key}"}},
            "count":{count},"etag":"311","version":"{name}"}}"#
    );
    BackupVersion::parse(&json, None).unwrap()
}

pub(super) fn versions() -> Vec<BackupVersion> {
    vec![
        version("4", 18_420, "3pQxVb1mLw0TAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        version("2", 6_312, "hK9d0sYeTn4aAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        version("1", 411, "Zz1cq8Ru5mBvAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ]
}

pub(super) fn looked() -> Looked {
    let signed = |who, worth| vec![SignedBy { who, worth }];
    Looked {
        overview: Overview {
            user_id: "@ada:example.org".to_owned(),
            server: "https://matrix.example.org".to_owned(),
            versions: versions(),
            all_found: Some(true),
            current: Some("4".to_owned()),
            ..Overview::default()
        },
        signers: vec![
            ("4".to_owned(), signed(Who::Account, Worth::NotProven)),
            ("2".to_owned(), signed(Who::Device(Shown::new("Old laptop")), Worth::NotProven)),
            ("1".to_owned(), Vec::new()),
        ],
        judged: true,
        earlier: vec![Earlier {
            version: "4".to_owned(),
            at: "2026-11-22T11:00:00Z".parse().unwrap(),
            count: Some(18_402),
            same: false,
        }],
    }
}

/// The rooms of SCREENS, and others until there are 212.
const ROOMS: &[(&str, &str, u64, u64, u64)] = &[
    ("!9aaTz0cWq1:example.org", "Family", 1_204, 0, 0),
    ("!f3kQ9vZe1TqLm8:example.org", "Release team", 860, 12, 12),
    ("!chess00000:example.org", "Chess on Sundays", 811, 3, 0),
    ("!people0000:example.org", "", 584, 0, 584),
    ("!photos0000:example.org", "写真クラブ", 402, 0, 0),
    ("!neighbours:example.org", "Neighbours 14b", 377, 41, 0),
    ("!books00000:example.org", "Book circle 🐢", 290, 0, 0),
    ("!Qm2xV7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", 233, 0, 0),
    ("!allotment0:example.org", "ועד הבית", 198, 0, 0),
    ("!oldphone00:example.org", "Old phone chat", 187, 87, 2),
];

pub(super) fn contents() -> Contents {
    let figures = |keys, late, here| RoomContents {
        sessions: keys,
        partial: late,
        unverified: keys,
        forwarded: late * 2,
        restored: here,
        bytes: keys * 842,
    };
    let mut contents = Contents { whole: true, compared: true, ..Contents::default() };
    for (id, _, keys, late, here) in ROOMS {
        contents.rooms.insert(Arc::from(*id), figures(*keys, *late, *here));
    }
    let rest = 18_420 - ROOMS.iter().map(|(_, _, keys, ..)| keys).sum::<u64>();
    for number in 0..202_u64 {
        let keys = rest / 202 + u64::from(number < rest % 202);
        let id = format!("!room{number:03}:example.net");
        contents.rooms.insert(Arc::from(id), figures(keys, 0, 0));
    }
    contents.sessions = contents.rooms.values().map(|room| room.sessions).sum();
    contents.bytes = contents.rooms.values().map(|room| room.bytes).sum();
    contents
}

pub(super) fn hauled() -> Hauled {
    let read: Timestamp = NOW.parse().unwrap();
    Hauled {
        version: versions().remove(0),
        contents: contents(),
        saved: Ok(Some(Saved { file: "/data/snapshot-4.keyhaul".into(), read, bytes: 15_510_000 })),
        broken: None,
        changed: false,
    }
}

/// What was read before the connection broke.
pub(super) fn broken() -> Hauled {
    let mut hauled = hauled();
    hauled.contents.rooms = hauled.contents.rooms.into_iter().take(140).collect();
    hauled.contents.sessions = hauled.contents.rooms.values().map(|room| room.sessions).sum();
    hauled.contents.whole = false;
    hauled.broken =
        Some(Failure::new(Code::ConnectionLost).with("n", "11 204").with("all", "18 420"));
    hauled
}

pub(super) fn names() -> Vec<(Arc<str>, RoomName)> {
    let named = |name: &str| RoomName {
        name: Some(Shown::new(name)).filter(|name| !name.as_str().is_empty()),
        kind: Kind::Named,
        left: false,
        people: Some(34),
    };
    let mut names: Vec<(Arc<str>, RoomName)> =
        ROOMS.iter().map(|(id, name, ..)| (Arc::from(*id), named(name))).collect();
    names[3].1 = RoomName { name: None, people: Some(3), ..named("") };
    names[7].1 = RoomName { name: None, left: true, people: None, ..named("") };
    names
}

pub(super) fn sessions() -> RoomSessions {
    let key = |number: u64| SessionContents {
        session_id: format!("{number:03}oRXk8AmVv1jV0aFzXk8AmVv1jV0aFzXk8AmVv1jV0"),
        metadata: Metadata {
            first_message_index: (number != 7).then_some(if number % 5 == 1 { 120 } else { 0 }),
            forwarded_count: Some(number % 3),
            is_verified: Some(number.is_multiple_of(2)),
        },
        restored: Some(number.is_multiple_of(4)),
        bytes: 840 + number,
    };
    RoomSessions { sessions: (0..860).map(key).collect(), whole: true }
}

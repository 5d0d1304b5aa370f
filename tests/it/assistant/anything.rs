//! Whatever anybody presses, pastes, clicks and resizes, in any order and while work reports: nothing
//! panics, nobody is trapped, and nothing that a terminal obeys is drawn.

use keyhaul::backup::repair::Slips;
use keyhaul::base::failure::{Code, Failure};
use keyhaul::base::secret::SecretText;
use keyhaul::base::shown::Shown;
use keyhaul::recovery::passphrase_list::Estimate;
use keyhaul::recovery::sign_in::Left;
use keyhaul::secret_storage::guesses::Variation;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::{Guessing, Happened, Hit, Message};
use keyhaul::tui::run::Wish;
use proptest::prelude::*;
use ratatui::layout::{Position, Size};

use super::scene::{self, Scene};
use super::scene_insight as insight;
use super::scene_later as later;

const KEYS: &[&str] = &[
    "Enter",
    "Esc",
    "Tab",
    "BackTab",
    "Up",
    "Down",
    "Left",
    "Right",
    "PgUp",
    "PgDn",
    "Home",
    "End",
    "Space",
    "Backspace",
    "F1",
    "F2",
    "F3",
    "Ctrl-P",
    "Ctrl-C",
    "Ctrl-L",
    "Ctrl-Z",
    "Ctrl-R",
    "Ctrl-A",
    "Ctrl-E",
    "Ctrl-W",
    "Ctrl-U",
    "Ctrl-K",
    "?",
    "e",
    "m",
    ":",
    "y",
    "Y",
    "q",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "r",
    "o",
    "#",
    "a",
    "i",
    "/",
    "s",
    "S",
    "j",
    "k",
    "h",
    "l",
    "g",
    "G",
    "x",
    "c",
    "d",
    "f",
    "p",
    "t",
    "Del",
    "Ctrl-O",
    "9",
    "@",
];

#[derive(Clone, Debug)]
enum Act {
    Press(&'static str),
    Paste(String),
    Click(u16, u16),
    Wheel(i8),
    Resize(u16, u16),
    Wait(u16),
    /// The work under way reports: well or badly.
    Answer(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => proptest::sample::select(KEYS).prop_map(Act::Press),
        1 => ".{0,80}".prop_map(Act::Paste),
        1 => Just(Act::Paste("@ada:example.org".to_owned())),
        2 => Just(Act::Paste(later::KEY.to_owned())),
        2 => (0..60_usize, ".").prop_map(|(place, other)| {
            let mut slip = later::KEY.to_owned();
            slip.replace_range(place.min(58)..place.min(58) + 1, &other);
            Act::Paste(slip)
        }),
        2 => (0..130_u16, 0..50_u16).prop_map(|(x, y)| Act::Click(x, y)),
        1 => any::<i8>().prop_map(Act::Wheel),
        1 => (0..200_u16, 0..60_u16).prop_map(|(width, height)| Act::Resize(width, height)),
        2 => (0..2_000_u16).prop_map(Act::Wait),
        5 => proptest::bool::weighted(0.8).prop_map(Act::Answer),
    ]
}

/// Answers the last piece of work that was begun.
fn answer(scene: &mut Scene, well: bool) {
    let Some(effect) = scene.effects.pop() else { return };
    let odd = || Failure::new(Code::AnswerOdd).with("name", "\u{1b}[31m").because("\u{202e}x\n");
    let result = |ok| if well { Ok(ok) } else { Err(odd()) };
    let (job, happened) = match effect {
        Effect::Find { job, .. } => (job, Happened::Found(result(()).map(|()| scene::server()))),
        Effect::SignIn { job, .. } => {
            let signed = || scene::signed("@\u{1b}[31mada\u{202e}:example.org");
            (job, Happened::SignedIn(result(()).map(|()| signed())))
        }
        Effect::Look { job, .. } => {
            // Now and then a version is gone, or the current one holds fewer keys than an old one.
            let mut looked = scene::looked();
            let versions = &mut looked.overview.versions;
            match job % 4 {
                0 => versions.truncate(1),
                1 => versions.clear(),
                2 => versions.reverse(),
                _ => {}
            }
            (job, Happened::Looked(result(()).map(|()| Box::new(looked))))
        }
        Effect::Haul { job, .. } => {
            let mut hauled = if job % 3 == 0 { scene::broken() } else { scene::hauled() };
            hauled.changed = job % 5 == 0;
            if job % 7 == 0 {
                hauled.contents = Default::default();
            }
            (job, Happened::Hauled(Box::new(result(()).map(|()| hauled))))
        }
        Effect::Names { job, .. } => (job, Happened::Named(scene::names())),
        Effect::Sessions { job, .. } => {
            (job, Happened::Sessions(result(()).map(|()| scene::sessions())))
        }
        Effect::Unlock { job, .. } => {
            let opened = match job % 9 {
                5 => later::fits_older(),
                6 => later::fits_nothing(),
                7 => later::fits_two(),
                8 => later::fits_by_storage(),
                0 => later::opens_older(),
                1 => later::opens_nothing(),
                2 => later::opens_storage_only(),
                3 => later::opens_slowly(),
                _ => later::opens_all(),
            };
            scene.happens(job, Happened::Unlocked(result(()).map(|()| Box::new(opened))));
            (job, Happened::Judged(Vec::new()))
        }
        Effect::Mend { job, secret, .. } => {
            let stages = vec![(Slips::OneWrong, 2_783), (Slips::TwoWrong, 3_664_872)];
            scene.happens(job, Happened::MendPlanned(stages));
            let stage = "two wrong characters";
            scene.happens(job, Happened::Mending { stage, tried: job * 9_999, left: Some(job) });
            let mut repaired = super::mending::repaired(secret.expose(), job);
            if job % 3 == 0 {
                repaired.answers.clear();
            }
            (job, Happened::Mended(Box::new(result(()).map(|()| repaired))))
        }
        Effect::ReadList { job, .. } => {
            let lines = || (0..job).map(|n| SecretText::new(format!("line {n}"))).collect();
            (job, Happened::ListRead(result(()).map(|()| lines())))
        }
        Effect::Count { job, .. } => {
            let estimate =
                Estimate { guesses: job * 99, locks: job % 3, seconds: job.checked_sub(5) };
            (job, Happened::Counted(result(()).map(|()| estimate)))
        }
        Effect::Guess { job, .. } => {
            let far =
                Guessing { tried: job, of: job * 3, in_ten_seconds: job * 7, left: Some(job) };
            scene.happens(job, Happened::Guessing(far));
            let secret = SecretText::new("a watched pot".to_owned());
            let hit = Hit { secret, line: job, variation: Variation::EndingAway };
            (job, Happened::Guessed(result(()).map(|()| Box::new(hit))))
        }
        Effect::Restore { job, dry_run, .. } => {
            if job % 3 == 0 {
                scene.happens(job, Happened::Restoring(later::glance()));
            }
            let restoring = match (dry_run, job % 4) {
                (true, 0) => later::nothing_new(),
                (true, 1) => later::mixed(),
                (true, _) => later::plan(),
                (false, 0) => later::stopped(),
                (false, _) => later::done(),
            };
            (job, Happened::Restored(Box::new(result(()).map(|()| restoring))))
        }
        Effect::History { job, from, .. } => {
            let history = if from.is_some() { later::older() } else { later::history() };
            (job, Happened::Read(Box::new(result(()).map(|()| history))))
        }
        Effect::MakePassphrase { job } => {
            (job, Happened::Passphrase(SecretText::new("granite-otter".to_owned())))
        }
        Effect::Export { job, .. } => {
            (job, Happened::Exported(Box::new(result(()).map(|()| later::exported()))))
        }
        Effect::CheckUp { job, .. } => {
            scene.happens(job, Happened::Carried(job));
            (job, Happened::CheckedUp(Box::new(result(()).map(|()| insight::checks()))))
        }
        Effect::Compare { job, .. } => {
            scene.happens(job, Happened::Carried(job));
            (job, Happened::Compared(Box::new(result(()).map(|()| insight::diff()))))
        }
        Effect::Paper { job, .. } => (job, Happened::Written(result(()))),
        Effect::Copy { job, text } => (job, Happened::Copied(well.then_some(text))),
        Effect::Kept { job, .. } => (job, Happened::Kept(Vec::new())),
        Effect::Demo { job } => (job, Happened::Demo(result(()).map(|()| scene::paper()))),
        Effect::Leave { job, .. } => {
            (job, Happened::Left(result(()).map(|()| Left::DeviceRemoved)))
        }
        _ => return,
    };
    scene.happens(job, happened);
}

fn perform(scene: &mut Scene, act: &Act) {
    match act {
        Act::Press(key) => scene.press(key),
        Act::Paste(text) => scene.paste(text),
        Act::Click(x, y) => scene.tell(Message::Clicked(Position::new(*x, *y))),
        Act::Wheel(rows) => scene.tell(Message::Wheel(*rows)),
        Act::Resize(width, height) => {
            scene.size = (*width, *height);
            scene.tell(Message::Resized(Size { width: *width, height: *height }));
        }
        Act::Wait(hundredths) => scene.wait(f32::from(*hundredths) / 100.0),
        Act::Answer(well) => answer(scene, *well),
    }
}

/// Leaves from wherever somebody is: two presses of Ctrl-C, and what signing out may take.
fn leaves(scene: &mut Scene) -> bool {
    scene.press("Ctrl-C Ctrl-C");
    scene.wait(11.0);
    scene.model.ended().is_some()
}

fn is_clean(scene: &Scene) -> bool {
    let clean = |symbol: &str| symbol.chars().all(Shown::passes);
    scene.buffer().content().iter().all(|cell| clean(cell.symbol()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_traps_or_escapes(
        begin in 0..10_u8,
        acts in proptest::collection::vec(act(), 0..60),
    ) {
        // Some begin in the middle: else the last steps are seldom reached.
        let mut scene = match begin {
            0 => Scene::begin(80, 24),
            1 => Scene::at_key(80, 24),
            2 => Scene::planned(80, 24),
            3 => Scene::in_the_middle(80, 24),
            4 => Scene::at_proof(80, 24),
            8 => Scene::with_key(80, 24, later::fits_older()),
            5 => Scene::at_list(80, 24),
            6 => Scene::at_compare(80, 24),
            7 => Scene::at_sheet(80, 24),
            _ => Scene::at_key_file(80, 24),
        };
        for act in &acts {
            perform(&mut scene, act);
            prop_assert!(is_clean(&scene), "after {act:?}");
            if scene.model.ended().is_some() {
                return Ok(());
            }
        }
        prop_assert!(leaves(&mut scene), "trapped:\n{}", scene.screen());
    }
}

/// The same property finds a trap and an escape where one is planted.
#[test]
fn a_trap_and_an_escape_are_found() {
    let mut scene = Scene::begin(80, 24);
    // Without the second press there is no way out.
    scene.press("Ctrl-C");
    assert!(scene.model.ended().is_none());
    assert!(leaves(&mut Scene::begin(80, 24)));
    let mut buffer = scene.buffer();
    assert!(is_clean(&scene));
    buffer.content[0].set_symbol("\u{1b}");
    assert!(!buffer.content().iter().all(|cell| cell.symbol().chars().all(Shown::passes)));
    assert_ne!(Wish::Suspend, Wish::End(0));
}

/// Names that try to command the terminal, from every place that names come from.
#[test]
fn hostile_names_are_harmless_everywhere() {
    for hostile in [
        "\u{1b}]52;c;AAAA\u{7}",
        "a\u{9b}31mb",
        "\u{202e}gnp.exe",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "\u{e0041}\u{200b}x",
    ] {
        let mut scene = Scene::named(80, 24);
        let room = scene::names().remove(0).0;
        let job = 9;
        scene.happens(job, Happened::NamesEnded);
        let mut scene = Scene::read(120, 40);
        let job = scene.job(|effect| match effect {
            Effect::Names { job, .. } => Some(*job),
            _ => None,
        });
        let mut name = scene::names().remove(0).1;
        name.name = Some(Shown::new(hostile));
        scene.happens(job, Happened::Named(vec![(room, name)]));
        assert!(is_clean(&scene), "{hostile:?}");
    }
}

/// A hundred thousand rooms scroll: only what is seen is drawn.
#[test]
fn a_hundred_thousand_rooms_scroll() {
    use keyhaul::recovery::contents::{Contents, RoomContents};
    let mut scene = Scene::at_contents(80, 24);
    let rooms = (0..100_000_u64).map(|number| {
        let id = std::sync::Arc::from(format!("!room{number:06}:example.org"));
        (id, RoomContents { sessions: 100_000 - number, ..RoomContents::default() })
    });
    let contents =
        Contents { rooms: rooms.collect(), whole: true, sessions: 1, ..Contents::default() };
    let hauled = keyhaul::recovery::haul::Hauled { contents, ..scene::hauled() };
    scene.hauled(Ok(hauled));
    scene.press("End");
    let screen = scene.screen();
    assert!(screen.contains("100 000 of 100 000 rooms"), "{screen}");
    assert!(screen.contains("▸[ ] !room09…:example.org"), "{screen}");
    scene.press("Home PgDn PgDn");
    assert!(scene.screen().contains("23 of 100 000 rooms"), "{}", scene.screen());
    scene.press("/");
    scene.types("099999");
    assert!(scene.screen().contains("1 room fits"), "{}", scene.screen());
}

//! The search for a slip: offered where a recovery key cannot be right, shown as a difference, and never
//! taken without a key press.

use keyhaul::backup::repair::{Difference, Slips};
use keyhaul::base::failure::{Code, Failure};
use keyhaul::base::secret::SecretText;
use keyhaul::demo::stories::Story;
use keyhaul::recovery::repair::{Answer, Repaired, stages};
use keyhaul::recovery::unlock::Unlocked;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::{Happened, Job};
use keyhaul::tui::model::Start;

use super::journey::{Journey, serve};
use super::scene::Scene;
use super::scene_later::{self as later, KEY};
use super::screens::holds;

fn text(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

/// What a search found that began with this text.
pub(super) fn repaired(typed: &str, tried: u64) -> Repaired {
    let mut unlocked = Unlocked::default();
    unlocked.fits = later::opens_all().fits;
    let (key, difference) = (text(KEY), Difference::between(&text(typed), &text(KEY)));
    Repaired { answers: vec![Answer { key, difference, unlocked }], tried, stages: Vec::new() }
}

fn nothing() -> Repaired {
    Repaired { answers: Vec::new(), tried: 3_209_069_901, stages: Vec::new() }
}

impl Scene {
    fn mending(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Mend { job, .. } => Some(*job),
            _ => None,
        })
    }

    /// A key with a slip was pasted, and is searched for.
    fn searching_for(width: u16, height: u16, typed: &str) -> Self {
        let mut scene = Self::at_key(width, height);
        scene.paste(typed);
        scene.wait(1.0);
        scene.press("Enter");
        let job = scene.mending();
        scene.happens(job, Happened::MendPlanned(stages(&text(typed))));
        scene
    }

    fn slip_found(width: u16, height: u16, typed: &str) -> Self {
        let mut scene = Self::searching_for(width, height, typed);
        let job = scene.mending();
        scene.happens(job, Happened::Mended(Box::new(Ok(repaired(typed, 2_783)))));
        scene
    }
}

fn wrong() -> String {
    KEY.replace("BXwk", "8Xwk")
}

fn goes_on(stage: Slips, tried: u64, left: Option<u64>) -> Happened {
    Happened::Mending { stage: keyhaul::recovery::slips::searched(stage), tried, left }
}

#[test]
fn searching() {
    holds("mend_searching", |width, height| {
        let mut scene = Scene::searching_for(width, height, &wrong());
        let job = scene.mending();
        scene.wait(0.3);
        scene.happens(job, goes_on(Slips::TwoWrong, 2_198_922, Some(1)));
        scene
    });
}

#[test]
fn one_wrong_character() {
    holds("mend_wrong", |width, height| Scene::slip_found(width, height, &wrong()));
}

#[test]
fn a_missing_character() {
    holds("mend_missing", |width, height| {
        Scene::slip_found(width, height, &KEY.replace("qeeJ", "qeJ"))
    });
}

#[test]
fn two_groups_swapped() {
    let swapped = KEY.replace("g5c4 BXwk", "BXwk g5c4");
    holds("mend_groups", |width, height| Scene::slip_found(width, height, &swapped));
}

#[test]
fn several_slips_in_distant_cells() {
    let typed = KEY.replace("PGiF", "PiGF").replace("UE4d", "UEAd").replace("3As5", "3A5s");
    holds("mend_several", |width, height| Scene::slip_found(width, height, &typed));
}

#[test]
fn masked() {
    holds("mend_masked", |width, height| {
        let mut scene = Scene::slip_found(width, height, &wrong());
        scene.press("m");
        let screen = scene.screen();
        assert!(!screen.contains("8Xwk") && !screen.contains("BXwk"), "{screen}");
        scene
    });
}

#[test]
fn nothing_found() {
    holds("mend_nothing", |width, height| {
        let mut scene = Scene::searching_for(width, height, &wrong());
        let job = scene.mending();
        scene.wait(80.0);
        scene.happens(job, Happened::Mended(Box::new(Ok(nothing()))));
        scene
    });
}

/// Only what differs is ever on the screen.
#[test]
fn the_rest_of_the_key_stays_hidden() {
    for (width, height) in [(80, 24), (40, 12), (120, 40)] {
        let screen = Scene::slip_found(width, height, &wrong()).screen();
        assert!(screen.contains("8Xwk") && screen.contains("BXwk"), "{screen}");
        for cell in KEY.split(' ').filter(|cell| *cell != "BXwk") {
            assert!(!screen.contains(cell), "{cell} in\n{screen}");
        }
    }
}

#[test]
fn enter_takes_it_and_esc_keeps_mine() {
    let mut scene = Scene::slip_found(80, 24, &wrong());
    let tries = |scene: &Scene| scene.count(|effect| matches!(effect, Effect::Unlock { .. }));
    let before = tries(&scene);
    scene.press("Esc");
    assert!(scene.screen().contains("the checksum does not fit"), "{}", scene.screen());
    assert_eq!(tries(&scene), before);
    let mut scene = Scene::slip_found(80, 24, &wrong());
    scene.wait(1.0);
    scene.press("Enter");
    let is_key = |effect: &Effect| match effect {
        Effect::Unlock { secrets, .. } => secrets.iter().any(|secret| secret.expose() == KEY),
        _ => false,
    };
    assert_eq!(scene.count(is_key), 1);
    let screen = scene.screen();
    assert!(screen.contains("Correct your paper, too: cell 7, first character."), "{screen}");
    scene.opens(later::opens_all());
    scene.press("q");
    scene.wait(11.0);
    let words = scene.model.ended().unwrap().words.join("\n");
    assert!(words.contains("Correct your paper: cell 7, first character."), "{words}");
}

#[test]
fn nothing_is_taken_while_it_searches_and_a_stop_keeps_what_was_typed() {
    let mut scene = Scene::searching_for(80, 24, &wrong());
    scene.wait(1.0);
    scene.press("Enter");
    assert!(scene.screen().contains("the search goes on"), "{}", scene.screen());
    scene.press("Ctrl-C");
    let job = scene.mending();
    assert_eq!(
        scene.count(|effect| matches!(effect, Effect::Cancel(stopped) if *stopped == job)),
        1
    );
    let stopped = Failure::new(Code::Stopped).with("n", "The restored");
    scene.happens(job, Happened::Mended(Box::new(Err(stopped))));
    let screen = scene.screen();
    assert!(screen.contains("Stopped. What you typed is still there."), "{screen}");
    assert!(screen.contains("the checksum does not fit"), "{screen}");
}

/// Whoever went on does not want the answer any more, and the search is over.
#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    for keys in ["Esc", "3", "2"] {
        let mut scene = Scene::searching_for(80, 24, &wrong());
        let job = scene.mending();
        scene.wait(1.0);
        scene.press(keys);
        let cancelled = |effect: &Effect| matches!(effect, Effect::Cancel(one) if *one == job);
        assert_eq!(scene.count(cancelled), 1, "{keys}");
        let before = scene.screen();
        scene.happens(job, goes_on(Slips::TwoWrong, 5, None));
        scene.happens(job, Happened::Mended(Box::new(Ok(repaired(&wrong(), 5)))));
        assert_eq!(scene.screen(), before, "{keys}");
    }
}

/// Several keys that open something: nobody is chosen for.
#[test]
fn of_several_answers_none_is_taken() {
    let mut scene = Scene::searching_for(80, 24, &wrong());
    let job = scene.mending();
    let mut both = repaired(&wrong(), 9);
    both.answers.extend(repaired(&wrong(), 9).answers);
    scene.happens(job, Happened::Mended(Box::new(Ok(both))));
    assert!(scene.screen().contains("2 answers"), "{}", scene.screen());
    scene.wait(1.0);
    let before = scene.count(|effect| matches!(effect, Effect::Unlock { .. }));
    scene.press("Enter");
    assert_eq!(scene.count(|effect| matches!(effect, Effect::Unlock { .. })), before);
    assert!(scene.screen().contains("Compare with your paper."), "{}", scene.screen());
}

/// The paper of the story has one wrong letter: two presses more, and everything is restored.
#[tokio::test(flavor = "multi_thread")]
async fn a_miscopied_paper_on_the_way_to_the_messages() {
    let story = Story::Miscopied;
    let server = serve(story.account()).await;
    let start = Start { server: Some(server.base_url().to_owned()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.paste("@ada:example.org").await;
    ada.press("Enter").await;
    ada.sees("type your password").await;
    ada.paste(story.password().expose()).await;
    ada.press("Enter").await;
    ada.sees("what backup 1 holds").await;
    ada.press("4").await;
    ada.sees("Type it as it stands on your paper").await;
    ada.paste(story.secret().expose()).await;
    ada.sees("there is a slip somewhere").await;
    ada.press("Enter").await;
    let screen = ada.sees("One slip found").await;
    assert!(screen.contains("your recovery key opens backup 1."), "{screen}");
    ada.press("Enter").await;
    ada.sees("backup 1, the current one.").await;
    ada.press("Enter").await;
    ada.sees("as many as the server says").await;
    ada.press("Enter").await;
    ada.sees("✓ Restored.").await;
    ada.press("q").await;
    let (ending, server, _) = ada.ended().await;
    assert_eq!((ending.exit, server.devices(), server.writes()), (0, 0, 0));
    let words = ending.words.join("\n");
    assert!(words.contains("Correct your paper: cell "), "{words}");
}

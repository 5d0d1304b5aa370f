//! Passphrases that somebody may have used: the screen in its states, what keys do there, and a journey.

use std::time::Duration;

use keyhaul::{
    base::{
        failure::{Code, Failure},
        secret::SecretText,
    },
    demo::stories::Story,
    recovery::{passphrase_list::Estimate, unlock::SecretKind},
    secret_storage::guesses::{Kind, Variation},
    tui::{
        effect::Effect,
        message::{Guessing, Happened, Hit, Job, Opened},
        model::Start,
    },
};

use super::{
    journey::{Journey, serve},
    scene::Scene,
    scene_later as later,
    screens::holds,
};

const LINES: [&str; 2] = ["Correct horse", "Tr0ub4dor and more of it"];

impl Scene {
    /// At an empty list of passphrases.
    pub(super) fn at_list(width: u16, height: u16) -> Self {
        let mut scene = Self::at_key(width, height);
        scene.press("Esc t");
        scene
    }

    /// Two lines are typed and counted.
    fn listed(width: u16, height: u16) -> Self {
        let mut scene = Self::at_list(width, height);
        for line in LINES {
            scene.types(line);
            scene.press("Enter");
        }
        scene.counts();
        scene
    }

    fn counts(&mut self) {
        let job = self.counting();
        let estimate = Estimate { guesses: 134, locks: 2, seconds: Some(120) };
        self.happens(job, Happened::Counted(Ok(estimate)));
    }

    fn counting(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Count { job, .. } => Some(*job),
            _ => None,
        })
    }

    fn guessing(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Guess { job, .. } => Some(*job),
            _ => None,
        })
    }

    /// They are being tried.
    fn trying(width: u16, height: u16) -> Self {
        let mut scene = Self::listed(width, height);
        scene.press("Enter");
        let far = Guessing { tried: 91, of: 268, in_ten_seconds: 32, left: Some(55) };
        scene.happens(scene.guessing(), Happened::Guessing(far));
        scene
    }

    /// The lines and kinds of the last wish to try or to count, and whether it may take long.
    fn wished(&self) -> (Vec<String>, Vec<Kind>, Option<bool>) {
        let wish = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Guess { lines, kinds, slow, .. } => Some((lines, kinds, Some(*slow))),
            Effect::Count { lines, kinds, .. } => Some((lines, kinds, None)),
            _ => None,
        });
        let (lines, kinds, slow) = wish.expect("a list was wanted");
        (lines.iter().map(|line| line.expose().to_owned()).collect(), kinds.clone(), slow)
    }
}

fn exhausted() -> Failure {
    Failure::new(Code::ListExhausted).with("n", "134")
}

#[test]
fn list_empty() {
    holds("passphrases_empty", Scene::at_list);
}

#[test]
fn list_with_lines() {
    holds("passphrases_lines", Scene::listed);
}

#[test]
fn list_with_a_choice_in_focus() {
    holds("passphrases_choice", |width, height| {
        let mut scene = Scene::listed(width, height);
        scene.press("Tab Tab Tab Space");
        scene.counts();
        scene
    });
}

#[test]
fn list_from_a_file() {
    holds("passphrases_file", |width, height| {
        let mut scene = Scene::listed(width, height);
        scene.press("Ctrl-O");
        scene.types("~/passphrases.txt");
        scene
    });
}

/// Nothing to try them on is told before anybody waits for it.
#[test]
fn no_lock_is_told_at_once() {
    let mut scene = Scene::at_list(80, 24);
    scene.types("a watched pot");
    scene.press("Enter");
    let estimate = Estimate { guesses: 9, locks: 0, seconds: None };
    scene.happens(scene.counting(), Happened::Counted(Ok(estimate)));
    let screen = scene.screen();
    assert!(screen.contains("No lock here was made from a passphrase."), "{screen}");
}

#[test]
fn list_being_tried() {
    holds("passphrases_trying", Scene::trying);
}

#[test]
fn list_exhausted() {
    holds("passphrases_exhausted", |width, height| {
        let mut scene = Scene::trying(width, height);
        scene.happens(scene.guessing(), Happened::Guessed(Err(exhausted())));
        scene
    });
}

#[test]
fn list_found() {
    holds("passphrases_found", |width, height| {
        let mut scene = Scene::trying(width, height);
        found(&mut scene);
        scene.opens(Opened { kind: SecretKind::Passphrase, ..later::opens_all() });
        scene
    });
}

fn found(scene: &mut Scene) {
    let secret = SecretText::new("correct horse".to_owned());
    let hit = Hit { secret, line: 1, variation: Variation::FirstSmall };
    scene.happens(scene.guessing(), Happened::Guessed(Ok(Box::new(hit))));
}

#[test]
fn lines_are_hidden_and_counted() {
    let mut scene = Scene::at_list(80, 24);
    scene.types(LINES[0]);
    let hidden = |scene: &Scene| !scene.screen().contains("horse");
    assert!(hidden(&scene));
    scene.press("Ctrl-R");
    assert!(!hidden(&scene), "Ctrl-R shows it");
    scene.press("Enter");
    assert!(hidden(&scene));
    assert!(scene.screen().contains("1 line, counting …"), "{}", scene.screen());
    assert_eq!(scene.wished(), (vec![LINES[0].to_owned()], vec![Kind::Case, Kind::Ending], None));
    scene.counts();
    assert!(
        scene.screen().contains("1 line, 134 passphrases, 2 locks: about 2 min"),
        "{}",
        scene.screen()
    );
    // Masked, not even how long a line is.
    scene.press("F3 Ctrl-R");
    scene.types("abc");
    assert!(hidden(&scene) && !scene.screen().contains("[ •"), "{}", scene.screen());
}

#[test]
fn enter_on_an_empty_line_begins() {
    let mut scene = Scene::at_list(80, 24);
    scene.press("Enter");
    assert!(scene.screen().contains("Type a passphrase that you may have used first."));
    let mut scene = Scene::listed(80, 24);
    scene.press("Tab Space");
    // Not counted yet: nobody knows how long it takes.
    scene.press("Enter");
    assert_eq!(scene.wished(), (LINES.map(str::to_owned).into(), vec![Kind::Ending], Some(false)));
    let slow = Failure::new(Code::ListSlow).with("time", "2 min");
    scene.happens(scene.guessing(), Happened::Guessed(Err(slow)));
    assert!(scene.screen().contains("Trying the whole list takes about 2 min."));
    scene.press("Enter");
    assert_eq!(scene.wished().2, Some(true));
    // What stands in the field is tried, too, from wherever somebody begins.
    let mut scene = Scene::listed(80, 24);
    scene.types("third");
    scene.press("Tab Enter");
    assert_eq!(scene.wished().0.len(), 3);
}

#[test]
fn lines_are_mended_pasted_and_forgotten() {
    let mut scene = Scene::listed(80, 24);
    scene.press("Backspace Backspace Enter");
    assert_eq!(scene.wished().0[1], "Tr0ub4dor and more of i");
    scene.paste("one\r\ntwo\n\nthree");
    scene.types("!");
    scene.press("Enter");
    assert_eq!(scene.wished().0[2..], ["one", "two", "three!"]);
    // Without brackets a paste comes letter by letter, and Enter with it.
    for letter in ["a", "b", "Enter", "Enter"] {
        scene.now -= Duration::from_millis(90);
        scene.press(letter);
    }
    assert_eq!(scene.wished().0.last().map(String::as_str), Some("ab"));
    assert_eq!(scene.count(|effect| matches!(effect, Effect::Guess { .. })), 0);
    scene.press("Tab Del");
    assert!(scene.screen().contains("no lines"), "{}", scene.screen());
}

#[test]
fn a_file_is_read_into_the_list() {
    let mut scene = Scene::listed(80, 24);
    scene.press("Tab o");
    scene.types("list.txt");
    scene.press("Enter");
    let job = scene.job(|effect| match effect {
        Effect::ReadList { job, file } => file.ends_with("list.txt").then_some(*job),
        _ => None,
    });
    let broken = Failure::new(Code::ListLine).with("n", "3").because("expected UTF-8 in line 3");
    scene.happens(job, Happened::ListRead(Err(broken)));
    assert!(scene.screen().contains("Line 3 of the list cannot be read."), "{}", scene.screen());
    scene.press("Enter");
    let job = job + 1;
    let lines = (0..50).map(|number| SecretText::new(format!("line {number}"))).collect();
    scene.happens(job, Happened::ListRead(Ok(lines)));
    let screen = scene.screen();
    assert!(screen.contains("50 lines were read.") && screen.contains("lines before"), "{screen}");
    assert_eq!(scene.wished().0.len(), 52);
    // A recovery key in the name of a file is not drawn.
    scene.press("Ctrl-O");
    scene.paste(later::KEY);
    assert!(!scene.screen().contains("EsTc"), "{}", scene.screen());
    assert!(scene.screen().contains("It stays hidden until step 4."), "{}", scene.screen());
}

#[test]
fn what_opens_goes_on_as_if_it_was_typed() {
    let mut scene = Scene::trying(80, 24);
    found(&mut scene);
    let secret = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Unlock { secrets, .. } => Some(secrets.last()?.expose().to_owned()),
        _ => None,
    });
    assert_eq!(secret.as_deref(), Some("correct horse"));
    let screen = scene.screen();
    assert!(screen.contains("Line 1, with its first letter small, opens a lock."), "{screen}");
    assert!(!screen.contains("correct horse"), "{screen}");
    scene.opens(later::opens_all());
    // It is told for as long as the passphrase stands there.
    scene.press("F2 F2");
    assert!(scene.screen().contains("Line 1, with its first letter small"), "{}", scene.screen());
    scene.press("Enter");
    assert!(scene.screen().contains("Nothing is written yet."), "{}", scene.screen());
    scene.press("4 Del");
    scene.paste(later::KEY);
    scene.opens(later::opens_all());
    assert!(!scene.screen().contains("Line 1"), "{}", scene.screen());
}

#[test]
fn ctrl_c_stops_and_keeps_the_lines() {
    let mut scene = Scene::trying(80, 24);
    let job = scene.guessing();
    scene.press("Esc x Tab");
    assert!(scene.screen().contains("Ctrl-C stops that"), "{}", scene.screen());
    scene.press("Ctrl-C");
    assert!(
        scene.effects.iter().any(|effect| matches!(effect, Effect::Cancel(one) if *one == job))
    );
    let stopped = Failure::new(Code::Stopped).with("n", "The restored");
    scene.happens(job, Happened::Guessed(Err(stopped)));
    let screen = scene.screen();
    assert!(screen.contains("Stopped. Your lines are still here."), "{screen}");
    assert!(screen.contains("2 lines, 134 passphrases"), "{screen}");
    // Whoever goes away from it stops it, too, and finds the lines again.
    scene.press("Enter");
    let job = scene.guessing();
    scene.press("2");
    assert!(
        scene.effects.iter().any(|effect| matches!(effect, Effect::Cancel(one) if *one == job))
    );
    scene.press("4 Esc t");
    assert!(scene.screen().contains("2 lines"), "{}", scene.screen());
}

#[test]
fn lines_are_forgotten_when_nobody_is_there_but_not_while_they_are_tried() {
    let mut scene = Scene::listed(80, 24);
    scene.wait(15.0 * 60.0 + 1.0);
    assert!(scene.screen().contains("no lines"), "{}", scene.screen());
    let mut scene = Scene::trying(80, 24);
    scene.wait(60.0 * 60.0);
    found(&mut scene);
    scene.wait(60.0);
    // It has a quarter of an hour from then on.
    scene.opens(later::opens_all());
    assert!(scene.screen().contains("It opens 18 420 keys"), "{}", scene.screen());
    scene.wait(15.0 * 60.0 + 1.0);
    assert!(!scene.screen().contains("It opens 18 420 keys"), "{}", scene.screen());
}

/// A passphrase that opens nothing is the first line of the list.
#[test]
fn what_was_typed_is_the_first_line() {
    let mut scene = Scene::at_key(80, 24);
    scene.types("correct horse battery");
    scene.press("Enter");
    scene.opens(later::opens_nothing());
    scene.press("Esc t");
    assert_eq!(scene.wished().0, ["correct horse battery"]);
}

/// From a passphrase with a letter too large to what it opens, in the real loop.
#[tokio::test(flavor = "multi_thread")]
async fn half_remembered() {
    let server = serve(Story::Passphrase.account()).await;
    let address = server.base_url().to_owned();
    let mut ada = Journey::with(server, Start { server: Some(address), ..Start::default() }).await;
    ada.paste("@ada:example.org").await;
    ada.press("Enter").await;
    ada.sees("type your password").await;
    ada.paste("an engine weaves patterns").await;
    ada.press("Enter").await;
    ada.sees("Next: press Enter to see what backup 1 holds.").await;
    ada.press("4").await;
    ada.sees("Type it as it stands on your paper").await;
    let before = ada.server.requests(&http::Method::GET);
    ada.press("Esc t").await;
    ada.sees("One per line").await;
    ada.types("a watched pot").await;
    ada.press("Enter").await;
    ada.sees("1 lock: ").await;
    ada.paste("The kettle sings before the rain").await;
    ada.press("Enter").await;
    ada.sees("2 lines, ").await;
    ada.press("Enter").await;
    let screen = ada.sees("Line 2, with its first letter small, opens a lock.").await;
    assert!(!screen.contains("kettle"), "{screen}");
    ada.sees("It opens ").await;
    // The step reads what it needs of the backup; of the list nothing is asked.
    assert!(ada.server.requests(&http::Method::GET) < before + 20);
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

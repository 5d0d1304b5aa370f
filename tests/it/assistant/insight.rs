//! The check-up, two places beside each other, and papers: what they say and what the keys do there.

use std::path::PathBuf;

use keyhaul::base::failure::{Code, Failure};
use keyhaul::recovery::diff::{ReadBy, SideRead};
use keyhaul::recovery::doctor::checks::Mark;
use keyhaul::tui::effect::{Effect, Read};
use keyhaul::tui::message::Happened;
use keyhaul::tui::{Beside, Paper};

use super::scene::Scene;
use super::scene_insight::{checks, diff};
use super::scene_later as later;
use super::screens::holds;

#[test]
fn check_up_screens() {
    holds("check_up_running", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("c");
        let job = scene.checking();
        scene.happens(job, Happened::Carried(1_234));
        scene
    });
    holds("check_up", Scene::at_check_up);
    holds("check_up_masked", |width, height| {
        let mut scene = Scene::at_check_up(width, height);
        scene.press("g m");
        scene
    });
    holds("check_up_all_well", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("c");
        let mut checks = checks();
        checks.retain(|check| check.mark == Mark::Ok);
        scene.checked(Ok(checks));
        scene
    });
    holds("check_up_failed", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("c");
        scene.checked(Err(Failure::new(Code::ServerSilent)));
        scene
    });
}

#[test]
fn compare_screens() {
    holds("compare_running", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("Down d");
        let job = scene.comparing();
        scene.happens(job, Happened::Carried(1_234));
        scene
    });
    holds("compare", Scene::at_compare);
    holds("compare_masked", |width, height| {
        let mut scene = Scene::at_compare(width, height);
        scene.press("m");
        scene
    });
    holds("compare_doubtful", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("Down d");
        let mut diff = diff();
        diff.sides[0] = SideRead { read: ReadBy::Metadata, ..diff.sides[0].clone() };
        scene.compared(Ok(diff));
        scene
    });
    holds("compare_failed", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("Down d");
        scene.compared(Err(Failure::new(Code::BackupGoneForGood).with("n", "2")));
        scene
    });
}

#[test]
fn paper_screens() {
    holds("paper_sheet", Scene::at_sheet);
    holds("paper_report", |width, height| {
        let mut scene = Scene::at_take_away(width, height);
        scene.press("Down Down Enter Enter");
        let job = scene.papers();
        scene.happens(job, Happened::Carried(1_234));
        scene
    });
    holds("paper_exists", |width, height| {
        let mut scene = Scene::at_sheet(width, height);
        scene.press("Enter");
        let job = scene.papers();
        let taken = Failure::new(Code::FileExists).with("name", "~/recovery-sheet-2026-11-24.txt");
        scene.happens(job, Happened::Written(Err(taken)));
        scene
    });
    holds("paper_written", |width, height| {
        let mut scene = Scene::at_sheet(width, height);
        scene.press("Enter");
        let job = scene.papers();
        scene.happens(job, Happened::Written(Ok(())));
        scene
    });
}

#[test]
fn the_check_up_leads_to_the_backup_that_opens() {
    let mut scene = Scene::at_check_up(80, 24);
    assert!(scene.screen().contains("▸ ✗ It holds the key of the current backup"));
    scene.press("Enter");
    assert!(scene.screen().contains("Contents of backup 2"), "{}", scene.screen());
    // Elsewhere Enter leads nowhere.
    let mut scene = Scene::at_check_up(80, 24);
    scene.press("g Enter");
    assert!(scene.screen().contains("That key has no use here."), "{}", scene.screen());
}

#[test]
fn a_check_up_begins_again_and_is_stopped_by_going_back() {
    let begun = |scene: &Scene| scene.count(|effect| matches!(effect, Effect::CheckUp { .. }));
    let mut scene = Scene::at_check_up(80, 24);
    scene.press("r");
    assert_eq!(begun(&scene), 2);
    let job = scene.checking();
    scene.press("Esc");
    assert_eq!(scene.count(|effect| matches!(effect, Effect::Cancel(it) if *it == job)), 1);
    assert!(scene.screen().contains("Backups of "), "{}", scene.screen());
    // What comes late is heard by nobody.
    scene.happens(job, Happened::CheckedUp(Box::new(Ok(checks()))));
    assert!(scene.screen().contains("Backups of "), "{}", scene.screen());
    // Ctrl-C stops it, too, and the screen stays.
    scene.press("c");
    let job = scene.checking();
    scene.press("Ctrl-C");
    scene.happens(job, Happened::CheckedUp(Box::new(Err(Failure::new(Code::Stopped)))));
    assert!(scene.screen().contains("Stopped. Nothing was changed"), "{}", scene.screen());
    assert!(scene.screen().contains("Check-up"), "{}", scene.screen());
}

/// From the key step, too, and with what was opened there.
#[test]
fn the_check_up_sees_what_was_opened() {
    let mut scene = Scene::with_key(80, 24, later::opens_older());
    scene.press("c");
    let visit = scene.job(|effect| match effect {
        Effect::CheckUp { visit, .. } => Some(*visit),
        _ => None,
    });
    assert_eq!(visit, scene.unlocking());
}

#[test]
fn what_is_copied_of_a_check_up_names_nobody() {
    let mut scene = Scene::at_check_up(80, 24);
    scene.press("y");
    let copied = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Copy { text, .. } => Some(text.expose().to_owned()),
        _ => None,
    });
    let copied = copied.unwrap();
    assert!(copied.contains("storage-of-another-backup: Your recovery key is right"), "{copied}");
    for private in ["matrix.example.org", "KEYHAULX7Q", "f4Kq"] {
        assert!(!copied.contains(private), "{private} in {copied}");
    }
}

#[test]
fn a_backup_is_compared_with_the_current_one_and_then_with_others() {
    let mut scene = Scene::at_compare(80, 24);
    let sides = |scene: &Scene| {
        let last = scene.effects.iter().rev().find_map(|effect| match effect {
            Effect::Compare { own, beside, .. } => Some((own.clone(), beside.clone())),
            _ => None,
        });
        let (own, beside) = last.unwrap();
        (own.version, beside.map(|beside| beside.version))
    };
    assert_eq!(sides(&scene), ("2".to_owned(), Some("4".to_owned())));
    scene.press("Tab");
    assert_eq!(sides(&scene), ("2".to_owned(), Some("1".to_owned())));
    scene.press("BackTab");
    assert_eq!(sides(&scene), ("2".to_owned(), Some("4".to_owned())));
    // The current one itself stands beside the next.
    scene.press("Esc Up d");
    assert_eq!(sides(&scene), ("4".to_owned(), Some("2".to_owned())));
    assert_ne!(Beside::Store, Beside::Backup("2".to_owned()));
    // With restored keys, the store is one of the others.
    let mut scene = Scene::at_take_away(80, 24);
    scene.press("2 d BackTab");
    let store = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Compare { own, beside, .. } => Some((own.clone(), beside.is_none())),
        _ => None,
    });
    let (own, is_store) = store.unwrap();
    assert!(is_store);
    // What was read whole is not asked of the server again.
    let Read { version, file } = own;
    assert_eq!(version, "4");
    assert!(file.is_some());
}

#[test]
fn a_paper_is_written_where_somebody_wants_it() {
    let mut scene = Scene::at_sheet(80, 24);
    scene.press("Ctrl-U");
    scene.press("Enter");
    assert!(scene.screen().contains("Type a name for the file."), "{}", scene.screen());
    scene.types("/tmp/sheet.txt");
    scene.wait(1.0);
    scene.press("Enter");
    let (paper, file) = scene
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Paper { paper, file, .. } => Some((*paper, file.clone())),
            _ => None,
        })
        .unwrap();
    assert_eq!((paper, file), (Paper::Sheet, PathBuf::from("/tmp/sheet.txt")));
    let job = scene.papers();
    scene.happens(job, Happened::Written(Ok(())));
    let screen = scene.screen();
    assert!(screen.contains("The recovery sheet is in /tmp/sheet.txt."), "{screen}");
    assert!(screen.contains("a recovery sheet: /tmp/sheet.txt"), "{screen}");
    // A recovery key that comes into the field for a name is not drawn.
    let mut scene = Scene::at_sheet(80, 24);
    scene.press("Ctrl-U");
    scene.types(later::KEY);
    assert!(scene.screen().contains("It stays hidden until step 4."), "{}", scene.screen());
    assert!(!scene.screen().contains("UE4d"), "{}", scene.screen());
}

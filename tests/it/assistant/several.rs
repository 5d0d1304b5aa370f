//! Several backups at once: boxes in step 2, one plan, one row for each.

use keyhaul::backup::version::BackupVersion;
use keyhaul::demo::stories::Story;
use keyhaul::recovery::unlock::SecretKind;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::{Happened, Job, Message};
use ratatui::layout::Position;

use super::journey::Journey;
use super::scene::{self, Scene};
use super::scene_later::{self as later, KEY};
use super::screens::holds;

/// The versions that are being read, each with its job.
fn hauls(scene: &Scene) -> Vec<(String, Job)> {
    let hauls = scene.effects.iter().filter_map(|effect| match effect {
        Effect::Haul { job, version, .. } => Some((version.version.clone(), *job)),
        _ => None,
    });
    hauls.collect()
}

fn restores(scene: &Scene) -> Vec<(Vec<String>, Vec<String>, bool)> {
    let restores = scene.effects.iter().filter_map(|effect| match effect {
        Effect::Restore { versions, from, dry_run, .. } => {
            Some((versions.clone(), from.keys().cloned().collect(), *dry_run))
        }
        _ => None,
    });
    restores.collect()
}

/// Backups 4, 2 and 1 are ticked, and a key of 4 and 2 is typed.
fn with_key(width: u16, height: u16) -> Scene {
    let mut scene = Scene::at_backups(width, height);
    scene.press("a Enter");
    scene.paste(KEY);
    scene.opens(later::fits_two());
    scene
}

fn planned(width: u16, height: u16) -> Scene {
    let mut scene = with_key(width, height);
    for (_, job) in hauls(&scene) {
        scene.happens(job, Happened::Hauled(Box::new(Ok(scene::hauled()))));
    }
    scene.press("Enter");
    scene.restored(Ok(later::several(true)));
    scene
}

#[test]
fn boxes_in_the_table_of_backups() {
    holds("several_ticked", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("Space Down Space");
        scene
    });
}

#[test]
fn what_a_key_opens_of_those_that_are_ticked() {
    holds("several_key", with_key);
}

#[test]
fn one_plan_of_several_backups() {
    holds("several_plan", planned);
}

#[test]
fn several_backups_restored() {
    holds("several_done", |width, height| {
        let mut scene = planned(width, height);
        scene.press("Enter");
        scene.restored(Ok(later::several(false)));
        scene
    });
}

/// The plan waits until all of them are read, and reads what was saved.
#[test]
fn the_plan_waits_for_all_that_open() {
    let mut scene = with_key(80, 24);
    let reading: Vec<_> = hauls(&scene).into_iter().map(|(version, _)| version).collect();
    assert_eq!(reading, ["4", "2", "1"]);
    scene.press("Enter");
    assert!(scene.screen().contains("reads and saves backups 4 and 2 first"), "{}", scene.screen());
    let jobs = hauls(&scene);
    for (version, job) in &jobs {
        // The one that stays closed is not waited for.
        if version != "1" {
            assert_eq!(restores(&scene), [], "before backup {version} is read");
            scene.happens(*job, Happened::Hauled(Box::new(Ok(scene::hauled()))));
        }
    }
    let all = ["4", "2", "1"].map(str::to_owned).to_vec();
    let saved = ["2", "4"].map(str::to_owned).to_vec();
    assert_eq!(restores(&scene), [(all.clone(), saved.clone(), true)]);
    scene.restored(Ok(later::several(true)));
    // What stays closed is told when somebody wants its refused keys.
    scene.press("G Right");
    assert!(scene.screen().contains("This backup stays closed: p takes"), "{}", scene.screen());
    scene.press("g Right");
    assert!(scene.screen().contains("Refused of backup 4"), "{}", scene.screen());
    scene.press("Esc Enter");
    assert_eq!(restores(&scene).last(), Some(&(all, saved, false)));
    // What is restored stays said once the key is forgotten.
    scene.restored(Ok(later::several(false)));
    scene.press("4 Del Esc 5");
    let screen = scene.screen();
    assert!(screen.contains("backups 4 and 2"), "{screen}");
    assert!(screen.contains("✓ opened"), "{screen}");
}

/// A second key that is not whole is not swallowed: it is said, beside what the first one opens.
#[test]
fn a_second_key_with_a_slip() {
    let mut scene = with_key(80, 24);
    scene.press("p");
    // Too little of it for a search.
    scene.paste(&KEY[..KEY.len() - 8]);
    let mut opened = later::fits_two();
    opened.kind = SecretKind::Unknown;
    scene.press("Enter");
    scene.opens(opened);
    let screen = scene.screen();
    assert!(screen.contains("What you typed last opens nothing."), "{screen}");
    assert!(screen.contains("41 of 48 characters: 7 are missing."), "{screen}");
    assert!(screen.contains("✓ It opens backups 4 and 2."), "{screen}");
    assert!(!screen.contains(" complete "), "{screen}");
}

/// A single box is as good as the focus, and what was ticked can be unticked.
#[test]
fn one_box_opens_its_backup() {
    let mut scene = Scene::at_backups(80, 24);
    scene.press("Down Space Up Enter");
    assert!(scene.screen().contains("Contents of backup 2"), "{}", scene.screen());
    scene.press("2 a a Up Enter");
    assert!(scene.screen().contains("Contents of backup 4"), "{}", scene.screen());
    assert_eq!(hauls(&scene).len(), 2);
}

/// Whoever chooses one in the fit table that is not ticked wants that one alone.
#[test]
fn the_fit_table_overrules_the_boxes() {
    let mut scene = Scene::at_backups(80, 24);
    scene.press("Space G Space Enter");
    scene.paste(KEY);
    scene.opens(later::fits_two());
    scene.press("f");
    let table = scene.screen();
    scene.press("g Down Down Down Down Enter");
    let open: Vec<_> = restores(&scene);
    assert!(scene.screen().contains("backup 2"), "{table}\n{}\n{open:?}", scene.screen());
    assert!(!scene.screen().contains("backups 4"), "{}", scene.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_backups_come_back_together() {
    let mut ada = Journey::begin().await;
    ada.goes_to_backups().await;
    ada.press("a").await;
    ada.sees("2 chosen").await;
    ada.press("Enter").await;
    ada.sees("Type it as it stands on your paper").await;
    ada.paste(Story::Plain.recovery_key().expose()).await;
    ada.sees("It opens backup 3.").await;
    ada.press("Enter").await;
    let screen = ada.sees("Backup 1 waits for its recovery key.").await;
    assert!(screen.contains("✗ no key yet"), "{screen}");
    ada.press("p").await;
    ada.sees("Type one more recovery key or passphrase.").await;
    ada.paste(Story::Plain.old_recovery_key().expose()).await;
    ada.sees("It opens backups 3 and 1.").await;
    ada.press("Enter").await;
    let screen = ada.sees("press Enter to restore backups 3 and 1.").await;
    assert!(screen.contains("together"), "{screen}");
    ada.press("Enter").await;
    ada.sees("Your keys are on this computer.").await;
    ada.press("Enter").await;
    ada.sees("messages opened").await;
    ada.press("q").await;
    let (_, server, _) = ada.ended().await;
    assert_eq!(server.writes(), 0);
}

/// An account that made very many backups: the one in focus is always seen, and a click means what is there.
#[test]
fn more_backups_than_fit() {
    for (width, height) in [(80, 24), (40, 12)] {
        let mut scene = Scene::signed_in(width, height);
        let job = scene.looking();
        let mut looked = scene::looked();
        let one = looked.overview.versions[0].clone();
        looked.overview.versions = (1..=40_u64)
            .rev()
            .map(|number| BackupVersion { version: number.to_string(), ..one.clone() })
            .collect();
        looked.overview.current = Some("40".to_owned());
        scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
        for number in (1..40).rev() {
            scene.press("Down");
            let screen = scene.screen();
            assert!(screen.contains(&format!("▸[ ] {number} ")), "{number}: {screen}");
        }
        let rows: Vec<_> = scene.screen().lines().map(str::to_owned).collect();
        let row = rows.iter().position(|row| row.contains("[ ] 3 ")).unwrap();
        let place = Position::new(width / 4, u16::try_from(row).unwrap());
        scene.tell(Message::Clicked(place));
        assert!(scene.screen().contains("▸[ ] 3 "), "{}", scene.screen());
    }
}

//! From the recovery key to the key file, by what the model wants done: nothing twice, nothing too early,
//! nothing of what was before.

use keyhaul::base::failure::{Code, Failure};
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::Happened;

use super::scene::{self, Scene};
use super::scene_later as later;

fn tried(scene: &Scene) -> usize {
    scene.count(|effect| matches!(effect, Effect::Unlock { .. }))
}

fn restores(scene: &Scene, dry: bool) -> usize {
    scene.count(|effect| matches!(effect, Effect::Restore { dry_run, .. } if *dry_run == dry))
}

/// A whole key is tried at once and by itself; a part of one only when somebody wants so.
#[test]
fn what_is_tried_and_when() {
    let mut scene = Scene::at_key(80, 24);
    scene.types(&later::KEY[..40]);
    assert_eq!(tried(&scene), 0);
    scene.types(&later::KEY[40..]);
    assert_eq!(tried(&scene), 1);
    scene.opens(later::opens_all());
    // Something else is typed: what was opened is closed, and its keys are forgotten.
    scene.press("4 Ctrl-O");
    assert!(scene.count(|effect| matches!(effect, Effect::Forget(_))) >= 1);
    scene.press("Esc 5");
    assert!(scene.screen().contains("Type your recovery key first"), "{}", scene.screen());
    assert_eq!(restores(&scene, true), 0);
}

/// A passphrase is tried on Enter, and beyond the budget only after a second one.
#[test]
fn a_slow_passphrase_is_asked_about() {
    let mut scene = Scene::at_key(80, 24);
    scene.types("it's a secret to everybody");
    assert_eq!(tried(&scene), 0);
    scene.press("Enter");
    scene.opens(later::opens_slowly());
    let slow =
        |scene: &Scene| scene.count(|effect| matches!(effect, Effect::Unlock { slow: true, .. }));
    assert_eq!((tried(&scene), slow(&scene)), (1, 0));
    scene.press("Enter");
    assert_eq!((tried(&scene), slow(&scene)), (2, 1));
}

/// A paste never goes on by itself, not even one that ends with a line break.
#[test]
fn a_paste_never_submits() {
    let mut scene = Scene::at_key(80, 24);
    scene.paste(&format!("{}\n", later::KEY));
    scene.opens(later::opens_all());
    assert_eq!(restores(&scene, true), 0);
    assert!(scene.screen().contains("Next: press Enter"), "{}", scene.screen());
}

/// What is typed survives a walk through the steps, hidden; and 15 minutes without a key end it.
#[test]
fn what_is_typed_stays_for_a_while() {
    let mut scene = Scene::at_key(80, 24);
    scene.types("EsTc LW2K");
    scene.press("Esc 3");
    scene.press("4");
    let screen = scene.screen();
    assert!(screen.contains("8 of 48 characters") && !screen.contains("LW2K"), "{screen}");
    scene.wait(14.0 * 60.0);
    assert!(scene.screen().contains("8 of 48 characters"));
    scene.wait(61.0);
    assert!(scene.screen().contains("forgotten after 15 minutes"), "{}", scene.screen());
    assert!(!scene.screen().contains("8 of 48"), "{}", scene.screen());
}

/// The key of an older backup: that backup is read and saved first, then planned.
#[test]
fn an_older_backup_is_read_first() {
    let mut scene = Scene::with_key(80, 24, later::opens_older());
    scene.press("Enter");
    assert!(
        scene.screen().contains("keyhaul reads and saves backup 2 first."),
        "{}",
        scene.screen()
    );
    assert_eq!(restores(&scene, true), 0);
    let version = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Haul { version, .. } => Some(version.version.clone()),
        _ => None,
    });
    assert_eq!(version.as_deref(), Some("2"));
    scene.hauled(Ok(scene::hauled()));
    assert_eq!(restores(&scene, true), 1);
    let from_file = scene.count(
        |effect| matches!(effect, Effect::Restore { versions, from, .. } if *versions == ["2"] && from.contains_key("2")),
    );
    assert_eq!(from_file, 1);
}

/// Where the backup cannot be read, no plan is waited for.
#[test]
fn an_older_backup_that_cannot_be_read() {
    let mut scene = Scene::with_key(80, 24, later::opens_older());
    scene.press("Enter");
    scene.hauled(Err(Failure::new(Code::ServerSilent)));
    assert!(scene.screen().contains("This did not work"), "{}", scene.screen());
    scene.press("r");
    scene.hauled(Ok(scene::hauled()));
    scene.press("5 Enter");
    assert_eq!(restores(&scene, true), 1);
}

/// The plan is for what is chosen: other rooms make another plan, the same ones do not.
#[test]
fn other_rooms_make_another_plan() {
    let mut scene = Scene::planned(80, 24);
    scene.press("3 5");
    assert_eq!(restores(&scene, true), 1);
    scene.press("3 Space 5");
    assert_eq!(restores(&scene, true), 2);
    let rooms = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Restore { rooms, .. } => Some(rooms.clone()),
        _ => None,
    });
    assert_eq!(rooms, Some(vec!["!9aaTz0cWq1:example.org".to_owned()]));
}

/// Nothing is written before Enter, and a plan without anything new writes nothing at all.
#[test]
fn nothing_is_written_without_enter() {
    let scene = Scene::planned(80, 24);
    assert_eq!(restores(&scene, false), 0);
    let mut scene = Scene::with_key(80, 24, later::opens_all());
    scene.press("Enter");
    scene.restored(Ok(later::nothing_new()));
    scene.press("Enter");
    assert_eq!(restores(&scene, false), 0);
    assert!(scene.screen().contains("▸6 Proof"), "{}", scene.screen());
}

/// Pause, go on, a room to the front, another step meanwhile, stop, and go on there.
#[test]
fn a_restore_is_steered() {
    let mut scene = Scene::in_the_middle(80, 24);
    let job = scene.restoring();
    scene.press("Space");
    assert!(scene.screen().contains("· paused"), "{}", scene.screen());
    scene.press("Enter");
    let pauses: Vec<bool> = scene
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Pause(paused, is) if *paused == job => Some(*is),
            _ => None,
        })
        .collect();
    assert_eq!(pauses, [true, false]);
    scene.press("Down Down f");
    let front = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Front(_, room) => Some(room.clone()),
        _ => None,
    });
    assert_eq!(front.as_deref(), Some("!people0000:example.org"));
    scene.press("3");
    assert!(scene.screen().contains("~5 Restore"), "{}", scene.screen());
    scene.press("5 Ctrl-C");
    scene.restored(Ok(later::stopped()));
    assert!(scene.screen().contains("Stopped at 40 %."), "{}", scene.screen());
    scene.press("Enter");
    assert_eq!(restores(&scene, false), 2);
    scene.restored(Ok(later::done()));
    assert!(scene.screen().contains("✓ Restored."), "{}", scene.screen());
    // What is here is counted anew, from the snapshot.
    assert_eq!(scene.count(|effect| matches!(effect, Effect::Haul { from: Some(_), .. })), 2);
}

/// Leaving while keys are restored is asked about, and waits until the store is at rest.
#[test]
fn leaving_while_keys_are_restored() {
    let mut scene = Scene::in_the_middle(80, 24);
    scene.press("q");
    let screen = scene.screen();
    assert!(screen.contains("Leave while keys are restored?"), "{screen}");
    assert!(screen.contains("7 480 keys are restored. They are kept"), "{screen}");
    scene.press("q");
    let leave = scene.job(|effect| match effect {
        Effect::Leave { job, .. } => Some(*job),
        _ => None,
    });
    let left = Ok(keyhaul::recovery::sign_in::Left::DeviceRemoved);
    scene.happens(leave, Happened::Left(left));
    assert!(scene.model.ended().is_none(), "the store is still open");
    scene.restored(Ok(later::stopped()));
    let words = &scene.model.ended().unwrap().words;
    assert!(words.iter().any(|line| line.contains("7 480 keys are on this computer")), "{words:?}");
}

/// Older messages come above, the focus stays; closed ones are found; another room takes over.
#[test]
fn messages_are_read_backwards() {
    let mut scene = Scene::at_proof(80, 24);
    scene.press("g");
    assert!(scene.screen().contains("▸ 09:12"), "{}", scene.screen());
    scene.press("Up");
    scene.read_messages(Ok(later::older()));
    let screen = scene.screen();
    assert!(screen.contains("▸ 09:12") && screen.contains("Plank 29."), "{screen}");
    assert!(screen.contains("26 of the last 30 messages opened"), "{screen}");
    scene.press("Up");
    assert!(scene.screen().contains("▸ 08:29"), "{}", scene.screen());
    scene.press("x Right");
    assert!(scene.screen().contains("Nothing that keyhaul has seen holds its key."));
    scene.press("Esc x");
    scene.press("Right");
    assert!(scene.screen().contains("You have its key from message 40 on."), "{}", scene.screen());
    let before = scene.reading();
    scene.press("Esc Tab Down Enter");
    assert!(scene.reading() > before);
    let screen = scene.screen();
    assert!(screen.contains("┌ Release team ") && !screen.contains("ladder"), "{screen}");
    // An answer for the room before is not taken for this one.
    scene.read_messages(Ok(later::history()));
    assert!(!scene.screen().contains("ladder"), "{}", scene.screen());
}

/// A key file wants a name, a passphrase that was written down or typed twice, and never replaces a file.
#[test]
fn a_key_file_is_made_with_care() {
    let exports = |scene: &Scene| scene.count(|effect| matches!(effect, Effect::Export { .. }));
    let mut scene = Scene::at_key_file(80, 24);
    scene.press("Enter");
    assert!(scene.screen().contains("Write the passphrase down"), "{}", scene.screen());
    assert_eq!(exports(&scene), 0);
    // By its own passphrase: too short, then not the same, then the same.
    scene.press("BackTab Space Tab");
    scene.types("short");
    scene.press("Enter");
    scene.types(" no longer");
    scene.press("Tab");
    scene.types("short no longe");
    scene.press("Enter");
    assert_eq!(exports(&scene), 0);
    scene.types("r");
    scene.press("Enter");
    assert_eq!(exports(&scene), 1);
    let taken = Failure::new(Code::FileExists).with("name", "~/matrix-keys-2026-11-24.txt");
    scene.exported(Err(taken));
    scene.press("Enter");
    let file = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Export { file, .. } => Some(file.to_string_lossy().into_owned()),
        _ => None,
    });
    assert_eq!(file.as_deref(), Some("~/matrix-keys-2026-11-24-2.txt"));
    scene.exported(Ok(later::exported()));
    let screen = scene.screen();
    assert!(screen.contains("18 228 keys are in ~/matrix-keys-2026-11-24-2.txt"), "{screen}");
    // The passphrase has done its work and is gone.
    scene.press("Enter Enter");
    assert!(!scene.screen().contains("granite"), "{}", scene.screen());
    assert!(scene.screen().contains("… making one"), "{}", scene.screen());
}

/// Without keys on this computer there is nothing to take along, and it says what to do.
#[test]
fn nothing_to_take_away() {
    let mut scene = Scene::at_key(80, 24);
    scene.press("Esc 7 Enter");
    assert!(
        scene.screen().contains("There are no keys on this computer yet."),
        "{}",
        scene.screen()
    );
    assert_eq!(scene.count(|effect| matches!(effect, Effect::MakePassphrase { .. })), 0);
}

/// Signing in as somebody else closes everything that was opened.
#[test]
fn another_account_opens_nothing_of_the_first() {
    let mut scene = Scene::at_proof(80, 24);
    scene.press("1");
    scene.types("another");
    scene.press("Enter");
    let job = scene.signing_in();
    scene.happens(job, Happened::SignedIn(Ok(scene::signed("@bea:example.org"))));
    let look = scene.looking();
    scene.happens(look, Happened::Looked(Ok(Box::new(scene::looked()))));
    for step in ["5", "6", "7"] {
        scene.press(step);
        let screen = scene.screen();
        assert!(!screen.contains("18 231") && !screen.contains("ladder"), "{screen}");
    }
    assert!(scene.count(|effect| matches!(effect, Effect::Forget(_))) >= 2);
}

/// A room that is no part of the plan is not restored, however somebody asks for it.
#[test]
fn only_planned_rooms_come_to_the_front() {
    let mut scene = Scene::with_key(80, 24, later::opens_all());
    scene.press("3 Down Space 5");
    scene.restored(Ok(later::plan_of(&["!f3kQ9vZe1TqLm8:example.org"])));
    scene.press("Enter 3 Up f");
    assert!(scene.screen().contains("no part of the plan"), "{}", scene.screen());
    assert_eq!(scene.count(|effect| matches!(effect, Effect::Front(..))), 0);
    scene.press("Down f");
    assert_eq!(scene.count(|effect| matches!(effect, Effect::Front(..))), 1);
}

/// Other rooms while a plan is made, or a backup that is read anew: the old plan is not what Enter restores.
#[test]
fn a_stale_plan_is_never_applied() {
    let mut scene = Scene::with_key(80, 24, later::opens_all());
    scene.press("Enter");
    let old = scene.restoring();
    scene.press("3 Space 5");
    assert_ne!(scene.restoring(), old);
    scene.happens(old, Happened::Restored(Box::new(Ok(later::plan()))));
    scene.press("Enter");
    assert_eq!(restores(&scene, false), 0);
    let mut scene = Scene::planned(80, 24);
    scene.press("3 r 5 Enter");
    assert_eq!(restores(&scene, false), 0);
    scene.hauled(Ok(scene::hauled()));
    scene.press("5");
    assert_eq!(restores(&scene, true), 2);
}

/// A plan by which everything is refused promises nothing.
#[test]
fn a_plan_that_restores_nothing() {
    let mut scene = Scene::with_key(80, 24, later::opens_all());
    scene.press("Enter");
    scene.restored(Ok(later::all_refused()));
    let screen = scene.screen();
    assert!(screen.contains("Nothing of this can be restored."), "{screen}");
    assert!(!screen.contains("Everything is here"), "{screen}");
    scene.press("Enter");
    assert_eq!(restores(&scene, false), 0);
    assert!(scene.screen().contains("5 Restore"), "{}", scene.screen());
}

/// A restore that breaks off never says that all is done, nor that nothing is written.
#[test]
fn a_restore_that_breaks_off() {
    let mut scene = Scene::in_the_middle(80, 24);
    let mut broken = later::stopped();
    broken.runs[0].shortfall =
        Some(Failure::new(Code::ConnectionLost).with("n", "7 480").with("all", "18 420"));
    scene.restored(Ok(broken));
    let screen = scene.screen();
    assert!(screen.contains("It broke off at 40 %. 7 480 keys are on this computer."), "{screen}");
    assert!(!screen.contains("✓ Restored"), "{screen}");
    let mut scene = Scene::in_the_middle(80, 24);
    scene.restored(Err(Failure::new(Code::DiskFull).with("n", "7 480").with("size", "110 MB")));
    scene.press("Esc");
    assert!(!scene.screen().contains("nothing is written yet"), "{}", scene.screen());
}

/// What was restored is not forgotten by the next plan, nor by another key in the field.
#[test]
fn what_was_restored_is_remembered() {
    let mut scene = Scene::done(80, 24);
    scene.press("3 Space 5");
    scene.restored(Err(Failure::new(Code::ServerSilent)));
    scene.press("Esc 7");
    assert!(scene.screen().contains("18 231 keys, locked"), "{}", scene.screen());
    scene.press("4 Del Esc 6");
    let screen = scene.screen();
    assert!(screen.contains("Your keys are on this computer, locked with"), "{screen}");
    scene.press("7 Enter");
    assert!(scene.screen().contains("Your keys are here, locked."), "{}", scene.screen());
    scene.press("q");
    let leave = scene.job(|effect| match effect {
        Effect::Leave { job, .. } => Some(*job),
        _ => None,
    });
    scene.happens(leave, Happened::Left(Ok(keyhaul::recovery::sign_in::Left::DeviceRemoved)));
    let words = &scene.model.ended().unwrap().words;
    assert!(
        words.iter().any(|line| line.contains("18 231 keys are on this computer")),
        "{words:?}"
    );
}

/// Fifteen idle minutes close what was opened, everywhere, and nothing waits for ever.
#[test]
fn idle_minutes_end_everything_secret() {
    let mut scene = Scene::at_key_file(80, 24);
    scene.wait(16.0 * 60.0);
    let screen = scene.screen();
    assert!(screen.contains("▸7 Take away") && !screen.contains("granite"), "{screen}");
    assert!(scene.count(|effect| matches!(effect, Effect::Forget(_))) >= 1);
    scene.press("6");
    assert!(!scene.screen().contains("ladder"), "{}", scene.screen());
    let mut scene = Scene::with_key(80, 24, later::opens_older());
    scene.press("Enter");
    scene.wait(16.0 * 60.0);
    scene.hauled(Ok(scene::hauled()));
    scene.press("4");
    scene.paste(later::KEY);
    scene.opens(later::opens_older());
    scene.press("Enter");
    assert_eq!(restores(&scene, true), 1);
}

/// Ctrl-C while a backup is read for a plan makes no plan of a part.
#[test]
fn stopping_what_a_plan_waits_for() {
    let mut scene = Scene::with_key(80, 24, later::opens_older());
    scene.press("Enter Ctrl-C");
    let mut part = scene::hauled();
    part.broken = Some(Failure::new(Code::Stopped).with("n", "100"));
    scene.hauled(Ok(part));
    assert_eq!(restores(&scene, true), 0);
    assert!(scene.screen().contains("There is no plan yet."), "{}", scene.screen());
}

/// Letters right behind the last one of a recovery key are no commands.
#[test]
fn letters_behind_the_last_one_do_nothing() {
    let mut scene = Scene::at_key(80, 24);
    let (all, last) = later::KEY.split_at(later::KEY.len() - 1);
    scene.types(all);
    scene.types(last);
    scene.opens(later::opens_all());
    scene.now -= std::time::Duration::from_millis(90);
    scene.press("q");
    assert!(scene.model.ended().is_none());
    assert!(scene.screen().contains("It opens 18 420 keys"), "{}", scene.screen());
}

/// While a key file is written its name cannot change, and its end interrupts nobody who types elsewhere.
#[test]
fn a_key_file_that_is_being_written() {
    let mut scene = Scene::at_key_file(80, 24);
    scene.press("Tab Tab Space Enter BackTab BackTab");
    scene.types("x");
    assert!(scene.screen().contains("The file is being written."), "{}", scene.screen());
    scene.press("Esc q");
    assert!(scene.screen().contains("Leave while the key file is written?"), "{}", scene.screen());
    scene.press("Esc Esc 4");
    scene.exported(Ok(later::exported()));
    let screen = scene.screen();
    assert!(screen.contains("▸4 Key") && screen.contains("Step 7 tells where it is."), "{screen}");
    scene.press("Esc 7");
    assert!(
        scene.screen().contains("a key file: ~/matrix-keys-2026-11-24.txt"),
        "{}",
        scene.screen()
    );
}

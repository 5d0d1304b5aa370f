//! The mask hides who and where in every screen, and the same search finds it where the mask is off.

use keyhaul::base::failure::{Code, Failure};
use keyhaul::tui::message::Happened;

use super::scene::Scene;

/// What must not be on a masked screen: ids, names of rooms, people and devices, hosts, files.
const PRIVATE: &[&str] = &[
    "@ada",
    "example",
    "Family",
    "Release",
    "写真",
    "Old laptop",
    "matrix",
    "9aaTz0",
    "f3kQ9",
    "/data",
    "snapshot-4",
    "Example Login",
    "RXk8",
    "Neighbours",
    "ladder",
    "Mika",
    "harbour.jpg",
    "granite",
    "matrix-keys",
];

fn found(screen: &str) -> Vec<&'static str> {
    PRIVATE.iter().copied().filter(|word| screen.contains(word)).collect()
}

/// The screens of the story, at two sizes.
fn screens() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (width, height) in [(80, 24), (120, 40), (40, 12)] {
        scenes.push(Scene::at_password(width, height));
        scenes.push(Scene::signed_in(width, height));
        scenes.push(Scene::at_backups(width, height));
        scenes.push(Scene::streaming(width, height));
        scenes.push(Scene::named(width, height));
        scenes.push(Scene::at_room(width, height));
        let mut key = Scene::at_room(width, height);
        key.press("Right");
        scenes.push(key);
        scenes.push(Scene::at_key(width, height));
        scenes.push(Scene::planned(width, height));
        scenes.push(Scene::in_the_middle(width, height));
        scenes.push(Scene::done(width, height));
        let mut refused = Scene::done(width, height);
        refused.press("Right");
        scenes.push(refused);
        scenes.push(Scene::at_proof(width, height));
        let mut why = Scene::at_proof(width, height);
        why.press("x Right");
        scenes.push(why);
        let mut rooms = Scene::at_proof(width, height);
        rooms.press("Tab");
        scenes.push(rooms);
        scenes.push(Scene::at_take_away(width, height));
        scenes.push(Scene::at_key_file(width, height));
        scenes.push(Scene::at_check_up(width, height));
        scenes.push(Scene::at_compare(width, height));
        scenes.push(Scene::at_sheet(width, height));
        let mut made = Scene::at_key_file(width, height);
        made.press("Tab Tab Space Enter");
        made.exported(Ok(super::scene_later::exported()));
        scenes.push(made);
        let mut failed = Scene::signed_in(width, height);
        let job = failed.looking();
        let failure = Failure::new(Code::Certificate)
            .with("host", "matrix.example.org")
            .because("matrix.example.org says no");
        failed.happens(job, Happened::Looked(Err(failure)));
        failed.press("e");
        scenes.push(failed);
        let mut asking = Scene::begin(width, height);
        asking.types("@ada:example.org");
        asking.wait(1.0);
        scenes.push(asking);
        let mut file = Scene::at_backups(width, height);
        file.press("o");
        file.types("/data/snapshot-4");
        scenes.push(file);
    }
    scenes
}

#[test]
fn nothing_private_is_on_a_masked_screen() {
    let mut unmasked = 0;
    for mut scene in screens() {
        unmasked += found(&scene.screen()).len();
        scene.press("F3");
        let screen = scene.screen();
        assert!(screen.contains("MASKED"), "{screen}");
        assert_eq!(found(&screen), Vec::<&str>::new(), "{screen}");
    }
    assert!(unmasked > 60, "the same search finds only {unmasked} without the mask");
}

#[test]
fn numbers_of_rooms_stay_while_they_are_sorted() {
    let mut scene = Scene::named(80, 24);
    scene.press("m");
    assert!(scene.screen().contains("▸[ ] room 1   "), "{}", scene.screen());
    // Sorted by keys that are here: the fourth room comes first.
    scene.press("s s g");
    assert!(scene.screen().contains("▸[ ] room 4   "), "{}", scene.screen());
    scene.press("/");
    assert!(scene.screen().contains("No search while names are hidden"), "{}", scene.screen());
    scene.press("m");
    assert!(scene.screen().contains("Show names again?"), "{}", scene.screen());
    scene.press("Enter");
    assert!(scene.screen().contains("MASKED"));
    scene.press("m m");
    assert!(scene.screen().contains("(no name, 3 people)"), "{}", scene.screen());
}

/// The clipboard gets the real command, the screen does not.
#[test]
fn the_copied_command_is_the_real_one() {
    let mut scene = Scene::at_room(80, 24);
    scene.press("m Y");
    let copied = scene.effects.iter().rev().find_map(|effect| match effect {
        keyhaul::tui::effect::Effect::Copy { text, .. } => Some(text.expose().to_owned()),
        _ => None,
    });
    assert_eq!(
        copied.as_deref(),
        Some(
            "keyhaul sessions '!f3kQ9vZe1TqLm8:example.org' --user @ada:example.org --backup-version 4"
        )
    );
    assert!(scene.screen().contains("$ keyhaul sessions ROOM --user ID --backup-version 4"));
}

/// Letters of a recovery key are hidden under the mask even while somebody types them; the place of a wrong
/// one is told all the same.
#[test]
fn a_recovery_key_is_typed_unseen() {
    let mut scene = Scene::at_key(80, 24);
    scene.types("EsTc LW0K PGi");
    assert!(scene.screen().contains("[PGi·]"), "{}", scene.screen());
    scene.press("F3");
    let screen = scene.screen();
    assert!(screen.contains("[•••·]") && screen.contains("Cell 2, third character:"), "{screen}");
    assert!(!screen.contains("zero") && !screen.contains("Look for"), "{screen}");
    scene.press("Ctrl-R");
    assert!(!scene.screen().contains("EsTc"), "{}", scene.screen());
}

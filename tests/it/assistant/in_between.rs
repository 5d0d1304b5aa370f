//! Somebody goes on while work is still under way: nothing is lost, mixed up or asked too early.

use keyhaul::base::failure::{Code, Failure};
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::Happened;

use super::scene::{self, Scene};

fn hauls(scene: &Scene) -> usize {
    scene.effects.iter().filter(|effect| matches!(effect, Effect::Haul { .. })).count()
}

/// The first version is there before older ones are found; whoever opens it waits for the rest of the look.
#[test]
fn contents_opened_before_the_look_is_done() {
    let mut scene = Scene::signed_in(80, 24);
    let job = scene.looking();
    scene.happens(job, Happened::Seen(Box::new(scene::versions().remove(0))));
    scene.press("Enter");
    assert!(scene.screen().contains("Contents of backup 4"), "{}", scene.screen());
    assert_eq!(hauls(&scene), 0);
    scene.happens(job, Happened::Looked(Ok(Box::new(scene::looked()))));
    assert_eq!(hauls(&scene), 1);
    scene.hauled(Ok(scene::hauled()));
    assert!(scene.screen().contains("18 420 keys in 212 rooms"), "{}", scene.screen());
}

#[test]
fn contents_opened_before_a_look_that_fails() {
    let mut scene = Scene::signed_in(80, 24);
    let job = scene.looking();
    scene.happens(job, Happened::Seen(Box::new(scene::versions().remove(0))));
    scene.press("Enter");
    scene.happens(job, Happened::Looked(Err(Failure::new(Code::ServerSilent))));
    assert!(scene.screen().contains("This did not work"), "{}", scene.screen());
    // Trying again looks again, and then reads.
    scene.press("r");
    let again = scene.looking();
    assert_ne!(again, job);
    scene.happens(again, Happened::Looked(Ok(Box::new(scene::looked()))));
    assert_eq!(hauls(&scene), 1);
}

/// While a second look runs, the first one's visit serves.
#[test]
fn contents_opened_during_a_second_look() {
    let mut scene = Scene::at_backups(80, 24);
    let first = scene.looking();
    scene.press("r Enter");
    let visit = scene.job(|effect| match effect {
        Effect::Haul { visit, .. } => Some(*visit),
        _ => None,
    });
    assert_eq!(visit, first);
    assert_ne!(scene.looking(), first);
}

/// The names of all versions are asked for, also when a second one is opened meanwhile.
#[test]
fn names_of_two_versions() {
    let mut scene = Scene::read(80, 24);
    scene.press("Esc Down Enter");
    let mut other = scene::hauled();
    other.contents.rooms.clear();
    other.contents.rooms.insert("!other:example.org".into(), Default::default());
    scene.hauled(Ok(other));
    let rooms = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Names { rooms, .. } => Some(rooms.len()),
        _ => None,
    });
    assert_eq!(rooms, Some(213));
}

/// Whoever signs in as somebody else sees nothing of the one before, whose device is removed.
#[test]
fn signing_in_as_somebody_else() {
    let mut scene = Scene::named(80, 24);
    let first = scene.signing_in();
    scene.press("1 Up Down");
    scene.types("another");
    scene.press("Enter");
    let job = scene.signing_in();
    let signed = keyhaul::tui::message::Signed {
        user_id: "@bea:example.org".to_owned(),
        server: "https://matrix.example.org".to_owned(),
    };
    scene.happens(job, Happened::SignedIn(Ok(signed)));
    let left = scene.effects.iter().any(
        |effect| matches!(effect, Effect::Leave { account, stay: false, .. } if *account == first),
    );
    assert!(left);
    let screen = scene.screen();
    assert!(screen.contains("@bea:example.org") && !screen.contains("@ada"), "{screen}");
    assert!(screen.contains("asking for older ones"), "{screen}");
}

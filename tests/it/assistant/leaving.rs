//! Leaving while something runs: nothing that was made stays behind without a word.

use keyhaul::base::failure::{Code, Failure};
use keyhaul::recovery::sign_in::{Device, Left};
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::{Happened, Job, Message};
use keyhaul::tui::model::Ending;

use super::scene::{self, Scene};

fn ending(scene: &Scene) -> Option<&Ending> {
    scene.model.ended()
}

fn leaving(scene: &Scene) -> (Job, Job) {
    let find = |effect: &Effect| match effect {
        Effect::Leave { job, account, .. } => Some((*job, *account)),
        _ => None,
    };
    scene.effects.iter().rev().find_map(find).expect("somebody is signed out")
}

fn at_sign_in() -> Scene {
    let mut scene = Scene::at_password(80, 24);
    scene.paste("an engine");
    scene.press("Enter");
    scene
}

/// The device that a sign-in makes while somebody leaves is removed.
#[test]
fn during_a_sign_in() {
    for leave in ["Esc q", "Ctrl-C Ctrl-C"] {
        let mut scene = at_sign_in();
        let job = scene.signing_in();
        scene.press(leave);
        assert!(ending(&scene).is_none(), "{leave}");
        scene.happens(job, Happened::SignedIn(Ok(scene::signed("@ada:example.org"))));
        let (leave, account) = leaving(&scene);
        assert_eq!(account, job);
        assert!(ending(&scene).is_none());
        scene.happens(leave, Happened::Left(Ok(Left::DeviceRemoved)));
        assert!(ending(&scene).unwrap().words[0].contains("was removed"));
    }
}

/// Where nobody knows whether there is a device, that is said.
#[test]
fn during_a_sign_in_without_an_answer() {
    let mut scene = at_sign_in();
    scene.tell(Message::Signal(143));
    scene.wait(5.0);
    let said = ending(&scene).unwrap();
    assert_eq!(said.exit, 143);
    assert!(said.words[0].contains("Perhaps a device"), "{:?}", said.words);

    let mut scene = at_sign_in();
    let job = scene.signing_in();
    scene.press("Esc q");
    let stopped = Failure::new(Code::Stopped)
        .because("stopped; perhaps a device “keyhaul recovery” is on your account");
    scene.happens(job, Happened::SignedIn(Err(stopped)));
    assert!(ending(&scene).unwrap().words[0].contains("Perhaps a device"));

    // A password that was wrong made none.
    let mut scene = at_sign_in();
    let job = scene.signing_in();
    scene.press("Esc q");
    scene.happens(job, Happened::SignedIn(Err(Failure::new(Code::PasswordWrong))));
    assert_eq!(ending(&scene).unwrap().words, Vec::<String>::new());
}

/// Ctrl-C in the very moment in which the server answers: nobody is signed in, and no device stays.
#[test]
fn a_sign_in_that_was_stopped_too_late() {
    let mut scene = at_sign_in();
    let job = scene.signing_in();
    scene.press("Ctrl-C");
    scene.happens(job, Happened::SignedIn(Ok(scene::signed("@ada:example.org"))));
    let (leave, account) = leaving(&scene);
    assert_eq!(account, job);
    assert!(scene.screen().contains("nobody signed in"), "{}", scene.screen());
    scene.happens(leave, Happened::Left(Err(Failure::new(Code::DeviceRemains))));
    assert!(scene.screen().contains("is still on your account"), "{}", scene.screen());
}

/// What is being read is closed before keyhaul ends, and then named.
#[test]
fn during_a_reading() {
    let mut scene = Scene::streaming(80, 24);
    scene.press("q q");
    assert!(scene.count(|effect| matches!(effect, Effect::Cancel(_))) > 0);
    let (leave, _) = leaving(&scene);
    scene.happens(leave, Happened::Left(Ok(Left::DeviceRemoved)));
    assert!(ending(&scene).is_none(), "the file is not closed yet");
    scene.hauled(Ok(scene::broken()));
    let words = &ending(&scene).unwrap().words;
    assert!(words.iter().any(|line| line.contains("snapshot-4.keyhaul")), "{words:?}");
    // Nobody asks for names any more.
    assert_eq!(scene.count(|effect| matches!(effect, Effect::Names { .. })), 0);

    let mut scene = Scene::streaming(80, 24);
    scene.press("q q");
    let (leave, _) = leaving(&scene);
    scene.happens(leave, Happened::Left(Ok(Left::DeviceRemoved)));
    scene.wait(11.0);
    let words = &ending(&scene).unwrap().words;
    assert!(words.iter().any(|line| line.contains("may lack what came last")), "{words:?}");
}

/// Both devices are waited for where somebody signed in as somebody else.
#[test]
fn after_signing_in_as_somebody_else() {
    let mut scene = Scene::named(80, 24);
    scene.press("1");
    scene.types("another");
    scene.press("Enter");
    let job = scene.signing_in();
    scene.happens(job, Happened::SignedIn(Ok(scene::signed("@bea:example.org"))));
    let (first, _) = leaving(&scene);
    scene.press("q");
    let (second, account) = leaving(&scene);
    assert_eq!(account, job);
    scene.happens(second, Happened::Left(Ok(Left::DeviceRemoved)));
    assert!(ending(&scene).is_none());
    let remains = Failure::new(Code::DeviceRemains);
    scene.happens(first, Happened::Left(Err(remains)));
    let words = &ending(&scene).unwrap().words;
    assert!(words.iter().any(|line| line.contains("still on your account")), "{words:?}");
}

/// Another app's session cannot be kept, so that is not offered.
#[test]
fn staying_signed_in_is_offered_for_our_own_device_only() {
    for (device, offered) in
        [(Device::Ours, true), (Device::Kept, false), (Device::OfAnotherApp, false)]
    {
        let mut scene = Scene::at_password(80, 24);
        scene.paste("an engine");
        scene.press("Enter");
        let job = scene.signing_in();
        let signed = keyhaul::tui::message::Signed { device, ..scene::signed("@ada:example.org") };
        scene.happens(job, Happened::SignedIn(Ok(signed)));
        let look = scene.looking();
        scene.happens(look, Happened::Looked(Ok(Box::new(scene::looked()))));
        scene.press("Enter q");
        let screen = scene.screen();
        assert_eq!(screen.contains("stay signed in for later"), offered, "{screen}");
        scene.press("Down Down Down Enter");
        let stays = scene.count(|effect| matches!(effect, Effect::Leave { stay: true, .. }));
        assert_eq!(stays == 1, offered);
    }
}

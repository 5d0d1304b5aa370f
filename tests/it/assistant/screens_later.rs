//! Steps 4 to 7 in their states, at the sizes that people have. Each snapshot was read as a person would.

use keyhaul::base::failure::{Code, Failure};
use keyhaul::tui::message::Happened;

use super::scene::Scene;
use super::scene_later as later;
use super::screens::holds;

#[test]
fn key_empty() {
    holds("recovery_key_empty", Scene::at_key);
}

#[test]
fn key_with_an_impossible_character() {
    holds("recovery_key_impossible", |width, height| {
        let mut scene = Scene::at_key(width, height);
        scene.types("EsTc LW2K PGiF wKEA 3As5 g5c4 BX0");
        scene
    });
}

#[test]
fn key_with_one_missing() {
    holds("recovery_key_missing", |width, height| {
        let mut scene = Scene::at_key(width, height);
        scene.paste(&later::KEY.replace("UE4d", "UE4"));
        scene
    });
}

#[test]
fn key_with_a_slip() {
    holds("recovery_key_slip", |width, height| {
        let mut scene = Scene::at_key(width, height);
        scene.paste(&later::KEY.replace("UE4d", "UE4e"));
        scene
    });
}

#[test]
fn key_that_fits() {
    holds("recovery_key_fits", |width, height| Scene::with_key(width, height, later::opens_all()));
}

#[test]
fn key_of_an_older_backup() {
    holds("recovery_key_older", |width, height| {
        Scene::with_key(width, height, later::opens_older())
    });
}

#[test]
fn key_that_opens_nothing() {
    holds("recovery_key_nothing", |width, height| {
        let mut scene = Scene::with_key(width, height, later::opens_nothing());
        scene.press("Esc");
        scene
    });
}

#[test]
fn key_of_secret_storage_alone() {
    holds("recovery_key_storage", |width, height| {
        Scene::with_key(width, height, later::opens_storage_only())
    });
}

#[test]
fn passphrase_on_its_way() {
    holds("passphrase", |width, height| {
        let mut scene = Scene::at_key(width, height);
        scene.types("it's a secret to everybody");
        scene.press("Enter");
        let job = scene.unlocking();
        scene.wait(1.0);
        scene.happens(job, Happened::Stretched(330_000, 500_000));
        scene
    });
}

#[test]
fn passphrase_that_takes_long() {
    holds("passphrase_slow", |width, height| {
        let mut scene = Scene::at_key(width, height);
        scene.types("it's a secret to everybody");
        scene.press("Enter");
        scene.opens(later::opens_slowly());
        scene
    });
}

#[test]
fn plan_being_made() {
    holds("plan_making", |width, height| {
        let mut scene = Scene::with_key(width, height, later::opens_all());
        scene.press("Enter");
        let job = scene.restoring();
        scene.wait(1.0);
        scene.happens(job, Happened::Restoring(later::glance()));
        scene
    });
}

#[test]
fn plan() {
    holds("plan", Scene::planned);
}

#[test]
fn plan_with_refused_in_focus() {
    holds("plan_refused", |width, height| {
        let mut scene = Scene::planned(width, height);
        scene.press("G");
        scene
    });
}

#[test]
fn plan_with_nothing_new() {
    holds("plan_nothing_new", |width, height| {
        let mut scene = Scene::with_key(width, height, later::opens_all());
        scene.press("Enter");
        scene.restored(Ok(later::nothing_new()));
        scene
    });
}

#[test]
fn restoring() {
    holds("restoring", Scene::in_the_middle);
}

#[test]
fn paused() {
    holds("restoring_paused", |width, height| {
        let mut scene = Scene::in_the_middle(width, height);
        scene.press("Space");
        scene.wait(60.0);
        scene
    });
}

#[test]
fn stopped() {
    holds("restoring_stopped", |width, height| {
        let mut scene = Scene::in_the_middle(width, height);
        scene.press("Ctrl-C");
        scene.restored(Ok(later::stopped()));
        scene
    });
}

#[test]
fn done() {
    holds("restored", Scene::done);
}

#[test]
fn refused() {
    holds("refused", |width, height| {
        let mut scene = Scene::done(width, height);
        scene.press("Right Down");
        scene
    });
}

#[test]
fn proof() {
    holds("proof", Scene::at_proof);
}

#[test]
fn proof_without_keys() {
    holds("proof_no_keys", |width, height| {
        let mut scene = Scene::at_key(width, height);
        scene.press("Esc 6");
        scene
    });
}

#[test]
fn proof_of_a_room_that_was_left() {
    holds("proof_left", |width, height| {
        let mut scene = Scene::done(width, height);
        scene.press("Enter");
        scene.read_messages(Err(Failure::new(Code::NotInRoom).with("n", "233")));
        scene
    });
}

#[test]
fn why_a_message_is_closed() {
    holds("proof_why", |width, height| {
        let mut scene = Scene::at_proof(width, height);
        scene.press("x Right");
        scene
    });
}

#[test]
fn rooms_to_read() {
    holds("proof_rooms", |width, height| {
        let mut scene = Scene::at_proof(width, height);
        scene.press("Tab Down");
        scene
    });
}

#[test]
fn take_away() {
    holds("take_away", Scene::at_take_away);
}

#[test]
fn take_away_with_nothing() {
    holds("take_away_empty", |width, height| {
        let mut scene = Scene::at_key(width, height);
        scene.press("Esc 7");
        scene
    });
}

#[test]
fn key_file() {
    holds("key_file", |width, height| {
        let mut scene = Scene::at_key_file(width, height);
        scene.press("Tab Tab");
        scene
    });
}

#[test]
fn key_file_with_a_passphrase_of_ones_own() {
    holds("key_file_own", |width, height| {
        let mut scene = Scene::at_key_file(width, height);
        scene.press("Tab Space Tab");
        scene.types("granite otter");
        scene.press("Tab");
        scene.types("granite ott");
        scene
    });
}

#[test]
fn key_file_whose_name_is_taken() {
    holds("key_file_taken", |width, height| {
        let mut scene = Scene::at_key_file(width, height);
        scene.press("Tab Tab Space Enter");
        let taken = Failure::new(Code::FileExists).with("name", "~/matrix-keys-2026-11-24.txt");
        scene.exported(Err(taken));
        scene
    });
}

#[test]
fn key_file_that_was_made() {
    holds("key_file_made", |width, height| {
        let mut scene = Scene::at_key_file(width, height);
        scene.press("Tab Tab Space Enter");
        scene.exported(Ok(later::exported()));
        scene
    });
}

//! The fit table, several secrets at hand, and a backup of several keys: the screens, and journeys on the
//! accounts of the stories.

use keyhaul::base::secret::SecretText;
use keyhaul::demo::stories::Story;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::model::Start;

use super::journey::{Journey, serve};
use super::scene::Scene;
use super::scene_later as later;
use super::screens::holds;

#[test]
fn right_key_of_an_older_backup() {
    holds("fits_older", |width, height| Scene::with_key(width, height, later::fits_older()));
}

#[test]
fn secret_storage_with_the_key_of_an_older_backup() {
    holds("fits_by_storage", |width, height| {
        let mut scene = Scene::with_key(width, height, later::fits_by_storage());
        scene.press("g");
        scene
    });
}

#[test]
fn nothing_fits() {
    holds("fits_nothing", |width, height| Scene::with_key(width, height, later::fits_nothing()));
}

#[test]
fn two_recovery_keys() {
    holds("fits_two", |width, height| {
        let mut scene = Scene::with_key(width, height, later::fits_two());
        scene.press("f");
        scene
    });
}

#[test]
fn one_more_recovery_key() {
    holds("fits_other_key", |width, height| {
        let mut scene = Scene::with_key(width, height, later::fits_older());
        scene.press("p");
        scene
    });
}

#[test]
fn plan_of_a_backup_with_several_keys() {
    holds("plan_mixed", |width, height| {
        let mut scene = Scene::with_key(width, height, later::opens_all());
        scene.press("Enter");
        scene.restored(Ok(later::mixed()));
        scene
    });
}

/// The secrets that were tried last.
fn tried(scene: &Scene) -> Vec<SecretText> {
    let last = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Unlock { secrets, .. } => Some(secrets.iter().map(SecretText::duplicate).collect()),
        _ => None,
    });
    last.unwrap()
}

/// It comes by itself where something unexpected opens, and by `f` at any time.
#[test]
fn the_table_comes_when_it_is_needed() {
    let is_open = |scene: &Scene| scene.screen().contains("What your secrets open");
    assert!(is_open(&Scene::with_key(80, 24, later::fits_older())));
    assert!(is_open(&Scene::with_key(80, 24, later::fits_nothing())));
    let mut scene = Scene::with_key(80, 24, later::fits_two());
    assert!(!is_open(&scene));
    scene.press("f");
    assert!(is_open(&scene));
    scene.press("Esc");
    assert!(!is_open(&scene));
    let mut scene = Scene::at_key(80, 24);
    scene.press("Esc f");
    assert!(scene.screen().contains("Type a recovery key or a passphrase first."));
}

/// A second recovery key is tried together with the first one, and forgotten with it.
#[test]
fn several_secrets_are_at_hand() {
    let mut scene = Scene::with_key(80, 24, later::fits_older());
    scene.press("p");
    let screen = scene.screen();
    assert!(screen.contains("Type one more recovery key or passphrase."), "{screen}");
    let other = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
    scene.paste(other);
    let secrets = tried(&scene);
    let secrets: Vec<&str> = secrets.iter().map(SecretText::expose).collect();
    assert_eq!(secrets, [later::KEY, other]);
    scene.opens(later::fits_two());
    // The same once more adds nothing.
    scene.press("p");
    scene.paste(other);
    assert_eq!(tried(&scene).len(), 2);
    scene.opens(later::fits_two());
    scene.wait(16.0 * 60.0);
    scene.press("4 Enter");
    assert!(scene.screen().contains("Type or paste your recovery key"), "{}", scene.screen());
}

/// Enter restores the backup in focus, whatever else opens.
#[test]
fn enter_goes_to_the_backup_in_focus() {
    let planned = |scene: &Scene| {
        scene.effects.iter().rev().find_map(|effect| match effect {
            Effect::Restore { versions, .. } => Some(versions.join(" ")),
            Effect::Haul { version, .. } => Some(version.version.clone()),
            _ => None,
        })
    };
    let mut scene = Scene::with_key(80, 24, later::fits_two());
    scene.press("f Enter");
    assert_eq!(planned(&scene).as_deref(), Some("4"));
    let mut scene = Scene::with_key(80, 24, later::fits_two());
    scene.press("f Down Down Enter");
    assert_eq!(planned(&scene).as_deref(), Some("2"));
    // One that stays closed leads to what opens.
    let mut scene = Scene::with_key(80, 24, later::fits_two());
    scene.press("f G Enter");
    assert_eq!(planned(&scene).as_deref(), Some("4"));
}

/// What is copied names no account and nothing secret.
#[test]
fn the_table_is_copied_without_secrets() {
    let mut scene = Scene::with_key(80, 24, later::fits_older());
    scene.press("y");
    let copied = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Copy { text, .. } => Some(text.expose().to_owned()),
        _ => None,
    });
    let copied = copied.unwrap();
    assert!(copied.contains("backup 2: as key opens"), "{copied}");
    assert!(copied.contains("backup 3: gone"), "{copied}");
    assert!(!copied.contains("EsTc") && !copied.contains("ada"), "{copied}");
}

/// `p` in the plan takes another recovery key, and with it the plan is made anew.
#[test]
fn another_key_is_tried_on_what_is_locked_for_it() {
    let plans = |scene: &Scene| {
        scene.count(|effect| matches!(effect, Effect::Restore { dry_run: true, .. }))
    };
    let mut scene = Scene::with_key(80, 24, later::opens_all());
    scene.press("Enter");
    scene.restored(Ok(later::mixed()));
    let screen = scene.screen();
    assert!(
        screen.contains("171 keys of backup 4 are locked for another recovery key"),
        "{screen}"
    );
    scene.press("p");
    scene.paste("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=");
    assert_eq!(tried(&scene).len(), 2);
    scene.opens(later::opens_all());
    assert_eq!(plans(&scene), 1);
    scene.press("Enter");
    assert_eq!(plans(&scene), 2);
}

impl Journey {
    /// In front of a story, at the field for the recovery key.
    pub(super) async fn at_key_of(story: Story) -> Self {
        let server = serve(story.account()).await;
        let address = server.base_url().to_owned();
        let start = Start { server: Some(address), ..Start::default() };
        let mut ada = Self::with(server, start).await;
        ada.paste("@ada:example.org").await;
        ada.press("Enter").await;
        ada.sees("type your password").await;
        ada.paste("an engine weaves patterns").await;
        ada.press("Enter").await;
        ada.sees("Next: press Enter to see what backup").await;
        ada.press("4").await;
        ada.sees("Type it as it stands on your paper").await;
        ada
    }
}

/// The key on the paper opens backup 1; with the one of secret storage beside it both are at hand.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_key_and_then_the_other_one() {
    let story = Story::OlderKey;
    let mut ada = Journey::at_key_of(story).await;
    ada.paste(story.secret().expose()).await;
    let screen = ada.sees("It opens backup 1 (35 keys)").await;
    assert!(screen.contains("What your secrets open"), "{screen}");
    ada.press("p").await;
    ada.sees("Type one more recovery key or passphrase.").await;
    ada.paste(story.recovery_key().expose()).await;
    ada.sees("all are tried together").await;
    ada.sees("backup 2, the current one.").await;
    ada.press("f").await;
    let screen = ada.sees("3 of 3 locks open").await;
    assert!(screen.contains("secret 1") && screen.contains("secret 2"), "{screen}");
    ada.press("Enter").await;
    ada.sees("in all         as many as the server says").await;
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

/// A third of the backup is locked for another key, which somebody finds and types.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_two_keys() {
    let story = Story::MixedKeys;
    let other = story.account().version(2).unwrap().expected().refused["mac"];
    let mut ada = Journey::at_key_of(story).await;
    ada.paste(story.secret().expose()).await;
    ada.sees("the current one.").await;
    ada.press("Enter").await;
    ada.sees(&format!("{other} keys of backup 2 are locked for another recovery key.")).await;
    ada.press("p").await;
    ada.sees("Type one more recovery key or passphrase.").await;
    ada.paste(story.old_recovery_key().expose()).await;
    ada.sees("It opens").await;
    ada.press("Enter").await;
    ada.sees(&format!("{other} keys of backup 2 opened with the key of backup 1.")).await;
    ada.press("Enter").await;
    ada.sees("✓ Restored.").await;
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

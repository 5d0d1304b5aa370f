//! Each story from the field for the recovery key to the keys on this computer, as somebody walks it whom
//! only the screens help. The stories of a miscopied paper, of an older and of mixed keys are walked where
//! their screens are tested.

use keyhaul::base::shown::grouped;
use keyhaul::demo::stories::Story;
use keyhaul::tui::model::Start;

use super::journey::{Journey, serve};

/// What stands on the paper opens the current backup, at once or after a question, and all of it that is
/// sound is restored.
async fn paper_restores(story: Story, fits: &str) {
    let account = story.account();
    let current = *account.versions.iter().rev().find(|(_, there)| there.is_some()).unwrap().0;
    let sound = account.version(current).unwrap().expected().openable as u64;
    let mut ada = Journey::at_key_of(story).await;
    ada.paste(story.secret().expose()).await;
    if story.has_passphrase() {
        ada.sees("press Enter to try it").await;
        ada.press("Enter").await;
    }
    let screen = ada.sees(&format!("backup {current}, the current one.")).await;
    assert!(screen.contains("It opens "), "{screen}");
    ada.press("f").await;
    let screen = ada.sees("What your secrets open").await;
    assert!(screen.contains(fits), "{screen}");
    ada.press("Enter").await;
    ada.sees("press Enter to restore").await;
    ada.press("Enter").await;
    ada.sees(&format!("Restored. {} keys of backup {current}", grouped(sound))).await;
    ada.press("2 c").await;
    ada.sees("The store on this computer").await;
    ada.press("q").await;
    let (ending, server, _) = ada.ended().await;
    assert_eq!((ending.exit, server.writes()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_of_secret_storage() {
    paper_restores(Story::Passphrase, "2 of 2 locks open").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_key_of_2019() {
    paper_restores(Story::LegacyKey, "1 of 1 lock opens").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_of_2018() {
    paper_restores(Story::LegacyPassphrase, "1 of 1 lock opens").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_keys_of_secret_storage() {
    paper_restores(Story::SeveralKeys, "2 of 3 locks open").await;
}

/// The newest backup was deleted: the key opens the one that is current again. Its number tells that there
/// were others.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_backup_was_deleted() {
    paper_restores(Story::DeletedNewest, "2 of 3 locks open").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_backup_at_all() {
    let story = Story::NoBackup;
    let server = serve(story.account()).await;
    let start = Start { server: Some(server.base_url().to_owned()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.paste(story.user_id()).await;
    ada.press("Enter").await;
    ada.sees("type your password").await;
    ada.paste(story.password().expose()).await;
    ada.press("Enter").await;
    ada.sees("Keys may still be in other places").await;
    ada.press("c").await;
    let screen = ada.sees("1 thing needs you").await;
    assert!(screen.contains("look for an app that is still signed in"), "{screen}");
    ada.press("q").await;
    let (ending, server, _) = ada.ended().await;
    assert_eq!((ending.exit, server.writes()), (0, 0));
}

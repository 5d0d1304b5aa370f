//! Journeys from the recovery key to the key file, with a server that really answers.

use keyhaul::demo::stories::Story;
use keyhaul::tui::model::Start;

use super::journey::{Journey, account_folder, serve};
use crate::program::{Between, Hold, Trick};

impl Journey {
    /// As far as the plan for the current backup.
    pub(super) async fn goes_to_the_plan(&mut self) {
        self.goes_to_contents().await;
        self.press("Enter").await;
        self.sees("Type it as it stands on your paper").await;
        self.paste(Story::Plain.recovery_key().expose()).await;
        self.sees("It opens 5 467 keys: backup 3, the current one.").await;
        self.press("Enter").await;
        self.sees("5 467  in all         as many as the server says").await;
    }

    /// Until the keys are here.
    pub(super) async fn restores(&mut self) {
        self.goes_to_the_plan().await;
        self.press("Enter").await;
        self.sees("✓ Restored. 5 427 keys of backup 3 are on this computer.").await;
    }
}

/// Nine presses from nothing to restored keys; then a message is read, and a key file is taken along.
#[tokio::test(flavor = "multi_thread")]
async fn nine_presses_to_restored_keys() {
    let mut ada = Journey::begin().await;
    ada.restores().await;
    let screen = ada.sees("the store was read back: 5 427 keys whole").await;
    assert!(screen.contains("40  refused"), "{screen}");
    ada.press("Enter").await;
    let screen = ada.sees("31 of the last 39 messages opened").await;
    assert!(screen.contains("┌ Family "), "{screen}");
    ada.press("x Right").await;
    ada.sees("Why this message is closed").await;
    ada.press("Esc Enter").await;
    ada.sees("5 427 keys, locked with your recovery key").await;
    ada.press("Enter").await;
    ada.sees("Write it down now.").await;
    let file = ada.data.path().join("keys.txt");
    ada.press("Ctrl-U").await;
    ada.paste(file.to_str().unwrap()).await;
    ada.press("Tab Tab Space Enter").await;
    ada.sees("5 427 keys are in ").await;
    ada.sees("The file was read back with the passphrase.").await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("-----BEGIN MEGOLM SESSION DATA-----"));
    // What is on this computer is counted now: 635 of 640 keys of the second room.
    ada.press("Esc 3").await;
    ada.sees("5 467 keys in 41 rooms").await;
    ada.press("Down").await;
    let screen = ada.sees("▸[ ] Release team").await;
    let row = screen.lines().find(|line| line.contains("▸[ ] Release team")).unwrap();
    let here: Vec<&str> = row.trim_end_matches(['│', ' ']).split("  ").collect();
    assert_eq!(here.last().map(|last| last.trim()), Some("635"), "{screen}");
    ada.press("q").await;
    let (ending, server, _) = ada.ended().await;
    assert_eq!((ending.exit, server.devices(), server.writes()), (0, 0, 0));
    let words = ending.words.join("\n");
    assert!(
        words.contains("5 427 keys are on this computer, locked with your recovery key."),
        "{words}"
    );
}

/// A key that opens nothing is explained; the right one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_key_first() {
    let mut ada = Journey::begin().await;
    ada.goes_to_contents().await;
    ada.press("Enter").await;
    ada.sees("Type it as it stands on your paper").await;
    // Somebody else's key: complete, and for nothing on this account.
    ada.paste("EsTc LW2K PGiF wKEA 3As5 g5c4 BXwk qeeJ ZJV8 Q9fu gUMN UE4d").await;
    ada.sees("It opens nothing on this account. Nothing is lost, nothing was changed.").await;
    let screen = ada.sees("How that can be").await;
    assert!(screen.contains("0 of 3 locks open"), "{screen}");
    ada.press("5").await;
    ada.sees("Type your recovery key first: press 4.").await;
    ada.press("Esc Esc Del").await;
    ada.sees("What was typed is forgotten.").await;
    ada.paste(Story::Plain.recovery_key().expose()).await;
    ada.sees("It opens 5 467 keys: backup 3, the current one.").await;
    ada.press("2").await;
    let screen = ada.sees("✓ opens").await;
    assert!(screen.contains("does not"), "{screen}");
    // The account's signature is proven now that secret storage is open.
    ada.sees("✓ your account").await;
}

/// The key of an older backup restores that one, which is read and saved first.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_key_of_an_older_backup() {
    let mut ada = Journey::begin().await;
    ada.goes_to_backups().await;
    ada.press("4").await;
    ada.sees("Type it as it stands on your paper").await;
    ada.paste(Story::Plain.old_recovery_key().expose()).await;
    let screen = ada.sees("Your recovery key is right. It opens backup 1 (420 keys)").await;
    assert!(screen.contains("1 of 3 locks opens"), "{screen}");
    assert!(screen.contains("Backup 1 is not read yet"), "{screen}");
    ada.press("Enter").await;
    ada.sees("420  in all         as many as the server says").await;
    ada.press("Enter").await;
    ada.sees("keys of backup 1 are on this computer.").await;
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

/// Two restores after each other: the second visit finds everything here, and goes on to the messages.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_restore_finds_everything_here() {
    let mut ada = Journey::begin().await;
    ada.restores().await;
    ada.press("q").await;
    let (_, server, data) = ada.ended().await;
    let start = Start { server: Some(server.base_url().to_owned()), ..Start::default() };
    let mut ada = Journey::in_folder(server, start, data).await;
    ada.goes_to_the_plan().await;
    let screen = ada.sees("What can be restored is here already.").await;
    assert!(screen.contains("5 427  already here"), "{screen}");
    ada.press("Enter").await;
    ada.sees("31 of the last 39 messages opened").await;
    // Chosen rooms make a plan of their own.
    ada.press("3 Down Space 5").await;
    ada.sees("backup 3 · 1 room chosen").await;
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

/// A snapshot needs no server for the key, the plan and the restore; messages do.
#[tokio::test(flavor = "multi_thread")]
async fn offline_from_a_snapshot() {
    let mut ada = Journey::begin().await;
    ada.goes_to_contents().await;
    ada.press("q").await;
    let (_, server, data) = ada.ended().await;
    let before = server.requests(&http::Method::GET);
    let mut ada = Journey::in_folder(server, Start::default(), data).await;
    ada.press("Esc o").await;
    ada.sees("Snapshots on this computer").await;
    ada.press("Enter").await;
    ada.sees("5 467 keys in 41 rooms").await;
    ada.press("Enter").await;
    ada.sees("Type it as it stands on your paper").await;
    ada.paste(Story::Plain.recovery_key().expose()).await;
    ada.sees("It opens 5 467 keys: backup 3.").await;
    ada.press("Enter").await;
    ada.sees("5 467  in all").await;
    ada.press("Enter").await;
    ada.sees("✓ Restored. 5 427 keys").await;
    ada.press("Enter").await;
    ada.sees("Messages lie on the server, and keyhaul works offline now.").await;
    ada.press("7").await;
    ada.sees("5 427 keys, locked with your recovery key").await;
    assert_eq!(ada.server.requests(&http::Method::GET), before);
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

/// The server forgets the session in the middle: the restore needs it no more, messages say what to do.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_dies_in_the_middle() {
    let server = serve(crate::demo::account().clone()).await;
    let between = Between::start(server.address(), Vec::new());
    let start = Start { server: Some(between.base.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_the_plan().await;
    let gone = serde_json::json!({"errcode": "M_UNKNOWN_TOKEN", "error": "gone"});
    between.play(vec![("/_matrix", Trick::Say(401, gone))]);
    ada.press("Enter").await;
    ada.sees("✓ Restored. 5 427 keys").await;
    ada.press("Enter").await;
    ada.sees("▸6 Proof").await;
    let screen = ada.sees("! ").await;
    assert!(screen.contains("▸6 Proof"), "{screen}");
    ada.press("7").await;
    ada.sees("5 427 keys, locked with your recovery key").await;
    ada.press("q").await;
    let (ending, ..) = ada.ended().await;
    // The device is gone already, or it is said that it may remain.
    assert_eq!(ending.exit, 0);
}

/// Somebody leaves while older messages are asked for, and while a plan waits for its backup.
#[tokio::test(flavor = "multi_thread")]
async fn leaving_in_the_middle_and_coming_back() {
    let server = serve(crate::demo::account().clone()).await;
    let hold = Hold::new();
    let between = Between::start(server.address(), Vec::new());
    let address = between.base.clone();
    let start = Start { server: Some(address.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_backups().await;
    ada.press("4").await;
    ada.sees("5 467 keys").await;
    ada.paste(Story::Plain.old_recovery_key().expose()).await;
    ada.sees("It opens backup 1 (420 keys)").await;
    between.play(vec![("/room_keys/keys", Trick::Hold(hold.clone()))]);
    ada.press("Enter").await;
    ada.sees("keyhaul reads and saves backup 1 first.").await;
    ada.press("q q").await;
    let (ending, server, data) = ada.ended().await;
    assert_eq!((ending.exit, server.devices()), (0, 0));
    between.behave();
    let start = Start { server: Some(address), ..Start::default() };
    let mut ada = Journey::in_folder(server, start, data).await;
    ada.restores().await;
    ada.press("q").await;
    let (ending, _, data) = ada.ended().await;
    assert_eq!(ending.exit, 0);
    assert!(account_folder(&data).is_dir());
}

/// Somebody whose token has expired signs in again: the same device, and no second one beside it.
#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_takes_the_same_device() {
    let mut ada = Journey::begin().await;
    ada.goes_to_backups().await;
    assert_eq!(ada.server.devices(), 1);
    ada.press("1").await;
    ada.sees("▸ Password").await;
    ada.paste("an engine weaves patterns").await;
    ada.press("Enter").await;
    ada.sees("Next: press Enter to see what backup 3 holds.").await;
    assert_eq!(ada.server.devices(), 1);
    ada.press("q").await;
    let (ending, server, _) = ada.ended().await;
    assert_eq!((ending.exit, server.devices()), (0, 0));
}

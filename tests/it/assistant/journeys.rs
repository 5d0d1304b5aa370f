//! Journeys: where a person begins, what they press, what they see; with a server that really answers.

use http::Method;
use keyhaul::demo::stories::Story;
use keyhaul::recovery::sign_in::Way;
use keyhaul::tui::model::Start;
use keyhaul::tui::run::Wish;
use serde_json::json;
use tempfile::TempDir;

use super::journey::{Journey, account_folder, serve};
use crate::program::{Between, Hold, Trick};

/// Six presses from nothing to the contents: two pastes and four Enter; and nothing stays on the server.
#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_the_contents_and_out() {
    let mut ada = Journey::begin().await;
    ada.sees("type your Matrix id and press Enter").await;
    ada.goes_to_contents().await;
    let screen = ada.sees("Family").await;
    assert!(screen.contains("Snapshot saved on this computer, still locked: 4.6 MB"), "{screen}");
    assert!(screen.contains("✓1 Sign in  ✓2 Backups  ▸3 Contents"), "{screen}");
    ada.press("q").await;
    let (ending, server, data) = ada.ended().await;
    assert_eq!(ending.exit, 0);
    assert!(ending.words[0].contains("was removed"), "{:?}", ending.words);
    assert_eq!((server.devices(), server.writes()), (0, 0));
    let folder = account_folder(&data);
    let names = std::fs::read_dir(&folder).unwrap().flatten();
    let names: Vec<_> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("snapshot-")), "{names:?}");
}

/// A second visit reads nothing again that did not change, and says what changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_visit_spares_the_server_the_question() {
    let mut ada = Journey::begin().await;
    ada.goes_to_contents().await;
    ada.press("q").await;
    let (_, server, data) = ada.ended().await;
    let address = server.base_url().to_owned();
    assert_eq!(server.readings(), 1);
    let start = Start { server: Some(address), ..Start::default() };
    let mut ada = Journey::in_folder(server, start, data).await;
    ada.goes_to_contents().await;
    assert_eq!(ada.server.readings(), 1);
    ada.press("Esc").await;
    ada.sees("Nothing changed since your last visit").await;
    // Whoever asks for it reads it again all the same.
    ada.press("Enter").await;
    ada.sees("keys in 41 rooms").await;
    ada.press("r").await;
    ada.sees("reading …").await;
    ada.sees("keys in 41 rooms").await;
    assert_eq!(ada.server.readings(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_password_first() {
    let mut ada = Journey::begin().await;
    ada.paste("@ada:example.org").await;
    ada.press("Enter").await;
    ada.sees("type your password").await;
    ada.types("an engine").await;
    ada.press("Enter").await;
    let screen = ada.sees("did not accept this password").await;
    assert!(screen.contains("▸ Password      [     "), "the field is empty again: {screen}");
    ada.paste("an engine weaves patterns").await;
    ada.press("Ctrl-R").await;
    ada.sees("[ an engine weaves patterns").await;
    ada.press("Enter").await;
    ada.sees("press Enter to see what backup 3 holds").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_server_that_is_not_there() {
    let mut ada =
        Journey::with(serve(crate::demo::account().clone()).await, Start::default()).await;
    ada.types("http://127.0.0.1:1").await;
    ada.press("Enter").await;
    ada.sees("The server does not answer.").await;
    let address = ada.server.base_url().to_owned();
    ada.press("Ctrl-U").await;
    ada.paste(&address).await;
    ada.press("Enter").await;
    ada.sees("Your name").await;
    ada.types("ada").await;
    ada.press("Enter").await;
    ada.paste("an engine weaves patterns").await;
    ada.press("Enter").await;
    ada.sees("Backups of @ada:example.org").await;
}

/// The names come last; until then and without any, rooms are found by their ids.
#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_found_chosen_and_opened() {
    let mut ada = Journey::begin().await;
    ada.goes_to_contents().await;
    ada.sees("Release team").await;
    ada.press("/").await;
    ada.types("choir").await;
    ada.sees("2 rooms fit").await;
    ada.press("Enter a").await;
    ada.sees("2 of 2 shown rooms chosen (2 in all) · 147 keys").await;
    ada.press("Esc").await;
    ada.sees("2 of 41 rooms chosen").await;
    ada.press("i").await;
    ada.sees("39 of 41 rooms chosen · 5 320 keys").await;
    ada.press("a a").await;
    ada.sees("nothing chosen: Enter takes all 41 rooms").await;
    ada.press("Down Right").await;
    let screen = ada.sees("1 of 640 keys").await;
    assert!(screen.contains("┌ Release team "), "{screen}");
    ada.press("s Right").await;
    ada.sees("It starts at message").await;
    ada.press("Esc Esc Space Enter").await;
    ada.paste(Story::Plain.recovery_key().expose()).await;
    ada.sees("It opens 5 467 keys: backup 3, the current one.").await;
    ada.press("Enter").await;
    let screen = ada.sees("640  in all").await;
    assert!(screen.contains("backup 3 · 1 room chosen"), "{screen}");
    ada.press("Y").await;
    ada.sees("clipboard").await;
    let copied = ada.copied();
    assert!(copied[0].starts_with("keyhaul restore --homeserver http://127.0.0.1:"), "{copied:?}");
    assert!(copied[0].contains(" --user @ada:example.org --room '!"), "{copied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_without_any_server() {
    let mut ada = Journey::begin().await;
    ada.goes_to_contents().await;
    ada.sees("Family").await;
    ada.press("q").await;
    let (_, server, data) = ada.ended().await;
    let before = server.requests(&Method::GET);
    let mut ada = Journey::in_folder(server, Start::default(), data).await;
    ada.press("Esc o").await;
    ada.sees("Snapshots on this computer").await;
    ada.press("Enter").await;
    let screen = ada.sees("5 467 keys in 41 rooms").await;
    assert!(screen.contains("offline: snapshot"), "{screen}");
    ada.press("Right").await;
    ada.sees("1 204 keys").await;
    ada.press("Esc 2").await;
    ada.sees("Backups in this snapshot").await;
    assert_eq!(ada.server.requests(&Method::GET), before);
    // A file that is no snapshot leaves everything as it is.
    let other = ada.data.path().join("notes.txt");
    std::fs::write(&other, "milk, bread").unwrap();
    ada.press("o").await;
    ada.sees("Snapshots on this computer").await;
    ada.press("Up").await;
    ada.paste(other.to_str().unwrap()).await;
    ada.press("Enter").await;
    ada.sees("! ").await;
    ada.press("Esc").await;
    ada.sees("Backups in this snapshot").await;
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_in_from_an_earlier_day() {
    let mut ada = Journey::begin().await;
    ada.goes_to_contents().await;
    // Read again, so that there is something to leave.
    ada.press("q").await;
    let (_, server, _) = ada.ended().await;
    let address = server.base_url().to_owned();
    let password = keyhaul::base::secret::SecretText::new("an engine weaves patterns".to_owned());
    let way = Some(Way::Password(password));
    let user = Some("@ada:example.org".to_owned());
    let start = Start { server: Some(address), user, way, ..Start::default() };
    let data = TempDir::with_prefix("keyhaul-test-").unwrap();
    let mut ada = Journey::in_folder(server, start, data).await;
    ada.sees("press Enter to see what backup 3 holds").await;
    ada.press("4").await;
    ada.sees("Type it as it stands on your paper").await;
    ada.press("Ctrl-C").await;
    ada.sees("Press Ctrl-C again to leave keyhaul.").await;
    ada.press("Ctrl-C").await;
    let (ending, server, _) = ada.ended().await;
    assert_eq!((ending.exit, server.devices()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_wants_the_end() {
    for exit in [129, 130, 143] {
        let mut ada = Journey::begin().await;
        ada.goes_to_contents().await;
        ada.wish(Wish::End(exit)).await;
        let (ending, server, _) = ada.ended().await;
        assert_eq!((ending.exit, server.devices()), (exit, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn back_to_the_shell_and_any_size() {
    let mut ada = Journey::begin().await;
    ada.goes_to_contents().await;
    ada.press("Ctrl-Z").await;
    ada.wish(Wish::Suspend).await;
    for (width, height) in [(40, 12), (1, 1), (0, 0), (20, 5), (500, 200), (80, 24)] {
        ada.resize(width, height).await;
    }
    ada.press("?").await;
    ada.sees("Keys in “Contents”").await;
    assert_eq!(ada.suspended(), 2);
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

/// A recovery key in any wrong place is kept for its step and not drawn.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_key_in_a_wrong_place() {
    let key = Story::Plain.recovery_key();
    let mut ada = Journey::begin().await;
    ada.paste(key.expose()).await;
    let screen = ada.sees("It stays hidden until step 4.").await;
    assert!(!screen.contains("ezue"), "{screen}");
    ada.goes_to_contents().await;
    ada.press("/").await;
    ada.paste(&key.expose().replace(' ', "")).await;
    let screen = ada.sees("It stays hidden until step 4.").await;
    assert!(!screen.contains("ezue"), "{screen}");
    ada.press("Esc 4").await;
    let screen = ada.sees("It opens 5 467 keys: backup 3, the current one.").await;
    assert!(!screen.contains("ezue"), "{screen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_from_the_first_screen() {
    let mut ada =
        Journey::with(serve(crate::demo::account().clone()).await, Start::default()).await;
    ada.press("Tab Tab Enter").await;
    ada.sees("press Enter to sign in").await;
    ada.press("Enter").await;
    ada.sees("press Enter to see what backup 3 holds").await;
    let screen = ada.screen();
    assert!(screen.contains("keyhaul demo"), "{screen}");
    // The demo's own server, not the one of this test.
    assert_eq!(ada.server.requests(&Method::GET), 0);
}

/// What came before the connection broke is kept, and asking again brings the rest.
#[tokio::test(flavor = "multi_thread")]
async fn the_connection_breaks_while_it_reads() {
    let server = serve(crate::demo::account().clone()).await;
    let between = Between::start(server.address(), Trick::Cut(1_500_000).alone());
    let start = Start { server: Some(between.base.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_backups().await;
    ada.press("Enter").await;
    let screen = ada.sees("The connection broke.").await;
    assert!(screen.contains("of 5 467 keys are saved and can be restored."), "{screen}");
    assert!(screen.contains("Next: r reads it again. Enter goes on"), "{screen}");
    ada.press("Right").await;
    ada.sees("1 of ").await;
    ada.press("Esc").await;
    between.behave();
    ada.press("r").await;
    ada.sees("5 467 keys in 41 rooms").await;
    assert!(!ada.screen().contains("The connection broke."), "{}", ada.screen());
}

/// A server that cannot send it whole: the rooms are asked for by themselves, and what is missing is told.
#[tokio::test(flavor = "multi_thread")]
async fn the_backup_comes_room_by_room() {
    let server = serve(crate::demo::account().clone()).await;
    let cut = Trick::Say(504, json!(null));
    let between = Between::start(server.address(), vec![("/room_keys/keys?", cut)]);
    let start = Start { server: Some(between.base.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_backups().await;
    ada.press("Enter").await;
    ada.sees("Room by room ").await;
    between.behave();
    ada.press("r").await;
    ada.sees("5 467 keys in 41 rooms").await;
}

/// Ctrl-C stops what is read, once; and leaving meanwhile is asked about.
#[tokio::test(flavor = "multi_thread")]
async fn stopping_and_leaving_while_it_reads() {
    let server = serve(crate::demo::account().clone()).await;
    let hold = Hold::new();
    let tricks = vec![("/room_keys/keys", Trick::Hold(hold.clone()))];
    let between = Between::start(server.address(), tricks);
    let start = Start { server: Some(between.base.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_backups().await;
    ada.press("Enter").await;
    ada.sees("waiting for the server to collect 5 467 keys").await;
    ada.press("q").await;
    ada.sees("Leave while the backup is read?").await;
    ada.press("Enter").await;
    ada.sees("reading …").await;
    ada.press("Ctrl-C").await;
    ada.sees("Next: press r to try again.").await;
    between.behave();
    ada.press("r").await;
    ada.sees("5 467 keys in 41 rooms").await;
    ada.press("q").await;
    let (ending, server, _) = ada.ended().await;
    assert_eq!((ending.exit, server.devices()), (0, 0));
}

/// Staying signed in is offered where leaving would cut something; the next run begins at the backups.
#[tokio::test(flavor = "multi_thread")]
async fn staying_signed_in_for_later() {
    let server = serve(crate::demo::account().clone()).await;
    let tricks = vec![("/room_keys/keys", Trick::Hold(Hold::new()))];
    let between = Between::start(server.address(), tricks);
    let start = Start { server: Some(between.base.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_backups().await;
    ada.press("Enter").await;
    ada.sees("waiting for the server").await;
    ada.press("q Down Down Enter").await;
    let (ending, server, data) = ada.ended().await;
    assert!(ending.words[0].contains("stays signed in"), "{:?}", ending.words);
    assert_eq!(server.devices(), 1);
    between.behave();
    let start = Start { way: Some(Way::Kept), ..Start::default() };
    let mut ada = Journey::in_folder(server, start, data).await;
    ada.sees("press Enter to see what backup 3 holds").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_any_backup() {
    let mut account = crate::demo::account().clone();
    account.versions.clear();
    let server = serve(account).await;
    let address = server.base_url().to_owned();
    let mut ada = Journey::with(server, Start { server: Some(address), ..Start::default() }).await;
    ada.paste("@ada:example.org").await;
    ada.press("Enter").await;
    ada.sees("type your password").await;
    ada.paste("an engine weaves patterns").await;
    ada.press("Enter").await;
    ada.sees("Keys may still be in other places").await;
    ada.press("q").await;
    assert_eq!(ada.ended().await.0.exit, 0);
}

/// A backup that changed while it was read says so; reading it again asks for what is new, and a copy of
/// which nobody knows what it lacks is never taken for the backup as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_changes_while_it_is_read() {
    let server = serve(crate::demo::account().clone()).await;
    let hold = Hold::new();
    let tricks = vec![("/room_keys/keys", Trick::Hold(hold.clone()))];
    let between = Between::start(server.address(), tricks);
    let address = between.base.clone();
    let start = Start { server: Some(address.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_backups().await;
    ada.press("Enter").await;
    hold.is_there();
    ada.server.change(written_to);
    hold.release();
    ada.sees("Backup 3 changed while it was read.").await;
    ada.press("q").await;
    let (_, server, data) = ada.ended().await;
    between.behave();
    let start = Start { server: Some(address), ..Start::default() };
    let mut ada = Journey::in_folder(server, start, data).await;
    ada.goes_to_contents().await;
    assert_eq!(ada.server.readings(), 2, "the copy was not taken for the backup as it is");
    assert!(!ada.screen().contains("changed while"), "{}", ada.screen());
    // It changes after the look: reading again is not told as a change in the middle.
    ada.server.change(written_to);
    ada.press("r").await;
    ada.sees("reading …").await;
    ada.sees("5 467 keys in 41 rooms").await;
    assert!(!ada.screen().contains("changed while"), "{}", ada.screen());
    assert_eq!(ada.server.readings(), 3);
}

/// Two backups read at once are both saved.
#[tokio::test(flavor = "multi_thread")]
async fn two_backups_read_at_once() {
    let server = serve(crate::demo::account().clone()).await;
    let hold = Hold::new();
    let tricks = vec![("/room_keys/keys", Trick::Hold(hold.clone()))];
    let between = Between::start(server.address(), tricks);
    let start = Start { server: Some(between.base.clone()), ..Start::default() };
    let mut ada = Journey::with(server, start).await;
    ada.goes_to_backups().await;
    ada.press("Enter").await;
    hold.is_there();
    between.behave();
    ada.press("Esc Down Enter").await;
    let second = ada.sees("Snapshot saved on this computer").await;
    assert!(second.contains("Contents of backup 1"), "{second}");
    hold.release();
    ada.press("Esc Up Enter").await;
    let first = ada.sees("Snapshot saved on this computer").await;
    assert!(first.contains("Contents of backup 3"), "{first}");
}

/// Another app wrote to every backup.
fn written_to(account: &mut keyhaul::demo::account::Account) {
    account.versions.values_mut().flatten().for_each(|version| version.etag += 1);
}

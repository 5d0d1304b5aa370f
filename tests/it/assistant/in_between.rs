//! Somebody goes on while work is still under way: nothing is lost, mixed up or asked too early.

use keyhaul::base::failure::{Code, Failure};
use keyhaul::base::shown::Shown;
use keyhaul::recovery::look::Wanted;
use keyhaul::tui::effect::{At, Effect};
use keyhaul::tui::message::{Happened, Job};

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
    scene.press("1");
    scene.types("another");
    scene.press("Enter");
    let job = scene.signing_in();
    scene.happens(job, Happened::SignedIn(Ok(scene::signed("@bea:example.org"))));
    let left = scene.effects.iter().any(
        |effect| matches!(effect, Effect::Leave { account, stay: false, .. } if *account == first),
    );
    assert!(left);
    let screen = scene.screen();
    assert!(screen.contains("@bea:example.org") && !screen.contains("@ada"), "{screen}");
    assert!(screen.contains("asking for older ones"), "{screen}");
}

/// Two backups opened while older ones are still looked for: both are read.
#[test]
fn two_backups_opened_in_one_look() {
    let mut scene = Scene::signed_in(80, 24);
    let job = scene.looking();
    for version in scene::versions().into_iter().take(2) {
        scene.happens(job, Happened::Seen(Box::new(version)));
    }
    scene.press("Enter Esc Down Enter");
    scene.happens(job, Happened::Looked(Ok(Box::new(scene::looked()))));
    assert_eq!(hauls(&scene), 2);
    assert!(scene.screen().contains("Contents of backup 2"), "{}", scene.screen());
}

/// A version that somebody deleted meanwhile is not waited for, and what was read of it stays.
#[test]
fn reading_a_version_again_that_is_gone() {
    let mut scene = Scene::named(80, 24);
    scene.press("2 r");
    let mut looked = scene::looked();
    looked.overview.versions.remove(0);
    let job = scene.looking();
    scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
    scene.press("3 r");
    let screen = scene.screen();
    assert!(screen.contains("Backup 4 does not exist any more."), "{screen}");
    scene.press("Esc");
    assert!(scene.screen().contains("18 420 keys in 212 rooms"), "{}", scene.screen());
    assert_eq!(hauls(&scene), 1);
}

/// The focus stays on its backup when a second look finds other ones, and a number that was asked for is
/// asked for again.
#[test]
fn a_second_look() {
    let mut scene = Scene::at_backups(80, 24);
    scene.press("Down r");
    let job = scene.looking();
    let mut looked = scene::looked();
    looked.overview.versions.remove(0);
    scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
    assert!(scene.screen().contains("Enter opens backup 2"), "{}", scene.screen());
    scene.press("# 1 Enter");
    let job = scene.looking();
    scene.happens(job, Happened::Looked(Ok(Box::new(scene::looked()))));
    assert!(scene.screen().contains("Enter opens backup 1"), "{}", scene.screen());
    scene.press("r");
    let named = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Look { wanted, .. } => Some(wanted.clone()),
        _ => None,
    });
    assert_eq!(named, Some(Wanted::Named("1".to_owned())));
}

fn open_snapshot(scene: &mut Scene) -> Job {
    scene.press("o");
    scene.paste("/tmp/some.keyhaul");
    scene.press("Enter");
    scene.looking()
}

/// A look into a file that is given up is not mixed up with the one at the account.
#[test]
fn a_snapshot_that_nobody_waits_for() {
    let mut scene = Scene::signed_in(80, 24);
    let account = scene.looking();
    let file = open_snapshot(&mut scene);
    assert_ne!(file, account);
    scene.press("Esc");
    // The look at the account, which made room, goes on.
    let again = scene.looking();
    assert!(again > file);
    scene.happens(file, Happened::Looked(Ok(Box::new(scene::looked()))));
    scene.happens(again, Happened::Looked(Ok(Box::new(scene::looked()))));
    let screen = scene.screen();
    assert!(screen.contains("server: reading only") && !screen.contains("offline"), "{screen}");
}

/// What fails at the server is not told as if it were the file's fault.
#[test]
fn a_server_that_fails_while_a_file_is_chosen() {
    let mut scene = Scene::at_backups(80, 24);
    scene.press("r");
    let job = scene.looking();
    scene.press("o");
    scene.happens(job, Happened::Looked(Err(Failure::new(Code::ServerSilent))));
    assert!(scene.screen().contains("This did not work"), "{}", scene.screen());
}

/// From a snapshot a signed-in person goes back to the server without another login.
#[test]
fn from_a_snapshot_back_to_the_server() {
    let mut scene = Scene::at_backups(80, 24);
    let job = open_snapshot(&mut scene);
    let mut looked = scene::looked();
    looked.overview.versions.truncate(1);
    scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
    assert!(scene.screen().contains("offline: snapshot"), "{}", scene.screen());
    scene.press("1");
    assert!(
        scene.screen().contains("press Enter to go back to your backups"),
        "{}",
        scene.screen()
    );
    scene.press("Enter");
    let again = scene.looking();
    assert!(again > job);
    let at_server = matches!(
        scene.effects.iter().rev().find(|effect| matches!(effect, Effect::Look { .. })),
        Some(Effect::Look { at: At::Account(_), .. })
    );
    assert!(at_server);
    assert!(scene.screen().contains("server: reading only"), "{}", scene.screen());
}

/// A reading that was stopped or failed says nothing of what the backup holds.
#[test]
fn nothing_was_read() {
    for code in [Code::Stopped, Code::ServerSilent] {
        let mut scene = Scene::at_contents(80, 24);
        scene.hauled(Err(Failure::new(code)));
        scene.press("Esc 3");
        let screen = scene.screen();
        assert!(!screen.contains("holds no keys") && !screen.contains("is empty"), "{screen}");
        assert!(screen.contains("Nothing was read yet."), "{screen}");
        // What failed is what is tried again.
        scene.press("r");
        assert_eq!(hauls(&scene), 2);
    }
}

/// Trying again repeats what failed, wherever somebody is by then.
#[test]
fn trying_again_repeats_what_failed() {
    let mut scene = Scene::at_contents(80, 24);
    let haul = scene.hauling();
    scene.press("Esc r");
    let look = scene.looking();
    scene.press("Enter");
    scene.happens(look, Happened::Looked(Err(Failure::new(Code::ServerSilent))));
    scene.press("r");
    assert!(scene.looking() > look, "the look is repeated");
    assert_eq!(scene.hauling(), haul, "the reading goes on undisturbed");
}

/// Under the mask the search field is gone, with what was typed in it.
#[test]
fn masking_while_searching() {
    let mut scene = Scene::named(80, 24);
    scene.press("/");
    scene.types("family");
    scene.press("F3");
    scene.types("m");
    let screen = scene.screen();
    assert!(screen.contains("Show names again?"), "letters are keys again: {screen}");
    scene.press("m");
    assert!(scene.screen().contains("212 rooms"), "{}", scene.screen());
}

/// After the demo nothing of it is used for anybody else.
#[test]
fn from_the_demo_to_an_account_of_ones_own() {
    let mut scene = Scene::begin(80, 24);
    scene.press("Tab Tab Enter");
    let job = scene.job(|effect| match effect {
        Effect::Demo { job } => Some(*job),
        _ => None,
    });
    scene.happens(job, Happened::Demo(Ok(scene::paper())));
    assert!(scene.screen().contains("keyhaul demo"), "{}", scene.screen());
    scene.press("Ctrl-U");
    scene.paste("@bea:example.org");
    scene.press("Enter");
    let asked = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Find { typed, .. } => Some(typed.clone()),
        _ => None,
    });
    assert_eq!(asked.as_deref(), Some("@bea:example.org"));
    scene.found(Ok(scene::server()));
    let screen = scene.screen();
    assert!(!screen.contains("keyhaul demo") && !screen.contains("EsU1"), "{screen}");
    scene.press("Enter");
    let sent = scene.count(|effect| matches!(effect, Effect::SignIn { .. }));
    assert_eq!(sent, 0, "the made-up password is not sent to a real server");
    scene.paste("a real one");
    scene.press("Enter");
    let server = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::SignIn { server, .. } => Some(server.clone()),
        _ => None,
    });
    assert_eq!(server, Some(Some("https://matrix.example.org/".to_owned())));
}

/// A recovery key never goes to a server: not from the password's field, nor from the token's, nor in two
/// pieces.
#[test]
fn a_recovery_key_in_a_field_for_secrets() {
    let key = "EsU1 ezue GXv9 awie ZAqG u9wi LpjF WTTJ CNuk qFq5 Vq9v ept5";
    let mut scene = Scene::at_password(80, 24);
    scene.paste(key);
    assert!(scene.screen().contains("It stays hidden until step 4."), "{}", scene.screen());
    scene.press("Enter");
    let (first, second) = key.split_at(30);
    scene.paste(first);
    scene.paste(second);
    assert!(scene.screen().contains("It stays hidden until step 4."), "{}", scene.screen());
    scene.press("Enter Esc Down Down Enter");
    scene.types(&key.replace(' ', ""));
    assert!(scene.screen().contains("It stays hidden until step 4."), "{}", scene.screen());
    scene.press("Enter");
    // In two pieces in an ordinary field.
    scene.press("Esc Up Up Up Enter");
    scene.press("Ctrl-U");
    scene.paste(first);
    scene.paste(second);
    assert!(!scene.screen().contains("ezue"), "{}", scene.screen());
    assert_eq!(scene.count(|effect| matches!(effect, Effect::SignIn { .. })), 0);
}

/// What a server calls its rooms cannot command the terminal by way of the clipboard.
#[test]
fn control_characters_on_the_clipboard() {
    let mut scene = Scene::at_contents(80, 24);
    let mut hauled = scene::hauled();
    hauled.contents.rooms.clear();
    hauled.contents.rooms.insert("!a'\u{1b}]52;c;eA==\u{7}".into(), Default::default());
    hauled.contents.rooms.insert("!b:x".into(), Default::default());
    scene.hauled(Ok(hauled));
    scene.press("y Right Y");
    let copied: Vec<String> = scene
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Copy { text, .. } => Some(text.expose().to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(copied.len(), 2);
    assert!(copied.iter().all(|text| text.chars().all(Shown::passes)), "{copied:?}");
    assert!(copied[1].contains(r"sessions $'!a\'\x1b]52;c;eA==\x07'"), "{copied:?}");
}

/// All rooms chosen are what a restore takes anyway.
#[test]
fn all_rooms_chosen_make_a_short_command() {
    let mut scene = Scene::planned(120, 40);
    scene.press("3 a 5");
    assert!(!scene.screen().contains("--room"), "{}", scene.screen());
    scene.press("3 a Space 5");
    assert!(scene.screen().contains("--room"), "{}", scene.screen());
}

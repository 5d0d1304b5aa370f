//! Every screen in its states, at the sizes that people have. Each snapshot was read as a person would.

use keyhaul::base::failure::{Code, Failure};
use keyhaul::base::shown::Shown;
use keyhaul::recovery::look::Overview;
use keyhaul::recovery::snapshots::Kept;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::{Happened, Looked};
use keyhaul::tui::model::Start;
use keyhaul::tui::theme::Theme;

use super::scene::{self, Scene};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 12)];

/// Holds a screen against its snapshots at every size.
pub(super) fn holds(name: &str, scene: impl Fn(u16, u16) -> Scene) {
    for (width, height) in SIZES {
        let screen = scene(width, height).screen();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), screen);
        });
    }
}

#[test]
fn sign_in_at_the_very_start() {
    holds("sign_in_empty", Scene::begin);
}

#[test]
fn sign_in_asking_for_the_server() {
    holds("sign_in_asking", |width, height| {
        let mut scene = Scene::begin(width, height);
        scene.types("@ada:exmaple.org");
        scene.wait(0.6);
        scene
    });
}

#[test]
fn sign_in_without_such_a_server() {
    holds("sign_in_no_server", |width, height| {
        let mut scene = Scene::begin(width, height);
        scene.types("@ada:exmaple.org");
        scene.press("Enter");
        scene.found(Err(Failure::new(Code::ServerNotFound).with("name", "exmaple.org")));
        scene
    });
}

#[test]
fn sign_in_at_the_password() {
    holds("sign_in_password", |width, height| {
        let mut scene = Scene::at_password(width, height);
        scene.types("an engine ");
        scene
    });
}

#[test]
fn sign_in_at_another_host() {
    holds("sign_in_other_host", |width, height| {
        let mut scene = Scene::begin(width, height);
        scene.paste("@ada:example.org");
        scene.press("Enter");
        let host = Shown::new("chat.example.net");
        let address = "https://chat.example.net/".to_owned();
        scene.found(Ok(keyhaul::recovery::sign_in::Found { host, address, ..scene::server() }));
        scene
    });
}

#[test]
fn sign_in_on_a_server_without_an_id() {
    holds("sign_in_name", |width, height| {
        let mut scene = Scene::begin(width, height);
        scene.paste("example.org");
        scene.press("Enter");
        scene.found(Ok(scene::server()));
        scene
    });
}

#[test]
fn sign_in_with_a_wrong_password() {
    holds("sign_in_wrong_password", |width, height| {
        let mut scene = Scene::at_password(width, height);
        for _ in 0..2 {
            scene.types("an engin");
            scene.press("Enter");
            let job = scene.signing_in();
            let wrong = Failure::new(Code::PasswordWrong);
            scene.happens(job, Happened::SignedIn(Err(wrong)));
        }
        scene
    });
}

#[test]
fn sign_in_after_too_many_tries() {
    holds("sign_in_wait", |width, height| {
        let mut scene = Scene::at_password(width, height);
        scene.types("an engine");
        scene.press("Enter");
        let job = scene.signing_in();
        let wait = Failure::new(Code::TooManyTries).with("time", "5 min").after(Some(300));
        scene.happens(job, Happened::SignedIn(Err(wait)));
        scene.wait(10.0);
        scene.press("Enter");
        scene.press("Down Up");
        scene
    });
}

#[test]
fn sign_in_with_a_token() {
    holds("sign_in_token", |width, height| {
        let mut scene = Scene::at_password(width, height);
        scene.press("Tab Tab");
        scene.paste("syt_YWRh_secret");
        scene
    });
}

#[test]
fn sign_in_in_a_browser_is_not_there_yet() {
    holds("sign_in_browser", |width, height| {
        let mut scene = Scene::at_password(width, height);
        scene.press("Tab Enter");
        scene
    });
}

#[test]
fn sign_in_again() {
    holds("sign_in_again", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("1");
        scene
    });
}

#[test]
fn backups_signing_in() {
    holds("backups_seen", |width, height| {
        let mut scene = Scene::signed_in(width, height);
        let job = scene.looking();
        scene.happens(job, Happened::Seen(Box::new(scene::versions().remove(0))));
        scene
    });
}

#[test]
fn backups_as_they_are() {
    holds("backups", Scene::at_backups);
}

#[test]
fn backups_that_cannot_be_counted() {
    holds("backups_uncounted", |width, height| {
        let mut scene = Scene::signed_in(width, height);
        let job = scene.looking();
        let mut looked = scene::looked();
        looked.overview.versions.truncate(1);
        looked.overview.all_found = Some(false);
        looked.earlier.clear();
        scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
        scene
    });
}

#[test]
fn backups_after_another_app_made_a_new_one() {
    holds("backups_emptier", |width, height| {
        let mut scene = Scene::signed_in(width, height);
        let job = scene.looking();
        let mut looked = scene::looked();
        let mut newest = scene::versions().remove(0);
        newest.version = "5".to_owned();
        newest.count = Some(3);
        looked.overview.versions.insert(0, newest);
        looked.overview.current = Some("5".to_owned());
        looked.signers.push(("5".to_owned(), Vec::new()));
        scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
        scene
    });
}

#[test]
fn no_backup_at_all() {
    holds("backups_none", |width, height| {
        let mut scene = Scene::signed_in(width, height);
        let job = scene.looking();
        let overview = Overview { versions: Vec::new(), current: None, ..scene::looked().overview };
        let looked = Looked { overview, ..Looked::default() };
        scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
        scene
    });
}

#[test]
fn a_failed_look() {
    holds("backups_failed", |width, height| {
        let mut scene = Scene::signed_in(width, height);
        let job = scene.looking();
        let silent = Failure::new(Code::ServerSilent).because("no answer from matrix.example.org");
        scene.happens(job, Happened::Looked(Err(silent)));
        scene
    });
}

#[test]
fn a_failure_in_detail() {
    holds("failed_detail", |width, height| {
        let mut scene = Scene::signed_in(width, height);
        let job = scene.looking();
        let silent = Failure::new(Code::ServerSilent).because("no answer from matrix.example.org");
        scene.happens(job, Happened::Looked(Err(silent)));
        scene.press("e Down");
        scene
    });
}

#[test]
fn contents_while_the_server_collects() {
    holds("contents_waiting", |width, height| {
        let mut scene = Scene::at_contents(width, height);
        scene.wait(9.0);
        scene
    });
}

#[test]
fn contents_while_they_come() {
    holds("contents_streaming", Scene::streaming);
}

#[test]
fn contents_before_the_names() {
    holds("contents_unnamed", Scene::read);
}

#[test]
fn contents_as_they_are() {
    holds("contents", Scene::named);
}

#[test]
fn contents_with_two_rooms_chosen() {
    holds("contents_chosen", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("Space Down Space");
        scene
    });
}

#[test]
fn contents_sorted_by_late_keys() {
    holds("contents_sorted", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("s End");
        scene
    });
}

#[test]
fn contents_filtered() {
    holds("contents_filtered", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("/");
        scene.types("chat");
        scene
    });
}

#[test]
fn contents_where_nothing_fits() {
    holds("contents_nothing_fits", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("/");
        scene.types("zzz");
        scene
    });
}

#[test]
fn contents_masked() {
    holds("contents_masked", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("m");
        scene
    });
}

#[test]
fn contents_of_an_empty_backup() {
    holds("contents_empty", |width, height| {
        let mut scene = Scene::at_contents(width, height);
        let mut empty = scene::hauled();
        empty.contents =
            keyhaul::recovery::contents::Contents { whole: true, ..Default::default() };
        scene.hauled(Ok(empty));
        scene
    });
}

#[test]
fn contents_after_the_connection_broke() {
    holds("contents_broken", |width, height| {
        let mut scene = Scene::streaming(width, height);
        scene.hauled(Ok(scene::broken()));
        scene
    });
}

#[test]
fn contents_that_changed_meanwhile() {
    holds("contents_changed", |width, height| {
        let mut scene = Scene::streaming(width, height);
        let mut changed = scene::hauled();
        changed.changed = true;
        scene.hauled(Ok(changed));
        scene
    });
}

#[test]
fn contents_offline() {
    holds("contents_offline", |width, height| {
        let snapshot = Some("/home/ada/backup 4.keyhaul".into());
        let start = Start { snapshot, ..Start::default() };
        let mut scene = Scene::with(width, height, scene::settings(), start);
        let job = scene.looking();
        let mut looked = scene::looked();
        looked.overview.versions.truncate(1);
        looked.overview.all_found = None;
        looked.earlier.clear();
        scene.happens(job, Happened::Looked(Ok(Box::new(looked))));
        let mut hauled = scene::hauled();
        hauled.saved.as_mut().unwrap().as_mut().unwrap().read =
            "2026-11-20T19:12:00Z".parse().unwrap();
        scene.hauled(Ok(hauled));
        scene
    });
}

#[test]
fn one_room() {
    holds("room", Scene::at_room);
}

#[test]
fn one_key() {
    holds("key", |width, height| {
        let mut scene = Scene::at_room(width, height);
        scene.press("Down Right");
        scene
    });
}

#[test]
fn help() {
    holds("help", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("?");
        scene
    });
}

#[test]
fn help_in_a_field() {
    holds("help_in_field", |width, height| {
        let mut scene = Scene::begin(width, height);
        scene.press("F1");
        scene
    });
}

#[test]
fn explain() {
    holds("explain", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("e");
        scene
    });
}

#[test]
fn the_list_of_commands() {
    holds("palette", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("m :");
        scene.types("find");
        scene
    });
}

#[test]
fn files_to_open() {
    holds("open_file", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("o");
        let job = scene.job(|effect| match effect {
            Effect::Kept { job, .. } => Some(*job),
            _ => None,
        });
        let kept = |version: &str, started: &str, entries| Kept {
            file: format!("/data/snapshot-{version}.keyhaul").into(),
            user_id: "@ada:example.org".to_owned(),
            version: version.to_owned(),
            started: started.parse().unwrap(),
            entries,
        };
        scene.happens(
            job,
            Happened::Kept(vec![
                kept("4", "2026-11-22T11:00:00Z", Some(18_402)),
                kept("2", "2026-03-01T11:00:00Z", None),
            ]),
        );
        scene
    });
}

#[test]
fn a_file_that_is_no_snapshot() {
    holds("open_file_failed", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("o");
        scene.types("/home/ada/notes.txt");
        scene.press("Enter");
        let job = scene.looking();
        scene.happens(job, Happened::Looked(Err(Failure::new(Code::SnapshotUnknown))));
        scene
    });
}

#[test]
fn leaving_while_it_reads() {
    holds("leave", |width, height| {
        let mut scene = Scene::streaming(width, height);
        scene.press("q");
        scene
    });
}

#[test]
fn leaving() {
    holds("leaving", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("q");
        scene
    });
}

#[test]
fn showing_names_again() {
    holds("unmask", |width, height| {
        let mut scene = Scene::named(width, height);
        scene.press("m m");
        scene
    });
}

#[test]
fn a_backup_by_its_number() {
    holds("by_number", |width, height| {
        let mut scene = Scene::at_backups(width, height);
        scene.press("#");
        scene.types("7x");
        scene
    });
}

#[test]
fn a_recovery_key_in_a_wrong_field_is_not_drawn() {
    holds("key_in_wrong_field", |width, height| {
        let mut scene = Scene::begin(width, height);
        scene.paste(keyhaul::demo::stories::Story::Plain.recovery_key().expose());
        scene
    });
}

#[test]
fn a_window_that_is_too_small() {
    let mut scene = Scene::streaming(80, 24);
    scene.size = (24, 5);
    assert_eq!(
        scene.screen(),
        "Make the window larger:\n40 by 12.\nReading goes on: 7 214\nkeys\n\n"
    );
}

#[test]
fn in_plain_ascii_signs() {
    for (width, height) in SIZES {
        for scene in [Scene::named, Scene::at_backups, Scene::at_password, Scene::at_room] {
            let mut scene = scene(width, height);
            scene.model.settings().ascii = true;
            let screen = scene.screen();
            assert!(screen.is_ascii(), "{screen}");
        }
    }
    let mut scene = Scene::named(80, 24);
    scene.model.settings().ascii = true;
    insta::assert_snapshot!("contents_ascii", scene.screen());
}

/// Whatever the colours, the words are the same, and default colours are never set but in high contrast.
#[test]
fn colours_carry_no_meaning_alone() {
    use ratatui::style::Color;
    let plain = Scene::named(80, 24).screen();
    for theme in [Theme::Dark, Theme::Light, Theme::Mono, Theme::HighContrast] {
        let mut scene = Scene::named(80, 24);
        scene.model.settings().theme = theme;
        assert_eq!(scene.screen(), plain);
        let buffer = scene.buffer();
        let coloured = buffer.content().iter().filter(|cell| cell.fg != Color::Reset).count();
        match theme {
            Theme::Mono => assert_eq!(coloured, 0),
            Theme::HighContrast => {}
            _ => assert!((20..400).contains(&coloured), "{theme:?}: {coloured}"),
        }
    }
}

/// The terminal's cursor stands where somebody types, or on the row in focus.
#[test]
fn the_cursor_follows_the_focus() {
    let cursor = |scene: &Scene| {
        use ratatui::{Terminal, backend::TestBackend};
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| keyhaul::tui::draw::draw(&scene.model, frame)).unwrap();
        let position = terminal.backend_mut().cursor_position();
        (position.x, position.y)
    };
    let mut scene = Scene::begin(80, 24);
    assert_eq!(cursor(&scene), (6, 4));
    scene.types("@ada");
    assert_eq!(cursor(&scene), (10, 4));
    let mut scene = Scene::named(80, 24);
    let (_, first) = cursor(&scene);
    scene.press("Down Down");
    assert_eq!(cursor(&scene).1, first + 2);
}

//! The built program in a real terminal, against the demo homeserver and a real one: from the start to the
//! contents, and every way out gives the terminal back.

use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::pty::{Pty, closed_at, is_given_back};
use crate::program::{Ada, runtime};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyhaul");

fn start(ada: &Ada, size: (u16, u16), more: &[&str]) -> Pty {
    let mut args = vec![format!("--homeserver={}", ada.server.base_url())];
    args.extend(more.iter().map(|word| (*word).to_owned()));
    Pty::start(&ada.lab.path("home"), size, PROGRAM, &args)
}

/// Gives the password once it is asked for.
fn signs_in(pty: &Pty, password: &str) {
    pty.sees("type your password");
    pty.paste(password);
    pty.types("\r");
}

/// From the first screen to the contents.
fn to_contents(pty: &Pty, ada: &Ada) {
    pty.sees("type your Matrix id and press Enter");
    pty.paste("@ada:example.org");
    pty.types("\r");
    signs_in(pty, &ada.account.password);
    pty.sees("press Enter to see what backup 3 holds");
    pty.types("\r");
    pty.sees("5 467 keys in 41 rooms");
}

#[test]
fn from_the_start_to_the_contents_and_out() {
    let ada = Ada::new();
    let before = ada.server.devices();
    let pty = start(&ada, (80, 24), &[]);
    to_contents(&pty, &ada);
    pty.sees("Family");
    pty.types("\x1b[B");
    pty.types("\x1b[C");
    pty.sees("1 of 640 keys");
    // A click on the rail, and the wheel.
    pty.types("\x1b[<0;16;2M");
    pty.sees("Backups of @ada:example.org");
    pty.types("\x1b[<65;10;10M");
    pty.sees("▸[ ] 1 ");
    pty.types("q");
    let (exit, screen, _) = pty.ended();
    assert_eq!(exit, 0);
    assert!(screen.contains("was removed"), "{screen}");
    assert!(screen.contains("A locked copy of backup 3 is in "), "{screen}");
    assert_eq!((ada.server.devices(), ada.server.writes()), (before, 0));
}

#[test]
fn on_a_real_homeserver() {
    let Some(synapse) = crate::synapse::synapse() else { return };
    let fixture = serde_json::from_str(include_str!("../../fixtures/backup-modern.json")).unwrap();
    let there = runtime().block_on(synapse.account_of_fixture(&fixture));
    let home = tempfile::TempDir::with_prefix("keyhaul-test-").unwrap();
    let args = vec![format!("--homeserver={}", synapse.base_url())];
    let pty = Pty::start(home.path(), (120, 40), PROGRAM, &args);
    pty.sees("type your Matrix id and press Enter");
    pty.paste(&there.account.user_id);
    pty.types("\r");
    signs_in(&pty, &there.account.password);
    pty.sees(&format!("press Enter to see what backup {} holds", there.version));
    pty.types("\r");
    pty.sees("8 keys in ");
    pty.sees("Snapshot saved on this computer");
    pty.types("\x1b[C");
    pty.sees("Key in focus");
    pty.types("q");
    let (exit, screen, _) = pty.ended();
    assert_eq!(exit, 0);
    assert!(screen.contains("was removed"), "{screen}");
}

#[test]
fn at_any_size_and_back() {
    let ada = Ada::new();
    let pty = start(&ada, (80, 24), &[]);
    to_contents(&pty, &ada);
    pty.resize(40, 12);
    pty.sees("3/7 Contents");
    pty.resize(1, 1);
    pty.resize(24, 5);
    pty.sees("Make the window");
    for size in 2..60 {
        pty.resize(size * 3, size);
    }
    pty.resize(120, 40);
    pty.sees("Room in focus");
    pty.types("q");
    assert_eq!(pty.ended().0, 0);
}

#[test]
fn signals_give_the_terminal_back() {
    for (signal, exit) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let ada = Ada::new();
        let before = ada.server.devices();
        let pty = start(&ada, (80, 24), &[]);
        to_contents(&pty, &ada);
        pty.send(signal);
        let (code, screen, _) = pty.ended();
        assert_eq!(code, exit, "{screen}");
        assert_eq!(ada.server.devices(), before);
    }
}

#[test]
fn ctrl_c_twice_gives_the_terminal_back() {
    let ada = Ada::new();
    let pty = start(&ada, (80, 24), &[]);
    pty.sees("type your Matrix id");
    pty.types("\x03");
    pty.sees("Press Ctrl-C again to leave keyhaul.");
    pty.types("\x03");
    assert_eq!(pty.ended().0, 0);
}

/// Wrong options and files that are not there are told on the shell's own screen.
#[test]
fn an_error_at_the_start_is_told_on_the_shells_screen() {
    let ada = Ada::new();
    let pty = start(&ada, (80, 24), &["--snapshot=/nowhere/at all"]);
    let (exit, screen, bytes) = pty.ended();
    assert_eq!(exit, 14);
    assert!(screen.contains("no-snapshot"), "{screen}");
    assert!(memchr::memmem::find(&bytes, b"\x1b[?1049h").is_none());
}

/// Ctrl-Z goes back to a real shell, and `fg` comes back to the same screen; as where somebody else sends
/// the signal.
#[test]
fn ctrl_z_and_fg() {
    let ada = Ada::new();
    let home = ada.lab.path("home");
    let pty = Pty::start(&home, (80, 24), "/bin/sh", &["-i".to_owned()]);
    pty.types(&format!("{PROGRAM} --homeserver={}\r", ada.server.base_url()));
    to_contents(&pty, &ada);
    for by_key in [true, false] {
        if by_key {
            pty.types("\x1a");
        } else {
            kill_process(pty.foreground(), Signal::TSTP).unwrap();
        }
        pty.until("the shell", is_given_back);
        pty.types("echo the-shell-$((40 + 2))\r");
        pty.sees("the-shell-42");
        pty.types("clear; fg\r");
        pty.until("the contents again", |screen| {
            screen.alternate_screen() && screen.contents().contains("5 467 keys in 41 rooms")
        });
    }
    pty.types("q");
    pty.until("the shell again", is_given_back);
    pty.types("exit\r");
    pty.ended();
}

/// Where the terminal goes away, keyhaul signs out and ends.
#[test]
fn a_terminal_that_goes_away() {
    let ada = Ada::new();
    let before = ada.server.devices();
    let args = [
        format!("--homeserver={}", ada.server.base_url()),
        "--user=@ada:example.org".to_owned(),
        format!("--password-file={}", ada.file("password")),
    ];
    let exit = closed_at(&ada.lab.path("home"), PROGRAM, &args, "press Enter to see what backup 3");
    assert_eq!((exit, ada.server.devices()), (129, before));
}

/// A terminal that tells its background late, over a slow line, types nothing into a field.
#[test]
fn a_late_answer_of_the_terminal_is_not_typed() {
    let ada = Ada::new();
    let pty = start(&ada, (80, 24), &[]);
    pty.sees("type your Matrix id and press Enter");
    for end in ["\x1b\\", "\x07"] {
        pty.at_once(&format!("\x1b]11;rgb:ffff/ffff/ffff{end}"));
        pty.types("@ada");
    }
    let screen = pty.sees("[ @ada@ada ");
    assert!(!screen.contains("rgb"), "{screen}");
    pty.types("\x03");
    pty.types("\x03");
    pty.ended();
}

/// Takes the terminal and panics in a thread. Started by the test below.
#[test]
#[ignore = "started by another test, in a terminal of its own"]
fn child_that_panics() {
    let terminal = keyhaul::tui::terminal::take(true).unwrap();
    let panicked = std::thread::spawn(|| panic!("planted")).join();
    drop(terminal);
    assert!(panicked.is_err());
}

#[test]
fn a_panic_gives_the_terminal_back_first() {
    let test = std::env::current_exe().unwrap();
    let name = "assistant::terminal::child_that_panics";
    let args = ["--ignored", "--exact", name, "--nocapture", "--test-threads=1"];
    let home = tempfile::TempDir::with_prefix("keyhaul-test-").unwrap();
    let args = args.map(str::to_owned);
    let pty = Pty::start(home.path(), (80, 24), test.to_str().unwrap(), &args);
    let (_, screen, bytes) = pty.ended();
    assert!(screen.contains("planted"), "it is told on the shell's screen: {screen}");
    let left = memchr::memmem::rfind(&bytes, b"\x1b[?1049l").unwrap();
    assert!(left < memchr::memmem::find(&bytes, b"planted").unwrap());
}

/// Groups of four characters of a key, and what says who and where.
fn private(ada: &Ada) -> Vec<String> {
    let key = keyhaul::demo::stories::Story::Plain.recovery_key();
    let mut words: Vec<String> = key.expose().split(' ').map(str::to_owned).collect();
    words.extend(["@ada", "example.org", "Family", "Release team"].map(str::to_owned));
    let room = ada.account.rooms.iter().find(|room| room.name.as_deref() == Some("Family"));
    words.push(room.unwrap().id.chars().skip(1).take(5).collect());
    words
}

fn found(bytes: &[u8], words: &[String]) -> Vec<String> {
    let holds = |word: &&String| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    words.iter().filter(holds).cloned().collect()
}

/// Under the mask nothing private is in the byte stream, not even for a moment; the same search finds all
/// of it without the mask.
#[test]
fn the_mask_holds_for_every_byte() {
    let key = keyhaul::demo::stories::Story::Plain.recovery_key();
    for masked in [true, false] {
        let ada = Ada::new();
        let pty = start(&ada, (120, 40), if masked { &["--mask"] } else { &[] });
        pty.sees("type your Matrix id and press Enter");
        // The whole key, typed where it does not belong, then pasted with and without brackets.
        pty.letters(key.expose());
        pty.sees("It stays hidden until step 4.");
        pty.paste(key.expose());
        pty.letters("@ada:example.org");
        pty.types("\r");
        signs_in(&pty, &ada.account.password);
        pty.sees("press Enter to see what backup 3 holds");
        pty.types("\r");
        pty.sees("5 467 keys in 41 rooms");
        if !masked {
            pty.sees("Family");
        }
        pty.types("\x1b[C");
        pty.sees("1 of 1 204 keys");
        pty.types("\x1b");
        pty.sees("Next: press Enter and have");
        pty.types("?");
        pty.sees("Keys in");
        pty.types("\x1b");
        pty.types("4");
        pty.sees("It opens 5 467 keys: backup 3");
        pty.types("q");
        let (exit, _, bytes) = pty.ended();
        assert_eq!(exit, 0);
        let words = private(&ada);
        let found = found(&bytes, &words);
        if masked {
            assert_eq!(found, Vec::<String>::new());
        } else {
            // The last group completes the key: from then on it is kept, and not drawn any more.
            let typed: Vec<String> = words.into_iter().filter(|word| word != "ept5").collect();
            assert_eq!(found, typed);
        }
    }
}

/// A terminal that can only print lines gets no assistant, and words for that.
#[test]
fn a_dumb_terminal_gets_no_escapes() {
    let ada = Ada::new();
    let home = ada.lab.path("home");
    let pty = Pty::start_with(&home, (80, 24), PROGRAM, &[], &[("TERM", "dumb")]);
    let (exit, screen, bytes) = pty.ended();
    assert_eq!(exit, 2);
    assert!(screen.contains("there is no terminal for the assistant"), "{screen}");
    assert!(!bytes.contains(&0x1b));
}

/// Nothing moves, so nothing is drawn: an idle assistant writes no byte and uses no processor.
#[test]
fn an_idle_assistant_is_idle() {
    let ada = Ada::new();
    let pty = start(&ada, (80, 24), &[]);
    to_contents(&pty, &ada);
    pty.sees("Family");
    // Names may still come; afterwards two moments apart are the same.
    let mut before = pty.bytes().len();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(400));
        let now = pty.bytes().len();
        if now == before {
            pty.types("q");
            assert_eq!(pty.ended().0, 0);
            return;
        }
        before = now;
    }
    panic!("it never rests");
}

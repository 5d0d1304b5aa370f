//! `unlock --secret-list`: what it takes and what it tells. The number of a line is told, never its text.

use rustix::{
    fs::{CWD, Mode, mkfifoat},
    process::Signal,
};
use serde_json::{Value, json};

use super::{account, dear, lock, with_backup};
use crate::{
    canary::{Canary, found},
    program::{Ended, Lab, Running},
    unlocking::Account,
};

/// A computer with a snapshot of an account, and no server anywhere.
struct Desk {
    lab: Lab,
    account: Account,
}

impl Desk {
    fn new(account: Account) -> Self {
        Self { lab: Lab::new(), account }
    }

    fn args(&self, list: &str, more: &[&str]) -> Vec<String> {
        let snapshot = format!("--snapshot={}", self.account.file().display());
        let list = format!("--secret-list={}", self.lab.secret("list", list));
        let args = ["unlock", &snapshot, &list, "--quiet"];
        args.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
    }

    fn json(&self, list: &str, more: &[&str]) -> Value {
        self.lab.json(&self.args(list, more), 0)
    }

    fn people(&self, list: &str, more: &[&str]) -> Ended {
        self.lab.run(&self.args(list, more)).exited(0)
    }
}

/// What is to be typed is in a file of its owner's alone, and nowhere else; what is there already stays.
#[test]
fn what_opened_can_be_saved() {
    let desk = Desk::new(account(&[]));
    let file = desk.lab.path("home/found").to_str().unwrap().to_owned();
    let more = ["--vary=ending", "--yes", "--save", &file];
    let ended = desk.people("nothing\npassphrase1\n", &more);
    assert!(!ended.stdout.contains("passphrase1"), "{ended}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "passphrase\n");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    desk.lab.fails(&desk.args("passphrase\n", &["--save", &file]), 14, "file-exists");
    // A command takes it as it is.
    let snapshot = format!("--snapshot={}", desk.account.file().display());
    let opened = desk.lab.json(&["unlock", &snapshot, &format!("--secret-file={file}")], 0);
    assert_eq!(opened["opens_backups"], json!(["1"]));
}

#[test]
fn a_plain_line_opens() {
    let desk = Desk::new(account(&[]));
    let document = desk.json("\u{feff}nothing\r\n\r\npassphrase\r\n", &[]);
    assert_eq!(
        document["list"],
        json!({
            "lines": 2,
            "guesses": 2,
            "tried": 2,
            "opened": [{"line": 3, "variation": "none", "kind": "backup", "lock": "1"}],
            "left_out": [],
        })
    );
    assert_eq!(document["secret_is"], "passphrase");
    assert_eq!(document["opens_backups"], json!(["1"]));
    let people = desk.people("nothing\n\npassphrase\n", &[]);
    let lines: Vec<_> = people.stdout.lines().collect();
    assert_eq!(lines[0], "2 lines, 2 passphrases, 2 tries.");
    assert_eq!(lines[1], "✓ Line 3 opens backup 1.");
    assert!(people.stdout.contains("It opens backup 1"), "{people}");
}

/// Without a wish for them there are no variations; each one finds what it is for.
#[test]
fn each_variation_opens() {
    let desk = Desk::new(account(&[]));
    for (line, vary, word, words) in [
        ("Passphrase", "case", "first_small", "with its first letter small"),
        ("passphrase1", "ending", "ending_away", "with its ending taken away"),
        ("passphrasee", "slip", "missing", "with one character left out"),
        ("pasphrase", "slip", "doubled", "with one character doubled"),
        ("passhprase", "slip", "swapped", "with two neighbours swapped"),
        ("passphrade", "slip", "beside", "with one key beside the right one"),
        ("pqssphrqse", "layout", "layout", "as typed on another keyboard layout"),
        ("Passphrase2", "case,ending", "first_and_ending_away", "and its ending taken away"),
    ] {
        let plain = desk.args(line, &[]);
        desk.lab.fails(&plain, 10, "list-exhausted");
        let vary = format!("--vary={vary}");
        let document = desk.json(line, &[&vary]);
        let [opened] = document["list"]["opened"].as_array().unwrap().as_slice() else {
            panic!("{document:#}")
        };
        assert_eq!((&opened["line"], &opened["variation"]), (&json!(1), &json!(word)));
        assert_eq!(document["opens_backups"], json!(["1"]));
        let people = desk.people(line, &[&vary]);
        assert!(people.stdout.contains(words), "{people}");
    }
    // Spelling is no wish: white space at the end is never meant.
    let document = desk.json("passphrase \t", &[]);
    assert_eq!(document["list"]["opened"][0]["variation"], "spelling");
}

#[test]
fn other_locks_are_told_by_their_lines() {
    let desk = Desk::new(account(&[("fKq", lock("Tea for two", 7)), ("bomb", dear(10_000_001))]));
    let people = desk.people("tea for two\npassphrase", &["--vary=case"]);
    for line in [
        "✓ Line 1, with its first letter large, opens secret storage fKq.",
        "✓ Line 2 opens backup 1.",
        "? Lock bomb was left out: one try takes too long for a list.",
    ] {
        assert!(people.stdout.lines().any(|told| told == line), "{line}\n{people}");
    }
}

#[test]
fn nothing_fits_and_nothing_is_sent() {
    let desk = Desk::new(account(&[]));
    let told = desk.lab.fails_untouched(&desk.args("one\ntwo", &[]), 10, "list-exhausted");
    assert_eq!(told.what, "None of your 2 passphrases opens anything.");
    assert!(told.next.contains("--vary"));
    // Another secret may open all the same; then the list is told beside it.
    let secret = format!("--secret-file={}", desk.lab.secret("secret", "passphrase"));
    let document = desk.json("one\ntwo", &[&secret]);
    assert_eq!((&document["list"]["tried"], &document["fits"][0]["id"]), (&json!(2), &json!("1")));
    let people = desk.people("one\ntwo", &[&secret]);
    assert!(people.stdout.contains("None of your 2 passphrases opens anything."), "{people}");
}

/// Beyond some time it asks first, and without somebody to ask it says how to begin all the same.
#[test]
fn what_takes_long_is_not_begun_unasked() {
    let desk = Desk::new(with_backup(json!({ "public_key": "" }), &[("dear", dear(9_000_000))]));
    let list: String = (0..25).map(|number| format!("line {number}\n")).collect();
    // How long is measured, so two runs need not say the same.
    let document = desk.lab.json(&desk.args(&list, &[]), 10);
    let error = &document["error"];
    assert_eq!(
        (&error["code"], &error["safe"]),
        (&json!("list-slow"), &json!("Nothing was tried yet."))
    );
    let people = desk.lab.run(&desk.args(&list, &[])).exited(10);
    assert!(people.stderr.starts_with("Trying the whole list takes about "), "{people}");
    assert!(people.stderr.contains("Next: Give --yes to try it all the same"), "{people}");
}

#[test]
fn it_stops_when_asked() {
    let desk = Desk::new(with_backup(json!({ "public_key": "" }), &[("dear", dear(10_000_000))]));
    let list: String = (0..1_000).map(|number| format!("line {number}\n")).collect();
    let mut args = desk.args(&list, &["--yes"]);
    args.retain(|arg| arg != "--quiet");
    let pipe = desk.lab.path("secrets/pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let place = args.iter().position(|arg| arg.starts_with("--secret-list")).unwrap();
    args[place] = format!("--secret-list={}", pipe.display());
    let running = Running::begin(&desk.lab, &args);
    std::fs::write(&pipe, &list).unwrap();
    running.send(Signal::INT);
    let (exit, stderr) = running.ended();
    assert_eq!(exit, Some(130), "{stderr}");
    assert!(stderr.contains("(stopped"), "{stderr}");
}

/// No text of a list, and nothing that came of it, is in any print, log or file.
#[test]
fn no_line_is_ever_told() {
    let words = "Kanarienvogel 7431 und tee";
    let desk = Desk::new(account(&[("storage", lock("kanarienvogel 7431 und tee", 7))]));
    let canary = |name, text| Canary::text(name, text);
    let canaries = [
        canary("line", words),
        canary("found", "kanarienvogel 7431 und tee"),
        canary("other line", "the orchard in the spring"),
    ];
    let log = format!("--log-file={}", desk.lab.path("home/log").display());
    let list = format!("the orchard in the spring\n{words}\n");
    let broken = [list.as_bytes(), b"\xff"].concat();
    let file = format!("--secret-list={}", desk.lab.secret("broken", broken));
    let snapshot = format!("--snapshot={}", desk.account.file().display());
    let mut runs = vec![(["unlock", &snapshot, &file].map(str::to_owned).to_vec(), 14)];
    for (more, exit) in [(&[] as &[&str], 10), (&["--vary=case,ending,layout,slip"], 0)] {
        runs.push((desk.args(&list, more), exit));
    }
    for (args, exit) in runs {
        for json in [None, Some("--json")] {
            let mut args = args.clone();
            args.extend(json.map(str::to_owned));
            args.extend([log.clone()]);
            args.retain(|arg| arg != "--quiet");
            let ended = desk.lab.run(&args).exited(exit);
            assert_eq!(found(&canaries, ended.to_string().as_bytes()), [""; 0], "{ended}");
            for tree in [desk.lab.home(), desk.lab.kept()] {
                for file in tree.entries.values().flatten() {
                    assert_eq!(found(&canaries, file), [""; 0]);
                }
            }
        }
    }
    // It would be found.
    assert_eq!(found(&canaries, format!("Line 2 is {words:?}").as_bytes()), ["line"]);
}

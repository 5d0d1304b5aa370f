//! Each command's print, word by word. Only what differs from run to run is taken out: the port, the
//! folders of the test, points in time and durations, and the size of the database.

use insta::assert_snapshot;
use keyhaul::demo::stories::Story;
use regex::{Captures, Regex};
use serde_json::Value;

use crate::program::{Ada, Ended, Lab};

/// Both prints of a command: what people see, and the document.
fn prints(ada: &Ada, args: &[String], exit: i32) -> (String, String) {
    let people = ada.lab.run(args).exited(exit);
    let mut with_json = args.to_vec();
    with_json.push("--json".to_owned());
    let programs = ada.lab.run(&with_json).exited(exit);
    assert_eq!(programs.stderr, "", "{programs}");
    (for_people(ada, &people), for_programs(ada, &programs))
}

fn for_people(ada: &Ada, ended: &Ended) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (name, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        lines.push(format!("--- {name}"));
        for line in text.lines() {
            assert!(line.trim_end() == line, "spaces at the end of {line:?}");
            lines.push(line_without_chance(&places(ada, line)));
        }
    }
    lines.join("\n")
}

fn line_without_chance(line: &str) -> String {
    if let Some((before, _)) = line.split_once("read on ") {
        return format!("{before}read on TIME");
    }
    // The database's pages are filled in the order in which keys came.
    match line.strip_suffix(" MB, locked") {
        Some(rest) if rest.contains(" keys of ") => {
            let (before, _) = rest.rsplit_once(' ').unwrap();
            format!("{before} SIZE, locked")
        }
        _ => line.to_owned(),
    }
}

fn places(ada: &Ada, text: &str) -> String {
    let mut text = text.replace(ada.server.base_url(), "http://SERVER");
    let tree = ada.lab.kept();
    let account = tree
        .entries
        .iter()
        .find(|(path, file)| file.is_none() && path.to_string_lossy().len() == 32);
    if let Some((account, _)) = account {
        text = text.replace(account.to_str().unwrap(), "ACCOUNT");
    }
    text.replace(ada.lab.path("").to_str().unwrap().trim_end_matches('/'), "/LAB")
}

fn for_programs(ada: &Ada, ended: &Ended) -> String {
    let mut document = ended.document();
    take_out(&mut document);
    let people = ended.stdout.lines().count();
    assert!(people > 1, "a document is laid out in lines");
    places(ada, &format!("{document:#}"))
}

/// Replaces what differs from run to run, after looking whether it makes sense.
fn take_out(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(take_out),
        Value::Object(members) => {
            // A snapshot holds the time at which it was begun, with as many digits as that has.
            let sized = ["bytes_per_key", "held_by", "left_over"];
            let differs = sized.iter().any(|name| members.contains_key(*name));
            for (name, value) in members {
                match name.as_str() {
                    "seconds" => {
                        assert!(value.as_f64().is_some_and(|s| (0.0..600.0).contains(&s)));
                        *value = "SECONDS".into();
                    }
                    "started" => {
                        let time: jiff::Timestamp = value.as_str().unwrap().parse().unwrap();
                        assert!(time <= jiff::Timestamp::now());
                        *value = "TIME".into();
                    }
                    "bytes" | "bytes_per_key" if differs => {
                        assert!(value.as_u64().is_some_and(|bytes| bytes > 100));
                        *value = "BYTES".into();
                    }
                    _ => take_out(value),
                }
            }
        }
        _ => {}
    }
}

/// One snapshot for people and one for programs.
macro_rules! assert_prints {
    ($name:literal, $prints:expr) => {{
        let (people, programs) = $prints;
        assert_snapshot!(concat!($name, "_people"), people);
        assert_snapshot!(concat!($name, "_json"), programs);
    }};
}

#[test]
fn backups() {
    let ada = Ada::new();
    assert_prints!("backups", prints(&ada, &ada.asks(&["backups"]), 0));
    assert_prints!("backups_opened", prints(&ada, &ada.opens(&["backups"]), 0));
}

#[test]
fn rooms() {
    let ada = Ada::new();
    assert_prints!("rooms", prints(&ada, &ada.asks(&["rooms"]), 0));
}

/// A room with keys that start late and such that were passed on.
fn room(ada: &Ada) -> String {
    let named =
        |name: &str| ada.account.rooms.iter().find(|room| room.name.as_deref() == Some(name));
    named("Local history").unwrap().id.clone()
}

#[test]
fn sessions() {
    let ada = Ada::new();
    assert_prints!("sessions", prints(&ada, &ada.asks(&["sessions", &room(&ada)]), 0));
}

#[test]
fn repair() {
    let ada = Ada::new();
    // Two letters changed places, on a paper that nobody has.
    let mut paper: Vec<char> = Story::Plain.recovery_key().expose().chars().collect();
    let place = (1..paper.len()).find(|place| {
        let [one, other] = [paper[place - 1], paper[*place]];
        one != other && one != ' ' && other != ' ' && *place > 20
    });
    let place = place.unwrap();
    paper.swap(place - 1, place);
    let typed = ada.lab.secret("typed", paper.into_iter().collect::<String>());
    let typed = format!("--secret-file={typed}");
    assert_prints!("repair", prints(&ada, &ada.asks(&["repair", &typed]), 0));
    assert_prints!("repair_reveal", prints(&ada, &ada.asks(&["repair", &typed, "--reveal"]), 0));
}

#[test]
fn unlock() {
    let ada = Ada::new();
    assert_prints!("unlock", prints(&ada, &ada.opens(&["unlock"]), 0));
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    assert_prints!("unlock_old", prints(&ada, &ada.asks(&["unlock", &old]), 0));
    assert_prints!("unlock_both", prints(&ada, &ada.opens(&["unlock", &old]), 0));
}

#[test]
fn unlock_by_a_list() {
    let ada = Ada::with(|account| *account = Story::Passphrase.account());
    let lines = "a watched pot\n\nThe kettle sings before the rain\n";
    let list = format!("--secret-list={}", ada.lab.secret("list", lines));
    let found = ada.asks(&["unlock", &list, "--vary=case"]);
    assert_prints!("unlock_list", prints(&ada, &found, 0));
    assert_prints!("list_exhausted", prints(&ada, &ada.asks(&["unlock", &list]), 10));
}

#[test]
fn restore_dry_run() {
    let ada = Ada::new();
    assert_prints!("restore_dry_run", prints(&ada, &ada.opens(&["restore", "--dry-run"]), 3));
}

#[test]
fn restore() {
    let ada = Ada::new();
    let people = ada.lab.run(&ada.opens(&["restore"])).exited(3);
    assert_snapshot!("restore_people", for_people(&ada, &people));
    assert_prints!("restore_again", prints(&ada, &ada.opens(&["restore"]), 3));
    assert_prints!("rooms_restored", prints(&ada, &ada.opens(&["rooms"]), 0));
    assert_prints!("sessions_restored", prints(&ada, &ada.opens(&["sessions", &room(&ada)]), 0));
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    for command in ["info", "check"] {
        let args = ["store", command, &secret].map(str::to_owned);
        let (people, programs) = prints(&ada, &args, 0);
        assert_snapshot!(format!("store_{command}_people"), people);
        assert_snapshot!(format!("store_{command}_json"), programs);
    }
}

#[test]
fn restore_as_json() {
    let ada = Ada::new();
    let mut args = ada.opens(&["restore"]);
    args.push("--json".to_owned());
    let programs = ada.lab.run(&args).exited(3);
    assert_snapshot!("restore_json", for_programs(&ada, &programs));
}

/// The older backup brings keys that the current one lacks, and some that reach further back.
#[test]
fn restore_all() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let people = ada.lab.run(&ada.opens(&["restore", "--backup-version=all", &old])).exited(3);
    assert_snapshot!("restore_all_people", for_people(&ada, &people));
}

#[test]
fn snapshots() {
    let ada = Ada::new();
    let file = ada.lab.path("home/backup.keyhaul").to_str().unwrap().to_owned();
    let save = ada.asks(&["snapshot", "save", "--overwrite", &file]);
    let people = ada.lab.run(&save).exited(0);
    assert_snapshot!("snapshot_save_people", for_people(&ada, &people));
    assert_prints!(
        "snapshot_info",
        prints(&ada, &["snapshot", "info", &file].map(str::to_owned), 0)
    );
}

/// A conversation with everything in it that keeps a message closed.
#[test]
fn history() {
    let ada = Ada::new();
    ada.lab.run(&ada.opens(&["restore", "--no-snapshot"])).exited(3);
    let named = |name: &str| {
        ada.account.rooms.iter().find(|room| room.name.as_deref() == Some(name)).unwrap()
    };
    let family = &named("Family").id;
    assert_prints!("history", prints(&ada, &ada.opens(&["history", family]), 0));
    let few = ada.opens(&["history", &named("نادي القراءة").id, "--limit", "3"]);
    assert_prints!("history_of_few", prints(&ada, &few, 0));
    let none = ada.opens(&["history", &named("Radio").id]);
    assert_prints!("history_of_none", prints(&ada, &none, 0));
}

/// Out of the store into a key file, and back.
#[test]
fn key_files() {
    let ada = Ada::new();
    ada.lab.run(&ada.opens(&["restore"])).exited(3);
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let passphrase = ada.lab.secret("passphrase", "granite otter velvet ninth");
    let passphrase = format!("--passphrase-file={passphrase}");
    let file = ada.lab.path("home/keys.txt").to_str().unwrap().to_owned();
    let with = |words: &[&str]| -> Vec<String> {
        let words = words.iter().copied().chain([file.as_str(), &secret, &passphrase]);
        words.map(str::to_owned).collect()
    };
    assert_prints!("export", prints(&ada, &with(&["export", "--overwrite"]), 0));
    assert_prints!("import", prints(&ada, &with(&["import"]), 0));
    // The snapshot beside the store and a copy of it.
    let copy = ada.lab.path("home/copy.keyhaul").to_str().unwrap().to_owned();
    let own = ada.lab.kept().named(".keyhaul").next().unwrap().to_owned();
    std::fs::copy(ada.lab.data().join(own), &copy).unwrap();
    let prune = ["snapshot", "prune", &copy].map(str::to_owned);
    assert_prints!("snapshot_prune", prints(&ada, &prune, 0));
    let people = ada.lab.run(&["snapshot", "prune", &copy, "--yes"]).exited(0);
    assert_snapshot!("snapshot_prune_yes_people", for_people(&ada, &people));
    let people = ada.lab.run(&["snapshot", "prune"]).exited(0);
    assert_snapshot!("snapshot_prune_nothing_people", for_people(&ada, &people));
}

/// What differs from run to run in a check-up and in a report: how long the server takes, which device
/// asks, and the words that stand for ids, which are numbered in the order in which they come.
fn without_chance(ada: &Ada, text: &str) -> String {
    let text = text.replace(&ada.server.address().to_string(), "SERVER");
    let took = Regex::new(r"\b\d+ ms\b").unwrap().replace_all(&text, "TIME").into_owned();
    let device = Regex::new(r"another app's device \w+").unwrap();
    let text = device.replace_all(&took, "another app's device DEVICE").into_owned();
    let mut words: Vec<String> = Vec::new();
    let word = Regex::new(r"\b[0-9a-f]{12}\b").unwrap();
    let numbered = word.replace_all(&text, |found: &Captures<'_>| {
        let found = found[0].to_owned();
        let known = words.iter().position(|word| *word == found);
        let number = known.unwrap_or_else(|| {
            words.push(found);
            words.len() - 1
        });
        format!("ID-{}", number + 1)
    });
    numbered.into_owned()
}

#[test]
fn doctor() {
    let ada = Ada::new();
    let both = |(people, programs): (String, String)| {
        (without_chance(&ada, &people), without_chance(&ada, &programs))
    };
    assert_prints!("doctor", both(prints(&ada, &ada.opens(&["doctor"]), 3)));
    assert_prints!("doctor_without_key", both(prints(&ada, &ada.asks(&["doctor"]), 0)));
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    assert_prints!("doctor_older_key", both(prints(&ada, &ada.asks(&["doctor", &old]), 3)));
}

#[test]
fn diff() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    let args = ada.opens(&["diff", "backup:1", "backup:current", &old]);
    assert_prints!("diff", prints(&ada, &args, 0));
    let closed = ada.asks(&["diff", "backup:1", "backup:3"]);
    let people = ada.lab.run(&closed).exited(0);
    assert_snapshot!("diff_closed_people", for_people(&ada, &people));
}

#[test]
fn report_and_sheet() {
    let ada = Ada::new();
    ada.lab.run(&ada.opens(&["restore"])).exited(3);
    let file = ada.lab.path("home/report.txt").to_str().unwrap().to_owned();
    let report = ada.opens(&["report", "--overwrite", &file]);
    assert_prints!("report", prints(&ada, &report, 0));
    let text = without_chance(&ada, &std::fs::read_to_string(&file).unwrap());
    let varies = Regex::new(r"(?m)^(made|clock ahead|  size) +.*$").unwrap();
    let text = varies.replace_all(&text, "$1 VARIES");
    assert_snapshot!("report_file", text);
    let file = ada.lab.path("home/sheet.txt").to_str().unwrap().to_owned();
    let sheet = ada.opens(&["sheet", "--overwrite", &file]);
    assert_prints!("sheet", prints(&ada, &sheet, 0));
    let text = places(&ada, &std::fs::read_to_string(&file).unwrap());
    let text = text.replace(&ada.server.address().to_string(), "SERVER");
    let day = Regex::new(r"\d{1,2} [A-Z][a-z]{2} \d{4}").unwrap();
    assert_snapshot!("sheet_file", day.replace_all(&text, "DAY"));
}

#[test]
fn failures() {
    let ada = Ada::new();
    let old = format!("--secret-file={}", ada.file("old recovery key"));
    assert_prints!("opens_older_only", prints(&ada, &ada.asks(&["restore", &old]), 10));
}

#[test]
fn the_demo() {
    let lab = Lab::new();
    let stories = lab.run(&["--demo=list"]).exited(0);
    assert_snapshot!("demo_list_people", stories.stdout);
    let stories = lab.run(&["--demo=list", "--json"]).exited(0);
    assert_snapshot!("demo_list_json", format!("{:#}", stories.document()));
    let tour = lab.run(&["--demo"]).exited(0);
    assert_snapshot!(
        "demo_people",
        format!("--- stdout\n{}--- stderr\n{}", tour.stdout, tour.stderr)
    );
    // A story begins anew each time, and yet there is something to read.
    let ids = lab.json(&["--demo", "rooms", "--quiet"], 0);
    let mut rooms = ids["rooms"].as_array().unwrap().iter();
    let choir = rooms.find(|room| room["name"] == "Choir").unwrap()["room_id"].as_str().unwrap();
    let history = lab.run(&["--demo", "history", choir, "--quiet"]).exited(0);
    assert_snapshot!("demo_history_people", history.stdout);
    // Three commands cannot be one document.
    assert_eq!(lab.json(&["--demo"], 2)["error"]["code"], "usage");
}

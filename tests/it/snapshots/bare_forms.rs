//! A body saved with curl in every form that a shell or an editor gives it: every command that needs no
//! server works on each, and none knocks at one.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use super::few::{Nobody, SOME_REFUSED, backup_secret, current, few, keys};
use crate::program::{Ada, Lab};

const MARK: &str = "\u{feff}";

/// A saved file, and whether the version object is in it.
struct Form {
    called: &'static str,
    text: String,
    described: bool,
}

fn forms(ada: &Ada) -> Vec<Form> {
    let body = keys(ada);
    let parsed: Value = serde_json::from_str(&body).unwrap();
    let version = current(ada).describe(3);
    let form = |called, described, text: String| Form { called, text, described };
    vec![
        form("alone", false, body.clone()),
        form("alone, pretty-printed", false, format!("{parsed:#}\n")),
        form("alone, with a mark", false, format!("{MARK}{body}")),
        form("alone, with empty lines", false, format!("\r\n\n  {body}\r\n\r\n")),
        form("version on the same line", true, format!("{version}{body}")),
        form("version and a blank", true, format!("{version} {body}")),
        form("version on a line before", true, format!("{version}\n{body}\n")),
        form("version pretty-printed", true, format!("{version:#}\n{body}\n")),
        form("both pretty-printed", true, format!("{version:#}\n{parsed:#}\n")),
        form("lines of Windows", true, format!("{version}\r\n{body}\r\n")),
        form("a mark before the version", true, format!("{MARK}{version}\n{body}")),
        form("a mark before each", true, format!("{MARK}{version}\r\n{MARK}{body}\r\n")),
        form("version after it", true, format!("{body}{version}")),
        form("version on a line after", true, format!("{body}\n{version}\n")),
        form("pretty-printed after it", true, format!("{body}\r\n{version:#}\r\n\r\n")),
    ]
}

/// A computer with the file on it.
struct Place {
    lab: Lab,
    file: String,
    options: Vec<String>,
}

impl Place {
    fn with(form: &Form, nobody: &Nobody) -> Self {
        let lab = Lab::new();
        let file = lab.path("home/keys.json").to_str().unwrap().to_owned();
        fs::write(&file, &form.text).unwrap();
        let options = vec![format!("--snapshot={file}"), backup_secret(&lab), nobody.option()];
        Self { lab, file, options }
    }

    /// What programs are told; people must be told something, too.
    #[track_caller]
    fn asks(&self, words: &[&str], exit: i32) -> Value {
        let words = words.iter().map(|word| (*word).to_owned());
        let args: Vec<String> = words.chain(self.options.clone()).collect();
        let document = self.lab.json(&args, exit);
        assert!(!self.lab.run(&args).exited(exit).stdout.is_empty());
        document
    }
}

#[test]
fn looking_needs_no_server() {
    let (ada, nobody) = (few(), Nobody::new());
    let version = current(&ada);
    let (room, sessions) = version.rooms.iter().max_by_key(|(_, keys)| keys.len()).unwrap();
    for form in forms(&ada) {
        let place = Place::with(&form, &nobody);
        let name = if form.described { "3" } else { "unknown" };
        let public_key = match form.described {
            true => version.auth_data["public_key"].clone(),
            false => Value::Null,
        };

        let info = place.lab.json(&["snapshot", "info", &place.file], 0);
        let expected = json!({
            "bare": true, "complete": true, "version": name, "public_key": public_key,
            "entries": version.count(), "rooms": version.rooms.len(), "user_id": "", "server": "",
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(info[field], *value, "{}: {field}", form.called);
        }
        let people = place.lab.run(&["snapshot", "info", &place.file]).exited(0);
        assert!(people.stdout.contains("the file does not say of which account"), "{people}");

        let backups = place.asks(&["backups"], 0);
        assert_eq!(backups["versions"][0]["version"], name, "{}", form.called);
        assert_eq!(backups["versions"][0]["public_key"], public_key, "{}", form.called);

        let rooms = place.asks(&["rooms"], 0);
        assert_eq!((&rooms["whole"], &rooms["version"]), (&json!(true), &json!(name)));
        for told in rooms["rooms"].as_array().unwrap() {
            let id = told["room_id"].as_str().unwrap();
            assert_eq!(told["sessions"], version.rooms[id].len(), "{}", form.called);
        }
        assert_eq!(rooms["rooms"].as_array().unwrap().len(), version.rooms.len());

        let told = place.asks(&["sessions", room], 0);
        let ids = told["sessions"].as_array().unwrap().iter();
        let ids: BTreeSet<_> = ids.map(|one| one["session_id"].as_str().unwrap()).collect();
        assert!(ids.iter().eq(sessions.keys()), "{}", form.called);
    }
    nobody.heard_nothing();
}

#[test]
fn opening_and_restoring_need_no_server() {
    let (ada, nobody) = (few(), Nobody::new());
    let expected = current(&ada).expected();
    for form in forms(&ada) {
        let place = Place::with(&form, &nobody);
        let (name, proof) = match form.described {
            true => ("3", "public_key"),
            false => ("unknown", "entries"),
        };
        let unlocked = place.asks(&["unlock"], 0);
        let fit = json!({"kind": "backup", "id": name, "current": true, "proof": proof});
        assert_eq!(unlocked["fits"], json!([fit]), "{}", form.called);
        assert_eq!(unlocked["secret_is"], "recovery_key");

        let plan = place.asks(&["restore", "--dry-run"], SOME_REFUSED);
        assert_eq!(plan["runs"][0]["opened"], expected.openable, "{}", form.called);
        assert!(!place.lab.data().exists());

        let done = place.asks(&["restore", "--user=@ada:example.org"], SOME_REFUSED);
        let run = &done["runs"][0];
        assert_eq!((&run["version"], &run["shortfall"]), (&json!(name), &Value::Null));
        assert_eq!((&run["entries"], &run["new"]), (&json!(expected.entries), &run["opened"]));
        assert_eq!(run["refused_count"], current(&ada).damaged.len(), "{}", form.called);
        assert_eq!(done["stored_total"], expected.openable, "{}", form.called);
    }
    nobody.heard_nothing();
}

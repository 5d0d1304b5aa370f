//! The scripts as they stand in `tests/cases/conformance` (see the README there).

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// One file: steps for one account, from the first to the last.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The file's name without its ending.
    #[serde(skip)]
    pub(super) name: String,
    /// What it is about, for readers of the file.
    pub(super) about: String,
    /// The recordings that it was made from.
    pub(super) recorded: Vec<String>,
    /// The servers that it is for, if not for all.
    pub(super) only: Option<Vec<String>>,
    /// Whether signing in is limited, and tokens that can be refreshed live for two seconds.
    #[serde(default)]
    pub(super) limits: bool,
    pub(super) steps: Vec<Step>,
}

/// Either something to ask, with what is expected, or something that is given.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) label: String,
    #[serde(default)]
    pub(super) method: String,
    /// With its query, both encoded; values of names are encoded when they are filled in.
    #[serde(default)]
    pub(super) path: String,
    /// `me`, `other`, `wrong`, `nobody`, or a token by its name.
    #[serde(default = "me")]
    pub(super) who: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Value>,
    /// A body that is no JSON.
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) expect: Expect,
    /// What is expected in place of that, by one or more servers' names with spaces between.
    #[serde(default)]
    pub(super) on: BTreeMap<String, Expect>,
    /// Why the step is left out on a server.
    #[serde(default)]
    pub(super) left_out: BTreeMap<String, String>,
    /// Whether it is asked again until the status is the expected one.
    #[serde(default)]
    pub(super) repeat: bool,
    pub(super) given: Option<Given>,
}

/// What an answer must be. What is not named is not compared.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    pub(super) status: Option<u16>,
    pub(super) body: Option<Value>,
    /// Patterns; `null` where there must be no such header.
    pub(super) headers: Option<BTreeMap<String, Option<String>>>,
    /// Why a server differs, for readers of the file.
    #[serde(rename = "because")]
    pub(super) _because: Option<String>,
}

/// What happens without keyhaul.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Given {
    /// Rooms that the account is in.
    Rooms(Vec<NewRoom>),
    /// The account leaves a room.
    Leave(String),
    /// It forgets it.
    Forget(String),
    /// Time goes by.
    Seconds(u64),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    /// The name for its id in the script.
    #[serde(rename = "as")]
    pub(super) id_name: String,
    /// What `m.room.name` says.
    pub(super) name: Option<String>,
    /// Whether its id ends in a server's name, as before room version 12.
    #[serde(default)]
    pub(super) old_form: bool,
}

fn me() -> String {
    "me".to_owned()
}

impl Step {
    /// What a server must answer, of which all these names are true; later ones win.
    pub(super) fn expected(&self, names: &[&str]) -> Expect {
        let mut expected = self.expect.clone();
        for name in names {
            let other = self.on.iter().find(|(who, _)| who.split(' ').any(|who| who == *name));
            if let Some((_, other)) = other.map(|(who, other)| (who, other.clone())) {
                expected.status = other.status.or(expected.status);
                expected.body = other.body.or(expected.body);
                expected.headers = other.headers.or(expected.headers);
            }
        }
        expected
    }
}

/// All of them, by name.
pub(super) fn all() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/conformance");
    let mut scripts = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|ending| ending == "json") {
            let text = fs::read_to_string(&file).unwrap();
            let mut script: Script = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            script.name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            scripts.push(script);
        }
    }
    scripts.sort_by(|one, other| one.name.cmp(&other.name));
    scripts
}

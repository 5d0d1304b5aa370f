//! What the program printed, and what every print is held to.

use std::{process::Output, sync::LazyLock};

use regex::Regex;
use serde_json::{Deserializer, Value};

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What was asked, for messages.
    asked: String,
}

/// The words of a failure.
pub(crate) struct Told {
    pub(crate) what: String,
    pub(crate) safe: String,
    pub(crate) next: String,
    pub(crate) detail: Option<String>,
    code: String,
}

impl Ended {
    pub(super) fn of<S: AsRef<str>>(args: &[S], output: Output) -> Self {
        let asked = args.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
        let (exit, stdout, stderr) = super::texts(output);
        let ended = Self { exit, stdout, stderr, asked };
        for text in [&ended.stdout, &ended.stderr] {
            assert_eq!(fault(text), None, "{ended}");
        }
        ended
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exited(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self}");
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        let documents: Result<Vec<Value>, _> =
            Deserializer::from_str(&self.stdout).into_iter().collect();
        match documents.as_deref() {
            Ok([document]) => document.clone(),
            other => panic!("expected one document, got {other:?}: {self}"),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { exit, stdout, stderr, asked } = self;
        write!(f, "keyhaul {asked}\nexit {exit}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

impl Told {
    /// Takes the words out of an error document, which has these members and no others.
    #[track_caller]
    pub(super) fn by(document: &Value, code: &str) -> Self {
        assert_eq!(members(document), ["error"], "{document:#}");
        let error = &document["error"];
        assert_eq!(members(error), ["code", "what", "safe", "next", "detail"], "{document:#}");
        assert_eq!(error["code"], code, "{document:#}");
        let sentence = |name: &str| {
            let text = error[name].as_str().unwrap_or_default().to_owned();
            assert!(text.ends_with(['.', '?']), "{name}: {document:#}");
            text
        };
        Self {
            what: sentence("what"),
            safe: sentence("safe"),
            next: sentence("next"),
            detail: error["detail"].as_str().map(str::to_owned),
            code: code.to_owned(),
        }
    }

    /// Asserts that people are told the same, on stderr alone.
    #[track_caller]
    pub(super) fn is_told_to_people(&self, ended: &Ended) {
        assert_eq!(ended.stdout, "", "{ended}");
        let Self { what, safe, next, code, .. } = self;
        let sentences = format!("{what}\n{safe}\nNext: {next}\n({code}");
        assert!(ended.stderr.contains(&sentences), "{sentences}\nis missing in\n{ended}");
    }
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// What nothing that is printed may have, in the words of Unicode's own tables, so that a slip in
/// `Shown` is no slip here. Allowed are letters, marks, figures, signs, the plain and the wide space, the
/// end of a line, and what Unicode has not given out yet; not what takes no place (directions, joiners,
/// tags, fillers), private characters, or more than four marks on one letter.
static STRANGER: LazyLock<Regex> = LazyLock::new(|| {
    let allowed = r"\n \u{3000}\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cn}\p{Prepended_Concatenation_Mark}";
    let hidden = r"\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u{2800}";
    Regex::new(&format!(r"[^{allowed}]|[{hidden}]|[\p{{Mn}}\p{{Me}}]{{5}}")).unwrap()
});

/// What stands in a text that no terminal may get, if anything.
pub(crate) fn stranger(text: &str) -> Option<&str> {
    STRANGER.find(text).map(|found| found.as_str())
}

/// What is wrong with a printed text, if anything.
fn fault(text: &str) -> Option<String> {
    if let Some(stranger) = stranger(text) {
        return Some(format!("the characters {stranger:?}"));
    }
    let bug = ["panicked at", "RUST_BACKTRACE", "called `", "not yet implemented"];
    if let Some(word) = bug.into_iter().find(|word| text.contains(word)) {
        return Some(format!("the words of a panic: {word}"));
    }
    placeholder(text).map(|word| format!("the unfilled word {word}"))
}

/// A word in braces, as the table of failures writes what is to be filled in.
fn placeholder(text: &str) -> Option<&str> {
    text.split('{').skip(1).find_map(|rest| {
        let (word, _) = rest.split_once('}')?;
        let plain = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then_some(word)
    })
}

#[test]
fn each_fault_of_a_print_is_found() {
    for planted in [
        "a\u{1b}[2Jb",
        "a\rb",
        "a\u{9b}31m",
        "a\u{202e}b",
        "a\u{200d}b",
        "a\u{fe0f}b",
        "a\u{2028}b",
        "a\u{e0041}b",
        "a\u{e000}b",
        "a\u{ffff}b",
        "a\u{3164}b",
        "a\u{301}\u{301}\u{301}\u{301}\u{301}b",
        "Backup {n} is gone.",
        "thread 'main' panicked at src/main.rs:1:1",
    ] {
        assert!(fault(planted).is_some(), "{planted:?}");
    }
    assert_eq!(
        fault(
            "Backup 3: 5 392 keys.\n{\"a\": {\"b\": 1}, \"c\": {}}\n{ n } ✓ 写真 e\u{301}\u{301}\u{301}\u{301} \u{644}\u{627} 👩\n"
        ),
        None
    );
}

//! Several secrets, several backups, and a backup of several keys: what fits what, which way leads on, and
//! what is restored of it, by the built program on the accounts of the stories.

mod all_versions;
mod mixed;
mod table;

use keyhaul::demo::stories::Story;
use serde_json::Value;

use crate::program::{Ada, Ended, Lab};

/// A person of a story at her computer.
pub(super) struct Person(Ada);

impl Person {
    pub(super) fn of(story: Story) -> Self {
        Self(Ada::of(story))
    }

    /// Options that lead into the story with these secrets; with none, with what stands on the paper.
    fn args(&self, words: &[&str], secrets: &[&str]) -> Vec<String> {
        if secrets.is_empty() {
            return self.0.opens(words);
        }
        let mut args = self.0.asks(words);
        for (number, secret) in secrets.iter().enumerate() {
            let file = self.lab().secret(&format!("secret {number}"), secret);
            args.push(format!("--secret-file={file}"));
        }
        args
    }

    pub(super) fn lab(&self) -> &Lab {
        &self.0.lab
    }

    pub(super) fn says(&self, words: &[&str], secrets: &[&str], exit: i32) -> Value {
        self.lab().json(&self.args(words, secrets), exit)
    }

    pub(super) fn told(&self, words: &[&str], secrets: &[&str], exit: i32) -> Ended {
        self.lab().run(&self.args(words, secrets)).exited(exit)
    }

    pub(super) fn fails(&self, words: &[&str], secrets: &[&str], exit: i32, code: &str) {
        self.lab().fails(&self.args(words, secrets), exit, code);
    }
}

pub(super) fn old_key(story: Story) -> String {
    story.old_recovery_key().expose().to_owned()
}

pub(super) fn paper(story: Story) -> String {
    story.secret().expose().to_owned()
}

/// The lines of a text, with every run of spaces as one.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[track_caller]
pub(super) fn has_line(text: &str, wanted: &str) {
    assert!(lines(text).iter().any(|line| line == wanted), "no line {wanted:?} in\n{text}");
}

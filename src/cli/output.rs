//! What may be printed, decided once: people's lines, one JSON document, or the result alone.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::base::{
    failure::{Code, Failure},
    shown::{Shown, escape_json, escape_json_to_ascii},
    words::ascii,
};

use super::{args::Global, table::Table};

/// How this run speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    People,
    Json,
}

/// The one place that prints. Text on stdout is the result, on stderr the talk around it.
#[derive(Clone)]
pub(super) struct Output {
    voice: Voice,
    quiet: bool,
    ascii: bool,
    width: usize,
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let voice = if global.json { Voice::Json } else { Voice::People };
        Self { voice, quiet: global.quiet, ascii: global.ascii, width: terminal_width() }
    }

    /// Prints a result: the JSON document, or the lines for people.
    pub(super) fn result(
        &self,
        json: impl FnOnce() -> Value,
        lines: impl FnOnce(&mut Lines),
    ) -> io::Result<()> {
        let text = match self.voice {
            Voice::Json => self.json_text(&json()),
            Voice::People => {
                let mut page = Lines { text: String::new(), width: self.width, ascii: self.ascii };
                lines(&mut page);
                self.signs(page.text)
            }
        };
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Tells people at more length what a failure comes from, before it is told itself; a document holds
    /// the failure alone.
    pub(super) fn explain(&self, lines: impl FnOnce(&mut Lines)) {
        if self.talks() {
            let mut page = Lines { text: String::new(), width: self.width, ascii: self.ascii };
            lines(&mut page);
            // Nobody reads stderr any more: the exit code still tells.
            let _ = io::stderr().lock().write_all(self.signs(page.text).as_bytes());
        }
    }

    /// Says something beside the result; not when quiet.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            // Nobody reads stderr any more: there is nobody left to tell.
            let _ = writeln!(io::stderr().lock(), "{}", self.signs(line.to_owned()));
        }
    }

    /// Reports a failure: to people on stderr, as the one JSON document on stdout.
    pub(super) fn failure(&self, failure: &Failure) {
        let written = match self.voice {
            Voice::Json => {
                io::stdout().lock().write_all(self.json_text(&failure_json(failure)).as_bytes())
            }
            Voice::People => {
                let text = self.signs(failure_lines(failure));
                io::stderr().lock().write_all(text.as_bytes())
            }
        };
        // Nobody reads any more: the exit code still tells.
        let _ = written;
    }

    /// Tells of a failure that does not change the result; when quiet too, as of any failure.
    pub(super) fn warning(&self, failure: &Failure) {
        let text = self.signs(failure_lines(failure));
        // Nobody reads stderr any more: the exit code still tells.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Says whether a person hears what is said beside the result.
    pub(super) fn talks(&self) -> bool {
        self.voice == Voice::People && !self.quiet
    }

    /// Says whether the result goes to a person in front of a terminal.
    pub(super) fn is_seen(&self) -> bool {
        self.voice == Voice::People && io::stdout().is_terminal()
    }

    /// Says whether somebody looks at progress on stderr.
    pub(super) fn shows_progress(&self) -> bool {
        !self.quiet
    }

    fn json_text(&self, value: &Value) -> String {
        let text = json_text(value);
        if self.ascii { escape_json_to_ascii(&text) } else { text }
    }

    /// The text in the signs of this run: with `--ascii` in no others.
    pub(super) fn signs(&self, text: String) -> String {
        if !self.ascii {
            return text;
        }
        ascii(&text)
    }
}

/// Lines for people, collected before they are printed in one piece.
pub(super) struct Lines {
    text: String,
    width: usize,
    ascii: bool,
}

impl Lines {
    pub(super) fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Sentences, in as many lines as they need.
    pub(super) fn sentences(&mut self, text: &str) {
        wrapped(text, self.width).iter().for_each(|line| self.line(line));
    }

    pub(super) fn table(&mut self, table: &Table) {
        self.rows(table, 0);
    }

    /// A table whose columns need no headings.
    pub(super) fn list(&mut self, table: &Table) {
        self.rows(table, 1);
    }

    fn rows(&mut self, table: &Table, skip: usize) {
        let lines =
            if self.ascii { table.in_ascii().lines(self.width) } else { table.lines(self.width) };
        lines.iter().skip(skip).for_each(|line| self.line(line));
    }
}

/// A text in lines of a width, broken between words and never inside a figure.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let is_figure = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    for word in text.split(' ') {
        match words.last_mut() {
            Some(last) if is_figure(word) && last.ends_with(|c: char| c.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Nobody reads the result any more, or the disk behind it is full.
pub(super) fn closed(error: &io::Error) -> Failure {
    let failure = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Failure::new(Code::DiskFull).with("n", "The restored").with("size", "some space")
        }
        _ => Failure::new(Code::OutputClosed),
    };
    failure.because(&error.to_string())
}

/// Reports arguments that were not understood. `json` says whether `--json` was among them.
pub fn report_usage(error: &clap::Error, json: bool) -> u8 {
    use clap::error::ErrorKind;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Asked for, so it is the result; a closed pipe is the reader's wish.
        let _ = error.print();
        return 0;
    }
    if json {
        let text = error.to_string();
        let failure = Failure::new(Code::Usage).because(text.trim_start_matches("error: "));
        let _ = io::stdout().lock().write_all(json_text(&failure_json(&failure)).as_bytes());
    } else {
        // It repeats what was typed, or pasted from somewhere.
        let safe = |c| if c == '\n' || Shown::passes(c) { c } else { char::REPLACEMENT_CHARACTER };
        let text: String = error.to_string().chars().map(safe).collect();
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
    Failure::new(Code::Usage).exit()
}

fn failure_json(failure: &Failure) -> Value {
    json!({"error": words_json(failure)})
}

/// The words of a failure, as they stand in every document.
pub(super) fn words_json(failure: &Failure) -> Value {
    json!({
        "code": failure.code().word(),
        "what": failure.what(),
        "safe": failure.safe_command(),
        "next": failure.next_command(),
        "detail": failure.detail().map(Shown::as_str),
    })
}

fn failure_lines(failure: &Failure) -> String {
    let mut text = format!(
        "{}\n{}\nNext: {}\n",
        failure.what(),
        failure.safe_command(),
        failure.next_command()
    );
    let word = failure.code().word();
    match failure.detail() {
        Some(detail) => text.push_str(&format!("({word}: {detail})\n")),
        None => text.push_str(&format!("({word})\n")),
    }
    text
}

fn json_text(value: &Value) -> String {
    let mut text = escape_json(&format!("{value:#}"));
    text.push('\n');
    text
}

/// Cells in a line of the terminal; 80 where there is none, so that pipes are stable.
fn terminal_width() -> usize {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return 80;
    }
    rustix::termios::tcgetwinsize(stdout)
        .map(|size| usize::from(size.ws_col))
        .ok()
        .filter(|width| *width > 0)
        .unwrap_or(80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_break_between_words_and_never_inside_a_figure() {
        assert_eq!(wrapped("All 18 420 keys are here.", 11), ["All 18 420", "keys are", "here."]);
        assert_eq!(wrapped("All 18 420 keys", 9), ["All", "18 420", "keys"]);
        assert_eq!(wrapped("写真 ab", 5), ["写真", "ab"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}

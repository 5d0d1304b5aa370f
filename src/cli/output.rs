//! What may be printed, decided once: people's lines, one JSON document, or the result alone.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

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

    /// A sentence which goes on below where it is longer than a line. Figures in groups stay together.
    pub(super) fn sentence(&mut self, text: &str) {
        let mut line = String::new();
        for word in words(text) {
            let both = Shown::new(&line).width() + 1 + Shown::new(word).width();
            if !line.is_empty() && both > self.width {
                self.line(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(line);
    }

    pub(super) fn table(&mut self, table: &Table) {
        let lines =
            if self.ascii { table.in_ascii().lines(self.width) } else { table.lines(self.width) };
        lines.iter().for_each(|line| self.line(line));
    }
}

/// The words of a sentence, parted where a line may end: not between the groups of one figure.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |(at, _): &(usize, &str)| {
        let (before, after) = text.split_at(*at);
        let figure = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        !(figure(before.as_bytes().last()) && figure(after.as_bytes().get(1)))
    };
    let mut rest = text;
    let mut spaces = text.match_indices(' ').filter(ends).collect::<Vec<_>>().into_iter();
    let mut begun = 0;
    std::iter::from_fn(move || {
        let (word, left) = match spaces.next() {
            Some((at, _)) => {
                let (word, left) = rest.split_at_checked(at - begun)?;
                begun = at + 1;
                (word, left.get(1..).unwrap_or_default())
            }
            None if rest.is_empty() => return None,
            None => (rest, ""),
        };
        rest = left;
        Some(word)
    })
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
    fn figures_stay_together_where_a_sentence_goes_on_below() {
        let told = |width| {
            let mut lines = Lines { text: String::new(), width, ascii: false };
            lines.sentence("All 18 420 keys of 3 rooms.");
            lines.text
        };
        assert_eq!(told(80), "All 18 420 keys of 3 rooms.\n");
        assert_eq!(told(8), "All\n18 420\nkeys of\n3 rooms.\n");
        assert_eq!(words("").count(), 0);
    }
}

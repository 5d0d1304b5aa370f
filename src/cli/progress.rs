//! Progress on stderr: one line that is redrawn on a terminal, whole sentences now and then elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::output::Output;
use crate::base::{
    progress::{Delay, Hint, News, Progress, Stage},
    shown::{grouped, waiting},
    words::{about, pace, size},
};

/// How often a line is redrawn on a terminal.
const REDRAW: Duration = Duration::from_millis(200);
/// How often a sentence is printed elsewhere.
const SENTENCE: Duration = Duration::from_secs(10);

/// Shows progress to whoever looks at stderr.
pub(super) struct Stderr {
    output: Output,
    terminal: bool,
    state: Mutex<State>,
}

struct State {
    last: Option<Instant>,
    begun: Instant,
    drawn: bool,
}

impl Stderr {
    pub(super) fn new(output: Output) -> Self {
        let state = Mutex::new(State { last: None, begun: Instant::now(), drawn: false });
        Self { output, terminal: io::stderr().is_terminal(), state }
    }

    fn has_run_long(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.begun.elapsed() >= SENTENCE
    }
}

impl Progress for Stderr {
    fn tell(&self, news: News) {
        // In a short run the result tells soon enough what opened.
        let lasting = match news {
            News::Hint(_) => true,
            News::Guessed { .. } => self.terminal || self.has_run_long(),
            _ => false,
        };
        if lasting {
            self.finish();
            // Nobody reads stderr any more: the work goes on.
            let _ = writeln!(io::stderr().lock(), "{}", self.output.signs(sentence(&news)));
            return;
        }
        let text = self.output.signs(sentence(&news));
        let begun = matches!(news, News::Began(_));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = if self.terminal { REDRAW } else { SENTENCE };
        let since = state.last.unwrap_or(state.begun);
        if !begun && since.elapsed() < pause {
            return;
        }
        if begun && !self.terminal {
            return;
        }
        state.last = Some(Instant::now());
        let mut stderr = io::stderr().lock();
        // Nobody reads stderr any more: the work goes on.
        let _ = if self.terminal {
            state.drawn = true;
            write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "{text}")
        };
    }

    fn finish(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut state.drawn, false) {
            // The same: nobody reads any more.
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn sentence(news: &News) -> String {
    match news {
        News::Began(stage) => match stage {
            Stage::SigningIn => "Signing in …",
            Stage::Looking => "Looking for backups …",
            Stage::Collecting => "The server collects the keys …",
            Stage::Naming => "Asking for room names …",
            Stage::SigningOut => "Signing out …",
        }
        .to_owned(),
        News::Reading { bytes, entries } => {
            format!("Reading: {} keys, {}", grouped(*entries), size(*bytes))
        }
        News::Restoring { committed, refused, expected } => {
            let of = expected.map(|all| format!(" of {}", grouped(all))).unwrap_or_default();
            let refused = match refused {
                0 => String::new(),
                refused => format!(", {} refused", grouped(*refused)),
            };
            format!("Restoring: {}{of} keys{refused}", grouped(*committed))
        }
        News::Stretching { done, all } => {
            let percent = done.saturating_mul(100).checked_div(*all).unwrap_or(0).min(99);
            let all = grouped(*all);
            format!("Passphrase: {percent} % of {all} rounds, slow on purpose")
        }
        News::Mending { stage, tried, of, left } => {
            let percent = tried.saturating_mul(100).checked_div(*of).unwrap_or(0).min(99);
            let left = left.map(|left| format!(", {} left", about(left))).unwrap_or_default();
            format!("Searching, {stage}: {percent} %{left}")
        }
        News::Guessing { tried, of, in_ten_seconds, left } => {
            let (tried, of) = (grouped(*tried), grouped(*of));
            let left = left.map(|left| format!(", {} left", about(left))).unwrap_or_default();
            format!("Trying passphrases: {tried} of {of}, {}{left}", pace(*in_ten_seconds))
        }
        News::Guessed { line } => format!("Line {} opens a lock.", grouped(*line)),
        News::Carrying { keys } => format!("Key file: {} keys", grouped(*keys)),
        News::Messages { read } => format!("Reading messages, {} so far", grouped(*read)),
        News::Waiting { left: 0, .. } => "Going on …".to_owned(),
        News::Waiting { left, why: Delay::AskedFor } => {
            format!("The server asks us to wait, {} more; nothing is lost", waiting(Some(*left)))
        }
        News::Waiting { left, why: Delay::Fault } => {
            format!("The server has a fault; trying again in {}", waiting(Some(*left)))
        }
        News::RoomByRoom { done, all } => {
            format!("Reading room by room: {} of {} rooms", grouped(*done), grouped(*all))
        }
        News::Hint(hint) => hint_sentence(*hint).to_owned(),
    }
}

fn hint_sentence(hint: Hint) -> &'static str {
    match hint {
        Hint::KeepSignedIn => {
            "Servers allow about five logins in a row. Give --keep-signed-in to sign in only once."
        }
    }
}

//! The real terminal: taken at the beginning and given back whatever happens.

use std::{
    io::{self, BufWriter, Stdout, Write},
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossterm::{
    clipboard::CopyToClipboard,
    cursor,
    event::{
        DisableBracketedPaste, EnableBracketedPaste, Event, EventStream, KeyCode, KeyEvent,
        KeyModifiers,
    },
    execute, queue,
    style::ResetColor,
    terminal::{
        BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
        SetTitle, disable_raw_mode, enable_raw_mode,
    },
};
use futures_util::StreamExt;
use ratatui::{Terminal, backend::CrosstermBackend};
use rustix::process::{Signal, kill_current_process_group};
use terminal_colorsaurus::{QueryOptions, ThemeMode};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{Receiver, channel},
    time::Instant,
};

use super::{
    run::{Arrived, Host, Wish},
    theme::Theme,
};

/// The terminal as ratatui writes to it: a frame goes out in one piece.
pub type RealBackend = CrosstermBackend<BufWriter<Stdout>>;

/// Bytes of a large frame.
const FRAME: usize = 64 << 10;
/// Clicks and the wheel, but no movements: those would wake us for nothing.
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
const NO_MOUSE: &str = "\x1b[?1006l\x1b[?1000l";
/// Keeps the window's title aside, and takes it back.
const KEEP_TITLE: &str = "\x1b[22;0t";
const TITLE_BACK: &str = "\x1b[23;0t";
/// Events that wait for the loop at most.
const EVENTS: usize = 1_024;
/// How long an answer of the terminal takes from its first to its last character.
const LATE_ANSWER: Duration = Duration::from_millis(500);
/// How long the terminal may take to tell its background.
const BACKGROUND: Duration = Duration::from_millis(100);

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the terminal. A panic from now on gives it back before anything is said of it: what is said must
/// reach the shell's screen.
pub fn take(mouse: bool) -> io::Result<Terminal<RealBackend>> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
    });
    enter(mouse)?;
    Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(FRAME, io::stdout())))
}

fn enter(mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    let mut stdout = io::stdout();
    stdout.write_all(KEEP_TITLE.as_bytes())?;
    execute!(stdout, EnterAlternateScreen, EnableBracketedPaste, SetTitle("keyhaul"))?;
    if mouse {
        stdout.write_all(MOUSE.as_bytes())?;
    }
    stdout.flush()
}

/// Gives the terminal back, if it is ours: the exact reverse of taking it. Whoever is too late to hear of
/// a failure has no use for one.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut stdout = io::stdout();
    let _ = stdout.write_all(NO_MOUSE.as_bytes());
    let _ = execute!(
        stdout,
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        ResetColor,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = stdout.write_all(TITLE_BACK.as_bytes());
    let _ = stdout.flush();
    let _ = disable_raw_mode();
}

/// What only the real terminal can do.
pub struct RealHost {
    /// Clicks and the wheel are reported.
    pub mouse: bool,
}

impl Host<RealBackend> for RealHost {
    fn copy(&mut self, terminal: &mut Terminal<RealBackend>, text: &str) {
        // Over SSH, too: the terminal at the other end has the clipboard (OSC 52).
        let _ = execute!(terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text));
    }

    fn suspend(&mut self, terminal: &mut Terminal<RealBackend>) {
        let _ = terminal.backend_mut().flush();
        give_back();
        // The whole job, as the shell sees it: with `cargo run` that is more than us.
        let _ = kill_current_process_group(Signal::STOP);
        // From here on the shell has called us back.
        let _ = enter(self.mouse);
    }

    fn frame(&mut self, terminal: &mut Terminal<RealBackend>, begins: bool) {
        let writer = terminal.backend_mut();
        // A terminal that does not know it leaves it out.
        let _ = if begins {
            queue!(writer, BeginSynchronizedUpdate)
        } else {
            execute!(writer, EndSynchronizedUpdate)
        };
    }
}

/// Listens to what the system wants; needs a running runtime.
pub fn wishes() -> Receiver<Wish> {
    let (send, receive) = channel(8);
    let wishes = [
        (SignalKind::interrupt(), Wish::End(130)),
        (SignalKind::terminate(), Wish::End(143)),
        (SignalKind::hangup(), Wish::End(129)),
        (SignalKind::from_raw(Signal::TSTP.as_raw()), Wish::Suspend),
    ];
    for (kind, wish) in wishes {
        let Ok(mut stream) = signal(kind) else { continue };
        let send = send.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                // A second wish while the first one waits says nothing new.
                let _ = send.try_send(wish);
            }
        });
    }
    receive
}

/// What the terminal reports from now on. A task of its own waits for it, so that the loop can take at once
/// whatever is there, and each event knows when it came.
pub fn events() -> Receiver<Arrived> {
    let (send, receive) = channel(EVENTS);
    tokio::spawn(async move {
        let mut events = EventStream::new();
        let mut late = LateAnswer::default();
        while let Some(event) = events.next().await {
            let now = Instant::now();
            if event.as_ref().is_ok_and(|event| late.takes(now, event)) {
                continue;
            }
            if send.send((now, event)).await.is_err() {
                return;
            }
        }
    });
    receive
}

/// Takes an answer of the terminal (OSC) that comes when nobody waits for it any more, over a slow line: the
/// events would report it as if somebody had typed it.
#[derive(Default)]
struct LateAnswer {
    since: Option<Instant>,
}

impl LateAnswer {
    /// Says whether an event is part of such an answer.
    fn takes(&mut self, now: Instant, event: &Event) -> bool {
        let Event::Key(KeyEvent { code: KeyCode::Char(c), modifiers, .. }) = event else {
            return false;
        };
        if (*c, *modifiers) == (']', KeyModifiers::ALT) {
            self.since = Some(now);
            return true;
        }
        if self.since.is_none_or(|since| now > since + LATE_ANSWER) {
            self.since = None;
            return false;
        }
        let ends =
            matches!((*c, *modifiers), ('\\', KeyModifiers::ALT) | ('g', KeyModifiers::CONTROL));
        if ends {
            self.since = None;
        }
        ends || c.is_ascii_hexdigit() || ";:/rgb?".contains(*c)
    }
}

/// Light or dark, as the terminal tells; dark where it tells nothing in time.
pub fn background() -> Theme {
    let options = {
        let mut options = QueryOptions::default();
        options.timeout = BACKGROUND;
        options
    };
    match terminal_colorsaurus::theme_mode(options) {
        Ok(ThemeMode::Light) => Theme::Light,
        Ok(ThemeMode::Dark) | Err(_) => Theme::Dark,
    }
}

/// Says whether frame lines are two cells wide, as in some East Asian settings; then they are drawn in
/// ASCII. Only asked where the language makes it likely, because some terminals never answer.
pub fn lines_are_wide(language: &str) -> bool {
    if !["zh", "ja", "ko"].iter().any(|likely| language.starts_with(likely)) {
        return false;
    }
    let mut stdout = io::stdout();
    let printed = execute!(stdout, cursor::MoveTo(0, 0)).and_then(|()| {
        stdout.write_all("─".as_bytes())?;
        stdout.flush()
    });
    printed.is_ok() && cursor::position().is_ok_and(|(column, _)| column > 1)
}

//! The built program in a real terminal: a pseudo terminal, with an emulator that sees what a person sees
//! and keeps every byte.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Longest time that anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);
/// How fast hands are: never two keys within the time that tells a paste.
const HANDS: Duration = Duration::from_millis(60);

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    closed: bool,
}

/// A program in a terminal.
pub(super) struct Pty {
    master: Box<dyn MasterPty + Send>,
    keyboard: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    before: String,
}

/// What the terminal's line discipline does, as text to compare.
fn lines(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().map(|termios| termios.local_flags))
}

impl Pty {
    /// Starts a program with nothing of this process's environment but what a terminal has.
    pub(super) fn start(home: &Path, size: (u16, u16), program: &str, args: &[String]) -> Self {
        Self::start_with(home, size, program, args, &[])
    }

    pub(super) fn start_with(
        home: &Path,
        (cols, rows): (u16, u16),
        program: &str,
        args: &[String],
        env: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let command = command(home, program, args, env);
        let before = lines(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let keyboard = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let screen = vt100::Parser::new(rows, cols, 0);
        let seen = Seen { screen, bytes: Vec::new(), closed: false };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let (share, answers) = (Arc::clone(&seen), Arc::clone(&keyboard));
        thread::spawn(move || {
            let mut piece = [0; 64 << 10];
            loop {
                let length = reader.read(&mut piece).unwrap_or(0);
                let (seen, changed) = &*share;
                let mut seen = seen.lock().unwrap();
                if length == 0 {
                    seen.closed = true;
                    changed.notify_all();
                    return;
                }
                let bytes = &piece[..length];
                seen.screen.process(bytes);
                seen.bytes.extend_from_slice(bytes);
                changed.notify_all();
                drop(seen);
                answer(bytes, &answers);
            }
        });
        Self { master: pair.master, keyboard, child, seen, before }
    }

    /// Types raw bytes, as fast as hands do.
    pub(super) fn types(&self, bytes: &str) {
        thread::sleep(HANDS);
        self.at_once(bytes);
    }

    /// Types raw bytes at once.
    pub(super) fn at_once(&self, bytes: &str) {
        let mut keyboard = self.keyboard.lock().unwrap();
        keyboard.write_all(bytes.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// Types letter by letter.
    pub(super) fn letters(&self, text: &str) {
        for letter in text.chars() {
            self.types(letter.encode_utf8(&mut [0; 4]));
        }
    }

    pub(super) fn paste(&self, text: &str) {
        self.types(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Waits until the screen is as wanted; returns it.
    #[track_caller]
    pub(super) fn until(&self, what: &str, is: impl Fn(&vt100::Screen) -> bool) -> String {
        let (seen, changed) = &*self.seen;
        let mut guard = seen.lock().unwrap();
        let begun = Instant::now();
        loop {
            if is(guard.screen.screen()) {
                return guard.screen.screen().contents();
            }
            let left = PATIENCE.checked_sub(begun.elapsed());
            let Some(left) = left.filter(|_| !guard.closed) else {
                panic!("“{what}” never came; last:\n{}", guard.screen.screen().contents());
            };
            guard = changed.wait_timeout(guard, left).unwrap().0;
        }
    }

    /// Waits until these words are on the screen; returns the whole screen.
    #[track_caller]
    pub(super) fn sees(&self, words: &str) -> String {
        self.until(words, |screen| screen.contents().contains(words))
    }

    pub(super) fn resize(&self, cols: u16, rows: u16) {
        self.seen.0.lock().unwrap().screen.screen_mut().set_size(rows, cols);
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    pub(super) fn send(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    /// The process that the terminal's keys are for.
    pub(super) fn foreground(&self) -> Pid {
        Pid::from_raw(self.master.process_group_leader().unwrap()).unwrap()
    }

    /// Every byte that the program wrote so far.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().bytes.clone()
    }

    /// Waits for the end: its exit code, and all that it wrote. The terminal must be as it was.
    #[track_caller]
    pub(super) fn ended(mut self) -> (u32, String, Vec<u8>) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it never ended: {}", self.screen());
            thread::sleep(Duration::from_millis(10));
        };
        let (seen, changed) = &*self.seen;
        let mut guard = seen.lock().unwrap();
        while !guard.closed {
            guard = changed.wait_timeout(guard, PATIENCE).unwrap().0;
        }
        let screen = guard.screen.screen();
        assert_is_given_back(screen);
        assert_eq!(lines(&*self.master), self.before, "the line discipline is as it was");
        (status.exit_code(), screen.contents(), guard.bytes.clone())
    }

    /// The screen as it is.
    pub(super) fn screen(&self) -> String {
        self.seen.0.lock().unwrap().screen.screen().contents()
    }
}

fn command(home: &Path, program: &str, args: &[String], env: &[(&str, &str)]) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(args);
    command.env_clear();
    command.env("HOME", home);
    command.env("TMPDIR", home);
    command.env("KEYHAUL_DATA_DIR", home.join("data"));
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.env("PATH", "/usr/bin:/bin");
    for (name, value) in env {
        command.env(name, value);
    }
    command.cwd(home);
    command
}

/// Runs a program until words are on the screen; then the terminal is gone, as when a connection breaks.
/// Returns the exit code.
pub(super) fn closed_at(home: &Path, program: &str, args: &[String], words: &str) -> u32 {
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut child = pair.slave.spawn_command(command(home, program, args, &[])).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut screen = vt100::Parser::new(24, 80, 0);
    let mut piece = [0; 64 << 10];
    while !screen.screen().contents().contains(words) {
        let length = reader.read(&mut piece).unwrap_or(0);
        assert!(length > 0, "it ended: {}", screen.screen().contents());
        screen.process(&piece[..length]);
    }
    drop((reader, pair.master));
    child.wait().unwrap().exit_code()
}

/// The terminal is the shell's: its own screen, a cursor, no modes left on.
#[track_caller]
pub(super) fn assert_is_given_back(screen: &vt100::Screen) {
    assert!(is_given_back(screen), "{}", screen.contents());
}

pub(super) fn is_given_back(screen: &vt100::Screen) -> bool {
    !screen.alternate_screen()
        && !screen.hide_cursor()
        && !screen.bracketed_paste()
        && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
}

/// Answers as terminals do: a dark background, and what kind of terminal this is.
fn answer(bytes: &[u8], keyboard: &Mutex<Box<dyn Write + Send>>) {
    let holds = |question: &[u8]| memchr::memmem::find(bytes, question).is_some();
    let mut keyboard = keyboard.lock().unwrap();
    let mut say = |answer: &[u8]| {
        // The program may be gone already.
        let _ = keyboard.write_all(answer).and_then(|()| keyboard.flush());
    };
    if holds(b"\x1b]10;?") {
        say(b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\");
    }
    if holds(b"\x1b]11;?") {
        say(b"\x1b]11;rgb:0000/0000/0000\x1b\\");
    }
    if holds(b"\x1b[c") {
        say(b"\x1b[?62;22c");
    }
}

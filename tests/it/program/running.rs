//! The program while it runs: for tests that send it a signal.

use std::{
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Lab, PROGRAM};

/// Longest time that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that has begun.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn begin<S: AsRef<str>>(lab: &Lab, args: &[S]) -> Self {
        let mut command = lab.command(PROGRAM);
        command.args(args.iter().map(AsRef::as_ref));
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits for something that the program does; one that ends before is a failure.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert_eq!(self.0.try_wait().unwrap(), None, "ended before: {what}");
            assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
            thread::yield_now();
        }
    }

    /// The exit code and the words on stderr; a program that never ends is a failure.
    #[track_caller]
    pub(crate) fn ended(self) -> (Option<i32>, String) {
        let (give, take) = mpsc::channel();
        thread::spawn(move || give.send(self.0.wait_with_output().unwrap()));
        let output = take.recv_timeout(PATIENCE).expect("the program ends");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

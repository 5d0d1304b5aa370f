//! Signals while a key file is written or opened: it stops soon, and nothing is left of it.

use std::{fs, io::Write};

use keyhaul::base::base64;
use rustix::{
    fs::{CWD, Mode, mkfifoat},
    process::Signal,
};

use super::{
    armored,
    program::{Case, WORDS, names},
};
use crate::program::Running;

/// The file is there under a name of its own while the passphrase is calculated.
fn while_a_file_is_written(signal: Signal, exit: i32) {
    let case = Case::new();
    let home = case.lab().path("home");
    let taken = case.home("taken.txt");
    fs::write(&taken, "mine").unwrap();
    for words in [&["export", "keys.txt"] as &[_], &["export", &taken, "--overwrite"]] {
        let before = names(&home);
        let mut running = Running::begin(case.lab(), &case.args(words));
        running.wait_for("a file that is being written", || names(&home) != before);
        running.send(signal);
        let (code, stderr) = running.ended();
        assert_eq!(code, Some(exit), "{stderr}");
        assert!(stderr.contains("(stopped"), "{stderr}");
        assert_eq!(names(&home), before);
        assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");
    }
}

#[test]
fn ctrl_c_while_a_file_is_written() {
    while_a_file_is_written(Signal::INT, 130);
}

#[test]
fn sigterm_while_a_file_is_written() {
    while_a_file_is_written(Signal::TERM, 143);
}

#[test]
fn closed_terminal_while_a_file_is_written() {
    while_a_file_is_written(Signal::HUP, 129);
}

/// Whoever said yes to hours of calculation may think better of it.
#[test]
fn while_a_slow_file_is_opened() {
    let case = Case::new();
    let mut slow = vec![1; 37];
    slow[33..].copy_from_slice(&u32::MAX.to_be_bytes());
    slow.extend([0; 64]);
    let file = case.home("slow.txt");
    fs::write(&file, armored(&base64::encode(&slow))).unwrap();
    let pipe = case.lab().path("secrets/pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let passphrase = format!("--passphrase-file={}", pipe.to_str().unwrap());
    let before = case.lab().kept();

    let args = ["import", &file, "--yes", &case.secret, &passphrase];
    let running = Running::begin(case.lab(), &args);
    // Opens only when the program reads; when all is read, there is nothing left to do but calculate.
    fs::File::options().write(true).open(&pipe).unwrap().write_all(WORDS.as_bytes()).unwrap();
    running.send(Signal::INT);
    let (code, stderr) = running.ended();
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("(stopped"), "{stderr}");
    before.assert_same(&case.lab().kept());
}

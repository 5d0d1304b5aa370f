//! Ctrl-C while the program waits for somebody else, and a result that nobody can take.

use std::{
    fs::File,
    io::{Read, pipe},
    process::Stdio,
};

use rustix::{
    fs::{CWD, Mode, mkfifoat},
    process::Signal,
};

use crate::program::{Ada, Hold, Lab, Running, Trick};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyhaul");

/// A pipe into which nobody writes: the one who should may never come.
#[test]
fn while_a_secret_is_awaited() {
    let ada = Ada::new();
    let path = ada.lab.path("secrets/pipe");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let mut args = ada.asks(&["unlock"]);
    args.push(format!("--secret-file={}", path.to_str().unwrap()));
    let running = Running::begin(&ada.lab, &args);
    // Opens only when the program reads.
    let silent = File::options().write(true).open(&path).unwrap();
    running.send(Signal::INT);
    let (exit, stderr) = running.ended();
    assert_eq!(exit, Some(130), "{stderr}");
    assert!(stderr.contains("(stopped"), "{stderr}");
    drop(silent);
}

/// The server has made the device already; without its answer nobody could remove that.
#[test]
fn while_a_login_is_answered() {
    let ada = Ada::new();
    let devices = ada.server.devices();
    let hold = Hold::new();
    let between = ada.between(vec![("/login", Trick::Hold(hold.clone()))]);
    let user = format!("--user={}", ada.account.user_id);
    let server = format!("--homeserver={}", between.base);
    let password = format!("--password-file={}", ada.file("password"));
    let args = ["backups", &user, &server, &password];
    let running = Running::begin(&ada.lab, &args);
    hold.is_there();
    assert_eq!(ada.server.devices(), devices + 1);
    running.send(Signal::INT);
    hold.release();
    let (exit, stderr) = running.ended();
    assert_eq!(exit, Some(130), "{stderr}");
    assert_eq!(ada.server.devices(), devices, "{stderr}");
}

/// As with `keyhaul … | head -1`.
#[test]
fn nobody_reads_the_result() {
    let lab = Lab::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    for args in
        [&["--demo=list"] as &[_], &["completions", "bash"], &["man"], &["--demo=list", "--json"]]
    {
        let mut command = lab.command(PROGRAM);
        let output = command.args(args).stdout(writer.try_clone().unwrap()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn no_room_for_the_result() {
    let lab = Lab::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = lab.command(PROGRAM);
    let mut child =
        command.arg("--demo=list").stdout(full()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(14), "{stderr}");
    assert!(stderr.starts_with("There is no room left on this disk."), "{stderr}");
}

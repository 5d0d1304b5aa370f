//! The built program, run as a person or a script runs it: with arguments, secrets in files, folders
//! of its own, and nothing of this process's environment.
//!
//! Whatever a test is about, every run is held to the same promises: no panic, no escape sequence, no
//! word of a sentence left unfilled, exactly one JSON document where `--json` was given.

mod ada;
mod between;
mod printed;
mod running;
mod tree;

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(super) use ada::{Ada, backup_key};
pub(super) use between::{Between, Hold, Step, Trick};
pub(super) use printed::{Ended, Told, stranger};
pub(super) use running::Running;
pub(super) use tree::Tree;

/// Runs the servers of the tests, while the tests themselves wait for the program.
pub(super) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// A computer with keyhaul on it: a home, a place for temporary files, a data directory that is not
/// there yet, and files with secrets.
pub(super) struct Lab {
    folder: TempDir,
}

impl Lab {
    pub(super) fn new() -> Self {
        let lab = Self { folder: TempDir::with_prefix("keyhaul-test-").unwrap() };
        for name in ["home", "tmp", "secrets"] {
            fs::create_dir(lab.path(name)).unwrap();
        }
        lab
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Everything in the data directory.
    pub(super) fn kept(&self) -> Tree {
        Tree::of(&self.data())
    }

    /// Everything in the home and in the folder for temporary files.
    pub(super) fn home(&self) -> Tree {
        let mut tree = Tree::of(&self.path("home"));
        let tmp = Tree::of(&self.path("tmp"));
        tree.entries.extend(tmp.entries);
        tree.modes.extend(tmp.modes);
        tree
    }

    /// Writes a secret into a file that only its owner reads, and returns its path.
    pub(super) fn secret(&self, name: &str, secret: impl AsRef<[u8]>) -> String {
        let path = self.path("secrets").join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(&path).unwrap().write_all(secret.as_ref()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The program, ready to be run with this lab's folders.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("KEYHAUL_DATA_DIR", self.data())
            // Points in time are printed in the zone of the computer.
            .env("TZ", "UTC")
            .current_dir(self.path("home"))
            .stdin(Stdio::null());
        command
    }

    pub(super) fn run<S: AsRef<str>>(&self, args: &[S]) -> Ended {
        let mut command = self.command(PROGRAM);
        command.args(args.iter().map(AsRef::as_ref));
        Ended::of(args, command.output().unwrap())
    }

    /// Runs it with something on its standard input.
    pub(super) fn run_with_input<S: AsRef<str>>(&self, args: &[S], input: &[u8]) -> Ended {
        let mut command = self.command(PROGRAM);
        command.args(args.iter().map(AsRef::as_ref));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that needs no input may have ended before it comes.
        let _ = child.stdin.take().unwrap().write_all(input);
        Ended::of(args, child.wait_with_output().unwrap())
    }

    /// Runs it under a umask that forbids nothing.
    pub(super) fn run_without_umask<S: AsRef<str>>(&self, args: &[S]) -> Ended {
        let mut command = self.command("/bin/sh");
        command.args(["-c", r#"umask 000; exec "$0" "$@""#, PROGRAM]);
        command.args(args.iter().map(AsRef::as_ref));
        Ended::of(args, command.output().unwrap())
    }

    /// Runs it with `--json` and returns the document.
    pub(super) fn json<S: AsRef<str>>(&self, args: &[S], exit: i32) -> Value {
        let mut with_json: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
        with_json.push("--json");
        self.run(&with_json).exited(exit).document()
    }

    /// Runs a command that must fail, for people and for programs, and returns what both were told.
    pub(super) fn fails<S: AsRef<str>>(&self, args: &[S], exit: i32, code: &str) -> Told {
        let told = Told::by(&self.json(args, exit), code);
        told.is_told_to_people(&self.run(args).exited(exit));
        told
    }

    /// The same, where nothing may change in the data directory.
    pub(super) fn fails_untouched<S: AsRef<str>>(&self, args: &[S], exit: i32, code: &str) -> Told {
        let before = self.kept();
        let told = self.fails(args, exit, code);
        before.assert_same(&self.kept());
        told
    }
}

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_keyhaul");

/// Lets a file be read by nobody but this user, or by everybody.
pub(super) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What a process left behind, as text.
fn texts(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    let exit = output.status.code().expect("the program ends by itself");
    (exit, text(output.stdout), text(output.stderr))
}

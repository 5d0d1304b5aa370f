//! A computer on which somebody runs keyhaul: a data directory, secrets in private files, and an
//! environment with nothing in it.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempDir};

use crate::synapse::Account;

pub(super) struct Computer(TempDir);

/// A command that is being put together.
pub(super) struct Call<'c> {
    computer: &'c Computer,
    command: Command,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(super) struct Done {
    exit: Option<i32>,
    document: Value,
    talk: String,
}

impl Computer {
    pub(super) fn new() -> Self {
        Self(TempDir::with_prefix("keyhaul-computer-").unwrap())
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.file("data")
    }

    /// A place beside the data directory.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// keyhaul with these arguments, asked for JSON.
    pub(super) fn keyhaul(&self, arguments: &[&str]) -> Call<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyhaul"));
        command.env_clear().stdin(Stdio::null()).args(arguments);
        command.arg("--json").arg("--data-dir").arg(self.data_dir());
        Call { computer: self, command }
    }

    /// Every file below the data directory with its mode and the hash of its bytes. Left out is what
    /// tells of runs and not of keys: the lock, the times of logins, and what SQLite leaves of a reader
    /// (shared memory and an empty log).
    pub(super) fn files(&self) -> BTreeMap<PathBuf, (u32, String)> {
        let mut files = BTreeMap::new();
        gather(&self.data_dir(), &mut files);
        files
    }

    /// A private file with a secret and the line end that editors add.
    fn private(&self, secret: &str) -> PathBuf {
        let mut file = NamedTempFile::new_in(self.0.path()).unwrap();
        writeln!(file, "{secret}").unwrap();
        let (_, path) = file.keep().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        path
    }
}

fn gather(folder: &Path, files: &mut BTreeMap<PathBuf, (u32, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            gather(&path, files);
            continue;
        }
        let about = fs::metadata(&path).unwrap();
        let of_a_reader = name.ends_with("-shm") || name.ends_with("-wal") && about.len() == 0;
        if name != "lock" && !name.starts_with("logins-") && !of_a_reader {
            let mode = about.mode() & 0o777;
            let hash = BASE64_STANDARD.encode(Sha256::digest(fs::read(&path).unwrap()));
            files.insert(path, (mode, hash));
        }
    }
}

impl Call<'_> {
    pub(super) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub(super) fn path(mut self, option: &str, path: &Path) -> Self {
        self.command.arg(option).arg(path);
        self
    }

    pub(super) fn environment(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Signs in anew.
    pub(super) fn password_of(self, account: &Account, server: &str) -> Self {
        self.password(&account.user_id, &account.password, server)
    }

    pub(super) fn password(self, user_id: &str, password: &str, server: &str) -> Self {
        let file = self.computer.private(password);
        self.arguments(&["--homeserver", server, "--user", user_id]).path("--password-file", &file)
    }

    /// Borrows the token of the account's first device.
    pub(super) fn token_of(self, account: &Account, server: &str) -> Self {
        let file = self.computer.private(&account.access_token);
        self.arguments(&["--homeserver", server, "--user", &account.user_id])
            .path("--access-token-file", &file)
    }

    /// Gives a recovery key.
    pub(super) fn secret(self, secret: &str) -> Self {
        let file = self.computer.private(secret);
        self.path("--secret-file", &file)
    }

    /// Starts it, with its output held for [`Done::of`].
    pub(super) fn begin(mut self) -> Child {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it to its end.
    pub(super) fn done(self) -> Done {
        Done::of(self.begin())
    }

    /// The result of a command that has to end with 0.
    #[track_caller]
    pub(super) fn succeeds(self) -> Value {
        self.done().ends_with(0)
    }
}

impl Done {
    /// Waits for the end.
    pub(super) fn of(child: Child) -> Self {
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let printed = String::from_utf8(stdout).unwrap();
        let document = serde_json::from_str(&printed).unwrap_or(Value::String(printed));
        let talk = String::from_utf8(stderr).unwrap();
        Self { exit: status.code(), document, talk }
    }

    /// What was said beside the result.
    pub(super) fn talk(&self) -> &str {
        &self.talk
    }

    /// The one JSON document.
    #[track_caller]
    pub(super) fn ends_with(self, exit: i32) -> Value {
        assert_eq!(self.exit, Some(exit), "{self:#?}");
        assert!(self.document.is_object(), "{self:#?}");
        self.document
    }

    /// The `error` of a command that has to fail so.
    #[track_caller]
    pub(super) fn fails(self, exit: i32, code: &str) -> Value {
        let talk = self.talk.clone();
        let mut document = self.ends_with(exit);
        assert_eq!(document["error"]["code"], code, "{document:#} {talk}");
        document["error"].take()
    }
}

//! The Python environment under `target/` that holds Synapse at pinned versions.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};

use super::WITHOUT;

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Fails where Synapse cannot run, else says which Python this is.
const PROBE: &str = "import ensurepip, sys, venv
assert sys.version_info >= (3, 10), f'Python 3.10 is needed, this is {sys.version}'
print(sys.executable, sys.version)";

/// The interpreter that has Synapse. The first test process makes the
/// environment (a download of about 60 packages), others wait for it. The
/// error says what is missing and how to do without.
pub(super) fn python() -> Result<PathBuf, String> {
    let wanted = stamp_of(&probe()?);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    fs::create_dir_all(target).unwrap();
    let place = target.join("synapse-environment");
    let python = place.join("bin/python");
    let stamp = place.join("complete");

    let lock = File::create(target.join("synapse-environment.lock")).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    if place.exists() {
        fs::remove_dir_all(&place).unwrap();
    }
    // Both hold the lock as their standard input: should this process be killed,
    // the next one waits until they are out of the way as well.
    run(Command::new("python3").args(["-m", "venv"]).arg(&place).stdin(lock.try_clone().unwrap()))?;
    let requirements = place.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).unwrap();
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--only-binary", ":all:"])
        .arg("--requirement")
        .arg(&requirements)
        .stdin(lock.try_clone().unwrap()))?;
    // Last, so that an environment with a stamp is a whole one.
    fs::write(&stamp, wanted).unwrap();
    Ok(python)
}

/// Path and version of the system's Python: an environment made by another one would not run.
fn probe() -> Result<Vec<u8>, String> {
    run(Command::new("python3").args(["-c", PROBE]).stdin(Stdio::null()))
}

fn stamp_of(python: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(REQUIREMENTS);
    hash.update(python);
    BASE64_STANDARD.encode(hash.finalize())
}

/// What the command printed.
fn run(command: &mut Command) -> Result<Vec<u8>, String> {
    let why = match command.output() {
        Ok(said) if said.status.success() => return Ok(said.stdout),
        Ok(said) => String::from_utf8_lossy(&said.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    Err(format!(
        "this test needs a real Synapse, and so Python 3.10 or newer with venv and a package \
         index. {command:?} failed: {why}\nSet {WITHOUT}=1 to leave such tests out."
    ))
}

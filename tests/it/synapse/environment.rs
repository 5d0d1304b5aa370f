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
/// environment (a download of about 60 packages), others wait for it.
pub(super) fn python() -> PathBuf {
    let wanted = stamp_of(&probe());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    fs::create_dir_all(target).unwrap();
    let place = target.join("synapse-environment");
    let python = place.join("bin/python");
    let stamp = place.join("complete");

    let lock = File::create(target.join("synapse-environment.lock")).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return python;
    }
    if place.exists() {
        fs::remove_dir_all(&place).unwrap();
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&place));
    let requirements = place.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).unwrap();
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--only-binary", ":all:"])
        .arg("--requirement")
        .arg(&requirements));
    // Last, so that an environment with a stamp is a whole one.
    fs::write(&stamp, wanted).unwrap();
    python
}

/// Path and version of the system's Python: an environment made by another one would not run.
fn probe() -> Vec<u8> {
    let said = Command::new("python3").args(["-c", PROBE]).output();
    match said {
        Ok(said) if said.status.success() => said.stdout,
        Ok(said) => give_up(&String::from_utf8_lossy(&said.stderr)),
        Err(error) => give_up(&format!("python3: {error}")),
    }
}

fn stamp_of(python: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(REQUIREMENTS);
    hash.update(python);
    BASE64_STANDARD.encode(hash.finalize())
}

fn run(command: &mut Command) {
    let said = command.stdin(Stdio::null()).output().unwrap();
    if !said.status.success() {
        let stderr = String::from_utf8_lossy(&said.stderr);
        give_up(&format!("{command:?}\n{stderr}"));
    }
}

fn give_up(why: &str) -> ! {
    panic!(
        "this test needs a real Synapse, and so Python 3.10 or newer with venv and a package \
         index: {why}\nSet {WITHOUT}=1 to leave such tests out."
    )
}

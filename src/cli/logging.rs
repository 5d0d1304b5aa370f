//! The log file of `--log-file`: off unless asked for, readable by its owner only, without secrets.
//!
//! keyhaul's own lines are written at every level; other crates only up to `INFO`, because below
//! that some write down headers and bodies.

use std::{
    fs::{OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Mutex,
};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
};

use crate::base::failure::{Code, Failure};

/// Begins to write the log.
pub(super) fn begin(path: &Path) -> Result<(), Failure> {
    let open = || {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        // One that was there before may have been open to others.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    };
    let file = open().map_err(|error: io::Error| {
        let name = path.to_string_lossy();
        Failure::new(Code::NoPermission).with("folder", &*name).because(&error.to_string())
    })?;
    let levels =
        Targets::new().with_default(LevelFilter::INFO).with_target("keyhaul", LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let log = tracing_subscriber::registry().with(levels).with(lines);
    // A second subscriber in one process keeps the first: that is a test's wish, not a fault.
    let _ = tracing::subscriber::set_global_default(log);
    Ok(())
}

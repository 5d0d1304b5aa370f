//! `backups`: all versions that exist, and what guards them.

use serde_json::{Value, json};

use super::super::{
    desk::Desk,
    output::closed,
    table::{Align, Table},
};
use crate::{
    backup::version::BackupVersion,
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
    },
    recovery::{look::Overview, unlock::Unlocked},
};

pub(super) async fn run(desk: &mut Desk) -> Result<u8, Failure> {
    let visit = desk.visit().await?;
    let result = show(desk, &visit.overview, visit.unlocked.as_ref());
    desk.leave(visit).await;
    result
}

fn show(desk: &Desk, overview: &Overview, unlocked: Option<&Unlocked>) -> Result<u8, Failure> {
    if overview.versions.is_empty() {
        return Err(Failure::new(Code::NoBackup));
    }
    let document = || {
        json!({
            "user_id": overview.user_id,
            "current": overview.current,
            "versions": overview.versions.iter()
                .map(|version| version_json(version, overview, unlocked))
                .collect::<Vec<_>>(),
            "all_found": overview.all_found,
        })
    };
    desk.output
        .result(document, |lines| {
            let count = overview.versions.len() as u64;
            let exist = if count == 1 { "backup exists" } else { "backups exist" };
            lines.line(format!(
                "{} {exist} for {}.",
                grouped(count),
                Shown::new(&overview.user_id)
            ));
            let mut table = Table::new(&[
                ("Backup", Align::Left),
                ("", Align::Left),
                ("Keys", Align::Right),
                ("Public key", Align::Left),
                ("In secret storage", Align::Left),
                ("Signed by", Align::Flexible),
            ]);
            for version in &overview.versions {
                table.row([
                    Shown::limited(&version.version, 20),
                    Shown::new(if is_current(version, overview) { "current" } else { "" }),
                    version.count.map_or(Shown::new("?"), Shown::from),
                    fingerprint(version),
                    Shown::new(match in_secret_storage(version, unlocked) {
                        Some(true) => "yes",
                        Some(false) => "no",
                        None => "–",
                    }),
                    Shown::new(&signers(version, overview)),
                ]);
            }
            lines.table(&table);
            if overview.all_found == Some(false) {
                let unlisted = Failure::new(Code::OlderNotListed);
                lines.line(format!("{} {}", unlisted.what(), unlisted.next_command()));
            }
            lines.line("Who signed is what the server says; keyhaul did not check it.");
            if overview.versions.iter().any(|v| in_secret_storage(v, unlocked).is_none()) {
                lines.line("What is in secret storage is known once a recovery key is given.");
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

fn version_json(
    version: &BackupVersion,
    overview: &Overview,
    unlocked: Option<&Unlocked>,
) -> Value {
    json!({
        "version": version.version,
        "algorithm": version.algorithm,
        "supported": version.supported(),
        "current": is_current(version, overview),
        "public_key": version.public_key().ok().map(|key| key.to_base64()),
        "count": version.count,
        "etag": version.etag,
        "signatures": version.signature_ids(&overview.user_id).into_iter()
            .map(|key_id| json!({"key_id": key_id, "signer": "unknown", "valid": null}))
            .collect::<Vec<_>>(),
        "in_secret_storage": in_secret_storage(version, unlocked),
    })
}

fn is_current(version: &BackupVersion, overview: &Overview) -> bool {
    overview.current.as_ref() == Some(&version.version)
}

/// Known only where secret storage was opened.
fn in_secret_storage(version: &BackupVersion, unlocked: Option<&Unlocked>) -> Option<bool> {
    let unlocked = unlocked.filter(|unlocked| !unlocked.storage_keys.is_empty())?;
    Some(unlocked.in_secret_storage.contains(&version.version))
}

fn fingerprint(version: &BackupVersion) -> Shown {
    match version.public_key() {
        Ok(key) => Shown::new(&key.fingerprint()),
        Err(_) if version.supported() => Shown::new("damaged"),
        Err(_) => Shown::new("unknown kind"),
    }
}

/// The signing keys by the ends of their ids: a device's name, or the start of a master key.
fn signers(version: &BackupVersion, overview: &Overview) -> String {
    let ids = version.signature_ids(&overview.user_id);
    let short = |id: &String| {
        let name = id.split_once(':').map_or(id.as_str(), |(_, name)| name);
        Shown::new(name).cut(12).to_string()
    };
    if ids.is_empty() {
        return "nobody".to_owned();
    }
    ids.iter().map(short).collect::<Vec<_>>().join(", ")
}

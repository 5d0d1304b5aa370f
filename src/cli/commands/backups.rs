//! `backups`: all versions that exist, and what guards them.

use serde_json::{Value, json};

use super::super::{
    desk::Desk,
    output::closed,
    table::{Align, Table},
};
use crate::{
    backup::{
        signatures::{Signature, Signer},
        version::BackupVersion,
    },
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
    },
    recovery::{
        look::Overview,
        trust::{SignedBy, Trust, Who, Worth},
        unlock::Unlocked,
    },
};

pub(super) async fn run(desk: &mut Desk) -> Result<u8, Failure> {
    let visit = desk.visit().await?;
    let result = match Trust::of(&visit, &desk.cancel).await {
        Ok(trust) => show(desk, &visit.overview, visit.unlocked.as_ref(), &trust),
        Err(failure) => Err(failure),
    };
    desk.leave(visit).await;
    result
}

fn show(
    desk: &Desk,
    overview: &Overview,
    unlocked: Option<&Unlocked>,
    trust: &Trust,
) -> Result<u8, Failure> {
    if overview.versions.is_empty() {
        return Err(Failure::new(Code::NoBackup));
    }
    let document = || {
        json!({
            "user_id": overview.user_id,
            "current": overview.current,
            "versions": overview.versions.iter()
                .map(|version| version_json(version, overview, unlocked, trust))
                .collect::<Vec<_>>(),
            "all_found": overview.all_found,
            "account_key_proven": trust.account_key_proven,
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
                    Shown::new(&signers(&trust.signers(version, overview))),
                ]);
            }
            lines.table(&table);
            if overview.all_found == Some(false) {
                let unlisted = Failure::new(Code::OlderNotListed);
                lines.line(format!("{} {}", unlisted.what(), unlisted.next_command()));
            }
            lines.line(worth(trust));
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
    trust: &Trust,
) -> Value {
    json!({
        "version": version.version,
        "algorithm": version.algorithm,
        "supported": version.supported(),
        "current": is_current(version, overview),
        "public_key": version.public_key().ok().map(|key| key.to_base64()),
        "count": version.count,
        "etag": version.etag,
        "signatures": trust.signatures(version, overview).iter()
            .map(signature_json)
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

fn signature_json(signature: &Signature) -> Value {
    let (signer, name) = match &signature.signer {
        Signer::Master => ("master", None),
        Signer::Device(name) => ("device", name.as_ref()),
        Signer::Replaced | Signer::Unknown => ("unknown", None),
    };
    let (key_id, valid) = (&signature.key_id, signature.valid);
    json!({"key_id": key_id, "signer": signer, "valid": valid, "name": name.map(Shown::as_str)})
}

/// Who signed, in words (SCREENS §4, step 2). A tick stands only behind what was proven here.
fn signers(signers: &[SignedBy]) -> String {
    if signers.is_empty() {
        return "nobody".to_owned();
    }
    signers.iter().map(signer).collect::<Vec<_>>().join(", ")
}

fn signer(signer: &SignedBy) -> String {
    let who = match &signer.who {
        Who::Account => "your account".to_owned(),
        Who::Device(name) => format!("device “{name}”"),
        Who::DeviceId(id) => format!("device {}", id.cut(16)),
        Who::Replaced => "a key since replaced".to_owned(),
        Who::Unknown => "unknown key".to_owned(),
        Who::NotChecked(id) => format!("not checked: {}", id.cut(12)),
    };
    match signer.worth {
        Worth::Proven => format!("✓ {who}"),
        Worth::NotProven => format!("? {who}"),
        Worth::Broken => format!("✗ broken: {who}"),
        Worth::Nothing => who,
    }
}

/// What the column is worth.
fn worth(trust: &Trust) -> &'static str {
    match trust.account_key_proven {
        _ if !trust.could_judge() => "Signatures are not checked: nobody shows the keys for it.",
        Some(true) => "✓ is proven by the account key in your secret storage. ? is not proven.",
        Some(false) => {
            "! The account key that the server shows is not the one in your secret storage."
        }
        None => "? is “not proven”: the signature is right, by a key that the server shows.",
    }
}

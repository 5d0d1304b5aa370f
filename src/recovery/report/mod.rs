//! A report for support: what is needed to help, and nothing secret. Ids stand in it as words that nobody
//! can trace back, unless somebody wants them as they are; then the server's address is in it, too.

mod ids;

use std::{io::Write, path::Path};

use jiff::Timestamp;

use self::ids::Ids;
use super::{
    doctor::{
        checks::{Check, Mark},
        facts::{Facts, Reading, StoreFacts},
        findings::Finding,
    },
    failures::writing,
    new_file::{self, NewFile, folder_name},
    store::Origin,
};
use crate::{
    backup::{
        signatures::{Signature, Signer},
        version::BackupVersion,
    },
    base::{
        failure::Failure,
        random::SystemRandom,
        shown::{Shown, grouped},
        words::{counted, size},
    },
};

/// A report that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The words of what needs a person.
    pub findings: Vec<&'static str>,
}

/// Where a report goes, and what is in it.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    /// The file.
    pub file: &'a Path,
    /// Replace a file of that name.
    pub overwrite: bool,
    /// Write ids and the server's address as they are.
    pub with_ids: bool,
}

impl Wish<'_> {
    /// Says early what would keep the file from being written: looking at everything takes long.
    pub fn check(&self) -> Result<(), Failure> {
        new_file::is_taken(self.file, self.overwrite).map(drop)
    }
}

/// Writes what a check-up found out into a file that only its owner reads.
pub fn report(facts: &Facts, wish: Wish<'_>) -> Result<Reported, Failure> {
    let ids = if wish.with_ids { Ids::Plain } else { Ids::hidden(&mut SystemRandom) };
    let checks = facts.checks();
    let text = Report { facts, checks: &checks, ids }.text();
    let mut file = NewFile::create(wish.file, wish.overwrite)?;
    let written = (&mut file).write_all(text.as_bytes());
    written.map_err(|error| writing(&folder_name(wish.file), &error))?;
    file.settle()?;
    let findings = checks.iter().filter_map(|check| check.finding.as_ref()).map(Finding::word);
    Ok(Reported { findings: findings.collect() })
}

struct Report<'a> {
    facts: &'a Facts,
    checks: &'a [Check],
    ids: Ids,
}

/// Lines, each with what it is about in front.
#[derive(Default)]
struct Page(String);

impl Page {
    fn heading(&mut self, text: &str) {
        self.0.push_str(&format!("\n{text}\n"));
    }

    fn line(&mut self, depth: usize, name: &str, text: &str) {
        let line = format!("{:depth$}{name:<width$} {text}", "", width = 18 - depth);
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }
}

fn name(version: &str) -> Shown {
    Shown::limited(version, 20)
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

impl Report<'_> {
    fn text(&self) -> String {
        let mut page = Page::default();
        page.0.push_str("keyhaul report: no secrets, no names, no messages\n\n");
        self.head(&mut page);
        self.findings(&mut page);
        self.check_up(&mut page);
        self.backups(&mut page);
        self.locks(&mut page);
        self.contents(&mut page);
        self.store(&mut page);
        page.0
    }

    fn head(&self, page: &mut Page) {
        let facts = self.facts;
        page.line(0, "keyhaul", env!("CARGO_PKG_VERSION"));
        page.line(0, "made", &second(facts.at));
        page.line(
            0,
            "ids",
            if self.ids.are_plain() {
                "as they are"
            } else {
                "HMAC-SHA-256 under a random key of this report, shortened"
            },
        );
        let user = &facts.overview.user_id;
        if !user.is_empty() {
            page.line(0, "account", &self.ids.of(user));
        }
        if self.ids.are_plain() && !facts.overview.server.is_empty() {
            page.line(0, "server", Shown::limited(&facts.overview.server, 255).as_str());
        }
        if let Some(server) = &facts.server {
            if let Some(device) = &server.device {
                let whose = if server.borrowed { "another app's" } else { "made by keyhaul" };
                page.line(0, "device", &format!("{}, {whose}", self.ids.of(device.as_str())));
            }
            if let Ok((took, ahead)) = &server.pulse {
                page.line(0, "answers after", &format!("{} ms", took.as_millis()));
                if let Some(ahead) = ahead {
                    page.line(0, "clock ahead", &format!("{ahead} s"));
                }
            }
        }
        if let Some(saved) = facts.saved {
            page.line(0, "offline", &format!("a snapshot of {}", second(saved)));
        }
    }

    fn findings(&self, page: &mut Page) {
        let findings: Vec<Finding> = self
            .checks
            .iter()
            .filter_map(|check| check.finding.clone())
            .map(|finding| match finding {
                // Those may name people, hosts and files.
                Finding::Failed(failure) if !self.ids.are_plain() => {
                    Finding::Failed(failure.masked())
                }
                finding => finding,
            })
            .collect();
        page.heading(match findings.len() {
            0 => "Nothing was found that needs somebody",
            _ => "What needs somebody",
        });
        for finding in findings {
            page.line(2, finding.word(), "");
            page.line(4, "fact", &finding.fact());
            page.line(4, "cause", &finding.cause());
            page.line(4, "next", &finding.next());
        }
    }

    fn check_up(&self, page: &mut Page) {
        page.heading("Check-up");
        for check in self.checks {
            let mark = match check.mark {
                Mark::Ok => "ok",
                Mark::Wrong => "wrong",
                Mark::Unknown => "cannot be proven",
            };
            page.line(2, check.id, mark);
        }
    }

    fn backups(&self, page: &mut Page) {
        let overview = &self.facts.overview;
        page.heading("Backups");
        let count = overview.versions.len() as u64;
        page.line(2, "found", &grouped(count));
        if let Some(all) = overview.all_found {
            page.line(2, "all found", yes(all));
        }
        for version in &overview.versions {
            self.backup(version, page);
        }
        let gone = self.facts.seen_before.iter().filter(|seen| {
            !overview.versions.iter().any(|version| version.version == seen.version)
        });
        for seen in gone {
            page.line(
                2,
                &format!("backup {}", name(&seen.version)),
                "was there before, and is gone",
            );
        }
    }

    fn backup(&self, version: &BackupVersion, page: &mut Page) {
        let current = self.facts.overview.current.as_ref() == Some(&version.version);
        let about = if current { "current" } else { "" };
        page.line(2, &format!("backup {}", name(&version.version)), about);
        page.line(4, "algorithm", Shown::limited(&version.algorithm, 80).as_str());
        page.line(
            4,
            "public key",
            &match version.public_key() {
                Ok(key) => key.to_base64(),
                Err(fault) => format!("none that makes sense: {fault}"),
            },
        );
        if version.has_key_encoded_twice() {
            page.line(4, "", "encoded twice");
        }
        if version.passphrase().is_some() {
            page.line(4, "", "made from a passphrase");
        }
        let number = |count: Option<u64>| count.map_or("not told".to_owned(), grouped);
        page.line(4, "keys", &number(version.count));
        let etag = version.etag.as_deref().map(|etag| Shown::limited(etag, 40).to_string());
        page.line(4, "etag", &etag.unwrap_or_else(|| "not told".to_owned()));
        let signatures = self.facts.signatures.get(&version.version);
        match signatures.filter(|signatures| !signatures.is_empty()) {
            None => page.line(4, "signed by", "nobody"),
            Some(signatures) => {
                for signature in signatures {
                    page.line(4, "signed by", &self.signature(signature));
                }
            }
        }
    }

    fn signature(&self, signature: &Signature) -> String {
        let id = self.ids.of(&signature.key_id);
        let who = match signature.signer {
            Signer::Master => "the account key",
            Signer::Device(_) => "a device",
            Signer::Replaced => "a key since replaced",
            Signer::Unknown => "a key that nobody shows",
        };
        let worth = match signature.valid {
            Some(true) => "right",
            Some(false) => "broken",
            None => "not checked",
        };
        format!("{who} {id}: {worth}")
    }

    fn locks(&self, page: &mut Page) {
        let locks = &self.facts.overview.locks;
        page.heading("Secret storage");
        page.line(2, "locks", &grouped(locks.count() as u64));
        for (id, is_default) in locks.listed() {
            let mut about = Vec::new();
            if is_default {
                about.push("the default one");
            }
            if locks.description(&id).is_none() {
                about.push("not described");
            }
            let secret = locks.secret.as_ref();
            if secret.is_some_and(|secret| secret.key_ids().any(|held| held == id)) {
                about.push("with a key of a backup");
            }
            page.line(2, "lock", &format!("{}: {}", self.ids.of(&id), listed(&about)));
        }
        let Some(opened) = &self.facts.opened else {
            page.line(2, "secrets at hand", "none was given");
            return;
        };
        let ids: Vec<String> = opened.storage.iter().map(|id| self.ids.of(id)).collect();
        page.line(2, "opened locks", &listed(&ids));
        let names = |versions: &[String]| {
            let names: Vec<_> = versions.iter().map(|version| name(version).to_string()).collect();
            listed(&names)
        };
        page.line(2, "opened backups", &names(&opened.backups));
        page.line(2, "keys in storage", &names(&opened.in_storage));
    }

    fn contents(&self, page: &mut Page) {
        page.heading("Contents");
        if self.facts.readings.is_empty() {
            page.line(2, "read", "nothing");
        }
        for reading in &self.facts.readings {
            self.reading(reading, page);
        }
        if let Some(failure) = &self.facts.unread {
            page.line(2, "not read", failure.code().word());
        }
    }

    fn reading(&self, reading: &Reading, page: &mut Page) {
        page.line(2, &format!("backup {}", name(&reading.version)), "");
        let (entries, rooms) = (grouped(reading.entries), reading.rooms.len() as u64);
        page.line(4, "entries", &format!("{entries} in {}", counted(rooms, "room")));
        page.line(4, "whole", yes(reading.whole));
        page.line(4, "changed", yes(reading.changed));
        let opened = reading.opened.map_or("no key at hand".to_owned(), grouped);
        page.line(4, "opened", &opened);
        for (reason, count) in &reading.refused {
            page.line(4, "refused", &format!("{reason} {}", grouped(*count)));
        }
        let refused = |room: &super::doctor::facts::RoomReading| room.refused.values().sum::<u64>();
        let mut rooms: Vec<_> =
            reading.rooms.iter().filter(|(_, room)| refused(room) > 0).collect();
        rooms.sort_by(|(a_id, a), (b_id, b)| refused(b).cmp(&refused(a)).then(a_id.cmp(b_id)));
        for (id, room) in rooms {
            let reasons: Vec<_> = room
                .refused
                .iter()
                .map(|(reason, n)| format!("{reason} {}", grouped(*n)))
                .collect();
            let all = grouped(room.entries);
            page.line(4, "room", &format!("{}: {} of {all}", self.ids.of(id), listed(&reasons)));
        }
    }

    fn store(&self, page: &mut Page) {
        page.heading("Store on this computer");
        match &self.facts.store {
            StoreFacts::Nothing => page.line(2, "there", "no"),
            StoreFacts::NotTried => page.line(2, "closed", "no secret was given"),
            StoreFacts::Closed(failure) => page.line(2, "closed", failure.code().word()),
            StoreFacts::Open { info, damaged } => {
                page.line(2, "keys", &grouped(info.keys));
                page.line(2, "in doubt", &grouped(info.candidates));
                page.line(2, "rooms", &grouped(info.rooms));
                page.line(2, "size", &size(info.bytes));
                page.line(2, "damaged places", &grouped(*damaged));
                for lock in &info.slots {
                    // A lock of a backup is named by its public key.
                    let id = match lock.kind.word() {
                        "backup-key" => Shown::new(&lock.id).to_string(),
                        _ => self.ids.of(&lock.id),
                    };
                    page.line(2, "opens with", &format!("{} {id}", lock.kind.word()));
                }
                for source in &info.sources {
                    page.line(
                        2,
                        "from",
                        &match source {
                            Origin::Backup { version, public_key } => {
                                format!(
                                    "backup {}, public key {}",
                                    name(version),
                                    public_key.to_base64()
                                )
                            }
                            Origin::KeyFile { .. } => "a key file".to_owned(),
                        },
                    );
                }
            }
        }
    }
}

/// Words one after the other; a dash where there are none.
fn listed<T: AsRef<str>>(words: &[T]) -> String {
    if words.is_empty() {
        return "-".to_owned();
    }
    words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

/// A point in time to the second, as ISO 8601.
fn second(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second());
    whole.map_or_else(|_| String::new(), |whole| whole.to_string())
}

//! What fits what: one row for each lock, what came of every secret on it, and where it leads.

use super::several;
use crate::{
    base::{
        shown::{Shown, grouped},
        words::{about, counted, listed},
    },
    recovery::{
        fits::{Cell, LeadsTo, Outcome, Reading, Row as Lock},
        unlock::{LockKind, SecretKind},
        way_on::{Cause, Closed, storage_name},
    },
    tui::{
        intent::Intent,
        layout::Regions,
        message::Opened,
        model::Model,
        page::{Hint, Line, Page, Piece, Row, Side, Target, called, hint, line, mark, own},
        theme::Ink,
    },
};

/// Most secrets beside one another.
const SECRETS: usize = 2;
/// Cells of a column with outcomes.
const COLUMN: usize = 14;
/// Cells for how something can be.
const CAUSE: usize = 54;
/// Cells of the last column.
const LEADS: usize = 16;

/// How many locks are seen at once.
pub(super) fn height(model: &Model, regions: &Regions) -> usize {
    let locks = model.key.opened.as_ref().map_or(0, |opened| opened.table.rows.len());
    let others = if regions.is_roomy() { 8 } else { 2 };
    locks.min(regions.rows().saturating_sub(others)).max(1)
}

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let Some(opened) = &model.key.opened else { return Page::default() };
    let roomy = regions.is_roomy();
    let table = &opened.table;
    let mut rows = Vec::new();
    if roomy {
        rows.push(Row::text(given(opened)));
    }
    rows.push(verdict(model, opened, roomy));
    rows.push(Row::empty());
    if roomy {
        rows.push(head(opened, regions));
    }
    let cursor = model.fits_cursor();
    for place in cursor.seen(table.rows.len(), height(model, regions)) {
        let Some(lock) = table.rows.get(place) else { continue };
        let focus = place == cursor.at && model.overlays.is_empty();
        let row =
            if roomy { wide_row(opened, lock, focus, regions) } else { small_row(lock, focus) };
        rows.push(row.focused(focus).target(Target::Row(place)).cursor(focus.then_some(0)));
    }
    if roomy {
        rows.extend(meaning(model, opened));
    }
    let locks = table.locks() as u64;
    let verb = if table.open() == 1 { "opens" } else { "open" };
    Page {
        title: line("What your secrets open"),
        corner: line(format!("{} of {} {verb}", table.open(), counted(locks, "lock"))),
        rows,
        side: regions.side.map(|_| side(model, opened)),
        fact: fact(model, opened, roomy),
        next: next(model, opened, roomy),
        hints: hints(model),
        ..Page::default()
    }
}

/// What was given.
fn given(opened: &Opened) -> String {
    match opened.table.secrets.as_slice() {
        [SecretKind::RecoveryKey] => {
            "You typed a recovery key. 12 cells, checksum right.".to_owned()
        }
        [SecretKind::Passphrase] => "You typed a passphrase.".to_owned(),
        [SecretKind::RawKey] => "You typed a raw key of 32 bytes.".to_owned(),
        [_] => "This is no recovery key, and it was tried as a passphrase.".to_owned(),
        many => format!(
            "{} are at hand. What counts is what they open together.",
            counted(many.len() as u64, "secret")
        ),
    }
}

fn verdict(model: &Model, opened: &Opened, roomy: bool) -> Row {
    let good = model.target_version().is_some();
    let sign = match (good, opened.fits.is_empty()) {
        (true, _) => own("✓ ").ink(Ink::Ok),
        (false, false) => own("! ").ink(Ink::Warn),
        (false, true) => own("✗ ").ink(Ink::Warn),
    };
    let words = match (good, opened.fits.is_empty(), roomy) {
        (true, _, true) => opened.way_on.what.clone(),
        (true, ..) if opened.way_on.current_opens => "It opens your current backup.".to_owned(),
        (true, ..) => "Right, but for an older backup.".to_owned(),
        (false, true, true) => {
            "It opens nothing on this account. Nothing is lost, nothing was changed.".to_owned()
        }
        (false, true, false) => "It opens nothing. Nothing is lost.".to_owned(),
        (false, false, true) => format!("It is right, but: {}", lower(&opened.way_on.what)),
        (false, false, false) => "It opens secret storage, no backup.".to_owned(),
    };
    Row::wrapped(2, vec![sign, own(words)])
}

/// A sentence as it goes on after a colon.
fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The columns with outcomes: the two ways of reading one secret, or the last secrets beside one another.
fn columns(opened: &Opened) -> Vec<(String, Column)> {
    let table = &opened.table;
    if let [kind] = table.secrets.as_slice() {
        let key = if *kind == SecretKind::RawKey { "as raw key" } else { "as rec. key" };
        let ways = [(Reading::Key, key), (Reading::Passphrase, "as passphrase")];
        let ways = ways.into_iter().filter(|(reading, _)| table.was_read_as(*reading));
        return ways.map(|(reading, name)| (name.to_owned(), Column::As(reading))).collect();
    }
    let last = table.secrets.len().saturating_sub(SECRETS);
    let numbers = last..table.secrets.len();
    numbers.map(|number| (format!("secret {}", number + 1), Column::Of(number))).collect()
}

enum Column {
    As(Reading),
    Of(usize),
}

fn outcome<'a>(lock: &'a Lock, column: &Column) -> Option<&'a Outcome> {
    match column {
        Column::As(Reading::Key) => lock.cells.first().map(|cell| &cell.key),
        Column::As(Reading::Passphrase) => lock.cells.first().map(|cell| &cell.passphrase),
        Column::Of(secret) => lock.cells.get(*secret).map(Cell::best),
    }
}

fn head(opened: &Opened, regions: &Regions) -> Row {
    let columns = columns(opened);
    let mut head = vec![own("  "), own("lock").left(name_width(columns.len(), regions))];
    head.extend(columns.into_iter().map(|(name, _)| own(name).left(COLUMN)));
    head.push(own("leads to"));
    Row::of(head)
}

/// Cells for the name of a lock and its keys.
fn name_width(columns: usize, regions: &Regions) -> usize {
    regions.cells().saturating_sub(2 + columns * COLUMN + LEADS).clamp(20, 44)
}

fn wide_row(opened: &Opened, lock: &Lock, focus: bool, regions: &Regions) -> Row {
    let columns = columns(opened);
    let width = name_width(columns.len(), regions);
    let mut row = vec![mark(focus)];
    match lock.kind {
        LockKind::SecretStorage => row.push(own(name(lock, true)).left(width)),
        LockKind::Backup => {
            let keys = if lock.gone {
                "gone".to_owned()
            } else {
                lock.count.map_or_else(|| "?".to_owned(), |keys| counted(keys, "key"))
            };
            row.push(own(name(lock, true)).left(width.saturating_sub(13)));
            row.extend([own(keys).right(12), own(" ")]);
        }
    }
    row.extend(columns.iter().map(|(_, column)| cell(outcome(lock, column)).left(COLUMN)));
    row.push(own(leads_to(lock)));
    Row::of(row)
}

/// The two ways of reading become one result, the better one.
fn small_row(lock: &Lock, focus: bool) -> Row {
    let best = lock.cells.iter().map(Cell::best).max_by_key(|outcome| outcome.opens());
    let keys = lock.count.filter(|_| lock.opens()).map(|keys| counted(keys, "key"));
    let result = if lock.gone { own("gone") } else { cell(best) };
    Row::of(vec![
        mark(focus),
        own(name(lock, false)).left(13),
        result.left(12),
        own(keys.unwrap_or_default()),
    ])
}

fn name(lock: &Lock, long: bool) -> String {
    let id = match lock.kind {
        LockKind::SecretStorage => storage_name(&lock.id),
        LockKind::Backup => Shown::limited(&lock.id, 12),
    };
    match (lock.kind, lock.current, long) {
        (LockKind::SecretStorage, true, true) => format!("Secret storage {id}, default"),
        (LockKind::SecretStorage, false, true) => format!("Secret storage {id}"),
        (LockKind::SecretStorage, _, false) => format!("Storage {id}"),
        (LockKind::Backup, true, true) => format!("Backup {id}, current"),
        (LockKind::Backup, true, false) => format!("Backup {id} now"),
        (LockKind::Backup, false, _) => format!("Backup {id}"),
    }
}

fn cell(outcome: Option<&Outcome>) -> Piece {
    match outcome {
        None | Some(Outcome::Impossible) => own("–").ink(Ink::Muted),
        Some(Outcome::NotTried) => own("not tried").ink(Ink::Muted),
        Some(Outcome::No) => own("✗ no").ink(Ink::Muted),
        Some(Outcome::LeftOut { seconds }) => own(format!("? {}", about(*seconds))).ink(Ink::Warn),
        Some(Outcome::Maybe) => own("? maybe").ink(Ink::Warn),
        Some(Outcome::Opens { held_in: None, .. }) => own("✓ opens").ink(Ink::Ok),
        Some(Outcome::Opens { held_in: Some(id), .. }) => {
            own(format!("✓ with {}", storage_name(id))).ink(Ink::Ok)
        }
    }
}

fn leads_to(lock: &Lock) -> String {
    match &lock.leads_to {
        LeadsTo::Nowhere => "–".to_owned(),
        LeadsTo::Keys(count) => match (lock.sampled, count) {
            (Some((opened, tried)), _) => format!("{opened} of {tried} tried"),
            (None, Some(count)) => counted(*count, "key"),
            (None, None) => "its keys".to_owned(),
        },
        LeadsTo::KeyOf(versions) => {
            let names = versions.iter().map(|name| Shown::limited(name, 12).to_string());
            format!("key of backup {}", listed(&names.collect::<Vec<_>>()))
        }
        LeadsTo::KeyOfAnother => "another's key".to_owned(),
        LeadsTo::NoKey => "no key of one".to_owned(),
        LeadsTo::Damaged => "damaged".to_owned(),
    }
}

/// What it means: the versions that stay closed, or how nothing can fit.
fn meaning(model: &Model, opened: &Opened) -> Vec<Row> {
    let table = &opened.table;
    if opened.fits.is_empty() {
        let head = vec![own("How that can be").left(CAUSE), own("what helps")];
        let mut rows = vec![Row::of(head)];
        rows.extend(opened.causes.iter().map(|cause| {
            let words = own(format!("  {}", cause.words())).left(CAUSE);
            Row::of(vec![words, own(helps(*cause)).ink(Ink::Muted)])
        }));
        return rows;
    }
    let tries = match table.tries() as u64 {
        1 => "1 try".to_owned(),
        tries => format!("{} tries", grouped(tries)),
    };
    let locks = counted(table.locks() as u64, "lock");
    let mut rows =
        vec![Row::empty(), Row::text(format!("{locks}, {tries}, nothing sent to the server."))];
    let closed = opened.way_on.closed.iter().filter(|closed| closed.is_missed()).take(2);
    rows.extend(closed.map(|closed| Row::wrapped(0, line(closed_words(closed)))));
    if let Some(target) = model.target_version().filter(|it| !model.hauls.contains_key(it))
        && !model.is_offline()
    {
        let name = Shown::limited(&target, 20);
        rows.push(Row::wrapped(
            0,
            line(format!("Backup {name} is not read yet: Enter reads and saves it first.")),
        ));
    }
    rows
}

pub(super) fn closed_words(closed: &Closed) -> String {
    let version = Shown::limited(&closed.version, 20);
    match closed.could_open.is_empty() {
        true => format!("Backup {version} stays closed: {}.", closed.openers()),
        false => format!("Backup {version} stays closed. It opens with {}.", closed.openers()),
    }
}

/// What helps somebody in front of the assistant.
fn helps(cause: Cause) -> &'static str {
    match cause {
        Cause::Slips => "Enter searches for it",
        Cause::LeftOut => "Enter tries it",
        Cause::OtherAccount => "1  sign in there",
        Cause::GoneBackup => "o  an old snapshot",
        Cause::OtherPaper => "p  other key",
        Cause::Passphrase => "p  type it instead",
    }
}

/// The lock in focus, in its own frame.
fn side(model: &Model, opened: &Opened) -> Side {
    let said = |words: String| Row::wrapped(0, line(words));
    let Some(lock) = opened.table.rows.get(model.fits_cursor().at) else { return Side::default() };
    let mut rows = vec![Row::of(vec![own(name(lock, true)).ink(Ink::Strong)])];
    let made = lock.cells.iter().any(|cell| cell.passphrase != Outcome::Impossible);
    let looked = model.backups.looked.as_ref().map(|looked| &looked.overview);
    let version = looked.and_then(|overview| {
        overview.versions.iter().find(|one| lock.kind == LockKind::Backup && one.version == lock.id)
    });
    if lock.gone {
        rows.push(said("It was deleted. A snapshot of it may hold its keys.".to_owned()));
    }
    if let Some(version) = version {
        let key = version.public_key().map(|key| key.fingerprint());
        let key = key.unwrap_or_else(|_| "makes no sense".to_owned());
        rows.push(Row::text(format!("public key  {key}")));
    }
    if !lock.gone {
        let made = if made { "a passphrase or a recovery key" } else { "a recovery key only" };
        rows.push(Row::text(format!("made for    {made}")));
    }
    rows.push(Row::empty());
    for (number, one) in (1..).zip(&lock.cells) {
        let who = if lock.cells.len() > 1 { format!("Secret {number}: ") } else { String::new() };
        rows.push(said(format!("{who}{}", outcome_words(lock, one.best()))));
    }
    match &lock.leads_to {
        LeadsTo::KeyOf(versions) => {
            let names = versions.iter().map(|name| Shown::limited(name, 12).to_string());
            let names = listed(&names.collect::<Vec<_>>());
            rows.push(Row::empty());
            rows.push(said(format!("It holds the key of backup {names}.")));
        }
        LeadsTo::KeyOfAnother => {
            rows.push(said("It holds a key that is for no backup here.".to_owned()));
        }
        LeadsTo::NoKey => rows.push(said("It holds no key of a backup.".to_owned())),
        LeadsTo::Damaged => rows.push(said("What it holds is damaged.".to_owned())),
        LeadsTo::Nowhere | LeadsTo::Keys(_) => {}
    }
    let mut closed = opened.way_on.closed.iter();
    let closed = closed.find(|closed| lock.kind == LockKind::Backup && closed.version == lock.id);
    if let Some(closed) = closed {
        rows.push(Row::empty());
        rows.push(said(closed_words(closed)));
    }
    Side { title: line("Lock in focus"), rows }
}

/// How a lock was tried, in a sentence.
fn outcome_words(lock: &Lock, outcome: &Outcome) -> String {
    use crate::recovery::unlock::Proof;
    match outcome {
        Outcome::Impossible => "It cannot be tried on this lock.".to_owned(),
        Outcome::NotTried => "Not tried: it opened something in another way.".to_owned(),
        Outcome::No => "It does not open this lock: that is proven.".to_owned(),
        Outcome::LeftOut { seconds } => format!("Not tried yet: it takes {}.", about(*seconds)),
        Outcome::Maybe => "This lock has nothing to check it with.".to_owned(),
        Outcome::Opens { held_in: Some(id), .. } => {
            format!("It opens: its key is held in secret storage {}.", storage_name(id))
        }
        Outcome::Opens { proof: Proof::PublicKey, .. } => {
            "It opens: the public key made from it is that of the lock.".to_owned()
        }
        Outcome::Opens { proof: Proof::Mac, .. } => {
            "It opens: the contents carry a seal that only the right key confirms.".to_owned()
        }
        Outcome::Opens { proof: Proof::Entries, .. } => match lock.sampled {
            Some((opened, tried)) => format!("It opens {opened} of {tried} keys that were tried."),
            None => "It opens keys that were tried.".to_owned(),
        },
    }
}

/// How the lock in focus was tried, for a window without a second frame.
pub(in crate::tui) fn in_words(model: &Model) -> Option<String> {
    let lock = model.key.opened.as_ref()?.table.rows.get(model.fits_cursor().at)?;
    if lock.gone {
        return Some("It was deleted. A snapshot of it may hold its keys.".to_owned());
    }
    let best = lock.cells.iter().map(Cell::best).max_by_key(|outcome| outcome.opens())?;
    Some(outcome_words(lock, best))
}

fn fact(model: &Model, opened: &Opened, roomy: bool) -> Line {
    let restore = &opened.way_on.restore;
    let counts = opened.table.rows.iter().filter(|row| row.kind == LockKind::Backup && row.opens());
    let keys: u64 = counts.filter_map(|row| row.count).sum();
    let reach = match keys {
        1 => "1 key is within reach.".to_owned(),
        keys => format!("{} are within reach.", counted(keys, "key")),
    };
    let current = opened.way_on.closed.iter().find(|closed| closed.current);
    match (restore.is_empty(), current) {
        (false, Some(closed)) if roomy && !model.is_offline() => line(format!(
            "{reach} Backup {} needs another recovery key.",
            Shown::limited(&closed.version, 20)
        )),
        (false, _) => line(reach),
        (true, _) if opened.fits.is_empty() && roomy => match opened.kind {
            SecretKind::RecoveryKey => {
                line("A complete recovery key, but not for anything on this account.")
            }
            _ => line("Nothing is lost, nothing was changed, and nobody counts the tries."),
        },
        _ => line("Nothing is lost. Nobody counts."),
    }
}

fn next(model: &Model, opened: &Opened, roomy: bool) -> Line {
    let focus = opened.table.rows.get(model.fits_cursor().at);
    let focus = focus.filter(|row| row.kind == LockKind::Backup && row.opens());
    let ticked = model.target_versions();
    if ticked.len() > 1 && focus.is_none_or(|row| ticked.contains(&row.id)) {
        let open = ticked.iter().filter(|version| model.key_opens(version));
        let named = several::named(open);
        return line(match roomy {
            true => format!("press Enter to restore {named}."),
            false => format!("Enter restores {named}."),
        });
    }
    let target = focus.map(|row| row.id.clone()).or_else(|| model.target_version());
    let name = target.map(|target| Shown::limited(&target, 20));
    match name {
        Some(name) if roomy && !opened.way_on.current_opens && !model.is_offline() => {
            line(format!("press Enter to restore backup {name}. Then look for a newer paper."))
        }
        Some(name) if roomy => line(format!("press Enter to restore backup {name}.")),
        Some(name) => line(format!("Enter restores backup {name}.")),
        None if roomy && !opened.fits.is_empty() => {
            line("look for an app that is still signed in, or press p for another key.")
        }
        None if roomy && model.could_mend() => {
            line("press Enter to search for a slip, or p for another recovery key.")
        }
        None if roomy => line("press p for another recovery key, or Enter to look at this one."),
        None if model.could_mend() => line("Enter searches for a slip."),
        None => line("p tries another key."),
    }
}

fn hints(model: &Model) -> Vec<Hint> {
    let go_on = match model.target_version() {
        Some(_) => "restore",
        None if model.could_mend() => "search",
        None => "look again",
    };
    let mut hints = vec![called(Intent::GoOn, go_on), hint(Intent::OtherKey)];
    hints.push(hint(Intent::CheckUp));
    if model.regions().side.is_none() {
        hints.push(hint(Intent::Open));
    }
    hints.extend([hint(Intent::Copy), hint(Intent::Explain), hint(Intent::Help)]);
    hints.push(hint(Intent::Back));
    hints
}

/// The table for the clipboard: no names, nothing secret.
pub(super) fn to_copy(model: &Model) -> Option<String> {
    let opened = model.key.opened.as_ref()?;
    let lines = opened.table.rows.iter().map(|lock| {
        let words = match lock.gone {
            true => "gone".to_owned(),
            false => {
                let cells = lock.cells.iter().map(|cell| {
                    let key = cell.key.word().map(|word| format!("as key {word}"));
                    let made = cell.passphrase.word().map(|word| format!("as passphrase {word}"));
                    let ways: Vec<String> = key.into_iter().chain(made).collect();
                    if ways.is_empty() { "not possible".to_owned() } else { ways.join(", ") }
                });
                cells.collect::<Vec<_>>().join("; ")
            }
        };
        format!("{}: {words}", name(lock, true).to_lowercase())
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// What is said on the screen of the key of other secrets that are at hand.
pub(super) fn others_words(model: &Model) -> Option<String> {
    let others = model.key.others.len() as u64;
    if others == 0 {
        return None;
    }
    let kept = match others {
        1 => "Another secret stays at hand".to_owned(),
        others => format!("{} stay at hand", counted(others, "other secret")),
    };
    Some(match model.key.field.is_empty() {
        true => format!("Type one more recovery key or passphrase. {kept}."),
        false => format!("{kept}: all are tried together."),
    })
}

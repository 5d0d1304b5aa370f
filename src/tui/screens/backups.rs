//! Step 2: which versions exist, how they changed, who signed them.

use super::several;
use crate::{
    backup::version::BackupVersion,
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
        words::{counted, when},
    },
    recovery::{
        trust::{SignedBy, Who, Worth},
        unlock::{Fit, LockKind},
    },
    tui::{
        backups::Row as Known,
        intent::Intent,
        jobs::Work,
        layout::Regions,
        model::Model,
        page::{
            Hint, Line, Page, Piece, Row, Side, Target, called, hint, line, mark, mark_and_box,
            own, private,
        },
        theme::Ink,
    },
};

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let title = match super::user(model).filter(|_| !model.is_offline()) {
        Some(user) => vec![own("Backups of "), private(&user)],
        None if model.is_offline() => line("Backups in this snapshot"),
        None => line("Backups"),
    };
    let known = &model.backups;
    if known.looked.is_some() && known.versions().is_empty() {
        return none(title, model);
    }
    let mut rows = table(model, regions);
    let facts = facts(model);
    let side = regions.side.map(|_| Side {
        title: line("Backup in focus"),
        rows: facts.iter().chain(&detail(model)).cloned().collect(),
    });
    let warning = warning(model, roomy);
    if roomy {
        if side.is_none() {
            rows.push(Row::empty());
            rows.extend(facts);
        }
        rows.extend([vec![Row::empty(); usize::from(side.is_some())], storage(model)].concat());
        rows.extend([vec![Row::empty()], warning].concat());
    } else {
        rows.push(Row::empty());
        rows.extend(warning);
    }
    Page {
        title,
        corner: corner(model),
        edge: edge(model),
        rows,
        side,
        fact: fact(model, roomy),
        next: next(model, roomy),
        hints: hints(model),
        ..Page::default()
    }
}

/// A version's name.
pub(super) fn name(version: &BackupVersion) -> Shown {
    Shown::limited(&version.version, 20)
}

fn corner(model: &Model) -> Line {
    let known = &model.backups;
    if known.looked.is_none() {
        return if model.visiting.is_some() { line("asking …") } else { Line::new() };
    }
    let exist = known.versions().len() as u64;
    let verb = if exist == 1 { "exists" } else { "exist" };
    match known.gone() {
        0 => line(format!("{} {verb}", grouped(exist))),
        gone => line(format!("{} {verb}, {} gone", grouped(exist), grouped(gone as u64))),
    }
}

fn table(model: &Model, regions: &Regions) -> Vec<Row> {
    let roomy = regions.is_roomy();
    let known = &model.backups;
    let mut rows = Vec::new();
    let widths = Widths::of(regions, known.versions().len() > 1);
    if roomy {
        let mut heading = vec![own(" ".repeat(widths.mark))];
        heading.push(own("backup").left(widths.name));
        heading.push(own("keys").right(widths.keys));
        heading.extend([own("   "), own("public key").left(widths.fingerprint)]);
        heading.extend([own("   "), own("signed by").left(widths.signer)]);
        heading.push(own("your key").right(widths.opens));
        rows.push(Row::of(heading.into_iter().map(|piece| piece.ink(Ink::Muted)).collect()));
    }
    let mut place = 0;
    for row in known.rows() {
        match row {
            Known::There(version) => {
                let focus = place == known.cursor.at && model.overlays.is_empty();
                let row = version_row(model, version, &widths, focus);
                rows.push(row.target(Target::Row(place)));
                place += 1;
            }
            Known::Gone(number) => {
                let mut gone = vec![own(" ".repeat(widths.mark))];
                gone.push(own(format!("{number}")).left(widths.name));
                gone.push(own("–").right(widths.keys));
                gone.push(own(if roomy { "   " } else { "  " }));
                gone.push(own("gone").left(widths.fingerprint));
                if roomy {
                    gone.extend([own("   "), own("–").left(widths.signer)]);
                    gone.push(own("–").right(widths.opens));
                }
                rows.push(Row::of(gone.into_iter().map(|piece| piece.ink(Ink::Muted)).collect()));
            }
        }
    }
    if known.looked.is_none() {
        rows.push(Row::text(match model.jobs.since(&Work::SignIn) {
            Some(_) => "  … signing in",
            None if model.jobs.since(&Work::Look).is_some() => "  … asking for older ones",
            None => "  Nothing is known yet. r asks the server.",
        }));
    }
    if let Some(looked) = &known.looked
        && looked.overview.all_found == Some(false)
    {
        rows.push(Row::empty());
        rows.push(Row::wrapped(
            2,
            line(format!("  {}", Failure::new(Code::OlderNotListed).what())),
        ));
        rows.push(Row::text("  keyhaul can ask for one if you know its number: press #."));
    }
    rows
}

/// Cells of a box with the mark of the focus before it.
const BOX: usize = 5;

struct Widths {
    mark: usize,
    name: usize,
    keys: usize,
    fingerprint: usize,
    signer: usize,
    opens: usize,
}

impl Widths {
    fn of(regions: &Regions, several: bool) -> Self {
        // A box has a use where there is more than one.
        let mark = if several { BOX } else { 2 };
        let cells = regions.cells() - mark;
        if !regions.is_roomy() {
            let signer = cells.saturating_sub(11 + 8 + 2);
            return Self { mark, name: 11, keys: 8, fingerprint: signer, signer, opens: 0 };
        }
        let (name, keys, fingerprint, opens) = (11, 9, 14, 10);
        let signer = cells.saturating_sub(name + keys + 3 + fingerprint + 3 + opens);
        Self { mark, name, keys, fingerprint, signer, opens }
    }
}

fn version_row(model: &Model, version: &BackupVersion, widths: &Widths, focus: bool) -> Row {
    let known = &model.backups;
    let current = if known.is_current(version) && !model.is_offline() { " current" } else { "" };
    let mut row = match widths.mark {
        BOX => mark_and_box(focus, known.is_ticked(&version.version)).to_vec(),
        _ => vec![mark(focus)],
    };
    row.push(own(format!("{}{current}", name(version).cut(11))).left(widths.name));
    let count = version.count.map_or_else(|| "?".to_owned(), grouped);
    row.push(own(count).right(widths.keys));
    if widths.opens == 0 {
        // The small window says who signed, without public keys.
        row.push(own("  "));
        row.extend(signers(model, version, widths.signer));
    } else {
        let fingerprint = match version.public_key() {
            Ok(key) => own(key.fingerprint()),
            Err(_) if version.supported() => own("damaged").ink(Ink::Warn),
            Err(_) => own("unknown kind").ink(Ink::Warn),
        };
        row.extend([own("   "), fingerprint.left(widths.fingerprint), own("   ")]);
        row.extend(signers(model, version, widths.signer));
        row.push(opens(model, version).right(widths.opens));
    }
    Row::of(row).focused(focus).cursor(focus.then_some(0))
}

/// Whether what was typed at step 4 opens a version.
fn opens(model: &Model, version: &BackupVersion) -> Piece {
    let Some(opened) = &model.key.opened else { return own("not tried").ink(Ink::Muted) };
    let fits = |fit: &Fit| fit.kind == LockKind::Backup && fit.id == version.version;
    match opened.fits.iter().any(fits) {
        true => own("✓ opens").ink(Ink::Ok),
        false => own("does not").ink(Ink::Muted),
    }
}

/// The column of signers: the first one, and how many more there are.
fn signers(model: &Model, version: &BackupVersion, width: usize) -> Vec<Piece> {
    let Some(signers) = model.backups.signers(version) else {
        return vec![own("… asking").ink(Ink::Muted).left(width)];
    };
    let Some(first) = signers.first() else {
        return vec![own("nobody").left(width)];
    };
    let sign = match first.worth {
        Worth::Proven => own("✓ ").ink(Ink::Ok),
        Worth::NotProven => own("? ").ink(Ink::Warn),
        Worth::Broken => own("✗ broken: ").ink(Ink::Danger),
        Worth::Nothing => own(""),
    };
    let pen = model.pen();
    let mut pieces = vec![sign];
    pieces.extend(who(first));
    if signers.len() > 1 {
        pieces.push(own(format!(" +{}", signers.len() - 1)));
    }
    // The column is as wide as it is, whatever the mask or ASCII made of its pieces.
    let cells = |piece: &Piece| unicode_width::UnicodeWidthStr::width(pen.words(piece).as_str());
    let mut left = width;
    let mut fitted = Vec::new();
    for piece in pieces {
        let cells = cells(&piece).min(left);
        left -= cells;
        fitted.push(piece.left(cells));
    }
    fitted.push(own("").left(left));
    fitted
}

fn who(signer: &SignedBy) -> Vec<Piece> {
    match &signer.who {
        Who::Account => line("your account"),
        Who::Device(name) => vec![own("device “"), private(name), own("”")],
        Who::DeviceId(id) => vec![own("device "), private(&id.cut(16))],
        Who::Replaced => line("a key since replaced"),
        Who::Unknown => line("unknown key"),
        Who::NotChecked(id) => vec![own("not checked: "), private(&id.cut(12))],
    }
}

/// What is to be said of the version in focus.
fn facts(model: &Model) -> Vec<Row> {
    let known = &model.backups;
    let Some(version) = known.focus() else { return Vec::new() };
    let mut rows = vec![Row::of(vec![own(format!("Backup {}", name(version))).ink(Ink::Strong)])];
    let said = |text: String| Row::wrapped(2, line(format!("  {text}")));
    let count = version.count.map(|count| {
        let source = if model.is_offline() { "It held" } else { "The server says" };
        format!("{source} {}.", counted(count, "key"))
    });
    let count = count.unwrap_or_default();
    rows.push(said(match (model.is_offline(), known.is_current(version)) {
        (true, _) => count,
        (false, true) => format!("Your devices write to it now. {count}"),
        (false, false) => format!("An older one: nothing is written to it any more. {count}"),
    }));
    if let Some(earlier) = known.earlier(version) {
        let at = when(earlier.at, model.wall(), &model.settings.zone);
        rows.push(said(match (earlier.count, version.count) {
            _ if earlier.same => format!("Nothing changed since your last visit, {at}."),
            (Some(before), Some(now)) if now > before => {
                let more = grouped(now - before);
                format!("{more} more than at your last visit, {at}. Nothing went missing.")
            }
            (Some(before), Some(now)) if now < before => {
                let fewer = grouped(before - now);
                format!("! {fewer} fewer than at your last visit, {at}.")
            }
            _ => format!("It changed since your last visit, {at}."),
        }));
    }
    rows.push(said(signed(model, version).to_owned()));
    rows
}

fn signed(model: &Model, version: &BackupVersion) -> &'static str {
    let known = &model.backups;
    let judged = known.looked.as_ref().is_some_and(|looked| looked.judged);
    match known.signers(version).and_then(<[SignedBy]>::first) {
        None if known.looked.is_none() => "Who signed it is being asked.",
        None => "Nobody signed it. Many apps do not; your recovery key is the proof.",
        Some(_) if !judged => "Its signatures are not checked: nobody shows the keys for it.",
        Some(SignedBy { worth: Worth::Proven, .. }) => {
            "Signed by your account, proven by the key in secret storage."
        }
        Some(SignedBy { worth: Worth::Broken, .. }) => {
            "! A signature is there and does not fit. Somebody changed this backup."
        }
        Some(SignedBy { who: Who::Account, .. }) => {
            "Signed with the account key the server shows: ? is “not proven yet”."
        }
        Some(SignedBy { who: Who::Replaced, .. }) => {
            "Signed before your account's identity was reset. That is normal."
        }
        Some(SignedBy { who: Who::Unknown, .. }) => "Signed by a key that is not your account's.",
        Some(_) => "Signed by a device of yours, says the server: ? is “not proven yet”.",
    }
}

/// The technical side of the version in focus.
fn detail(model: &Model) -> Vec<Row> {
    let Some(version) = model.backups.focus() else { return Vec::new() };
    let mut rows = vec![Row::empty()];
    let mut add = |name: &'static str, text: String| {
        rows.push(Row::of(vec![own(name).ink(Ink::Muted)]));
        rows.push(Row::wrapped(2, line(format!("  {text}"))));
    };
    if let Ok(key) = version.public_key() {
        // Broken where there is room, so that it can be compared to the last character.
        let key = key.to_base64();
        let (head, tail) = key.split_at_checked(22).unwrap_or((&key, ""));
        add("public key", format!("{head} {tail}"));
    }
    add("algorithm", Shown::limited(&version.algorithm, 80).cut(36).to_string());
    if let Some(etag) = &version.etag {
        add("etag", Shown::limited(etag, 36).to_string());
    }
    rows
}

fn storage(model: &Model) -> Vec<Row> {
    let Some(looked) = &model.backups.looked else { return Vec::new() };
    let locks = looked.overview.locks.count() as u64;
    vec![
        Row::of(vec![own("Secret storage").ink(Ink::Strong)]),
        Row::wrapped(
            2,
            line(match locks {
                0 => "  Your account has none, as far as is known here.".to_owned(),
                _ => format!(
                    "  There, with {}. What it holds is known once one of them is open.",
                    counted(locks, "lock")
                ),
            }),
        ),
    ]
}

fn warning(model: &Model, roomy: bool) -> Vec<Row> {
    if model.is_offline() || model.backups.versions().is_empty() {
        return Vec::new();
    }
    if !roomy {
        return vec![Row::of(vec![
            own("! ").ink(Ink::Warn),
            own("Do not press “reset” elsewhere now."),
        ])];
    }
    vec![
        Row::of(vec![
            own("! ").ink(Ink::Warn),
            own("Do not press “reset” in another app now. It may delete older backups."),
        ]),
        Row::text("  keyhaul saves a locked copy of each backup which you open."),
    ]
}

fn edge(model: &Model) -> Line {
    let ticked = model.backups.ticked();
    let keys: u64 = ticked.iter().filter_map(|version| version.count).sum();
    match (ticked.as_slice(), model.backups.focus()) {
        ([_, _, ..], _) => {
            let count = grouped(ticked.len() as u64);
            line(format!("{count} chosen, {}", counted(keys, "key")))
        }
        ([one], _) => line(format!("backup {} chosen", name(one))),
        ([], Some(version)) if known_several(model) => {
            line(format!("nothing chosen: Enter opens backup {}", name(version)))
        }
        ([], Some(version)) => line(format!("Enter opens backup {}", name(version))),
        ([], None) => Line::new(),
    }
}

fn known_several(model: &Model) -> bool {
    model.backups.versions().len() > 1
}

fn fact(model: &Model, roomy: bool) -> Line {
    let known = &model.backups;
    if known.looked.is_none() {
        return match known.seen.first() {
            Some(first) if roomy => {
                let name = name(first);
                line(format!("Backup {name} is here already. keyhaul looks for older ones."))
            }
            Some(_) => line("keyhaul looks for older ones."),
            None => line("Nothing is changed by looking."),
        };
    }
    if model.is_offline() {
        let read = model.haul().and_then(crate::tui::haul::Haul::saved).map(|saved| saved.read);
        let read = read.map(|read| when(read, model.wall(), &model.settings.zone));
        return line(match read {
            Some(read) => format!("This is how it looked {read}. It may differ now."),
            None => "This is how it looked when it was saved. It may differ now.".to_owned(),
        });
    }
    if let Some((current, fuller)) = known.emptier() {
        let (new, old) = (name(current), name(fuller));
        let keys = fuller.count.map_or_else(|| "your".to_owned(), grouped);
        return line(format!("Backup {new} is new and emptier. {keys} keys are in backup {old}."));
    }
    let count = known.versions().len() as u64;
    match count {
        1 => line("There is one backup."),
        _ if roomy => line(format!(
            "{} exist. An older one may hold keys that the current one lacks.",
            counted(count, "backup")
        )),
        _ => line(format!("{} exist.", counted(count, "backup"))),
    }
}

fn next(model: &Model, roomy: bool) -> Line {
    let known = &model.backups;
    if let Some((_, fuller)) = known.emptier()
        && known.focus().is_none_or(|focus| focus.version != fuller.version)
    {
        return line(format!("choose backup {} with ↓.", name(fuller)));
    }
    let ticked = model.ticked();
    if ticked.len() > 1 {
        let named = several::named(ticked.iter());
        return line(match roomy {
            true => format!("press Enter to go on to the key with {named}."),
            false => format!("Enter goes on with {named}."),
        });
    }
    let chosen = known.ticked().first().copied();
    match chosen.or(known.focus()) {
        Some(version) if roomy => {
            line(format!("press Enter to see what backup {} holds.", name(version)))
        }
        Some(version) => line(format!("Enter shows backup {}.", name(version))),
        None if model.jobs.since(&Work::SignIn).is_some() => line("wait a moment."),
        None if model.jobs.since(&Work::Look).is_some() => line("wait a moment."),
        None => line("press r to ask the server, or o for a snapshot."),
    }
}

fn hints(model: &Model) -> Vec<Hint> {
    let mut hints = Vec::new();
    if model.backups.focus().is_some() {
        hints.push(called(
            Intent::GoOn,
            if model.ticked().len() > 1 { "go on" } else { "contents" },
        ));
    }
    if known_several(model) {
        hints.push(hint(Intent::Choose));
    }
    hints.extend([hint(Intent::Compare), hint(Intent::CheckUp)]);
    hints.push(called(Intent::Again, "ask again"));
    hints.push(hint(Intent::OpenFile));
    if model.backups.looked.as_ref().is_some_and(|l| l.overview.all_found == Some(false)) {
        hints.insert(1, hint(Intent::ByNumber));
    }
    hints.extend([hint(Intent::Explain), hint(Intent::Help), hint(Intent::Back)]);
    hints
}

/// There is no backup: where keys may be instead.
fn none(title: Line, model: &Model) -> Page {
    let words = Failure::new(Code::NoBackup);
    let said = |words: &'static str| Row::wrapped(2, vec![own("  "), own(words)]);
    let rows = vec![
        Row::of(vec![own("! ").ink(Ink::Warn), own(words.what()).ink(Ink::Danger)]),
        said("Nothing was lost by looking. Keys may still be in other places:"),
        Row::empty(),
        said("An app where you are still signed in. Do not sign out there."),
        said("It can make a key file, which keyhaul reads: keyhaul import FILE"),
        said("A key file which you saved earlier: keyhaul import FILE"),
        said("A snapshot which keyhaul saved earlier: o opens it"),
        said("Another account or server: 1 goes back to Sign in"),
    ];
    let mut hints = vec![called(Intent::OpenFile, "snapshot"), hint(Intent::CheckUp)];
    hints.push(called(Intent::Again, "ask again"));
    hints.extend([hint(Intent::Explain), hint(Intent::Help), hint(Intent::Back)]);
    Page {
        title,
        rows,
        fact: line("There is no backup on this server. Nothing was changed."),
        next: line("look for a phone or computer where you are still signed in."),
        hints: if model.is_offline() { Vec::new() } else { hints },
        ..Page::default()
    }
}

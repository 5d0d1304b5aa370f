//! Step 7: what is on this computer, and how to take it along.

use super::sign_in::lower_first;
use crate::{
    base::{
        failure::Code,
        shown::{Shown, grouped},
        words::{counted, size},
    },
    recovery::key_files::{HOW_TO_IMPORT, passphrase::Strength},
    tui::{
        field::SecretField,
        intent::Intent,
        jobs::Work,
        layout::Regions,
        model::Model,
        page::{Hint, Line, Page, Row, Target, called, hint, line, mark, own, private},
        paper_form::Paper,
        take_away::{Item, Missing, Part},
        theme::Ink,
    },
};

/// Failures that another name for the file helps.
const OF_FILES: [Code; 3] = [Code::NoPermission, Code::FileNotPlain, Code::DiskFull];

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let mut rows = Vec::new();
    rows.extend(here_rows(model, roomy));
    rows.push(Row::empty());
    let mut head = None;
    for (place, item) in model.take_away_items().into_iter().enumerate() {
        let title = match item {
            Item::KeyFile => "For your other apps",
            Item::Paper(_) => "For later",
            Item::SignOut | Item::Stay => "To finish",
        };
        if roomy && head != Some(title) {
            head = Some(title);
            rows.push(Row::of(vec![own(title).ink(Ink::Strong)]));
        }
        let (name, says) = item_words(model, item);
        let focus = place == model.take.cursor.at && model.overlays.is_empty();
        let mut row = vec![mark(focus), own(name).left(25)];
        if roomy {
            row.push(own(says).ink(Ink::Muted));
        }
        let row = Row::of(row).focused(focus).target(Target::Row(place));
        rows.push(row.cursor(focus.then_some(0)));
    }
    Page {
        title: line("Take away"),
        corner: if roomy { line("server: no backup was changed") } else { Line::new() },
        rows,
        fact: line(match model.has_keys_here() {
            true => "Your keys are here. Other apps do not see them by themselves.",
            false => "No keys were restored yet.",
        }),
        next: next(model),
        hints: vec![
            called(Intent::GoOn, "choose"),
            hint(Intent::Copy),
            hint(Intent::Explain),
            hint(Intent::Help),
            hint(Intent::Leave),
            hint(Intent::Back),
        ],
        ..Page::default()
    }
}

fn next(model: &Model) -> Line {
    if !model.has_keys_here() {
        return line("press 4 and type your recovery key, or leave with q.");
    }
    line(match model.take_away_items().get(model.take.cursor.at) {
        Some(Item::KeyFile) => "press Enter to make a key file, or ↓ to finish.",
        Some(Item::Paper(Paper::Sheet)) => "press Enter to write a sheet to print.",
        Some(Item::Paper(Paper::Report)) => "press Enter to write a report for support.",
        Some(Item::SignOut) => "press Enter to sign out and leave.",
        Some(Item::Stay) => "press Enter to leave and stay signed in.",
        None => "choose with ↓ and press Enter.",
    })
}

fn item_words(model: &Model, item: Item) -> (&'static str, String) {
    match item {
        Item::KeyFile => {
            let chosen = model.chosen_for_file().len() as u64;
            let says = match chosen {
                0 => "all rooms, for Element and others".to_owned(),
                1 => "all rooms, or the chosen one".to_owned(),
                chosen => format!("all rooms, or the {} chosen ones", grouped(chosen)),
            };
            ("Key file", says)
        }
        Item::Paper(Paper::Sheet) => {
            ("Recovery sheet", "to print: everything but the recovery key".to_owned())
        }
        Item::Paper(Paper::Report) => {
            ("Report for support", "numbers and reasons; no names, no messages".to_owned())
        }
        Item::SignOut if model.account.is_none() => {
            ("Leave", "your keys stay on this computer, locked".to_owned())
        }
        Item::SignOut if model.has_others_device() => {
            ("Leave", "you stay signed in as before".to_owned())
        }
        Item::SignOut => ("Sign out and leave", "removes the device “keyhaul recovery”".to_owned()),
        Item::Stay => ("Leave, stay signed in", "the next visit needs no password".to_owned()),
    }
}

/// What is on this computer now.
fn here_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let there = |words: Line| {
        let mut row = vec![own("  ✓ ").ink(Ink::Ok)];
        row.extend(words);
        Row::wrapped(4, row)
    };
    if roomy {
        rows.push(Row::of(vec![own("On this computer now").ink(Ink::Strong)]));
    }
    let planned = model.restore.plan.as_ref().map(|plan| plan.stored_total);
    let total = model.restore.last.as_ref().map(|last| last.stored_total).or(planned).unwrap_or(0);
    if total > 0 {
        rows.push(there(line(format!("{}, locked with your recovery key", counted(total, "key")))));
    } else {
        rows.push(Row::text("  – no keys were restored in this visit"));
    }
    if !roomy {
        return rows;
    }
    for (version, haul) in &model.hauls {
        let Some(saved) = haul.saved() else { continue };
        let version = Shown::limited(version, 20);
        rows.push(there(line(format!(
            "a snapshot of backup {version}, still locked ({})",
            size(saved.bytes)
        ))));
    }
    for made in &model.take.made {
        let file = Shown::new(&made.file.to_string_lossy());
        rows.push(there(vec![own("a key file: "), private(&file)]));
    }
    for (paper, file) in &model.take.paper.made {
        let file = Shown::new(&file.to_string_lossy());
        rows.push(there(vec![own(format!("a {}: ", paper.name())), private(&file)]));
    }
    rows.push(Row::text("  – no messages are saved"));
    rows
}

pub(super) fn form_page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let form = &model.take.form;
    let rooms = model.chosen_for_file();
    let column = if roomy { 13 } else { 8 };
    let width = regions.cells().saturating_sub(column + 6).min(50);
    let here = |part: Part| form.part == part && model.overlays.is_empty();
    let label = |part: Part, text: &'static str| vec![mark(here(part)), own(text).left(column)];
    let mut rows = Vec::new();
    for part in form.parts(!rooms.is_empty()) {
        match part {
            Part::File => {
                let (text, at) = form.file.window(width);
                let mut row = label(part, "File");
                row.extend([own("[ "), private(&Shown::new(text)).left(width), own(" ]")]);
                let at = if model.masked { 0 } else { at };
                rows.push(Row::of(row).cursor(here(part).then_some(column + 4 + at)));
                if let Some(failure) = &form.failed {
                    let failure = model.told(failure);
                    rows.push(Row::wrapped(
                        4,
                        vec![own("  ! ").ink(Ink::Warn), own(failure.what()).ink(Ink::Danger)],
                    ));
                } else if roomy && !form.file.text().trim().ends_with(".txt") {
                    rows.push(Row::text("  Some apps take only files that end in .txt."));
                }
            }
            Part::Rooms => {
                let which = match form.all_rooms {
                    true => "‹ all rooms ›".to_owned(),
                    false if rooms.len() == 1 => "‹ the chosen one ›".to_owned(),
                    false => format!("‹ the {} chosen ones ›", grouped(rooms.len() as u64)),
                };
                let mut row = label(part, "Rooms");
                row.push(own(which));
                rows.push(Row::of(row).focused(here(part)).cursor(here(part).then_some(0)));
            }
            Part::Kind => {
                let which =
                    if form.own { "‹ I choose one ›" } else { "‹ make one for me ›" };
                let mut row = label(part, if roomy { "Passphrase" } else { "Phrase" });
                row.push(own(which));
                rows.push(Row::of(row).focused(here(part)).cursor(here(part).then_some(0)));
                if !form.own {
                    rows.extend(made_rows(model, roomy));
                }
            }
            Part::Written => {
                let sign = if form.written { "[x] " } else { "[ ] " };
                let mut row = vec![mark(here(part)), own(" ".repeat(column))];
                row.extend([own(sign), own("I have written it down")]);
                rows.push(Row::of(row).focused(here(part)).cursor(here(part).then_some(0)));
            }
            Part::Chosen => {
                let words = match (form.chosen.is_empty(), form.strength()) {
                    (true, _) => "12 characters at least",
                    (_, Strength::TooShort) => "too short",
                    (_, Strength::Weak) => "weak",
                    (_, Strength::Fair) => "fair",
                    (_, Strength::Good) => "good",
                };
                rows.push(secret_row(
                    model,
                    &form.chosen,
                    label(part, ""),
                    here(part),
                    roomy,
                    words,
                ));
            }
            Part::Again => {
                let words = match (form.again.is_empty(), form.is_same()) {
                    (true, _) => "",
                    (_, true) => "the same",
                    (_, false) => "not the same yet",
                };
                rows.push(secret_row(
                    model,
                    &form.again,
                    label(part, "Again"),
                    here(part),
                    roomy,
                    words,
                ));
            }
        }
        if roomy && matches!(part, Part::File | Part::Rooms) {
            rows.push(Row::empty());
        }
    }
    if roomy {
        rows.push(Row::empty());
        rows.push(Row::wrapped(
            0,
            line("Whoever finds the file can try passphrases without limit. It opens only with this one."),
        ));
    }
    if model.jobs.job(&Work::Export).is_some() {
        let keys = counted(model.take.carried, "key");
        rows.push(Row::empty());
        rows.push(Row::text(format!("… writing: {keys} so far")));
    }
    Page {
        title: line("Key file"),
        corner: line(if rooms.is_empty() || form.all_rooms { "all rooms" } else { "chosen rooms" }),
        rows,
        fact: form_fact(model),
        next: form_next(model),
        hints: form_hints(model),
        ..Page::default()
    }
}

/// The passphrase that was made; under the mask others may see it.
fn made_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let lead = "    ";
    let Some(made) = &model.take.form.made else {
        return vec![Row::text(format!("{lead}… making one"))];
    };
    if model.masked {
        return vec![Row::wrapped(
            4,
            line(format!("{lead}Hidden: unmask with m when nobody watches, or choose your own.")),
        )];
    }
    let mut rows: Vec<Row> = halves(made.expose(), roomy)
        .into_iter()
        .map(|half| Row::of(vec![own(lead), own(half).ink(Ink::Secret)]))
        .collect();
    if roomy {
        rows.push(Row::text(format!("{lead}Write it down now. The file is useless without it.")));
    }
    rows
}

/// A passphrase on one line, or on two where one is too short for it.
fn halves(passphrase: &str, roomy: bool) -> Vec<String> {
    let words: Vec<&str> = passphrase.split('-').collect();
    let (first, second) = words.split_at(words.len() / 2);
    match roomy {
        true => vec![Shown::new(passphrase).to_string()],
        false => vec![format!("{}-", first.join("-")), second.join("-")],
    }
}

fn secret_row(
    model: &Model,
    field: &SecretField,
    label: Line,
    here: bool,
    roomy: bool,
    words: &'static str,
) -> Row {
    let width = if roomy { 30 } else { 14 };
    let column = if roomy { 13 } else { 8 };
    let (text, at) = field.window(width, model.now);
    let visible = field.is_shown(model.now) && !model.masked;
    let shown = own(Shown::new(&text).to_string());
    let ink = if visible { Ink::Secret } else { Ink::Plain };
    let mut row = label;
    row.extend([own("[ "), shown.ink(ink).left(width), own(" ] "), own(words).ink(Ink::Muted)]);
    Row::of(row).cursor(here.then_some(column + 4 + at))
}

fn form_fact(model: &Model) -> Line {
    let form = &model.take.form;
    match &form.failed {
        Some(failure) => line(model.told(failure).safe()),
        None if form.own => line("The passphrase stays on this computer. Nobody can restore it."),
        None => line("Six words of a list of 7 776: nobody tries them all."),
    }
}

fn form_next(model: &Model) -> Line {
    let form = &model.take.form;
    if model.jobs.job(&Work::Export).is_some() {
        return line("wait a moment, or press Ctrl-C to stop.");
    }
    match &form.failed {
        Some(failure) if OF_FILES.contains(&failure.code()) => {
            return line("type another name, in a folder where you may write.");
        }
        Some(failure) => return line(lower_first(&model.told(failure).next())),
        None => {}
    }
    line(match form.missing() {
        Some(Missing::Name) => "type a name for the file.",
        Some(Missing::Making) => "wait a moment.",
        Some(Missing::WrittenDown) => "write the passphrase down, then confirm with Tab and Space.",
        Some(Missing::Longer) => "type a passphrase of 12 characters or more.",
        Some(Missing::Same) => "type it once more.",
        None => "press Enter to make the file.",
    })
}

fn form_hints(model: &Model) -> Vec<Hint> {
    let form = &model.take.form;
    let mut hints = vec![called(Intent::GoOn, "make it"), called(Intent::NextPart, "next")];
    match form.part {
        Part::Rooms | Part::Kind => hints.push(hint(Intent::Choose)),
        Part::Written => hints.push(called(Intent::Choose, "confirm")),
        Part::Chosen => hints.push(hint(Intent::Show)),
        Part::File | Part::Again => {}
    }
    hints.extend([hint(Intent::Help), hint(Intent::Explain), hint(Intent::Back)]);
    hints
}

/// The key file that was made, and what other apps do with it.
pub(super) fn made_page(model: &Model, regions: &Regions) -> Page {
    let Some(made) = model.take.made.last() else { return Page::default() };
    let roomy = regions.is_roomy();
    let file = Shown::new(&made.file.to_string_lossy());
    let good = |words: Line| {
        let mut row = vec![own("✓ ").ink(Ink::Ok)];
        row.extend(words);
        Row::wrapped(2, row)
    };
    let exported = &made.exported;
    let verb = if exported.sessions == 1 { "is" } else { "are" };
    let mut rows = vec![
        good(vec![
            own(format!("{} {verb} in ", counted(exported.sessions, "key"))),
            private(&file),
            own(format!(" ({}).", size(exported.bytes))),
        ]),
        good(line("The file was read back with the passphrase.")),
    ];
    for (count, words) in exported.left_out_words() {
        rows.push(Row::wrapped(
            2,
            vec![own("! ").ink(Ink::Warn), own(format!("{} {words}", grouped(count)))],
        ));
    }
    rows.push(Row::empty());
    let how: &[&'static str] =
        if roomy { &HOW_TO_IMPORT } else { HOW_TO_IMPORT.get(..1).unwrap_or_default() };
    rows.extend(how.iter().map(|how| Row::wrapped(0, line(*how))));
    Page {
        title: line("Key file"),
        corner: line("done"),
        rows,
        fact: line("The file opens only with its passphrase."),
        next: line("take the file to the other app. Enter goes back."),
        hints: vec![
            called(Intent::GoOn, "back"),
            called(Intent::Copy, "copy name"),
            hint(Intent::Explain),
            hint(Intent::Help),
            hint(Intent::Leave),
        ],
        ..Page::default()
    }
}

/// What is here, for the clipboard: figures only.
pub(in crate::tui) fn summary_to_copy(model: &Model) -> String {
    // Names of files say who somebody is.
    let pen = crate::tui::pen::Pen { masked: true, ..model.pen() };
    let rows = here_rows(model, true);
    let lines = rows.iter().map(|row| pen.line(&row.line));
    lines.collect::<Vec<_>>().join("\n")
}

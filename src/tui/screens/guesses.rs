//! Step 4: passphrases that somebody may have used. They stay hidden; only how many there are is seen.

use crate::{
    base::{
        shown::{Shown, grouped},
        words::{about, counted, pace},
    },
    secret_storage::guesses::Kind,
    tui::{
        field::DOTS,
        guess_step::Part,
        intent::Intent,
        layout::Regions,
        message::Guessing,
        model::Model,
        page::{Hint, Line, Page, Row, called, hint, line, own, private},
        theme::Ink,
    },
};

/// Rows of the screen that are not lines of the list, where there is room for all of them.
const OTHERS: usize = 8;

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let guess = &model.guess;
    let mut rows = Vec::new();
    if roomy {
        rows.push(Row::text("One per line, or Ctrl-O reads them from a file. They stay hidden."));
    }
    rows.extend(line_rows(model, regions));
    match guess.part {
        Part::File => rows.push(file_row(model, regions)),
        _ => rows.push(field_row(model, regions)),
    }
    if roomy {
        rows.push(Row::empty());
    }
    rows.extend(kind_rows(model, roomy));
    if roomy {
        rows.push(Row::empty());
    }
    rows.extend(outcome_rows(model, roomy));
    Page {
        title: line("Passphrases you may have used"),
        rows,
        fact: fact(model),
        next: next(model, roomy),
        hints: hints(model),
        ..Page::default()
    }
}

/// The last lines of the list, each as dots.
fn line_rows(model: &Model, regions: &Regions) -> Vec<Row> {
    let lines = &model.guess.lines;
    if !regions.is_roomy() {
        return Vec::new();
    }
    let room = regions.rows().saturating_sub(OTHERS + 3).max(1);
    let seen = if lines.len() > room { room - 1 } else { lines.len() };
    let mut rows = Vec::new();
    if lines.len() > seen {
        let before = counted((lines.len() - seen) as u64, "line");
        rows.push(Row::of(vec![own(format!("    {before} before")).ink(Ink::Muted)]));
    }
    for line in lines.iter().skip(lines.len() - seen) {
        // Under the mask not even how many characters there are.
        let typed = line.expose().chars().take(DOTS).count();
        let dots = if model.masked { DOTS } else { typed };
        rows.push(Row::text(format!("    {}", "•".repeat(dots))));
    }
    rows
}

fn width(regions: &Regions) -> usize {
    regions.cells().saturating_sub(8).min(54)
}

fn field_row(model: &Model, regions: &Regions) -> Row {
    let width = width(regions);
    let field = &model.guess.field;
    let visible = field.is_shown(model.now) && !model.masked;
    let (text, at) = match model.masked {
        // Not even how many characters there are.
        true => (Default::default(), 0),
        false => field.window(width, model.now),
    };
    let text = own(Shown::new(&text).to_string());
    let text = text.ink(if visible { Ink::Secret } else { Ink::Plain }).left(width);
    let here = model.guess.in_field() && model.overlays.is_empty();
    Row::of(vec![own("  [ "), text, own(" ]")]).cursor(here.then_some(4 + at))
}

fn file_row(model: &Model, regions: &Regions) -> Row {
    let lead = "  File [ ";
    let width = width(regions).saturating_sub(5);
    let (text, at) = model.guess.file.window(width);
    let at = if model.masked { 0 } else { at };
    let here = model.guess.in_field() && model.overlays.is_empty();
    let row = vec![own(lead), private(&Shown::new(text)).left(width), own(" ]")];
    Row::of(row).cursor(here.then_some(lead.len() + at))
}

fn words(kind: Kind, roomy: bool) -> &'static str {
    match (kind, roomy) {
        (Kind::Case, true) => "first letter large or small",
        (Kind::Case, false) => "first letter",
        (Kind::Ending, _) => "! or digits at the end",
        (Kind::Layout, true) => "other keyboard layout",
        (Kind::Layout, false) => "other keyboard",
        (Kind::Slip, _) => "one typing slip",
    }
}

/// The ways in which passphrases may differ: two in a row where there is room.
fn kind_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let (lead, column) = if roomy { (11, 34) } else { (0, 34) };
    let mut rows = Vec::new();
    for (row, kinds) in Kind::ALL.chunks(if roomy { 2 } else { 1 }).enumerate() {
        let head = if row == 0 { "Also try" } else { "" };
        let mut line = if roomy { vec![own(head).left(lead)] } else { Line::new() };
        let mut cursor = None;
        for (place, kind) in kinds.iter().enumerate() {
            let focus = model.guess.part == Part::Kind(*kind) && model.overlays.is_empty();
            let sign = if model.guess.kinds.contains(kind) { "[x] " } else { "[ ] " };
            let mark = if focus { own("▸").ink(Ink::Accent) } else { own(" ") };
            line.extend([mark, own(format!("{sign}{}", words(*kind, roomy))).left(column - 1)]);
            if focus {
                cursor = Some(lead + place * column);
            }
        }
        rows.push(Row::of(line).cursor(cursor));
    }
    rows
}

/// What there is to try, how far that is, or what came of it.
fn outcome_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let guess = &model.guess;
    if let Some((_, far)) = &guess.trying {
        return trying_rows(far, roomy);
    }
    if let Some(failure) = &guess.failed {
        let failure = model.told(failure);
        let row = vec![own("✗ ").ink(Ink::Warn), own(failure.what())];
        return vec![Row::wrapped(2, row)];
    }
    if let Some(found) = &guess.found {
        return vec![Row::wrapped(2, vec![own("✓ ").ink(Ink::Ok), own(found.clone())])];
    }
    let lines = counted(guess.lines.len() as u64, "line");
    let Some(estimate) = &guess.estimate else {
        return match guess.lines.is_empty() {
            true => vec![Row::text(lines)],
            false => vec![Row::text(format!("{lines}, counting …"))],
        };
    };
    if estimate.locks == 0 {
        return vec![Row::wrapped(2, line("? No lock here was made from a passphrase."))];
    }
    let guesses = counted(estimate.guesses, "passphrase");
    let locks = counted(estimate.locks, "lock");
    let time = match estimate.seconds {
        Some(seconds) => about(seconds),
        None => "a moment".to_owned(),
    };
    match roomy {
        true => vec![Row::text(format!("{lines}, {guesses}, {locks}: {time}"))],
        false => vec![Row::text(format!("{guesses}: {time}"))],
    }
}

fn trying_rows(far: &Guessing, roomy: bool) -> Vec<Row> {
    let Guessing { tried, of, in_ten_seconds, left } = far;
    let part = if *of == 0 { 0.0 } else { *tried as f64 / *of as f64 };
    let bar = super::restore::bar(part, if roomy { 24 } else { 10 });
    let mut rows =
        vec![Row::text(format!("… {bar} {} of {} tries", grouped(*tried), grouped(*of)))];
    let left = left.map(|left| format!(" · {} left", about(left.max(1)))).unwrap_or_default();
    rows.push(Row::text(format!("  {}{left}", pace(*in_ten_seconds))));
    rows
}

fn fact(model: &Model) -> Line {
    match &model.guess.failed {
        Some(failure) => line(model.told(failure).safe()),
        None => line("Nothing is sent. Nobody counts the tries."),
    }
}

fn next(model: &Model, roomy: bool) -> Line {
    let guess = &model.guess;
    if guess.trying.is_some() {
        return line("wait, or press Ctrl-C to stop. Your lines stay.");
    }
    if let Some(failure) = &guess.failed {
        let words = model.told(failure).next();
        let mut letters = words.chars();
        let first = letters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
        // A key keeps its name.
        let first = if words.starts_with("Enter") { "E".to_owned() } else { first };
        return line(format!("{first}{}", letters.as_str()));
    }
    line(match guess.part {
        Part::File => "type the name of the file and press Enter.",
        Part::Kind(_) if guess.lines.is_empty() => "go back with ↑ and type a passphrase.",
        Part::Kind(_) => "Space changes it. Enter begins.",
        Part::Line if guess.lines.is_empty() => "type one that you may have used, and press Enter.",
        Part::Line if roomy => "add more, or press Enter on an empty line to begin.",
        Part::Line => "Enter on an empty line begins.",
    })
}

fn hints(model: &Model) -> Vec<Hint> {
    let guess = &model.guess;
    if guess.trying.is_some() {
        return vec![called(Intent::Stop, "stop"), hint(Intent::Help), hint(Intent::Explain)];
    }
    let go_on = match guess.part {
        Part::File => "read it",
        Part::Line if !guess.field.is_empty() || guess.lines.is_empty() => "add it",
        _ => "begin",
    };
    let mut hints = vec![called(Intent::GoOn, go_on)];
    match guess.part {
        Part::Kind(_) => hints.push(hint(Intent::Choose)),
        Part::Line => hints.extend([called(Intent::NextPart, "variations"), hint(Intent::Show)]),
        Part::File => {}
    }
    if guess.part != Part::File {
        hints.push(hint(Intent::ReadFile));
    }
    hints.extend([hint(Intent::Help), hint(Intent::Explain), hint(Intent::Back)]);
    hints
}

/// The ways that are chosen, as the command takes them.
pub(super) fn kinds_for_command(model: &Model) -> String {
    let chosen = Kind::ALL.into_iter().filter(|kind| model.guess.kinds.contains(kind));
    let words = chosen.map(|kind| match kind {
        Kind::Case => "case",
        Kind::Ending => "ending",
        Kind::Layout => "layout",
        Kind::Slip => "slip",
    });
    words.collect::<Vec<_>>().join(",")
}

//! Several versions restored together: a row for each, those that stay closed among them, and a sum.

use super::{
    fits::closed_words,
    plan::{mixed_rows, reason_rows, shortfall, spare_rows, writes},
};
use crate::{
    base::{
        shown::{Shown, grouped},
        words::{counted, listed},
    },
    recovery::{
        fits::Outcome,
        restore::{Restored, Restoring},
        tally::Figures,
        unlock::LockKind,
        way_on::{Closed, storage_name},
    },
    tui::{
        layout::Regions,
        model::Model,
        page::{Line, Piece, Row, Side, Target, line, mark, own},
        restore_step::Stage,
        theme::Ink,
    },
};

/// Cells of the columns of figures: keys, new, better, here, doubt, refused.
const KEYS: usize = 8;
const FIGURES: [usize; 5] = [8, 7, 7, 7, 8];
/// The same of what opens a version, and of the space before it.
const OPENS: usize = 12;
const SPACE: usize = 2;

/// Names of versions in a sentence.
pub(super) fn named<'a>(versions: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = versions.map(|one| Shown::limited(one, 20).to_string()).collect();
    match names.as_slice() {
        [one] => format!("backup {one}"),
        names => format!("backups {}", listed(names)),
    }
}

/// The versions that open. Once they were opened they stay in the words, also where the key was forgotten.
pub(super) fn open(model: &Model) -> impl Iterator<Item = &String> {
    let opened = model.restore.shown().map(|shown| &shown.runs);
    model.restore.versions.iter().filter(move |version| match opened {
        Some(runs) => runs.iter().any(|run| run.version == **version),
        None => model.key_opens(version),
    })
}

fn closed(model: &Model) -> impl Iterator<Item = &Closed> {
    let shown = model.restore.shown();
    let closed = shown.into_iter().flat_map(|shown| &shown.closed);
    closed.filter(|one| one.is_missed())
}

/// The plan.
pub(super) fn planned(model: &Model, regions: &Regions) -> Vec<Row> {
    let Some(plan) = &model.restore.plan else { return Vec::new() };
    let Some(total) = model.restore.planned() else { return Vec::new() };
    let roomy = regions.is_roomy();
    let opened = plan.runs.iter().map(|run| &run.version);
    let first = match roomy {
        true => {
            let all = counted(total.entries, "key");
            format!("{all} of {} were opened and checked. Nothing is written.", named(opened))
        }
        false => "Nothing is written yet.".to_owned(),
    };
    let mut rows = vec![Row::wrapped(0, line(first)), Row::empty()];
    rows.extend(table(model, plan, regions));
    rows.extend(beside(model, plan, roomy));
    if roomy {
        rows.push(Row::empty());
        rows.extend(writes(model, &total));
    }
    rows
}

/// What came of it.
pub(super) fn done(model: &Model, regions: &Regions, first: Row) -> Vec<Row> {
    let Some(done) = &model.restore.done else { return Vec::new() };
    let roomy = regions.is_roomy();
    let mut rows = vec![first];
    if roomy {
        rows.push(Row::empty());
    }
    rows.extend(table(model, done, regions));
    rows.extend(beside(model, done, roomy));
    rows
}

/// One row for each version, and their sum.
fn table(model: &Model, shown: &Restoring, regions: &Regions) -> Vec<Row> {
    let roomy = regions.is_roomy();
    let others = 2 + KEYS + SPACE + OPENS + FIGURES.iter().sum::<usize>();
    let name = if roomy { regions.cells().saturating_sub(others).min(16) } else { 10 };
    let mut rows = Vec::new();
    let mut heading = vec![own("  "), own("backup").left(name), own("keys").right(KEYS)];
    if roomy {
        heading.extend([own("").left(SPACE), own("opens with").left(OPENS)]);
    }
    let words = ["new", "better", "here", "doubt", "refused"];
    heading
        .extend(columns(roomy).filter_map(|(at, cells)| Some(own(*words.get(at)?).right(cells))));
    rows.push(Row::of(heading.into_iter().map(|piece| piece.ink(Ink::Muted)).collect()));
    for (place, version) in model.restore.versions.iter().enumerate() {
        let focus = place == model.restore.cursor.at && model.overlays.is_empty();
        let run = shown.runs.iter().find(|run| run.version == *version);
        let mut row =
            vec![mark(focus), own(Shown::limited(version, 20).cut(name).to_string()).left(name)];
        let known = model.backups.version(version).and_then(|version| version.count);
        let read = run.map(|run| run.tally.figures.entries);
        let keys = match model.restore.stage {
            // What was not reached is in it all the same.
            Stage::Stopped => known.or(read),
            _ => read.or(known),
        };
        row.push(own(keys.map_or_else(|| "?".to_owned(), grouped)).right(KEYS));
        if roomy {
            let with = opens_with(model, version, run.is_some());
            row.extend([own("").left(SPACE), with.left(OPENS)]);
        }
        row.extend(figures(run.map(|run| &run.tally.figures), roomy));
        let row = Row::of(row).focused(focus).target(Target::Row(place));
        rows.push(row.cursor(focus.then_some(0)));
    }
    if let Some(total) = model.restore.total().filter(|_| shown.runs.len() > 1) {
        let mut sum = vec![own("  "), own("together").left(name)];
        sum.push(own(grouped(total.entries)).right(KEYS));
        sum.extend(roomy.then(|| own("").left(SPACE + OPENS)));
        sum.extend(figures(Some(&total), roomy));
        rows.push(Row::of(sum.into_iter().map(|piece| piece.ink(Ink::Strong)).collect()));
    }
    rows
}

fn figures(figures: Option<&Figures>, roomy: bool) -> Vec<Piece> {
    let all = figures.map(|it| [it.new, it.better, it.unchanged, it.candidates, it.refused]);
    let cell = |(place, cells)| match all.as_ref().and_then(|all| all.get(place)) {
        None => own("–").ink(Ink::Muted).right(cells),
        Some(count) => own(grouped(*count)).right(cells),
    };
    columns(roomy).map(cell).collect()
}

/// The columns of figures with their cells; in a small window there is room for what is new and refused.
fn columns(roomy: bool) -> impl Iterator<Item = (usize, usize)> {
    let shown = move |(place, _): &(usize, usize)| roomy || matches!(place, 0 | 4);
    FIGURES.into_iter().enumerate().filter(shown)
}

/// What opens a version: the secret itself, or a lock of secret storage that holds its key.
fn opens_with(model: &Model, version: &str, opened: bool) -> Piece {
    if !model.key_opens(version) {
        return match opened {
            true => own("✓ opened").ink(Ink::Ok),
            false => own("✗ no key yet").ink(Ink::Warn),
        };
    }
    let rows = model.key.opened.iter().flat_map(|opened| &opened.table.rows);
    let mut rows = rows.filter(|row| row.kind == LockKind::Backup && row.id == version);
    let held = rows.next().and_then(|row| {
        row.cells.iter().find_map(|cell| match cell.best() {
            Outcome::Opens { held_in, .. } => Some(held_in.clone()),
            _ => None,
        })
    });
    match held.flatten() {
        Some(id) => own(format!("✓ {}", storage_name(&id))).ink(Ink::Ok),
        None => own("✓ your key").ink(Ink::Ok),
    }
}

/// What the figures do not say.
fn beside(model: &Model, shown: &Restoring, roomy: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for run in &shown.runs {
        rows.extend(spare_rows(run, roomy));
        rows.extend(shortfall(model, run));
        rows.extend(mixed_rows(model, run, roomy));
    }
    for closed in closed(model).take(3) {
        let words = match roomy {
            true => closed_words(closed),
            false => format!("Backup {} stays closed.", Shown::limited(&closed.version, 20)),
        };
        rows.push(Row::wrapped(2, vec![own("! ").ink(Ink::Warn), own(words)]));
    }
    rows
}

/// The next step, with what stays closed.
pub(super) fn next(model: &Model, roomy: bool) -> Line {
    let restored = named(open(model));
    line(match waits(model) {
        _ if !roomy => "press Enter to restore.".to_owned(),
        None => format!("press Enter to restore {restored}."),
        Some(waits) => {
            let waits = waits.replacen('b', "B", 1);
            format!("Enter restores {restored}. {waits}")
        }
    })
}

/// What stays closed, and for what it waits; nothing where all open.
pub(super) fn waits(model: &Model) -> Option<String> {
    let closed: Vec<_> = closed(model).map(|closed| closed.version.clone()).collect();
    match closed.len() {
        0 => None,
        1 => Some(format!("{} waits for its recovery key.", named(closed.iter()))),
        _ => Some(format!("{} wait for their recovery keys.", named(closed.iter()))),
    }
}

/// The version in focus, in its own frame.
pub(super) fn side(model: &Model) -> Side {
    let Some(version) = model.restore.versions.get(model.restore.cursor.at) else {
        return Side::default();
    };
    let mut rows = vec![
        Row::of(vec![own(named(std::iter::once(version)).replacen('b', "B", 1)).ink(Ink::Strong)]),
        Row::empty(),
    ];
    match model.restore.run() {
        Some(run) => rows.extend(side_of(run)),
        None => {
            let closed = closed(model).find(|closed| closed.version == *version);
            let words = closed.map_or_else(|| "It was not reached.".to_owned(), closed_words);
            rows.push(Row::wrapped(0, line(words)));
        }
    }
    Side { title: line("Backup in focus"), rows }
}

fn side_of(run: &Restored) -> Vec<Row> {
    let figures = &run.tally.figures;
    let mut rows = vec![
        Row::wrapped(
            0,
            line(format!(
                "{} of {} are sound. A key that a newer backup above has as well counts as here.",
                grouped(figures.opened),
                counted(figures.entries, "key")
            )),
        ),
        Row::empty(),
    ];
    rows.extend(reason_rows(run));
    if figures.refused > 0 {
        rows.push(Row::empty());
        rows.push(Row::of(vec![own("→").ink(Ink::Accent), own("  lists them one by one")]));
    }
    rows
}

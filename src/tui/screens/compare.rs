//! Two places beside each other: rooms with what only one of them has, and what would be gone.

use std::sync::Arc;

use crate::{
    base::{
        shown::{Shown, grouped},
        words::counted,
    },
    recovery::{
        diff::{Diff, ReadBy, RoomDiff},
        names::RoomName,
    },
    tui::{
        compare_step::Beside,
        intent::Intent,
        jobs::Work,
        layout::Regions,
        model::Model,
        page::{
            Hint, Instead, Line, Page, Piece, Row, Target, called, hint, instead, line, mark, own,
        },
        theme::Ink,
    },
};

use super::sign_in::lower_first;

/// Rows beside those of rooms: the headings, and the sum.
const OTHERS: usize = 2;
/// Rows for what would be gone, where there is room for sentences.
const LOSSES: usize = 5;

/// Rows of rooms that are seen at once.
pub(in crate::tui) fn compare_height(model: &Model) -> usize {
    let regions = model.regions();
    let losses = if regions.is_roomy() { LOSSES } else { 0 };
    regions.rows().saturating_sub(OTHERS + losses).max(1)
}

fn name(version: &str) -> Shown {
    Shown::limited(version, 20).cut(8)
}

fn beside(model: &Model) -> String {
    match &model.compare.beside {
        Some(Beside::Backup(version)) => format!("backup {}", name(version)),
        Some(Beside::Store) => "the keys on this computer".to_owned(),
        None => "nothing".to_owned(),
    }
}

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let state = &model.compare;
    let running = model.jobs.job(&Work::Compare).is_some();
    let rows = match (&state.diff, &state.failed) {
        (_, Some(failure)) => {
            let failure = model.told(failure);
            vec![
                Row::of(vec![own("! ").ink(Ink::Warn), own(failure.what()).ink(Ink::Danger)]),
                Row::wrapped(2, line(format!("  {}", failure.safe()))),
            ]
        }
        (Some(diff), None) => table(model, diff, regions),
        (None, None) if running => vec![
            Row::text(format!("… comparing: {} read so far", counted(state.keys, "key"))),
            Row::text("  Nothing is changed, neither on the server nor here."),
        ],
        (None, None) => vec![Row::text("  Nothing is compared yet. r compares.")],
    };
    Page {
        title: line(format!("Backup {} beside {}", name(&state.own), beside(model))),
        corner: if running { line("comparing") } else { Line::new() },
        rows,
        fact: fact(model),
        next: next(model, running, regions.is_roomy()),
        hints: hints(model),
        ..Page::default()
    }
}

/// Widths of the columns of figures, and of the last one.
fn widths(regions: &Regions) -> ([usize; 3], usize) {
    if regions.is_roomy() { ([14, 14, 9], 15) } else { ([8, 8, 0], 0) }
}

fn table(model: &Model, diff: &Diff, regions: &Regions) -> Vec<Row> {
    let [a, b] = &diff.sides;
    let ([only_a, only_b, both], earlier) = widths(regions);
    let room = regions.cells().saturating_sub(2 + only_a + only_b + both + earlier);
    let roomy = earlier > 0;
    let muted = |piece: Piece| piece.ink(Ink::Muted);
    let only = |heading: String| {
        if roomy { format!("only in {heading}") } else { format!("only {heading}") }
    };
    let mut head = vec![own("  "), muted(own("room").left(room))];
    head.push(muted(own(only(a.name.heading())).right(only_a)));
    head.push(muted(own(only(b.name.heading())).right(only_b)));
    if roomy {
        head.push(muted(own("in both").right(both)));
        head.push(muted(own("   earlier in").left(earlier)));
    }
    let mut rows = vec![Row::of(head)];
    let figures = |figures: &RoomDiff| {
        let mut pieces = vec![own(grouped(figures.only_a)).right(only_a)];
        pieces.push(own(grouped(figures.only_b)).right(only_b));
        if roomy {
            pieces.push(own(grouped(figures.both)).right(both));
            pieces.push(own(format!("   {}", earlier_words(diff, figures))).left(earlier));
        }
        pieces
    };
    let state = &model.compare;
    for place in state.cursor.seen(state.order.len(), compare_height(model)) {
        let Some((id, of_room)) =
            state.order.get(place).and_then(|id| diff.rooms.get_key_value(id))
        else {
            continue;
        };
        let focus = place == state.cursor.at && model.overlays.is_empty();
        let mut row = vec![mark(focus), room_name(model, id, place).middle(room)];
        row.extend(figures(of_room));
        rows.push(
            Row::of(row).focused(focus).target(Target::Row(place)).cursor(focus.then_some(0)),
        );
    }
    let count = diff.rooms.len() as u64;
    let all = match count {
        1 => "the room".to_owned(),
        2 => "both rooms".to_owned(),
        _ => format!("all {} rooms", grouped(count)),
    };
    let mut sum = vec![own("  "), own(all).ink(Ink::Strong).left(room)];
    sum.extend(figures(&diff.all));
    rows.push(Row::of(sum));
    if roomy {
        rows.push(Row::empty());
        rows.extend(diff.losses().into_iter().map(|loss| Row::wrapped(0, line(loss))));
    }
    rows
}

fn earlier_words(diff: &Diff, figures: &RoomDiff) -> String {
    let [a, b] = diff.sides.each_ref().map(|side| side.name.heading());
    match (figures.earlier_a, figures.earlier_b) {
        (0, 0) => "–".to_owned(),
        (one, 0) => format!("{a}: {}", grouped(one)),
        (0, other) => format!("{b}: {}", grouped(other)),
        (one, other) => format!("{a}: {one}, {b}: {other}"),
    }
}

/// What a room is called; under the mask its place in this list.
fn room_name(model: &Model, id: &Arc<str>, place: usize) -> Piece {
    let known = model.names.get(id).and_then(|RoomName { name, .. }| name.clone());
    let text = known.unwrap_or_else(|| Shown::new(id).cut_middle(24));
    instead(&text, Instead::Room(place as u64 + 1))
}

fn fact(model: &Model) -> Line {
    match &model.compare.diff {
        // Of the backup in focus; the whole of it stands above where there is room.
        Some(diff) => {
            let own = diff.sides.first().map(|side| side.name.words()).unwrap_or_default();
            let whole = diff.sides.first().is_some_and(|side| side.whole);
            line(match diff.all.only_a {
                0 if !whole => format!("What would go with {own} is not known."),
                0 => format!("No key would go with {own}."),
                only => format!("{} would go with {own}.", counted(only, "key")),
            })
        }
        None => line("Comparing only looks."),
    }
}

fn next(model: &Model, running: bool, roomy: bool) -> Line {
    let state = &model.compare;
    if running {
        return line("wait a moment, or press Ctrl-C to stop.");
    }
    if let Some(failure) = &state.failed {
        return line(lower_first(&model.told(failure).next()));
    }
    let Some(diff) = &state.diff else { return line("press r to compare, or Esc to go back.") };
    // One line: what would be gone stands above it, and must not give way.
    if diff.sides.iter().any(|side| side.read == ReadBy::Metadata) {
        return line(match (model.key.opened.is_some(), roomy) {
            (_, false) => "type the recovery key: step 4.",
            (true, true) => "type the other recovery key, too; figures without it may be wrong.",
            (false, true) => "type your recovery key at step 4; figures without it may be wrong.",
        });
    }
    if !diff.is_whole() {
        return line("press r: one side could not be read to its end.");
    }
    match (diff.all.only_a + diff.all.earlier_a, &state.beside) {
        _ if !roomy => line("Esc goes back."),
        (0, _) => line("press Esc; nothing would be lost with this one."),
        (_, Some(Beside::Store)) => {
            line("restore this backup. keyhaul keeps the better of each key.")
        }
        _ => line("restore both backups. keyhaul keeps the better of each key."),
    }
}

fn hints(model: &Model) -> Vec<Hint> {
    let mut hints = Vec::new();
    if model.others_to_compare(&model.compare.own).len() > 1 {
        hints.push(called(Intent::NextPart, "with another"));
    }
    hints.push(called(Intent::Again, "again"));
    hints.extend([
        hint(Intent::Copy),
        hint(Intent::Explain),
        hint(Intent::Help),
        hint(Intent::Back),
    ]);
    hints
}

/// The figures for the clipboard, without names.
pub(super) fn to_copy(model: &Model) -> Option<String> {
    let diff = model.compare.diff.as_ref()?;
    let RoomDiff { only_a, only_b, both, earlier_a, earlier_b } = diff.all;
    let [a, b] = diff.sides.each_ref().map(|side| side.name.words());
    let mut lines = vec![
        format!("{a} beside {b}: only in {a} {only_a}, only in {b} {only_b}, in both {both}"),
        format!("earlier in {a} {earlier_a}, earlier in {b} {earlier_b}"),
    ];
    lines.extend(diff.losses().into_iter().chain(diff.doubts()));
    Some(lines.join("\n"))
}

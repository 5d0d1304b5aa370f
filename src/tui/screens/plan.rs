//! The plan as a sum that comes out: every key of the backup stands in exactly one line.

use std::sync::Arc;

use super::{
    restore::{rooms_words, versions},
    rooms::name_of,
};
use crate::{
    base::{
        failure::Code,
        shown::{Shown, grouped},
        words::{about, counted},
    },
    recovery::{
        mixed::Mixed,
        restore::Restored,
        tally::{Figures, Tally, reason_words},
    },
    tui::{
        layout::Regions,
        model::Model,
        page::{Piece, Row, Side, Target, line, mark, own},
        theme::Ink,
    },
};

/// The lines of the plan that can have the focus.
pub(super) const LINES: usize = 5;
/// Seconds that a plan's keys take to be written, at least in words.
const MOMENT: u64 = 1;
/// Keys that are written in a second on a slow computer.
const RATE: u64 = 20_000;

/// The five figures of which every key stands in exactly one.
pub(super) fn lines(figures: &Figures) -> [(u64, &'static str); LINES] {
    [
        (figures.new, "new"),
        (figures.better, "better"),
        (figures.unchanged, "already here"),
        (figures.candidates, "in doubt"),
        (figures.refused, "refused"),
    ]
}

/// Why keys were refused, the commonest reasons first.
fn reasons_words(tally: &Tally) -> String {
    let mut words: Vec<(&'static str, u64)> = Vec::new();
    for (reason, count) in tally.reasons() {
        let (name, _) = reason_words(reason);
        match words.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => words.push((name, count)),
        }
    }
    let all: Vec<String> =
        words.iter().take(2).map(|(name, count)| format!("{} {name}", grouped(*count))).collect();
    let other: u64 = words.iter().skip(2).map(|(_, count)| count).sum();
    match other {
        0 => all.join(", "),
        other => format!("{}, {} other", all.join(", "), grouped(other)),
    }
}

pub(super) fn figure_rows(
    model: &Model,
    run: &Restored,
    regions: &Regions,
    past: bool,
) -> Vec<Row> {
    let roomy = regions.is_roomy();
    let figures = &run.tally.figures;
    let wide = if roomy { 8 } else { 7 };
    let mut rows = Vec::new();
    for (row, (count, word)) in lines(figures).into_iter().enumerate() {
        let focus = row == model.restore.cursor.at && model.overlays.is_empty();
        let meaning = match (row, past) {
            (0, false) => "not on this computer yet".to_owned(),
            (0, true) => "not on this computer before".to_owned(),
            (1, false) => "reach further back than the keys you have".to_owned(),
            (1, true) => "reach further back than the keys you had".to_owned(),
            (2, false) => "as good as in the backup; left alone".to_owned(),
            (2, true) => "as good as in the backup".to_owned(),
            (3, false) => "disagree with keys you have; both are kept".to_owned(),
            (3, true) => "two forms of the same key, both kept".to_owned(),
            _ if figures.refused == 0 => "every key is sound".to_owned(),
            _ => reasons_words(&run.tally),
        };
        let ink = if row == 4 && count > 0 { Ink::Warn } else { Ink::Plain };
        let mut pieces =
            vec![mark(focus), own(grouped(count)).right(wide), own("  "), own(word).ink(ink)];
        if roomy {
            let last = pieces.len() - 1;
            if let Some(word) = pieces.get_mut(last) {
                *word = word.clone().left(15);
            }
            pieces.push(own(meaning).left(regions.cells().saturating_sub(27)));
        }
        let row = Row::of(pieces).focused(focus).target(Target::Row(row));
        rows.push(row.cursor(focus.then_some(0)));
    }
    if roomy {
        rows.push(Row::of(vec![own("  "), own("──────").right(wide)]));
    }
    let all = figures.entries;
    let counted_by_server =
        model.restore.rooms.is_empty().then(|| {
            model.backups.version(&model.restore.version).and_then(|version| version.count)
        });
    let words = match (counted_by_server.flatten(), past) {
        (Some(count), false) if count == all => "as many as the server says".to_owned(),
        (Some(count), false) => format!("the server says {}", grouped(count)),
        _ => String::new(),
    };
    let mut sum = vec![own("  "), own(grouped(all)).right(wide), own("  "), own("in all")];
    if roomy {
        sum.pop();
        sum.extend([own("in all").left(15), own(words)]);
    } else if !words.is_empty() {
        sum.push(own(format!(", {words}")));
    }
    rows.push(Row::of(sum));
    rows
}

pub(super) fn planned(model: &Model, regions: &Regions) -> Vec<Row> {
    let Some(run) = model.restore.plan.as_ref().and_then(|plan| plan.runs.first()) else {
        return Vec::new();
    };
    let roomy = regions.is_roomy();
    let figures = &run.tally.figures;
    let versions = versions(model);
    let mut rows = Vec::new();
    if roomy {
        let all = counted(figures.entries, "key");
        rows.push(Row::wrapped(
            0,
            line(format!("{all} of {versions} were opened and checked. Nothing is written yet.")),
        ));
    } else {
        let backup = versions.replacen('b', "B", 1);
        rows.push(Row::text(format!("{backup} · nothing is written yet")));
    }
    rows.push(Row::empty());
    rows.extend(figure_rows(model, run, regions, false));
    rows.extend(spare_rows(run, roomy));
    rows.extend(shortfall(model, run));
    rows.extend(mixed_rows(model, run, roomy));
    if !roomy {
        return rows;
    }
    rows.push(Row::empty());
    rows.extend(writes(model, figures));
    if model.writes_nothing().is_none() {
        rows.extend(room_table(model, run, regions, rows.len()));
    }
    rows
}

/// What Enter would write.
pub(super) fn writes(model: &Model, figures: &Figures) -> Vec<Row> {
    let mut rows = Vec::new();
    let plan = model.restore.plan.as_ref();
    let whole = plan.is_some_and(|plan| plan.runs.iter().all(|run| run.shortfall.is_none()));
    if let Some(figures) = model.writes_nothing() {
        let all = figures.refused == 0 && whole;
        let (sign, words) = match (figures.unchanged, all) {
            (0, _) => (
                own("! ").ink(Ink::Warn),
                "Nothing of this can be restored. Nothing would be written.",
            ),
            (_, true) => {
                (own("✓ ").ink(Ink::Ok), "Everything is here already. There is nothing to write.")
            }
            (_, false) => (
                own("✓ ").ink(Ink::Ok),
                "What can be restored is here already. There is nothing to write.",
            ),
        };
        rows.push(Row::of(vec![sign, own(words)]));
        return rows;
    }
    let haul = model.hauls.get(&model.restore.version).filter(|_| !model.restore.is_several());
    let late = haul.map(|haul| haul.rooms.totals()).filter(|totals| totals.late > 0);
    if let Some(totals) = late.filter(|_| model.restore.rooms.is_empty()) {
        let verb = if totals.late == 1 { "starts" } else { "start" };
        rows.push(Row::wrapped(
            0,
            line(format!(
                "{} {verb} late: the oldest messages of {} may stay closed.",
                counted(totals.late, "key"),
                counted(totals.late_rooms, "room")
            )),
        ));
        rows.push(Row::empty());
    }
    let writes = figures.new + figures.better + figures.candidates;
    let seconds = writes / RATE;
    let time = if seconds <= MOMENT { "a moment".to_owned() } else { about(seconds) };
    rows.push(Row::of(vec![
        own("Enter writes ").ink(Ink::Strong),
        own(format!("{}: {time}", counted(writes, "key"))).ink(Ink::Strong),
    ]));
    rows.push(Row::text("  to       an encrypted store on this computer, under your recovery key"));
    rows.push(Row::text("  server   nothing is written there, nothing is marked as read"));
    rows.push(Row::text("  stop     at any time; what is done by then is kept"));
    rows
}

/// The plan room by room, those with most keys first, where there is room for it.
fn room_table(model: &Model, run: &Restored, regions: &Regions, above: usize) -> Vec<Row> {
    const COLUMNS: [&str; 6] = ["new", "better", "here", "doubt", "refused", "all"];
    let free = regions.rows().saturating_sub(above + 4);
    let name = regions.cells().saturating_sub(COLUMNS.len() * 8);
    if free < 4 || name < 20 {
        return Vec::new();
    }
    let figures = |room: &Figures| {
        let Figures { new, better, unchanged, candidates, refused, entries, .. } = *room;
        [new, better, unchanged, candidates, refused, entries].map(|count| match count {
            0 => own("–").ink(Ink::Muted).right(8),
            count => own(grouped(count)).right(8),
        })
    };
    let row = |first: Piece, room: &Figures| {
        let mut row = vec![first.left(name)];
        row.extend(figures(room));
        Row::of(row)
    };
    let mut rooms: Vec<_> = run.tally.rooms.iter().collect();
    rooms.sort_by(|(a, one), (b, other)| other.entries.cmp(&one.entries).then(a.cmp(b)));
    let shown = if rooms.len() > free { free - 1 } else { rooms.len() };
    let mut head = vec![own("room").left(name)];
    head.extend(COLUMNS.map(|column| own(column).right(8)));
    let mut rows = vec![Row::empty(), Row::of(head)];
    let version = &model.restore.version;
    rows.extend(rooms.iter().take(shown).map(|(id, room)| row(name_of(model, version, id), room)));
    let more = rooms.get(shown..).unwrap_or_default();
    if !more.is_empty() {
        let sum = more.iter().fold(Figures::default(), |sum, (_, room)| sum.plus(room));
        rows.push(row(own(format!("{} more rooms", grouped(more.len() as u64))), &sum));
    }
    rows.push(row(own(rooms_words(model)), &run.tally.figures));
    rows
}

/// What the line in focus means.
pub(super) fn side(model: &Model, run: &Restored) -> Side {
    let said = |words: String| Row::wrapped(0, line(words));
    let figures = &run.tally.figures;
    let (title, mut rows) = match model.restore.cursor.at {
        0 => (
            "Line in focus: new",
            vec![said("Keys that are not on this computer yet. Enter writes them.".to_owned())],
        ),
        1 => (
            "Line in focus: better",
            vec![said(
                "You have these keys, but those in the backup open earlier messages, too. The \
                 better one takes the place of yours."
                    .to_owned(),
            )],
        ),
        2 => (
            "Line in focus: already here",
            vec![said(
                "You have these keys, as good as in the backup or better. They are left alone."
                    .to_owned(),
            )],
        ),
        3 => (
            "Line in focus: in doubt",
            vec![said(
                "Two keys of the same name that do not belong together. keyhaul keeps both and \
                 tries both when it reads."
                    .to_owned(),
            )],
        ),
        _ => {
            let mut rows = vec![
                said(format!(
                    "{} refused. The other {} do not suffer from it.",
                    counted(figures.refused, "key"),
                    grouped(figures.opened)
                )),
                Row::empty(),
            ];
            rows.extend(reason_rows(run));
            rows.push(Row::empty());
            rows.push(Row::of(vec![own("→").ink(Ink::Accent), own("  lists them one by one")]));
            ("Line in focus: refused", rows)
        }
    };
    rows.push(Row::empty());
    rows.push(Row::of(vec![own("What keyhaul never does").ink(Ink::Strong)]));
    for never in [
        "replace a key by a worse one",
        "hide a key that it could not open",
        "change anything on the server",
    ] {
        rows.push(Row::text(format!("  {never}")));
    }
    Side { title: line(title), rows }
}

/// Why keys were refused, each reason with what it means.
pub(super) fn reason_rows(run: &Restored) -> Vec<Row> {
    let reasons = run.tally.reasons().into_iter();
    let rows = reasons.flat_map(|(reason, count)| {
        let (name, why) = reason_words(reason);
        let count = own(grouped(count)).right(6);
        [
            Row::of(vec![count, own("  "), own(name).ink(Ink::Strong)]),
            Row::wrapped(8, vec![own("        "), own(why)]),
        ]
    });
    rows.collect()
}

/// Why it is not all, unless somebody stopped it.
pub(super) fn shortfall(model: &Model, run: &Restored) -> Vec<Row> {
    let failure = run.shortfall.as_ref().filter(|why| why.code() != Code::Stopped);
    let failure = failure.map(|failure| model.told(failure));
    let row = failure.map(|failure| {
        let words = vec![own("! ").ink(Ink::Warn), own(failure.what()).ink(Ink::Danger)];
        Row::wrapped(2, words)
    });
    Vec::from_iter(row)
}

/// What is locked for another recovery key, in which rooms, and what was tried on it.
pub(super) fn mixed_rows(model: &Model, run: &Restored, roomy: bool) -> Vec<Row> {
    let mixed = model.restore.shown().and_then(|shown| Mixed::of(run, shown));
    let Some(mixed) = mixed else { return Vec::new() };
    let version = &run.version;
    let mut rows = Vec::new();
    let opened = mixed.opened_words(version).filter(|_| roomy);
    rows.extend(opened.map(|words| Row::wrapped(2, vec![own("✓ ").ink(Ink::Ok), own(words)])));
    if mixed.count == 0 {
        return rows;
    }
    if !roomy {
        let words = format!("{} for another key: p tries one", grouped(mixed.count));
        rows.push(Row::of(vec![own("! ").ink(Ink::Warn), own(words)]));
        return rows;
    }
    // Under the mask a room has a number in place of its name.
    let called = |id: &Arc<str>| Shown::new(&model.pen().words(&name_of(model, version, id)));
    let words = mixed.closed_words(version, &called).join(" ");
    rows.push(Row::wrapped(2, vec![own("! ").ink(Ink::Warn), own(words)]));
    rows
}

/// What the server says wrongly of a version, and of which refused keys there are whole ones elsewhere.
pub(super) fn spare_rows(run: &Restored, roomy: bool) -> Vec<Row> {
    if !roomy {
        return Vec::new();
    }
    let row = |sign, ink, words| Row::wrapped(2, vec![own(sign).ink(ink), own(words)]);
    let shown = run.shown_key_words().map(|words| row("! ", Ink::Warn, words));
    let spares = run.spares.iter().map(|spares| row("✓ ", Ink::Ok, spares.words(run)));
    shown.into_iter().chain(spares).collect()
}

/// The plan or the result for the clipboard: figures only.
pub(in crate::tui) fn figures_to_copy(model: &Model) -> Option<String> {
    let shown = model.restore.shown()?;
    let mut lines: Vec<String> = Vec::new();
    for run in &shown.runs {
        let Restored { version, tally, .. } = run;
        lines.push(format!("backup {}", Shown::limited(version, 20)));
        lines.extend(self::lines(&tally.figures).map(|(count, word)| format!("{count} {word}")));
        lines.extend(tally.reasons().iter().map(|(reason, count)| format!("  {count} {reason}")));
        lines.push(format!("{} in all", tally.figures.entries));
    }
    let closed = shown.closed.iter().map(|closed| Shown::limited(&closed.version, 20));
    lines.extend(closed.map(|version| format!("backup {version} stays closed")));
    Some(lines.join("\n"))
}

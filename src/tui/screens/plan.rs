//! The plan as a sum that comes out: every key of the backup stands in exactly one line.

use super::{
    restore::{mixed_rows, rooms_words, shortfall, version},
    rooms::name_of,
};
use crate::{
    base::{
        shown::grouped,
        words::{about, counted},
    },
    recovery::{
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
    let Some(run) = model.restore.planned() else { return Vec::new() };
    let roomy = regions.is_roomy();
    let figures = &run.tally.figures;
    let version = version(model);
    let mut rows = Vec::new();
    if roomy {
        let all = counted(figures.entries, "key");
        rows.push(Row::wrapped(
            0,
            line(format!(
                "{all} of backup {version} were opened and checked. Nothing is written yet."
            )),
        ));
    } else {
        rows.push(Row::text(format!("Backup {version} · nothing is written yet")));
    }
    rows.push(Row::empty());
    rows.extend(figure_rows(model, run, regions, false));
    rows.extend(shortfall(model, run.shortfall.as_ref(), 0));
    rows.extend(mixed_rows(model, roomy));
    if !roomy {
        return rows;
    }
    rows.push(Row::empty());
    if let Some(figures) = model.writes_nothing() {
        let all = figures.refused == 0 && run.shortfall.is_none();
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
    let haul = model.hauls.get(&model.restore.version);
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
    rows.extend(room_table(model, run, regions, rows.len()));
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
            for (reason, count) in run.tally.reasons() {
                let (name, why) = reason_words(reason);
                rows.push(Row::of(vec![
                    own(grouped(count)).right(6),
                    own("  "),
                    own(name).ink(Ink::Strong),
                ]));
                rows.push(Row::wrapped(8, vec![own("        "), own(why)]));
            }
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

/// The plan or the result for the clipboard: figures only.
pub(in crate::tui) fn figures_to_copy(model: &Model) -> Option<String> {
    let run = model.restore.run()?;
    let mut lines: Vec<String> = vec![format!("backup {}", version(model))];
    let figures = &run.tally.figures;
    lines.extend(self::lines(figures).map(|(count, word)| format!("{count} {word}")));
    lines.extend(run.tally.reasons().iter().map(|(reason, count)| format!("  {count} {reason}")));
    lines.push(format!("{} in all", figures.entries));
    Some(lines.join("\n"))
}

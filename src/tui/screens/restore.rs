//! Step 5: a sum that comes out, then the work, then what came of it.

use std::sync::Arc;

use super::rooms::name_of;
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
        words::{about, counted, length, size},
    },
    recovery::{
        restore::Restored,
        tally::{Figures, Tally, reason_words},
    },
    store::check::CheckReport,
    tui::{
        intent::Intent,
        layout::Regions,
        model::Model,
        page::{
            Hint, Line, Page, Piece, Row, Side, Target, called, hint, line, mark, own, private,
        },
        restore_step::Stage,
        theme::Ink,
    },
};

/// The lines of the plan that can have the focus.
const LINES: usize = 5;
/// Seconds that a plan's keys take to be written, at least in words.
const MOMENT: u64 = 1;
/// Keys that are written in a second on a slow computer.
const RATE: u64 = 20_000;

/// How many rows of the list have room.
pub(super) fn list_height(model: &Model, regions: &Regions) -> usize {
    match model.restore.stage {
        Stage::Restoring => regions.rows().saturating_sub(if regions.is_roomy() { 9 } else { 4 }),
        _ => LINES,
    }
}

/// How many rows of the list there are.
pub(in crate::tui) fn rows(model: &Model) -> usize {
    match model.restore.stage {
        Stage::Restoring => model.restore.count_rooms(),
        Stage::Planned | Stage::Done | Stage::Stopped => LINES,
        Stage::Nothing | Stage::Reading | Stage::Planning => 0,
    }
}

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let mut page = Page {
        corner: words_or_nothing(corner(model)),
        fact: fact(model, roomy),
        next: next(model, roomy),
        hints: hints(model),
        ..Page::default()
    };
    let (title, rows) = match model.restore.stage {
        Stage::Nothing => ("The plan".to_owned(), vec![Row::text("There is no plan yet.")]),
        Stage::Reading => ("The plan".to_owned(), reading(model, regions)),
        Stage::Planning => ("The plan".to_owned(), planning(model, regions)),
        Stage::Planned => ("The plan".to_owned(), planned(model, regions)),
        Stage::Restoring => {
            let version = version(model);
            (format!("Restoring backup {version}"), restoring(model, regions))
        }
        Stage::Stopped => ("Stopped".to_owned(), done(model, regions, false)),
        Stage::Done => ("Done".to_owned(), done(model, regions, true)),
    };
    page.title = line(title);
    page.rows = rows;
    let edge = match model.restore.stage {
        Stage::Planned => "nothing is written yet".to_owned(),
        Stage::Done => model
            .restore
            .done
            .as_ref()
            .and_then(|done| done.runs.first())
            .map_or_else(String::new, |run| {
                format!("{} · {}", length(run.seconds.ceil() as u64), size(run.bytes))
            }),
        Stage::Restoring => "working rooms first".to_owned(),
        _ => String::new(),
    };
    page.edge = words_or_nothing(edge);
    if regions.side.is_some() && matches!(model.restore.stage, Stage::Planned | Stage::Done) {
        page.side = model.restore.run().map(|run| side(model, run));
    }
    page
}

/// A line, or none at all where nothing is to be said.
fn words_or_nothing(words: String) -> Line {
    if words.is_empty() { Line::new() } else { line(words) }
}

fn version(model: &Model) -> Shown {
    Shown::limited(&model.restore.version, 20)
}

fn rooms_words(model: &Model) -> String {
    match model.restore.rooms.len() as u64 {
        0 => {
            let rooms = model.restore.planned().map(|run| run.tally.rooms.len() as u64);
            match rooms {
                Some(1) => "the room".to_owned(),
                Some(2) => "both rooms".to_owned(),
                Some(rooms) => format!("all {}", counted(rooms, "room")),
                None => "all rooms".to_owned(),
            }
        }
        rooms => format!("{} chosen", counted(rooms, "room")),
    }
}

fn corner(model: &Model) -> String {
    match model.restore.stage {
        Stage::Nothing => String::new(),
        Stage::Restoring => rooms_words(model),
        _ => format!("backup {} · {}", version(model), rooms_words(model)),
    }
}

/// A bar of so many cells.
pub(super) fn bar(part: f64, cells: usize) -> String {
    let full = ((part.clamp(0.0, 1.0) * cells as f64) as usize).min(cells);
    "█".repeat(full) + &"░".repeat(cells - full)
}

/// A share in whole numbers: all only when nothing is missing.
fn per_cent(done: u64, all: u64) -> u64 {
    match (done, all) {
        (_, 0) => 0,
        (done, all) if done >= all => 100,
        (done, all) => (done * 100 / all).clamp(u64::from(done > 0), 99),
    }
}

fn reading(model: &Model, regions: &Regions) -> Vec<Row> {
    let version = version(model);
    let mut rows = vec![
        Row::wrapped(0, line(format!("keyhaul reads and saves backup {version} first."))),
        Row::empty(),
    ];
    if let Some(haul) = model.hauls.get(&model.restore.version) {
        let all = model.backups.version(&model.restore.version).and_then(|version| version.count);
        rows.extend(bar_row(haul.keys, all.unwrap_or(0), regions));
    }
    rows
}

fn bar_row(done: u64, all: u64, regions: &Regions) -> Vec<Row> {
    if all == 0 {
        return vec![Row::text(counted(done, "key"))];
    }
    let part = done as f64 / all as f64;
    let figures = format!("{} of {}  {:>3} %", grouped(done), grouped(all), per_cent(done, all));
    if !regions.is_roomy() {
        return vec![Row::text(bar(part, regions.cells().min(36))), Row::text(figures)];
    }
    let cells = regions.cells().saturating_sub(figures.chars().count() + 2).min(48);
    vec![Row::of(vec![own(bar(part, cells)).ink(Ink::Ok), own("  "), own(figures)])]
}

fn planning(model: &Model, regions: &Regions) -> Vec<Row> {
    let all = expected(model);
    let mut rows = vec![
        Row::wrapped(0, line("Opening and checking every key, without writing anything.")),
        Row::empty(),
    ];
    rows.extend(bar_row(model.restore.figures.entries, all, regions));
    rows
}

/// How many keys there are to be restored, as far as that is known.
fn expected(model: &Model) -> u64 {
    if let Some(run) = model.restore.planned() {
        return run.tally.figures.entries;
    }
    let haul = model.hauls.get(&model.restore.version);
    let chosen = haul.map(|haul| haul.rooms.totals()).filter(|_| !model.restore.rooms.is_empty());
    chosen.map_or_else(|| haul.map_or(0, |haul| haul.keys), |totals| totals.chosen_keys)
}

/// The five figures of which every key stands in exactly one.
fn lines(figures: &Figures) -> [(u64, &'static str); LINES] {
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

fn figure_rows(model: &Model, run: &Restored, regions: &Regions, past: bool) -> Vec<Row> {
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

fn planned(model: &Model, regions: &Regions) -> Vec<Row> {
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
    if !roomy {
        return rows;
    }
    rows.push(Row::empty());
    if model.has_nothing_to_write() {
        rows.push(Row::of(vec![
            own("✓ ").ink(Ink::Ok),
            own("Everything is here already. There is nothing to write."),
        ]));
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
    rooms.sort_by_key(|(id, room)| (std::cmp::Reverse(room.entries), Arc::clone(id)));
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

/// Why it is not all.
fn shortfall(model: &Model, shortfall: Option<&Failure>, indent: usize) -> Vec<Row> {
    let Some(failure) = shortfall else { return Vec::new() };
    let failure = model.told(failure);
    let lead = " ".repeat(indent);
    vec![Row::wrapped(
        indent + 2,
        vec![own(lead), own("! ").ink(Ink::Warn), own(failure.what()).ink(Ink::Danger)],
    )]
}

fn restoring(model: &Model, regions: &Regions) -> Vec<Row> {
    let roomy = regions.is_roomy();
    let step = &model.restore;
    let all = expected(model);
    let figures = &step.figures;
    let mut rows = Vec::new();
    let part = figures.entries as f64 / all.max(1) as f64;
    let cells = regions.cells().saturating_sub(7);
    rows.push(Row::of(vec![
        own(bar(part, cells)).ink(Ink::Ok),
        own(format!(" {:>3} %", per_cent(figures.entries, all))),
    ]));
    let mut words = format!("{} of {} keys", grouped(figures.entries), grouped(all));
    if let Some((rate, left)) = step.pace(all, model.now) {
        if step.paused.is_some() {
            words.push_str(" · paused");
        } else if roomy {
            words.push_str(&format!(" · {} keys/s · {} left", grouped(rate), about(left.max(1))));
        }
    } else if step.paused.is_some() {
        words.push_str(" · paused");
    }
    rows.push(Row::text(words));
    if roomy {
        rows.push(Row::empty());
        let words = lines(figures).map(|(count, word)| format!("{} {word}", grouped(count)));
        rows.push(Row::text(words.join("   ")));
        rows.push(Row::empty());
        let name = regions.cells().saturating_sub(36);
        rows.push(Row::of(vec![
            own("    room").left(name + 4),
            own("done").right(10),
            own("of").right(10),
            own("refused").right(10),
        ]));
    }
    let height = list_height(model, regions);
    let name = regions.cells().saturating_sub(if roomy { 36 } else { 20 });
    for place in step.cursor.seen(step.count_rooms(), height) {
        let Some((id, done, all)) = step.room(place) else { continue };
        let focus = place == step.cursor.at && model.overlays.is_empty();
        let (sign, ink) = match (done.entries, all.entries) {
            (0, _) => (" ", Ink::Plain),
            (done, all) if done < all => ("~", Ink::Accent),
            _ if done.opened == 0 => ("!", Ink::Warn),
            _ => ("✓", Ink::Ok),
        };
        let mut row = vec![mark(focus), own(sign).ink(ink).left(2)];
        row.push(name_of(model, &model.restore.version, id).left(name));
        row.push(own(grouped(done.entries)).right(if roomy { 10 } else { 7 }));
        row.push(own(grouped(all.entries)).right(if roomy { 10 } else { 8 }));
        if roomy {
            row.push(own(grouped(done.refused)).right(10));
        }
        let row = Row::of(row).focused(focus).target(Target::Row(place));
        rows.push(row.cursor(focus.then_some(0)));
    }
    rows
}

fn done(model: &Model, regions: &Regions, whole: bool) -> Vec<Row> {
    let Some(restoring) = &model.restore.done else { return Vec::new() };
    let Some(run) = restoring.runs.first() else { return Vec::new() };
    let roomy = regions.is_roomy();
    let version = version(model);
    let figures = &run.tally.figures;
    let kept = counted(figures.opened, "key");
    let verb = if figures.opened == 1 { "is" } else { "are" };
    let first = match whole {
        true => format!("Restored. {kept} of backup {version} {verb} on this computer."),
        false => {
            let part = per_cent(figures.entries, expected(model));
            format!("Stopped at {part} %. {kept} {verb} on this computer.")
        }
    };
    let sign = if whole { own("✓ ").ink(Ink::Ok) } else { own("! ").ink(Ink::Warn) };
    let mut rows = vec![Row::wrapped(2, vec![sign, own(first)])];
    if roomy {
        rows.push(Row::empty());
    }
    rows.extend(figure_rows(model, run, regions, true));
    if whole {
        rows.extend(shortfall(model, run.shortfall.as_ref(), 0));
    }
    if !roomy {
        return rows;
    }
    rows.push(Row::empty());
    if whole {
        rows.extend(room_sum(model, run));
    }
    if let Some(check) = &restoring.read_back {
        rows.push(read_back(check));
        rows.push(Row::empty());
    }
    rows.push(Row::wrapped(
        0,
        line(format!(
            "A backup cannot prove who put a key there. Each key remembers that it came from \
             backup {version}. The first message that opens with a key proves the key."
        )),
    ));
    rows
}

/// How many rooms have keys now.
fn room_sum(model: &Model, run: &Restored) -> Option<Row> {
    let empty: Vec<_> = run.tally.rooms.iter().filter(|(_, room)| room.opened == 0).collect();
    let rooms = run.tally.rooms.len() as u64;
    Some(match (empty.as_slice(), rooms) {
        (_, 0) => return None,
        ([], 1) => good(vec![own("the room has its keys")]),
        ([], _) => good(line(format!("all {} have keys", counted(rooms, "room")))),
        ([(id, _)], _) => good(vec![
            own(format!("all {} have keys, except ", counted(rooms, "room"))),
            name_of(model, &model.restore.version, id),
        ]),
        (some, _) => good(line(format!(
            "{} of {} have keys",
            grouped(rooms - some.len() as u64),
            counted(rooms, "room")
        ))),
    })
}
/// What reading the store back found.
fn read_back(check: &CheckReport) -> Row {
    let damaged = match check.damaged {
        0 => String::new(),
        damaged => format!(", {} damaged", grouped(damaged)),
    };
    let words = format!("the store was read back: {} whole{damaged}", counted(check.keys, "key"));
    match check.damaged {
        0 => good(line(words)),
        _ => Row::of(vec![own("  ! ").ink(Ink::Warn), own(words)]),
    }
}

fn good(words: Line) -> Row {
    let mut row = vec![own("  ✓ ").ink(Ink::Ok)];
    row.extend(words);
    Row::wrapped(4, row)
}

/// What the line in focus means.
fn side(model: &Model, run: &Restored) -> Side {
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

fn fact(model: &Model, roomy: bool) -> Line {
    let step = &model.restore;
    match step.stage {
        Stage::Nothing => line("Nothing is written without a plan."),
        Stage::Reading => line("From then on the server is not needed any more."),
        Stage::Planning => line("Nothing is written yet."),
        Stage::Planned | Stage::Done | Stage::Stopped => {
            let Some(run) = step.run() else { return Line::new() };
            let Figures { opened, refused, entries, .. } = run.tally.figures;
            match (step.stage, refused) {
                (Stage::Done, _) => line("Your keys are on this computer."),
                (Stage::Stopped, _) => line("What is done is kept."),
                (_, 0) => line(format!("All {} can be restored.", counted(entries, "key"))),
                (_, refused) if roomy => line(format!(
                    "{} of {} can be restored. {} cannot, each for a known reason.",
                    grouped(opened),
                    counted(entries, "key"),
                    grouped(refused)
                )),
                (_, refused) => line(format!("{} cannot be restored.", grouped(refused))),
            }
        }
        Stage::Restoring => line(if roomy {
            "You may go to any other step; the work goes on. What is done is kept."
        } else {
            "The work goes on in any step."
        }),
    }
}

fn next(model: &Model, roomy: bool) -> Line {
    match model.restore.stage {
        Stage::Nothing => line("press Enter to make a plan."),
        Stage::Reading | Stage::Planning => line("wait a moment, or press Ctrl-C to stop."),
        Stage::Planned if model.has_nothing_to_write() => {
            line("press Enter to read your messages.")
        }
        Stage::Planned => line("press Enter to restore."),
        Stage::Restoring if model.restore.paused.is_some() => line("Space goes on."),
        Stage::Restoring if roomy => line("wait, or press 6 to read what is already restored."),
        Stage::Restoring => line("wait, or press 6."),
        Stage::Stopped => line("Enter goes on there."),
        Stage::Done => line("press Enter to read your messages."),
    }
}

fn hints(model: &Model) -> Vec<Hint> {
    let mut hints = match model.restore.stage {
        Stage::Nothing => vec![called(Intent::GoOn, "plan")],
        Stage::Reading | Stage::Planning => vec![called(Intent::Stop, "stop")],
        Stage::Planned if model.has_nothing_to_write() => vec![called(Intent::GoOn, "read")],
        Stage::Planned => vec![called(Intent::GoOn, "restore"), hint(Intent::Open)],
        Stage::Restoring => {
            let pause = if model.restore.paused.is_some() { "go on" } else { "pause" };
            vec![called(Intent::Pause, pause), called(Intent::Stop, "stop"), hint(Intent::Front)]
        }
        Stage::Stopped => vec![called(Intent::GoOn, "go on"), hint(Intent::Open)],
        Stage::Done => vec![called(Intent::GoOn, "read"), hint(Intent::Open)],
    };
    hints.extend([hint(Intent::Copy), hint(Intent::Explain), hint(Intent::Help)]);
    hints.push(hint(Intent::Back));
    hints
}

/// The refused keys, one by one.
pub(super) fn refused_page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let Some(run) = model.restore.run() else { return Page::default() };
    let all = &run.tally.refused;
    let (name, key) = if roomy { (regions.cells().saturating_sub(44), 14) } else { (16, 0) };
    let mut rows = Vec::new();
    if roomy {
        rows.push(Row::of(vec![
            own("  room").left(name + 2),
            own("key").left(key),
            own("why").left(26),
        ]));
    }
    let height = refused_height(regions);
    for place in model.restore.refused.seen(all.len(), height) {
        let Some(one) = all.get(place) else { continue };
        let focus = place == model.restore.refused.at && model.overlays.is_empty();
        let mut row = vec![mark(focus)];
        row.push(name_of(model, &model.restore.version, &one.room_id).left(name));
        if roomy {
            row.push(private(&Shown::limited(&one.session_id, 255)).middle(key - 2));
            row.push(own("  "));
        }
        row.push(own(reason_words(one.reason).0).left(26));
        let row = Row::of(row).focused(focus).target(Target::Row(place));
        rows.push(row.cursor(focus.then_some(0)));
    }
    let focus = all.get(model.restore.refused.at);
    let why = focus.map(|one| reason_words(one.reason).1).unwrap_or_default();
    Page {
        title: line("Refused"),
        corner: line(counted(run.tally.figures.refused, "key")),
        edge: line("y copies the list"),
        rows,
        fact: line(why),
        next: line("Esc goes back. The other keys are not affected."),
        hints: vec![
            called(Intent::GoOn, "copy"),
            called(Intent::Close, "close"),
            hint(Intent::Explain),
            hint(Intent::Help),
            hint(Intent::Back),
        ],
        ..Page::default()
    }
}

pub(super) fn refused_height(regions: &Regions) -> usize {
    regions.rows().saturating_sub(usize::from(regions.is_roomy())).max(1)
}

/// The refused keys for the clipboard, a line each; under the mask without ids.
pub(in crate::tui) fn refused_to_copy(model: &Model) -> String {
    let Some(run) = model.restore.run() else { return String::new() };
    let mut lines = vec![format!(
        "{} of backup {} refused",
        counted(run.tally.figures.refused, "key"),
        version(model)
    )];
    let safe = |id: &str| Shown::limited(id, 255);
    lines.extend(run.tally.refused.iter().map(|one| match model.masked {
        true => one.reason.to_owned(),
        false => format!("{} {} {}", safe(&one.room_id), safe(&one.session_id), one.reason),
    }));
    lines.join("\n")
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

/// What runs of this step, in a few words.
pub(super) fn working(model: &Model) -> Option<Line> {
    let all = expected(model);
    let done = model.restore.figures.entries;
    let what = match model.restore.stage {
        Stage::Planning => "Opening",
        Stage::Restoring => "Restoring",
        _ => return None,
    };
    Some(line(format!("{what}: {} of {} keys", grouped(done), grouped(all))))
}

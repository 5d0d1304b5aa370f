//! Step 5: a sum that comes out, then the work, then what came of it.

use super::{
    plan::{LINES, figure_rows, lines, mixed_rows, planned, shortfall, side, spare_rows},
    rooms::name_of,
    several,
};
use crate::{
    base::{
        failure::Code,
        shown::grouped,
        words::{about, counted, length, size},
    },
    recovery::{
        restore::{CheckReport, Restored, Restoring},
        tally::{Figures, by_room},
    },
    tui::{
        intent::Intent,
        layout::Regions,
        model::Model,
        page::{Hint, Line, Page, Row, Target, called, hint, line, mark, own},
        restore_step::Stage,
        theme::Ink,
    },
};

/// How many rows of the list have room.
pub(super) fn list_height(model: &Model, regions: &Regions) -> usize {
    match model.restore.stage {
        Stage::Restoring => regions.rows().saturating_sub(if regions.is_roomy() { 9 } else { 4 }),
        _ => LINES.max(model.restore.versions.len()),
    }
}

/// How many rows of the list there are.
pub(in crate::tui) fn rows(model: &Model) -> usize {
    match model.restore.stage {
        Stage::Restoring => model.restore.count_rooms(),
        Stage::Planned | Stage::Done | Stage::Stopped if model.restore.is_several() => {
            model.restore.versions.len()
        }
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
        Stage::Planned if model.restore.is_several() => {
            ("The plan".to_owned(), several::planned(model, regions))
        }
        Stage::Planned => ("The plan".to_owned(), planned(model, regions)),
        Stage::Restoring => (format!("Restoring {}", versions(model)), restoring(model, regions)),
        Stage::Stopped => ("Stopped".to_owned(), done(model, regions, false)),
        Stage::Done => ("Done".to_owned(), done(model, regions, true)),
    };
    page.title = line(title);
    page.rows = rows;
    let edge = match model.restore.stage {
        Stage::Planned => "nothing is written yet".to_owned(),
        Stage::Done => model.restore.done.as_ref().map_or_else(String::new, |done| {
            let seconds: f64 = done.runs.iter().map(|run| run.seconds).sum();
            let bytes = done.runs.iter().map(|run| run.bytes).sum();
            format!("{} · {}", length(seconds.ceil() as u64), size(bytes))
        }),
        Stage::Restoring => "working rooms first".to_owned(),
        _ => String::new(),
    };
    page.edge = words_or_nothing(edge);
    if regions.side.is_some() && matches!(model.restore.stage, Stage::Planned | Stage::Done) {
        page.side = match model.restore.is_several() {
            true => Some(several::side(model)),
            false => model.restore.run().map(|run| side(model, run)),
        };
    }
    page
}

/// A line, or none at all where nothing is to be said.
fn words_or_nothing(words: String) -> Line {
    if words.is_empty() { Line::new() } else { line(words) }
}

/// What is restored, in a sentence: of several versions those that open.
pub(super) fn versions(model: &Model) -> String {
    match model.restore.is_several() {
        true => several::named(several::open(model)),
        false => several::named(std::iter::once(&model.restore.version)),
    }
}

pub(super) fn rooms_words(model: &Model) -> String {
    match model.restore.rooms.len() as u64 {
        0 => {
            let rooms = model.restore.count_planned_rooms() as u64;
            let rooms = model.restore.plan.as_ref().map(|_| rooms);
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
        _ => format!("{} · {}", versions(model), rooms_words(model)),
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
    let versions = versions(model);
    let mut rows = vec![
        Row::wrapped(0, line(format!("keyhaul reads and saves {versions} first."))),
        Row::empty(),
    ];
    for version in model.restore.versions.iter().filter(|version| model.key_opens(version)) {
        let Some(haul) = model.hauls.get(version) else { continue };
        let all = model.backups.version(version).and_then(|version| version.count);
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
    if let Some(figures) = model.restore.planned() {
        return figures.entries;
    }
    let open = model.restore.versions.iter().filter(|version| model.key_opens(version));
    let keys = open.filter_map(|version| model.hauls.get(version)).map(|haul| {
        let all = model.restore.rooms.is_empty();
        if all { haul.keys } else { haul.rooms.keys_in(&model.restore.rooms) }
    });
    keys.sum()
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
    let Some(figures) = model.restore.total() else { return Vec::new() };
    let roomy = regions.is_roomy();
    let versions = versions(model);
    // What several versions have in common is on this computer once.
    let (several, of) = match model.restore.is_several() {
        true => (restoring.stored_total, String::new()),
        false => (figures.opened, format!(" of {versions}")),
    };
    let kept = counted(several, "key");
    let verb = if several == 1 { "is" } else { "are" };
    let first = match whole {
        true => format!("Restored. {kept}{of} {verb} on this computer."),
        false => {
            let part = per_cent(figures.entries, expected(model));
            match restoring.runs.iter().find_map(Restored::broke_off) {
                Some(why) if why.code() != Code::Stopped => {
                    format!("It broke off at {part} %. {kept} {verb} on this computer.")
                }
                _ => format!("Stopped at {part} %. {kept} {verb} on this computer."),
            }
        }
    };
    let sign = if whole { own("✓ ").ink(Ink::Ok) } else { own("! ").ink(Ink::Warn) };
    let first = Row::wrapped(2, vec![sign, own(first)]);
    let mut rows = if model.restore.is_several() {
        several::done(model, regions, first)
    } else {
        let mut rows = vec![first];
        rows.extend(roomy.then(Row::empty));
        rows.extend(figure_rows(model, run, regions, true));
        rows.extend(spare_rows(run, roomy));
        rows.extend(shortfall(model, run));
        rows.extend(mixed_rows(model, run, roomy));
        rows
    };
    if !roomy {
        return rows;
    }
    rows.push(Row::empty());
    if whole {
        rows.extend(room_sum(model, restoring));
    }
    if let Some(check) = &restoring.read_back {
        rows.push(read_back(check));
        rows.push(Row::empty());
    }
    rows.push(Row::wrapped(
        0,
        line(format!(
            "A backup cannot prove who put a key there. Each key remembers that it came from \
             {versions}. The first message that opens with a key proves the key."
        )),
    ));
    rows
}

/// How many rooms have keys now.
fn room_sum(model: &Model, restoring: &Restoring) -> Option<Row> {
    let all = by_room(restoring.runs.iter().map(|run| &run.tally));
    let empty: Vec<_> = all.iter().filter(|(_, room)| room.opened == 0).collect();
    let rooms = all.len() as u64;
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

fn fact(model: &Model, roomy: bool) -> Line {
    let step = &model.restore;
    match step.stage {
        Stage::Nothing => line("Nothing is written without a plan."),
        Stage::Reading => line("From then on the server is not needed any more."),
        Stage::Planning => line("Nothing is written yet."),
        Stage::Planned | Stage::Done | Stage::Stopped => {
            let Some(figures) = step.total() else { return Line::new() };
            let Figures { opened, refused, entries, .. } = figures;
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
                _ if is_mixed(model) => {
                    let other = grouped(figures.for_another);
                    line(format!("{other} are for another key: p."))
                }
                (_, refused) => line(format!("{} cannot be restored.", grouped(refused))),
            }
        }
        Stage::Restoring if step.paused.is_some() => {
            line("Paused. What is done is kept, and nothing is lost by waiting.")
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
        Stage::Planned if model.writes_nothing().is_some() => {
            line("choose other rooms (3), or try another recovery key (4).")
        }
        Stage::Planned if model.restore.is_several() => several::next(model, roomy),
        Stage::Planned => line("press Enter to restore."),
        Stage::Restoring if model.restore.paused.is_some() => line("Space goes on."),
        Stage::Restoring if roomy => line("wait, or press 6 to read what is already restored."),
        Stage::Restoring => line("wait, or press 6."),
        Stage::Stopped => line("Enter goes on there."),
        Stage::Done if roomy && is_mixed(model) => {
            line("press Enter to read, or p to try another recovery key on the rest.")
        }
        Stage::Done => match several::waits(model).filter(|_| roomy) {
            Some(waits) => line(format!("press Enter to read, or p: {waits}")),
            None => line("press Enter to read your messages."),
        },
    }
}

/// Says whether keys are locked for another recovery key.
fn is_mixed(model: &Model) -> bool {
    model.restore.total().is_some_and(|figures| figures.for_another > 0)
}

fn hints(model: &Model) -> Vec<Hint> {
    let mut hints = match model.restore.stage {
        Stage::Nothing => vec![called(Intent::GoOn, "plan")],
        Stage::Reading | Stage::Planning => vec![called(Intent::Stop, "stop")],
        Stage::Planned if model.has_nothing_to_write() => vec![called(Intent::GoOn, "read")],
        Stage::Planned if model.writes_nothing().is_some() => vec![hint(Intent::Open)],
        Stage::Planned => vec![called(Intent::GoOn, "restore"), hint(Intent::Open)],
        Stage::Restoring => {
            let pause = if model.restore.paused.is_some() { "go on" } else { "pause" };
            vec![called(Intent::Pause, pause), called(Intent::Stop, "stop"), hint(Intent::Front)]
        }
        Stage::Stopped => vec![called(Intent::GoOn, "go on"), hint(Intent::Open)],
        Stage::Done => vec![called(Intent::GoOn, "read"), hint(Intent::Open)],
    };
    let closed = model.restore.shown().is_some_and(|shown| !shown.closed.is_empty());
    if (is_mixed(model) || closed) && !model.is_restoring() {
        hints.push(hint(Intent::OtherKey));
    }
    if model.restore.stage == Stage::Done && model.backups.versions().len() > 1 {
        hints.push(hint(Intent::OtherBackup));
    }
    hints.extend([hint(Intent::Copy), hint(Intent::Explain), hint(Intent::Help)]);
    hints.push(hint(Intent::Back));
    hints
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

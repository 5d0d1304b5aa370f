//! Step 3: the rooms of a version, while they come and after.

use super::rooms::{Columns, heading, room_row, side};
use crate::{
    base::{
        failure::Code,
        shown::{Shown, grouped},
        words::{about, ago, counted, length, size},
    },
    tui::{
        haul::{Haul, Reading},
        intent::Intent,
        layout::Regions,
        model::Model,
        page::{Hint, Line, Page, Row, Target, called, hint, line, own},
        rooms::Totals,
        theme::Ink,
    },
};

/// Rows that the list keeps while the explain text is open below it.
const BESIDE_EXPLAIN: usize = 4;

/// Rows of rooms that are seen at once.
pub(super) fn list_height(model: &Model, regions: &Regions) -> usize {
    let Some(haul) = model.haul() else { return 1 };
    let below = footer(model, haul, regions).len();
    let above = 1 + usize::from(shows_filter(model, haul)) + trouble(model, haul, regions).len();
    let all = regions.rows().saturating_sub(below + above).max(1);
    let explained = model.explaining.is_some() && regions.side.is_none();
    if explained { all.min(BESIDE_EXPLAIN) } else { all }
}

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let Some(haul) = model.haul() else { return Page::default() };
    let version = open_version(model);
    let mut rows = Vec::new();
    if shows_filter(model, haul) {
        rows.push(filter_row(model, haul, regions));
    }
    rows.extend(trouble(model, haul, regions));
    let columns = Columns::of(regions);
    rows.push(heading(haul, &columns, regions.is_roomy()));
    let height = list_height(model, regions);
    let shown = haul.rooms.count_shown();
    let mut list = Vec::with_capacity(height);
    for place in haul.rooms.cursor.seen(shown, height) {
        let Some(room) = haul.rooms.shown(place) else { continue };
        let focus = place == haul.rooms.cursor.at && model.overlays.is_empty();
        let row = room_row(model, haul, room, &columns, focus && !model.finding);
        list.push(row.target(Target::Row(place)));
    }
    if shown == 0 {
        list.extend(nothing(model, haul));
    }
    rows.extend(super::filled(list, height));
    rows.extend(footer(model, haul, regions));
    Page {
        title: line(format!("Contents of backup {version}")),
        corner: corner(model, haul),
        edge: edge(model, haul),
        rows,
        side: regions.side.map(|_| side(model, haul)),
        fact: fact(model, haul, regions),
        next: next(model, haul, regions.is_roomy()),
        hints: hints(model, haul),
        ..Page::default()
    }
}

/// The name of the version that is open.
fn open_version(model: &Model) -> Shown {
    Shown::limited(model.open.as_deref().unwrap_or_default(), 20)
}

fn shows_filter(model: &Model, haul: &Haul) -> bool {
    (model.finding || !haul.rooms.filter.is_empty()) && !model.masked
}

fn filter_row(model: &Model, haul: &Haul, regions: &Regions) -> Row {
    let width = regions.cells().saturating_sub(24).min(30);
    let (text, at) = haul.rooms.filter.window(width);
    let shown = haul.rooms.count_shown() as u64;
    let fit = match shown {
        0 => "no room fits".to_owned(),
        1 => "1 room fits".to_owned(),
        _ => format!("{} rooms fit", grouped(shown)),
    };
    let row = Row::of(vec![
        own("/ [ ").ink(Ink::Accent),
        crate::tui::page::private(&Shown::new(text)).left(width),
        own(" ] "),
        own(fit),
    ]);
    row.cursor(model.finding.then_some(4 + at))
}

/// What went wrong while reading; the table stays below it.
fn trouble(model: &Model, haul: &Haul, regions: &Regions) -> Vec<Row> {
    let Reading::Over { broken, changed, saved, whole } = &haul.reading else {
        return Vec::new();
    };
    let indent = 2;
    let warn = |text: String| vec![own("! ").ink(Ink::Warn), own(text).ink(Ink::Danger)];
    let mut lines: Vec<Line> = Vec::new();
    if let Some(failure) = broken {
        let failure = model.told(failure);
        lines.push(warn(failure.what()));
        let (keys, all) = (grouped(haul.keys), expected(model));
        lines.push(line(match all {
            Some(all) => {
                format!("  {keys} of {} keys are saved and can be restored.", grouped(all))
            }
            None => format!("  {keys} keys are saved and can be restored."),
        }));
    } else if *changed {
        let version = open_version(model);
        lines.push(warn(format!("Backup {version} changed while it was read.")));
        lines.push(line("  What was read is whole and saved. It may lack the newest keys."));
    } else if !whole {
        lines.push(warn("This is not all: the snapshot or the answer is cut or damaged.".into()));
    } else if let Err(failure) = saved {
        let failure = model.told(failure);
        lines.push(warn("No copy could be saved on this computer.".into()));
        lines.push(line(format!("  {}", failure.what())));
    }
    let pen = model.pen();
    let rows: Vec<Row> = lines.into_iter().map(|line| Row::wrapped(indent, line)).collect();
    pen.wrap(&rows, regions.cells())
}

/// Words in the place of the list.
fn nothing(model: &Model, haul: &Haul) -> Vec<Row> {
    if haul.is_reading() {
        return Vec::new();
    }
    if !haul.rooms.filter.is_empty() {
        let rooms = counted(haul.rooms.all().len() as u64, "room");
        return vec![
            Row::empty(),
            Row::wrapped(
                2,
                line(format!(
                    "  {rooms} are there. Some have no name yet; the search looks at ids too."
                )),
            ),
        ];
    }
    let version = open_version(model);
    if !haul.is_empty() {
        return vec![Row::empty(), Row::text("  Nothing was read yet.")];
    }
    let mut rows = vec![Row::wrapped(
        2,
        line(format!(
            "  Backup {version} holds no keys. It was made and nothing was put into it yet."
        )),
    )];
    let others: Vec<String> = model
        .others_with_keys()
        .map(|(_, other)| {
            let count = counted(other.count.unwrap_or(0), "key");
            format!("{} holds {count}", super::backups::name(other))
        })
        .collect();
    if !others.is_empty() {
        rows.push(Row::wrapped(2, line(format!("  Other backups: {}.", others.join(", ")))));
    }
    rows
}

fn footer(model: &Model, haul: &Haul, regions: &Regions) -> Vec<Row> {
    let shown = haul.rooms.count_shown();
    let height = regions.rows();
    let seen = haul.rooms.cursor.top;
    if !regions.is_roomy() {
        let last = (seen + height.saturating_sub(2)).min(shown);
        let first = (seen + 1).min(last.max(1));
        let words = format!("{first}–{last} of {}", counted(shown as u64, "room"));
        let words = if shown == 0 { String::new() } else { words };
        let words = if haul.is_reading() { pace(model, haul, false) } else { words };
        return vec![Row::of(vec![own(words).right(regions.cells())])];
    }
    if model.explaining.is_some() && regions.side.is_none() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    let mut words = vec![own(format!(
        "{} of {}",
        grouped((haul.rooms.cursor.at + 1).min(shown) as u64),
        counted(shown as u64, "room")
    ))];
    if shown > 1 {
        words.push(own("  ↓ or PgDn for more").ink(Ink::Muted));
    }
    rows.push(Row::empty());
    rows.push(Row::of(if shown == 0 { Line::new() } else { words }));
    rows.push(match &haul.reading {
        Reading::Over { saved: Ok(Some(saved)), .. } if model.is_offline() => Row::text(format!(
            "This snapshot is on this computer, still locked: {}",
            size(saved.bytes)
        )),
        Reading::Over { saved: Ok(Some(saved)), .. } => {
            let size = size(saved.bytes);
            Row::text(format!("Snapshot saved on this computer, still locked: {size}"))
        }
        _ if haul.is_reading() && model.saves() => {
            Row::text("A locked copy is being saved on this computer.")
        }
        _ => Row::empty(),
    });
    rows
}

fn corner(model: &Model, haul: &Haul) -> Line {
    if haul.is_reading() {
        return line("reading …");
    }
    let keys = counted(haul.keys, "key");
    let rooms = counted(haul.rooms.all().len() as u64, "room");
    match haul.saved() {
        Some(saved) => line(format!("{keys} in {rooms} · read {}", ago(saved.read, model.wall()))),
        None => line(format!("{keys} in {rooms}")),
    }
}

/// How many keys there should be, as the server said.
fn expected(model: &Model) -> Option<u64> {
    model.backups.version(model.open.as_deref()?)?.count
}

/// Another version that holds keys, where this one holds none.
fn fuller(model: &Model) -> Option<Shown> {
    model.others_with_keys().next().map(|(_, other)| super::backups::name(other))
}

/// How far the reading is, with its rate and the time left.
fn pace(model: &Model, haul: &Haul, long: bool) -> String {
    let all = expected(model);
    if let (Some((done, all)), true) = (haul.by_room, haul.is_reading()) {
        let keys = counted(haul.keys, "key");
        return format!("{} of {} rooms read · {keys}", grouped(done), grouped(all));
    }
    match haul.reading {
        Reading::Waiting { since } => {
            let so_far = length(model.now.saturating_sub(since).as_secs());
            match all.filter(|_| long) {
                Some(all) => {
                    let keys = counted(all, "key");
                    format!("waiting for the server to collect {keys} · {so_far} so far")
                }
                None => format!("waiting for the server · {so_far}"),
            }
        }
        _ => {
            let keys = match all {
                Some(all) => format!("{} of {} keys", grouped(haul.keys), grouped(all)),
                None => counted(haul.keys, "key"),
            };
            if !long {
                return keys;
            }
            let mut words = format!("{keys} · {}", size(haul.bytes));
            if let Some(pace) = haul.pace(all, model.now) {
                words.push_str(&format!(" · {}/s", size(pace.bytes)));
                if let Some(left) = pace.left {
                    words.push_str(&format!(" · {} left", about(left)));
                }
            }
            words
        }
    }
}

fn edge(model: &Model, haul: &Haul) -> Line {
    if haul.is_reading() {
        return line(pace(model, haul, true));
    }
    let rooms = haul.rooms.all().len() as u64;
    let Totals { chosen: count, chosen_keys: keys, .. } = haul.rooms.totals();
    if shows_filter(model, haul) && count > 0 {
        let shown = haul.rooms.count_shown();
        let here = (0..shown).filter_map(|row| haul.rooms.shown(row)).filter(|room| room.chosen);
        let here = here.count() as u64;
        return line(format!(
            "{} of {} shown rooms chosen ({} in all) · {}",
            grouped(here),
            grouped(shown as u64),
            grouped(count),
            counted(keys, "key")
        ));
    }
    match count {
        0 if rooms == 0 => Line::new(),
        0 => line(match rooms {
            1 => "nothing chosen: Enter takes the room".to_owned(),
            2 => "nothing chosen: Enter takes both rooms".to_owned(),
            _ => format!("nothing chosen: Enter takes all {} rooms", grouped(rooms)),
        }),
        count => line(format!(
            "{} of {} chosen · {}",
            grouped(count),
            counted(rooms, "room"),
            counted(keys, "key")
        )),
    }
}

fn fact(model: &Model, haul: &Haul, regions: &Regions) -> Line {
    let roomy = regions.is_roomy();
    if model.masked {
        return line(if roomy {
            "Names are hidden. Numbers, counts and reasons are real."
        } else {
            "Names are hidden."
        });
    }
    let Totals { late, late_rooms, .. } = haul.rooms.totals();
    match &haul.reading {
        Reading::Waiting { since } if model.now.saturating_sub(*since).as_secs() >= 5 => {
            line(if roomy {
                "Large backups take the server a while. Nothing hangs. Ctrl-C stops."
            } else {
                "Large backups take a while."
            })
        }
        Reading::Waiting { .. } | Reading::Coming { .. } if !model.saves() => line(if roomy {
            "No copy is being saved. Names of rooms come last."
        } else {
            "No copy is being saved."
        }),
        Reading::Waiting { .. } | Reading::Coming { .. } => line(if roomy {
            "The locked copy is being saved. Names of rooms come last."
        } else {
            "The locked copy is being saved."
        }),
        Reading::Failed => line("Nothing could be read. Nothing was changed."),
        Reading::Over { broken: Some(failure), .. } => line(if failure.code() == Code::Stopped {
            "You stopped the reading. What was read is kept."
        } else {
            "What was read is kept."
        }),
        Reading::Over { .. } if haul.is_empty() => line("This backup is empty."),
        Reading::Over { .. } => match (late, late_rooms) {
            (0, _) => line("No key starts late: every message of these keys can be opened."),
            (late, _) if !roomy => line(match late {
                1 => "1 key starts late.".to_owned(),
                _ => format!("{} keys start late.", grouped(late)),
            }),
            (late, rooms) => {
                let verb = if late == 1 { "starts" } else { "start" };
                let (keys, rooms) = (counted(late, "key"), counted(rooms, "room"));
                line(format!("{keys} {verb} late: the oldest messages of {rooms} may stay closed."))
            }
        },
    }
}

fn next(model: &Model, haul: &Haul, roomy: bool) -> Line {
    if model.finding {
        return line(if roomy {
            "Enter leaves the search field and keeps the filter; Esc clears it."
        } else {
            "Enter keeps the filter, Esc clears it."
        });
    }
    let chosen = haul.rooms.totals().chosen;
    match &haul.reading {
        _ if haul.is_reading() => line(if roomy {
            "wait, or look around meanwhile. Ctrl-C stops."
        } else {
            "wait, or look around."
        }),
        Reading::Failed => line("press r to try again."),
        Reading::Over { broken: Some(_), .. } => line(if roomy {
            "r reads it again. Enter goes on with what is here."
        } else {
            "r reads again, Enter goes on."
        }),
        Reading::Over { changed: true, .. } => line("press r to read it again, or Enter to go on."),
        _ if haul.is_empty() => match fuller(model) {
            Some(other) => line(format!("press Enter to look into backup {other}.")),
            None => line("Esc goes back to the other backups."),
        },
        _ if !haul.rooms.filter.is_empty() && haul.rooms.count_shown() == 0 => {
            line("Esc shows all rooms again.")
        }
        _ if chosen > 0 && roomy => {
            let rooms = counted(chosen, "chosen room");
            line(format!("press Enter to take the {rooms}, or a to choose all."))
        }
        _ if chosen > 0 => line(format!("Enter takes {}.", counted(chosen, "room"))),
        _ if roomy => line("press Enter and have your recovery key at hand."),
        _ => line("Enter takes all rooms."),
    }
}

fn hints(model: &Model, haul: &Haul) -> Vec<Hint> {
    if model.finding {
        return vec![called(Intent::GoOn, "keep"), called(Intent::Back, "clear")];
    }
    if haul.is_empty() && fuller(model).is_some() {
        return vec![
            called(Intent::GoOn, "other backup"),
            hint(Intent::Back),
            hint(Intent::Explain),
        ];
    }
    let mut hints = vec![hint(Intent::GoOn)];
    if haul.is_reading() {
        hints.insert(0, called(Intent::Stop, "stop"));
    }
    if matches!(&haul.reading, Reading::Failed | Reading::Over { broken: Some(_), .. })
        || matches!(&haul.reading, Reading::Over { changed: true, .. })
    {
        hints.insert(0, called(Intent::Again, "read again"));
    }
    hints.push(hint(Intent::Choose));
    if model.masked {
        hints.push(called(Intent::Mask, "unmask"));
    }
    hints.push(hint(Intent::Open));
    if !model.masked {
        hints.push(hint(Intent::Find));
    }
    hints.extend([
        hint(Intent::Sort),
        hint(Intent::ChooseAll),
        hint(Intent::Explain),
        hint(Intent::Help),
        hint(Intent::Back),
    ]);
    hints
}

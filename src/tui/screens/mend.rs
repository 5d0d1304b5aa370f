//! The search for a slip, and what it found: only cells that differ are shown.

use super::{locks::locks, restore::bar};
use crate::{
    backup::repair::Pair,
    base::{
        shown::{Shown, grouped},
        words::{about, length},
    },
    recovery::{
        repair::{Answer, Repaired},
        slips::{self, searched},
    },
    tui::{
        intent::Intent,
        layout::Regions,
        mend::{Mend, Searching, State},
        model::{Branch, Model},
        page::{Line, Page, Row, called, hint, line, own},
        theme::Ink,
    },
};

/// Cells in a row, as in the field.
const ROW: usize = 4;
/// Cells of the screen before the first cell of the key, and for each one.
const LEAD: usize = 13;
const WIDE: usize = 10;
/// Most places of one cell that are shown.
const PLACES: usize = 7;

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let Some(Branch::Mend(mend)) = model.branches.last() else { return Page::default() };
    match &mend.state {
        State::Searching(searching) => searching_page(model, searching, regions),
        State::Found(repaired) => found_page(model, mend, repaired, regions),
        State::Nothing { tried, took } => nothing_page(*tried, took.as_secs(), regions),
    }
}

fn searching_page(model: &Model, searching: &Searching, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let mut rows = Vec::new();
    let words = regions.cells().saturating_sub(30);
    for (place, (slips, of)) in searching.stages.iter().enumerate() {
        let what = searched(*slips);
        let percent = searching.tried.saturating_mul(100).checked_div(*of).unwrap_or(0).min(99);
        let part = searching.tried as f64 / (*of).max(1) as f64;
        let left = searching.left.map(|left| format!("{} left", about(left)));
        let left = left.unwrap_or_default();
        if !roomy {
            if place == searching.now {
                rows.push(Row::wrapped(2, line(format!("… {what}"))));
                rows.push(Row::text(format!("  {} {percent:>3} %  {left}", bar(part, 10))));
            }
            continue;
        }
        let sum = |sign: &'static str, end: String| {
            Row::of(vec![own(sign), own(what).left(words), own(end).right(26)])
        };
        rows.push(match place.cmp(&searching.now) {
            std::cmp::Ordering::Less => sum(" ✓ ", format!("{} tried  none", grouped(*of))),
            std::cmp::Ordering::Equal => {
                let bar = bar(part, 10);
                Row::of(vec![
                    own(" … "),
                    own(what).left(words.saturating_sub(12)),
                    own(format!("  {bar} {percent:>3} %")),
                    own(left).right(20),
                ])
            }
            std::cmp::Ordering::Greater => sum("   ", about(searching.seconds(*of, model.now))),
        });
    }
    if !roomy {
        let (now, all) = (searching.now + 1, searching.stages.len().max(1));
        rows.push(Row::empty());
        rows.push(Row::text(format!("Kind {now} of {all}")));
        rows.push(Row::text(format!("{} tried", grouped(searching.all_tried()))));
    }
    let locks = match locks(model).len() {
        1 => "your lock".to_owned(),
        count => format!("your {count} locks"),
    };
    Page {
        title: line("Searching for the slip"),
        rows,
        fact: line(format!("Each possibility is tested on this computer against {locks}.")),
        next: line(if roomy {
            "wait, or press Ctrl-C to stop. What you typed stays as it is."
        } else {
            "wait. Ctrl-C stops."
        }),
        hints: vec![
            called(Intent::Stop, "stop"),
            hint(Intent::Explain),
            hint(Intent::Help),
            called(Intent::Back, "keep mine"),
        ],
        ..Page::default()
    }
}

fn found_page(model: &Model, mend: &Mend, repaired: &Repaired, regions: &Regions) -> Page {
    let Some(answer) = repaired.answers.first() else { return Page::default() };
    let roomy = regions.is_roomy();
    let several = repaired.answers.len() > 1;
    let found = &answer.difference.slips;
    let differ = differing(answer);
    let it = if found.len() == 1 { "it" } else { "them" };
    let opens = match answer.unlocked.opens_backups().as_slice() {
        [] => "secret storage".to_owned(),
        [one] => format!("backup {}", Shown::limited(one, 20)),
        more => format!("{} backups", more.len()),
    };
    let count = slips::counted(found);
    let mut rows = vec![Row::wrapped(
        2,
        vec![
            own("✓ ").ink(Ink::Ok),
            own(if roomy {
                format!("{count} found. With {it} mended, your recovery key opens {opens}.")
            } else {
                format!("{count} found, proven.")
            }),
        ],
    )];
    let sentences = found.iter().map(|slip| {
        let text = slips::sentence(slip, !model.masked);
        Row::wrapped(2, line(Shown::new(text.expose()).to_string()))
    });
    let sentences: Vec<Row> = sentences.collect();
    if roomy {
        let room = regions.rows().saturating_sub(2 + sentences.len());
        let cells = cell_rows(model, answer, &differ, room);
        // What differs in many places takes all the room there is.
        rows.extend((cells.len() <= room).then(Row::empty));
        rows.extend(cells);
        rows.extend(sentences);
    } else {
        rows.push(Row::empty());
        let seen: Vec<usize> = differ.iter().skip(mend.cursor.top).take(2).copied().collect();
        rows.extend(block(model, answer, &seen, 9, 9));
        rows.extend(sentences);
    }
    let cell = differ.first().map_or(1, |cell| cell + 1);
    let compare = match differ.len() {
        1 => format!("compare cell {cell} with your paper."),
        _ if roomy => "compare these cells with your paper.".to_owned(),
        _ => "compare with your paper.".to_owned(),
    };
    let takes = match (differ.as_slice(), model.masked) {
        _ if several => " Press Esc: keyhaul takes none of several.".to_owned(),
        ([one], false) => format!(" Enter takes {}.", meant_in(answer, *one)),
        _ => " Enter takes it.".to_owned(),
    };
    Page {
        title: line("The slip"),
        corner: match several {
            false => line("1 answer, proven"),
            true => line(format!("{} answers, proven", repaired.answers.len())),
        },
        edge: line(match model.masked {
            true => "the characters are hidden while masked: m",
            false => "only cells that differ are shown",
        }),
        rows,
        fact: line(match several {
            false => format!(
                "Proven: of {} possibilities tried, only this one opens a lock.",
                grouped(repaired.tried)
            ),
            true => "Each of them opens a lock. Only your paper tells which is yours.".to_owned(),
        }),
        next: line(if roomy { format!("{compare}{takes}") } else { compare }),
        hints: vec![
            called(Intent::GoOn, "take it"),
            called(Intent::Back, "keep mine"),
            hint(Intent::Explain),
            hint(Intent::Help),
        ],
        ..Page::default()
    }
}

fn nothing_page(tried: u64, seconds: u64, regions: &Regions) -> Page {
    let tried = grouped(tried);
    let sad = |text: String| Row::wrapped(2, vec![own("✗ ").ink(Ink::Warn), own(text)]);
    let more = |text: &'static str| Row::wrapped(2, line(format!("  {text}")));
    let rows = vec![
        sad(format!(
            "No slip explains it. {tried} possibilities were tried in {}.",
            length(seconds)
        )),
        more("So more characters differ, or it is for something else."),
        more("What you typed is unchanged."),
    ];
    Page {
        title: line("No slip found"),
        rows,
        fact: line("Nothing was changed, and nobody counts the tries."),
        next: line(if regions.is_roomy() {
            "read the paper aloud, cell by cell, or ask someone to read it to you."
        } else {
            "have it read to you aloud."
        }),
        hints: vec![called(Intent::Back, "back"), hint(Intent::Explain), hint(Intent::Help)],
        ..Page::default()
    }
}

/// The cells that differ, counted from 0.
fn differing(answer: &Answer) -> Vec<usize> {
    let cells = answer.difference.cells.iter().enumerate();
    let differs = cells.filter(|(_, cell)| cell.iter().any(|pair| !pair.is_right()));
    differs.map(|(place, _)| place).collect()
}

/// All twelve cells, if there is room for them; else the rows of cells in which some differ, in the end
/// without room between them.
fn cell_rows(model: &Model, answer: &Answer, differ: &[usize], room: usize) -> Vec<Row> {
    let blocks = |only_differing: bool, gaps: bool| {
        let mut rows = Vec::new();
        for block_of in 0..answer.difference.cells.len().div_ceil(ROW) {
            let cells: Vec<usize> = (block_of * ROW..(block_of + 1) * ROW).collect();
            if !only_differing || cells.iter().any(|cell| differ.contains(cell)) {
                rows.extend(block(model, answer, &cells, LEAD, WIDE));
                rows.extend(gaps.then(Row::empty));
            }
        }
        rows
    };
    let fits = |rows: &Vec<Row>| rows.len() <= room;
    let some = Some(blocks(false, true)).filter(fits);
    some.or_else(|| Some(blocks(true, true)).filter(fits)).unwrap_or_else(|| blocks(true, false))
}

/// Some cells beside each other: typed, meant, and where they differ.
fn block(model: &Model, answer: &Answer, cells: &[usize], lead: usize, wide: usize) -> Vec<Row> {
    let of = |place: &usize| answer.difference.cells.get(*place).map_or(&[][..], Vec::as_slice);
    let differs = |place: &usize| of(place).iter().any(|pair| !pair.is_right());
    let indent = if lead < LEAD { " " } else { "  " };
    let mut head = vec![own("").left(lead)];
    head.extend(cells.iter().map(|cell| own(format!("cell {}", cell + 1)).left(wide)));
    let row = |name: &'static str, letter: fn(&Pair) -> Option<char>| {
        let mut row = vec![own(format!("{indent}{name}")).left(lead)];
        for place in cells {
            let (text, seen) = match differs(place) && !model.masked {
                true => (places(of(place), letter), true),
                false => (" ••••".to_owned(), false),
            };
            row.push(own(text).ink(if seen { Ink::Secret } else { Ink::Plain }).left(wide));
        }
        Row::of(row)
    };
    let mut rows =
        vec![Row::of(head), row("typed", |pair| pair.typed), row("meant", |pair| pair.meant)];
    if cells.iter().any(differs) {
        let mut marks: Line = vec![own(format!("{indent}differs")).left(lead)];
        for place in cells {
            let signs = of(place).iter().take(PLACES).map(|pair| match pair.is_right() {
                true => ' ',
                false => '^',
            });
            marks.push(own(format!(" {}", signs.collect::<String>())).ink(Ink::Warn).left(wide));
        }
        rows.push(Row::of(marks));
    }
    rows
}

/// The letters of a cell; a line low down where one is missing.
fn places(cell: &[Pair], letter: fn(&Pair) -> Option<char>) -> String {
    let mut text = " ".to_owned();
    for pair in cell.iter().take(PLACES) {
        text.push(match letter(pair) {
            None => '_',
            Some(c) if c.is_ascii_graphic() => c,
            Some(_) => '?',
        });
    }
    if cell.len() > PLACES {
        text.push('…');
    }
    text
}

/// What was meant in a cell.
fn meant_in(answer: &Answer, cell: usize) -> String {
    let cell = answer.difference.cells.get(cell).map_or(&[][..], Vec::as_slice);
    cell.iter().filter_map(|pair| pair.meant).collect()
}

//! One room, key by key; and one key.

use crate::{
    base::{
        shown::{Shown, grouped},
        words::{counted, size},
    },
    recovery::contents::SessionContents,
    tui::{
        intent::Intent,
        layout::Regions,
        model::{KeySort, Model, RoomView},
        page::{Line, Page, Piece, Row, Side, Target, called, hint, line, mark, own, private},
        theme::Ink,
    },
};

/// Characters of an id in one row, and at most.
const ID_PART: usize = 22;
const ID_LONGEST: usize = 88;

/// Rows of keys that are seen at once.
pub(super) fn list_height(model: &Model, regions: &Regions) -> usize {
    let all = regions.rows().saturating_sub(2).max(1);
    if model.explaining.is_some() && regions.side.is_none() { all.min(4) } else { all }
}

/// The room's name, as the table of rooms has it.
fn title(model: &Model, view: &RoomView) -> Line {
    match model.haul().and_then(|haul| haul.rooms.room(&view.id)) {
        Some(room) => vec![super::rooms::name(model, room)],
        None => line("One room"),
    }
}

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let Some(view) = model.room_view() else { return Page::default() };
    let roomy = regions.is_roomy();
    let height = list_height(model, regions);
    let mut rows = vec![heading(view, regions)];
    let mut list = Vec::with_capacity(height);
    match &view.sessions {
        None => list.push(Row::text("  … reading the keys of this room")),
        Some(sessions) => {
            for place in view.cursor.seen(view.order.len(), height) {
                let session = view.order.get(place).and_then(|at| sessions.sessions.get(*at));
                let Some(session) = session else { continue };
                let focus = place == view.cursor.at && model.overlays.is_empty();
                let row = key_row(session, regions, focus);
                list.push(row.target(Target::Row(place)));
            }
            if sessions.sessions.is_empty() {
                list.push(Row::text("  This room has no keys in this backup."));
            }
        }
    }
    rows.extend(super::filled(list, height));
    let count = view.order.len();
    let position = match count {
        0 => String::new(),
        _ => format!("{} of {}", grouped(view.cursor.at as u64 + 1), counted(count as u64, "key")),
    };
    rows.push(Row::text(position));
    let sessions = view.sessions.as_ref();
    let unknown = sessions.is_some_and(|sessions| {
        sessions.sessions.iter().any(|session| session.metadata.first_message_index.is_none())
    });
    let whole = sessions.is_none_or(|sessions| sessions.whole);
    Page {
        title: title(model, view),
        corner: if sessions.is_some() { line(counted(count as u64, "key")) } else { Line::new() },
        edge: match (whole, unknown) {
            (false, _) => line("this is not all: the snapshot or the answer is cut"),
            (_, true) => line("? the entry lacks a usable number; the key itself will tell"),
            _ => Line::new(),
        },
        rows,
        side: regions.side.map(|_| Side {
            title: line("Key in focus"),
            rows: view.focus().map(|key| key_rows(key, true)).unwrap_or_default(),
        }),
        fact: fact(view, roomy),
        next: line(if roomy {
            "look around, or press Esc to go back to the rooms."
        } else {
            "Esc goes back to the rooms."
        }),
        hints: vec![
            called(Intent::Back, "rooms"),
            hint(Intent::Open),
            hint(Intent::Sort),
            hint(Intent::Copy),
            hint(Intent::Explain),
            hint(Intent::Help),
        ],
        ..Page::default()
    }
}

fn fact(view: &RoomView, roomy: bool) -> Line {
    let Some(sessions) = &view.sessions else { return line("The snapshot is being read.") };
    let late = sessions
        .sessions
        .iter()
        .filter(|session| session.metadata.first_message_index.is_some_and(|index| index > 0));
    match (late.count() as u64, roomy) {
        (0, _) => line("Every key of this room starts at its first message."),
        (1, _) => line("1 key of this room starts late."),
        (late, true) => {
            line(format!("{} keys of this room start late. s sorts by that.", grouped(late)))
        }
        (late, false) => line(format!("{} keys start late.", grouped(late))),
    }
}

fn heading(view: &RoomView, regions: &Regions) -> Row {
    let (id, start, passed, here) = columns(regions);
    let arrow = |sort: KeySort| match (view.sort == sort && sort != KeySort::Given, view.backwards)
    {
        (true, false) => " ↓",
        (true, true) => " ↑",
        (false, _) => "",
    };
    let roomy = regions.is_roomy();
    let (starts, on) =
        if roomy { ("starts at message", "passed on") } else { ("starts", "passed") };
    let mut row = vec![own("  key (id)").left(id + 2)];
    row.push(own(format!("{starts}{}", arrow(KeySort::Start))).right(start));
    row.push(own(format!("{on}{}", arrow(KeySort::PassedOn))).right(passed));
    if here > 0 {
        row.push(own("here").right(here));
    }
    Row::of(row.into_iter().map(|piece| piece.ink(Ink::Muted)).collect())
}

/// Cells of the columns: id, start, passed on, here.
fn columns(regions: &Regions) -> (usize, usize, usize, usize) {
    let (start, passed, here) = if regions.is_roomy() { (21, 13, 9) } else { (9, 9, 0) };
    (regions.cells().saturating_sub(2 + start + passed + here), start, passed, here)
}

fn key_row(session: &SessionContents, regions: &Regions, focus: bool) -> Row {
    let (id, start, passed, here) = columns(regions);
    let shown = Shown::limited(&session.session_id, 255);
    let mut row = vec![mark(focus), private(&shown.cut_middle(id.min(16))).left(id)];
    row.push(starts(session).right(start));
    row.push(own(passed_on(session)).right(passed));
    if here > 0 {
        row.push(own(restored(session)).right(here));
    }
    Row::of(row).focused(focus).cursor(focus.then_some(0))
}

fn starts(session: &SessionContents) -> Piece {
    match session.metadata.first_message_index {
        None => own("?").ink(Ink::Warn),
        Some(0) => own("0"),
        Some(index) => own(grouped(index)).ink(Ink::Warn),
    }
}

fn passed_on(session: &SessionContents) -> String {
    match session.metadata.forwarded_count {
        None => "?".to_owned(),
        Some(0) => "no".to_owned(),
        Some(1) => "once".to_owned(),
        Some(2) => "twice".to_owned(),
        Some(times) => format!("{} times", grouped(times)),
    }
}

fn restored(session: &SessionContents) -> &'static str {
    match session.restored {
        None => "–",
        Some(true) => "yes",
        Some(false) => "no",
    }
}

/// The id in parts that the smallest window shows whole.
fn id_rows(session: &SessionContents, lead: &'static str) -> Vec<Row> {
    let id: Vec<char> = session.session_id.chars().take(ID_LONGEST).collect();
    let part = |part: &[char]| Shown::new(&part.iter().collect::<String>());
    id.chunks(ID_PART).map(|id| Row::of(vec![own(lead), private(&part(id))])).collect()
}

/// Everything about one key.
fn key_rows(session: &SessionContents, roomy: bool) -> Vec<Row> {
    let start = match session.metadata.first_message_index {
        None => "The entry does not say where it starts; the key itself will tell.".to_owned(),
        Some(0) => "It starts at the first message of its session.".to_owned(),
        Some(index) => format!(
            "It starts at message {}. The messages of this session from before stay closed, unless \
             another backup or a key file holds an earlier form of this key.",
            grouped(index)
        ),
    };
    let passed = match session.metadata.forwarded_count {
        None => "The entry does not say whether it was passed on.".to_owned(),
        Some(0) => "It came from the device that wrote the messages.".to_owned(),
        Some(_) => format!("It was passed on by another device, {}.", passed_on(session)),
    };
    let verified = match session.metadata.is_verified {
        Some(true) => "An app marked it “verified”. keyhaul cannot check that.",
        _ => "No app marked it “verified”. That is common and does no harm.",
    };
    let here = match session.restored {
        None => "Whether it is here is known once your store is open.",
        Some(true) => "It is on this computer already.",
        Some(false) => "It is not on this computer yet.",
    };
    if !roomy {
        let said = |text: String| Row::wrapped(0, line(text));
        let mut rows = id_rows(session, "");
        rows.extend([said(start), said(passed), said(here.to_owned())]);
        return rows;
    }
    let said = |text: String| Row::wrapped(2, line(format!("  {text}")));
    let heading = |text: &'static str| Row::of(vec![own(text).ink(Ink::Muted)]);
    let mut rows = vec![heading("id")];
    rows.extend(id_rows(session, "  "));
    rows.extend([heading("start"), said(start), heading("way"), said(passed)]);
    rows.extend([heading("mark"), said(verified.to_owned())]);
    rows.extend([heading("here"), said(here.to_owned())]);
    rows.extend([heading("size"), said(size(session.bytes))]);
    rows
}

pub(super) fn key_page(model: &Model, regions: &Regions) -> Page {
    let Some(view) = model.room_view() else { return Page::default() };
    let roomy = regions.is_roomy();
    let rows = view.focus().map(|key| key_rows(key, roomy)).unwrap_or_default();
    let position = format!(
        "{} of {}",
        grouped(view.cursor.at as u64 + 1),
        counted(view.order.len() as u64, "key")
    );
    let mut name = vec![own("One key of ")];
    name.extend(title(model, view));
    Page {
        title: name,
        corner: line(position),
        rows,
        fact: line(if roomy {
            "An app wrote these figures. keyhaul checks them when it opens the key."
        } else {
            "An app wrote these figures."
        }),
        next: line(if roomy {
            "↑ and ↓ show the other keys; Esc goes back to the list."
        } else {
            "Esc goes back to the list."
        }),
        hints: vec![
            called(Intent::Back, "keys"),
            called(Intent::Down, "next key"),
            called(Intent::Copy, "copy id"),
            hint(Intent::Explain),
            hint(Intent::Help),
        ],
        ..Page::default()
    }
}

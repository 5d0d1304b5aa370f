//! The rooms of step 3: their table, and all about the one in focus.

use crate::{
    base::{
        shown::{Shown, grouped},
        words::size,
    },
    recovery::names::RoomName,
    tui::{
        haul::Haul,
        layout::Regions,
        model::Model,
        page::{Instead, Piece, Row, Side, instead, line, mark_and_box, own},
        rooms::{Room, Sort},
        theme::Ink,
    },
};

/// Cells of the columns.
pub(super) struct Columns {
    name: usize,
    keys: usize,
    late: usize,
    here: usize,
}

impl Columns {
    pub(super) fn of(regions: &Regions) -> Self {
        let cells = regions.cells();
        let (keys, late, here) = if regions.is_roomy() { (10, 12, 10) } else { (9, 7, 0) };
        let name = cells.saturating_sub(5 + keys + late + here);
        Self { name, keys, late, here }
    }
}

/// The names of the columns, the one that sorts with its direction.
pub(super) fn heading(haul: &Haul, columns: &Columns, roomy: bool) -> Row {
    let arrow = if haul.rooms.backwards { " ↑" } else { " ↓" };
    let named = |name: &'static str, sort: Sort| {
        let arrow = if haul.rooms.sort == sort { arrow } else { "" };
        own(format!("{name}{arrow}")).ink(Ink::Muted)
    };
    let late = if roomy { "start late" } else { "late" };
    let mut row = vec![own("     "), named("room", Sort::Name).left(columns.name)];
    row.push(named("keys", Sort::Keys).right(columns.keys));
    row.push(named(late, Sort::Late).right(columns.late));
    if columns.here > 0 {
        row.push(named("here", Sort::Here).right(columns.here));
    }
    Row::of(row)
}

/// One room.
pub(super) fn room_row(
    model: &Model,
    haul: &Haul,
    room: &Room,
    columns: &Columns,
    focus: bool,
) -> Row {
    let figures = &room.figures;
    let late = match figures.partial {
        0 => own("–").ink(Ink::Muted),
        late => own(grouped(late)).ink(Ink::Warn),
    };
    let mut row = mark_and_box(focus, room.chosen).to_vec();
    row.push(name(model, room).left(columns.name));
    row.push(own(grouped(figures.sessions)).right(columns.keys));
    row.push(late.right(columns.late));
    if columns.here > 0 {
        let here = match haul.compared {
            true => own(grouped(figures.restored)),
            false => own("–").ink(Ink::Muted),
        };
        row.push(here.right(columns.here));
    }
    Row::of(row).focused(focus).cursor(focus.then_some(1))
}

/// What a room of a version is called.
pub(super) fn name_of(model: &Model, version: &str, id: &str) -> Piece {
    match known(model, version, id) {
        Some(room) => name(model, room),
        None => instead(&short(id), Instead::Dots),
    }
}

/// A room as it is in a version; where that is not read or lacks it, as it is in another one.
pub(super) fn known<'a>(model: &'a Model, version: &str, id: &str) -> Option<&'a Room> {
    let own = model.hauls.get(version);
    let mut hauls = own.into_iter().chain(model.hauls.values());
    hauls.find_map(|haul| haul.rooms.room(id))
}

/// What a room is called: its name, or the people in it, or its id.
pub(super) fn name(model: &Model, room: &Room) -> Piece {
    let known = model.names.get(&room.id);
    let text = match known {
        Some(RoomName { name: Some(name), left: false, .. }) => name.clone(),
        Some(RoomName { name: Some(name), left: true, .. }) => {
            Shown::new(&format!("{name} (left)"))
        }
        Some(RoomName { name: None, people: Some(people), .. }) if *people > 1 => {
            Shown::new(&format!("(no name, {} people)", grouped(*people)))
        }
        Some(RoomName { name: None, left, .. }) => {
            let id = short(&room.id);
            let why = if *left { "left, no name" } else { "no name" };
            Shown::new(&format!("{id}  ({why})"))
        }
        None => short(&room.id),
    };
    instead(&text, Instead::Room(room.number))
}

/// An id cut in its middle, the server part kept.
fn short(id: &str) -> Shown {
    let shown = Shown::limited(id, 255);
    match shown.as_str().split_once(':') {
        Some((local, server)) if local.chars().count() > 8 => {
            let local: String = local.chars().take(7).collect();
            Shown::new(&format!("{local}…:{server}"))
        }
        Some(_) => shown,
        None => shown.cut(8),
    }
}

/// All about the room in focus.
pub(super) fn side(model: &Model, haul: &Haul) -> Side {
    let Some(room) = haul.rooms.focus() else { return Side::default() };
    let figures = &room.figures;
    let figure = |number: u64, words: &'static str| {
        Row::of(vec![own(grouped(number)).right(9), own("  "), own(words)])
    };
    let mut rows = vec![Row::of(vec![name(model, room).left(40).ink(Ink::Strong)])];
    rows.push(Row::of(vec![
        instead(&Shown::limited(&room.id, 255), Instead::Dots).ink(Ink::Muted).middle(40),
    ]));
    let known = model.names.get(&room.id);
    rows.push(Row::text(match known {
        None => "Its name is not known yet.".to_owned(),
        Some(RoomName { left: true, .. }) => "You are not in this room any more.".to_owned(),
        Some(RoomName { people: Some(people), .. }) => {
            let people = if *people == 1 {
                "1 person".to_owned()
            } else {
                format!("{} people", grouped(*people))
            };
            format!("You are in this room. {people}.")
        }
        Some(_) => String::new(),
    }));
    rows.push(Row::empty());
    rows.push(figure(figures.sessions, if figures.sessions == 1 { "key" } else { "keys" }));
    rows.push(figure(figures.sessions.saturating_sub(figures.partial), "start at the beginning"));
    rows.push(figure(figures.partial, "start late"));
    if haul.compared {
        rows.push(figure(figures.restored, "here already"));
    }
    rows.push(figure(figures.forwarded, "passed on by another device"));
    let verified = figures.sessions.saturating_sub(figures.unverified);
    rows.push(figure(verified, "marked “verified” by an app"));
    rows.push(Row::empty());
    if figures.partial > 0 {
        rows.push(Row::wrapped(
            0,
            line(
                "Earlier messages of keys that start late stay closed, unless another backup or a \
                 key file holds an earlier form of the key.",
            ),
        ));
        rows.push(Row::empty());
    }
    rows.push(Row::text(format!("Size {}", size(figures.bytes))));
    rows.push(Row::empty());
    rows.push(Row::wrapped(
        0,
        line("The server wrote these numbers. keyhaul checks each one when it opens the key."),
    ));
    rows.push(Row::empty());
    rows.push(Row::of(vec![own("→").ink(Ink::Accent), own("  its keys, one by one")]));
    Side { title: line("Room in focus"), rows }
}

//! The table of rooms: sorted, filtered and chosen, while it still grows.

use std::{collections::HashMap, sync::Arc};

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use super::{
    field::Field,
    list::{Cursor, Move},
};
use crate::recovery::{contents::RoomContents, names::RoomName};

/// One room.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// Its id.
    pub(super) id: Arc<str>,
    /// Its number under the mask, the same until keyhaul ends.
    pub(super) number: u64,
    /// Its figures.
    pub(super) figures: RoomContents,
    /// Whether somebody chose it.
    pub(super) chosen: bool,
}

/// The column that sorts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Most keys first.
    #[default]
    Keys,
    /// Most late keys first.
    Late,
    /// Most keys on this computer first.
    Here,
    /// By name.
    Name,
}

impl Sort {
    fn next(self) -> Self {
        match self {
            Self::Keys => Self::Late,
            Self::Late => Self::Here,
            Self::Here => Self::Name,
            Self::Name => Self::Keys,
        }
    }
}

/// The rooms of one version.
#[derive(Default)]
pub(super) struct Rooms {
    rooms: Vec<Room>,
    places: HashMap<Arc<str>, usize>,
    /// The last number that a room got.
    numbers: u64,
    /// The rooms that are shown, in their order.
    shown: Vec<usize>,
    /// The column that sorts.
    pub(super) sort: Sort,
    /// Against its usual direction.
    pub(super) backwards: bool,
    /// The focus.
    pub(super) cursor: Cursor,
    /// The word to find.
    pub(super) filter: Field,
    /// Somebody moved: from then on the focus stays on its room.
    moved: bool,
    /// The rooms have the numbers that they keep.
    numbered: bool,
    totals: Totals,
}

/// What the rooms come to, kept while they change: a hundred thousand are not counted for every frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Keys that start late.
    pub(super) late: u64,
    /// Rooms that have such keys.
    pub(super) late_rooms: u64,
    /// Rooms that somebody chose.
    pub(super) chosen: u64,
    /// Keys in these.
    pub(super) chosen_keys: u64,
}

impl Totals {
    fn add(&mut self, room: &Room) {
        self.late += room.figures.partial;
        self.late_rooms += u64::from(room.figures.partial > 0);
        self.chosen += u64::from(room.chosen);
        self.chosen_keys += if room.chosen { room.figures.sessions } else { 0 };
    }

    fn take(&mut self, room: &Room) {
        self.late -= room.figures.partial;
        self.late_rooms -= u64::from(room.figures.partial > 0);
        self.chosen -= u64::from(room.chosen);
        self.chosen_keys -= if room.chosen { room.figures.sessions } else { 0 };
    }
}

/// Names of rooms, by their ids.
pub(super) type Names = HashMap<Arc<str>, RoomName>;

impl Rooms {
    /// Takes figures of rooms, new ones or those that changed.
    pub(super) fn take(&mut self, figures: impl IntoIterator<Item = (Arc<str>, RoomContents)>) {
        for (id, figures) in figures {
            let known = self.places.get(&id).and_then(|place| self.rooms.get_mut(*place));
            if let Some(room) = known {
                self.totals.take(room);
                room.figures = figures;
                self.totals.add(room);
                continue;
            }
            self.numbers += 1;
            self.places.insert(Arc::clone(&id), self.rooms.len());
            let room = Room { id, number: self.numbers, figures, chosen: false };
            self.totals.add(&room);
            self.rooms.push(room);
        }
    }

    /// What the rooms come to.
    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Says whether the order or the filter hangs on names.
    pub(super) fn names_matter(&self) -> bool {
        self.sort == Sort::Name || !self.filter.is_empty()
    }

    /// Forgets rooms that a second reading did not find any more.
    pub(super) fn keep_only(&mut self, is_there: impl Fn(&str) -> bool) {
        let focus = self.focus().map(|room| Arc::clone(&room.id));
        self.rooms.retain(|room| is_there(&room.id));
        let rooms = self.rooms.iter().enumerate();
        self.places = rooms.map(|(place, room)| (Arc::clone(&room.id), place)).collect();
        self.totals = Totals::default();
        self.rooms.iter().for_each(|room| self.totals.add(room));
        // The places in the old order mean other rooms now; only the focus is to stay where it is.
        let place = focus.and_then(|id| self.places.get(&id).copied());
        self.shown = place.into_iter().collect();
        self.cursor.at = 0;
    }

    /// Numbers the rooms for the mask, the one with most keys first; once, because then people speak of
    /// them, and not if somebody saw the numbers as they came.
    pub(super) fn number(&mut self, seen: bool) {
        if std::mem::replace(&mut self.numbered, true) || seen {
            return;
        }
        let mut order: Vec<usize> = (0..self.rooms.len()).collect();
        order.sort_by_key(|place| {
            self.rooms.get(*place).map(|room| (std::cmp::Reverse(room.figures.sessions), &room.id))
        });
        for (number, place) in order.into_iter().enumerate() {
            if let Some(room) = self.rooms.get_mut(place) {
                room.number = number as u64 + 1;
            }
        }
    }

    /// Sorts and filters anew, and keeps the focus on its room once somebody moved.
    pub(super) fn arrange(&mut self, names: &Names, masked: bool, seen: usize) {
        let focus = self.focus().map(|room| Arc::clone(&room.id));
        self.shown = self.matching(names, masked);
        self.order(names, masked);
        let place = focus.filter(|_| self.moved).and_then(|id| {
            let place = self.places.get(&id)?;
            self.shown.iter().position(|shown| shown == place)
        });
        match place {
            Some(row) => self.cursor.go(Move::To(row), self.shown.len(), seen),
            None if self.moved => self.cursor.settle(self.shown.len(), seen),
            None => self.cursor = Cursor::default(),
        }
    }

    fn matching(&self, names: &Names, masked: bool) -> Vec<usize> {
        let all = 0..self.rooms.len();
        // A search by name would show the name.
        if self.filter.is_empty() || masked {
            return all.collect();
        }
        let word = self.filter.text();
        let pattern = Pattern::parse(word, CaseMatching::Smart, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let exact =
            Pattern::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
        let mut fits = |place: &usize, pattern: &Pattern| {
            let Some(room) = self.rooms.get(*place) else { return false };
            let name = names.get(&room.id).and_then(|name| name.name.as_ref());
            let mut score = |text: &str| {
                pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher).is_some()
            };
            // In an id any few letters could be found: only what stands there as it was typed.
            name.is_some_and(|name| score(name.as_str())) || room.id.contains(word)
        };
        // What was typed stands first; only where it stands nowhere, something like it will do. Else a
        // long name would fit every word, and be chosen with the others.
        let standing: Vec<usize> = all.clone().filter(|place| fits(place, &exact)).collect();
        if standing.is_empty() {
            all.filter(|place| fits(place, &pattern)).collect()
        } else {
            standing
        }
    }

    fn order(&mut self, names: &Names, masked: bool) {
        let rooms = &self.rooms;
        let figure = |place: &usize, of: fn(&RoomContents) -> u64| {
            let room = rooms.get(*place);
            room.map(|room| (std::cmp::Reverse(of(&room.figures)), &room.id))
        };
        match self.sort {
            Sort::Keys => self.shown.sort_by_key(|place| figure(place, |room| room.sessions)),
            Sort::Late => self.shown.sort_by_key(|place| figure(place, |room| room.partial)),
            Sort::Here => self.shown.sort_by_key(|place| figure(place, |room| room.restored)),
            Sort::Name if masked => {
                self.shown.sort_by_key(|place| rooms.get(*place).map(|room| room.number));
            }
            Sort::Name => self.shown.sort_by_cached_key(|place| {
                let id = rooms.get(*place).map(|room| Arc::clone(&room.id))?;
                let name = names.get(&id).and_then(|name| name.name.as_ref());
                let lower = name.map(|name| name.as_str().to_lowercase());
                // Rooms without a name come last.
                Some((lower.is_none(), lower, id))
            }),
        }
        if self.backwards {
            self.shown.reverse();
        }
    }

    /// Moves the focus.
    pub(super) fn go(&mut self, to: Move, seen: usize) {
        // A window of another size moves nobody.
        self.moved |= to != Move::By(0);
        self.cursor.go(to, self.shown.len(), seen);
    }

    /// Sorts by the next column, or turns the order round.
    pub(super) fn sort(&mut self, back: bool) {
        if back {
            self.backwards = !self.backwards;
        } else {
            self.sort = self.sort.next();
            self.backwards = false;
        }
    }

    /// The room in focus.
    pub(super) fn focus(&self) -> Option<&Room> {
        self.shown(self.cursor.at)
    }

    /// The room in a row.
    pub(super) fn shown(&self, row: usize) -> Option<&Room> {
        self.rooms.get(*self.shown.get(row)?)
    }

    /// How many rooms are shown.
    pub(super) fn count_shown(&self) -> usize {
        self.shown.len()
    }

    /// All rooms.
    pub(super) fn all(&self) -> &[Room] {
        &self.rooms
    }

    /// A room by its id.
    pub(super) fn room(&self, id: &str) -> Option<&Room> {
        self.rooms.get(*self.places.get(id)?)
    }

    /// The rooms that somebody chose.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter().filter(|room| room.chosen)
    }

    /// How many keys these rooms have.
    pub(super) fn keys_in(&self, ids: &[String]) -> u64 {
        ids.iter().filter_map(|id| self.room(id)).map(|room| room.figures.sessions).sum()
    }

    /// Chooses the room in focus, or not.
    pub(super) fn choose(&mut self) {
        let place = self.shown.get(self.cursor.at).copied();
        if let Some(room) = place.and_then(|place| self.rooms.get_mut(place)) {
            self.totals.take(room);
            room.chosen = !room.chosen;
            self.totals.add(room);
        }
    }

    /// Chooses all rooms that are shown; if they all are chosen, none of them.
    pub(super) fn choose_all(&mut self) {
        let all = self.shown.iter().filter_map(|place| self.rooms.get(*place));
        let choose = !all.clone().all(|room| room.chosen) && all.count() > 0;
        self.change(|_| choose);
    }

    /// Chooses the others of those that are shown.
    pub(super) fn invert(&mut self) {
        self.change(|room| !room.chosen);
    }

    fn change(&mut self, to: impl Fn(&Room) -> bool) {
        for place in &self.shown {
            let Some(room) = self.rooms.get_mut(*place) else { continue };
            self.totals.take(room);
            room.chosen = to(room);
            self.totals.add(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(figures: &[(&str, u64)]) -> Rooms {
        let mut rooms = Rooms::default();
        rooms.take(figures.iter().map(|(id, sessions)| {
            (Arc::from(*id), RoomContents { sessions: *sessions, ..RoomContents::default() })
        }));
        rooms.arrange(&Names::new(), false, 10);
        rooms
    }

    fn ids(rooms: &Rooms) -> Vec<&str> {
        (0..rooms.count_shown()).filter_map(|row| Some(&*rooms.shown(row)?.id)).collect()
    }

    #[test]
    fn the_focus_stays_on_its_room_once_somebody_moved() {
        let mut rooms = rooms(&[("!a", 3), ("!b", 2), ("!c", 1)]);
        assert_eq!(ids(&rooms), ["!a", "!b", "!c"]);
        let grow = |rooms: &mut Rooms, id: &str, sessions| {
            rooms.take([(Arc::from(id), RoomContents { sessions, ..RoomContents::default() })]);
            rooms.arrange(&Names::new(), false, 10);
        };
        grow(&mut rooms, "!c", 9);
        assert_eq!(rooms.focus().map(|room| &*room.id), Some("!c"));
        rooms.go(Move::By(1), 10);
        grow(&mut rooms, "!d", 99);
        assert_eq!(ids(&rooms), ["!d", "!c", "!a", "!b"]);
        assert_eq!(rooms.focus().map(|room| &*room.id), Some("!a"));
        rooms.number(false);
        assert_eq!(rooms.room("!d").map(|room| room.number), Some(1));
        // A second reading finds other rooms: the focus and the numbers stay.
        rooms.keep_only(|id| id != "!d");
        grow(&mut rooms, "!e", 1);
        rooms.number(false);
        assert_eq!(ids(&rooms), ["!c", "!a", "!b", "!e"]);
        assert_eq!(rooms.focus().map(|room| &*room.id), Some("!a"));
        assert_eq!(rooms.room("!c").map(|room| room.number), Some(2));
    }

    #[test]
    fn totals_are_kept_while_rooms_change() {
        let figures = |sessions, partial| RoomContents { sessions, partial, ..Default::default() };
        let mut rooms = Rooms::default();
        rooms.take([("!a".into(), figures(3, 1)), ("!b".into(), figures(2, 0))]);
        rooms.arrange(&Names::new(), false, 10);
        rooms.choose_all();
        rooms.take([("!a".into(), figures(5, 2)), ("!c".into(), figures(1, 1))]);
        let Totals { late, late_rooms, chosen, chosen_keys } = rooms.totals();
        assert_eq!((late, late_rooms, chosen, chosen_keys), (3, 2, 2, 7));
        rooms.arrange(&Names::new(), false, 10);
        rooms.choose();
        rooms.invert();
        rooms.keep_only(|id| id != "!b");
        let Totals { late, late_rooms, chosen, chosen_keys } = rooms.totals();
        assert_eq!((late, late_rooms, chosen, chosen_keys), (3, 2, 2, 6));
    }

    #[test]
    fn a_filter_narrows_what_is_chosen() {
        let mut rooms = rooms(&[("!family:x", 3), ("!work:x", 2), ("!choir:x", 1)]);
        rooms.filter = Field::with("work");
        rooms.arrange(&Names::new(), false, 10);
        assert_eq!(ids(&rooms), ["!work:x"]);
        rooms.choose_all();
        rooms.filter = Field::default();
        rooms.arrange(&Names::new(), false, 10);
        assert_eq!(rooms.chosen().count(), 1);
        rooms.invert();
        assert_eq!(
            rooms.chosen().map(|room| &*room.id).collect::<Vec<_>>(),
            ["!family:x", "!choir:x"]
        );
        rooms.choose_all();
        assert_eq!(rooms.chosen().count(), 3);
        rooms.choose_all();
        assert_eq!(rooms.chosen().count(), 0);
        rooms.filter = Field::with("nothing like it");
        rooms.arrange(&Names::new(), true, 10);
        assert_eq!(rooms.count_shown(), 3, "a search would show names under the mask");
    }

    #[test]
    fn every_column_sorts_both_ways() {
        let mut rooms = rooms(&[("!a", 3), ("!b", 2)]);
        for expected in [Sort::Late, Sort::Here, Sort::Name, Sort::Keys] {
            rooms.sort(false);
            assert_eq!(rooms.sort, expected);
            rooms.arrange(&Names::new(), false, 10);
            assert_eq!(ids(&rooms), ["!a", "!b"]);
            rooms.sort(true);
            rooms.arrange(&Names::new(), false, 10);
            assert_eq!(ids(&rooms), ["!b", "!a"]);
        }
    }
}

//! Step 3: the rooms of a version, the keys of one room.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    base::failure::{Code, Failure},
    recovery::{
        contents::{Glance, RoomSessions, SessionContents},
        haul::Hauled,
        names::RoomName,
    },
    tui::{
        effect::Effect,
        field::Edit,
        haul::{Haul, Reading},
        intent::Intent,
        jobs::Work,
        list::{Cursor, Move},
        message::Moment,
        model::{Branch, KeySort, Model, RoomView, Step},
        overlay::{Choice, Repeat},
        restore_step::Stage,
        screens,
    },
};

/// How long names are gathered before the table is sorted by them.
const NAMES_PAUSE: Moment = Moment::from_millis(250);

impl Model {
    pub(super) fn on_contents(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        if self.finding && self.on_filter(intent) {
            return;
        }
        match intent {
            Intent::Back => self.back_from_contents(effects),
            Intent::GoOn => self.go_on_from_contents(effects),
            Intent::Again => self.read_again(effects),
            Intent::Open => self.open_room(effects),
            Intent::Find if self.masked => {
                self.remark("No search while names are hidden: typing one would show it.");
            }
            Intent::Find => self.finding = true,
            Intent::Choose | Intent::ChooseAll | Intent::Invert => self.choose(intent),
            Intent::Sort | Intent::SortBack => {
                if let Some(haul) = self.haul_mut() {
                    haul.rooms.sort(intent == Intent::SortBack);
                }
                self.arrange();
            }
            Intent::Front => {
                let room = self.haul().and_then(|haul| haul.rooms.focus());
                let room = room.map(|room| room.id.to_string());
                self.bring_to_front(room, effects);
            }
            _ if self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }

    /// Keys while somebody types a word to find; `false` where the list takes them.
    fn on_filter(&mut self, intent: Intent) -> bool {
        match intent {
            Intent::GoOn => self.finding = false,
            Intent::Back => {
                self.finding = false;
                self.edit_filter(Edit::Clear);
            }
            Intent::Show => self.remark("What you type here is visible."),
            _ => return false,
        }
        true
    }

    pub(super) fn edit_filter(&mut self, edit: Edit) {
        if let Some(haul) = self.haul_mut() {
            haul.rooms.filter.edit(edit);
        }
        self.arrange();
    }

    fn back_from_contents(&mut self, effects: &mut Vec<Effect>) {
        let filtered = self.haul().is_some_and(|haul| !haul.rooms.filter.is_empty());
        if filtered {
            return self.edit_filter(Edit::Clear);
        }
        self.go_to(Step::Backups, effects);
    }

    fn go_on_from_contents(&mut self, effects: &mut Vec<Effect>) {
        let empty = self.haul().is_some_and(Haul::is_empty);
        let fuller = self.others_with_keys().next().map(|(row, _)| row);
        match (empty, fuller) {
            (true, Some(row)) => {
                self.backups.cursor.at = row;
                self.open_contents(effects);
            }
            (true, None) => self.remark("There is nothing to restore here."),
            (false, _) => self.go_to(Step::Key, effects),
        }
    }

    fn choose(&mut self, intent: Intent) {
        let Some(haul) = self.haul_mut() else { return };
        match intent {
            Intent::Choose => haul.rooms.choose(),
            Intent::ChooseAll => haul.rooms.choose_all(),
            _ => haul.rooms.invert(),
        }
    }

    fn read_again(&mut self, effects: &mut Vec<Effect>) {
        let Some(haul) = self.haul() else { return };
        if haul.is_reading() {
            return self.remark("It is being read already. Ctrl-C stops it.");
        }
        if let Some(version) = self.open.clone() {
            self.haul_version(&version, true, effects);
        }
    }

    pub(super) fn glanced(&mut self, version: &str, glance: Glance) {
        let seen = screens::list_height(self);
        let masked = self.masked;
        if let Some(haul) = self.hauls.get_mut(version) {
            haul.glance(glance, &self.names, masked, seen);
        }
    }

    /// Nothing comes that a plan could be made of.
    fn plan_waits_no_more(&mut self, version: &str) {
        if self.restore.takes(version) && self.restore.stage == Stage::Reading {
            self.restore.stage = Stage::Nothing;
        }
    }

    /// What is on this computer was counted anew; all else is as it was.
    pub(super) fn counted_again(&mut self, version: &str, hauled: Result<Hauled, Failure>) {
        let seen = screens::list_height(self);
        let masked = self.masked;
        if let (Some(haul), Ok(hauled)) = (self.hauls.get_mut(version), hauled) {
            haul.count(hauled, &self.names, masked, seen);
        }
    }

    pub(super) fn hauled(
        &mut self,
        version: &str,
        hauled: Result<Hauled, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let seen = screens::list_height(self);
        let masked = self.masked;
        let planned = self.restore.stage == Stage::Reading && self.restore.takes(version);
        let open = planned || self.open.as_deref() == Some(version);
        if !self.hauls.contains_key(version) {
            return;
        }
        match hauled {
            Ok(hauled) => {
                let broken = hauled.broken.as_ref().map(Failure::code);
                let stopped = broken == Some(Code::Stopped);
                self.backups.renew(hauled.version.clone());
                if let Some(haul) = self.hauls.get_mut(version) {
                    haul.end(hauled, &self.names, masked, seen);
                }
                match stopped {
                    // Whoever stops the reading wants no plan of a part.
                    true => self.plan_waits_no_more(version),
                    false => self.plan_what_was_read(version, effects),
                }
            }
            Err(failure) => {
                if let Some(haul) = self.hauls.get_mut(version) {
                    haul.reading = Reading::Failed;
                }
                self.plan_waits_no_more(version);
                if open && failure.code() != Code::Stopped {
                    let again = Choice::Again(Repeat::Haul(version.to_owned()));
                    self.failed(failure, vec![again, Choice::Snapshot, Choice::CheckUp]);
                }
                return;
            }
        }
        // Names are asked for last: the keys are safe now.
        // Those of all versions: a question that runs is replaced.
        let rooms = self.hauls.values().flat_map(|haul| haul.rooms.all());
        let named = |id: &Arc<str>| self.names.get(id).is_some_and(|known| known.name.is_some());
        let rooms: BTreeSet<Arc<str>> =
            rooms.map(|room| Arc::clone(&room.id)).filter(|id| !named(id)).collect();
        let rooms: Vec<Arc<str>> = rooms.into_iter().collect();
        if let Some(visit) = self.visiting.as_ref().map(|visiting| visiting.job)
            && !rooms.is_empty()
        {
            let job = self.begin(Work::Names, effects);
            effects.push(Effect::Names { job, visit, rooms });
        }
    }

    pub(super) fn named(&mut self, named: Vec<(Arc<str>, RoomName)>) {
        self.names.extend(named);
        // Names come by the thousand, and the order hangs on them only seldom.
        let names_matter = self.haul().is_some_and(|haul| haul.rooms.names_matter());
        if names_matter && self.names_due.is_none() {
            self.names_due = Some(self.now + NAMES_PAUSE);
        }
    }

    /// Sorts and filters by the names that came.
    pub(super) fn arrange_names(&mut self) {
        if self.names_due.take().is_some() {
            self.arrange();
        }
    }

    fn open_room(&mut self, effects: &mut Vec<Effect>) {
        let focus = self.haul().and_then(|haul| haul.rooms.focus());
        let Some(id) = focus.map(|room| Arc::clone(&room.id)) else { return };
        if self.haul().is_some_and(Haul::is_reading) {
            return self.remark("Its keys can be looked at once everything is read.");
        }
        let (Some(visit), Some(version)) =
            (self.visit(), self.open.as_ref().and_then(|open| self.backups.version(open)))
        else {
            return;
        };
        let version = Box::new(version.clone());
        let file = self.haul().and_then(|haul| haul.saved()).map(|saved| saved.file.clone());
        let job = self.begin(Work::Sessions, effects);
        let view = RoomView {
            id: Arc::clone(&id),
            sessions: None,
            order: Vec::new(),
            sort: KeySort::Given,
            backwards: false,
            cursor: Cursor::default(),
        };
        self.branch(Branch::Room(view));
        effects.push(Effect::Sessions { job, visit, version, room: id, file });
    }

    pub(super) fn sessions_read(&mut self, sessions: Result<RoomSessions, Failure>) {
        match sessions {
            Ok(sessions) => {
                if let Some(view) = self.room_view_mut() {
                    view.sessions = Some(sessions);
                    view.arrange();
                }
                self.settle();
            }
            Err(failure) => {
                self.branches.clear();
                if failure.code() != Code::Stopped {
                    self.failed(failure, Vec::new());
                }
            }
        }
    }

    pub(super) fn on_room(&mut self, intent: Intent, effects: &mut Vec<Effect>) {
        let key = matches!(self.branches.last(), Some(Branch::Key));
        match intent {
            Intent::Back | Intent::Close => {
                self.branches.pop();
                if self.branches.is_empty()
                    && let Some(job) = self.jobs.end_kind(&Work::Sessions)
                {
                    effects.push(Effect::Cancel(job));
                }
                self.settle();
            }
            Intent::Open | Intent::GoOn if !key => {
                if self.room_view().is_some_and(|view| !view.order.is_empty()) {
                    self.branch(Branch::Key);
                }
            }
            Intent::Sort | Intent::SortBack if !key => {
                if let Some(view) = self.room_view_mut() {
                    view.sort(intent == Intent::SortBack);
                }
                self.settle();
            }
            // The rows below the one key: the next or the one before.
            Intent::Up | Intent::Down if key => {
                if let Some(view) = self.room_view_mut() {
                    let by = if intent == Intent::Up { -1 } else { 1 };
                    let rows = view.order.len();
                    view.cursor.go(Move::By(by), rows, rows);
                }
            }
            _ if !key && self.moved(intent) => {}
            _ => self.no_sense(),
        }
    }
}

impl RoomView {
    fn sort(&mut self, back: bool) {
        if back {
            self.backwards = !self.backwards;
        } else {
            self.sort = match self.sort {
                KeySort::Given => KeySort::Start,
                KeySort::Start => KeySort::PassedOn,
                KeySort::PassedOn => KeySort::Given,
            };
            self.backwards = false;
        }
        self.arrange();
    }

    fn arrange(&mut self) {
        let Some(RoomSessions { sessions, .. }) = &self.sessions else { return };
        // At the top nobody chose the row; the first one is what they want to see.
        let focus = self.order.get(self.cursor.at).copied().filter(|_| self.cursor.at > 0);
        self.order = (0..sessions.len()).collect();
        let of = |place: &usize| sessions.get(*place).map(|session| &session.metadata);
        match self.sort {
            KeySort::Given => {}
            KeySort::Start => self.order.sort_by_key(|place| {
                std::cmp::Reverse(of(place).and_then(|known| known.first_message_index))
            }),
            KeySort::PassedOn => self.order.sort_by_key(|place| {
                std::cmp::Reverse(of(place).and_then(|known| known.forwarded_count))
            }),
        }
        if self.backwards {
            self.order.reverse();
        }
        let place = focus.and_then(|focus| self.order.iter().position(|place| *place == focus));
        self.cursor.at = place.unwrap_or(0);
    }

    /// The key in focus.
    pub(in crate::tui) fn focus(&self) -> Option<&SessionContents> {
        self.sessions.as_ref()?.sessions.get(*self.order.get(self.cursor.at)?)
    }
}

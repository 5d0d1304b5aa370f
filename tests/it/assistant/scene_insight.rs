//! The story goes on beside the way: a check-up, two backups beside each other, papers.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyhaul::base::failure::Failure;
use keyhaul::base::shown::Shown;
use keyhaul::recovery::diff::{Diff, Name, ReadBy, RoomDiff, SideRead};
use keyhaul::recovery::doctor::checks::{Check, Mark, Says};
use keyhaul::recovery::doctor::findings::Finding;
use keyhaul::tui::effect::Effect;
use keyhaul::tui::message::{Happened, Job};

use super::scene::{self, Scene};

impl Scene {
    pub(super) fn checking(&self) -> Job {
        self.job(|effect| match effect {
            Effect::CheckUp { job, .. } => Some(*job),
            _ => None,
        })
    }

    pub(super) fn checked(&mut self, checks: Result<Vec<Check>, Failure>) {
        let job = self.checking();
        self.happens(job, Happened::CheckedUp(Box::new(checks)));
    }

    /// At the check-up of somebody whose recovery key is that of backup 2.
    pub(super) fn at_check_up(width: u16, height: u16) -> Self {
        let mut scene = Self::at_backups(width, height);
        scene.press("c");
        scene.checked(Ok(checks()));
        scene
    }

    pub(super) fn comparing(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Compare { job, .. } => Some(*job),
            _ => None,
        })
    }

    pub(super) fn compared(&mut self, diff: Result<Diff, Failure>) {
        let job = self.comparing();
        self.happens(job, Happened::Compared(Box::new(diff)));
    }

    /// Backup 2 beside backup 4.
    pub(super) fn at_compare(width: u16, height: u16) -> Self {
        let mut scene = Self::at_backups(width, height);
        scene.press("Down d");
        scene.compared(Ok(diff()));
        let names = |effect: &Effect| match effect {
            Effect::Names { job, .. } => Some(*job),
            _ => None,
        };
        let job = scene.job(names);
        scene.happens(job, Happened::Named(scene::names()));
        scene.happens(job, Happened::NamesEnded);
        scene
    }

    /// At the form of the recovery sheet.
    pub(super) fn at_sheet(width: u16, height: u16) -> Self {
        let mut scene = Self::at_take_away(width, height);
        scene.press("Down Enter");
        scene
    }

    pub(super) fn papers(&self) -> Job {
        self.job(|effect| match effect {
            Effect::Paper { job, .. } => Some(*job),
            _ => None,
        })
    }
}

fn check(id: &'static str, title: &str, mark: Mark, text: &str) -> Check {
    let private = ["server", "sign_in", "storage", "key"].contains(&id);
    let says = Says { text: text.to_owned(), private };
    Check { id, title: title.to_owned(), mark, says, finding: None }
}

pub(super) fn checks() -> Vec<Check> {
    let ok = |id, title, text| check(id, title, Mark::Ok, text);
    let unknown = |id, title, text| check(id, title, Mark::Unknown, text);
    let finding = Finding::StorageOfAnotherBackup { n: Shown::new("2"), current: Shown::new("4") };
    let text = "no: it holds the key of backup 2";
    let fits = check("fits", "It holds the key of the current backup", Mark::Wrong, text);
    vec![
        ok("server", "The server answers", "matrix.example.org, 48 ms"),
        ok("sign_in", "You are signed in", "device KEYHAULX7Q"),
        ok("backup", "A current backup exists", "backup 4, 18 420 keys"),
        ok("switched_on", "Backing up is not switched off", "right"),
        ok("storage", "Secret storage exists", "2 locks, f4Kq is the default one"),
        ok("key", "Your recovery key opens secret storage", "f4Kq"),
        ok("secret", "Its default lock holds a backup's key", "there, still locked"),
        Check { finding: Some(finding), ..fits },
        unknown("signature", "Backup 4 is signed", "by your account, says the server"),
        ok("count", "The number of keys fits the contents", "18 420 counted in the snapshot"),
        ok("sample", "The keys of backup 2 open", "all 6 312"),
        ok("store", "The store on this computer", "6 312 keys, no damage"),
        ok("clock", "The clock", "differs by less than 5 s"),
    ]
}

pub(super) fn diff() -> Diff {
    let ids: Vec<Arc<str>> = scene::names().into_iter().map(|(id, _)| id).take(4).collect();
    let figures = [
        RoomDiff { only_a: 134, ..RoomDiff::default() },
        RoomDiff { only_a: 40, only_b: 147, both: 40, earlier_a: 31, earlier_b: 0 },
        RoomDiff { only_a: 0, only_b: 798, both: 62, earlier_a: 0, earlier_b: 2 },
        RoomDiff { both: 7, ..RoomDiff::default() },
    ];
    let rooms: BTreeMap<_, _> = ids.into_iter().zip(figures).collect();
    let all = RoomDiff { only_a: 988, only_b: 13_096, both: 5_324, earlier_a: 31, earlier_b: 2 };
    let side = |name: &str, keys| SideRead {
        name: Name::Backup(Shown::new(name)),
        read: ReadBy::Keys,
        keys,
        refused: 0,
        whole: true,
    };
    Diff { sides: [side("2", 6_312), side("4", 18_420)], all, rooms }
}

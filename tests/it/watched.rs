//! A restore that somebody watches: glances add up, a pause holds it, a room comes to the front, and the
//! result is the same whatever is done meanwhile.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keyhaul::base::cancel::Cancel;
use keyhaul::base::progress::{Progress, Silent};
use keyhaul::demo::stories::Story;
use keyhaul::recovery::look::Wanted;
use keyhaul::recovery::restore::{Restoring, Wish, restore};
use keyhaul::recovery::visit::{Place, Visit};
use keyhaul::recovery::watch::{Front, Glance, Watch};

use crate::program::{Ada, runtime};

/// A snapshot of the story's current backup, opened with its recovery key.
struct Lab {
    ada: Ada,
    visit: Visit,
    file: PathBuf,
}

impl Lab {
    fn new() -> Self {
        let ada = Ada::new();
        let file = ada.lab.path("copy.keyhaul");
        let save = ada.asks(&["snapshot", "save", file.to_str().unwrap()]);
        assert_eq!(ada.lab.run(&save).exit, 0);
        let place = Place::Snapshot { file: file.clone(), user: None, server: None };
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let cancel = Cancel::default();
        let visit = runtime().block_on(async {
            let mut visit =
                Visit::begin(place, &Wanted::Current, &mut |_| {}, &*progress, &cancel).await?;
            visit.unlock(&[Story::Plain.recovery_key()], false, &progress, &cancel).await?;
            Ok::<_, keyhaul::base::failure::Failure>(visit)
        });
        Self { visit: visit.unwrap(), ada, file }
    }

    async fn restore(
        &self,
        folder: &str,
        dry_run: bool,
        watch: Watch,
        cancel: Cancel,
    ) -> Restoring {
        let wish = Wish {
            wanted: Wanted::Current,
            rooms: Vec::new(),
            dry_run,
            save_snapshot: false,
            data_dir: self.ada.lab.path(folder),
            from: [("1".to_owned(), self.file.clone())].into(),
            read_back: true,
        };
        restore(&self.visit, wish, watch, Arc::new(Silent), cancel).await.unwrap()
    }
}

fn watching(front: Front) -> (Watch, Arc<Mutex<Vec<Glance>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&heard);
    let glances = Arc::new(move |glance| hear.lock().unwrap().push(glance));
    (Watch { front, glances: Some(glances), ..Watch::default() }, heard)
}

#[test]
fn a_room_at_the_front_comes_first_and_nothing_is_counted_twice() {
    let lab = Lab::new();
    runtime().block_on(async {
        let plain = lab.restore("plain", false, Watch::default(), Cancel::default()).await;
        let figures = plain.runs[0].tally.figures;
        // The last room of the body, asked for at the beginning, twice.
        let last = plain.runs[0].tally.rooms.keys().next_back().unwrap().to_string();
        let front = Front::default();
        front.bring(last.clone());
        front.bring(last.clone());
        front.bring("!nowhere:example.org".to_owned());
        let (watch, heard) = watching(front);
        let pause = watch.pause.clone();
        pause.set(true);
        let restoring = lab.restore("front", false, watch, Cancel::default());
        let look = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let before = heard.lock().unwrap().len();
            pause.set(false);
            before
        };
        let (done, before) = tokio::join!(restoring, look);
        assert_eq!(before, 0, "nothing happens while it is paused");
        let first = heard.lock().unwrap()[0].rooms.clone();
        let there = first.iter().find(|(room, _)| **room == *last).map(|(_, figures)| *figures);
        assert_eq!(there, plain.runs[0].tally.rooms.get(&*last).copied());
        assert_eq!(done.runs[0].tally.figures, figures);
        assert_eq!(done.runs[0].tally.rooms, plain.runs[0].tally.rooms);
        assert_eq!(done.stored_total, plain.stored_total);
        let checked = done.read_back.unwrap();
        assert_eq!((checked.keys, checked.damaged), (done.stored_total, 0));
    });
}

/// The plan tells the very figures that the restore then has.
#[test]
fn a_plan_is_what_happens_then() {
    let lab = Lab::new();
    runtime().block_on(async {
        let plan = lab.restore("here", true, Watch::default(), Cancel::default()).await;
        let done = lab.restore("here", false, Watch::default(), Cancel::default()).await;
        assert_eq!(plan.runs[0].tally.figures, done.runs[0].tally.figures);
        assert_eq!(plan.runs[0].tally.rooms, done.runs[0].tally.rooms);
        assert_eq!(plan.read_back, None);
        assert_eq!((plan.stored_total, done.stored_total), (0, done.runs[0].tally.figures.new));
        let again = lab.restore("here", true, Watch::default(), Cancel::default()).await;
        let figures = again.runs[0].tally.figures;
        assert_eq!((figures.new, figures.unchanged), (0, done.runs[0].tally.figures.opened));
    });
}

/// A wish to stop is heard while it is paused, too.
#[test]
fn a_paused_restore_can_be_stopped() {
    let lab = Lab::new();
    runtime().block_on(async {
        let (watch, _) = watching(Front::default());
        watch.pause.set(true);
        let cancel = Cancel::default();
        let stop = cancel.clone();
        let begun = Instant::now();
        let restoring = lab.restore("stopped", false, watch, cancel);
        let (done, ()) = tokio::join!(restoring, async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stop.cancel();
        });
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert!(done.runs[0].shortfall.is_some());
    });
}

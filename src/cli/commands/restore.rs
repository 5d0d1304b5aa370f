//! `restore`: keys back into the store on this computer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::{
        desk::Desk,
        output::{closed, words_json},
    },
    closed_words, refusals,
};
use crate::{
    backup::version::PublicKey,
    base::{
        failure::{Code, Failure},
        shown::{Shown, grouped},
    },
    recovery::{
        mixed::Mixed,
        restore::{Restored, Restoring, Wish, restore},
        visit::Visit,
        watch::Watch,
        way_on::Closed,
    },
};

pub(super) async fn run(desk: &mut Desk, rooms: Vec<String>, dry_run: bool) -> Result<u8, Failure> {
    let rooms = desk.rooms(rooms).await?;
    let visit = desk.visit_with_secret().await?;
    let result = bring_back(desk, &visit, rooms, dry_run).await;
    desk.leave(visit).await;
    result
}

async fn bring_back(
    desk: &Desk,
    visit: &Visit,
    rooms: Vec<String>,
    dry_run: bool,
) -> Result<u8, Failure> {
    let data_dir = desk.data_dir()?;
    let wish = Wish {
        wanted: desk.wanted(),
        rooms,
        dry_run,
        save_snapshot: !desk.global.no_snapshot,
        data_dir: data_dir.clone(),
        from: BTreeMap::new(),
        read_back: false,
    };
    let watch = Watch::default();
    let done = restore(visit, wish, watch, desk.progress(), desk.cancel.clone()).await;
    desk.progress().finish();
    let done = done?;
    if let Some(failure) = done.runs.iter().find_map(Restored::broke_off) {
        return Err(failure.clone());
    }
    let all_rooms = done.runs.iter().flat_map(|run| run.tally.rooms.keys());
    // A plan writes nothing, not even names.
    let data_dir = Some(&*data_dir).filter(|_| !dry_run);
    let names = visit.names(all_rooms, data_dir, &*desk.progress(), &desk.cancel).await;
    desk.progress().finish();
    let document = || document(&done, &names);
    desk.output
        .result(document, |lines| {
            for run in &done.runs {
                sentences(run, done.dry_run).iter().for_each(|line| lines.line(line));
                if run.tally.figures.refused > 0 {
                    lines.table(&refusals::reasons(&run.tally));
                    lines.line(refusals::named_in(&run.tally));
                }
                run.shown_key_words().iter().for_each(|words| lines.sentences(words));
                let spares = run.spares.iter().map(|spares| spares.words(run));
                spares.for_each(|line| lines.sentences(&line));
                mixed(run, &done, &names).iter().for_each(|line| lines.sentences(line));
            }
            let closed = done.closed.iter().map(closed_words::sentence);
            closed.for_each(|sentence| lines.sentences(&sentence));
            let stored = grouped(done.stored_total);
            lines.line(if done.dry_run {
                "This is a plan: nothing was written.".to_owned()
            } else {
                format!("{stored} keys are in the store on this computer, locked.")
            });
        })
        .map_err(|error| closed(&error))?;
    for failure in done.runs.iter().filter_map(|run| run.shortfall.as_ref()) {
        desk.output.warning(failure);
    }
    let partly =
        done.runs.iter().any(|run| run.shortfall.is_some() || run.tally.figures.refused > 0)
            || done.closed.iter().any(Closed::is_missed);
    Ok(if partly { 3 } else { 0 })
}

fn document(done: &Restoring, names: &BTreeMap<Arc<str>, Shown>) -> Value {
    json!({
        "runs": done.runs.iter().map(|run| json!({
            "version": run.version,
            "etag": run.etag,
            "entries": run.tally.figures.entries,
            "opened": run.tally.figures.opened,
            "new": run.tally.figures.new,
            "better": run.tally.figures.better,
            "unchanged": run.tally.figures.unchanged,
            "candidates": run.tally.figures.candidates,
            "refused": run.tally.refused,
            "refused_count": run.tally.figures.refused,
            "shown_public_key": run.shown_key.map(|key| key.to_base64()),
            "refused_but_whole_in": run.spares.iter().map(|spares| json!({
                "version": spares.version,
                "count": spares.count,
            })).collect::<Vec<_>>(),
            "refused_file": run.tally.refused_file(),
            "rooms": run.tally.rooms.iter().map(|(room_id, room)| json!({
                "room_id": room_id,
                "name": names.get(room_id).map(Shown::as_str),
                "entries": room.entries,
                "opened": room.opened,
                "refused": room.refused,
            })).collect::<Vec<_>>(),
            "for_another_key": {
                "count": run.tally.figures.for_another,
                "rooms": run.tally.rooms_for_another().iter().map(|(room_id, count)| json!({
                    "room_id": room_id,
                    "count": count,
                })).collect::<Vec<_>>(),
                "tried": run.tried.iter().skip(1).map(|key| key.to_base64()).collect::<Vec<_>>(),
            },
            "by_another_key": run.tally.figures.by_another,
            "opened_by": opened_by(run, done),
            "shortfall": run.shortfall.as_ref().map(words_json),
            "bytes": run.bytes,
            "seconds": (run.seconds * 1000.0).round() / 1000.0,
        })).collect::<Vec<_>>(),
        "closed": done.closed.iter().map(closed_words::document).collect::<Vec<_>>(),
        "stored_total": done.stored_total,
        "dry_run": done.dry_run,
    })
}

/// The other keys that opened something in this run, and which versions they are the keys of.
fn opened_by(run: &Restored, done: &Restoring) -> Vec<Value> {
    let opens = |key: &PublicKey| {
        let known = done.keys.iter().find(|(known, _)| known == key);
        known.map(|(_, opens)| opens.as_slice()).unwrap_or_default()
    };
    let others = run.tally.others.iter();
    others
        .map(|(key, count)| {
            json!({"public_key": key.to_base64(), "key_of": opens(key), "count": count})
        })
        .collect()
}

/// What of a version is locked for another key than its own.
fn mixed(run: &Restored, done: &Restoring, names: &BTreeMap<Arc<str>, Shown>) -> Vec<String> {
    let Some(mixed) = Mixed::of(run, done) else { return Vec::new() };
    let called = |room: &Arc<str>| names.get(room).cloned().unwrap_or_else(|| Shown::new(room));
    let mut lines = Vec::from_iter(mixed.opened_words(&run.version));
    lines.extend(mixed.closed_words(&run.version, &called));
    if mixed.count > 0 {
        lines.push(Failure::new(Code::TwoRecoveryKeys).next_command());
    }
    lines
}

fn sentences(run: &Restored, dry_run: bool) -> Vec<String> {
    let tally = &run.tally;
    let version = Shown::limited(&run.version, 20);
    let (opened, entries) = (grouped(tally.figures.opened), grouped(tally.figures.entries));
    let verb = if dry_run { "can be restored" } else { "are restored" };
    let mut lines = vec![format!("Backup {version}: {opened} of {entries} keys {verb}.")];
    lines.extend(refusals::counts(tally));
    lines.extend(refusals::sentence(tally, "restored"));
    lines
}

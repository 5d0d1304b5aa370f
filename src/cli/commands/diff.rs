//! `diff`: what does one place hold that another one lacks?

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use serde_json::{Value, json};

use super::super::{
    desk::Desk,
    output::{Lines, closed},
    sides::SideWord,
    table::{Align, Table},
};
use crate::{
    base::{
        failure::{Code, Failure},
        secret::SecretText,
        shown::{Shown, grouped},
    },
    recovery::{
        diff::{Diff, Name, ReadBy, RoomDiff, Side, SideRead, diff},
        key_files::import::Import,
        look::Wanted,
        store::Kept,
        visit::Visit,
    },
};

pub(super) async fn run(
    desk: &mut Desk,
    words: [SideWord; 2],
    passphrases: Vec<PathBuf>,
) -> Result<u8, Failure> {
    let backups: Vec<Wanted> = words
        .iter()
        .filter_map(|word| match word {
            SideWord::Backup(wanted) => Some(wanted.clone()),
            _ => None,
        })
        .collect();
    let store = words.iter().any(|word| matches!(word, SideWord::Store));
    let visit = if !backups.is_empty() || (store && desk.goes_somewhere()) {
        Some(desk.visit_versions(&backups, store).await?)
    } else {
        None
    };
    let result = compare(desk, &words, visit.as_ref(), passphrases).await;
    desk.progress().finish();
    if let Some(visit) = visit {
        desk.leave(visit).await;
    }
    let (diff, names) = result?;
    let heads = words.each_ref().map(word_of);
    desk.output
        .result(|| document(&diff, &heads, &names), |lines| tell(&diff, &names, lines))
        .map_err(|error| closed(&error))?;
    Ok(if diff.is_whole() { 0 } else { 3 })
}

type Names = BTreeMap<Arc<str>, Shown>;

async fn compare(
    desk: &mut Desk,
    words: &[SideWord; 2],
    visit: Option<&Visit>,
    passphrases: Vec<PathBuf>,
) -> Result<(Diff, Names), Failure> {
    let mut saved = Vec::new();
    for word in words {
        saved.push(match word {
            SideWord::Snapshot(file) => Some(desk.visit_file(file.clone()).await?),
            _ => None,
        });
    }
    let mut passphrases = passphrases.into_iter();
    let mut last: Option<SecretText> = None;
    let mut sides = Vec::with_capacity(2);
    for (word, saved) in words.iter().zip(&saved) {
        sides.push(match (word, visit, saved) {
            (SideWord::Backup(wanted), Some(visit), _) => {
                let version = visit.overview.choose(wanted)?;
                let name = Name::Backup(Shown::limited(&version.version, 20));
                Side::Backup { visit, version, name, from: None }
            }
            (SideWord::Snapshot(file), _, Some(saved)) => {
                let version = saved.overview.choose(&Wanted::Current)?;
                let file = Shown::new(&file.to_string_lossy());
                let n = Shown::limited(&version.version, 20);
                let name = Name::Snapshot { file, version: n };
                Side::Backup { visit: saved, version, name, from: None }
            }
            (SideWord::KeyFile(file), ..) => {
                // One passphrase may serve for both files.
                let passphrase = match (passphrases.next(), &last) {
                    (None, Some(last)) => SecretText::duplicate(last),
                    (given, _) => {
                        let typed = desk.file_passphrase(given.as_deref(), false).await?;
                        last = given.map(|_| typed.duplicate());
                        typed
                    }
                };
                let slow = desk.global.yes;
                Side::KeyFile(Import { file: file.clone(), passphrase, slow })
            }
            (SideWord::Store, Some(visit), _) => {
                Side::Store(Kept::of_visit(visit, &desk.data_dir()?)?)
            }
            // Without a visit it is the store that the secrets at hand open.
            _ => Side::Store(desk.kept().await?),
        });
    }
    let (Some(b), Some(a)) = (sides.pop(), sides.pop()) else {
        return Err(Failure::new(Code::Bug).because("two sides were named, and fewer are there"));
    };
    let compared = diff(a, b, desk.progress(), desk.cancel.clone()).await?;
    let data_dir = desk.data_dir()?;
    let mut names = Names::new();
    for visit in visit.into_iter().chain(saved.iter().flatten()) {
        let rooms = compared.rooms.keys().filter(|room| !names.contains_key(*room));
        let rooms: Vec<_> = rooms.cloned().collect();
        names.extend(
            visit.names(rooms.iter(), Some(&data_dir), &*desk.progress(), &desk.cancel).await,
        );
    }
    Ok((compared, names))
}

/// A side as it can be typed.
fn word_of(word: &SideWord) -> String {
    match word {
        SideWord::Backup(Wanted::Named(name)) => format!("backup:{name}"),
        SideWord::Backup(_) => "backup:current".to_owned(),
        SideWord::Store => "store".to_owned(),
        SideWord::KeyFile(file) => format!("file:{}", file.to_string_lossy()),
        SideWord::Snapshot(file) => format!("snapshot:{}", file.to_string_lossy()),
    }
}

fn document(diff: &Diff, heads: &[String; 2], names: &Names) -> Value {
    let side = |(side, head): (&SideRead, &String)| {
        let name = match &side.name {
            Name::Backup(version) => format!("backup:{version}"),
            _ => head.clone(),
        };
        json!({
            "name": name,
            "read": side.read,
            "keys": side.keys,
            "refused": side.refused,
            "whole": side.whole,
        })
    };
    let room = |(id, room): (&Arc<str>, &RoomDiff)| {
        json!({
            "room_id": id,
            "name": names.get(id).map(Shown::as_str),
            "only_a": room.only_a,
            "only_b": room.only_b,
            "both": room.both,
            "earlier_a": room.earlier_a,
            "earlier_b": room.earlier_b,
        })
    };
    json!({
        "sides": diff.sides.iter().zip(heads).map(side).collect::<Vec<_>>(),
        "all": diff.all,
        "rooms": ordered(diff).into_iter().map(room).collect::<Vec<_>>(),
    })
}

/// The rooms, those first of which the first side has most alone.
fn ordered(diff: &Diff) -> Vec<(&Arc<str>, &RoomDiff)> {
    let mut rooms: Vec<_> = diff.rooms.iter().collect();
    let weight = |room: &RoomDiff| {
        let RoomDiff { only_a, only_b, earlier_a, earlier_b, both } = *room;
        std::cmp::Reverse((only_a, earlier_a, only_b, earlier_b, both))
    };
    rooms.sort_by(|(a_id, a), (b_id, b)| weight(a).cmp(&weight(b)).then(a_id.cmp(b_id)));
    rooms
}

fn tell(diff: &Diff, names: &Names, lines: &mut Lines) {
    for (letter, side) in ["A", "B"].into_iter().zip(&diff.sides) {
        let read = match side.read {
            ReadBy::Keys => "each opened and checked",
            ReadBy::Metadata => "by what its entries say",
        };
        let file = side.name.file().map(|file| format!(" ({file})")).unwrap_or_default();
        let keys = grouped(side.keys);
        lines.line(format!("{letter}: {}{file}, {keys} keys, {read}", side.name.words()));
    }
    let mut table = Table::new(&[
        ("Room", Align::Flexible),
        ("Only in A", Align::Right),
        ("Only in B", Align::Right),
        ("In both", Align::Right),
        ("Earlier in A", Align::Right),
        ("Earlier in B", Align::Right),
    ]);
    let mut row = |label: Shown, room: &RoomDiff| {
        let RoomDiff { only_a, only_b, both, earlier_a, earlier_b } = *room;
        let [a, b, both, earlier_a, earlier_b] =
            [only_a, only_b, both, earlier_a, earlier_b].map(Shown::from);
        table.row([label, a, b, both, earlier_a, earlier_b]);
    };
    let label = super::rooms::labels(names);
    for (id, room) in ordered(diff).into_iter().filter(|(_, room)| !room.is_same()) {
        row(label(id), room);
    }
    let count = diff.rooms.len() as u64;
    let all = match count {
        1 => "the room".to_owned(),
        2 => "both rooms".to_owned(),
        _ => format!("all {} rooms", grouped(count)),
    };
    row(Shown::new(&all), &diff.all);
    lines.table(&table);
    let same = diff.rooms.values().filter(|room| room.is_same()).count() as u64;
    if same > 0 {
        let rooms =
            if same == 1 { "1 room is".to_owned() } else { format!("{} rooms are", grouped(same)) };
        lines.line(format!("{rooms} the same on both sides."));
    }
    for sentence in diff.losses().into_iter().chain(diff.doubts()) {
        lines.sentences(&sentence);
    }
}

//! `repair`: what was a mistyped recovery key meant to be? One of the few outputs that hold a secret, and
//! only where somebody agreed to that.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    super::{desk::Desk, output::closed},
    unlock::sentence,
};
use crate::{
    backup::repair::{Kind, Slip},
    base::{
        failure::Failure,
        shown::{Shown, grouped},
    },
    recovery::{
        repair::{Answer, Repaired},
        secret_file::{save, will_save},
        slips,
        visit::Visit,
    },
};

/// Where the mended key goes.
struct Wish<'a> {
    reveal: bool,
    save: Option<&'a Path>,
}

pub(super) async fn run(desk: &mut Desk, reveal: bool, file: Option<&Path>) -> Result<u8, Failure> {
    if let Some(file) = file {
        will_save(file, desk.global.overwrite)?;
    }
    let (visit, typed) = desk.visit_untried().await?;
    let (progress, cancel) = (desk.progress(), desk.cancel.clone());
    let repaired = visit.repair(&typed, &progress, &cancel).await;
    progress.finish();
    let result = match repaired {
        Ok(repaired) => show(desk, &visit, &repaired, &Wish { reveal, save: file }).await,
        Err(failure) => Err(failure),
    };
    desk.leave(visit).await;
    result
}

async fn show(
    desk: &Desk,
    visit: &Visit,
    repaired: &Repaired,
    wish: &Wish<'_>,
) -> Result<u8, Failure> {
    if repaired.answers.is_empty() {
        for stage in &repaired.stages {
            let (what, tried) = (slips::searched(stage.slips), grouped(stage.tried));
            desk.output.say(&format!("✗ {what}: {tried} tried, none"));
        }
        return Err(repaired.not_found());
    }
    if let Some(file) = wish.save {
        save(repaired.answers.iter().map(|answer| &answer.key), file, desk.global.overwrite)?;
    }
    let seen = wish.reveal || desk.output.is_seen();
    let has_slips = repaired.answers.iter().any(|answer| !answer.difference.slips.is_empty());
    let document = || {
        let mut answers = repaired.answers.iter().map(|answer| answer_json(answer, wish));
        let mut document = answers.next().unwrap_or_default();
        if let Value::Object(members) = &mut document {
            members.insert("tried".to_owned(), repaired.tried.into());
            members.insert("others".to_owned(), answers.collect());
        }
        document
    };
    desk.output
        .result(document, |lines| {
            for answer in &repaired.answers {
                answer_lines(answer, visit, seen).iter().for_each(|text| lines.line(text));
            }
            for text in tried_lines(repaired) {
                lines.line(text);
            }
            if let Some(file) = wish.save {
                let name = Shown::new(&file.to_string_lossy());
                lines.line(format!("✓ The mended recovery key is in {name}. Keep it safe."));
            } else if wish.reveal {
                keys(repaired).for_each(|key| lines.line(key));
            } else if !seen && has_slips {
                lines.line("The mended recovery key is not shown: --reveal prints it.");
            }
        })
        .map_err(|error| closed(&error))?;
    if !wish.reveal
        && wish.save.is_none()
        && has_slips
        && desk.output.is_seen()
        && desk.confirm("Show the mended recovery key here?").await?
    {
        desk.output
            .result(|| Value::Null, |lines| keys(repaired).for_each(|key| lines.line(key)))
            .map_err(|error| closed(&error))?;
    }
    Ok(0)
}

fn keys(repaired: &Repaired) -> impl Iterator<Item = &str> {
    repaired.answers.iter().map(|answer| answer.key.expose())
}

fn answer_json(answer: &Answer, wish: &Wish<'_>) -> Value {
    let shown = |text: &str| (wish.reveal && !text.is_empty()).then(|| text.to_owned());
    let slip = |slip: &Slip| {
        let (cell, place) = slip.cell();
        json!({
            "kind": kind_word(slip.kind),
            "position": slip.position,
            "cell": cell,
            "place": place,
            "typed": shown(slip.typed.expose()),
            "meant": shown(slip.meant.expose()),
        })
    };
    let unlocked = &answer.unlocked;
    json!({
        "found": true,
        "recovery_key": shown(answer.key.expose()),
        "file": wish.save.map(|file| file.to_string_lossy()),
        "slips": answer.difference.slips.iter().map(slip).collect::<Value>(),
        "tried": 0,
        "proof": unlocked.fits.first().map(|fit| fit.proof),
        "fits": unlocked.fits,
        "opens_backups": unlocked.opens_backups(),
    })
}

/// The stable word of a kind of slip.
fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Wrong => "wrong",
        Kind::LeftOut => "left_out",
        Kind::TooMany => "too_many",
        Kind::Swapped { .. } => "swapped",
        Kind::OtherCase { .. } => "other_case",
        Kind::GroupsSwapped { .. } => "groups_swapped",
        Kind::Order => "order",
        Kind::GroupLeftOut => "group_left_out",
        Kind::PartTwice => "part_twice",
    }
}

fn answer_lines(answer: &Answer, visit: &Visit, seen: bool) -> Vec<String> {
    let found = &answer.difference.slips;
    let unlocked = &answer.unlocked;
    let mut lines = Vec::new();
    if found.is_empty() {
        lines.push("There is no slip: this recovery key is right as it is.".to_owned());
    } else {
        let opens = match unlocked.opens_backups().as_slice() {
            [] => "secret storage".to_owned(),
            [one] => format!("backup {}", Shown::limited(one, 20)),
            more => format!("{} backups", more.len()),
        };
        let (count, it) = (slips::counted(found), if found.len() == 1 { "it" } else { "them" });
        lines.push(format!("✓ {count} found. With {it} mended, your recovery key opens {opens}."));
    }
    for slip in found {
        let text = slips::sentence(slip, seen);
        lines.push(Shown::new(text.expose()).to_string());
    }
    lines.extend(unlocked.fits.iter().map(|fit| sentence(fit, visit)));
    if unlocked.fits.iter().any(|fit| fit.current) {
        lines.push("This recovery key works in Element too.".to_owned());
    }
    lines
}

fn tried_lines(repaired: &Repaired) -> Vec<String> {
    match repaired.answers.as_slice() {
        [answer] if answer.difference.slips.is_empty() => Vec::new(),
        [answer] => {
            let tried = grouped(repaired.tried);
            let mut lines = vec![format!(
                "Proven: of {tried} possibilities tried, only this one opens a lock."
            )];
            let places = answer.difference.slips.iter().map(|slip| slips::place(slip.position));
            let places: Vec<String> = places.collect();
            lines.push(format!("Compare with your paper: {}.", places.join(", ")));
            lines
        }
        several => {
            let count = grouped(several.len() as u64);
            vec![format!(
                "! {count} different keys each open a lock. Which one is yours, the paper tells."
            )]
        }
    }
}

//! `unlock --secret-list`: which passphrase of a list opens something? Lines are told by their numbers:
//! what stands in them is never printed.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    super::{args::Vary, desk::Desk, output::Lines},
    unlock,
};
use crate::{
    base::{
        failure::Failure,
        shown::{Shown, grouped},
        words::counted,
    },
    recovery::{
        passphrase_list::{Opened, Searched, difference},
        secret_file,
        unlock::LockKind,
    },
    secret_storage::guesses::{Kind, Variation},
};

pub(super) async fn run(
    desk: &mut Desk,
    file: &Path,
    vary: &[Vary],
    save: Option<&Path>,
) -> Result<u8, Failure> {
    if let Some(save) = save {
        secret_file::will_save(save, desk.global.overwrite)?;
    }
    let kinds: Vec<Kind> = vary.iter().copied().map(kind).collect();
    let (visit, searched) = desk.visit_with_list(file, &kinds).await?;
    let saved = keep(desk, &searched, save);
    let result = saved.and_then(|()| unlock::show(desk, &visit, Some(&searched), save));
    desk.leave(visit).await;
    result
}

/// Saves what opened, where somebody asked for it, before anything is printed.
fn keep(desk: &Desk, searched: &Searched, file: Option<&Path>) -> Result<(), Failure> {
    let Some(file) = file.filter(|_| !searched.secrets.is_empty()) else { return Ok(()) };
    secret_file::save(searched.secrets.iter(), file, desk.global.overwrite)?;
    let name = Shown::new(&file.to_string_lossy());
    desk.output.say(&format!("✓ What opened is in {name}, as it is to be typed. Keep it safe."));
    Ok(())
}

fn kind(vary: Vary) -> Kind {
    match vary {
        Vary::Case => Kind::Case,
        Vary::Ending => Kind::Ending,
        Vary::Slip => Kind::Slip,
        Vary::Layout => Kind::Layout,
    }
}

/// What came of the list, for programs.
pub(super) fn document(list: &Searched) -> Value {
    let opened = list.opened.iter().map(|opened| {
        json!({
            "line": opened.line,
            "variation": word(opened.variation),
            "kind": opened.kind,
            "lock": opened.lock,
        })
    });
    json!({
        "lines": list.lines,
        "guesses": list.guesses,
        "tried": list.tried,
        "opened": opened.collect::<Vec<_>>(),
        "left_out": list.left_out,
    })
}

/// The stable word of a variation.
fn word(variation: Variation) -> &'static str {
    match variation {
        Variation::AsTyped => "none",
        Variation::Spelling => "spelling",
        Variation::FirstSmall => "first_small",
        Variation::FirstLarge => "first_large",
        Variation::EndingAdded => "ending_added",
        Variation::EndingAway => "ending_away",
        Variation::EndingOther => "ending_other",
        Variation::FirstAndEndingAdded => "first_and_ending_added",
        Variation::FirstAndEndingAway => "first_and_ending_away",
        Variation::FirstAndEndingOther => "first_and_ending_other",
        Variation::Layout => "layout",
        Variation::Swapped => "swapped",
        Variation::Doubled => "doubled",
        Variation::Missing => "missing",
        Variation::Beside => "beside",
    }
}

/// The same for people.
pub(super) fn lines(list: &Searched, lines: &mut Lines) {
    let tries = match list.tried {
        1 => "1 try".to_owned(),
        tried => format!("{} tries", grouped(tried)),
    };
    let (of, guesses) = (counted(list.lines as u64, "line"), list.guesses as u64);
    lines.line(format!("{of}, {}, {tries}.", counted(guesses, "passphrase")));
    for opened in &list.opened {
        lines.line(sentence(opened));
    }
    if list.opened.is_empty() {
        lines.line(list.exhausted().what());
    }
    for lock in &list.left_out {
        let lock = Shown::limited(lock, 40);
        lines.line(format!("? Lock {lock} was left out: one try takes too long for a list."));
    }
}

fn sentence(opened: &Opened) -> String {
    let line = grouped(opened.line);
    let how = difference(opened.variation).map(|how| format!(", {how},")).unwrap_or_default();
    let lock = Shown::limited(&opened.lock, 40);
    match opened.kind {
        LockKind::SecretStorage => format!("✓ Line {line}{how} opens secret storage {lock}."),
        LockKind::Backup => format!("✓ Line {line}{how} opens backup {lock}."),
    }
}

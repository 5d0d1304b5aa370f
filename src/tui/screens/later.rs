//! The steps behind the contents: commands do them for now, and this page says how.

use crate::{
    base::words::counted,
    tui::{
        intent::Intent,
        layout::Regions,
        model::{Model, Step},
        page::{Page, Row, called, hint, line, own},
        rooms::Totals,
        theme::Ink,
    },
};

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let step = model.step;
    let what = match step {
        Step::Key => "Your recovery key opens the backup. A command asks for it, hidden:",
        Step::Restore => "Restoring puts the keys into an encrypted store on this computer:",
        Step::Proof => "First the keys come back to this computer:",
        _ => "First the keys come back to this computer; then they go into a file:",
    };
    let mut rows = vec![Row::wrapped(0, line(what)), Row::empty()];
    let command = vec![own("  "), own("$ ").ink(Ink::Muted)];
    let command = command.into_iter().chain(super::command(model)).collect();
    rows.push(Row::wrapped(4, command));
    rows.push(Row::empty());
    if let Some(haul) = model.haul() {
        let Totals { chosen: count, chosen_keys: keys, .. } = haul.rooms.totals();
        let words = match count {
            0 => format!("It takes all rooms: {}.", counted(haul.keys, "key")),
            _ => format!("It takes {}: {}.", counted(count, "room"), counted(keys, "key")),
        };
        rows.push(Row::wrapped(0, line(words)));
    }
    if step == Step::TakeAway {
        rows.push(Row::wrapped(
            0,
            line("Afterwards, for Element and other apps: keyhaul export FILE"),
        ));
    }
    rows.push(Row::wrapped(
        0,
        line("It asks for your recovery key and keeps it on this computer. It is never sent."),
    ));
    if model.kept_secret.is_some() {
        rows.push(Row::empty());
        rows.push(Row::wrapped(
            0,
            line(
                "The recovery key that you typed before is kept here, hidden, and not used yet. It \
                 is forgotten when keyhaul ends.",
            ),
        ));
    }
    Page {
        title: line(step.title()),
        corner: line("not in the assistant yet"),
        rows,
        fact: line(if roomy {
            "This step is done by a command for now. Nothing is written to your server."
        } else {
            "A command does this step for now."
        }),
        next: line(if roomy {
            "press Enter to copy the command; q leaves, then paste it there."
        } else {
            "Enter copies the command."
        }),
        hints: vec![
            called(Intent::GoOn, "copy"),
            called(Intent::Back, "contents"),
            hint(Intent::Leave),
            hint(Intent::Explain),
            hint(Intent::Help),
        ],
        ..Page::default()
    }
}

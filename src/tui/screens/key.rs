//! Step 4: the cells, what can be said of them, and what they open.

use super::{
    fits::others_words,
    locks::{lock_rows, locks},
    several,
};
use crate::{
    base::{
        shown::{Shown, grouped},
        words::{about, counted, length, letter},
    },
    recovery::{
        judged::{Shape, Verdict},
        unlock::{LockKind, SecretKind},
    },
    tui::{
        intent::Intent,
        key_field::{CELL, Cell, Place},
        layout::Regions,
        message::Opened,
        model::Model,
        page::{Hint, Line, Page, Piece, Row, called, hint, line, own},
        theme::Ink,
    },
};

/// Cells in a row, at every width, so that “second row, third cell” is true on every screen.
const ROW: usize = 4;
const PLACES: [&str; CELL] = ["first", "second", "third", "fourth"];

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let key = &model.key;
    let cells = key.field.shape() == Shape::RecoveryKey;
    let fits_nothing = key.opened.as_ref().is_some_and(|opened| opened.fits.is_empty());
    let mut rows = Vec::new();
    if roomy {
        let others = others_words(model);
        rows.push(Row::wrapped(0, line(others.unwrap_or_else(|| sentence(model)))));
        rows.push(Row::empty());
    } else {
        let count = own(count_words(model)).right(regions.cells().saturating_sub(18));
        rows.push(Row::of(vec![own("Your recovery key").left(18), count]));
    }
    // Where nothing fits, what that can mean takes the place of the cells until somebody types again.
    if !roomy || !fits_nothing || key.in_field {
        if cells {
            rows.extend(cell_rows(model, roomy));
        } else {
            rows.push(line_row(model, regions));
        }
        rows.push(Row::empty());
    }
    rows.extend(verdict_rows(model, regions));
    if roomy {
        rows.push(Row::empty());
        let left = regions.rows().saturating_sub(model.pen().wrap(&rows, regions.cells()).len());
        rows.extend(lock_rows(model, regions, left));
    }
    Page {
        title: line("Your recovery key"),
        corner: corner(model),
        rows,
        fact: fact(model, roomy),
        next: next(model, roomy),
        hints: hints(model),
        ..Page::default()
    }
}

fn sentence(model: &Model) -> String {
    let Some(opened) = &model.key.opened else {
        return match (model.key.field.chosen(), model.key.field.shape()) {
            (Some(Shape::Passphrase), _) => "Kind: passphrase. Tab changes that.".to_owned(),
            (Some(Shape::RawKey), _) => "Kind: raw key. Tab changes that.".to_owned(),
            (Some(Shape::RecoveryKey), _) => "Kind: recovery key. Tab changes that.".to_owned(),
            (None, Shape::RecoveryKey) => {
                "Type it as it stands on your paper, or paste it. Spaces do not matter.".to_owned()
            }
            (None, Shape::RawKey) => {
                "This looks like a raw key, not like a recovery key. That works too.".to_owned()
            }
            (None, Shape::Passphrase) => {
                "This looks like a passphrase. Tab changes that.".to_owned()
            }
        };
    };
    if let Some(found) = &model.guess.found {
        return found.clone();
    }
    match opened.kind {
        SecretKind::RecoveryKey => "You typed a recovery key. 12 cells, checksum right.".to_owned(),
        SecretKind::Passphrase => "You typed a passphrase.".to_owned(),
        SecretKind::RawKey => "You typed a raw key of 32 bytes.".to_owned(),
        SecretKind::Unknown => {
            "This is no recovery key, and it was tried as a passphrase.".to_owned()
        }
    }
}

fn corner(model: &Model) -> Line {
    match (&model.key.opened, model.key.field.verdict()) {
        (_, Verdict::Nothing) => Line::new(),
        (Some(opened), _) if opened.closed.is_none() && !model.typed_opens_nothing() => {
            line("complete")
        }
        (_, Verdict::Complete) => line("complete"),
        _ => Line::new(),
    }
}

fn count_words(model: &Model) -> String {
    match model.key.field.shape() {
        Shape::RecoveryKey => format!("{} of 48", model.key.field.letters()),
        Shape::RawKey => "a raw key".to_owned(),
        Shape::Passphrase => "a passphrase".to_owned(),
    }
}

fn cell_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let field = &model.key.field;
    let all = field.is_shown(model.now) && !model.masked;
    let typing = model.key.in_field && model.overlays.is_empty();
    let cells = field.cells(all, typing && !field.is_covered() && !model.masked);
    let wide = if roomy { 15 } else { 9 };
    let lead = if roomy { 6 } else { 2 };
    let mut rows = Vec::new();
    for (row, cells) in cells.chunks(ROW).enumerate() {
        let mut line = Line::new();
        let mut cursor = None;
        for (column, cell) in cells.iter().enumerate() {
            let number = row * ROW + column + 1;
            let here = cell.cursor.filter(|_| model.key.in_field && model.overlays.is_empty());
            line.push(own(number.to_string()).right(lead));
            line.extend(cell_pieces(model, cell, here.is_some(), wide - lead, roomy));
            if let Some(place) = here {
                cursor = Some(column * wide + lead + usize::from(roomy) + 1 + place);
            }
        }
        rows.push(Row::of(line).cursor(cursor));
    }
    rows
}

/// One cell: hidden, unless the cursor is in it or everything is shown. No tick until it is proven.
fn cell_pieces(model: &Model, cell: &Cell, here: bool, width: usize, roomy: bool) -> Vec<Piece> {
    let empty = if model.settings.ascii { '_' } else { '·' };
    let mut text = String::with_capacity(CELL * 4);
    text.extend(cell.places.iter().map(|place| match place {
        Place::Empty => empty,
        Place::Seen(c) if Shown::passes(*c) => *c,
        Place::Seen(_) | Place::Hidden(_) => '•',
    }));
    let has_letters = cell.letters() > 0;
    let sign = match cell {
        cell if cell.is_impossible() => own("!").ink(Ink::Warn),
        cell if has_letters && cell.letters() < CELL && !here => own("…"),
        _ => own(" "),
    };
    let (open, close) = if here { ("[", "]") } else { (" ", " ") };
    let visible = cell.places.iter().any(|place| matches!(place, Place::Seen(_)));
    let text = own(text).ink(if visible { Ink::Secret } else { Ink::Plain });
    let gap = if roomy { " " } else { "" };
    let used = gap.len() + 1 + CELL + 1 + 1;
    vec![
        own(gap),
        own(open).ink(Ink::Accent),
        text,
        own(close).ink(Ink::Accent),
        sign,
        own(" ".repeat(width.saturating_sub(used))),
    ]
}

fn line_row(model: &Model, regions: &Regions) -> Row {
    let width = regions.cells().saturating_sub(8).min(62);
    let field = &model.key.field;
    let (text, at) = match model.masked {
        true => (Default::default(), 0),
        false => field.window(width, model.now),
    };
    let masked = if model.masked { "•".repeat(12.min(width)) } else { text.to_string() };
    let visible = field.is_shown(model.now) && !model.masked;
    let text = own(Shown::new(&masked).to_string());
    let text = text.ink(if visible { Ink::Secret } else { Ink::Plain }).left(width);
    let row = Row::of(vec![own("  [ "), text, own(" ]")]);
    row.cursor(model.in_key_field().then_some(4 + at))
}

/// What can be said of what is typed, in words.
fn verdict_rows(model: &Model, regions: &Regions) -> Vec<Row> {
    let roomy = regions.is_roomy();
    let lead = if roomy { "  " } else { "" };
    let warn = |text: String| {
        let row = vec![own(lead), own("! ").ink(Ink::Warn), own(text)];
        Row::wrapped(lead.len() + 2, row)
    };
    let key = &model.key;
    if key.trying.is_some() {
        return trying_rows(model, lead);
    }
    if let Some(opened) = &key.opened {
        let mut rows = Vec::new();
        if model.typed_opens_nothing() {
            rows.push(warn("What you typed last opens nothing.".to_owned()));
            rows.extend(typed_rows(model, lead, roomy));
        }
        rows.extend(opened_rows(model, opened, lead, roomy));
        return rows;
    }
    typed_rows(model, lead, roomy)
}

/// What can be said of the letters that are typed, before any lock is asked.
fn typed_rows(model: &Model, lead: &'static str, roomy: bool) -> Vec<Row> {
    let said = |text: String| Row::wrapped(lead.len(), line(format!("{lead}{text}")));
    let warn = |text: String| {
        let row = vec![own(lead), own("! ").ink(Ink::Warn), own(text)];
        Row::wrapped(lead.len() + 2, row)
    };
    let key = &model.key;
    let field = &key.field;
    let count = |letters: usize| format!("{letters} of 48 characters");
    let mut rows = Vec::new();
    // Of a passphrase every space counts, and none was left out.
    let told = roomy && field.shape() != Shape::Passphrase;
    if let Some(pasted) = field.pasted.filter(|pasted| pasted.between > 0 && told) {
        let between = counted(pasted.between as u64, "space or line break");
        let between = between.replace("space or line breaks", "spaces and line breaks");
        rows.push(said(format!("Pasted: {} characters. {between} left out.", pasted.letters)));
    }
    match field.verdict() {
        Verdict::Nothing => rows.push(said("Twelve groups of four. Begin anywhere.".to_owned())),
        Verdict::Part { letters } if key.opened.is_none() => rows.push(said(count(letters))),
        Verdict::BeginsWrongly { letters } => {
            if roomy {
                rows.push(said(count(letters)));
            }
            rows.push(warn(
                "A recovery key begins with EsS, EsT or EsU. This does not.".to_owned(),
            ));
            rows.push(said("If it is a passphrase, press Enter.".to_owned()));
        }
        Verdict::Impossible { place, character, likely } => {
            if roomy {
                rows.push(said(count(field.letters())));
            }
            rows.extend(impossible_rows(model, place, character, likely, roomy));
        }
        Verdict::OneCase { capitals } => {
            let which = if capitals { "capitals" } else { "small" };
            rows.push(warn(format!(
                "All letters are {which}. Capitals matter: copy them as on the paper."
            )));
        }
        // What was tried although it was not whole is short of some.
        Verdict::Part { letters } | Verdict::Missing { letters } => {
            let missing = match 48 - letters {
                1 => "one is missing".to_owned(),
                n => format!("{n} are missing"),
            };
            rows.push(said(format!("{}: {missing}.", count(letters))));
        }
        Verdict::TooMany { letters } => {
            let more = match letters - 48 {
                1 => "one too many".to_owned(),
                n => format!("{n} too many"),
            };
            rows.push(warn(format!("{letters} characters: {more}.")));
        }
        Verdict::Slip => rows.push(warn(
            "Complete, but the checksum does not fit: there is a slip somewhere.".to_owned(),
        )),
        Verdict::Complete => rows.push(said("Complete. The checksum is right.".to_owned())),
        Verdict::RawKey => rows.push(said("A raw key: 32 bytes.".to_owned())),
        Verdict::Passphrase if roomy => rows.push(said(
            "Enter tries it. A lock makes guessing slow on purpose: about 1 s each.".to_owned(),
        )),
        Verdict::Passphrase => rows.push(said("Enter tries it.".to_owned())),
    }
    rows
}

fn impossible_rows(
    model: &Model,
    place: usize,
    character: char,
    likely: &'static str,
    roomy: bool,
) -> Vec<Row> {
    let (cell, place) = model.key.field.place_of_letter(place);
    let nth = PLACES.get(place - 1).copied().unwrap_or_default();
    let which = match (model.masked, roomy) {
        // The place, never the character.
        (true, _) => "one that never occurs in a recovery key.".to_owned(),
        (false, true) => format!("{} never occurs in a recovery key.", letter(character)),
        (false, false) => format!("{} never occurs.", letter(character)),
    };
    let lead = if roomy { "  " } else { "" };
    let where_it_is = match roomy {
        true => format!("Cell {cell}, {nth} character: {which}"),
        false => format!("Cell {cell}: {which}"),
    };
    let mut rows = vec![Row::wrapped(
        lead.len() + 2,
        vec![own(lead), own("! ").ink(Ink::Warn), own(where_it_is)],
    )];
    let alike: Vec<String> = likely
        .split(' ')
        .filter(|word| word.len() == 1)
        .flat_map(|word| word.chars().map(letter))
        .collect();
    if !alike.is_empty() && !model.masked {
        let alike = format!("{lead}  Look for  {}", alike.join("   "));
        rows.push(Row::wrapped(lead.len() + 2, line(alike)));
    }
    rows
}

fn trying_rows(model: &Model, lead: &'static str) -> Vec<Row> {
    let locks = locks(model).len();
    let (done, all) = model.key.stretched.unwrap_or_default();
    if all == 0 {
        let locks = if locks == 1 { "1 lock".to_owned() } else { format!("{locks} locks") };
        return vec![Row::text(format!("{lead}… Trying {locks}"))];
    }
    let part = done as f64 / all as f64;
    let since = model.now.saturating_sub(model.key.trying.unwrap_or(model.now)).as_secs_f64();
    let left = (part > 0.05).then(|| (since / part * (1.0 - part)).ceil() as u64);
    let left = left.map(|left| format!(" · {} left", about(left.max(1)))).unwrap_or_default();
    let cells = if lead.is_empty() { 10 } else { 20 };
    let mut rows = vec![Row::text(format!(
        "{lead}… {} {:>3} %{left}",
        super::restore::bar(part, cells),
        (part * 100.0) as u64,
    ))];
    let about = format!("{lead}  {} rounds, and both ways of writing accents", grouped(all));
    rows.push(Row::wrapped(lead.len() + 2, line(about)));
    rows
}

fn opened_rows(model: &Model, opened: &Opened, lead: &'static str, roomy: bool) -> Vec<Row> {
    let good = |text: String| {
        let row = vec![own(lead), own("✓ ").ink(Ink::Ok), own(text)];
        Row::wrapped(lead.len() + 2, row)
    };
    let bad = |sign: &'static str, text: String| {
        let row = vec![own(lead), own(sign).ink(Ink::Warn), own(text)];
        Row::wrapped(lead.len() + 2, row)
    };
    let more = |text: String| Row::wrapped(lead.len() + 2, line(format!("{lead}  {text}")));
    let targets = model.target_versions();
    if targets.len() > 1 {
        let (open, closed): (Vec<_>, Vec<_>) =
            targets.iter().partition(|version| model.key_opens(version));
        let mut rows = vec![good(format!("It opens {}.", several::named(open.into_iter())))];
        if !closed.is_empty() {
            let named = several::named(closed.into_iter());
            rows.push(bad("! ", format!("Not {named}: p keeps this key and takes another.")));
        }
        return rows;
    }
    if let Some(target) = model.target_version() {
        let version = model.backups.version(&target);
        let current = version.is_some_and(|version| model.backups.is_current(version));
        let both = opened.fits.iter().any(|fit| fit.kind == LockKind::Backup && fit.current);
        let keys = version.and_then(|version| version.count);
        let keys = keys.map_or_else(|| "the keys".to_owned(), |keys| counted(keys, "key"));
        let name = Shown::limited(&target, 20);
        return match (current, model.is_offline(), &model.open) {
            (_, true, _) => vec![good(format!("It opens {keys}: backup {name}."))],
            (true, ..) => vec![good(format!("It opens {keys}: backup {name}, the current one."))],
            _ if both => vec![
                good(format!("It opens {keys}: backup {name}, which you chose.")),
                more("It opens the current backup, too. Step 2 chooses both: Space.".to_owned()),
            ],
            _ => {
                let mut rows = vec![good(format!(
                    "It is right. It opens backup {name} ({keys}), not the current one."
                ))];
                if roomy {
                    rows.push(more(
                        "The current backup is newer than the one to which your paper belongs."
                            .to_owned(),
                    ));
                    if !model.hauls.contains_key(&target) {
                        rows.push(more(format!(
                            "Backup {name} is not read yet: Enter reads and saves it first."
                        )));
                    }
                }
                rows
            }
        };
    }
    let closed = opened.closed.as_ref().map(|failure| model.told(failure));
    if !opened.fits.is_empty() {
        let mut rows = vec![good("It is right: it opens secret storage.".to_owned())];
        rows.extend(closed.map(|closed| bad("! ", closed.what())));
        return rows;
    }
    if let Some(seconds) = opened.left_out_seconds {
        return vec![bad(
            "! ",
            format!("A lock asks for {} of calculation. Enter does that.", length(seconds)),
        )];
    }
    let unknown = opened.kind == SecretKind::Unknown;
    match closed {
        // What is wrong with it as a recovery key says more than that it opens nothing.
        Some(closed) if unknown => vec![
            bad("✗ ", closed.what()),
            more("As a passphrase it opens nothing either.".to_owned()),
        ],
        _ => {
            let mut rows = vec![bad(
                "✗ ",
                "It opens nothing on this account. Nothing is lost or changed.".to_owned(),
            )];
            if roomy && !model.key.in_field {
                rows.extend(nothing_fits_rows());
            }
            rows
        }
    }
}

fn nothing_fits_rows() -> Vec<Row> {
    let mut rows =
        vec![Row::empty(), Row::of(vec![own("  How that can be").left(46), own("what helps")])];
    for (how, what) in [
        ("It belongs to another account or server", "1  sign in there"),
        ("It belongs to a backup that is gone", "o  an old snapshot"),
        ("It is another paper than you think", "Del  type it anew"),
        ("It was a passphrase, not a recovery key", "Del  type it anew"),
        ("Two slips that hide each other (rarely)", "Enter  search for it"),
    ] {
        rows.push(Row::of(vec![own("    "), own(how).left(42), own(what).ink(Ink::Muted)]));
    }
    rows
}

fn fact(model: &Model, roomy: bool) -> Line {
    let key = &model.key;
    let stays = if roomy {
        "What you type stays on this computer. It is never sent."
    } else {
        "It stays on this computer."
    };
    if key.trying.is_some() && key.stretched.is_some() {
        return line("The lock makes guessing slow on purpose. Ctrl-C stops.");
    }
    let Some(opened) = &key.opened else { return line(stays) };
    let several = model.target_versions();
    match (model.target_version(), &opened.closed) {
        (Some(_), _) if several.len() > 1 => {
            let open = several.iter().filter(|version| model.key_opens(version));
            line(format!("It opens {}. That is proven by calculation.", several::named(open)))
        }
        (Some(target), _) => {
            let version = model.backups.version(&target);
            let current = version.is_some_and(|version| model.backups.is_current(version));
            let name = Shown::limited(&target, 20);
            match current && !model.is_offline() {
                true => line("It opens your current backup."),
                false => line(format!("It opens backup {name}. That is proven by calculation.")),
            }
        }
        (None, _) if opened.left_out_seconds.is_some() => {
            line("keyhaul does not begin long calculations without asking.")
        }
        _ if !roomy => line("Nothing is lost. Nobody counts."),
        _ => line("Nothing is lost, nothing was changed, and nobody counts the tries."),
    }
}

fn next(model: &Model, roomy: bool) -> Line {
    let key = &model.key;
    if key.trying.is_some() {
        return line("wait a moment.");
    }
    if model.could_mend() && model.target_version().is_some() {
        return line(match roomy {
            true => "press Enter to search for the slip. 5 goes on without this one.",
            false => "Enter searches for the slip.",
        });
    }
    if let Some(target) = model.target_version() {
        let current = model.backups.version(&target).is_some_and(|v| model.backups.is_current(v));
        let fits = model.key.opened.iter().flat_map(|opened| &opened.fits);
        let both = fits.into_iter().any(|fit| fit.kind == LockKind::Backup && fit.current);
        if roomy && !current && !both && !model.is_offline() {
            let name = Shown::limited(&target, 20);
            return line(format!(
                "press Enter to plan backup {name}. Then look for a newer paper."
            ));
        }
        return line(if roomy {
            "press Enter. keyhaul shows the plan before it restores anything."
        } else {
            "press Enter to see the plan."
        });
    }
    if model.could_mend() {
        return line(match (roomy, key.opened.is_some()) {
            (true, true) => "press Enter to search for a slip. Del takes another recovery key.",
            (true, false) => {
                "press Enter: keyhaul searches for the slip. Or compare with your paper."
            }
            (false, _) => "Enter searches for the slip.",
        });
    }
    // What has a slip in it is still to be compared, also where it was tried.
    if let Some(opened) = key.opened.as_ref().filter(|one| one.kind != SecretKind::Unknown) {
        return match (&opened.closed, opened.left_out_seconds) {
            (_, Some(_)) => line("press Enter to try it all the same."),
            (Some(_), _) if roomy && !opened.fits.is_empty() => {
                line("look for an app that is still signed in, or try another recovery key.")
            }
            _ if roomy => line("try another recovery key or a passphrase. Del forgets this one."),
            _ => line("try another recovery key."),
        };
    }
    match key.field.verdict() {
        Verdict::Nothing => line("type your recovery key, or paste it."),
        Verdict::Impossible { place, .. } => {
            let (cell, _) = key.field.place_of_letter(place);
            line(format!("look at cell {cell} on your paper."))
        }
        Verdict::Missing { .. } if roomy => {
            line("compare cell by cell. Ctrl-O opens a place for a forgotten character.")
        }
        Verdict::Missing { .. } | Verdict::TooMany { .. } | Verdict::Slip => {
            line("compare each cell with your paper.")
        }
        Verdict::OneCase { .. } => line("type it again, with capitals as on the paper."),
        Verdict::Passphrase | Verdict::BeginsWrongly { .. } => line("press Enter to try it."),
        Verdict::Part { .. } => line("go on typing. Nothing happens until all 48 are there."),
        Verdict::Complete | Verdict::RawKey => line("press Enter to try it."),
    }
}

fn hints(model: &Model) -> Vec<Hint> {
    let key = &model.key;
    let mut hints = Vec::new();
    if key.trying.is_some() {
        hints.push(called(Intent::Stop, "stop"));
    } else if model.could_mend() {
        hints.push(called(Intent::GoOn, "search"));
    } else if model.target_version().is_some() {
        hints.push(called(Intent::GoOn, "see plan"));
    } else if !key.field.is_empty() {
        hints.push(called(Intent::GoOn, "try it"));
    }
    if key.in_field {
        hints.push(hint(Intent::Show));
        hints.push(hint(Intent::Clear));
        hints.push(called(Intent::NextPart, "kind"));
        if key.field.letters() > 0 && key.field.shape() == Shape::RecoveryKey {
            hints.push(hint(Intent::OpenPlace));
        }
        hints.extend([hint(Intent::Help), hint(Intent::Explain), called(Intent::Back, "out")]);
    } else {
        if key.opened.is_some() {
            hints.extend([hint(Intent::FitTable), hint(Intent::OtherKey)]);
        }
        if !key.field.is_empty() || !key.others.is_empty() {
            hints.push(hint(Intent::Forget));
        }
        if model.target_version().is_none() {
            hints.push(hint(Intent::TryList));
        }
        hints.extend([hint(Intent::Explain), hint(Intent::Help), hint(Intent::Back)]);
    }
    hints
}

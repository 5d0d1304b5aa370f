//! Step 1: the id, the server, the ways in.

use std::time::Duration;

use crate::{
    base::{failure::Failure, shown::Shown, words::length},
    recovery::sign_in::Flow,
    tui::{
        field::{Field, SecretField},
        intent::Intent,
        jobs::Work,
        layout::Regions,
        model::Model,
        page::{
            Hint, Instead, Line, Page, Piece, Row, Target, called, hint, instead, line, mark, own,
            private,
        },
        sign_in::{Finding, Part},
        theme::Ink,
    },
};

pub(super) fn page(model: &Model, regions: &Regions) -> Page {
    let roomy = regions.is_roomy();
    let mut rows = Vec::new();
    if roomy {
        rows.push(Row::text("Your Matrix id"));
    }
    rows.push(id_row(model, regions));
    rows.extend(finding_rows(model, roomy));
    if model.sign_in.found().is_some() {
        if roomy {
            rows.push(Row::empty());
            rows.push(Row::text("Ways to sign in which this server offers"));
        }
        rows.extend(way_rows(model, regions));
    }
    if roomy {
        rows.push(Row::empty());
        rows.push(Row::text("Without signing in"));
    }
    rows.extend(other_rows(model, roomy));
    if roomy {
        rows.push(Row::empty());
        rows.extend(match model.sign_in.demo {
            _ if model.account.is_some() => signed_in(model),
            Some(_) => paper(model),
            None => promise(),
        });
    }
    Page {
        title: line("Sign in"),
        rows,
        fact: fact(model, roomy),
        next: next(model, roomy),
        hints: hints(model),
        ..Page::default()
    }
}

fn has_focus(model: &Model, part: Part) -> bool {
    model.sign_in.part == part && model.overlays.is_empty()
}

fn target(model: &Model, part: Part) -> Option<Target> {
    let place = model.sign_in.parts().iter().position(|other| *other == part)?;
    Some(Target::Part(place))
}

/// A field between brackets, with the cursor in it if it takes letters now.
fn field_row(model: &Model, part: Part, label: Line, width: usize, text: Shown, at: usize) -> Row {
    let here = has_focus(model, part);
    let mut row = vec![mark(here)];
    row.extend(label);
    let pen = model.pen();
    let start = unicode_width::UnicodeWidthStr::width(pen.line(&row).as_str());
    row.push(own("[ "));
    let shown = match part {
        Part::Id | Part::Name => instead(&text, Instead::Account),
        _ => own(text.to_string()).ink(Ink::Plain),
    };
    row.push(shown.left(width));
    row.push(own(" ]"));
    let cursor = (here && model.sign_in.in_field).then(|| {
        // Under the mask the cursor would tell how long the text is.
        start + 2 + if model.masked && part != Part::Password { 0 } else { at }
    });
    Row { target: target(model, part), ..Row::of(row).cursor(cursor) }
}

fn ordinary(model: &Model, part: Part, label: Line, width: usize, field: &Field) -> Row {
    let (text, at) = field.window(width);
    field_row(model, part, label, width, Shown::new(text), at)
}

fn secret(model: &Model, part: Part, label: Line, width: usize, field: &SecretField) -> Row {
    let (text, at) = field.window(width, model.now);
    let visible = field.is_shown(model.now) && !model.masked;
    let row = field_row(model, part, label, width, Shown::new(&text), at);
    if !visible {
        return row;
    }
    let line = row.line.into_iter().map(|piece| match piece.fit {
        Some(_) => piece.ink(Ink::Secret),
        None => piece,
    });
    Row { line: line.collect(), ..row }
}

fn id_row(model: &Model, regions: &Regions) -> Row {
    let width = regions.cells().saturating_sub(6).min(48);
    ordinary(model, Part::Id, Line::new(), width, &model.sign_in.id)
}

fn finding_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let indent = if roomy { 2 } else { 0 };
    let lead = || own(" ".repeat(indent));
    match &model.sign_in.finding {
        Finding::Nothing if !roomy => vec![Row::text("@name:server, or a server")],
        Finding::Nothing => {
            vec![Row::text("  It looks like @name:server. A server name or address works too.")]
        }
        Finding::Asking => {
            let typed = model.sign_in.subject().unwrap_or_default();
            let name = typed.split_once(':').filter(|_| typed.starts_with('@'));
            let name = Shown::limited(name.map_or(&*typed, |(_, server)| server), 60);
            vec![Row::of(vec![
                lead(),
                own("… asking "),
                private(&name),
                own(if roomy { " which server it uses" } else { "" }),
            ])]
        }
        Finding::Found(found) => {
            let address = Shown::new(found.address.trim_end_matches('/'));
            let mut row = vec![lead(), own("✓ ").ink(Ink::Ok)];
            if roomy {
                row.push(own("Server found: "));
            }
            row.push(private(if roomy { &address } else { &found.host }));
            let mut rows = Vec::new();
            match &found.named_by {
                Some(name) if roomy => {
                    row.extend([own("  ("), private(name), own(" names it)")]);
                    rows.push(Row::wrapped(indent, row));
                    if !belongs(found.host.as_str(), name.as_str()) {
                        rows.push(Row::of(vec![
                            lead(),
                            own("! ").ink(Ink::Warn),
                            own("This is another name than "),
                            private(name),
                            own(". Is that your provider?"),
                        ]));
                    }
                }
                _ => rows.push(Row::of(row)),
            }
            rows
        }
        Finding::Failed(failure) => failure_rows(model, failure, indent, None),
    }
}

/// Says whether a host is of the same organisation as a name, as far as names tell.
fn belongs(host: &str, name: &str) -> bool {
    let host = host.split(':').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    host == name || host.ends_with(&format!(".{name}"))
}

/// What happened, and what is safe.
fn failure_rows(model: &Model, failure: &Failure, indent: usize, more: Option<String>) -> Vec<Row> {
    let failure = model.told(failure);
    let lead = " ".repeat(indent);
    let mut rows = vec![
        Row::wrapped(
            indent + 2,
            vec![
                own(lead.clone()),
                own("! ").ink(Ink::Danger),
                own(failure.what()).ink(Ink::Danger),
            ],
        ),
        Row::wrapped(indent + 2, vec![own(format!("{lead}  ")), own(failure.safe())]),
    ];
    rows.extend(more.map(|more| Row::wrapped(indent + 2, line(format!("{lead}  {more}")))));
    rows
}

fn way_rows(model: &Model, regions: &Regions) -> Vec<Row> {
    let roomy = regions.is_roomy();
    let Some(found) = model.sign_in.found() else { return Vec::new() };
    let column = if roomy { 14 } else { 9 };
    let width = regions.cells().saturating_sub(column + 6).min(36);
    let sign_in = &model.sign_in;
    let mut rows = Vec::new();
    for part in sign_in.parts() {
        let here = has_focus(model, part);
        let label = |text: &'static str| vec![own(text).left(column)];
        let words = |name: &'static str, text: Vec<Piece>| {
            let mut row = vec![mark(here), own(name).left(column)];
            row.extend(text);
            let row = Row::of(row).focused(here);
            let row = Row { target: target(model, part), ..row };
            // The cursor stands on the row in focus, for screen readers and magnifiers.
            row.cursor(here.then_some(0))
        };
        match part {
            Part::Name => {
                let name = if roomy { "Your name" } else { "Name" };
                rows.push(ordinary(model, part, label(name), width, &sign_in.name));
            }
            Part::Password => {
                rows.push(secret(model, part, label("Password"), width, &sign_in.password));
                rows.extend(password_rows(model, roomy));
            }
            Part::Browser => {
                let providers = found.flows.iter().find_map(|flow| match flow {
                    Flow::Browser { providers } => Some(providers),
                    _ => None,
                });
                let names: Vec<&str> = providers.into_iter().flatten().map(Shown::as_str).collect();
                let names = Shown::limited(&names.join(", "), 40);
                let mut text = vec![private(&names)];
                if !names.as_str().is_empty() {
                    text.push(own(if roomy { ": " } else { " " }));
                }
                text.push(
                    own(if roomy { "not in keyhaul yet" } else { "(not yet)" }).ink(Ink::Muted),
                );
                rows.push(words("Browser", text));
            }
            Part::Other => {
                let names = found.flows.iter().filter_map(|flow| match flow {
                    Flow::Other(name) => Some(name.as_str()),
                    _ => None,
                });
                let names = Shown::limited(&names.collect::<Vec<_>>().join(", "), 40);
                let text = vec![private(&names), own(": not in keyhaul yet").ink(Ink::Muted)];
                rows.push(words("Other", text));
            }
            Part::Token if here && sign_in.in_field => {
                let name = if roomy { "Access token" } else { "Token" };
                rows.push(secret(model, part, label(name), width, &sign_in.token));
                if let (Some(failure), true) = (&sign_in.failed, !sign_in.token.is_empty()) {
                    rows.extend(failure_rows(model, failure, 2, None));
                } else if roomy {
                    rows.push(Row::text(
                        "  It belongs to another app. keyhaul uses it now and then forgets it.",
                    ));
                    rows.push(Row::text(
                        "  keyhaul does not sign it out, because that would sign out the other app.",
                    ));
                }
            }
            Part::Token => {
                let name = if roomy { "Access token" } else { "Token" };
                let text = if roomy { "one that you have already" } else { "access token" };
                rows.push(words(name, line(text)));
            }
            Part::Id | Part::Snapshot | Part::Demo => {}
        }
    }
    rows
}

/// What became of the last try with a password.
fn password_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let sign_in = &model.sign_in;
    let indent = if roomy { 2 } else { 0 };
    if let Some(since) = model.jobs.since(&Work::SignIn) {
        let seconds = model.now.saturating_sub(since).as_secs();
        let text = match seconds {
            0..3 => "… signing in".to_owned(),
            _ => format!("… signing in, {} so far. Ctrl-C stops.", length(seconds)),
        };
        return vec![Row::text(" ".repeat(indent) + &text)];
    }
    let Some(failure) = &sign_in.failed else { return Vec::new() };
    let more = match (sign_in.waits(model.now), sign_in.tries) {
        (Some(left), _) => Some(format!("You can try again in {}.", countdown(left))),
        (None, tries @ 2..) => Some(format!(
            "This was try {tries}. Servers often make you wait some minutes after five."
        )),
        _ => None,
    };
    failure_rows(
        model,
        failure,
        indent,
        more.filter(|_| roomy || sign_in.waits(model.now).is_some()),
    )
}

fn countdown(left: Duration) -> String {
    length(left.as_secs().max(1))
}

fn other_rows(model: &Model, roomy: bool) -> Vec<Row> {
    let choices: &[(Part, &'static str)] = if roomy {
        &[
            (Part::Snapshot, "Open a snapshot that was saved earlier"),
            (Part::Demo, "Try everything with a made-up account (demo)"),
        ]
    } else {
        &[(Part::Snapshot, "Open a snapshot"), (Part::Demo, "Try the demo")]
    };
    let parts = model.sign_in.parts();
    let there = choices.iter().filter(|(part, _)| parts.contains(part));
    let row = |(part, words): &(Part, &'static str)| {
        let here = has_focus(model, *part);
        let row = Row::of(vec![mark(here), own(*words)]).focused(here);
        Row { target: target(model, *part), ..row.cursor(here.then_some(0)) }
    };
    there.map(row).collect()
}

fn signed_in(model: &Model) -> Vec<Row> {
    let Some(account) = &model.account else { return Vec::new() };
    let user = Shown::limited(&account.signed.user_id, 80);
    vec![
        Row::of(vec![
            own("✓ ").ink(Ink::Ok),
            own("You are signed in as "),
            instead(&user, Instead::Account),
            own("."),
        ]),
        Row::text("  Whoever signs in now takes your place; your device is removed first."),
    ]
}

fn promise() -> Vec<Row> {
    vec![
        Row::text("Signing in adds one device to your account, named “keyhaul recovery”."),
        Row::text("It sends nothing into your rooms. It is removed when you leave keyhaul."),
    ]
}

/// The demo's paper: everything on it is made up, so it may be shown.
fn paper(model: &Model) -> Vec<Row> {
    let Some(demo) = &model.sign_in.demo else { return Vec::new() };
    vec![
        Row::wrapped(
            0,
            line(
                "This is the demo: a made-up person with a made-up account. Her password is filled \
                 in. This stands on the paper that she kept, for step 4:",
            ),
        ),
        Row::of(vec![own("  "), private(&demo.recovery_key)]),
    ]
}

fn fact(model: &Model, roomy: bool) -> Line {
    let sign_in = &model.sign_in;
    if let (Part::Password | Part::Token, Some(host)) = (sign_in.part, sign_in.host()) {
        let what = if sign_in.part == Part::Password { "Your password" } else { "The token" };
        return if roomy {
            vec![own(format!("{what} goes to ")), private(host), own(" and nowhere else.")]
        } else {
            vec![own("It goes to "), private(host), own(" only.")]
        };
    }
    match (sign_in.part, sign_in.found()) {
        (Part::Browser | Part::Other, _) => {
            line("keyhaul cannot sign in this way yet. An access token works today.")
        }
        (Part::Snapshot, _) => line("A snapshot needs no server and no password."),
        (Part::Demo, _) => line("The demo runs on this computer. Nothing leaves it."),
        (_, Some(_)) => line("A Matrix server answers there. Nothing secret was sent."),
        (_, None) => line(if roomy {
            "Take your time. Nothing is changed by looking."
        } else {
            "Nothing is changed by looking."
        }),
    }
}

fn next(model: &Model, roomy: bool) -> Line {
    let sign_in = &model.sign_in;
    if model.jobs.since(&Work::SignIn).is_some() {
        return line("wait a moment.");
    }
    if sign_in.part == Part::Id && matches!(sign_in.finding, Finding::Asking) {
        return line("wait a moment.");
    }
    if sign_in.waits(model.now).is_some() && sign_in.part == Part::Password {
        return line("wait, or open a snapshot meanwhile.");
    }
    if let (Finding::Failed(failure), Part::Id) = (&sign_in.finding, sign_in.part) {
        let failure = model.told(failure);
        return line(lower_first(&failure.next()));
    }
    if let Some(failure) = &sign_in.failed
        && matches!(sign_in.part, Part::Password | Part::Token)
    {
        let failure = model.told(failure);
        return line(lower_first(&failure.next()));
    }
    let typed = !sign_in.id.text().trim().is_empty();
    let filled = !sign_in.password.is_empty();
    let words: &'static str = match (sign_in.part, roomy) {
        (Part::Id, _) if !typed => "type your Matrix id and press Enter.",
        (Part::Id, _) if sign_in.found().is_some() => "press Enter to choose a way in.",
        (Part::Id, true) => "press Enter. keyhaul asks which server that is.",
        (Part::Id, false) => "press Enter.",
        (Part::Name, _) => "type your name on this server.",
        (Part::Password, _) if model.account.is_some() && !filled => {
            "press Enter to go back to your backups."
        }
        (Part::Password, _) if sign_in.demo.is_some() && filled => "press Enter to sign in.",
        (Part::Password, true) => "type your password and press Enter.",
        (Part::Password, false) => "type your password.",
        (Part::Token, true) => "paste the token and press Enter.",
        (Part::Token, false) => "paste the token.",
        (Part::Browser | Part::Other, _) => "choose another way with ↑ or ↓.",
        (Part::Snapshot, _) => "press Enter and choose the file.",
        (Part::Demo, _) => "press Enter to begin the demo.",
    };
    line(words)
}

/// The key map's words stand behind “Next:”, so they begin small.
pub(super) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

fn hints(model: &Model) -> Vec<Hint> {
    let go_on = match model.sign_in.part {
        Part::Password if model.account.is_some() && model.sign_in.password.is_empty() => "backups",
        Part::Password | Part::Token => "sign in",
        Part::Id | Part::Name => "go on",
        Part::Browser | Part::Other => "go on",
        Part::Snapshot => "open",
        Part::Demo => "begin",
    };
    let mut hints = vec![called(Intent::GoOn, go_on), hint(Intent::NextPart)];
    if model.in_secret_field() {
        hints.push(called(Intent::Show, "show"));
    }
    hints.extend([hint(Intent::Help), hint(Intent::Explain)]);
    if model.in_field() {
        hints.push(called(Intent::Back, "leave field"));
    } else {
        hints.push(hint(Intent::Leave));
    }
    hints
}

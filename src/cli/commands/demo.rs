//! `--demo` and `demo-server`: a made-up account on an embedded server, reached over real HTTP.

use std::net::SocketAddr;

use super::super::{desk::Desk, output::closed};
use crate::{
    base::failure::{Code, Failure},
    demo::{
        running::{self, Running, find},
        stories::Story,
    },
};

/// The demo without a command: backups, rooms and a restore, one after the other.
pub(super) async fn tour(desk: &mut Desk) -> Result<u8, Failure> {
    if desk.global.json {
        let why = "--json prints one document, so name one command: keyhaul --demo restore --json";
        return Err(Failure::new(Code::Usage).because(why));
    }
    let story = desk.demo.as_ref().map(Running::story).filter(|story| *story != Story::Plain);
    let demo =
        story.map_or_else(|| "--demo".to_owned(), |story| format!("--demo={}", story.name()));
    desk.output.say(&format!("\n$ keyhaul {demo} backups"));
    super::backups::run(desk).await?;
    desk.output.say(&format!("\n$ keyhaul {demo} rooms"));
    super::rooms::run(desk).await?;
    desk.output.say(&format!("\n$ keyhaul {demo} restore"));
    super::restore::run(desk, Vec::new(), false).await?;
    // The story has damaged entries on purpose, so a partial result is its happy end.
    Ok(0)
}

/// `demo-server`: serves a story until somebody stops it.
pub(super) async fn serve(desk: &Desk, listen: SocketAddr, story: &str) -> Result<u8, Failure> {
    let story = find(story)?;
    let server = running::serve(story, desk.global.keys, listen).await?;
    let passphrase = story.has_passphrase();
    let document = || {
        serde_json::json!({
            "homeserver": server.base_url(),
            "user_id": story.user_id(),
            "password": story.password().expose(),
            (if passphrase { "passphrase" } else { "recovery_key" }): story.secret().expose(),
        })
    };
    desk.output
        .result(document, |lines| {
            lines.line(format!("Demo homeserver: {}", server.base_url()));
            lines.line(format!("Account:         {}", story.user_id()));
            lines.line(format!("Password:        {}", story.password().expose()));
            let what = if passphrase { "Passphrase:   " } else { "Recovery key: " };
            lines.line(format!("{what}   {}", story.secret().expose()));
            lines.line("All of it is made up. Ctrl-C ends it.");
        })
        .map_err(|error| closed(&error))?;
    desk.cancel.cancelled().await;
    Ok(0)
}

pub(super) fn list(desk: &Desk) -> Result<u8, Failure> {
    let document = || {
        let stories = Story::ALL.iter();
        serde_json::json!({"stories": stories
            .map(|story| serde_json::json!({"name": story.name(), "about": story.summary()}))
            .collect::<Vec<_>>()})
    };
    desk.output
        .result(document, |lines| {
            for story in Story::ALL {
                lines.line(format!("{:<18} {}", story.name(), story.summary()));
            }
        })
        .map_err(|error| closed(&error))?;
    Ok(0)
}

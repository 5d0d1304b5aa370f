//! `--demo` and `demo-server`: a made-up account on an embedded server, reached over real HTTP.

use std::{net::SocketAddr, path::PathBuf};

use tempfile::TempDir;

use super::super::desk::Desk;
use crate::{
    base::{
        failure::{Code, Failure},
        secret::SecretText,
    },
    demo::{server::DemoServer, stories::Story},
};

/// A running story, with the folder it may write to.
pub(in super::super) struct Demo {
    story: Story,
    server: DemoServer,
    data: TempDir,
}

/// What became of the wish for a demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// There was no such wish, or it runs.
    GoOn,
    /// The stories were listed; that was all.
    Listed,
}

impl Demo {
    pub(in super::super) fn homeserver(&self) -> String {
        self.server.base_url().to_owned()
    }

    pub(in super::super) fn user(&self) -> String {
        self.story.user_id().to_owned()
    }

    pub(in super::super) fn password(&self) -> SecretText {
        self.story.password()
    }

    pub(in super::super) fn recovery_key(&self) -> SecretText {
        self.story.recovery_key()
    }

    pub(in super::super) fn data_dir(&self) -> PathBuf {
        self.data.path().to_owned()
    }
}

impl Desk {
    /// Starts the story of `--demo`, if there is that option.
    pub(super) async fn begin_demo(&mut self) -> Result<Begun, Failure> {
        let Some(word) = self.global.demo.clone() else { return Ok(Begun::GoOn) };
        if word == "list" {
            list(self)?;
            return Ok(Begun::Listed);
        }
        let story = find(&word)?;
        let data = TempDir::with_prefix("keyhaul-demo-").map_err(|error| unwritable(&error))?;
        let server = DemoServer::start(story, SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .map_err(|error| Failure::new(Code::Bug).because(&error.to_string()))?;
        if self.global.secret_file.is_empty() {
            self.output.say(&format!("Demo of {}. Its recovery key:", story.user_id()));
            self.output.say(story.recovery_key().expose());
        }
        self.demo = Some(Demo { story, server, data });
        Ok(Begun::GoOn)
    }
}

/// The demo without a command: backups, rooms and a restore, one after the other.
pub(super) async fn tour(desk: &mut Desk) -> Result<u8, Failure> {
    desk.output.say("\n$ keyhaul --demo backups");
    super::backups::run(desk).await?;
    desk.output.say("\n$ keyhaul --demo rooms");
    super::rooms::run(desk).await?;
    desk.output.say("\n$ keyhaul --demo restore");
    super::restore::run(desk, Vec::new(), false).await?;
    // The story has damaged entries on purpose, so a partial result is its happy end.
    Ok(0)
}

/// `demo-server`: serves a story until somebody stops it.
pub(super) async fn serve(desk: &Desk, listen: SocketAddr, story: &str) -> Result<u8, Failure> {
    let story = find(story)?;
    let server = DemoServer::start(story, listen).await.map_err(|error| {
        Failure::new(Code::Usage).because(&format!("cannot listen on {listen}: {error}"))
    })?;
    let document = || {
        serde_json::json!({
            "homeserver": server.base_url(),
            "user_id": story.user_id(),
            "password": story.password().expose(),
            "recovery_key": story.recovery_key().expose(),
        })
    };
    desk.output
        .result(document, |lines| {
            lines.line(format!("Demo homeserver: {}", server.base_url()));
            lines.line(format!("Account:         {}", story.user_id()));
            lines.line(format!("Password:        {}", story.password().expose()));
            lines.line(format!("Recovery key:    {}", story.recovery_key().expose()));
            lines.line("All of it is made up. Ctrl-C ends it.");
        })
        .map_err(|error| super::super::output::closed(&error))?;
    desk.cancel.cancelled().await;
    Ok(0)
}

fn list(desk: &Desk) -> Result<(), Failure> {
    let document = || {
        let stories = Story::ALL.iter();
        serde_json::json!({"stories": stories
            .map(|story| serde_json::json!({"name": story.name(), "about": story.summary()}))
            .collect::<Vec<_>>()})
    };
    desk.output
        .result(document, |lines| {
            for story in Story::ALL {
                lines.line(format!("{}: {}", story.name(), story.summary()));
            }
        })
        .map_err(|error| super::super::output::closed(&error))
}

fn find(word: &str) -> Result<Story, Failure> {
    Story::named(word).ok_or_else(|| {
        Failure::new(Code::Usage).because("there is no such story; see keyhaul --demo=list")
    })
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::new(Code::NoPermission)
        .with("folder", "the folder for temporary files")
        .because(&error.to_string())
}

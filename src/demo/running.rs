//! A running story of the demo: what stands in for options that were not given.

use std::{net::SocketAddr, path::PathBuf};

use tempfile::TempDir;

use super::{server::DemoServer, stories::Story};
use crate::base::{
    failure::{Code, Failure},
    secret::SecretText,
};

/// A running story, with the folder it may write to.
pub struct Running {
    story: Story,
    server: DemoServer,
    data: TempDir,
}

impl Running {
    /// Starts the embedded server on a free port of this computer.
    pub async fn begin(story: Story) -> Result<Self, Failure> {
        Self::begin_with(story, None).await
    }

    /// The same, with so many keys in a story that may have any number of them.
    pub async fn begin_with(story: Story, keys: Option<u64>) -> Result<Self, Failure> {
        let data = TempDir::with_prefix("keyhaul-demo-").map_err(|error| {
            Failure::new(Code::NoPermission)
                .with("folder", "the folder for temporary files")
                .because(&error.to_string())
        })?;
        let server = serve(story, keys, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        Ok(Self { story, server, data })
    }

    /// Which story it is.
    pub fn story(&self) -> Story {
        self.story
    }

    /// The server's address.
    pub fn homeserver(&self) -> String {
        self.server.base_url().to_owned()
    }

    /// The person's Matrix id.
    pub fn user(&self) -> String {
        self.story.user_id().to_owned()
    }

    /// The person's password.
    pub fn password(&self) -> SecretText {
        self.story.password()
    }

    /// What stands on the person's paper: a recovery key, or a passphrase.
    pub fn recovery_key(&self) -> SecretText {
        self.story.secret()
    }

    /// Whether that is a passphrase.
    pub fn has_passphrase(&self) -> bool {
        self.story.has_passphrase()
    }

    /// A folder of its own for keys and snapshots, gone with this.
    pub fn data_dir(&self) -> PathBuf {
        self.data.path().to_owned()
    }
}

/// Serves a story at an address, with so many keys if it may have any number of them.
pub async fn serve(
    story: Story,
    keys: Option<u64>,
    listen: SocketAddr,
) -> Result<DemoServer, Failure> {
    DemoServer::start_with(story, keys, listen).await.map_err(|error| {
        Failure::new(Code::Usage).because(&format!("cannot listen on {listen}: {error}"))
    })
}

/// The story of that name.
pub fn find(name: &str) -> Result<Story, Failure> {
    Story::named(name).ok_or_else(|| {
        let names = Story::ALL.map(Story::name).join(", ");
        Failure::new(Code::Usage).because(&format!(
            "there is no such story; keyhaul --demo=list tells of these: {names}"
        ))
    })
}

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
        let data = TempDir::with_prefix("keyhaul-demo-").map_err(|error| {
            Failure::new(Code::NoPermission)
                .with("folder", "the folder for temporary files")
                .because(&error.to_string())
        })?;
        let server = serve(story, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        Ok(Self { story, server, data })
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

    /// What stands on the person's paper.
    pub fn recovery_key(&self) -> SecretText {
        self.story.recovery_key()
    }

    /// A folder of its own for keys and snapshots, gone with this.
    pub fn data_dir(&self) -> PathBuf {
        self.data.path().to_owned()
    }
}

/// Serves a story at an address.
pub async fn serve(story: Story, listen: SocketAddr) -> Result<DemoServer, Failure> {
    DemoServer::start(story, listen).await.map_err(|error| {
        Failure::new(Code::Usage).because(&format!("cannot listen on {listen}: {error}"))
    })
}

/// The story of that name.
pub fn find(name: &str) -> Result<Story, Failure> {
    Story::named(name).ok_or_else(|| {
        Failure::new(Code::Usage).because("there is no such story; see keyhaul --demo=list")
    })
}

//! Who we are to a homeserver: signed in by keyhaul, or with another app's token.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};
use zeroize::Zeroizing;

use super::{
    answer::Answer, client::Client, error::RequestError, permit::WritePermit, request::Request,
};
use crate::base::{cancel::Cancel, secret::SecretText};

/// Where the access token is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// keyhaul signed in: the device is its own, and it may sign out.
    SignedInHere,
    /// Another app's token: reading only, and never anything that changes that app's session.
    Borrowed,
}

/// A server, an account and the token that opens it.
pub struct Session {
    client: Client,
    user: OwnedUserId,
    device: Option<OwnedDeviceId>,
    token: SecretText,
    origin: Origin,
    guest: bool,
}

impl Session {
    pub(super) fn borrowed(
        client: Client,
        user: OwnedUserId,
        device: Option<OwnedDeviceId>,
        token: SecretText,
        guest: bool,
    ) -> Self {
        Self { client, user, device, token, origin: Origin::Borrowed, guest }
    }

    /// The server.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The account, as the server names it.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The device the token belongs to; tokens of bridges and bots have none.
    pub fn device(&self) -> Option<&DeviceId> {
        self.device.as_deref()
    }

    /// Where the token is from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Says whether this is a guest account, which has no backups.
    pub fn is_guest(&self) -> bool {
        self.guest
    }

    /// Sends a harmless request and waits for a successful answer's first bytes.
    pub async fn send(&self, request: Request, cancel: &Cancel) -> Result<Answer, RequestError> {
        self.client.open(&request, Some(self.bearer()), cancel).await?.successful(cancel).await
    }

    /// Sends a request that a person agreed to and waits for a successful answer's first bytes.
    pub async fn send_writing(
        &self,
        permit: &WritePermit<'_>,
        request: Request,
        cancel: &Cancel,
    ) -> Result<Answer, RequestError> {
        self.client
            .open_writing(permit, &request, self.bearer(), cancel)
            .await?
            .successful(cancel)
            .await
    }

    fn bearer(&self) -> Bearer<'_> {
        let own = self.origin == Origin::SignedInHere;
        Bearer {
            token: &self.token,
            own_device: self.device().filter(|_| own).map(DeviceId::as_str),
        }
    }
}

/// What makes a request ours.
#[derive(Clone, Copy)]
pub(super) struct Bearer<'a> {
    /// The access token.
    pub(super) token: &'a SecretText,
    /// The token's device if keyhaul itself signed in.
    pub(super) own_device: Option<&'a str>,
}

impl Bearer<'_> {
    /// The header with the token, marked so that logs leave it out; its memory is wiped when the
    /// request is done.
    pub(super) fn header(self) -> Result<HeaderValue, RequestError> {
        let token = self.token.expose().as_bytes();
        let mut text = Zeroizing::new(Vec::with_capacity(7 + token.len()));
        text.extend_from_slice(b"Bearer ");
        text.extend_from_slice(token);
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text))
            .map_err(|_| RequestError::TokenUnsendable)?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.user)
            .field("device", &self.device)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// A session that keyhaul itself began: the only kind that can be signed out.
#[derive(Debug)]
pub struct OwnSession(Session);

impl OwnSession {
    pub(super) fn new(
        client: Client,
        user: OwnedUserId,
        device: OwnedDeviceId,
        token: SecretText,
    ) -> Self {
        let (origin, device) = (Origin::SignedInHere, Some(device));
        Self(Session { client, user, device, token, origin, guest: false })
    }

    /// The session, for reading.
    pub fn session(&self) -> &Session {
        &self.0
    }

    /// The access token, for keeping it in a file that only its owner reads.
    pub fn token(&self) -> &SecretText {
        &self.0.token
    }
}

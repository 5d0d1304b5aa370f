//! Who we are to a homeserver: signed in by keyhaul, or with another app's token.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use http::HeaderValue;
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};
use zeroize::Zeroizing;

use super::{
    answer::Answer, client::Client, error::RequestError, permit::WritePermit, request::Request,
    retry::Tries, sign_in::password,
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
    token: RwLock<Arc<SecretText>>,
    origin: Origin,
    guest: bool,
    renewal: Option<Renewal>,
}

/// What brings a new token for the same device when the server lets the old one expire.
struct Renewal {
    password: SecretText,
    /// Held while one request renews it, so that the others wait for that.
    turn: tokio::sync::Mutex<()>,
}

impl Session {
    pub(super) fn borrowed(
        client: Client,
        user: OwnedUserId,
        device: Option<OwnedDeviceId>,
        token: SecretText,
        guest: bool,
    ) -> Self {
        let (token, origin) = (RwLock::new(Arc::new(token)), Origin::Borrowed);
        Self { client, user, device, token, origin, guest, renewal: None }
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

    /// Sends a harmless request and waits for a successful answer's first bytes; sends it again as
    /// [`super::retry`] says.
    pub async fn send(&self, request: Request, cancel: &Cancel) -> Result<Answer, RequestError> {
        self.ask(request, cancel, |answer| std::future::ready(Ok(answer))).await
    }

    /// Sends a harmless request and reads its answer; what breaks while it is read is asked for again.
    pub(super) async fn ask<T, Reading>(
        &self,
        request: Request,
        cancel: &Cancel,
        read: impl Fn(Answer) -> Reading,
    ) -> Result<T, RequestError>
    where
        Reading: Future<Output = Result<T, RequestError>>,
    {
        let mut tries = Tries::new(request.persistence, self.client.patience());
        let mut renewed = false;
        loop {
            let token = self.token();
            let asked = async {
                let answer = self.client.open(&request, Some(self.bearer(&token)), cancel).await?;
                read(answer.successful(cancel).await?).await
            };
            let error = match asked.await {
                Err(error @ RequestError::TokenUnknown { soft_logout: true }) if !renewed => {
                    renewed = true;
                    self.renew(&token, error, cancel).await?;
                    continue;
                }
                Err(error) => error,
                done => return done,
            };
            match tries.pause(&error) {
                Some(pause) => pause.pass(cancel).await?,
                None => return Err(error),
            }
        }
    }

    /// Sends a request that a person agreed to and waits for a successful answer's first bytes.
    pub async fn send_writing(
        &self,
        permit: &WritePermit<'_>,
        request: Request,
        cancel: &Cancel,
    ) -> Result<Answer, RequestError> {
        let token = self.token();
        self.client
            .open_writing(permit, &request, self.bearer(&token), cancel)
            .await?
            .successful(cancel)
            .await
    }

    /// Signs in again as the same device, once for all requests that meet the same expired token; gives
    /// the error back where nothing can be done about it.
    async fn renew(
        &self,
        expired: &SecretText,
        error: RequestError,
        cancel: &Cancel,
    ) -> Result<(), RequestError> {
        let (Some(renewal), Some(device)) = (&self.renewal, &self.device) else {
            return Err(error);
        };
        let _turn = renewal.turn.lock().await;
        if self.token().expose() != expired.expose() {
            return Ok(());
        }
        let again =
            password::again(&self.client, &self.user, device, &renewal.password, cancel).await?;
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(again);
        Ok(())
    }

    fn token(&self) -> Arc<SecretText> {
        Arc::clone(&self.token.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn bearer<'a>(&'a self, token: &'a SecretText) -> Bearer<'a> {
        let own = self.origin == Origin::SignedInHere;
        Bearer { token, own_device: self.device().filter(|_| own).map(DeviceId::as_str) }
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
        let token = RwLock::new(Arc::new(token));
        Self(Session { client, user, device, token, origin, guest: false, renewal: None })
    }

    /// The same session, able to sign in again as the same device when its token expires in the middle of
    /// work. The password is held as long as the session.
    #[must_use]
    pub fn renewable(self, password: SecretText) -> Self {
        let renewal = Renewal { password, turn: tokio::sync::Mutex::default() };
        Self(Session { renewal: Some(renewal), ..self.0 })
    }

    /// The session, for reading.
    pub fn session(&self) -> &Session {
        &self.0
    }

    /// The access token, for keeping it in a file that only its owner reads.
    pub fn token(&self) -> Arc<SecretText> {
        self.0.token()
    }
}

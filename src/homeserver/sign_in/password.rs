//! Signing in with a password (spec: `m.login.password`); makes a device of keyhaul's own.

use http::Method;
use ruma::{DeviceId, OwnedDeviceId, OwnedUserId, UserId};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    base::{cancel::Cancel, secret::SecretText, shown::Shown},
    homeserver::{Client, OwnSession, Request, RequestError},
};

/// What the account's list of devices calls us.
pub const DEVICE_NAME: &str = "keyhaul recovery";

/// Why signing in with a password failed.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// User or password is wrong; servers do not say which.
    #[error("the server did not accept user and password: {message}")]
    Wrong {
        /// The server's words.
        message: Shown,
    },
    /// Too many tries; wrong ones count for everybody, so nothing is tried again by itself.
    #[error("the server wants a pause after several tries")]
    TooManyTries {
        /// How long, if the server says so in a form that makes sense.
        seconds: Option<u64>,
    },
    /// The server does not sign in by password.
    #[error("this server does not sign in by password: {message}")]
    NotOffered {
        /// The server's words.
        message: Shown,
    },
    /// Anything that other requests meet too.
    #[error(transparent)]
    Request(#[from] RequestError),
}

#[derive(Serialize)]
struct Login<'a> {
    r#type: &'static str,
    identifier: Identifier<'a>,
    password: &'a str,
    initial_device_display_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Identifier<'a> {
    r#type: &'static str,
    user: &'a str,
}

/// `well_known` is left out on purpose: a server could move a fresh token to another host by it.
#[derive(Deserialize)]
struct LoggedIn {
    user_id: OwnedUserId,
    device_id: OwnedDeviceId,
    #[serde(deserialize_with = "secret")]
    access_token: SecretText,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretText, D::Error> {
    String::deserialize(deserializer).map(SecretText::new)
}

/// Signs in as `user`, a whole Matrix id or its part before the colon.
///
/// The account that answers may be another one where only a part was given: compare it.
///
/// With `device`, one that keyhaul made before, no second device appears beside it.
pub async fn sign_in(
    client: &Client,
    user: &str,
    password: &SecretText,
    device: Option<&str>,
    cancel: &Cancel,
) -> Result<OwnSession, PasswordError> {
    let request = Request::new(Method::POST, "/_matrix/client/v3/login", &[])
        .json(body(user, password, device));
    let answer = client.send(request, cancel).await.map_err(|error| match error {
        RequestError::AskedToWait { seconds } => PasswordError::TooManyTries { seconds },
        RequestError::Refused { status: 403, errcode, message }
            if errcode.as_str() == "M_FORBIDDEN" =>
        {
            PasswordError::Wrong { message }
        }
        RequestError::Refused { status: 404, message, .. } => PasswordError::NotOffered { message },
        // Synapse's word for a login type that is switched off.
        RequestError::Refused { status: 400, errcode, message }
            if errcode.as_str() == "M_UNKNOWN" =>
        {
            PasswordError::NotOffered { message }
        }
        other => other.into(),
    })?;
    let LoggedIn { user_id, device_id, access_token } =
        answer.json("an access token of a new session", cancel).await?;
    Ok(OwnSession::new(client.clone(), user_id, device_id, access_token))
}

/// A new token for a device whose token has expired. What keeps it from us is told as such: the old
/// token is unknown, and only a person can do something about that.
pub(in crate::homeserver) async fn again(
    client: &Client,
    user: &UserId,
    device: &DeviceId,
    password: &SecretText,
    cancel: &Cancel,
) -> Result<SecretText, RequestError> {
    let own = sign_in(client, user.as_str(), password, Some(device.as_str()), cancel).await;
    let own = own.map_err(|error| match error {
        PasswordError::TooManyTries { seconds } => RequestError::AskedToWait { seconds },
        PasswordError::Request(error) => error,
        PasswordError::Wrong { .. } | PasswordError::NotOffered { .. } => {
            RequestError::TokenUnknown { soft_logout: true }
        }
    })?;
    let session = own.session();
    if session.user() != user || session.device() != Some(device) {
        return Err(RequestError::Odd {
            expected: "a new token for the same device",
            got: Shown::new("one for another"),
        });
    }
    Ok(own.token().duplicate())
}

#[expect(clippy::expect_used, reason = "text always serializes, and a Vec takes every byte")]
fn body(user: &str, password: &SecretText, device: Option<&str>) -> Zeroizing<Vec<u8>> {
    // Every byte can become six in JSON; with this room the buffer never moves.
    let device_length = device.map_or(0, str::len);
    let room = 512 + 6 * (user.len() + password.expose().len() + device_length);
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    let login = Login {
        r#type: "m.login.password",
        identifier: Identifier { r#type: "m.id.user", user },
        password: password.expose(),
        initial_device_display_name: DEVICE_NAME,
        device_id: device,
    };
    serde_json::to_writer(&mut *body, &login).expect("a login request is JSON");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_who_we_are_and_fits_its_buffer() {
        let secret = SecretText::new("\u{1}\"p".repeat(100));
        let body = body("@a\":s", &secret, Some("D"));
        assert!(body.len() <= 512 + 6 * (5 + 300 + 1));
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["identifier"]["user"], "@a\":s");
        assert_eq!(json["password"], secret.expose());
        assert_eq!(json["initial_device_display_name"], "keyhaul recovery");
        assert_eq!(json["device_id"], "D");
        assert_eq!(json.get("refresh_token"), None);
    }
}

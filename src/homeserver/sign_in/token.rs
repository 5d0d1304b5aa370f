//! Signing in with an access token: another app's, of which nothing is changed, or our own of an
//! earlier run.

use ruma::{OwnedDeviceId, OwnedUserId};
use serde::Deserialize;

use crate::{
    base::{cancel::Cancel, secret::SecretText, shown::Shown},
    homeserver::{Client, OwnSession, Request, RequestError, Session, session::Bearer},
};

#[derive(Deserialize)]
struct WhoAmI {
    user_id: OwnedUserId,
    #[serde(default)]
    device_id: Option<OwnedDeviceId>,
    #[serde(default)]
    is_guest: bool,
}

/// Asks the server whose token this is, before anything else is done with it.
pub async fn sign_in(
    client: &Client,
    token: SecretText,
    cancel: &Cancel,
) -> Result<Session, RequestError> {
    let WhoAmI { user_id, device_id, is_guest } = who_am_i(client, &token, cancel).await?;
    Ok(Session::borrowed(client.clone(), user_id, device_id, token, is_guest))
}

/// Goes on with a session that keyhaul itself began and kept. The token must still belong to the
/// device that was made then: only so is it ours to sign out.
pub async fn resume(
    client: &Client,
    token: SecretText,
    device: &str,
    cancel: &Cancel,
) -> Result<OwnSession, RequestError> {
    let WhoAmI { user_id, device_id, .. } = who_am_i(client, &token, cancel).await?;
    match device_id.filter(|id| id.as_str() == device) {
        Some(device_id) => Ok(OwnSession::new(client.clone(), user_id, device_id, token)),
        None => Err(RequestError::Odd {
            expected: "the device that keyhaul made",
            got: Shown::new("another device"),
        }),
    }
}

async fn who_am_i(
    client: &Client,
    token: &SecretText,
    cancel: &Cancel,
) -> Result<WhoAmI, RequestError> {
    let request = Request::get("/_matrix/client/v3/account/whoami", &[]);
    let bearer = Bearer { token, own_device: None };
    let answer = client.open(&request, Some(bearer), cancel).await?.successful(cancel).await?;
    answer.json("the account of an access token", cancel).await
}

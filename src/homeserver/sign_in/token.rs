//! Reading with another app's access token: nothing of that app's session is changed.

use ruma::{OwnedDeviceId, OwnedUserId};
use serde::Deserialize;

use crate::{
    base::{cancel::Cancel, secret::SecretText},
    homeserver::{Client, Request, RequestError, Session, session::Bearer},
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
    let request = Request::get("/_matrix/client/v3/account/whoami", &[]);
    let bearer = Bearer { token: &token, own_device: None };
    let answer = client.open(&request, Some(bearer), cancel).await?.successful(cancel).await?;
    let WhoAmI { user_id, device_id, is_guest } =
        answer.json("the account of an access token", cancel).await?;
    Ok(Session::borrowed(client.clone(), user_id, device_id, token, is_guest))
}

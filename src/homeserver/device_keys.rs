//! The signing keys of the signed-in user's account, as its server shows them (spec: key management).

use http::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{answer::Answer, error::RequestError, request::Request, session::Session};
use crate::{
    backup::signatures::Identity,
    base::{cancel::Cancel, shown::Shown},
};

/// The master key and the devices of the user's own account.
pub async fn own_identity(session: &Session, cancel: &Cancel) -> Result<Identity, RequestError> {
    const EXPECTED: &str = "the keys of the account";
    let user = session.user().as_str();
    let body = json!({"device_keys": {user: []}});
    let body = serde_json::to_vec(&body).map_err(|_| RequestError::Odd {
        expected: EXPECTED,
        got: Shown::new("a user id that is no text"),
    })?;
    let request = Request::new(Method::POST, "/_matrix/client/v3/keys/query", &[]);
    let read = |answer: Answer| answer.json::<Value>(EXPECTED, cancel);
    let answer = session.ask(request.json(Zeroizing::new(body)), cancel, read).await?;
    Ok(Identity::parse(user, &answer))
}

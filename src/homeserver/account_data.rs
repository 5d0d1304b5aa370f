//! Global account data of the signed-in user (spec: client config).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{answer::Answer, error::RequestError, request::Request, session::Session};
use crate::base::cancel::Cancel;

/// Says whether the object has no members, in whatever spelling.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// One piece of account data as the server sent it.
///
/// `None` where there is none, or an empty object: account data cannot be deleted, so clients empty
/// it instead (SPEC §13).
pub async fn get(
    session: &Session,
    kind: &str,
    cancel: &Cancel,
) -> Result<Option<Box<RawValue>>, RequestError> {
    const EXPECTED: &str = "account data";
    let names = [session.user().as_str(), kind];
    let request = Request::get("/_matrix/client/v3/user/{}/account_data/{}", &names);
    let read = |answer: Answer| answer.json::<Box<RawValue>>(EXPECTED, cancel);
    let data = match session.ask(request, cancel, read).await {
        Err(error) if error.is_missing() => return Ok(None),
        data => data?,
    };
    let empty = serde_json::from_str::<Nothing>(data.get()).is_ok();
    Ok(Some(data).filter(|_| !empty))
}

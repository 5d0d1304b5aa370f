//! Does the server answer, how quickly, and what time does it have?

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{client::Client, error::RequestError, request::Request};
use crate::base::cancel::Cancel;

/// One question that every server answers, and how that went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// From the question to the first bytes of the answer.
    pub took: Duration,
    /// The server's clock, to the second, where it tells.
    pub date: Option<Timestamp>,
}

/// Asks which versions of the protocol there are. Asked once: whether it answers is what we want to know.
pub async fn pulse(client: &Client, cancel: &Cancel) -> Result<Pulse, RequestError> {
    let begun = Instant::now();
    let answer = client.send(Request::get("/_matrix/client/versions", &[]), cancel).await?;
    Ok(Pulse { took: begun.elapsed(), date: answer.date() })
}

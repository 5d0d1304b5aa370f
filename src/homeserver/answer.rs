//! One answer of a homeserver: its status told apart, its body read only as far as is sensible.
//!
//! Bytes are counted decoded, so that a small compressed body cannot become a large one.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;
use zeroize::Zeroizing;

use super::{client::is_redirect, error::RequestError};
use crate::base::{cancel::Cancel, limits, shown::Shown};

/// An answer whose status and headers have come.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    host: Shown,
    first_byte: Duration,
    idle: Duration,
    received: u64,
}

/// Waits for something, but not after somebody asked to stop, and not for ever.
pub(super) async fn within<T>(
    patience: Duration,
    cancel: &Cancel,
    host: &Shown,
    work: impl Future<Output = T>,
) -> Result<T, RequestError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(RequestError::Cancelled),
        done = timeout(patience, work) => {
            done.map_err(|_| RequestError::Silent { host: host.clone(), waited: patience })
        }
    }
}

impl Answer {
    pub(super) fn new(
        response: reqwest::Response,
        host: Shown,
        first_byte: Duration,
        idle: Duration,
    ) -> Self {
        Self { response, host, first_byte, idle, received: 0 }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The time at which the server says that it answered, if it says so.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = self.response.headers().get(header::DATE)?.to_str().ok()?;
        rfc2822::DateTimeParser::new().parse_timestamp(date.trim()).ok()
    }

    /// Bytes of the body received so far, decoded.
    pub fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn host(&self) -> &Shown {
        &self.host
    }

    /// The next piece of the body; `None` at its end.
    pub async fn next(
        &mut self,
        limit: u64,
        cancel: &Cancel,
    ) -> Result<Option<Bytes>, RequestError> {
        let patience = if self.received == 0 { self.first_byte } else { self.idle };
        let piece = within(patience, cancel, &self.host, self.response.chunk()).await?;
        let piece = piece.map_err(|_| RequestError::ConnectionLost { received: self.received })?;
        self.received += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.received > limit {
            return Err(RequestError::TooLarge { limit });
        }
        Ok(piece)
    }

    /// The whole body, wiped when dropped: it can hold an access token.
    pub(super) async fn body(
        mut self,
        limit: u64,
        cancel: &Cancel,
    ) -> Result<Zeroizing<Vec<u8>>, RequestError> {
        let mut body = Zeroizing::new(Vec::with_capacity(4 << 10));
        while let Some(piece) = self.next(limit, cancel).await? {
            if body.capacity() - body.len() < piece.len() {
                // Growing in place would leave the old bytes behind unwiped.
                let mut larger = Vec::with_capacity(2 * (body.len() + piece.len()));
                larger.extend_from_slice(&body);
                body = Zeroizing::new(larger);
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The whole body as text, once it begins like a JSON object.
    pub(super) async fn object(
        self,
        expected: &'static str,
        cancel: &Cancel,
    ) -> Result<Zeroizing<String>, RequestError> {
        self.object_within(limits::ANSWER, expected, cancel).await
    }

    async fn object_within(
        self,
        limit: u64,
        expected: &'static str,
        cancel: &Cancel,
    ) -> Result<Zeroizing<String>, RequestError> {
        let host = self.host.clone();
        let mut body = self.body(limit, cancel).await?;
        check_beginning(&body, &host, expected)?;
        String::from_utf8(std::mem::take(&mut *body)).map(Zeroizing::new).map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            RequestError::Odd { expected, got: Shown::new("bytes that are no UTF-8") }
        })
    }

    /// The whole body as JSON of a known shape.
    pub(super) async fn json<T: DeserializeOwned>(
        self,
        expected: &'static str,
        cancel: &Cancel,
    ) -> Result<T, RequestError> {
        self.json_within(limits::ANSWER, expected, cancel).await
    }

    /// The same of an answer that may be longer than others, in bytes.
    pub(super) async fn json_within<T: DeserializeOwned>(
        self,
        limit: u64,
        expected: &'static str,
        cancel: &Cancel,
    ) -> Result<T, RequestError> {
        let text = self.object_within(limit, expected, cancel).await?;
        // Only where it fails and not on what: the parser's own words would quote the answer.
        serde_json::from_str(&text).map_err(|error| RequestError::Odd {
            expected,
            got: Shown::new(&format!(
                "{} at line {}, column {}",
                if error.is_data() { "other JSON" } else { "broken JSON" },
                error.line(),
                error.column()
            )),
        })
    }

    /// Where a redirect points to; `None` for every other answer.
    pub(super) fn passes_on_to(&self, from: &Url) -> Result<Option<Url>, RequestError> {
        if !is_redirect(self.response.status()) {
            return Ok(None);
        }
        let location = self.response.headers().get(header::LOCATION);
        let next = location.and_then(|to| to.to_str().ok()).and_then(|to| from.join(to).ok());
        next.map(Some).ok_or_else(|| RequestError::Odd {
            expected: "a redirect to an address",
            got: Shown::new("a redirect without one"),
        })
    }

    /// The answer again if its status is a success, else what the refusal means.
    pub(super) async fn successful(self, cancel: &Cancel) -> Result<Self, RequestError> {
        if self.response.status().is_success() {
            return Ok(self);
        }
        let status = self.response.status();
        let wait = self.response.headers().get(header::RETRY_AFTER);
        let wait = wait.and_then(|wait| seconds_until(wait.to_str().ok()?, Timestamp::now()));
        let host = self.host.clone();
        // The status alone says enough where the body does not come.
        let body = self.body(limits::REFUSAL, cancel).await.unwrap_or_default();
        Err(refusal(status, wait, &body, host))
    }
}

/// The body of a refusal, as far as it is one of the Matrix API.
#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default)]
    errcode: String,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    retry_after_ms: Value,
    #[serde(default)]
    soft_logout: Value,
    #[serde(default)]
    consent_uri: Value,
}

fn refusal(status: StatusCode, wait: Option<u64>, body: &[u8], host: Shown) -> RequestError {
    let said: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let shown = |value: &Value| Shown::limited(value.as_str().unwrap_or(""), limits::ERROR_TEXT);
    let status = status.as_u16();
    match (status, said.errcode.as_str()) {
        (429, _) | (_, "M_LIMIT_EXCEEDED") => {
            let hinted = said.retry_after_ms.as_u64().map(|ms| ms.div_ceil(1_000));
            RequestError::AskedToWait { seconds: wait.max(hinted) }
        }
        (401, "M_UNKNOWN_TOKEN") => {
            RequestError::TokenUnknown { soft_logout: said.soft_logout == Value::Bool(true) }
        }
        (_, "M_USER_LOCKED") => RequestError::Locked,
        (_, "M_USER_DEACTIVATED") => RequestError::Deactivated,
        (_, "M_USER_SUSPENDED") => RequestError::Suspended,
        (_, "M_GUEST_ACCESS_FORBIDDEN") => RequestError::Guest,
        (_, "M_CONSENT_NOT_GIVEN") => RequestError::TermsFirst {
            url: said.consent_uri.as_str().map(|url| Shown::limited(url, limits::ERROR_TEXT)),
        },
        (407, _) => RequestError::Proxy { host, reason: Shown::new("it wants a password") },
        (413 | 414 | 431 | 502 | 503 | 504 | 524, _) => RequestError::AnswerCut { status },
        (500.., _) => RequestError::ServerFault { status, message: shown(&said.error) },
        (_, "") => RequestError::NotMatrix { host, begins: beginning(body) },
        (_, errcode) => RequestError::Refused {
            status,
            errcode: Shown::limited(errcode, limits::ERROR_TEXT),
            message: shown(&said.error),
        },
    }
}

/// `Retry-After`: whole seconds or a date; `None` where it makes no sense or is over.
fn seconds_until(value: &str, now: Timestamp) -> Option<u64> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(seconds);
    }
    let then = rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
    u64::try_from(then.as_second() - now.as_second()).ok().filter(|seconds| *seconds > 0)
}

/// Checks that a successful body begins like a JSON object; white space may come before it.
pub(super) fn check_beginning(
    body: &[u8],
    host: &Shown,
    expected: &'static str,
) -> Result<(), RequestError> {
    match body.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        None => Err(RequestError::Odd { expected, got: Shown::new("nothing") }),
        // JSON of another kind is a server's slip; anything else is no Matrix server.
        Some(b'[' | b'"' | b'n' | b't' | b'f' | b'-' | b'0'..=b'9') => {
            Err(RequestError::Odd { expected, got: Shown::new("something that is no object") })
        }
        Some(_) => Err(RequestError::NotMatrix { host: host.clone(), begins: beginning(body) }),
    }
}

fn beginning(body: &[u8]) -> Shown {
    // A character has at most four bytes, and white space does not count.
    let start = body.trim_ascii_start();
    let start = start.get(..4 * limits::ANSWER_BEGINS).unwrap_or(start);
    Shown::limited(&String::from_utf8_lossy(start), limits::ANSWER_BEGINS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        format!("{:?}", refusal(status, None, body.as_bytes(), Shown::new("s.example")))
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, expected) in [
            (401, r#"{"errcode":"M_UNKNOWN_TOKEN"}"#, "TokenUnknown { soft_logout: false }"),
            (
                401,
                r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}"#,
                "TokenUnknown { soft_logout: true }",
            ),
            (401, r#"{"errcode":"M_USER_LOCKED","soft_logout":true}"#, "Locked"),
            (403, r#"{"errcode":"M_USER_DEACTIVATED"}"#, "Deactivated"),
            (403, r#"{"errcode":"M_USER_SUSPENDED"}"#, "Suspended"),
            (403, r#"{"errcode":"M_GUEST_ACCESS_FORBIDDEN"}"#, "Guest"),
            (
                403,
                r#"{"errcode":"M_CONSENT_NOT_GIVEN","consent_uri":"https://s.example/terms"}"#,
                r#"TermsFirst { url: Some(Shown("https://s.example/terms")) }"#,
            ),
            (429, "<html>", "AskedToWait { seconds: None }"),
            (
                429,
                r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":1001}"#,
                "AskedToWait { seconds: Some(2) }",
            ),
            (429, r#"{"retry_after_ms":-5}"#, "AskedToWait { seconds: None }"),
            (
                407,
                "<html>",
                r#"Proxy { host: Shown("s.example"), reason: Shown("it wants a password") }"#,
            ),
            (413, r#"{"errcode":"M_TOO_LARGE"}"#, "AnswerCut { status: 413 }"),
            (504, "<html>", "AnswerCut { status: 504 }"),
            (
                500,
                r#"{"errcode":"M_UNKNOWN","error":"Oops"}"#,
                r#"ServerFault { status: 500, message: Shown("Oops") }"#,
            ),
            (
                404,
                "<html>no\u{1b}",
                r#"NotMatrix { host: Shown("s.example"), begins: Shown("<html>no␛") }"#,
            ),
            (
                404,
                r#"{"errcode":"M_NOT_FOUND","error":7}"#,
                r#"Refused { status: 404, errcode: Shown("M_NOT_FOUND"), message: Shown("") }"#,
            ),
        ] {
            assert_eq!(told(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn what_a_server_says_is_cut() {
        let body = format!(r#"{{"errcode":"M_X","error":"{}"}}"#, "x".repeat(5_000));
        assert!(told(400, &body).len() < 500);
        assert!(told(404, &"<".repeat(5_000)).len() < 200);
    }

    #[test]
    fn only_sensible_waits_are_taken() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("7", Some(7)),
            ("1000000000", Some(1_000_000_000)),
            ("-1", None),
            ("soon", None),
            ("1.5", None),
            ("Mon, 23 Nov 2026 12:00:09 GMT", Some(9)),
            ("Mon, 23 Nov 2026 11:59:59 GMT", None),
        ] {
            assert_eq!(seconds_until(value, now), expected, "{value}");
        }
    }

    #[test]
    fn a_body_must_begin_like_an_object() {
        let host = Shown::new("s.example");
        let check = |body: &str| check_beginning(body.as_bytes(), &host, "an object");
        assert!(check(" \r\n{").is_ok());
        for body in ["", "  ", "null", "[]", "\"x\"", "-1"] {
            assert!(matches!(check(body), Err(RequestError::Odd { .. })), "{body}");
        }
        for body in ["<!doctype html>", "Hello", "\u{feff}{"] {
            assert!(matches!(check(body), Err(RequestError::NotMatrix { .. })), "{body}");
        }
    }
}

//! One question to a homeserver, before it is sent.

use bytes::Bytes;
use http::Method;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::error::RequestError;

/// A request below the base URL of a server. It says nothing about who asks.
pub struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) body: Option<Bytes>,
    pub(super) collecting: bool,
    pub(super) may_leave: bool,
    pub(super) persistence: Persistence,
}

/// How often a request is sent again; see [`super::retry`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Persistence {
    /// Never: whoever asks has a better way, or can do without.
    Once,
    /// After pauses that the server asks for, and after a few faults.
    #[default]
    Usual,
    /// A whole backup: as usual, but a station that cut it once will cut it again.
    Whole,
    /// A part of a long work: through short outages, too.
    Stubborn,
}

impl Request {
    /// A request; each `{}` of `path` becomes one of `names`, percent-encoded.
    pub fn new(method: Method, path: &str, names: &[&str]) -> Self {
        Self {
            method,
            path: filled(path, names),
            query: None,
            body: None,
            collecting: false,
            may_leave: false,
            persistence: Persistence::Usual,
        }
    }

    /// A GET request; each `{}` of `path` becomes one of `names`, percent-encoded.
    pub fn get(path: &str, names: &[&str]) -> Self {
        Self::new(Method::GET, path, names)
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let before = self.query.take().unwrap_or_default();
        let mut query = form_urlencoded::Serializer::new(before);
        self.query = Some(query.append_pair(name, value).finish());
        self
    }

    /// Adds a JSON body, wiped when it is sent: bodies can hold passwords.
    #[must_use]
    pub fn json(mut self, body: Zeroizing<Vec<u8>>) -> Self {
        self.body = Some(Bytes::from_owner(body));
        self
    }

    /// The server collects for long before its first byte ([`crate::base::limits::KEYS_FIRST_BYTE`]).
    #[must_use]
    pub(super) fn collecting(mut self) -> Self {
        self.collecting = true;
        self
    }

    /// How often it is sent again.
    #[must_use]
    pub(super) fn persistence(mut self, persistence: Persistence) -> Self {
        self.persistence = persistence;
        self
    }

    /// Redirects may lead to other servers, as for `.well-known`; never with a token.
    #[must_use]
    pub(super) fn may_leave(mut self) -> Self {
        self.may_leave = true;
        self
    }

    /// The whole URL. Fails where a URL parser would walk somewhere else than the path says:
    /// `..` is a step up even when its dots are percent-encoded.
    pub(super) fn url(&self, base: &Url) -> Result<Url, RequestError> {
        if self.path.contains("//") || self.path.ends_with('/') {
            return Err(RequestError::NameUnsendable);
        }
        let prefix = base.path().trim_end_matches('/');
        let whole = format!("{prefix}{}", self.path);
        let mut url = base.clone();
        url.set_path(&whole);
        url.set_query(self.query.as_deref());
        if url.path() == whole { Ok(url) } else { Err(RequestError::NameUnsendable) }
    }
}

fn filled(template: &str, names: &[&str]) -> String {
    let mut names = names.iter();
    let mut path = String::with_capacity(template.len() + 64);
    for (place, part) in template.split("{}").enumerate() {
        if place > 0 {
            names.next().into_iter().for_each(|name| encode(&mut path, name));
        }
        path.push_str(part);
    }
    path
}

/// Percent-encodes everything that RFC 3986 reserves: stricter than a URL parser, because session
/// ids contain `/` and `+`, and servers differ in what they make of the rest (SPEC conventions).
fn encode(path: &mut String, name: &str) {
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte));
            }
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str, name: &str) -> Option<String> {
        let request = Request::get("/_matrix/client/v3/room_keys/version/{}", &[name]);
        request.url(&Url::parse(base).unwrap()).ok().map(String::from)
    }

    #[test]
    fn hostile_names_stay_in_their_place() {
        let at = |name| url("https://s.example/", name);
        let path = "https://s.example/_matrix/client/v3/room_keys/version";
        for (name, encoded) in [
            ("3", "3"),
            ("../../logout", "..%2F..%2Flogout"),
            ("%2e%2e", "%252e%252e"),
            ("1?x=#y", "1%3Fx%3D%23y"),
            ("a+b/c=", "a%2Bb%2Fc%3D"),
            ("🔑\r\n", "%F0%9F%94%91%0D%0A"),
            ("...", "..."),
            ("\\..\\", "%5C..%5C"),
        ] {
            assert_eq!(at(name), Some(format!("{path}/{encoded}")), "{name:?}");
        }
        for name in ["", ".", ".."] {
            assert_eq!(at(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_base_url_may_have_a_path() {
        for base in ["https://s.example/hs", "https://s.example/hs/"] {
            let whole = "https://s.example/hs/_matrix/client/v3/room_keys/version/1";
            assert_eq!(url(base, "1").as_deref(), Some(whole));
        }
    }

    #[test]
    fn a_plus_in_a_query_survives() {
        let request = Request::get("/k", &[]).query("version", "a+b&c=..");
        let url = request.url(&Url::parse("https://s.example").unwrap()).unwrap();
        assert_eq!(url.as_str(), "https://s.example/k?version=a%2Bb%26c%3D..");
        let request = Request::get("/k", &[]).query("a", "&").query("b", "2");
        let url = request.url(&Url::parse("https://s.example").unwrap()).unwrap();
        assert_eq!(url.query(), Some("a=%26&b=2"));
    }
}

//! One server: the rules of the connection, and the door that every request goes through.
//!
//! The door keeps two promises. Without an agreed plan only requests of [`NEEDS_NO_PERMIT`] reach
//! the wire; and a token never goes to another origin, whatever a redirect says.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode, header};
use thiserror::Error;
use tracing::debug;
use url::{Host, Url};

use super::{
    answer::{Answer, within},
    cause,
    error::RequestError,
    permit::WritePermit,
    request::Request,
    session::Bearer,
    sliding_sync,
};
use crate::base::{cancel::Cancel, limits, shown::Shown};

/// A kind of request that is sent without a permit.
pub struct Free {
    /// The method.
    pub method: Method,
    /// The path: `{device}` is the session's own device, a final `**` any rest.
    pub path: &'static str,
    /// Only for a session that keyhaul itself began: it would end or change another app's.
    pub own_session_only: bool,
}

impl Free {
    const fn any(method: Method, path: &'static str) -> Self {
        Self { method, path, own_session_only: false }
    }

    const fn own(method: Method, path: &'static str) -> Self {
        Self { method, path, own_session_only: true }
    }
}

/// All requests that need no permit: they read, or begin and end keyhaul's own session.
pub const NEEDS_NO_PERMIT: &[Free] = &[
    Free::any(Method::GET, "/.well-known/matrix/client"),
    Free::any(Method::GET, "/_matrix/client/**"),
    Free::any(Method::POST, "/_matrix/client/v3/login"),
    Free::any(Method::POST, "/_matrix/client/v3/keys/query"),
    Free::own(Method::POST, sliding_sync::PATH),
    Free::own(Method::POST, "/_matrix/client/v3/refresh"),
    Free::own(Method::POST, "/_matrix/client/v3/logout"),
    Free::own(Method::DELETE, "/_matrix/client/v3/devices/{device}"),
];

fn needs_no_permit(request: &Request, bearer: Option<Bearer<'_>>) -> bool {
    let own_device = bearer.and_then(|bearer| bearer.own_device);
    NEEDS_NO_PERMIT.iter().any(|free| {
        free.method == request.method
            && (own_device.is_some() || !free.own_session_only)
            && matches(free.path, &request.path, own_device)
    })
}

fn matches(pattern: &str, path: &str, device: Option<&str>) -> bool {
    let mut names = path.split('/');
    for part in pattern.split('/') {
        let Some(name) = names.next() else { return false };
        match part {
            "**" => return true,
            // Device ids are letters and digits; one that had to be encoded is not recognised.
            "{device}" if Some(name) == device => {}
            _ if part == name => {}
            _ => return false,
        }
    }
    names.next().is_none()
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer.
    pub first_byte: Duration,
    /// For the first byte of a keys body, which the server builds in memory.
    pub keys_first_byte: Duration,
    /// For the next byte of a body.
    pub idle: Duration,
    /// Before a request is sent again for the first time, where the server names no time.
    pub back_off: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: limits::CONNECT,
            first_byte: limits::FIRST_BYTE,
            keys_first_byte: limits::KEYS_FIRST_BYTE,
            idle: limits::IDLE,
            back_off: limits::BACK_OFF,
        }
    }
}

/// What a person may decide about connections.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Unlocked connections (`http:`) also beyond this computer (`--allow-http`).
    pub allow_http: bool,
    /// Certificates in PEM to trust besides the system's (`--ca-file`).
    pub ca_file: Option<Vec<u8>>,
    /// How long to wait for what.
    pub patience: Patience,
}

/// Why no connection to an address is even tried.
#[derive(Debug, Error)]
pub enum AddressError {
    /// `http:` beyond this computer.
    #[error("expected an https address for {host}, got http")]
    PlainHttp {
        /// The host.
        host: Shown,
    },
    /// Neither `http:` nor `https:`, or without a host.
    #[error("expected an address that begins with https://, got {scheme}:")]
    NotWeb {
        /// The address's scheme.
        scheme: Shown,
    },
    /// A name or password, a query or a fragment in the address.
    #[error("expected an address of a server and nothing else, got more after or before {host}")]
    NotBare {
        /// The host.
        host: Shown,
    },
    /// The file of certificates is not one.
    #[error("expected certificates in PEM form in the file, found none that is whole")]
    CaFile,
    /// No TLS can be set up on this computer; usually it has no certificates of its own.
    #[error("this computer cannot check certificates: {reason}")]
    NoTls {
        /// What the TLS layer says.
        reason: Shown,
    },
}

/// A connection to one homeserver; clones share it.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    patience: Patience,
}

impl Client {
    /// A client for a base URL, which may have a path and a trailing slash. Connects to nothing yet.
    pub fn new(base: Url, settings: &Settings) -> Result<Self, AddressError> {
        check(&base, settings.allow_http)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("keyhaul/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.patience.connect)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        if base.scheme() == "http" {
            // Redirects do not leave the origin, so no certificate is ever looked at.
            builder = builder.tls_certs_only([]);
        } else if let Some(pem) = &settings.ca_file {
            let certificates = reqwest::Certificate::from_pem_bundle(pem);
            let certificates = certificates.ok().filter(|certificates| !certificates.is_empty());
            builder = builder.tls_certs_merge(certificates.ok_or(AddressError::CaFile)?);
        }
        let http = builder.build().map_err(|error| AddressError::NoTls {
            reason: Shown::new(&std::error::Error::source(&error).unwrap_or(&error).to_string()),
        })?;
        Ok(Self { http, base, patience: settings.patience })
    }

    /// The base URL; without name, password, query and fragment.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The host, with its port where that is unusual.
    pub fn host(&self) -> Shown {
        host_of(&self.base)
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Sends a request without a token, and waits for a successful answer's first bytes.
    pub async fn send(&self, request: Request, cancel: &Cancel) -> Result<Answer, RequestError> {
        self.open(&request, None, cancel).await?.successful(cancel).await
    }

    /// Sends a harmless request and hands back the answer whatever its status is.
    pub(super) async fn open(
        &self,
        request: &Request,
        bearer: Option<Bearer<'_>>,
        cancel: &Cancel,
    ) -> Result<Answer, RequestError> {
        if !needs_no_permit(request, bearer) {
            return Err(without_permit(request));
        }
        self.deliver(request, bearer, cancel).await
    }

    /// Sends a request that the plan behind the permit covers: the only other way out.
    pub(super) async fn open_writing(
        &self,
        permit: &WritePermit<'_>,
        request: &Request,
        bearer: Bearer<'_>,
        cancel: &Cancel,
    ) -> Result<Answer, RequestError> {
        if !permit.covers(&request.method, &request.path, request.query.as_deref()) {
            return Err(without_permit(request));
        }
        self.deliver(request, Some(bearer), cancel).await
    }

    async fn deliver(
        &self,
        request: &Request,
        bearer: Option<Bearer<'_>>,
        cancel: &Cancel,
    ) -> Result<Answer, RequestError> {
        let mut url = request.url(&self.base)?;
        let mut seen = BTreeSet::new();
        while seen.len() <= limits::REDIRECTS && seen.insert(url.clone()) {
            let answer = self.once(request, url.clone(), bearer, cancel).await?;
            let Some(next) = answer.passes_on_to(&url)? else {
                debug!(method = %request.method, path = %request.path, status = answer.status());
                return Ok(answer);
            };
            let leaves = next.origin() != url.origin();
            let may_leave = request.may_leave && bearer.is_none() && next.scheme() == "https";
            if request.method != Method::GET || (leaves && !may_leave) {
                return Err(RequestError::SentElsewhere { to: destination(&next) });
            }
            url = next;
        }
        Err(RequestError::PassedOnTooOften { host: self.host() })
    }

    async fn once(
        &self,
        request: &Request,
        url: Url,
        bearer: Option<Bearer<'_>>,
        cancel: &Cancel,
    ) -> Result<Answer, RequestError> {
        let host = host_of(&url);
        let mut wire = self.http.request(request.method.clone(), url);
        if let Some(bearer) = bearer {
            wire = wire.header(header::AUTHORIZATION, bearer.header()?);
        }
        if let Some(body) = &request.body {
            wire = wire.header(header::CONTENT_TYPE, "application/json").body(Bytes::clone(body));
        }
        let Patience { connect, first_byte, keys_first_byte, idle, .. } = self.patience;
        let first_byte = if request.collecting { keys_first_byte } else { first_byte };
        let response = within(first_byte, cancel, &host, wire.send())
            .await?
            .map_err(|error| cause::before_answer(&error, &host, connect))?;
        Ok(Answer::new(response, host, first_byte, idle))
    }
}

fn without_permit(request: &Request) -> RequestError {
    RequestError::WriteWithoutPermit {
        method: request.method.clone(),
        path: Shown::new(&request.path),
    }
}

fn check(base: &Url, allow_http: bool) -> Result<(), AddressError> {
    match base.scheme() {
        "https" => {}
        "http" if allow_http || is_loopback(base) => {}
        "http" => return Err(AddressError::PlainHttp { host: host_of(base) }),
        other => return Err(AddressError::NotWeb { scheme: Shown::limited(other, 80) }),
    }
    let bare = base.username().is_empty()
        && base.password().is_none()
        && base.query().is_none()
        && base.fragment().is_none();
    if bare { Ok(()) } else { Err(AddressError::NotBare { host: host_of(base) }) }
}

/// Says whether an address is this computer's own, by its name alone. Such addresses never go
/// through a proxy: it would look for the server on itself, and see the password.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

fn host_of(url: &Url) -> Shown {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => Shown::limited(&format!("{host}:{port}"), limits::ERROR_TEXT),
        None => Shown::limited(host, limits::ERROR_TEXT),
    }
}

fn destination(url: &Url) -> Shown {
    match url.scheme() {
        "https" => host_of(url),
        scheme => Shown::new(&format!("{scheme}://{}", host_of(url))),
    }
}

/// Says whether a status passes on to another address.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(base: &str) -> Result<Client, AddressError> {
        Client::new(Url::parse(base).unwrap(), &Settings::default())
    }

    #[test]
    fn the_table_reads_or_touches_only_our_own_session() {
        for free in NEEDS_NO_PERMIT {
            match free.method {
                Method::GET => {}
                Method::POST => assert!(
                    ["login", "query", "sync", "refresh", "logout"].iter().any(|end| free
                        .path
                        .rsplit('/')
                        .next()
                        == Some(end)),
                    "{}",
                    free.path
                ),
                _ => assert!(free.own_session_only && free.path.ends_with("/{device}")),
            }
            assert!(free.method == Method::GET || !free.path.contains("**"), "{}", free.path);
        }
    }

    #[test]
    fn patterns_match_whole_paths_only() {
        let device = Some("ABC");
        assert!(matches("/a/**", "/a/b/c", device));
        assert!(!matches("/a/**", "/ab", device));
        assert!(!matches("/a/b", "/a/b/c", device));
        assert!(!matches("/a/b/c", "/a/b", device));
        assert!(matches("/d/{device}", "/d/ABC", device));
        assert!(!matches("/d/{device}", "/d/DEF", device));
        assert!(!matches("/d/{device}", "/d/ABC", None));
    }

    #[test]
    fn only_locked_connections_leave_this_computer() {
        for base in
            ["http://127.0.0.1:8008", "http://127.8.9.1", "http://[::1]/", "http://localhost"]
        {
            assert!(client(base).is_ok(), "{base}");
        }
        for base in ["http://example.org", "http://127.0.0.1.example.org", "http://localhost.x"] {
            assert!(matches!(client(base), Err(AddressError::PlainHttp { .. })), "{base}");
        }
        for base in ["file:///etc/passwd", "ftp://example.org", "data:text/plain,x"] {
            assert!(matches!(client(base), Err(AddressError::NotWeb { .. })), "{base}");
        }
        for base in ["http://u:p@localhost", "http://localhost?q", "http://localhost#f"] {
            let error = client(base).unwrap_err();
            assert!(matches!(error, AddressError::NotBare { .. }), "{base}");
            assert!(!error.to_string().contains("u:p"), "{error}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let settings = Settings { ca_file: Some(b"none".to_vec()), ..Settings::default() };
        let base = Url::parse("https://example.org").unwrap();
        assert!(matches!(Client::new(base, &settings), Err(AddressError::CaFile)));
    }
}

//! From what a person types to a homeserver (spec: server discovery).
//!
//! A server name's `.well-known` may name another host; whoever asks for a password afterwards shows
//! [`Client::host`] first.

use std::fmt;

use ruma::ServerName;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::{
    client::{AddressError, Client, Settings},
    error::RequestError,
    request::Request,
};
use crate::base::{cancel::Cancel, limits, shown::Shown};

/// Why no homeserver was found.
#[derive(Debug, Error)]
pub enum DiscoveryError {
    /// Neither a Matrix id, nor a server name, nor a web address.
    #[error("expected @name:server, a server name or an address, got {typed}")]
    NotAnAddress {
        /// What was typed.
        typed: Shown,
    },
    /// The address is not one that keyhaul connects to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The server's `.well-known` document is of no use.
    #[error("{name} says where its Matrix server is, but {why}")]
    HintBroken {
        /// The host that gave the hint.
        name: Shown,
        /// What is wrong with it.
        why: HintFault,
    },
    /// Asking failed.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// What is wrong with a `.well-known` document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintFault {
    /// Answered with a status that is neither success nor "not found".
    Status(u16),
    /// Longer than [`limits::WELL_KNOWN`].
    TooLarge,
    /// No JSON object.
    NotJson,
    /// No `m.homeserver.base_url`.
    NoBaseUrl,
    /// `base_url` is no address.
    NotAnAddress,
    /// `base_url` is an address, but not one to connect to: `http:`, `file:`, with a password.
    NotAllowed,
}

impl fmt::Display for HintFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "answers with status {status}"),
            Self::TooLarge => write!(f, "in more than {} bytes", limits::WELL_KNOWN),
            Self::NotJson => f.write_str("not in JSON"),
            Self::NoBaseUrl => f.write_str("without an address"),
            Self::NotAnAddress => f.write_str("not with an address"),
            Self::NotAllowed => f.write_str("with an address that is not safe"),
        }
    }
}

/// What a person typed, understood.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    /// A host to ask for a hint.
    Name(Url),
    /// The base URL itself.
    Base(Url),
}

/// Finds the homeserver for a Matrix id, a server name or an address, and makes sure that a Matrix
/// server answers there. Nothing secret is sent.
pub async fn find(
    typed: &str,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Client, DiscoveryError> {
    let client = match understand(typed)? {
        Typed::Base(base) => Client::new(base, settings)?,
        Typed::Name(host) => {
            let at_name = Client::new(host, settings)?;
            match hint(&at_name, cancel).await? {
                Some(base) => {
                    let name = at_name.host();
                    Client::new(base, settings).map_err(|error| match error {
                        AddressError::CaFile | AddressError::NoTls { .. } => error.into(),
                        _ => DiscoveryError::HintBroken { name, why: HintFault::NotAllowed },
                    })?
                }
                None => at_name,
            }
        }
    };
    confirm(&client, cancel).await?;
    Ok(client)
}

/// Asks a host where its homeserver is; `None` where it gives no hint, which means: right there.
///
/// The address is as the host gives it: [`Client::new`] decides whether it is allowed.
pub async fn hint(client: &Client, cancel: &Cancel) -> Result<Option<Url>, DiscoveryError> {
    let broken = |why| DiscoveryError::HintBroken { name: client.host(), why };
    let request = Request::get("/.well-known/matrix/client", &[]).may_leave();
    let answer = client.open(&request, None, cancel).await?;
    match answer.status() {
        200 => {}
        404 => return Ok(None),
        status => return Err(broken(HintFault::Status(status))),
    }
    let body = match answer.body(limits::WELL_KNOWN, cancel).await {
        Err(RequestError::TooLarge { .. }) => return Err(broken(HintFault::TooLarge)),
        body => body?,
    };
    base_url(&body).map(Some).map_err(broken)
}

/// Makes sure that a Matrix server answers there.
pub async fn confirm(client: &Client, cancel: &Cancel) -> Result<(), RequestError> {
    #[derive(Deserialize)]
    struct Known {
        #[serde(rename = "versions")]
        _versions: Vec<String>,
    }
    let request = Request::get("/_matrix/client/versions", &[]);
    let known = match client.send(request, cancel).await {
        Ok(answer) => answer.json::<Known>("the versions of a Matrix server", cancel).await,
        Err(error) => Err(error),
    };
    match known {
        Ok(_) => Ok(()),
        Err(
            RequestError::Odd { got: begins, .. } | RequestError::Refused { message: begins, .. },
        ) => Err(RequestError::NotMatrix { host: client.host(), begins }),
        Err(error) => Err(error),
    }
}

fn understand(typed: &str) -> Result<Typed, DiscoveryError> {
    let typed = typed.trim();
    let not_an_address =
        || DiscoveryError::NotAnAddress { typed: Shown::limited(typed, limits::ERROR_TEXT) };
    if typed.contains("://") {
        let url = Url::parse(typed).map_err(|_| {
            // Not the text: what stands before the host could be a password.
            DiscoveryError::NotAnAddress { typed: Shown::new("an address that is broken") }
        })?;
        return Ok(Typed::Base(url));
    }
    let name = match typed.strip_prefix('@') {
        // The server begins after the first colon: its port comes after another one.
        Some(id) => id.split_once(':').ok_or_else(not_an_address)?.1,
        None => typed,
    };
    let name = <&ServerName>::try_from(name).map_err(|_| not_an_address())?;
    let host = Url::parse(&format!("https://{}", name.host())).map_err(|_| not_an_address())?;
    Ok(Typed::Name(host))
}

fn base_url(body: &[u8]) -> Result<Url, HintFault> {
    let hint: Value = serde_json::from_slice(body).map_err(|_| HintFault::NotJson)?;
    if !hint.is_object() {
        return Err(HintFault::NotJson);
    }
    let base = hint.pointer("/m.homeserver/base_url").and_then(Value::as_str);
    let base = base.filter(|base| !base.is_empty()).ok_or(HintFault::NoBaseUrl)?;
    let base = Url::parse(base).map_err(|_| HintFault::NotAnAddress)?;
    if base.has_host() { Ok(base) } else { Err(HintFault::NotAllowed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(typed: &str) -> Option<String> {
        match understand(typed) {
            Ok(Typed::Name(url)) => Some(url.to_string()),
            _ => None,
        }
    }

    #[test]
    fn ids_and_names_lead_to_a_host() {
        for (typed, host) in [
            ("@ada:example.org", "https://example.org/"),
            ("  @ada:example.org:8448\n", "https://example.org/"),
            ("@a/b=c:example.org", "https://example.org/"),
            ("Example.org", "https://example.org/"),
            ("[::1]:8448", "https://[::1]/"),
            ("@x:192.0.2.7", "https://192.0.2.7/"),
        ] {
            assert_eq!(name(typed).as_deref(), Some(host), "{typed}");
        }
        for typed in ["", "@ada", "@ada:", "a b", "example.org/path", "user@example.org", "a:b:c"] {
            assert!(
                matches!(understand(typed), Err(DiscoveryError::NotAnAddress { .. })),
                "{typed}"
            );
        }
    }

    #[test]
    fn addresses_are_taken_as_they_are() {
        let url = Url::parse("https://example.org/hs/").unwrap();
        assert_eq!(understand("https://example.org/hs/").unwrap(), Typed::Base(url));
        let error = understand("https://me:secret@exa mple").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn hints_are_read_strictly() {
        let read = |base: &str| {
            base_url(format!(r#"{{"m.homeserver":{{"base_url":{base}}}}}"#).as_bytes())
                .map(String::from)
        };
        assert_eq!(read(r#""https://m.example.org""#).unwrap(), "https://m.example.org/");
        assert_eq!(read(r#""https://m.example.org/x/""#).unwrap(), "https://m.example.org/x/");
        assert_eq!(read("7"), Err(HintFault::NoBaseUrl));
        assert_eq!(read(r#""""#), Err(HintFault::NoBaseUrl));
        assert_eq!(read(r#""m.example.org""#), Err(HintFault::NotAnAddress));
        assert_eq!(read(r#""file:///etc/passwd""#), Err(HintFault::NotAllowed));
        for body in ["", "<html>", "[]", "null"] {
            assert_eq!(base_url(body.as_bytes()), Err(HintFault::NotJson), "{body}");
        }
        assert_eq!(base_url(b"{\"m.identity_server\":{}}"), Err(HintFault::NoBaseUrl));
    }
}

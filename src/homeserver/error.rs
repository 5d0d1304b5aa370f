//! What can go wrong with one request, each distinguishable case by itself.
//!
//! No variant holds a URL, a query or anything that was sent: errors end up in reports.

use std::{fmt, io, time::Duration};

use http::Method;
use thiserror::Error;

use crate::base::shown::Shown;

/// Why a request brought no usable answer.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The name service knows no such name, and this computer has a network.
    #[error("the name {host} could not be found")]
    ServerNotFound {
        /// The host that was looked for.
        host: Shown,
    },
    /// No route leads out of this computer.
    #[error("this computer has no network")]
    NoNetwork,
    /// Nobody takes connections there.
    #[error("{host} takes no connection ({kind})")]
    NotListening {
        /// The host and port that was tried.
        host: Shown,
        /// What the operating system said.
        kind: io::ErrorKind,
    },
    /// A proxy of this computer's settings did not let us through.
    #[error("the proxy of this computer refused the way to {host}: {reason}")]
    Proxy {
        /// The host behind the proxy.
        host: Shown,
        /// What the HTTP layer says of it; never the proxy's address, which may hold a password.
        reason: Shown,
    },
    /// The connection stands, or should, but nothing comes.
    #[error("{host} sent nothing for {} s", waited.as_secs())]
    Silent {
        /// The host that was asked.
        host: Shown,
        /// How long we waited.
        waited: Duration,
    },
    /// The answer broke off, or its encoding is damaged.
    #[error("the connection broke after {received} bytes of the answer")]
    ConnectionLost {
        /// Bytes of the body received before, decoded.
        received: u64,
    },
    /// The connection cannot be trusted.
    #[error("the connection to {host} cannot be trusted: {why}")]
    Certificate {
        /// The host that was asked.
        host: Shown,
        /// What is wrong.
        why: Distrust,
    },
    /// Something answers, but it is no Matrix server: a web page, a captive portal.
    #[error("expected a Matrix server at {host}, got an answer that begins with: {begins}")]
    NotMatrix {
        /// The host that was asked.
        host: Shown,
        /// The first characters of what it sent.
        begins: Shown,
    },
    /// A redirect to another server, or out of the locked connection; it was not followed.
    #[error("the server wanted to pass us on to {to}")]
    SentElsewhere {
        /// Where to; with `http://` if it was the lock that would have been lost.
        to: Shown,
    },
    /// More redirects than [`crate::base::limits::REDIRECTS`].
    #[error("{host} passes us on again and again")]
    PassedOnTooOften {
        /// The host that was asked.
        host: Shown,
    },
    /// Too many requests.
    #[error("the server asks to wait{}", seconds.map(|s| format!(" {s} s")).unwrap_or_default())]
    AskedToWait {
        /// How long, if it says so in a form that makes sense; it can be absurdly long.
        seconds: Option<u64>,
    },
    /// A station on the way gave up or refuses the size: 413, 414, 431, 502, 503, 504, 524.
    #[error("a station on the way answered with status {status}")]
    AnswerCut {
        /// The HTTP status.
        status: u16,
    },
    /// Any other status from 500 on.
    #[error("the server has a fault of its own (status {status}): {message}")]
    ServerFault {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: Shown,
    },
    /// The body is longer than accepted; counted decoded.
    #[error("expected an answer of at most {limit} bytes, got more")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The answer is well-formed HTTP, but not what was asked for.
    #[error("expected {expected}, got {got}")]
    Odd {
        /// What was expected.
        expected: &'static str,
        /// What came; never its contents, which could be secret.
        got: Shown,
    },
    /// The server does not know the access token (any more).
    #[error("the server does not know this access token (soft logout: {soft_logout})")]
    TokenUnknown {
        /// The device still exists: signing in again with its id goes on where it was.
        soft_logout: bool,
    },
    /// `M_USER_LOCKED`.
    #[error("the provider has locked this account")]
    Locked,
    /// `M_USER_DEACTIVATED`.
    #[error("this account was closed")]
    Deactivated,
    /// `M_USER_SUSPENDED`.
    #[error("this account may read but not write")]
    Suspended,
    /// `M_GUEST_ACCESS_FORBIDDEN`.
    #[error("this is not open to guest accounts")]
    Guest,
    /// `M_CONSENT_NOT_GIVEN`.
    #[error("the provider wants its terms agreed to first")]
    TermsFirst {
        /// Where to read them, if the server says so.
        url: Option<Shown>,
    },
    /// Any other refusal in the words of the Matrix API.
    #[error("the server refused (status {status}, {errcode}): {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The Matrix error code.
        errcode: Shown,
        /// The server's words.
        message: Shown,
    },
    /// A name of the server's that no URL can carry, such as `..`; nothing was sent.
    #[error("expected a name that fits into a URL, got an empty one or dots")]
    NameUnsendable,
    /// A token that no header can carry; nothing was sent.
    #[error("expected an access token of visible characters, got others")]
    TokenUnsendable,
    /// Not in the table of harmless requests, and no plan covers it; nothing was sent.
    #[error("{method} {path} needs an agreed plan, and there is none that covers it")]
    WriteWithoutPermit {
        /// The method.
        method: Method,
        /// The path, without query.
        path: Shown,
    },
    /// Somebody asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl RequestError {
    /// Says whether the server knows no such thing (404 `M_NOT_FOUND`); other 404 mean that it does
    /// not know the endpoint.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, errcode, .. } if errcode.as_str() == "M_NOT_FOUND")
    }

    /// Says whether the backup version that keys were asked of is there no more, or is not the one that
    /// the server goes by.
    pub fn is_other_version(&self) -> bool {
        let wrong = "M_WRONG_ROOM_KEYS_VERSION";
        self.is_missing()
            || matches!(self, Self::Refused { errcode, .. } if errcode.as_str() == wrong)
    }

    /// Says whether the server does not know the endpoint (404 or 405 `M_UNRECOGNIZED`).
    pub fn is_unrecognized(&self) -> bool {
        matches!(self, Self::Refused { errcode, .. } if errcode.as_str() == "M_UNRECOGNIZED")
    }

    /// Says whether the server knows it and keeps it from us (403 `M_FORBIDDEN`).
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { status: 403, errcode, .. } if errcode.as_str() == "M_FORBIDDEN")
    }
}

/// Why a connection is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not come; usually the clock of this computer is wrong.
    NotYetValid,
    /// Nobody this computer trusts vouches for it.
    UnknownIssuer,
    /// It was made for another name.
    OtherName,
    /// It is broken, revoked or unsuitable in another way.
    Unsuitable,
    /// The two sides agree on no safe way to talk.
    NoCommonGround,
    /// What answers there does not speak TLS.
    NotLocked,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "its certificate has expired",
            Self::NotYetValid => "its certificate is not valid yet",
            Self::UnknownIssuer => "its certificate is from an unknown issuer",
            Self::OtherName => "its certificate is for another name",
            Self::Unsuitable => "its certificate is not usable",
            Self::NoCommonGround => "it offers no safe kind of connection",
            Self::NotLocked => "it does not speak TLS",
        })
    }
}

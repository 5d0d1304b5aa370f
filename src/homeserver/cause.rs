//! From the error of the HTTP layers below to the case a person can act on.
//!
//! reqwest wraps hyper, hyper wraps rustls and the operating system, and an `io::Error` hides what
//! it wraps from `source()`; so all of them are walked, and types decide, not texts.

use std::{error::Error, io, iter, net::UdpSocket, time::Duration};

use super::error::{Distrust, RequestError};
use crate::base::shown::Shown;

/// What a failure before the answer's headers means. `connect` is the time allowed to connect.
pub(super) fn before_answer(
    error: &reqwest::Error,
    host: &Shown,
    connect: Duration,
) -> RequestError {
    let host = host.clone();
    if error.is_dns() {
        return if has_route() {
            RequestError::ServerNotFound { host }
        } else {
            RequestError::NoNetwork
        };
    }
    let mut kind = None;
    for cause in causes(error) {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return RequestError::Certificate { host, why: distrust(tls) };
        }
        if let Some(http) = cause.downcast_ref::<hyper::Error>()
            && http.is_parse()
        {
            return RequestError::Odd {
                expected: "an HTTP answer",
                got: Shown::new(&http.to_string()),
            };
        }
        // hyper-util keeps the type of this one to itself; its text is all there is.
        let text = cause.to_string();
        if let Some(reason) = text.strip_prefix("tunnel error: ") {
            return RequestError::Proxy { host, reason: Shown::new(reason) };
        }
        kind = cause.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
    }
    if error.is_timeout() {
        return RequestError::Silent { host, waited: connect };
    }
    if !error.is_connect() {
        return RequestError::ConnectionLost { received: 0 };
    }
    match kind {
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) if !has_route() => {
            RequestError::NoNetwork
        }
        kind => RequestError::NotListening { host, kind: kind.unwrap_or(io::ErrorKind::Other) },
    }
}

fn distrust(error: &rustls::Error) -> Distrust {
    use rustls::{CertificateError as Fault, Error};
    let Error::InvalidCertificate(fault) = error else {
        return match error {
            Error::InvalidMessage(_) => Distrust::NotLocked,
            _ => Distrust::NoCommonGround,
        };
    };
    match fault {
        Fault::Expired | Fault::ExpiredContext { .. } => Distrust::Expired,
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => Distrust::NotYetValid,
        Fault::UnknownIssuer => Distrust::UnknownIssuer,
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => Distrust::OtherName,
        _ => Distrust::Unsuitable,
    }
}

/// The error and everything below it.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

/// Says whether a way leads out of this computer. Connecting a UDP socket only looks the route up;
/// the addresses are those reserved for documentation, and nothing is sent.
fn has_route() -> bool {
    [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")]
        .into_iter()
        .any(|(from, to)| UdpSocket::bind(from).and_then(|socket| socket.connect(to)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_io_error_wraps_is_seen() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let io = io::Error::new(io::ErrorKind::InvalidData, tls);
        let outer = io::Error::other(io);
        let found = causes(&outer).find_map(|cause| cause.downcast_ref::<rustls::Error>());
        assert_eq!(found.map(distrust), Some(Distrust::UnknownIssuer));
    }

    #[test]
    fn each_fault_of_a_certificate_has_its_own_word() {
        use rustls::{CertificateError as Fault, Error, InvalidMessage};
        let cases = [
            (Error::InvalidCertificate(Fault::Expired), Distrust::Expired),
            (Error::InvalidCertificate(Fault::NotValidYet), Distrust::NotYetValid),
            (Error::InvalidCertificate(Fault::NotValidForName), Distrust::OtherName),
            (Error::InvalidCertificate(Fault::Revoked), Distrust::Unsuitable),
            (Error::InvalidMessage(InvalidMessage::InvalidContentType), Distrust::NotLocked),
            (
                Error::AlertReceived(rustls::AlertDescription::ProtocolVersion),
                Distrust::NoCommonGround,
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(distrust(&error), expected, "{error}");
        }
    }
}

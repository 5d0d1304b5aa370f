//! What goes wrong between a server and a person, each time in the same way.

use std::{io, num::NonZero, time::Duration};

use axum::{
    body::{Body, BodyDataStream},
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::{answers::Denial, endpoints::Server};

/// Most bytes that a slow server sends at once.
const SIP: usize = 4 << 10;

/// What happens to requests for keys of backups. As it comes, nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// How long the first byte of keys takes.
    pub first_byte: Duration,
    /// How fast keys come, in bytes per second; as fast as they can, if not given.
    pub bytes_per_second: Option<NonZero<u32>>,
    /// What happens to all keys of a version, asked for at once.
    pub whole: Whole,
    /// Requests that the server has no time for.
    pub busy: Option<Busy>,
}

/// What happens to all keys of a version, asked for at once. Single rooms are not touched by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whole {
    /// They come.
    #[default]
    Comes,
    /// The connection breaks after so many bytes, every time.
    Breaks {
        /// Bytes of the body that come.
        after: usize,
    },
    /// Something in front of the server answers in its place.
    Refused {
        /// With this status.
        status: u16,
    },
}

/// A server that sends people away now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Each so many-th request for backups is sent away.
    pub every: NonZero<u64>,
    /// How long it is told to wait.
    pub wait: Duration,
}

pub(super) async fn weather(State(server): Server, request: Request, next: Next) -> Response {
    let weather = server.setting.weather;
    let asked = request.uri().path().split_once("/room_keys/").map(|(_, rest)| rest.to_owned());
    let Some(asked) = asked else { return next.run(request).await };
    if let Some(Busy { every, wait }) = weather.busy
        && server.lock().about_backups().is_multiple_of(every.get())
    {
        return Denial::Limited(wait).into_response();
    }
    if request.method() != Method::GET || !asked.starts_with("keys") {
        return next.run(request).await;
    }
    sleep(weather.first_byte).await;
    let whole = if asked == "keys" { weather.whole } else { Whole::Comes };
    let breaks_after = match whole {
        Whole::Comes => None,
        Whole::Breaks { after } => Some(after),
        Whole::Refused { status } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return (status, "<html><body>The server took too long.</body></html>").into_response();
        }
    };
    let answer = next.run(request).await;
    if breaks_after.is_none() && weather.bytes_per_second.is_none() {
        return answer;
    }
    let (head, body) = answer.into_parts();
    let way = Way {
        body: body.into_data_stream(),
        piece: Bytes::new(),
        left: breaks_after,
        rate: weather.bytes_per_second,
    };
    let body = Body::from_stream(stream::unfold(way, async |mut way| {
        let sip = way.sip().await?;
        Some((sip, way))
    }));
    Response::from_parts(head, body)
}

/// A body on its way.
struct Way {
    body: BodyDataStream,
    /// What was taken from the body and not sent yet.
    piece: Bytes,
    /// Bytes until it breaks, if it does.
    left: Option<usize>,
    rate: Option<NonZero<u32>>,
}

impl Way {
    async fn sip(&mut self) -> Option<io::Result<Bytes>> {
        if self.left == Some(0) {
            // So that what was sent before is on its way.
            sleep(Duration::from_millis(1)).await;
            return Some(Err(io::ErrorKind::ConnectionReset.into()));
        }
        while self.piece.is_empty() {
            match self.body.next().await? {
                Ok(piece) => self.piece = piece,
                Err(error) => return Some(Err(io::Error::other(error))),
            }
        }
        let most = self.left.unwrap_or(usize::MAX);
        let most = most.min(if self.rate.is_some() { SIP } else { usize::MAX });
        let sip = self.piece.split_to(most.min(self.piece.len()));
        if let Some(left) = &mut self.left {
            *left -= sip.len();
        }
        if let Some(rate) = self.rate {
            sleep(Duration::from_secs_f64(sip.len() as f64 / f64::from(rate.get()))).await;
        }
        Some(Ok(sip))
    }
}

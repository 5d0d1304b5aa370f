//! A server that says exactly the bytes it is told, however wrong.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::USER;

/// What happens after the bytes are said.
#[derive(Clone, Copy)]
pub(super) enum Then {
    /// The connection is closed.
    Close,
    /// The connection stays open and silent.
    Hang,
    /// The last 1000 bytes are said again and again.
    Repeat,
}

/// A server on loopback; each connection is one request.
pub(super) struct Raw {
    pub(super) base: String,
    /// The head of each request, as it comes.
    pub(super) heads: UnboundedReceiver<String>,
}

impl Raw {
    /// Answers whoami properly and everything else with `bytes`.
    pub(super) async fn start(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        let bytes: Arc<[u8]> = bytes.into().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (tell, heads) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (bytes, tell) = (bytes.clone(), tell.clone());
                tokio::spawn(async move {
                    let head = head(&mut stream).await;
                    if head.contains("/account/whoami ") {
                        let body = format!(r#"{{"user_id":"{USER}"}}"#);
                        let said =
                            format!("{}\r\n{body}", ok(&format!("content-length: {}", body.len())));
                        let _ = stream.write_all(said.as_bytes()).await;
                        return;
                    }
                    let _ = tell.send(head);
                    let _ = stream.write_all(&bytes).await;
                    match then {
                        Then::Close => {}
                        Then::Hang => drop(stream.read(&mut [0]).await),
                        Then::Repeat => {
                            let last = &bytes[bytes.len().saturating_sub(1_000)..];
                            while stream.write_all(last).await.is_ok() {}
                        }
                    }
                });
            }
        });
        Self { base, heads }
    }
}

/// The head of a successful answer with one more header; the body comes after another line end.
pub(super) fn ok(header: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n{header}\r\n"
    )
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut buffer = [0; 1_024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

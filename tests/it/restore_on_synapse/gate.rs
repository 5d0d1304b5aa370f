//! A gate between keyhaul and a server: while it is shut, no connection gets more than a number of
//! bytes from the server, so that a test can act in the middle of an answer without any waiting.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What becomes of a connection's answers.
#[derive(Clone, Copy)]
pub(super) enum Passing {
    /// They come as they are.
    All,
    /// After so many bytes nothing comes any more, and the connection stays.
    HoldAfter(usize),
    /// After so many bytes the connection is closed.
    CutAfter(usize),
}

pub(super) struct Gate {
    /// What to give as homeserver.
    pub(super) base_url: String,
    passing: Arc<watch::Sender<Passing>>,
}

impl Gate {
    /// A gate in front of a server on loopback, open at first.
    pub(super) async fn before(server: std::net::SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let passing = Arc::new(watch::Sender::new(Passing::All));
        let of_all = Arc::clone(&passing);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let passing = of_all.subscribe();
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    let (mut asked, answers) = client.into_split();
                    let (given, mut to_server) = server.into_split();
                    tokio::spawn(async move { drop(copy(&mut asked, &mut to_server).await) });
                    pass(given, answers, passing).await;
                });
            }
        });
        Self { base_url, passing }
    }

    /// For all answers from now on, and for those under way.
    pub(super) fn set(&self, passing: Passing) {
        self.passing.send_replace(passing);
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut passing: watch::Receiver<Passing>,
) {
    let mut buffer = [0; 4_096];
    let mut passed = 0;
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let now = *passing.borrow_and_update();
        match now {
            Passing::CutAfter(most) if passed >= most => return,
            Passing::HoldAfter(most) if passed >= most => {
                let opened = passing.wait_for(|now| matches!(now, Passing::All)).await;
                if opened.is_err() {
                    return;
                }
            }
            _ => {}
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        passed += read;
    }
}

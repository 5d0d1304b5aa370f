//! A gate between keyhaul and a server: while it is shut, no connection gets more than a number of
//! bytes from the server, so that a test can act in the middle of an answer without any waiting.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
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
    /// From a request whose target contains this on, nothing comes any more.
    HoldAt(&'static str),
}

pub(super) struct Gate {
    /// What to give as homeserver.
    pub(super) base_url: String,
    state: Arc<State>,
}

struct State {
    passing: watch::Sender<Passing>,
    holding: watch::Sender<bool>,
}

impl Gate {
    /// A gate in front of a server on loopback, open at first.
    pub(super) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let passing = watch::Sender::new(Passing::All);
        let state = Arc::new(State { passing, holding: watch::Sender::new(false) });
        let of_all = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&of_all);
                tokio::spawn(async move {
                    let server = TcpStream::connect(server).await.unwrap();
                    let (requests, answers) = client.into_split();
                    let (given, asked) = server.into_split();
                    let met = Arc::new(AtomicBool::new(false));
                    tokio::spawn(ask(requests, asked, Arc::clone(&state), Arc::clone(&met)));
                    answer(given, answers, &state, &met).await;
                });
            }
        });
        Self { base_url, state }
    }

    /// For all answers from now on, and for those under way.
    pub(super) fn set(&self, passing: Passing) {
        self.state.passing.send_replace(passing);
    }

    /// Waits until an answer was begun by the server and is held.
    pub(super) async fn holds(&self) {
        self.state.holding.subscribe().wait_for(|holding| *holding).await.unwrap();
    }
}

/// A request of ours is small, so its head comes in one piece.
async fn ask(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<State>,
    met: Arc<AtomicBool>,
) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if let Passing::HoldAt(target) = *state.passing.borrow() {
            let asked = String::from_utf8_lossy(&buffer[..read]);
            met.fetch_or(asked.contains(target), Ordering::SeqCst);
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State, met: &AtomicBool) {
    let mut passing = state.passing.subscribe();
    let mut buffer = [0; 4_096];
    let mut passed = 0;
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let now = *passing.borrow_and_update();
        let holds = match now {
            Passing::All => false,
            Passing::CutAfter(most) if passed >= most => return,
            Passing::CutAfter(_) => false,
            Passing::HoldAfter(most) => passed >= most,
            Passing::HoldAt(_) => met.load(Ordering::SeqCst),
        };
        if holds {
            state.holding.send_replace(true);
            let opened = passing.wait_for(|now| matches!(now, Passing::All)).await;
            if opened.is_err() {
                return;
            }
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        passed += read;
    }
}

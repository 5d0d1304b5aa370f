//! The demo homeserver: starting, stopping, and what it remembers while it runs.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::Method;
use thiserror::Error;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{account::Account, endpoints, random::Seeded, stories::Story};
use crate::base::{base64, random::array};

/// A running demo homeserver. It stops when this is dropped.
pub struct DemoServer {
    address: SocketAddr,
    state: Arc<Shared>,
    running: JoinHandle<io::Result<()>>,
    stop: oneshot::Sender<()>,
}

/// Why the demo homeserver did not start.
#[derive(Debug, Error)]
pub enum StartFault {
    /// The address cannot be listened on.
    #[error("expected to listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The account was not made, because the program is ending.
    #[error("expected an account, but the program is ending")]
    Ending,
}

impl DemoServer {
    /// Makes the account of a story and serves it; port 0 takes any free port. It needs a tokio
    /// runtime and is plain HTTP, so `listen` should be a loopback address.
    pub async fn start(story: Story, listen: SocketAddr) -> Result<Self, StartFault> {
        let account = tokio::task::spawn_blocking(move || story.account()).await;
        Self::serve(account.map_err(|_| StartFault::Ending)?, listen).await
    }

    /// Serves an account that was made, and perhaps changed, before.
    pub async fn serve(account: Account, listen: SocketAddr) -> Result<Self, StartFault> {
        let fault = |source| StartFault::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let state =
            Arc::new(Shared { base_url: format!("http://{address}"), state: State::new(account) });
        let (stop, stopped) = oneshot::channel::<()>();
        let service = axum::serve(listener, endpoints::router(Arc::clone(&state)));
        let service = service.with_graceful_shutdown(async { drop(stopped.await) });
        let running = tokio::spawn(async { service.await });
        Ok(Self { address, state, running, stop })
    }

    /// Where it listens, with the port it really got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL to give as homeserver, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    /// Changes the account while it is served, as another app of the person would.
    pub fn change(&self, change: impl FnOnce(&mut Account)) {
        change(&mut self.state.lock().account);
    }

    /// How many requests with this method came in.
    pub fn requests(&self, method: &Method) -> u64 {
        self.state.lock().requests.get(method.as_str()).copied().unwrap_or_default()
    }

    /// How many requests came in that are made for changing something: all but GET, HEAD, OPTIONS,
    /// and POST for signing in and out and for asking for keys and rooms.
    pub fn writes(&self) -> u64 {
        self.state.lock().writes
    }

    /// How many times a whole backup version was asked for.
    pub fn readings(&self) -> u64 {
        self.state.lock().readings
    }

    /// How many devices are signed in.
    pub fn devices(&self) -> usize {
        self.state.lock().devices.len()
    }

    /// Stops taking connections and waits until the open ones are done.
    pub async fn shutdown(self) {
        let Self { running, stop, .. } = self;
        drop(stop);
        drop(running.await);
    }
}

/// What all requests share.
pub(super) struct Shared {
    pub(super) base_url: String,
    state: Mutex<State>,
}

impl Shared {
    /// The state; never held across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the server remembers.
pub(super) struct State {
    pub(super) account: Account,
    /// Access token by device id.
    devices: BTreeMap<String, String>,
    random: Seeded,
    requests: BTreeMap<String, u64>,
    writes: u64,
    readings: u64,
}

impl State {
    fn new(account: Account) -> Mutex<Self> {
        let random = Seeded::new(&account.user_id).derive("tokens", 0);
        let devices = BTreeMap::new();
        Mutex::new(Self {
            account,
            devices,
            random,
            requests: BTreeMap::new(),
            writes: 0,
            readings: 0,
        })
    }

    /// Signs a device in and gives its id and token; a device id given again gets a new token.
    pub(super) fn sign_in(&mut self, device_id: Option<&str>) -> (String, String) {
        let device_id = match device_id {
            Some(id) => id.to_owned(),
            None => self.random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10),
        };
        let token = format!("demo_{}", base64::encode(&array::<24>(&mut self.random)));
        self.devices.insert(device_id.clone(), token.clone());
        (device_id, token)
    }

    pub(super) fn sign_out(&mut self, device_id: &str) {
        self.devices.remove(device_id);
    }

    /// The device that a token belongs to.
    pub(super) fn device(&self, token: &str) -> Option<&str> {
        let mut devices = self.devices.iter();
        devices.find_map(|(device, known)| (known == token).then_some(device.as_str()))
    }

    pub(super) fn count(&mut self, method: &Method, path: &str) {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let free =
            ["/login", "/logout", "/keys/query", "/sync"].iter().any(|end| path.ends_with(end));
        let reads = reads || *method == Method::POST && free;
        self.writes += u64::from(!reads);
        self.readings += u64::from(path.ends_with("/room_keys/keys"));
        *self.requests.entry(method.to_string()).or_default() += 1;
    }
}

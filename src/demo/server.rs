//! The demo homeserver: starting, stopping, and what it remembers while it runs.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::Method;
use thiserror::Error;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::Instant};

use super::{
    account::Account, devices::Devices, endpoints, login_limits::LoginLimits, random::Seeded,
    setting::Setting, stories::Story,
};

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
        Self::start_with(story, None, listen).await
    }

    /// The same, with so many keys in a story that may have any number of them.
    pub async fn start_with(
        story: Story,
        keys: Option<u64>,
        listen: SocketAddr,
    ) -> Result<Self, StartFault> {
        let make = move || keys.map_or_else(|| story.account(), |keys| story.account_with(keys));
        let account = tokio::task::spawn_blocking(make).await;
        let account = account.map_err(|_| StartFault::Ending)?;
        Self::serve_as(account, story.setting(), listen).await
    }

    /// Serves an account that was made, and perhaps changed, before.
    pub async fn serve(account: Account, listen: SocketAddr) -> Result<Self, StartFault> {
        Self::serve_as(account, Setting::default(), listen).await
    }

    /// Serves an account as a server that behaves in this way.
    pub async fn serve_as(
        account: Account,
        setting: Setting,
        listen: SocketAddr,
    ) -> Result<Self, StartFault> {
        let fault = |source| StartFault::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(fault)?;
        let address = listener.local_addr().map_err(fault)?;
        let state = Arc::new(Shared {
            base_url: format!("http://{address}"),
            setting,
            begun: Instant::now(),
            state: State::new(account),
        });
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

    /// Lets time pass for the server at once: tokens end, and limits are lifted.
    pub fn let_pass(&self, time: Duration) {
        self.state.lock().passed += time;
    }

    /// How many requests came in that are made for changing something: all but GET, HEAD, OPTIONS,
    /// POST for signing in, staying so and out and for asking for keys and rooms, and a device's
    /// DELETE of itself, which is signing out too.
    pub fn writes(&self) -> u64 {
        self.state.lock().writes
    }

    /// How many times a whole backup version was asked for.
    pub fn readings(&self) -> u64 {
        self.state.lock().readings
    }

    /// How many devices are signed in.
    pub fn devices(&self) -> usize {
        self.state.lock().devices.count()
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
    pub(super) setting: Setting,
    begun: Instant,
    state: Mutex<State>,
}

impl Shared {
    /// The state; never held across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since the server began.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed() + self.lock().passed
    }
}

/// What the server remembers.
pub(super) struct State {
    pub(super) account: Account,
    pub(super) devices: Devices,
    pub(super) limits: LoginLimits,
    /// Time that passed beside the clock.
    passed: Duration,
    requests: BTreeMap<String, u64>,
    about_backups: u64,
    writes: u64,
    readings: u64,
}

impl State {
    fn new(account: Account) -> Mutex<Self> {
        let random = Seeded::new(&account.user_id).derive("tokens", 0);
        Mutex::new(Self {
            account,
            devices: Devices::new(random),
            limits: LoginLimits::new(),
            passed: Duration::ZERO,
            requests: BTreeMap::new(),
            about_backups: 0,
            writes: 0,
            readings: 0,
        })
    }

    /// Counts a request about backups, and tells which it is.
    pub(super) fn about_backups(&mut self) -> u64 {
        self.about_backups += 1;
        self.about_backups
    }

    pub(super) fn count(&mut self, method: &Method, path: &str, token: Option<&str>) {
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
        let free = ["/login", "/refresh", "/logout", "/keys/query", "/sync"];
        let free = *method == Method::POST && free.iter().any(|end| path.ends_with(end));
        // Of a token that has ended, too.
        let own = token.and_then(|token| self.devices.holder(token, Duration::ZERO).ok());
        let leaves = *method == Method::DELETE
            && own.is_some_and(|own| path.ends_with(&format!("/devices/{own}")));
        self.writes += u64::from(!(reads || free || leaves));
        self.readings += u64::from(*method == Method::GET && path.ends_with("/room_keys/keys"));
        *self.requests.entry(method.to_string()).or_default() += 1;
    }
}

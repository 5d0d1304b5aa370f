//! The real loop with the demo homeserver: a person presses keys and waits for what appears.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossterm::event::Event;
use keyhaul::demo::{account::Account, server::DemoServer};
use keyhaul::recovery::sign_in::Surroundings;
use keyhaul::tui::model::{Ending, Model, Start};
use keyhaul::tui::run::{Arrived, Host, Loop, Wish};
use keyhaul::tui::runner::Runner;
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use unicode_width::UnicodeWidthStr;

use super::scene;

/// Longest time that anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);
/// How fast hands are: never two keys within the time that tells a paste.
const HANDS: Duration = Duration::from_millis(60);

/// A window that others may look at after each frame.
struct Window {
    inside: TestBackend,
    shown: watch::Sender<String>,
}

impl Backend for Window {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let cells: Vec<(u16, u16, Cell)> =
            content.map(|(x, y, cell)| (x, y, cell.clone())).collect();
        // As in a real terminal, a wide character takes what was in the cell behind it.
        let blank = Cell::default();
        let covered = cells.iter().filter(|(_, _, cell)| cell.symbol().width() > 1);
        let covered: Vec<_> = covered.map(|(x, y, _)| (x + 1, *y, &blank)).collect();
        self.inside.draw(covered.into_iter())?;
        self.inside.draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell)))
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.inside.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.inside.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.inside.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.inside.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.inside.clear()
    }

    fn clear_region(&mut self, kind: ClearType) -> Result<(), Infallible> {
        self.inside.clear_region(kind)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.inside.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.inside.window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.shown.send_replace(scene::lines(self.inside.buffer()));
        self.inside.flush()
    }
}

/// Remembers what only a real terminal could do.
#[derive(Clone, Default)]
pub(super) struct Asked {
    copied: Arc<Mutex<Vec<String>>>,
    suspended: Arc<Mutex<usize>>,
}

impl<B: Backend> Host<B> for Asked {
    fn copy(&mut self, _: &mut Terminal<B>, text: &str) {
        self.copied.lock().unwrap().push(text.to_owned());
    }

    fn suspend(&mut self, _: &mut Terminal<B>) {
        *self.suspended.lock().unwrap() += 1;
    }

    fn frame(&mut self, _: &mut Terminal<B>, _: bool) {}
}

/// A person in front of the assistant.
pub(super) struct Journey {
    pub(super) server: DemoServer,
    pub(super) data: TempDir,
    events: mpsc::Sender<Arrived>,
    wishes: mpsc::Sender<Wish>,
    shown: watch::Receiver<String>,
    asked: Asked,
    running: JoinHandle<Result<Ending, Infallible>>,
}

/// The address of the demo homeserver of a test.
pub(super) async fn serve(account: Account) -> DemoServer {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    DemoServer::serve(account, listen).await.unwrap()
}

impl Journey {
    /// Ada in front of a window of a usual size, with her server's address given.
    pub(super) async fn begin() -> Self {
        let server = serve(crate::demo::account().clone()).await;
        let address = server.base_url().to_owned();
        Self::with(server, Start { server: Some(address), ..Start::default() }).await
    }

    pub(super) async fn with(server: DemoServer, start: Start) -> Self {
        Self::in_folder(server, start, TempDir::with_prefix("keyhaul-test-").unwrap()).await
    }

    pub(super) async fn in_folder(server: DemoServer, start: Start, data: TempDir) -> Self {
        let (send_events, events) = mpsc::channel(64);
        let (send_wishes, wishes) = mpsc::channel(8);
        let (shown, look) = watch::channel(String::new());
        let asked = Asked::default();
        let window = Window { inside: TestBackend::new(80, 24), shown };
        let surroundings = Surroundings {
            allow_http: false,
            ca_file: None,
            data_dir: data.path().join("data"),
            patience: Default::default(),
        };
        let host = asked.clone();
        let running = tokio::spawn(async move {
            let (model, effects) = Model::start(scene::settings(), Size::new(80, 24), start);
            let (runner, reports) = Runner::new(surroundings, None, None);
            let all = Loop {
                terminal: Terminal::new(window)?,
                host: Box::new(host),
                events,
                wishes,
                model,
                effects,
                runner,
                reports,
                began: Instant::now(),
            };
            all.run().await
        });
        Self { server, data, events: send_events, wishes: send_wishes, shown: look, asked, running }
    }

    /// Presses keys by their names.
    pub(super) async fn press(&self, keys: &str) {
        for name in keys.split(' ') {
            self.event(scene::key(name)).await;
        }
    }

    pub(super) async fn types(&self, text: &str) {
        for letter in text.chars() {
            self.press(
                if letter == ' ' { "Space".to_owned() } else { letter.to_string() }.as_str(),
            )
            .await;
        }
    }

    pub(super) async fn paste(&self, text: &str) {
        self.event(Event::Paste(text.to_owned())).await;
    }

    async fn event(&self, event: Event) {
        sleep(HANDS).await;
        self.events.send((Instant::now(), Ok(event))).await.unwrap();
    }

    pub(super) async fn resize(&self, width: u16, height: u16) {
        self.event(Event::Resize(width, height)).await;
    }

    pub(super) async fn wish(&self, wish: Wish) {
        self.wishes.send(wish).await.unwrap();
    }

    /// Waits until these words are on the screen; returns the whole screen.
    #[track_caller]
    pub(super) fn sees(&mut self, words: &str) -> impl Future<Output = String> {
        let caller = std::panic::Location::caller();
        let (mut shown, words) = (self.shown.clone(), words.to_owned());
        async move {
            let seen = timeout(PATIENCE, shown.wait_for(|screen| screen.contains(&words))).await;
            let seen = seen.ok().and_then(Result::ok).map(|screen| screen.clone());
            if let Some(screen) = seen {
                return screen;
            }
            panic!("{caller}: “{words}” never came; last:\n{}", *shown.borrow());
        }
    }

    pub(super) fn screen(&self) -> String {
        self.shown.borrow().clone()
    }

    pub(super) fn copied(&self) -> Vec<String> {
        self.asked.copied.lock().unwrap().clone()
    }

    pub(super) fn suspended(&self) -> usize {
        *self.asked.suspended.lock().unwrap()
    }

    /// Waits for the end.
    pub(super) async fn ended(self) -> (Ending, DemoServer, TempDir) {
        let ending = timeout(PATIENCE, self.running).await.expect("the assistant ends");
        (ending.unwrap().unwrap(), self.server, self.data)
    }

    /// As far as the backups.
    pub(super) async fn goes_to_backups(&mut self) {
        self.paste("@ada:example.org").await;
        self.press("Enter").await;
        self.sees("type your password").await;
        self.paste("an engine weaves patterns").await;
        self.press("Enter").await;
        self.sees("Next: press Enter to see what backup 3 holds.").await;
    }

    /// As far as the contents of the current backup.
    pub(super) async fn goes_to_contents(&mut self) {
        self.goes_to_backups().await;
        self.press("Enter").await;
        self.sees("5 467 keys in 41 rooms").await;
    }
}

/// The folder of the only account.
pub(super) fn account_folder(data: &TempDir) -> PathBuf {
    let mut folders = std::fs::read_dir(data.path().join("data")).unwrap().flatten();
    folders.find(|entry| entry.path().is_dir()).unwrap().path()
}

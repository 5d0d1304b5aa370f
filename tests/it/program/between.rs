//! A station between the program and a server, which plays tricks on chosen requests and hands on
//! all others. It is also the server that says exactly the bytes it is told, however wrong.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Barrier, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;
use tokio::sync::Notify;

/// What is done to a request.
#[derive(Clone)]
pub(crate) enum Trick {
    /// The server's answer ends after this many bytes.
    Cut(usize),
    /// This JSON is the answer, with this status.
    Say(u16, Value),
    /// These bytes are the body of a good answer.
    Body(&'static str),
    /// A body that begins so and never ends: the last part is said again and again, with a number
    /// that grows in place of `#`.
    Endless(&'static str, &'static str),
    /// The client is sent to another address.
    Redirect(&'static str),
    /// No answer at all.
    HangUp,
    /// These steps on the wire, in place of any answer.
    Script(Arc<[Step]>),
    /// Each request has its own trick; the last one stays.
    Turns(Turns),
    /// The server does what it is asked, and its answer waits until the test lets it go.
    Hold(Hold),
}

/// What happens on the wire, byte by byte.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// These bytes are said.
    Say(Vec<u8>),
    /// These bytes are said again and again, until nobody hears any more.
    Again(Vec<u8>),
    /// These bytes are said one by one, with so much time after each.
    Drip(Vec<u8>, Duration),
    /// Nothing more is said until the other side goes away.
    Hang,
    /// The connection is torn down in place of being closed.
    Reset,
}

/// Tricks that are played one after the other.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Mutex<Vec<Trick>>>);

impl Turns {
    fn next(&self) -> Option<Trick> {
        let mut left = self.0.lock().unwrap();
        if left.len() > 1 { left.pop() } else { left.last().cloned() }
    }
}

impl Trick {
    /// The server does what it is asked.
    pub(crate) const PASS: Self = Self::Cut(usize::MAX);

    /// These steps in place of any answer.
    pub(crate) fn script(steps: impl Into<Vec<Step>>) -> Self {
        Self::Script(steps.into().into())
    }

    /// This is done to the answer with the keys, and nothing else can be asked for in its place.
    pub(crate) fn alone(self) -> Vec<(&'static str, Self)> {
        let nothing = serde_json::json!({"errcode": "M_FORBIDDEN", "error": "not now"});
        vec![("/room_keys/keys", self), ("/joined_rooms", Self::Say(403, nothing))]
    }

    /// One trick for each request in turn; the last one stays.
    pub(crate) fn turns(tricks: impl Into<Vec<Self>>) -> Self {
        let mut tricks = tricks.into();
        tricks.reverse();
        Self::Turns(Turns(Arc::new(Mutex::new(tricks))))
    }
}

/// Where an answer waits.
#[derive(Clone)]
pub(crate) struct Hold(Arc<(Barrier, Barrier)>);

impl Hold {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Barrier::new(2), Barrier::new(2))))
    }

    /// Waits until the server has answered.
    pub(crate) fn is_there(&self) {
        self.0.0.wait();
    }

    /// Lets the answer go.
    pub(crate) fn release(&self) {
        self.0.1.wait();
    }
}

type Tricks = Arc<Mutex<Vec<(&'static str, Trick)>>>;

/// The heads of all requests, as they came.
#[derive(Default)]
struct Heard {
    heads: Mutex<Vec<String>>,
    new: Notify,
}

/// The station; it stays for as long as the tests run.
pub(crate) struct Between {
    pub(crate) base: String,
    tricks: Tricks,
    heard: Arc<Heard>,
}

impl Between {
    /// Starts in front of a server. Each trick is played on requests whose first line has its words.
    pub(crate) fn start(server: SocketAddr, tricks: Vec<(&'static str, Trick)>) -> Self {
        Self::begin(Some(server), tricks)
    }

    /// Starts with no server behind it: a request without a trick gets no answer.
    pub(crate) fn alone(tricks: Vec<(&'static str, Trick)>) -> Self {
        Self::begin(None, tricks)
    }

    fn begin(server: Option<SocketAddr>, tricks: Vec<(&'static str, Trick)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let tricks: Tricks = Arc::new(Mutex::new(tricks));
        let heard = Arc::new(Heard::default());
        let (played, hears) = (Arc::clone(&tricks), Arc::clone(&heard));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (played, hears) = (Arc::clone(&played), Arc::clone(&hears));
                // A client that gives up is what some tests are about.
                thread::spawn(move || drop(serve(client, server, &played, &hears)));
            }
        });
        Self { base, tricks, heard }
    }

    /// From now on nothing is done to any request.
    pub(crate) fn behave(&self) {
        self.play(Vec::new());
    }

    /// From now on these tricks are played, and no others.
    pub(crate) fn play(&self, tricks: Vec<(&'static str, Trick)>) {
        *self.tricks.lock().unwrap() = tricks;
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heard.heads.lock().unwrap().clone()
    }

    /// Waits for a request whose first line has these words.
    pub(crate) async fn is_asked(&self, words: &str) {
        self.is_asked_after(0, words).await;
    }

    /// The same, of requests that came after so many others.
    pub(crate) async fn is_asked_after(&self, others: usize, words: &str) {
        let asked = |head: &String| head.lines().next().unwrap_or_default().contains(words);
        while !self.heads().iter().skip(others).any(asked) {
            self.heard.new.notified().await;
        }
    }
}

/// Serves one request and closes the connection.
fn serve(
    mut client: TcpStream,
    server: Option<SocketAddr>,
    tricks: &Tricks,
    heard: &Heard,
) -> io::Result<()> {
    let (head, body) = request(&mut client)?;
    heard.heads.lock().unwrap().push(head.clone());
    heard.new.notify_one();
    let first = head.lines().next().unwrap_or_default();
    let trick = tricks.lock().unwrap().iter().find(|(words, _)| first.contains(words)).cloned();
    let trick = match trick.map(|(_, trick)| trick) {
        Some(Trick::Turns(turns)) => turns.next(),
        trick => trick,
    };
    let pass = |client: &mut TcpStream, length| match server {
        Some(server) => hand_on(&head, &body, server, client, length),
        None => Ok(()),
    };
    match trick {
        None | Some(Trick::Turns(_)) => pass(&mut client, usize::MAX)?,
        Some(Trick::Cut(length)) => pass(&mut client, length)?,
        Some(Trick::Say(status, json)) => say(&mut client, status, &json.to_string())?,
        Some(Trick::Body(body)) => say(&mut client, 200, body)?,
        Some(Trick::Redirect(to)) => {
            let answer = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n");
            client.write_all(format!("{answer}connection: close\r\n\r\n").as_bytes())?;
        }
        Some(Trick::Endless(begin, again)) => {
            client.write_all(HEAD.as_bytes())?;
            client.write_all(b"connection: close\r\n\r\n")?;
            client.write_all(begin.as_bytes())?;
            for number in 0_u64.. {
                client.write_all(again.replace('#', &number.to_string()).as_bytes())?;
            }
        }
        Some(Trick::HangUp) => {}
        Some(Trick::Script(steps)) => {
            for step in steps.iter() {
                match step {
                    Step::Reset => return reset(client),
                    step => take(step, &mut client)?,
                }
            }
        }
        Some(Trick::Hold(Hold(hold))) => {
            let mut answer = Vec::new();
            if let Some(server) = server {
                hand_on(&head, &body, server, &mut answer, usize::MAX)?;
            }
            hold.0.wait();
            hold.1.wait();
            client.write_all(&answer)?;
        }
    }
    client.shutdown(Shutdown::Both)
}

fn take(step: &Step, client: &mut TcpStream) -> io::Result<()> {
    match step {
        Step::Say(bytes) => client.write_all(bytes),
        Step::Again(bytes) => loop {
            client.write_all(bytes)?;
        },
        Step::Drip(bytes, every) => {
            // Whoever goes away in between is noticed at once: an end is readable, silence is not.
            client.set_read_timeout(Some(*every))?;
            for byte in bytes {
                client.write_all(&[*byte])?;
                if client.read(&mut [0]).is_ok() {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
            }
            client.set_read_timeout(None)
        }
        Step::Hang => client.read(&mut [0]).map(drop),
        Step::Reset => Ok(()),
    }
}

/// Closes a connection so that the other side learns of a reset, not of an end.
fn reset(client: TcpStream) -> io::Result<()> {
    client.set_nonblocking(true)?;
    let _inside = super::runtime().enter();
    tokio::net::TcpStream::from_std(client)?.set_zero_linger()
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

fn say(client: &mut TcpStream, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    let head = HEAD.replace("200 OK", &format!("{status} Said"));
    let head = format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n");
    client.write_all(format!("{head}{body}").as_bytes())
}

fn request(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break end + 4;
        }
        let mut piece = [0; 4_096];
        match client.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let have = body.len();
    body.resize(length.unwrap_or(0), 0);
    client.read_exact(body.get_mut(have..).unwrap_or_default())?;
    Ok((head, body))
}

/// Asks the server the same and hands on at most so many bytes of its answer.
fn hand_on(
    head: &str,
    body: &[u8],
    server: SocketAddr,
    client: &mut impl Write,
    length: usize,
) -> io::Result<()> {
    let kept = head.trim_end().lines().filter(|line| !line.starts_with("connection:"));
    let head: String = kept.map(|line| format!("{line}\r\n")).collect();
    let mut server = TcpStream::connect(server)?;
    server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    server.write_all(body)?;
    io::copy(&mut server.take(length as u64), client).map(drop)
}

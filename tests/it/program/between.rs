//! A station between the program and a server, which plays tricks on chosen requests and hands on
//! all others.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Barrier, Mutex},
    thread,
};

use serde_json::Value;

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
    /// This is done to the first request only.
    Once(Box<Trick>),
    /// The server does what it is asked, and its answer waits until the test lets it go.
    Hold(Hold),
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

/// The station; it stays for as long as the tests run.
pub(crate) struct Between {
    pub(crate) base: String,
    tricks: Tricks,
}

impl Between {
    /// Starts in front of a server. Each trick is played on requests whose first line has its words.
    pub(crate) fn start(server: SocketAddr, tricks: Vec<(&'static str, Trick)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let tricks: Tricks = Arc::new(Mutex::new(tricks));
        let played = Arc::clone(&tricks);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let played = Arc::clone(&played);
                // A client that gives up is what some tests are about.
                thread::spawn(move || drop(serve(client, server, &played)));
            }
        });
        Self { base, tricks }
    }

    /// From now on nothing is done to any request.
    pub(crate) fn behave(&self) {
        self.play(Vec::new());
    }

    /// From now on these tricks are played, and no others.
    pub(crate) fn play(&self, tricks: Vec<(&'static str, Trick)>) {
        *self.tricks.lock().unwrap() = tricks;
    }
}

/// Serves one request and closes the connection.
fn serve(mut client: TcpStream, server: SocketAddr, tricks: &Tricks) -> io::Result<()> {
    let (head, body) = request(&mut client)?;
    let first = head.lines().next().unwrap_or_default();
    match chosen(first, tricks) {
        None => hand_on(&head, &body, server, &mut client, usize::MAX)?,
        Some(Trick::Cut(length)) => hand_on(&head, &body, server, &mut client, length)?,
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
        Some(Trick::HangUp | Trick::Once(_)) => {}
        Some(Trick::Hold(Hold(hold))) => {
            let mut answer = Vec::new();
            hand_on(&head, &body, server, &mut answer, usize::MAX)?;
            hold.0.wait();
            hold.1.wait();
            client.write_all(&answer)?;
        }
    }
    client.shutdown(Shutdown::Both)
}

/// The trick that is played on a request with this first line, if one is.
fn chosen(first: &str, tricks: &Tricks) -> Option<Trick> {
    let mut tricks = tricks.lock().unwrap();
    let place = tricks.iter().position(|(words, _)| first.contains(words))?;
    match tricks[place].1.clone() {
        Trick::Once(trick) => {
            tricks.remove(place);
            Some(*trick)
        }
        trick => Some(trick),
    }
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

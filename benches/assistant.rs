//! The assistant in a real terminal: how soon it is there, how soon a key is answered while a backup of
//! 100 000 keys streams in, and what it costs while nothing happens. Prints figures; asserts none.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that cannot go on ends"
)]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/assistant/pty.rs"]
mod pty;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use keyhaul::demo::{account::Version, server::DemoServer, stories::Story};
use pty::Pty;

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyhaul");
const KEYS: usize = 100_000;
const ROOMS: usize = 500;
const PRESSES: usize = 500;
/// Bytes in a second on the way from the server: slow enough for all presses.
const PACE: usize = 3_000_000;

fn main() {
    // `cargo test` runs benches, too; the figures are for `cargo bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    first_frame();
    answers();
}

fn home() -> tempfile::TempDir {
    tempfile::TempDir::with_prefix("keyhaul-bench-").unwrap()
}

fn told(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |per_cent: usize| times[(times.len() - 1) * per_cent / 100].as_secs_f64() * 1e3;
    let (half, most, all) = (at(50), at(99), at(100));
    println!(
        "{name}: median {half:.1} ms, p99 {most:.1} ms, worst {all:.1} ms, of {}",
        times.len()
    );
}

fn first_frame() {
    let mut times = Vec::new();
    for _ in 0..20 {
        let home = home();
        let begun = Instant::now();
        let pty = Pty::start(home.path(), (80, 24), PROGRAM, &[]);
        pty.sees("type your Matrix id and press Enter");
        times.push(begun.elapsed());
        pty.types("\x03");
        pty.types("\x03");
        pty.ended();
    }
    told("spawn to first full frame", times);
}

fn answers() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut account = Story::Plain.account();
    let (_, current) = account.versions.last_key_value().unwrap();
    let version = large(current.as_ref().unwrap());
    account.versions.insert(3, Some(version));
    let password = account.password.clone();
    let server = runtime.block_on(DemoServer::serve(account, listen)).unwrap();
    let relay = slow(server.address());
    let home = home();
    let pty = Pty::start(home.path(), (80, 24), PROGRAM, &[format!("--homeserver={relay}")]);
    pty.sees("type your Matrix id and press Enter");
    pty.paste("@ada:example.org");
    pty.types("\r");
    pty.sees("type your password");
    pty.paste(&password);
    pty.types("\r");
    pty.sees("press Enter to see what backup 3 holds");
    pty.types("\r");
    pty.sees("/s");
    let mut times = Vec::new();
    for press in 0..PRESSES {
        let down = press % 2 == 0;
        let row = if down { 5 } else { 4 };
        let begun = Instant::now();
        pty.at_once(if down { "\x1b[B" } else { "\x1b[A" });
        pty.until("the focus to move", |screen| {
            screen.cell(row, 2).is_some_and(|cell| cell.contents() == "▸")
        });
        times.push(begun.elapsed());
        thread::sleep(Duration::from_millis(20));
    }
    let streaming = pty.screen().contains("reading …");
    told("key to frame while keys stream in", times);
    println!("still streaming at the end: {streaming}");
    pty.sees("100 000 keys in 500 rooms");
    thread::sleep(Duration::from_secs(5));
    let before = processor_time(pty.pid());
    thread::sleep(Duration::from_secs(10));
    println!("processor while idle: {:?} in 10 s", processor_time(pty.pid()) - before);
    pty.types("q");
    pty.ended();
}

/// Processor time that a process used so far.
fn processor_time(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // After the name in brackets; in hundredths of a second on every Linux.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// The same entries again and again, under other ids.
fn large(version: &Version) -> Version {
    let entries: Vec<&Bytes> = version.rooms.values().flat_map(BTreeMap::values).collect();
    let mut rooms: BTreeMap<String, BTreeMap<String, Bytes>> = BTreeMap::new();
    for number in 0..KEYS {
        let room = format!("!room{:04}:example.org", number * ROOMS / KEYS);
        let session = format!("{number:043}");
        let entry = entries[number % entries.len()].clone();
        rooms.entry(room).or_default().insert(session, entry);
    }
    Version { rooms, damaged: BTreeMap::new(), ..version.clone() }
}

/// A relay that lets so many bytes through in a second; returns its address.
fn slow(server: SocketAddr) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let there = TcpStream::connect(server).unwrap();
            let (from, to) = (client.try_clone().unwrap(), there.try_clone().unwrap());
            thread::spawn(move || pass(from, to, usize::MAX));
            thread::spawn(move || pass(there, client, PACE));
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, pace: usize) {
    let mut piece = [0; 32 << 10];
    while let Ok(length) = from.read(&mut piece) {
        if length == 0 || to.write_all(&piece[..length]).is_err() {
            return;
        }
        thread::sleep(Duration::from_secs_f64(length as f64 / pace as f64));
    }
}

//! A restore that stops in the middle: what was committed is kept, and the next run ends where an
//! undisturbed one ends.

use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use keyhaul::{
    backup::recovery_key,
    demo::{server::DemoServer, stories::Story},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{
    computer::{Call, Computer, Done},
    gate::{Gate, Passing},
    kept_keys::{KeptKey, Opener, keys},
    text,
};

const STORY: Story = Story::Plain;
/// A part of the answer with all keys, and more than all other answers together.
const IN_THE_MIDDLE: usize = 2 << 20;

/// The demo account behind a gate: some thousands of keys, some of them damaged on purpose.
struct Case {
    server: DemoServer,
    gate: Gate,
    /// What an undisturbed restore gives.
    undisturbed: Vec<KeptKey>,
}

impl Case {
    async fn new() -> Self {
        let server = DemoServer::start(STORY, SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let gate = Gate::before(server.address()).await;
        let mut case = Self { server, gate, undisturbed: Vec::new() };
        let computer = Computer::new();
        case.restore(&computer).done().ends_with(3);
        case.undisturbed = case.kept(&computer).unwrap();
        let expected = STORY.account().current().unwrap().1.expected();
        assert_eq!(case.undisturbed.len(), expected.openable);
        case
    }

    fn call<'c>(&self, computer: &'c Computer, arguments: &[&str]) -> Call<'c> {
        let password = STORY.password();
        computer.keyhaul(arguments).password(
            STORY.user_id(),
            password.expose(),
            &self.gate.base_url,
        )
    }

    fn restore<'c>(&self, computer: &'c Computer) -> Call<'c> {
        self.call(computer, &["restore"]).secret(STORY.recovery_key().expose())
    }

    /// `None` while there is no store.
    fn kept(&self, computer: &Computer) -> Option<Vec<KeptKey>> {
        let secret = recovery_key::parse(STORY.recovery_key().expose()).unwrap();
        let account = STORY.account();
        let default = &account.account_data["m.secret_storage.default_key"];
        let opener = Opener::StorageKey { id: text(default, "key").to_owned(), secret };
        let store = opener.open(computer, STORY.user_id(), &self.gate.base_url).ok()?;
        Some(keys(&store))
    }

    /// Waits until keys were committed; the gate keeps the run from ending.
    fn wait_for_keys(&self, computer: &Computer) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.kept(computer).is_none_or(|kept| kept.is_empty()) {
            assert!(Instant::now() < deadline, "no key was committed within 60 s");
            // Nothing can be waited for: the store belongs to another process.
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The next run brings the rest, and only the rest.
    #[track_caller]
    fn check_resumed(&self, computer: &Computer, before: &[KeptKey]) {
        self.gate.set(Passing::All);
        let part: BTreeSet<_> = before.iter().collect();
        let all: BTreeSet<_> = self.undisturbed.iter().collect();
        assert!(!part.is_empty() && part.len() < all.len() && part.is_subset(&all));
        let done = self.restore(computer).done().ends_with(3);
        let run = &done["runs"][0];
        assert_eq!(run["unchanged"], part.len());
        assert_eq!(run["new"], all.len() - part.len());
        let refused: usize = STORY.account().current().unwrap().1.expected().refused.values().sum();
        assert_eq!(run["refused_count"], refused);
        assert_eq!(done["stored_total"], all.len());
        assert_eq!(self.kept(computer).unwrap(), self.undisturbed);
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

async fn stopped_by(how: Signal, exit: i32) {
    let case = Case::new().await;
    let computer = Computer::new();
    case.gate.set(Passing::HoldAfter(IN_THE_MIDDLE));
    let running = case.restore(&computer).begin();
    case.wait_for_keys(&computer);
    signal(&running, how);
    let error = Done::of(running).fails(exit, "stopped");
    let kept = case.kept(&computer).unwrap();
    let told: String = text(&error, "safe").chars().filter(char::is_ascii_digit).collect();
    assert_eq!(told, kept.len().to_string());
    assert_eq!(case.server.devices(), 0);
    case.check_resumed(&computer, &kept);
    assert_eq!(case.server.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_keeps_what_was_committed() {
    stopped_by(Signal::TERM, 143).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigint_keeps_what_was_committed() {
    stopped_by(Signal::INT, 130).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_keeps_what_was_committed() {
    let case = Case::new().await;
    let computer = Computer::new();
    case.gate.set(Passing::HoldAfter(IN_THE_MIDDLE));
    let mut running = case.restore(&computer).begin();
    case.wait_for_keys(&computer);
    running.kill().unwrap();
    running.wait().unwrap();
    let kept = case.kept(&computer).unwrap();
    case.check_resumed(&computer, &kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_keeps_what_came() {
    let case = Case::new().await;
    let computer = Computer::new();
    case.gate.set(Passing::CutAfter(IN_THE_MIDDLE));
    // It goes on room by room, as far as anybody knows the rooms.
    let told = case.restore(&computer).done().ends_with(3);
    let kept = case.kept(&computer).unwrap();
    assert_eq!(told["stored_total"], kept.len());
    assert!(kept.len() < case.undisturbed.len());
    case.check_resumed(&computer, &kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_waits_for_nobody() {
    let case = Case::new().await;
    let computer = Computer::new();
    case.gate.set(Passing::HoldAfter(IN_THE_MIDDLE));
    let running = case.restore(&computer).begin();
    case.wait_for_keys(&computer);
    case.restore(&computer).done().fails(14, "already-running");
    case.gate.set(Passing::All);
    Done::of(running).ends_with(3);
    assert_eq!(case.kept(&computer).unwrap(), case.undisturbed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_snapshot_gives_what_is_in_it() {
    let case = Case::new().await;
    let computer = Computer::new();
    let (whole, cut) = (computer.file("whole.keyhaul"), computer.file("cut.keyhaul"));
    let saved = case.call(&computer, &["snapshot", "save", whole.to_str().unwrap()]).succeeds();
    let bytes = fs::read(&whole).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    // From here on nobody answers.
    let Case { server, gate, undisturbed } = case;
    drop(gate);
    server.shutdown().await;

    let restore = |file| {
        let call = computer.keyhaul(&["restore"]).secret(STORY.recovery_key().expose());
        call.path("--snapshot", file).done().ends_with(3)
    };
    let info =
        |file: &std::path::Path| computer.keyhaul(&["snapshot", "info", file.to_str().unwrap()]);
    let told = info(&cut).done().ends_with(3);
    assert_eq!((&told["complete"], &told["count"]), (&false.into(), &saved["count"]));
    let first = restore(&cut);
    let entries = |document: &Value| document["runs"][0]["entries"].as_u64().unwrap();
    assert_eq!(told["entries"], entries(&first));
    assert!(entries(&first) > 0 && told["entries"].as_u64() < saved["entries"].as_u64());
    let second = restore(&whole);
    assert_eq!(saved["entries"], entries(&second));
    assert_eq!(second["runs"][0]["unchanged"], first["runs"][0]["opened"]);
    assert_eq!(second["stored_total"], undisturbed.len());
}

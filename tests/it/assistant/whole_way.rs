//! The whole way in a real terminal: from nothing to restored keys, read messages and a key file, against the
//! demo homeserver and a real one; and no secret stays anywhere on the way.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use keyhaul::base::secret::SecretText;
use keyhaul::base::shown::grouped;
use keyhaul::demo::stories::Story;
use keyhaul::recovery::unlock::SecretKind;
use serde_json::Value;

use super::pty::Pty;
use crate::canary::{Canary, PASSWORD, canaries, found};
use crate::program::{Ada, Lab, Tree, runtime};
use crate::synapse::{Account, synapse};
use crate::unlocking::accounts::{LEGACY, LEGACY_PASSPHRASE, MODERN, PASSPHRASE, secrets};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyhaul");
const USUAL: (u16, u16) = (80, 24);
/// With the pane at the side that says more.
const WIDE: (u16, u16) = (120, 40);
/// What is at the end of the messages of the room “Family”.
const LAST_MESSAGE: &str = "Half past eleven, with the good umbrella.";
/// A passphrase that somebody chose for a key file.
const CHOSEN: &str = "Kanarienvogel/granite/velvet/9127";

/// The hands of a person at a terminal. A paste is one press.
struct Hands {
    pty: Pty,
    presses: Cell<usize>,
    /// Typed letter by letter, not pasted.
    types: bool,
}

impl Hands {
    /// At the first screen of keyhaul, on this computer, with this server.
    fn at(lab: &Lab, server: &str, size: (u16, u16), more: &[&str]) -> Self {
        let data = lab.data();
        let data = data.to_str().unwrap();
        let mut args = vec![format!("--homeserver={server}"), format!("--data-dir={data}")];
        args.extend(more.iter().map(|word| (*word).to_owned()));
        let pty = Pty::start(&lab.path("home"), size, PROGRAM, &args);
        Self { pty, presses: Cell::new(0), types: false }
    }

    fn key(&self, bytes: &str) {
        self.pty.types(bytes);
        self.presses.set(self.presses.get() + 1);
    }

    fn enter(&self) {
        self.key("\r");
    }

    fn gives(&self, text: &str) {
        if self.types {
            self.pty.letters(text);
            self.presses.set(self.presses.get() + text.chars().count());
        } else {
            self.pty.paste(text);
            self.presses.set(self.presses.get() + 1);
        }
    }

    #[track_caller]
    fn sees(&self, words: &str) -> String {
        self.pty.sees(words)
    }

    /// From the first screen to the field for the recovery key.
    fn to_the_key(&self, user: &str, password: &str, version: &str) {
        self.sees("Next: type your Matrix id and press Enter.");
        self.gives(user);
        self.enter();
        self.sees("Next: type your password");
        self.gives(password);
        self.enter();
        self.sees(&format!("Next: press Enter to see what backup {version} holds."));
        self.enter();
        self.sees("Next: press Enter and have");
        self.enter();
        self.sees("Next: type your recovery key, or paste it.");
    }

    /// Gives a secret that opens the current backup, and sees the plan.
    fn to_the_plan(&self, secret: &str, version: &str, keys: u64) {
        self.gives(secret);
        let opens = format!("opens {} keys: backup {version}, the current one.", grouped(keys));
        // A passphrase costs time, so keyhaul asks first.
        let asks = "Next: press Enter to try it.";
        let screen = self.pty.until(&opens, |screen| {
            let screen = screen.contents();
            screen.contains(&opens) || screen.contains(asks)
        });
        if !screen.contains(&opens) {
            self.enter();
            self.sees(&opens);
        }
        self.enter();
    }

    /// Enter on a plan: the keys are here.
    fn restores(&self, version: &str, keys: u64) -> String {
        self.sees("Next: press Enter to restore.");
        self.enter();
        self.sees(&format!("Restored. {} keys of backup {version} are on this", grouped(keys)))
    }

    /// Leaves. Returns what is on the shell's screen, and every byte that came.
    #[track_caller]
    fn leaves(self) -> (String, Vec<u8>) {
        self.pty.types("q");
        let (exit, screen, bytes) = self.pty.ended();
        assert_eq!(exit, 0, "{screen}");
        (screen, bytes)
    }
}

/// Text without the frame and with single spaces, as a person reads on over the end of a line.
fn read(screen: &str) -> String {
    screen.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ada, with a password that is found again wherever it is left.
fn ada() -> Ada {
    Ada::with(|account| account.password = PASSWORD.to_owned())
}

/// Entries of her current backup, and how many of them are sound.
fn figures(ada: &Ada) -> (u64, u64) {
    let expected = ada.account.version(3).unwrap().expected();
    (expected.entries as u64, expected.openable as u64)
}

/// The one file in the home that is a key file.
fn key_file(lab: &Lab) -> String {
    let home = lab.path("home");
    let tree = Tree::of(&home);
    let mut files = tree.named(".txt");
    let file = files.next().expect("a key file");
    assert_eq!(files.next(), None);
    home.join(file).to_str().unwrap().to_owned()
}

/// A key file opens with its passphrase and holds so many keys, and keyhaul takes it back in.
fn assert_holds(ada: &Ada, passphrase: &str, keys: u64) {
    let file = key_file(&ada.lab);
    let text = std::fs::read_to_string(&file).unwrap();
    let sessions = crate::key_files::sessions(&text, passphrase).unwrap();
    let sound: HashSet<_> = sessions
        .iter()
        .map(|session| {
            let session = session.as_ref().unwrap_or_else(|fault| panic!("{fault:?}"));
            (session.room_id.clone(), session.session_id().to_string())
        })
        .collect();
    assert_eq!((sessions.len() as u64, sound.len() as u64), (keys, keys));
    let secret = format!("--secret-file={}", ada.file("recovery key"));
    let words = format!("--passphrase-file={}", ada.lab.secret("words", passphrase));
    let imported = ada.lab.json(&["import", &file, &secret, &words], 0);
    assert_eq!(imported["unchanged"], keys, "{imported:#}");
}

// Secrets.

/// All secrets of Ada's, the recovery key in every spelling, and the groups of four of it.
struct Secrets {
    everywhere: Vec<Canary>,
    /// Four characters are in any large file by chance: they are looked for where text is.
    in_text: Vec<Canary>,
}

impl Secrets {
    fn of(ada: &Ada) -> Self {
        let key = Story::Plain.recovery_key();
        let mut everywhere = canaries(ada);
        for between in ["-", "\n", "\r\n", "  ", "\u{a0}", "_", "\t"] {
            let text = key.expose().replace(' ', between);
            everywhere.push(Canary::text("recovery key in another spelling", &text));
        }
        let groups = key.expose().split(' ');
        let in_text = groups.map(|group| Canary::exactly("group of four", group)).collect();
        Self { everywhere, in_text }
    }

    fn add(&mut self, name: &'static str, secret: &str) {
        self.everywhere.push(Canary::text(name, secret));
    }

    /// What of them a text gives away.
    fn in_text(&self, bytes: &[u8]) -> Vec<&'static str> {
        let mut names = found(&self.everywhere, bytes);
        names.extend(found(&self.in_text, bytes));
        names
    }

    /// Files that give one away, and those whose name does.
    fn in_files(&self, folder: &Path) -> Vec<String> {
        let mut leaks = Vec::new();
        for (path, bytes) in &Tree::of(folder).entries {
            let bytes = bytes.as_deref().unwrap_or_default();
            let log = path.ends_with("log");
            let mut names = if log { self.in_text(bytes) } else { found(&self.everywhere, bytes) };
            names.extend(self.in_text(path.to_string_lossy().as_bytes()));
            leaks.extend(names.into_iter().map(|name| format!("{name} in {}", path.display())));
        }
        leaks
    }

    /// Nothing of them is left on a computer, and its log was written.
    #[track_caller]
    fn assert_not_left(&self, lab: &Lab) {
        assert!(lab.path("home/log").exists());
        for place in ["home", "data", "tmp"] {
            assert_eq!(self.in_files(&lab.path(place)), Vec::<String>::new(), "{place}");
        }
    }
}

/// Every byte, and every row that ever stood on the screen: a word that is drawn in pieces is found, too.
fn ever_seen(bytes: &[u8], size: (u16, u16)) -> Vec<u8> {
    let mut screen = vt100::Parser::new(size.1, size.0, 0);
    let mut rows = HashSet::new();
    for piece in bytes.chunks(48) {
        screen.process(piece);
        rows.extend(screen.screen().rows(0, size.0));
    }
    let rows: Vec<String> = rows.into_iter().collect();
    [bytes, b"\n", rows.join("\n").as_bytes()].concat()
}

/// What says who, where and what: ids, names of rooms and people, words of messages, names of files.
fn private(ada: &Ada) -> Vec<String> {
    let family = ada.account.rooms.iter().find(|room| room.name.as_deref() == Some("Family"));
    let family: String = family.unwrap().id.chars().skip(1).take(6).collect();
    let words = [
        "@ada",
        "example.org",
        "127.0.0.1",
        // Rooms.
        "Family",
        "Release team",
        "Chess on Sundays",
        "Choir",
        // People.
        "Grace",
        "Mary",
        "Alan",
        // Messages, and what they answer.
        "good umbrella",
        "Who fetches grandmother",
        "smell it from across the street",
        "Cake is out",
        "Soup is on the table",
        // Files: those of the key file and of messages.
        "matrix-keys",
        "keyhaul-test-",
        "seating-plan",
    ];
    words.into_iter().map(str::to_owned).chain([family]).collect()
}

fn said(words: &[String], bytes: &[u8]) -> Vec<String> {
    let holds = |word: &&String| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    words.iter().filter(holds).cloned().collect()
}

/// Nine presses from nothing to restored keys; then messages are read, and a key file is made of the keys.
/// Nothing is written to the server, and no secret is left anywhere.
#[test]
fn nine_presses_then_messages_and_a_key_file() {
    let ada = ada();
    let before = ada.server.devices();
    let (entries, sound) = figures(&ada);
    let key = Story::Plain.recovery_key();
    let log = format!("--log-file={}", ada.lab.path("home/log").display());
    let hands = Hands::at(&ada.lab, ada.server.base_url(), USUAL, &[&log]);
    hands.to_the_key(&ada.account.user_id, PASSWORD, "3");
    hands.to_the_plan(key.expose(), "3", entries);
    let screen = hands.restores("3", sound);
    assert_eq!(hands.presses.get(), 9);
    let screen = read(&screen);
    let back = format!("the store was read back: {} keys whole", grouped(sound));
    assert!(screen.contains(&back), "{screen}");

    hands.enter();
    let screen = hands.sees(LAST_MESSAGE);
    assert!(screen.contains("┌ Family "), "{screen}");
    // Up to an older one.
    hands.pty.types(&"\x1b[A".repeat(12));
    hands.sees("seating-plan.pdf");
    hands.enter();
    let screen = hands.sees("Other apps do not see them by themselves.");
    let here = format!("{} keys, locked with your recovery key", grouped(sound));
    assert!(screen.contains(&here), "{screen}");

    hands.enter();
    let screen = hands.sees("Write it down now.");
    assert!(screen.contains("$ keyhaul export /"), "no shell knows a quoted ~: {screen}");
    let rows = screen.lines().take_while(|row| !row.contains("Write it down now."));
    let passphrase = rows.last().unwrap().replace('│', "").trim().to_owned();
    assert!(passphrase.split('-').count() >= 6, "{screen}");
    hands.enter();
    hands.sees("Write the passphrase down, then press Space.");
    hands.key(" ");
    hands.sees("[x] I have written it down");
    hands.enter();
    // While it is written, its name is what it was.
    hands.pty.types("\x1b[Z\x1b[Zzz");
    let screen = read(&hands.sees("The file was read back with the passphrase."));
    assert!(screen.contains(&format!("✓ {} keys are in ", grouped(sound))), "{screen}");
    let file = key_file(&ada.lab);
    let name = Path::new(&file).file_name().unwrap().to_str().unwrap();
    // Long names go on in the next row.
    assert!(screen.replace(' ', "").contains(&format!("{name}(")), "{screen}");

    // Once the recovery key is forgotten, nothing says that there were no keys.
    hands.pty.types("4");
    hands.sees("✓ It opens ");
    hands.pty.types("\x1b[3~");
    hands.sees("What was typed is forgotten.");
    hands.pty.types("\x1b");
    hands.pty.types("6");
    hands.sees("Your keys are on this computer, locked with your recovery key.");
    hands.pty.types("7");
    hands.pty.types("\r");
    hands.sees("Your keys are here, locked. Type your recovery key first: press 4.");
    let (screen, bytes) = hands.leaves();
    let words = read(&screen);
    assert!(words.contains("The device “keyhaul recovery” was removed."), "{screen}");
    let here = format!("{} keys are on this computer, locked", grouped(sound));
    assert!(words.contains(&here), "{screen}");
    assert!(words.contains("A locked copy of backup 3 is in "), "{screen}");
    assert_eq!((ada.server.devices(), ada.server.writes()), (before, 0));

    let mut secrets = Secrets::of(&ada);
    let seen = ever_seen(&bytes, USUAL);
    assert_eq!(secrets.in_text(&seen), Vec::<&str>::new());
    // It was on the screen on purpose, and is nowhere else.
    secrets.add("passphrase of the key file", &passphrase);
    assert_eq!(secrets.in_text(&seen), ["passphrase of the key file"]);
    secrets.assert_not_left(&ada.lab);
    // Without the mask all of it was to be seen; so the search of the test below finds it.
    let words = private(&ada);
    assert_eq!(said(&words, &seen), words);
    assert_holds(&ada, &passphrase, sound);
}

/// Everything is typed letter by letter, and names are hidden on all seven screens: nobody who looks on, or
/// records the terminal, learns who it is, what they read, or any four characters of a secret.
#[test]
fn typed_under_the_mask_nothing_is_given_away() {
    let ada = ada();
    let before = ada.server.devices();
    let (entries, sound) = figures(&ada);
    let key = Story::Plain.recovery_key();
    let log = format!("--log-file={}", ada.lab.path("home/log").display());
    let mut hands = Hands::at(&ada.lab, ada.server.base_url(), WIDE, &[&log, "--mask"]);
    hands.types = true;
    hands.to_the_key(&ada.account.user_id, PASSWORD, "3");
    hands.key("\x12");
    hands.sees("Nothing is shown while names are hidden.");
    // Up to the last group; shown is nothing, moved is through all cells.
    let (most, last) = key.expose().rsplit_once(' ').unwrap();
    hands.gives(most);
    hands.sees("44 of 48");
    hands.key("\x1b[A");
    hands.key("\x12");
    hands.key("\x1b[F");
    hands.to_the_plan(last, "3", entries);
    hands.restores("3", sound);
    hands.enter();
    hands.sees("39 messages opened");
    // Page by page to the oldest one.
    for _ in 0..4 {
        hands.pty.types("\x1b[5~");
    }
    hands.pty.types("x");
    hands.pty.types("\x1b[C");
    hands.sees("Why this message is closed");
    hands.pty.types("\x1b");
    hands.sees("↑ reads further back");
    hands.key("\t");
    hands.sees("Which room?");
    hands.pty.types("\x1b");
    hands.sees("↑ reads further back");
    hands.enter();
    hands.sees("Other apps do not see them by themselves.");
    hands.enter();
    hands.sees("Hidden: unmask with m");
    hands.key("\t");
    hands.key(" ");
    hands.sees("I choose one");
    hands.key("\t");
    hands.gives(CHOSEN);
    hands.key("\x12");
    hands.sees("Nothing is shown while names are hidden.");
    hands.key("\t");
    hands.gives(CHOSEN);
    hands.sees("the same");
    hands.enter();
    hands.sees("The file was read back with the passphrase.");
    let (screen, bytes) = hands.leaves();
    assert!(read(&screen).contains("A locked copy of backup 3 is on this computer."), "{screen}");
    assert_eq!((ada.server.devices(), ada.server.writes()), (before, 0));

    let mut secrets = Secrets::of(&ada);
    secrets.add("passphrase of the key file", CHOSEN);
    let seen = ever_seen(&bytes, WIDE);
    assert_eq!(secrets.in_text(&seen), Vec::<&str>::new());
    assert_eq!(said(&private(&ada), &seen), Vec::<String>::new());
    secrets.assert_not_left(&ada.lab);
    assert_holds(&ada, CHOSEN, sound);
}

/// The searches above find what is planted: in a byte stream, in pieces on the screen, in a file.
#[test]
fn the_searches_find_what_is_planted() {
    let ada = ada();
    let secrets = Secrets::of(&ada);
    let key = Story::Plain.recovery_key();
    let group = key.expose().split(' ').nth(6).unwrap();
    let clean = format!("\x1b[2J\x1b[5;5H{}", "Restored. 5 427 keys.");
    assert_eq!(secrets.in_text(&ever_seen(clean.as_bytes(), USUAL)), Vec::<&str>::new());
    // Drawn backwards, letter by letter, with what else is drawn between them.
    let letters = group.char_indices().rev();
    let pieces = letters.map(|(at, c)| format!("\x1b[3;{}H{c}\x1b[1;1Hkeyhaul", 20 + at));
    let pieces: String = pieces.collect();
    assert_eq!(secrets.in_text(pieces.as_bytes()), Vec::<&str>::new());
    assert_eq!(secrets.in_text(&ever_seen(pieces.as_bytes(), USUAL)), ["group of four"]);
    for (name, planted) in [
        ("log", group.to_owned()),
        ("deep/down/left over", key.expose().replace(' ', "-")),
        ("deep/password.txt", format!("password={PASSWORD}\n")),
        ("deep/key", key.expose().replace(' ', "")),
    ] {
        let path = ada.lab.path("home").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, planted).unwrap();
        let leaks = secrets.in_files(&ada.lab.path("home"));
        assert!(!leaks.is_empty() && leaks.iter().all(|leak| leak.ends_with(name)), "{leaks:?}");
        std::fs::remove_file(path).unwrap();
    }
    let path = ada.lab.path("tmp").join(key.expose());
    std::fs::write(path, "").unwrap();
    assert!(!secrets.in_files(&ada.lab.path("tmp")).is_empty());
}

// A real homeserver.

/// The keys that a store says it holds.
fn kept(lab: &Lab, secret: &str) -> Value {
    let secret = format!("--secret-file={}", lab.secret("secret", secret));
    lab.json(&["store", "info", &secret], 0)["keys"].take()
}

/// From nothing to restored keys by each kind of secret that belongs to an account which a real client made.
fn every_secret_restores(fixture: &str) {
    let Some(synapse) = synapse() else { return };
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let keys = fixture["sessions"].as_array().unwrap().len() as u64;
    let there = runtime().block_on(synapse.account_of_fixture(&fixture));
    let Account { user_id, password, .. } = &there.account;
    let mut kinds = BTreeSet::new();
    for (secret, kind, opens_storage) in secrets(&fixture) {
        let word = serde_json::to_value(kind).unwrap().to_string();
        if !kinds.insert((word, opens_storage)) {
            continue;
        }
        let lab = Lab::new();
        let hands = Hands::at(&lab, synapse.base_url(), USUAL, &[]);
        hands.to_the_key(user_id, password, &there.version);
        hands.to_the_plan(&secret, &there.version, keys);
        let screen = read(&hands.restores(&there.version, keys));
        // Only for a passphrase somebody has to ask.
        let presses = if kind == SecretKind::Passphrase { 10 } else { 9 };
        assert_eq!(hands.presses.get(), presses, "{kind:?}");
        let back = format!("the store was read back: {keys} keys whole");
        assert!(screen.contains(&back), "{kind:?}: {screen}");
        let (screen, _) = hands.leaves();
        let here = format!("{keys} keys are on this computer");
        assert!(read(&screen).contains(&here), "{screen}");
        assert_eq!(kept(&lab, &secret), keys, "{kind:?}");
    }
    let has = |name: &str| fixture[name].is_string();
    let expected = 2 + usize::from(has("passphrase")) + 2 * usize::from(has("ss_key_id"));
    assert_eq!(kinds.len(), expected, "{kinds:?}");
}

#[test]
fn a_modern_account_on_a_real_homeserver() {
    every_secret_restores(MODERN);
}

#[test]
fn an_account_with_a_passphrase_on_a_real_homeserver() {
    every_secret_restores(PASSPHRASE);
}

#[test]
fn a_legacy_account_on_a_real_homeserver() {
    every_secret_restores(LEGACY);
}

#[test]
fn a_legacy_account_with_a_passphrase_on_a_real_homeserver() {
    every_secret_restores(LEGACY_PASSPHRASE);
}

/// A paper of a real client's, copied with a wrong letter: keyhaul finds what was meant, and restores with it.
/// The check-up is content with the key then.
fn a_miscopied_paper_restores(fixture: &str) {
    let Some(synapse) = synapse() else { return };
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let keys = fixture["sessions"].as_array().unwrap().len() as u64;
    let there = runtime().block_on(synapse.account_of_fixture(&fixture));
    let Account { user_id, password, .. } = &there.account;
    let mut paper: Vec<char> = fixture["recovery_key"].as_str().unwrap().chars().collect();
    paper[22] = if paper[22] == 'x' { 'k' } else { 'x' };
    let paper: String = paper.into_iter().collect();
    let lab = Lab::new();
    let hands = Hands::at(&lab, synapse.base_url(), USUAL, &[]);
    hands.to_the_key(user_id, password, &there.version);
    hands.gives(&paper);
    hands.sees("there is a slip somewhere");
    hands.enter();
    let screen = hands.sees("One slip found.");
    assert!(screen.contains(&format!("opens backup {}", there.version)), "{screen}");
    hands.enter();
    hands.sees("the current one.");
    hands.key("c");
    hands.sees("nothing needs you");
    hands.key("\x1b");
    hands.sees("Next: press Enter. keyhaul shows the plan");
    hands.enter();
    hands.restores(&there.version, keys);
    let (screen, _) = hands.leaves();
    assert!(read(&screen).contains("Correct your paper: cell "), "{screen}");
    assert_eq!(kept(&lab, fixture["recovery_key"].as_str().unwrap()), keys);
}

#[test]
fn miscopied_papers_on_a_real_homeserver() {
    for fixture in [MODERN, PASSPHRASE, LEGACY, LEGACY_PASSPHRASE] {
        a_miscopied_paper_restores(fixture);
    }
}

/// Whoever comes a second time is told that everything is here, and nothing is written again.
#[test]
fn a_second_restore_has_nothing_to_write() {
    let Some(synapse) = synapse() else { return };
    let fixture: Value = serde_json::from_str(MODERN).unwrap();
    let paper = SecretText::new(fixture["recovery_key"].as_str().unwrap().to_owned());
    let keys = fixture["sessions"].as_array().unwrap().len() as u64;
    let there = runtime().block_on(synapse.account_of_fixture(&fixture));
    let Account { user_id, password, .. } = &there.account;
    let lab = Lab::new();
    for again in [false, true] {
        let hands = Hands::at(&lab, synapse.base_url(), USUAL, &[]);
        hands.to_the_key(user_id, password, &there.version);
        hands.to_the_plan(paper.expose(), &there.version, keys);
        if again {
            let screen = hands.sees("Everything is here already. There is nothing to write.");
            assert!(screen.contains("Next: press Enter to read your messages."), "{screen}");
            hands.enter();
            hands.sees("Nothing is marked as read, and nobody sees that you look.");
        } else {
            hands.restores(&there.version, keys);
        }
        hands.leaves();
        assert_eq!(kept(&lab, paper.expose()), keys);
    }
}

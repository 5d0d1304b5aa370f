//! Every bound in one table (DESIGN §4). What a server or a file says is never trusted beyond these.

use std::time::Duration;

/// Largest decoded body of `room_keys/keys`, in bytes.
pub const KEYS_BODY: u64 = 2 << 30;
/// Most entries taken from one backup version.
pub const ENTRIES: u64 = 2_000_000;
/// Most rooms taken from one backup version.
pub const ROOMS: u64 = 100_000;
/// Largest single entry, in bytes of JSON.
pub const ENTRY: usize = 64 << 10;
/// Largest map key (room id, session id) or id of a 4S key taken, in bytes of JSON text.
pub const NAME: usize = 1 << 10;
/// Largest list of rooms that somebody gives, in bytes.
pub const ROOMS_FILE: u64 = 32 << 20;
/// Deepest nesting of JSON.
pub const JSON_DEPTH: u32 = 32;
/// Largest answer of every other endpoint, in bytes.
pub const ANSWER: u64 = 1 << 20;
/// Largest `.well-known` document, in bytes.
pub const WELL_KNOWN: u64 = 64 << 10;
/// Longest version name accepted from a server, in bytes.
pub const VERSION_NAME: usize = 255;
/// Longest etag of a version accepted from a server, in bytes.
pub const ETAG: usize = 255;
/// Most of a server's error text that is shown, in characters.
pub const ERROR_TEXT: usize = 300;
/// Most older versions asked for one after the other (SPEC §1.5).
pub const VERSION_PROBES: u64 = 200;
/// Largest version number that makes probing of older ones sensible (SPEC §1.5).
pub const VERSION_NUMBER: u64 = 1_000;
/// Most of a refusal's body that is read, in bytes.
pub const REFUSAL: u64 = 64 << 10;
/// Most of an answer that is no Matrix answer that is shown, in characters.
pub const ANSWER_BEGINS: usize = 80;
/// Most of a room's name that is kept, in characters.
pub const ROOM_NAME: usize = 255;
/// Most of a device's name that is kept, in characters.
pub const DEVICE_NAME: usize = 80;
/// Most of a person's name that is kept, in characters.
pub const PERSON_NAME: usize = 80;
/// Most people whose names make the name of a room.
pub const HEROES: usize = 5;
/// Most room names asked for at a time.
pub const NAMES_AT_A_TIME: usize = 4;
/// Most rooms whose names are asked for in one request.
pub const NAMES_ON_A_PAGE: usize = 100;
/// Fewest rooms in one request, when the answer about more is too large.
pub const NAMES_ON_THE_SHORTEST_PAGE: usize = 12;
/// Faults of the server or the connection after which no more names are asked for.
pub const NAMES_FAULTS: usize = 3;
/// Most rooms that are asked for in the way strangers ask, which can take a server long.
pub const SUMMARIES: usize = 50;
/// Longest time that all of these together are waited for.
pub const SUMMARIES_TIME: Duration = Duration::from_secs(15);
/// Most room names that are remembered for an account.
pub const NAMES_KEPT: usize = 20_000;
/// Largest file of remembered room names, in bytes.
pub const NAMES_FILE: u64 = 8 << 20;
/// Time to connect.
pub const CONNECT: Duration = Duration::from_secs(10);
/// Time to the first byte of a keys body: servers build it in memory first.
pub const KEYS_FIRST_BYTE: Duration = Duration::from_secs(600);
/// Time to the first byte of other answers.
pub const FIRST_BYTE: Duration = Duration::from_secs(60);
/// Longest silence inside a body.
pub const IDLE: Duration = Duration::from_secs(60);
/// Longest pause that a server may ask for before somebody is asked instead.
pub const RETRY_AFTER: Duration = Duration::from_secs(300);
/// Most pauses in a row for one request, when the server asks for them.
pub const PAUSES: u32 = 10;
/// First pause where the server names none; each further one is twice as long.
pub const BACK_OFF: Duration = Duration::from_secs(1);
/// Longest pause where the server names none.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);
/// Most times that a request is sent again after a fault.
pub const FAULTS: u32 = 2;
/// The same for the keys of one room: by then the long way has been chosen already.
pub const FAULTS_OF_A_ROOM: u32 = 5;
/// Most redirects followed, and only within one origin.
pub const REDIRECTS: usize = 3;
/// Bytes between the socket and the store at any time.
pub const IN_FLIGHT: usize = 4 << 20;
/// Most rows in one transaction of the store.
pub const TRANSACTION_ROWS: usize = 20_000;
/// Longest time a transaction of the store stays open.
pub const TRANSACTION_TIME: Duration = Duration::from_millis(250);
/// Most 4S keys looked at for one account.
pub const STORAGE_KEYS: usize = 32;
/// Most PBKDF2 rounds of one derivation that are done without asking; what servers and files say of
/// rounds is theirs to choose.
pub const STRETCH_ROUNDS: u64 = 10_000_000;
/// Most PBKDF2 rounds done for one typed secret, over all locks and spellings, without asking.
pub const STRETCH_BUDGET: u64 = 20_000_000;
/// Rounds between two looks at a wish to stop.
pub const STRETCH_STEP: u32 = 1_000;
/// Most candidates kept of one session from backups.
pub const CANDIDATES: usize = 4;
/// Most refused entries listed in an answer; the rest goes to a file.
pub const REFUSED_LISTED: usize = 10_000;
/// Most other keys that are tried on an entry which was locked for another key than its backup's.
pub const OTHER_KEYS: usize = 16;
/// Most rooms of a server that are asked for entries on which a key can be tried.
pub const SAMPLED_ROOMS: usize = 10;
/// Most bytes of one answer that are read for that.
pub const SAMPLED_BYTES: u64 = 256 << 10;
/// Entries tried where no public key tells whether a key opens a backup.
pub const SAMPLED_ENTRIES: usize = 50;
/// Largest key file, in bytes.
pub const KEY_FILE: u64 = 512 << 20;
/// Largest file that holds a secret, a password or a token, in bytes.
pub const SECRET_FILE: u64 = 64 << 10;
/// Longest message index kept as a number from an entry's metadata.
pub const MESSAGE_INDEX: u64 = u32::MAX as u64;
/// Largest event of a room's history taken, in bytes of JSON: 64 KiB, and what servers add.
pub const EVENT: usize = 256 << 10;
/// Largest page of a room's history, in bytes.
pub const HISTORY_PAGE: u64 = 16 << 20;
/// Most events asked for in one page of a room's history.
pub const HISTORY_EVENTS: usize = 100;
/// Most events taken from one page, however many a server sends.
pub const HISTORY_CHUNK: usize = 1_000;
/// Most pages of a room's history asked for in one go.
pub const HISTORY_PAGES: usize = 200;
/// Most messages of a room read in one go.
pub const HISTORY_MESSAGES: usize = 10_000;
/// Longest place in a room's history that a server may name, in bytes.
pub const HISTORY_TOKEN: usize = 4 << 10;
/// Most keys that no one here has for which the backups on the server are asked in one go.
pub const KEYS_LOOKED_FOR: usize = 20;
/// Most backups that are asked for each of them.
pub const BACKUPS_LOOKED_IN: usize = 5;
/// Most opened messages remembered for finding one that was sent twice.
pub const MESSAGES_REMEMBERED: usize = 100_000;
/// Largest list of passphrases to try, in bytes.
pub const SECRET_LIST: u64 = 4 << 20;
/// Longest line of it, in bytes.
pub const LIST_LINE: usize = 1 << 10;
/// Most passphrases that a list may give with its variations.
pub const GUESSES: usize = 500_000;
/// Most PBKDF2 rounds done for a list without asking: about a minute on a small computer.
pub const LIST_BUDGET: u64 = 200_000_000;

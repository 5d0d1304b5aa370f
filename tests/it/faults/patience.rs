//! Servers that are slow, or never answer: how long they are waited for, and how soon a wish to stop is
//! heard (N4, N5, H29).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use keyhaul::{
    base::{cancel::Cancel, failure::Code, limits, progress::Silent, secret::SecretText},
    homeserver::{
        Client, Patience, RequestError, Session, Settings,
        room_keys::{Part, keys},
        sign_in::token,
    },
};
use serde_json::json;
use url::Url;

use super::way::Person;
use crate::program::{Between, Step, Trick, runtime};

/// From a wish to stop until the store is at rest (DESIGN §4).
const AT_REST: Duration = Duration::from_millis(500);

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 64\r\n\r\n";

/// A session whose every wait but for connections is this long.
async fn waiting(between: &Between, patience: Duration) -> Session {
    let patience = Patience {
        first_byte: patience,
        keys_first_byte: patience,
        idle: patience,
        ..Patience::default()
    };
    let settings = Settings { patience, ..Settings::default() };
    let client = Client::new(Url::parse(&between.base).unwrap(), &settings).unwrap();
    let token = SecretText::new("syt_any".to_owned());
    token::sign_in(&client, token, &Cancel::default()).await.unwrap()
}

fn says(steps: Vec<Step>) -> Between {
    let whoami = Trick::Say(200, json!({"user_id": "@ada:example.org"}));
    Between::alone(vec![("/account/whoami ", whoami), ("/room_keys/keys", Trick::script(steps))])
}

async fn read(session: &Session) -> Result<u64, RequestError> {
    let cancel = Cancel::default();
    let mut stream = keys(session, "1", Part::Whole, limits::KEYS_BODY, &cancel).await?;
    while stream.next().await?.is_some() {}
    Ok(stream.received())
}

/// As long as something comes again and again, nobody gives up.
#[test]
fn a_slow_body_is_read_to_its_end() {
    runtime().block_on(async {
        let body = format!("{{{}}}", " ".repeat(62)).into_bytes();
        let drip = Step::Drip(body, Duration::from_millis(5));
        let between = says(vec![Step::Say(HEAD.into()), drip]);
        let session = waiting(&between, Duration::from_secs(20)).await;
        assert_eq!(read(&session).await.unwrap(), 64);
    });
}

/// Silence that lasts longer than the patience ends it, before the head, behind it, and in the body.
#[test]
fn a_body_that_drips_too_slowly_is_given_up() {
    runtime().block_on(async {
        let slow = Step::Drip(b"{ ".to_vec(), Duration::from_secs(600));
        let [head, half] = [HEAD, &HEAD[..20]].map(|said| Step::Say(said.into()));
        for steps in [
            vec![head.clone(), slow],
            vec![head, Step::Hang],
            vec![half, Step::Hang],
            vec![Step::Hang],
        ] {
            let told = format!("{steps:?}");
            let between = says(steps);
            let session = waiting(&between, Duration::from_millis(80)).await;
            let end = read(&session).await;
            assert!(matches!(end, Err(RequestError::Silent { .. })), "{told}: {end:?}");
        }
    });
}

/// Nobody has to wait for a server that says nothing, or next to nothing.
#[test]
fn a_wish_to_stop_is_heard_at_once_while_a_server_is_silent() {
    runtime().block_on(async {
        let person = Person::new().await;
        for (name, steps) in [
            ("hang", vec![Step::Hang]),
            ("body", vec![Step::Say(HEAD.into()), Step::Hang]),
            (
                "drip",
                vec![Step::Say(HEAD.into()), Step::Drip(vec![b' '; 64], Duration::from_secs(5))],
            ),
        ] {
            let folder = person.ada.lab.path(name);
            let cancel = Cancel::default();
            let asked = person.between.heads().len();
            let trick = Some(Trick::script(steps));
            let restoring = person.restore(&folder, Vec::new(), trick, cancel.clone());
            let stop = async {
                person.between.is_asked_after(asked, "/room_keys/keys").await;
                cancel.cancel();
                Instant::now()
            };
            let (ended, stopped) = tokio::join!(restoring, stop);
            assert!(stopped.elapsed() < AT_REST, "{name}: {:?}", stopped.elapsed());
            let code = ended.unwrap().runs[0].shortfall.as_ref().unwrap().code();
            assert_eq!(code, Code::Stopped, "{name}");
        }
    });
}

/// 200 rooms, and a server that answers no question about any: four are asked at a time, and a wish to
/// stop ends all of them.
#[test]
fn a_tarpit_holds_nobody() {
    runtime().block_on(async {
        let person = Person::new().await;
        person.between.play(vec![("/rooms/", Trick::script([Step::Hang]))]);
        let rooms: Vec<Arc<str>> = (0..200).map(|n| format!("!{n}:example.org").into()).collect();
        let cancel = Cancel::default();
        let names = person.visit.names(rooms.iter(), None, &Silent, &cancel);
        let asked = || {
            let heads = person.between.heads();
            heads.iter().filter(|head| head.contains("/rooms/")).count()
        };
        let stop = async {
            while asked() < limits::NAMES_AT_A_TIME {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
            Instant::now()
        };
        let (names, stopped) = tokio::join!(names, stop);
        assert!(stopped.elapsed() < AT_REST, "{:?}", stopped.elapsed());
        assert!(names.is_empty());
        assert_eq!(asked(), limits::NAMES_AT_A_TIME);
    });
}

/// The keys of 200 rooms, the third of which never comes.
#[test]
fn a_tarpit_among_rooms_can_be_left_and_gone_on_from() {
    runtime().block_on(async {
        let person = Person::new().await;
        let mut rooms: Vec<String> =
            person.entries.iter().map(|entry| entry.room.clone()).collect();
        rooms.dedup();
        rooms.extend((0..200).map(|n| format!("~{n}")));
        let folder = person.ada.lab.path("rooms");
        let cancel = Cancel::default();
        let turns = Trick::turns([Trick::PASS, Trick::PASS, Trick::script([Step::Hang])]);
        let restoring = person.restore(&folder, rooms, Some(turns), cancel.clone());
        let stop = async {
            person.between.is_asked("/room_keys/keys/~0").await;
            cancel.cancel();
            Instant::now()
        };
        let (ended, stopped) = tokio::join!(restoring, stop);
        assert!(stopped.elapsed() < AT_REST, "{:?}", stopped.elapsed());
        // What was on its way when somebody asked to stop may be left lying, but nothing is half there.
        assert_eq!(ended.unwrap().stored_total, person.known(&folder).len() as u64);
        let again = person.restore(&folder, Vec::new(), None, Cancel::default()).await;
        assert_eq!(again.unwrap().stored_total, person.entries.len() as u64);
    });
}

//! What rooms are called, and what is asked to find out: against servers of the tests' own and a real
//! one.

mod faults;
mod hostile;
mod memory;
pub(crate) mod real;
mod steps;

use std::sync::{Arc, Mutex};

use keyhaul::{
    base::{
        cancel::Cancel,
        progress::{News, Progress},
        secret::SecretText,
    },
    recovery::{
        look::Wanted,
        names::{Kind, RoomName, names},
        sign_in::{Asked, Surroundings, Way, sign_in},
        visit::{Place, Visit},
    },
    store::folder::{DataDir, Folder},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{any, method, path},
};

const USER: &str = "@ada:example.org";
const V3: &str = "/_matrix/client/v3";
const SYNC: &str = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";

fn answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn forbidden() -> ResponseTemplate {
    answer(403, &json!({"errcode": "M_FORBIDDEN", "error": "You are not in this room."}))
}

/// Who is signed in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// keyhaul's own device.
    Own,
    /// Another app's token.
    Borrowed,
}

/// An account whose server knows of nothing but what a test adds, and a computer.
struct House {
    server: MockServer,
    home: TempDir,
}

/// What a call told, in order.
type Told = Vec<(String, RoomName)>;

impl House {
    async fn new() -> Self {
        let server = MockServer::start().await;
        let home = tempfile::tempdir().unwrap();
        let house = Self { server, home };
        let none = answer(404, &json!({"errcode": "M_NOT_FOUND", "error": "Event not found."}));
        Mock::given(any()).respond_with(none).with_priority(255).mount(&house.server).await;
        let login = json!({"user_id": USER, "access_token": "syt_own", "device_id": "KEYHAUL"});
        house.on("POST", "/login", answer(200, &login)).await;
        let whoami = json!({"user_id": USER, "device_id": "PHONE"});
        house.on("GET", "/account/whoami", answer(200, &whoami)).await;
        house.serve("/_matrix/client/versions", json!({"versions": ["v1.11"]})).await;
        house
    }

    /// What the server answers; `at` is below `/v3`.
    async fn on(&self, verb: &str, at: &str, answered: impl Respond + 'static) {
        let at = format!("{V3}{at}");
        let mock = Mock::given(method(verb)).and(path(at.as_str()));
        mock.respond_with(answered).mount(&self.server).await;
    }

    async fn serve(&self, at: &str, body: Value) {
        let mock = Mock::given(method("GET")).and(path(at)).respond_with(answer(200, &body));
        mock.with_priority(9).mount(&self.server).await;
    }

    async fn joined(&self, rooms: &[&str]) {
        self.on("GET", "/joined_rooms", answer(200, &json!({"joined_rooms": rooms}))).await;
    }

    async fn direct(&self, content: Value) {
        let at = "/user/%40ada%3Aexample.org/account_data/m.direct";
        self.on("GET", at, answer(200, &content)).await;
    }

    /// What a room's state or members are.
    async fn room(&self, room: &str, what: &str, answered: ResponseTemplate) {
        self.on("GET", &format!("/rooms/{}/{what}", encoded(room)), answered).await;
    }

    async fn named(&self, room: &str, name: &str) {
        self.room(room, "state/m.room.name", answer(200, &json!({"name": name}))).await;
    }

    /// The server answers for many rooms at once.
    async fn at_once(&self, answered: impl Respond + 'static) {
        let features = json!({"org.matrix.simplified_msc3575": true});
        let versions = json!({"versions": ["v1.11"], "unstable_features": features});
        let mock = Mock::given(path("/_matrix/client/versions"));
        mock.respond_with(answer(200, &versions)).with_priority(1).mount(&self.server).await;
        Mock::given(method("POST"))
            .and(path(SYNC))
            .respond_with(answered)
            .mount(&self.server)
            .await;
    }

    async fn visit(&self, whose: Whose) -> Visit {
        let secret = |text: &str| SecretText::new(text.to_owned());
        let asked = Asked {
            device: None,
            renew: false,
            homeserver: Some(self.server.uri()),
            user: Some(USER.to_owned()),
            way: match whose {
                Whose::Own => Way::Password(secret("a password")),
                Whose::Borrowed => Way::Token(secret("syt_borrowed")),
            },
            keep: false,
        };
        let surroundings = self.surroundings();
        let account = sign_in(asked, &surroundings, &Quiet, &Cancel::default()).await;
        let place = Place::Server(Arc::new(account.unwrap_or_else(|why| panic!("{}", why.what()))));
        Visit::begin(place, &Wanted::Current, &mut |_| {}, &Quiet, &Cancel::default())
            .await
            .unwrap()
    }

    fn surroundings(&self) -> Surroundings {
        let data_dir = self.home.path().join("data");
        Surroundings { allow_http: false, ca_file: None, data_dir }
    }

    /// The account's folder, made as a restore makes it.
    fn folder(&self) -> Folder {
        let data_dir = DataDir::open(&self.surroundings().data_dir).unwrap();
        data_dir.account(USER, &self.server.uri()).unwrap()
    }

    /// Asks for names on a visit of its own; gives what was told and what was asked.
    async fn ask(&self, whose: Whose, rooms: &[&str]) -> (Told, Vec<String>) {
        let visit = self.visit(whose).await;
        let before = self.server.received_requests().await.unwrap().len();
        let told = self.told(&visit, rooms).await;
        let asked = self.server.received_requests().await.unwrap().split_off(before);
        (told, asked.iter().map(shortened).collect())
    }

    async fn told(&self, visit: &Visit, rooms: &[&str]) -> Told {
        self.told_until(visit, rooms, &Cancel::default()).await
    }

    async fn told_until(&self, visit: &Visit, rooms: &[&str], cancel: &Cancel) -> Told {
        let rooms: Vec<Arc<str>> = rooms.iter().map(|room| Arc::from(*room)).collect();
        let mut all = Told::new();
        let mut told = |room: &Arc<str>, name: &RoomName| {
            all.push((room.to_string(), name.clone()));
        };
        let data_dir = self.surroundings().data_dir;
        names(visit, &rooms, Some(&data_dir), &mut told, &Quiet, cancel).await;
        all
    }
}

/// A request's method and path, as a test writes them.
fn shortened(request: &Request) -> String {
    let path = request.url.path().replace(V3, "").replace("/_matrix/client", "");
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = path.replace("%21", "!").replace("%3A", ":").replace("%40", "@");
    match request.method.as_str() {
        "GET" => format!("{path}{query}"),
        verb => format!("{verb} {path}{query}"),
    }
}

fn encoded(room: &str) -> String {
    room.replace('!', "%21").replace(':', "%3A")
}

/// The last that was told of each room: its name, what that is made of, whether it was left.
fn last(told: &Told) -> Vec<(&str, &str, Kind, bool)> {
    let mut last: Vec<(&str, &str, Kind, bool)> = Vec::new();
    for (room, told) in told {
        let name = told.name.as_ref().map_or("", |name| name.as_str());
        last.retain(|(other, ..)| other != room);
        last.push((room, name, told.kind, told.left));
    }
    last.sort_by_key(|(room, ..)| *room);
    last
}

/// Hears nothing.
struct Quiet;

impl Progress for Quiet {
    fn tell(&self, _: News) {}
}

/// Hears everything.
#[derive(Default)]
struct Heard(Mutex<Vec<Option<News>>>);

impl Progress for Heard {
    fn tell(&self, news: News) {
        self.0.lock().unwrap().push(Some(news));
    }

    fn finish(&self) {
        self.0.lock().unwrap().push(None);
    }
}

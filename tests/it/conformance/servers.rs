//! The servers that scripts are played on, each with an account that nothing was done with.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use keyhaul::demo::{
    account::{self, Membership, Room},
    kinds::Kind,
    server::DemoServer,
    setting::Setting,
};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};

use super::{
    patterns::Names,
    scripts::{Given, NewRoom, Script},
};
use crate::synapse::{self, Account, Synapse};

const V3: &str = "/_matrix/client/v3";
const PASSWORD: &str = "a password of the tests";
/// How long tokens live that can be refreshed, where a script asks for limits; parent.py has the same.
const TOKEN_LIFE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Server {
    /// The real one.
    Synapse,
    /// Keyhaul's own.
    Demo(Kind),
}

/// A server with an account for one script.
pub(super) struct Place {
    pub(super) names: Names,
    /// Another address for each script, as signing in is limited by address.
    pub(super) address: Ipv4Addr,
    /// Shows what is compressed as it comes.
    pub(super) plain: Client,
    /// Opens what is compressed.
    pub(super) opening: Client,
    demo: Option<DemoServer>,
    account: Option<Account>,
}

impl Server {
    pub(super) const ALL: [Self; 5] = [
        Self::Synapse,
        Self::Demo(Kind::Synapse),
        Self::Demo(Kind::Dendrite),
        Self::Demo(Kind::Conduwuit),
        Self::Demo(Kind::Tuwunel),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Synapse => "synapse",
            Self::Demo(Kind::Synapse) => "demo",
            Self::Demo(Kind::Dendrite) => "dendrite",
            Self::Demo(Kind::Conduwuit) => "conduwuit",
            Self::Demo(Kind::Tuwunel) => "tuwunel",
        }
    }

    /// The names under which scripts speak of it: what is so for the demo is so for all its kinds.
    pub(super) fn names(self) -> Vec<&'static str> {
        match self {
            Self::Synapse => vec!["synapse"],
            Self::Demo(Kind::Synapse) => vec!["demo"],
            Self::Demo(_) => vec!["demo", self.name()],
        }
    }

    /// `None` where there is no Synapse.
    pub(super) async fn place(self, script: &Script) -> Option<Place> {
        match self {
            Self::Synapse => {
                let server = if script.limits { synapse::limiting() } else { synapse::synapse() }?;
                Some(Place::on_synapse(server, script).await)
            }
            Self::Demo(kind) => Some(Place::on_demo(kind, script).await),
        }
    }
}

fn address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    Ipv4Addr::new(192, 0, 2, NEXT.fetch_add(1, Ordering::Relaxed))
}

fn asks_as(script: &Script, who: &str) -> bool {
    script.steps.iter().any(|step| step.given.is_none() && step.who == who)
}

impl Place {
    fn new(user_id: &str, password: &str, base_url: &str) -> Self {
        let (localpart, server_name) = user_id[1..].split_once(':').unwrap();
        let names = [
            ("user", user_id),
            ("localpart", localpart),
            ("server_name", server_name),
            ("password", password),
            ("base_url", base_url),
        ];
        let names = names.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let client = |opens| {
            let client = Client::builder().no_proxy().redirect(Policy::none()).gzip(opens);
            client.build().unwrap()
        };
        Self {
            names,
            address: address(),
            plain: client(false),
            opening: client(true),
            demo: None,
            account: None,
        }
    }

    async fn on_synapse(server: &Synapse, script: &Script) -> Self {
        let account = server.register("conformance", PASSWORD).await;
        let mut place = Self::new(&account.user_id, PASSWORD, server.base_url());
        place.name("me", &account.access_token);
        if asks_as(script, "other") {
            let other = server.register("conformance-other", PASSWORD).await;
            place.name("token of other", &other.access_token);
            place.name("other", &other.user_id);
        }
        place.account = Some(account);
        place
    }

    async fn on_demo(kind: Kind, script: &Script) -> Self {
        let account = account::Account {
            rooms: Vec::new(),
            timelines: Default::default(),
            versions: Default::default(),
            account_data: Default::default(),
            ..crate::demo::account().clone()
        };
        let (user_id, password) = (account.user_id.clone(), account.password.clone());
        let setting = Setting {
            kind,
            limits_logins: script.limits,
            token_life: TOKEN_LIFE,
            ..Setting::default()
        };
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = DemoServer::serve_as(account, setting, listen).await.unwrap();
        let mut place = Self::new(&user_id, &password, server.base_url());
        // Not where nobody asks for it: it would count as a try.
        if asks_as(script, "me") {
            let body = json!({
                "type": "m.login.password",
                "identifier": { "type": "m.id.user", "user": user_id },
                "password": password,
            });
            let request = place.plain.post(format!("{}{V3}/login", server.base_url()));
            let answer = request.body(body.to_string()).send().await.unwrap();
            let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            place.name("me", answer["access_token"].as_str().unwrap());
        }
        place.demo = Some(server);
        place
    }

    fn name(&mut self, name: &str, value: &str) {
        self.names.insert(name.to_owned(), value.to_owned());
    }

    fn room(&self, name: &str) -> Result<String, String> {
        self.names.get(name).cloned().ok_or_else(|| format!("no room is called {name:?}"))
    }

    /// Lets it happen.
    pub(super) async fn give(&mut self, given: &Given) -> Result<(), String> {
        match given {
            Given::Rooms(rooms) => {
                for room in rooms {
                    let id = self.give_room(room).await?;
                    self.name(&room.id_name, &id);
                }
            }
            Given::Leave(room) => self.move_out(room, "leave", Membership::Left).await?,
            Given::Forget(room) => self.move_out(room, "forget", Membership::Forgotten).await?,
            // On a real server it goes by itself.
            Given::Seconds(seconds) => {
                if let Some(demo) = &self.demo {
                    demo.let_pass(Duration::from_secs(*seconds));
                }
            }
        }
        Ok(())
    }

    async fn give_room(&self, room: &NewRoom) -> Result<String, String> {
        if let Some(demo) = &self.demo {
            let id = match room.old_form {
                true => format!("!{}:example.org", room.id_name),
                false => format!("!{:a<43}", room.id_name),
            };
            let room = Room {
                id: id.clone(),
                name: room.name.clone(),
                alias: None,
                people: Vec::new(),
                membership: Membership::Joined,
            };
            demo.change(|account| account.rooms.push(room));
            return Ok(id);
        }
        let mut body = json!({ "room_version": if room.old_form { "11" } else { "12" } });
        if let Some(name) = &room.name {
            body["name"] = name.as_str().into();
        }
        let answer = self.ask_synapse(&format!("{V3}/createRoom"), &body).await?;
        answer["room_id"].as_str().map(str::to_owned).ok_or_else(|| answer.to_string())
    }

    async fn move_out(&self, room: &str, how: &str, membership: Membership) -> Result<(), String> {
        let id = self.room(room)?;
        if let Some(demo) = &self.demo {
            demo.change(|account| {
                for room in account.rooms.iter_mut().filter(|room| room.id == id) {
                    room.membership = membership;
                }
            });
            return Ok(());
        }
        self.ask_synapse(&format!("{V3}/rooms/{id}/{how}"), &json!({})).await.map(drop)
    }

    async fn ask_synapse(&self, path: &str, body: &Value) -> Result<Value, String> {
        let account = self.account.as_ref().ok_or("no account")?;
        let (status, answer) = account.request(Method::POST, path, Some(body)).await;
        if status == 200 { Ok(answer) } else { Err(format!("{path}: {status} {answer}")) }
    }
}

//! Against a real Synapse, so that the other tests' servers cannot lie.

use keyhaul::recovery::{names::Kind, sign_in::Account as SignedIn};
use reqwest::Method;
use serde_json::{Value, json};

use super::*;
use crate::synapse::{Account, Synapse, synapse};

/// Ada's rooms on a real server, of every kind.
pub(crate) struct Rooms {
    pub(crate) ada: Account,
    pub(crate) bea: Account,
    pub(crate) named: String,
    pub(crate) aliased: String,
    pub(crate) alias: String,
    pub(crate) unnamed: String,
    pub(crate) direct: String,
    pub(crate) left: String,
    pub(crate) left_unnamed: String,
    pub(crate) forgotten: String,
}

async fn must(account: &Account, at: &str, body: Value) -> Value {
    let (status, answer) = account.request(Method::POST, &format!("{V3}{at}"), Some(&body)).await;
    assert_eq!(status, 200, "{at}: {answer}");
    answer
}

/// Makes a room; others who are named join it.
async fn room(account: &Account, body: Value, others: &[&Account]) -> String {
    let mut body = body;
    body["invite"] = others.iter().map(|other| other.user_id.as_str()).collect();
    let made = must(account, "/createRoom", body).await;
    let id = made["room_id"].as_str().unwrap().to_owned();
    for other in others {
        must(other, &format!("/join/{}", encoded(&id)), json!({})).await;
    }
    id
}

impl Rooms {
    pub(crate) async fn on(synapse: &Synapse) -> Self {
        let ada = synapse.register("ada", "a password of the tests").await;
        let bea = synapse.register("bea", "a password of the tests").await;
        let profile = format!("{V3}/profile/{}/displayname", bea.user_id);
        let called = json!({"displayname": "Bea"});
        assert_eq!(bea.request(Method::PUT, &profile, Some(&called)).await.0, 200);
        let alias = ada.user_id.trim_start_matches('@').split(':').next().unwrap().to_owned();
        let with_alias = json!({"room_alias_name": alias, "preset": "private_chat"});
        let leave = async |id: &str, what: &str| {
            must(&ada, &format!("/rooms/{}/{what}", encoded(id)), json!({})).await;
        };
        let left = room(&ada, json!({"name": "Choir"}), &[&bea]).await;
        let left_unnamed = room(&ada, json!({}), &[&bea]).await;
        let forgotten = room(&ada, json!({"name": "Forgotten"}), &[&bea]).await;
        for id in [&left, &left_unnamed, &forgotten] {
            leave(id, "leave").await;
        }
        leave(&forgotten, "forget").await;
        let direct = room(&ada, json!({"is_direct": true}), &[&bea]).await;
        let unnamed = room(&ada, json!({}), &[&bea]).await;
        let bea_id = bea.user_id.as_str();
        ada.put_account_data("m.direct", &json!({bea_id: [direct, forgotten]})).await;
        Self {
            named: ada.create_room("The \u{202e}garden").await,
            aliased: room(&ada, with_alias, &[]).await,
            alias: format!("#{alias}:harness.test"),
            unnamed,
            direct,
            left,
            left_unnamed,
            forgotten,
            ada,
            bea,
        }
    }

    fn expected(&self) -> Vec<(&str, &str, Kind, bool)> {
        let mut expected = vec![
            (self.named.as_str(), "The garden", Kind::Named, false),
            (&self.aliased, &self.alias, Kind::Alias, false),
            (&self.unnamed, "Bea", Kind::People, false),
            (&self.direct, "Bea", Kind::People, false),
            (&self.left, "Choir", Kind::Named, true),
            (&self.left_unnamed, "Bea", Kind::People, true),
            (&self.forgotten, &self.bea.user_id, Kind::Direct, true),
            ("!nowhere:x", "", Kind::Nothing, true),
        ];
        expected.sort_by_key(|(room, ..)| *room);
        expected
    }

    async fn visit(&self, way: Way) -> (Visit, TempDir) {
        let asked = Asked {
            device: None,
            renew: false,
            homeserver: Some(self.ada.base_url().to_owned()),
            user: Some(self.ada.user_id.clone()),
            way,
            keep: false,
        };
        let home = tempfile::tempdir().unwrap();
        let data_dir = home.path().to_owned();
        let surroundings = Surroundings { allow_http: false, ca_file: None, data_dir };
        let account = sign_in(asked, &surroundings, &Quiet, &Cancel::default()).await;
        let account: SignedIn = account.unwrap_or_else(|why| panic!("{}", why.what()));
        let place = Place::Server(Arc::new(account));
        let visit =
            Visit::begin(place, &Wanted::Current, &mut |_| {}, &Quiet, &Cancel::default()).await;
        (visit.unwrap_or_else(|why| panic!("{}", why.what())), home)
    }
}

#[tokio::test]
async fn rooms_of_every_kind_are_named() {
    let Some(synapse) = synapse() else { return };
    let rooms = Rooms::on(synapse).await;
    let devices = "/_matrix/client/v3/devices";
    let before = rooms.ada.get(devices).await;
    let ids: Vec<Arc<str>> = rooms.expected().iter().map(|(room, ..)| Arc::from(*room)).collect();
    let secret = |text: &str| SecretText::new(text.to_owned());
    for way in
        [Way::Token(secret(&rooms.ada.access_token)), Way::Password(secret(&rooms.ada.password))]
    {
        let (visit, _home) = rooms.visit(way).await;
        let mut told = Told::new();
        let mut take = |room: &Arc<str>, name: &RoomName| {
            told.push((room.to_string(), name.clone()));
        };
        names(&visit, &ids, None, &mut take, &Quiet, &Cancel::default()).await;
        assert_eq!(last(&told), rooms.expected());
        let people = |room: &str| told.iter().rfind(|(id, _)| id == room).unwrap().1.people;
        assert_eq!(people(&rooms.direct), Some(2));
        let Place::Server(account) = &visit.place else { unreachable!() };
        account.leave(&Quiet, &Cancel::default()).await.unwrap();
    }
    let count = |devices: &Value| devices["devices"].as_array().unwrap().len();
    assert_eq!(count(&rooms.ada.get(devices).await), count(&before));
}

#[tokio::test]
async fn another_app_keeps_its_place_and_its_messages() {
    let Some(synapse) = synapse() else { return };
    let rooms = Rooms::on(synapse).await;
    let (ada, bea) = (&rooms.ada, &rooms.bea);
    // Another app is in the middle of the same kind of answer, and a message waits for its device.
    let sync = |pos: &str| format!("{SYNC}?timeout=0{pos}");
    let body = json!({
        "lists": {"all": {"ranges": [[0, 9]], "timeline_limit": 1, "required_state": []}},
        "extensions": {"to_device": {"enabled": true}},
    });
    let (status, begun) = ada.request(Method::POST, &sync(""), Some(&body)).await;
    assert_eq!(status, 200, "{begun}");
    let message = json!({"messages": {&ada.user_id: {&ada.device_id: {"hello": 1}}}});
    let to_device = format!("{V3}/sendToDevice/org.example.hello/1");
    assert_eq!(bea.request(Method::PUT, &to_device, Some(&message)).await.0, 200);

    let (visit, _home) = rooms.visit(Way::Token(SecretText::new(ada.access_token.clone()))).await;
    let ids = [Arc::from(rooms.named.as_str())];
    let mut take = |_: &Arc<str>, _: &RoomName| {};
    names(&visit, &ids, None, &mut take, &Quiet, &Cancel::default()).await;

    let pos = format!("&pos={}", encoded(begun["pos"].as_str().unwrap()).replace('/', "%2F"));
    let (status, goes_on) = ada.request(Method::POST, &sync(&pos), Some(&body)).await;
    assert_eq!(status, 200, "{goes_on}");
    let events = goes_on["extensions"]["to_device"]["events"].as_array().unwrap();
    assert_eq!(events[0]["content"], json!({"hello": 1}));
}

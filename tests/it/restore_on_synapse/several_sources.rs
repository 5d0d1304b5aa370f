//! The whole answer, rooms one by one and a snapshot give the same store.

use super::{
    computer::Computer,
    fixture,
    kept_keys::{KeptKey, Opener, keys},
    text,
};
use crate::synapse::synapse;

#[tokio::test]
async fn every_source_gives_the_same_store() {
    let Some(synapse) = synapse() else { return };
    let (fixture, server) = (fixture(), synapse.base_url());
    let there = synapse.account_of_fixture(&fixture).await;
    let paper = text(&fixture, "recovery_key");
    let [whole, rooms, offline] = [Computer::new(), Computer::new(), Computer::new()];
    let online = |computer: &Computer, arguments: &[&str]| {
        let call = computer.keyhaul(arguments).token_of(&there.account, server);
        call.secret(paper).succeeds()
    };
    let kept = |computer: &Computer| -> Vec<KeptKey> {
        let opener = Opener::storage_key_of(&fixture);
        keys(&opener.open(computer, &there.account.user_id, server).unwrap())
    };
    online(&whole, &["restore"]);
    let expected = kept(&whole);
    assert_eq!(expected.len(), 8);

    let named = fixture["rooms"].as_array().unwrap().iter().map(|room| text(room, "room_id"));
    let arguments: Vec<_> =
        ["restore"].into_iter().chain(named.flat_map(|room| ["--room", room])).collect();
    let by_room = online(&rooms, &arguments);
    assert_eq!(by_room["runs"][0]["new"], 8);
    assert_eq!(kept(&rooms), expected);

    // Without a secret: what is saved stays locked.
    let file = offline.file("backup.keyhaul");
    let save = offline.keyhaul(&["snapshot", "save", file.to_str().unwrap()]);
    let saved = save.token_of(&there.account, server).succeeds();
    assert_eq!((&saved["complete"], &saved["entries"]), (&true.into(), &8.into()));
    assert_eq!(
        (&saved["user_id"], &saved["rooms"]),
        (&there.account.user_id.clone().into(), &4.into())
    );
    let restore = |computer: &Computer| {
        computer.keyhaul(&["restore"]).path("--snapshot", &file).secret(paper).succeeds()
    };
    let from_file = restore(&offline);
    assert_eq!(from_file["runs"][0]["new"], 8);
    assert_eq!(kept(&offline), expected);

    for computer in [&whole, &rooms, &offline] {
        let again = online(computer, &["restore"]);
        let run = &again["runs"][0];
        assert_eq!((&run["new"], &run["unchanged"]), (&0.into(), &8.into()));
        assert_eq!(kept(computer), expected);
    }

    // Somebody presses "reset": the server has nothing any more, the file has everything.
    there.account.delete_version(&there.version).await;
    there.account.logout().await;
    let late = Computer::new();
    assert_eq!(restore(&late)["runs"][0]["new"], 8);
    assert_eq!(kept(&late), expected);
}

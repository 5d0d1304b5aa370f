//! The whole answer, rooms one by one and a snapshot give the same store.

use reqwest::Method;

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

#[tokio::test]
async fn a_snapshot_stays_while_it_holds_more_than_the_server() {
    let Some(synapse) = synapse() else { return };
    let (fixture, server) = (fixture(), synapse.base_url());
    let there = synapse.account_of_fixture(&fixture).await;
    let paper = text(&fixture, "recovery_key");
    let computer = Computer::new();
    let restore = || {
        let call = computer.keyhaul(&["restore"]).token_of(&there.account, server);
        call.secret(paper).succeeds()["runs"][0]["entries"].clone()
    };
    // What each snapshot on the computer holds.
    let snapshots = || -> Vec<(String, u64)> {
        let files = computer.files().into_keys();
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "keyhaul"));
        let mut found: Vec<_> = files
            .map(|file| {
                let file = file.to_str().unwrap().to_owned();
                let told = computer.keyhaul(&["snapshot", "info", &file]).succeeds();
                (file, told["entries"].as_u64().unwrap())
            })
            .collect();
        found.sort_by_key(|(_, entries)| *entries);
        found
    };
    let held = || snapshots().into_iter().map(|(_, entries)| entries).collect::<Vec<_>>();
    assert_eq!(restore(), 8);
    assert_eq!(restore(), 8);
    assert_eq!(held(), [8]);

    // An app (or somebody else) deletes the keys of a room.
    let room = text(&fixture["rooms"][2], "room_id");
    let path = format!("/_matrix/client/v3/room_keys/keys/{room}?version={}", there.version);
    let (status, _) = there.account.request(Method::DELETE, &path, None).await;
    assert_eq!(status, 200);
    for _ in 0..2 {
        assert_eq!(restore(), 5);
        assert_eq!(held(), [5, 8]);
    }
    // They come back: one snapshot may take the place of both, but nothing is lost if it does not.
    there.account.put_keys(&there.version, &fixture["keys_response"]).await;
    assert_eq!(restore(), 8);
    let (all, entries) = snapshots().pop().unwrap();
    assert_eq!(entries, 8);
    let late = Computer::new();
    let call = late.keyhaul(&["restore", "--snapshot", &all]).secret(paper);
    assert_eq!(call.succeeds()["runs"][0]["new"], 8);
}

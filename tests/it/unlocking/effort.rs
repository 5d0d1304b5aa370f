//! How much calculation a server may ask for (SPEC §5.4, DESIGN §4), and that it can be stopped.

use std::time::{Duration, Instant};

use keyhaul::base::cancel::Cancel;
use serde_json::{Value, json};

use super::{Account, version};

/// An account whose one backup asks for so many rounds, with so many bits.
fn legacy(rounds: &Value, bits: &Value) -> Account {
    let auth_data = json!({
        // SPEC §10.4: passphrase `passphrase`, salt `salt`, 5 rounds.
        "public_key": "bSXxO0Ar6S2bfLjILJVHBvfA2r+TwbGGgjWn8o2AlUA",
        "private_key_salt": "salt",
        "private_key_iterations": rounds,
        "private_key_bits": bits,
    });
    Account::new(&version(auth_data), &json!({"rooms": {}}), &json!({}))
}

#[tokio::test]
async fn legacy_passphrase_of_the_known_answer_opens() {
    let account = legacy(&5.into(), &256.into());
    assert_eq!(account.opened(&["passphrase"]).await.fits.len(), 1);
    assert_eq!(account.opened(&["passphrase\n"]).await.fits.len(), 1);
    assert_eq!(account.refusal("Passphrase").await, "passphrase-fits-nothing");
}

#[tokio::test]
async fn bomb_is_named_and_not_lit() {
    for rounds in [json!(10_000_001), json!(4_294_967_295_u32)] {
        let account = legacy(&rounds, &256.into());
        let begun = Instant::now();
        let visit = account.visit(&["passphrase"], false, &Cancel::default()).await.unwrap();
        let failure = visit.fits_nothing().unwrap();
        assert_eq!(failure.code().word(), "passphrase-slow");
        let units = [" s ", " min ", " hour"];
        assert!(units.iter().any(|unit| failure.what().contains(unit)), "{failure:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing of it was calculated");
    }
}

#[tokio::test]
async fn recipe_that_makes_no_sense_opens_nothing() {
    for (rounds, bits) in [
        (json!(0), json!(256)),
        (json!(1_u64 << 53), json!(256)),
        (json!(-1), json!(256)),
        (json!("5"), json!(256)),
        (json!(5), json!(512)),
        (json!(5), json!(0)),
        (json!(5), json!(1_u64 << 40)),
    ] {
        let account = legacy(&rounds, &bits);
        assert_eq!(account.refusal("passphrase").await, "passphrase-unused", "{rounds} {bits}");
    }
}

#[tokio::test]
async fn calculation_stops_when_asked() {
    let account = legacy(&json!(4_294_967_295_u32), &256.into());
    let cancel = Cancel::default();
    let visit = account.visit(&["passphrase"], true, &cancel);
    let stop = async {
        tokio::task::yield_now().await;
        cancel.cancel();
    };
    let (visit, ()) = tokio::join!(visit, stop);
    assert_eq!(visit.err().map(|failure| failure.code().word()), Some("stopped"));
}

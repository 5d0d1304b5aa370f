//! Slow, broken and busy servers behave so every time.

use std::{
    num::NonZero,
    time::{Duration, Instant},
};

use keyhaul::demo::{
    account::Version,
    setting::Setting,
    weather::{Busy, Weather, Whole},
};
use reqwest::Method;
use serde_json::json;

use super::{serving::Lab, writing::nothing_backed_up};

const KEYS: &str = "/_matrix/client/v3/room_keys/keys";

/// A server with one version of some kilobytes in one room.
async fn lab(weather: Weather) -> (Lab, String) {
    let mut account = nothing_backed_up();
    let mut version = Version::new("a", json!({}));
    let sessions = version.rooms.entry("!r:x".to_owned()).or_default();
    sessions.extend((0..40).map(|number| (format!("s{number}"), format!("{number:0>250}").into())));
    account.versions.insert(1, Some(version));
    let lab = Lab::with(account, Setting { weather, ..Setting::default() }).await;
    let token = lab.token().await;
    (lab, token)
}

/// Status and body, or what came of the body before it broke.
async fn get(lab: &Lab, token: &str, path: &str) -> (u16, Result<usize, usize>) {
    let request = lab.request(Method::GET, &format!("{path}?version=1")).bearer_auth(token);
    let mut answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let mut length = 0;
    loop {
        match answer.chunk().await {
            Ok(Some(piece)) => length += piece.len(),
            Ok(None) => return (status, Ok(length)),
            Err(_) => return (status, Err(length)),
        }
    }
}

#[tokio::test]
async fn the_whole_body_breaks_at_the_same_place_each_time_and_rooms_come() {
    let weather = Weather { whole: Whole::Breaks { after: 3_000 }, ..Weather::default() };
    let (lab, token) = lab(weather).await;
    for _ in 0..3 {
        assert_eq!(get(&lab, &token, KEYS).await, (200, Err(3_000)));
    }
    let (status, room) = get(&lab, &token, &format!("{KEYS}/!r%3Ax")).await;
    assert_eq!(status, 200);
    assert!(room.unwrap() > 10_000);
}

#[tokio::test]
async fn something_in_front_refuses_the_whole_and_rooms_come() {
    let weather = Weather { whole: Whole::Refused { status: 504 }, ..Weather::default() };
    let (lab, token) = lab(weather).await;
    assert_eq!(get(&lab, &token, KEYS).await.0, 504);
    assert_eq!(get(&lab, &token, &format!("{KEYS}/!r%3Ax")).await.0, 200);
}

#[tokio::test]
async fn every_third_request_is_sent_away() {
    let every = NonZero::new(3).unwrap();
    let busy = Some(Busy { every, wait: Duration::from_millis(1_500) });
    let (lab, token) = lab(Weather { busy, ..Weather::default() }).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(get(&lab, &token, KEYS).await.0);
    }
    assert_eq!(statuses, [200, 200, 429, 200, 200, 429]);
}

#[tokio::test]
async fn a_slow_server_takes_its_time() {
    let weather = Weather {
        first_byte: Duration::from_millis(20),
        bytes_per_second: NonZero::new(100_000),
        ..Weather::default()
    };
    let (lab, token) = lab(weather).await;
    let begun = Instant::now();
    let (_, length) = get(&lab, &token, KEYS).await;
    let expected = 0.02 + length.unwrap() as f64 / 100_000.0;
    assert!(begun.elapsed().as_secs_f64() >= expected, "{:?}", begun.elapsed());
}

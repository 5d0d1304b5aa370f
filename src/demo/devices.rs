//! The devices that are signed in, and their tokens. Times are counted from the server's beginning.

use std::{collections::BTreeMap, time::Duration};

use super::{answers::Denial, endpoints::Answer, random::Seeded};
use crate::base::{base64, random::array};

/// All devices, by their ids.
pub(super) struct Devices {
    devices: BTreeMap<String, Device>,
    random: Seeded,
}

struct Device {
    access: String,
    /// When the access token ends, if it does.
    ends: Option<Duration>,
    refresh: Option<String>,
}

/// What a device is given.
pub(super) struct Tokens {
    pub(super) device_id: String,
    pub(super) access: String,
    /// A refresh token, and how long the access token lives.
    pub(super) refresh: Option<(String, Duration)>,
}

impl Devices {
    pub(super) fn new(random: Seeded) -> Self {
        Self { devices: BTreeMap::new(), random }
    }

    pub(super) fn count(&self) -> usize {
        self.devices.len()
    }

    /// Signs a device in; a device id given again gets a new token. With a `life` the token ends after it,
    /// and can be refreshed.
    pub(super) fn sign_in(
        &mut self,
        device_id: Option<&str>,
        life: Option<Duration>,
        now: Duration,
    ) -> Tokens {
        let device_id = match device_id {
            Some(id) => id.to_owned(),
            None => self.random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 10),
        };
        let access = self.token("demo");
        let refresh = life.map(|life| (self.token("demo_again"), life));
        let device = Device {
            access: access.clone(),
            ends: life.map(|life| now + life),
            refresh: refresh.as_ref().map(|(token, _)| token.clone()),
        };
        self.devices.insert(device_id.clone(), device);
        Tokens { device_id, access, refresh }
    }

    /// New tokens for the device that a refresh token belongs to.
    pub(super) fn refresh(&mut self, token: &str, life: Duration, now: Duration) -> Option<Tokens> {
        let mut devices = self.devices.iter();
        let same = |device: &Device| device.refresh.as_deref() == Some(token);
        let id = devices.find_map(|(id, device)| same(device).then(|| id.clone()))?;
        Some(self.sign_in(Some(&id), Some(life), now))
    }

    pub(super) fn sign_out(&mut self, device_id: &str) {
        self.devices.remove(device_id);
    }

    pub(super) fn sign_out_all(&mut self) {
        self.devices.clear();
    }

    /// The device that an access token belongs to.
    pub(super) fn holder(&self, token: &str, now: Duration) -> Answer<&str> {
        let mut devices = self.devices.iter();
        let (id, device) =
            devices.find(|(_, device)| device.access == token).ok_or(Denial::UnknownToken)?;
        match device.ends {
            Some(ends) if ends <= now => Err(Denial::ExpiredToken),
            _ => Ok(id),
        }
    }

    fn token(&mut self, kind: &str) -> String {
        format!("{kind}_{}", base64::encode(&array::<24>(&mut self.random)))
    }
}

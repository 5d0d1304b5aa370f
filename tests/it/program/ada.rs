//! Ada of the story at her computer: a server with her account, and the options that lead there.

use std::net::{Ipv4Addr, SocketAddr};

use keyhaul::{
    backup::{decryption::DecryptionKey, recovery_key},
    base::{cancel::Cancel, secret::Secret32},
    demo::{account::Account, server::DemoServer, stories::Story},
    homeserver::{Client, Settings, sign_in::password},
    secret_storage::secret::{BACKUP_SECRET, StoredSecret, read_key},
};
use url::Url;

use super::{Between, Lab, runtime};

/// Ada, her server and her computer.
pub(crate) struct Ada {
    pub(crate) lab: Lab,
    pub(crate) server: DemoServer,
    pub(crate) account: Account,
    /// The options that name server, user and token.
    options: Vec<String>,
}

impl Ada {
    /// Ada as the story has her.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// Ada, after something happened to her account.
    pub(crate) fn with(happen: impl FnOnce(&mut Account)) -> Self {
        let mut account = crate::demo::account().clone();
        happen(&mut account);
        Self::at(account, Story::Plain)
    }

    /// Ada in another story, with what stands on her paper there.
    pub(crate) fn of(story: Story) -> Self {
        Self::at(story.account(), story)
    }

    fn at(account: Account, story: Story) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = runtime().block_on(DemoServer::serve(account.clone(), listen)).unwrap();
        let lab = Lab::new();
        lab.secret("recovery key", story.secret().expose());
        lab.secret("old recovery key", story.old_recovery_key().expose());
        lab.secret("password", &account.password);
        let mut ada = Self { lab, server, account, options: Vec::new() };
        let token = ada.lab.secret("token", ada.token());
        ada.options = vec![
            format!("--homeserver={}", ada.server.base_url()),
            format!("--user={}", ada.account.user_id),
            format!("--access-token-file={token}"),
        ];
        ada
    }

    /// The access token of another app of hers.
    fn token(&self) -> String {
        let base = Url::parse(self.server.base_url()).unwrap();
        let client = Client::new(base, &Settings::default()).unwrap();
        let password = keyhaul::base::secret::SecretText::new(self.account.password.clone());
        let cancel = Cancel::default();
        let signed_in = password::sign_in(&client, &self.account.user_id, &password, None, &cancel);
        runtime().block_on(signed_in).unwrap().token().expose().to_owned()
    }

    /// The path of one of the files `recovery key`, `old recovery key`, `password` and `token`.
    pub(crate) fn file(&self, name: &str) -> String {
        self.lab.path("secrets").join(name).to_str().unwrap().to_owned()
    }

    /// A command line that says who she is.
    pub(crate) fn asks(&self, words: &[&str]) -> Vec<String> {
        let words = words.iter().map(|word| (*word).to_owned());
        words.chain(self.options.clone()).collect()
    }

    /// The same with the recovery key from her paper.
    pub(crate) fn opens(&self, words: &[&str]) -> Vec<String> {
        let mut args = self.asks(words);
        args.push(format!("--secret-file={}", self.file("recovery key")));
        args
    }

    /// A command line that goes through a station on the way.
    pub(crate) fn through(&self, between: &Between, args: Vec<String>) -> Vec<String> {
        let own = self.server.base_url();
        args.into_iter().map(|arg| arg.replace(own, &between.base)).collect()
    }

    /// A station between her computer and her server.
    pub(crate) fn between(&self, tricks: Vec<(&'static str, super::Trick)>) -> Between {
        Between::start(self.server.address(), tricks)
    }
}

/// The private key of the story's current backup, which lies in its secret storage.
pub(crate) fn backup_key() -> DecryptionKey {
    DecryptionKey::new(open_secret_storage(&crate::demo::account().account_data))
}

fn open_secret_storage(
    account_data: &std::collections::BTreeMap<String, serde_json::Value>,
) -> Secret32 {
    let storage = recovery_key::parse(Story::Plain.recovery_key().expose()).unwrap();
    let stored = account_data[BACKUP_SECRET].to_string();
    let stored = StoredSecret::parse(BACKUP_SECRET, &stored).unwrap();
    let id = stored.key_ids().next().unwrap().to_owned();
    read_key(&stored.open(&id, storage.expose()).unwrap()).unwrap()
}

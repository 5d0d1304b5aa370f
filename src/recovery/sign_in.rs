//! Signing in and out: with a password, with another app's access token, or with the session that
//! an earlier command kept.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use super::failures::IntoFailure;
use crate::{
    base::{
        cancel::Cancel,
        failure::{Code, Failure},
        progress::{Hint, News, Progress, Stage},
        secret::SecretText,
        shown::{Shown, waiting},
    },
    homeserver::{
        self, Client, OwnSession, RequestError, Session, Settings, discovery,
        sign_in::{flows, password, token},
    },
    store::{
        folder::DataDir,
        kept_session::{KeptSession, note_login, recent_logins},
    },
};

pub use crate::homeserver::sign_in::flows::Flow;

/// Servers usually ask for a pause after the fifth login within five minutes.
const LOGINS_BEFORE_A_HINT: usize = 4;

/// How long the answer to a login is waited for after a wish to stop.
const LAST_ANSWER: Duration = Duration::from_secs(2);

/// How somebody signs in.
pub enum Way {
    /// With a password: makes a device, which is removed at the end.
    Password(SecretText),
    /// With the access token of an app that is signed in: nothing of that app is touched.
    Token(SecretText),
    /// With the session that `--keep-signed-in` kept.
    Kept,
}

/// Who wants to sign in where.
pub struct Asked {
    /// Server name or address; else it is told from the user id.
    pub homeserver: Option<String>,
    /// Matrix id, or the part before the colon.
    pub user: Option<String>,
    /// How.
    pub way: Way,
    /// Keep the session for later commands.
    pub keep: bool,
    /// The device that keyhaul made before and whose token has expired: it is taken again, so that no
    /// second one appears.
    pub device: Option<String>,
    /// Hold the password as long as the session, to go on by itself when the token expires in the middle
    /// of work. Not for a session that is kept: its file would hold the expired one.
    pub renew: bool,
}

/// How to reach servers, and where keyhaul keeps its files.
pub struct Surroundings {
    /// Allow unlocked http beyond loopback.
    pub allow_http: bool,
    /// Certificates to trust besides this computer's, in PEM.
    pub ca_file: Option<Vec<u8>>,
    /// Folder for keys, snapshots and kept sessions.
    pub data_dir: PathBuf,
}

impl Surroundings {
    fn settings(&self) -> Settings {
        let (allow_http, ca_file) = (self.allow_http, self.ca_file.clone());
        Settings { allow_http, ca_file, ..Settings::default() }
    }
}

/// A server that was found, before anybody signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its address, as whoever signs in has to give it.
    pub address: String,
    /// Its host, which people must compare before they type a password.
    pub host: Shown,
    /// The name that led there, where it is another than the host.
    pub named_by: Option<Shown>,
    /// The ways to sign in that it offers.
    pub flows: Vec<Flow>,
}

/// Finds the server of a Matrix id, a server name or an address, and the ways in that it offers.
/// Nothing secret is sent.
pub async fn find(
    typed: &str,
    surroundings: &Surroundings,
    cancel: &Cancel,
) -> Result<Found, Failure> {
    let client = discovery::find(typed, &surroundings.settings(), cancel).await;
    let client = client.map_err(IntoFailure::into_failure)?;
    let flows = flows::flows(&client, cancel).await.map_err(IntoFailure::into_failure)?;
    let host = client.host();
    let name = typed.split_once(':').filter(|_| typed.starts_with('@')).map(|(_, name)| name);
    let name = name.or(Some(typed).filter(|typed| !typed.contains("//")));
    let named_by = name.map(Shown::new).filter(|name| *name != host);
    Ok(Found { address: client.base().as_str().to_owned(), host, named_by, flows })
}

/// A signed-in account.
pub struct Account {
    held: Held,
    kept: bool,
}

enum Held {
    Own(OwnSession),
    Borrowed(Session),
}

/// Whose device an account is seen with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// One that keyhaul made, and removes when it leaves.
    #[default]
    Ours,
    /// One that keyhaul made on an earlier day, and keeps.
    Kept,
    /// Another app's.
    OfAnotherApp,
}

/// What became of the device when leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// keyhaul's device was removed.
    DeviceRemoved,
    /// The session is kept for later commands.
    StaysSignedIn,
    /// The token belongs to another app, which was not touched.
    NotOurs,
}

impl Account {
    /// The session, for requests.
    pub(super) fn session(&self) -> &Session {
        match &self.held {
            Held::Own(own) => own.session(),
            Held::Borrowed(session) => session,
        }
    }

    /// The account's Matrix id, as the server names it.
    pub fn user_id(&self) -> &str {
        self.session().user().as_str()
    }

    /// The origin of the server's address.
    pub fn server(&self) -> String {
        self.session().client().base().origin().ascii_serialization()
    }

    /// Whose device it is: what leaving would do to it.
    pub fn device(&self) -> Device {
        match &self.held {
            Held::Borrowed(_) => Device::OfAnotherApp,
            Held::Own(_) if self.kept => Device::Kept,
            Held::Own(_) => Device::Ours,
        }
    }

    /// The device that keyhaul made for it, to be taken again when its token has expired.
    pub fn own_device(&self) -> Option<&str> {
        match &self.held {
            Held::Own(own) => own.session().device().map(ruma::DeviceId::as_str),
            Held::Borrowed(_) => None,
        }
    }

    /// Ends the visit: removes the device that keyhaul made, unless the session is to be kept.
    pub async fn leave(&self, progress: &dyn Progress, cancel: &Cancel) -> Result<Left, Failure> {
        match &self.held {
            Held::Borrowed(_) => Ok(Left::NotOurs),
            Held::Own(_) if self.kept => Ok(Left::StaysSignedIn),
            Held::Own(own) => {
                progress.tell(News::Began(Stage::SigningOut));
                homeserver::sign_out(own, cancel).await.map_err(device_remains)?;
                Ok(Left::DeviceRemoved)
            }
        }
    }
}

fn device_remains(error: RequestError) -> Failure {
    Failure::new(Code::DeviceRemains).because(&error.to_string())
}

/// Signs in. The account that the server names must be the one that was asked for, before anything
/// on this computer is opened.
pub async fn sign_in(
    asked: Asked,
    surroundings: &Surroundings,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Account, Failure> {
    progress.tell(News::Began(Stage::SigningIn));
    let settings = surroundings.settings();
    let data_dir = &surroundings.data_dir;
    let account = match asked.way {
        Way::Kept => {
            let kept = find_kept(data_dir, asked.homeserver.as_deref(), asked.user.as_deref())?;
            resume(kept, &settings, cancel).await?
        }
        Way::Password(ref password) => {
            let client = find_server(&asked, &settings, cancel).await?;
            let user = asked.user.as_deref().ok_or_else(|| Failure::new(Code::SignInMissing))?;
            let device = asked.device.as_deref();
            let who = Who { user, password, device };
            let own = with_password(&client, who, data_dir, progress, cancel).await?;
            let renew = asked.renew && !asked.keep;
            let own = if renew { own.renewable(password.duplicate()) } else { own };
            Account { held: Held::Own(own), kept: false }
        }
        Way::Token(ref token) => {
            let client = find_server(&asked, &settings, cancel).await?;
            let session = token::sign_in(&client, token.duplicate(), cancel)
                .await
                .map_err(IntoFailure::into_failure)?;
            Account { held: Held::Borrowed(session), kept: false }
        }
    };
    if let Err(failure) =
        check_identity(&account, asked.user.as_deref(), asked.homeserver.as_deref())
    {
        // A device made for the wrong account must not stay there; but that it is the wrong one is
        // what somebody has to hear first.
        return Err(match account.leave(progress, &Cancel::default()).await {
            Ok(_) => failure,
            Err(remains) => failure.because(&remains.what()),
        });
    }
    if !asked.keep {
        return Ok(account);
    }
    let stayed = stay(&account, surroundings, progress, cancel).await?;
    Ok(Account { kept: stayed == Left::StaysSignedIn, ..account })
}

/// Keeps the session of a visit for later runs, although that was not asked for at its beginning. One
/// that cannot be kept is ended.
pub async fn stay(
    account: &Account,
    surroundings: &Surroundings,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Left, Failure> {
    match keep(account, &surroundings.data_dir, &surroundings.settings(), cancel).await {
        Ok(true) => Ok(Left::StaysSignedIn),
        Ok(false) => Ok(Left::NotOurs),
        Err(failure) => {
            account.leave(progress, &Cancel::default()).await?;
            Err(failure)
        }
    }
}

/// Ends kept sessions, all or those of one account; says for whom.
pub async fn sign_out_kept(
    surroundings: &Surroundings,
    homeserver: Option<&str>,
    user: Option<&str>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<String, Failure> {
    let kept = find_kept(&surroundings.data_dir, homeserver, user)?;
    let settings = surroundings.settings();
    progress.tell(News::Began(Stage::SigningOut));
    let user_id = kept.user_id.clone();
    let origin = kept.base_url.origin().ascii_serialization();
    end(kept, &settings, cancel).await?;
    let forgotten = DataDir::open(&surroundings.data_dir)
        .and_then(|data_dir| data_dir.account(&user_id, &origin))
        .and_then(|folder| KeptSession::remove(&folder));
    forgotten.map_err(IntoFailure::into_failure)?;
    Ok(user_id)
}

/// Removes the device of a kept session. Somebody else may have done so already.
async fn end(kept: KeptSession, settings: &Settings, cancel: &Cancel) -> Result<(), Failure> {
    let KeptSession { base_url, device_id, access_token, .. } = kept;
    let client = Client::new(base_url, settings).map_err(IntoFailure::into_failure)?;
    match token::resume(&client, access_token, &device_id, cancel).await {
        Ok(own) => homeserver::sign_out(&own, cancel).await.map_err(device_remains),
        Err(RequestError::TokenUnknown { .. }) => Ok(()),
        Err(error) => Err(device_remains(error)),
    }
}

/// Says whether exactly one kept session is meant.
pub fn is_kept(data_dir: &Path, homeserver: Option<&str>, user: Option<&str>) -> bool {
    find_kept(data_dir, homeserver, user).is_ok()
}

async fn find_server(
    asked: &Asked,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Client, Failure> {
    let user = asked.user.as_deref().filter(|user| user.starts_with('@') && user.contains(':'));
    let typed = asked.homeserver.as_deref().or(user);
    let typed = typed.ok_or_else(|| Failure::new(Code::ServerMissing))?;
    discovery::find(typed, settings, cancel).await.map_err(IntoFailure::into_failure)
}

/// Who signs in with a password.
struct Who<'a> {
    user: &'a str,
    password: &'a SecretText,
    device: Option<&'a str>,
}

async fn with_password(
    client: &Client,
    Who { user, password, device }: Who<'_>,
    data_dir: &Path,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<OwnSession, Failure> {
    note(client, data_dir, progress);
    // A login that is on its way may make a device, and only its answer lets us remove that.
    let unhurried = Cancel::default();
    let stopped = async {
        cancel.cancelled().await;
        tokio::time::sleep(LAST_ANSWER).await;
    };
    let answer = tokio::select! {
        answer = password::sign_in(client, user, password, device, &unhurried) => answer,
        () = stopped => return Err(device_may_remain(RequestError::Cancelled)),
    };
    if cancel.is_cancelled() {
        if let Ok(own) = &answer {
            homeserver::sign_out(own, &unhurried).await.map_err(device_remains)?;
        }
        return Err(RequestError::Cancelled.into_failure());
    }
    answer.map_err(|error| {
        let detail = error.to_string();
        match error {
            password::PasswordError::Wrong { .. } => {
                Failure::new(Code::PasswordWrong).because(&detail)
            }
            password::PasswordError::TooManyTries { seconds } => Failure::new(Code::TooManyTries)
                .with("time", waiting(seconds))
                .after(seconds)
                .because(&detail),
            password::PasswordError::NotOffered { .. } => {
                Failure::new(Code::NoWayIn).because(&detail)
            }
            password::PasswordError::Request(
                error @ (RequestError::ConnectionLost { .. } | RequestError::Silent { .. }),
            ) => device_may_remain(error),
            password::PasswordError::Request(error) => error.into_failure(),
        }
    })
}

/// What is said of a login without an answer.
const DEVICE_MAY_REMAIN: &str = "perhaps a device “keyhaul recovery” is on your account";

/// A login without an answer: nobody knows whether the server made the device.
fn device_may_remain(error: RequestError) -> Failure {
    let detail = format!("{error}; {DEVICE_MAY_REMAIN}, any app can remove it");
    error.into_failure().because(&detail)
}

/// Says whether a sign-in that failed may have left a device on the account.
pub fn may_leave_a_device(failure: &Failure) -> bool {
    failure.detail().is_some_and(|detail| detail.as_str().contains(DEVICE_MAY_REMAIN))
}

/// Counts the login, and proposes to stay signed in before servers ask for a pause: they allow about
/// five in a row. Looking at a backup needs no folder, so one that cannot be written is no failure.
fn note(client: &Client, data_dir: &Path, progress: &dyn Progress) {
    let origin = client.base().origin().ascii_serialization();
    let Ok(data_dir) = DataDir::open(data_dir) else { return };
    let now = Timestamp::now();
    if recent_logins(&data_dir, &origin, now).is_ok_and(|logins| logins >= LOGINS_BEFORE_A_HINT) {
        progress.tell(News::Hint(Hint::KeepSignedIn));
    }
    let _ = note_login(&data_dir, &origin, now);
}

/// The whole id that was typed must be the account's; of a name alone only that part.
///
/// Where a server was named and not addressed, the account must be one of that server.
fn check_identity(
    account: &Account,
    typed: Option<&str>,
    server: Option<&str>,
) -> Result<(), Failure> {
    let user_id = account.user_id();
    if account.session().is_guest() {
        return Err(Failure::new(Code::GuestAccount));
    }
    let Some(typed) = typed else { return Ok(()) };
    let localpart = user_id.trim_start_matches('@').split(':').next().unwrap_or_default();
    let same = if typed.starts_with('@') && typed.contains(':') {
        user_id == typed
    } else {
        let named = server.filter(|server| !server.contains("//"));
        localpart == typed.trim_start_matches('@')
            && named.is_none_or(|server| user_id.ends_with(&format!(":{server}")))
    };
    if same {
        return Ok(());
    }
    Err(Failure::new(Code::TokenOfAnother)
        .with("user", Shown::limited(user_id, 80))
        .with("typed", Shown::limited(typed, 80)))
}

/// Keeps the session of a device that keyhaul made; says whether it did. One that was kept before
/// is ended: nobody else has its token, so its device would stay on the account for good.
async fn keep(
    account: &Account,
    data_dir: &Path,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<bool, Failure> {
    let Held::Own(own) = &account.held else { return Ok(false) };
    let session = own.session();
    let kept = KeptSession {
        base_url: session.client().base().clone(),
        user_id: account.user_id().to_owned(),
        device_id: session.device().map(ToString::to_string).unwrap_or_default(),
        access_token: own.token().duplicate(),
    };
    let folder = DataDir::open(data_dir)
        .and_then(|data_dir| data_dir.account(account.user_id(), &account.server()))
        .map_err(IntoFailure::into_failure)?;
    let before = KeptSession::load(&folder).map_err(IntoFailure::into_failure)?;
    if let Some(before) = before.filter(|before| before.device_id != kept.device_id) {
        end(before, settings, cancel).await?;
    }
    kept.save(&folder).map_err(IntoFailure::into_failure)?;
    Ok(true)
}

/// The one kept session that is meant.
fn find_kept(
    data_dir: &Path,
    homeserver: Option<&str>,
    user: Option<&str>,
) -> Result<KeptSession, Failure> {
    let data_dir = DataDir::find(data_dir).map_err(IntoFailure::into_failure)?;
    let all = data_dir.map_or(Ok(Vec::new()), |data_dir| KeptSession::all(&data_dir));
    let mut kept = all.map_err(IntoFailure::into_failure)?;
    kept.retain(|kept| {
        let local = kept.user_id.trim_start_matches('@').split(':').next();
        user.is_none_or(|user| kept.user_id == user || local == Some(user.trim_start_matches('@')))
            && homeserver.is_none_or(|server| {
                kept.base_url.as_str().trim_end_matches('/') == server.trim_end_matches('/')
                    || kept.user_id.ends_with(&format!(":{server}"))
            })
    });
    match (kept.pop(), kept.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(Failure::new(Code::SignInMissing)
            .because("several accounts are signed in here; say which with --user")),
        (None, _) => Err(Failure::new(Code::SignInMissing)),
    }
}

async fn resume(
    kept: KeptSession,
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Account, Failure> {
    let client = Client::new(kept.base_url, settings).map_err(IntoFailure::into_failure)?;
    let own = token::resume(&client, kept.access_token, &kept.device_id, cancel)
        .await
        .map_err(IntoFailure::into_failure)?;
    let account = Account { held: Held::Own(own), kept: true };
    check_identity(&account, Some(&kept.user_id), None)?;
    Ok(account)
}

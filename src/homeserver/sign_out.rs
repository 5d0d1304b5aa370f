//! The way out: ending a session that keyhaul began, which removes its device too.

use http::Method;
use zeroize::Zeroizing;

use super::{
    error::RequestError,
    request::{Persistence, Request},
    session::OwnSession,
};
use crate::base::cancel::Cancel;

/// Ends the session and removes its device; a session the server no longer knows is ended already.
///
/// Borrowed sessions cannot be given here: signing them out would sign out another app.
pub async fn sign_out(own: &OwnSession, cancel: &Cancel) -> Result<(), RequestError> {
    let request = Request::new(Method::POST, "/_matrix/client/v3/logout", &[])
        .json(Zeroizing::new(b"{}".to_vec()))
        .persistence(Persistence::Once);
    match own.session().send(request, cancel).await {
        Ok(_) | Err(RequestError::TokenUnknown { soft_logout: false }) => Ok(()),
        Err(error) => Err(error),
    }
}

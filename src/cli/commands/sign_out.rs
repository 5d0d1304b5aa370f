//! `sign-out`: removes the device that `--keep-signed-in` left.

use serde_json::json;

use super::super::{desk::Desk, output::closed};
use crate::{
    base::{failure::Failure, shown::Shown},
    recovery::sign_in::sign_out_kept,
};

pub(super) async fn run(desk: &Desk) -> Result<u8, Failure> {
    let surroundings = desk.surroundings()?;
    let (server, user) = (desk.global.homeserver.as_deref(), desk.global.user.as_deref());
    let progress = desk.progress();
    let signed_out = sign_out_kept(&surroundings, server, user, &*progress, &desk.cancel).await;
    progress.finish();
    let user_id = signed_out?;
    desk.output
        .result(
            || json!({"signed_out": user_id}),
            |lines| {
                let user_id = Shown::limited(&user_id, 80);
                lines.line(format!("Signed out {user_id}. keyhaul's device is removed."));
            },
        )
        .map_err(|error| closed(&error))?;
    Ok(0)
}

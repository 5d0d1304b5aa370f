//! A recovery key of a real client, copied with slips: found on a real Synapse, and restored with.

use serde_json::json;

use super::{case::Case, text};
use crate::synapse::synapse;

#[tokio::test]
async fn a_miscopied_paper_is_mended_and_restores() {
    let Some(synapse) = synapse() else { return };
    let case = Case::new(synapse).await;
    let paper = case.paper();
    let place = paper.find(|letter: char| letter.is_ascii_digit()).unwrap();
    let (before, behind) = (&paper[..place], &paper[place + 1..]);
    let wrong =
        format!("{before}{}{behind}", if paper[place..].starts_with('7') { "4" } else { "7" });
    for slip in [wrong, format!("{before}{behind}"), format!("{before}00{}", &paper[place..])] {
        let mended = case.computer.file("mended");
        let call = case.computer.keyhaul(&["repair", "--overwrite"]).path("--save", &mended);
        let call = call.token_of(&case.there.account, case.server).secret(&slip);
        let found = call.succeeds();
        assert_eq!(found["recovery_key"], json!(null));
        assert_eq!(found["opens_backups"], json!([case.there.version]));
        assert_eq!(std::fs::read_to_string(&mended).unwrap().trim_end(), paper);
    }
    let mended = std::fs::read_to_string(case.computer.file("mended")).unwrap();
    let restored = case.restore().secret(mended.trim_end()).succeeds();
    let count = case.fixture["sessions"].as_array().unwrap().len();
    assert_eq!(restored["runs"][0]["new"], count);
    assert_eq!(text(&case.fixture, "recovery_key"), paper);
}

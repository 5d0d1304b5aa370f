//! Journeys to the check-up, the comparison and the papers, with a server that really answers.

use keyhaul::demo::stories::Story;

use super::journey::Journey;

#[tokio::test(flavor = "multi_thread")]
async fn a_check_up_before_and_after_the_recovery_key() {
    let mut ada = Journey::begin().await;
    ada.goes_to_backups().await;
    ada.press("c").await;
    let screen = ada.sees("nothing needs you").await;
    assert!(screen.contains("? Your recovery key opens secret storage"), "{screen}");
    assert!(screen.contains("type your recovery key at step 4"), "{screen}");
    ada.press("Esc").await;
    ada.sees("Backups of ").await;
    ada.press("Enter").await;
    ada.sees("5 467 keys in 41 rooms").await;
    ada.press("Enter").await;
    ada.sees("Type it as it stands on your paper").await;
    ada.paste(Story::Plain.recovery_key().expose()).await;
    ada.sees("It opens 5 467 keys: backup 3, the current one.").await;
    ada.press("c").await;
    let screen = ada.sees("1 thing needs you").await;
    assert!(screen.contains("▸ ✗ The keys of backup 3 open"), "{screen}");
    assert!(screen.contains("13 of 5 467 keys are for another recovery key."), "{screen}");
    assert!(screen.contains("5 467 counted in the snapshot"), "{screen}");
    ada.press("q").await;
    let (_, server, _) = ada.ended().await;
    assert_eq!(server.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_up_of_an_older_key_leads_to_its_backup() {
    let mut ada = Journey::at_key_of(Story::OlderKey).await;
    ada.paste(Story::OlderKey.secret().expose()).await;
    ada.sees("It opens backup 1 (35 keys)").await;
    ada.press("c").await;
    let screen = ada.sees("1 thing needs you").await;
    assert!(screen.contains("Your recovery key is right, but it belongs to backup 1."), "{screen}");
    ada.press("Enter").await;
    ada.sees("Contents of backup 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_backups_and_the_store_beside_each_other() {
    let mut ada = Journey::begin().await;
    ada.restores().await;
    ada.press("2").await;
    ada.sees("Backups of ").await;
    ada.press("Down d").await;
    let screen = ada.sees("If backup 1 were deleted, ").await;
    assert!(screen.contains("Backup 1 beside backup 3"), "{screen}");
    assert!(screen.contains("all 41 rooms"), "{screen}");
    ada.sees("Family").await;
    ada.press("Esc Up d BackTab").await;
    let screen = ada.sees("beside the keys on this computer").await;
    assert!(screen.contains("Backup 3"), "{screen}");
    ada.sees("If backup 3 were deleted, no key would be gone").await;
    ada.press("q").await;
    let (_, server, _) = ada.ended().await;
    assert_eq!(server.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_and_a_report_are_taken_along() {
    let mut ada = Journey::begin().await;
    ada.restores().await;
    ada.press("7").await;
    ada.sees("Recovery sheet").await;
    for (keys, name, words) in [
        ("Down Enter", "sheet.txt", "Write your recovery key by hand."),
        ("Down Enter", "report.txt", "entries-for-another-key"),
    ] {
        ada.press(keys).await;
        ada.sees("press Enter to write the file").await;
        let file = ada.data.path().join(name);
        ada.press("Ctrl-U").await;
        ada.paste(file.to_str().unwrap()).await;
        ada.press("Enter").await;
        ada.sees(name).await;
        ada.sees("On this computer now").await;
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(words), "{text}");
        assert!(!text.contains(Story::Plain.recovery_key().expose()), "{text}");
    }
    ada.press("q").await;
    let (_, server, _) = ada.ended().await;
    assert_eq!(server.writes(), 0);
}

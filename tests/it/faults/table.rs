//! The table of all faults: every number has a case here, in the files of cases, or in another test.

use std::{collections::BTreeMap, fs, path::Path};

use super::{
    case::{files, read},
    played::outcome,
};

/// Faults that tests of other subjects hold, or that modules of this one play: number, test, outcome.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("N1", "bad_input/network.rs unknown_server", "exit 12, server-not-found; nothing written"),
    ("N1", "bad_input/network.rs closed_port", "exit 12, server-silent; nothing written"),
    (
        "N2",
        "faults/cuts.rs a_body_that_ends_at_any_byte",
        "whole keys before the cut are kept; a second run gives the undisturbed store",
    ),
    ("N2", "bad_input/network.rs cut_body", "exit 12, connection-lost, says how many are kept"),
    ("N3", "faults/cuts.rs a_head_that_ends_at_any_byte", "nothing kept; a second run brings all"),
    ("N4", "faults/patience.rs a_slow_body_is_read_to_its_end", "read to its end"),
    ("N4", "faults/patience.rs a_body_that_drips_too_slowly_is_given_up", "silent after the limit"),
    (
        "N5",
        "faults/patience.rs a_wish_to_stop_is_heard_at_once_while_a_server_is_silent",
        "stopped within 500 ms",
    ),
    (
        "N6",
        "bad_input/network.rs server_that_asks_to_wait",
        "exit 12, asked-to-wait, says how long",
    ),
    (
        "N6",
        "src/homeserver/retry.rs a_server_is_given_the_time_that_it_asks_for",
        "waits just that, up to 5 min; beyond that a person decides",
    ),
    ("N6", "bad_input/in_parts.rs a_server_that_wants_a_pause", "waits, then goes on by itself"),
    ("N7", "src/homeserver/retry.rs without_a_time_the_pauses_grow", "1, 2, 4 … 60 s, ten times"),
    ("N7", "homeserver/patience.rs faults_that_pass_are_passed_over", "asked again, then answered"),
    ("N8", "src/homeserver/answer.rs only_sensible_waits_are_taken", "counts as no hint"),
    (
        "N9",
        "bad_input/in_parts.rs rooms_in_place_of_the_whole",
        "room by room, told what is missing",
    ),
    (
        "N9",
        "bad_input/in_parts.rs keys_in_place_of_a_room",
        "key by key, as its messages name them",
    ),
    ("N9", "bad_input/in_parts.rs nothing_helps", "exit 12, answer-cut, soon"),
    ("N11", "homeserver/door.rs a_token_never_follows_to_another_origin", "no token leaves"),
    ("N12", "homeserver/tls.rs each_reason_for_distrust_is_named", "each has its own words"),
    ("N12", "homeserver/tls.rs a_server_of_another_age_is_told_apart", "no common ground"),
    ("N16", "homeserver/faults.rs a_compressed_body_counts_unpacked", "ends at the decoded limit"),
    (
        "N24",
        "homeserver/door.rs loopback_is_asked_directly_whatever_the_environment_says",
        "asked directly; other names through the proxy",
    ),
    ("N23", "homeserver/tls.rs a_stream_that_is_reset_is_a_lost_connection", "connection-lost"),
    ("N24", "src/homeserver/answer.rs refusals_are_told_apart", "407 names the proxy"),
    ("N26", "src/homeserver/discovery.rs hints_are_read_strictly", "server-hint-broken"),
    ("H1", "escapes.rs room_names_and_ids", "pictures or nothing, in text and JSON"),
    ("H1", "escapes/anything.rs what_anybody_says_is_printed_safely", "allow-list holds"),
    ("H2", "shown.rs only_harmless_text_is_shown", "at most four marks, nothing hidden"),
    ("H3", "faults/told.rs rooms_of_one_name_are_told_apart", "the id stands beside the name"),
    (
        "H4",
        "faults/played.rs versions",
        "no file has a name of the server's, in every case here; nothing outside the data directory",
    ),
    ("H5", "entry_cases/restored.rs damaged_entries_are_named_and_all_others_restored", "named"),
    (
        "H7",
        "store/merging.rs candidates_are_capped_by_a_fixed_order_and_files_are_safe_from_backups",
        "both kept, at most four",
    ),
    ("H7", "history/closed.rs every_candidate_is_tried_and_the_right_one_is_proven", "proven"),
    (
        "H9",
        "properties.rs damaged_entries_are_judged_as_vodozemac_does",
        "corrupt or id_mismatch; never a panic",
    ),
    (
        "H10",
        "entry_cases/restored.rs damaged_entries_are_named_and_all_others_restored",
        "ephemeral",
    ),
    (
        "H12",
        "bad_input/backups.rs key_that_fits_an_older_version_only",
        "exit 10, opens-older-only",
    ),
    ("H12", "unlocking/odd_locks.rs entries_prove_a_key_where_no_public_key_does", "opens"),
    (
        "H15",
        "faults/told.rs a_backup_that_was_here_and_is_no_more_is_told",
        "said on stderr, with the day and the current one",
    ),
    ("H17", "homeserver/reading.rs hostile_version_names_stay_in_their_place", "one path"),
    ("H20", "bad_input/network.rs endless_body", "exit 12, answer-too-large"),
    ("H22", "unlocking/effort.rs bomb_is_named_and_not_lit", "refused with its figure, at once"),
    (
        "H23",
        "key_files/program.rs files_that_are_none_or_damaged",
        "refused before anything is calculated",
    ),
    ("H24", "unlocking/effort.rs recipe_that_makes_no_sense_opens_nothing", "opens nothing"),
    ("H25", "unlocking/storage.rs description_without_anything_to_check_with", "opens, unverified"),
    (
        "H26",
        "unlocking/odd_locks.rs backup_key_is_read_in_every_form_it_was_stored_in",
        "every usual form opens",
    ),
    ("H26", "unlocking/odd_locks.rs what_is_stored_wrongly_says_so", "says so"),
    ("H27", "bad_input/sign_in.rs server_without_passwords", "exit 13, no-way-in"),
    ("H29", "faults/patience.rs a_tarpit_holds_nobody", "four at a time; stopped within 500 ms"),
    (
        "H29",
        "faults/patience.rs a_tarpit_among_rooms_can_be_left_and_gone_on_from",
        "stopped within 500 ms; the next run brings all",
    ),
];

/// Faults without a case, and why.
const WITHOUT: &[(&str, &str)] = &[(
    "H8",
    "nothing tells a forged entry from a true one; the README and the explain texts say so, and only a \
     message proves a key",
)];

/// All numbers of the fault list that belong to the wire.
fn numbers() -> Vec<String> {
    let of = |letter: &'static str, last: u32| (1..=last).map(move |n| format!("{letter}{n}"));
    of("N", 26).chain(of("H", 29)).collect()
}

/// The rows of the table by number: what happens, and what comes of it.
fn rows() -> BTreeMap<String, Vec<String>> {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in files().iter().flat_map(|file| read(file)) {
        let row = format!("{}: {}", case.what, outcome(&case));
        rows.entry(case.id).or_default().push(row);
    }
    for (id, test, comes) in ELSEWHERE {
        let name = test.split(' ').next_back().unwrap_or(test).replace('_', " ");
        rows.entry((*id).to_owned()).or_default().push(format!("{name}: {comes} [{test}]"));
    }
    for (id, why) in WITHOUT {
        rows.entry((*id).to_owned()).or_default().push(format!("no case: {why}"));
    }
    rows
}

/// Numbers that have no row.
fn missing(rows: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    numbers().into_iter().filter(|number| !rows.contains_key(number)).collect()
}

/// Says whether a test of this name stands in that file.
fn is_there(test: &str) -> bool {
    let Some((file, name)) = test.split_once(' ') else { return false };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = if file.starts_with("src/") { root.to_owned() } else { root.join("tests/it") };
    fs::read_to_string(folder.join(file)).is_ok_and(|text| text.contains(&format!("fn {name}(")))
}

#[test]
fn every_fault_has_its_case() {
    let rows = rows();
    for number in numbers() {
        for row in rows.get(&number).into_iter().flatten() {
            println!("{number:4} {row}");
        }
    }
    assert_eq!(missing(&rows), [""; 0]);
    let unknown: Vec<_> = rows.keys().filter(|id| !numbers().contains(*id)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let gone: Vec<_> = ELSEWHERE.iter().filter(|(_, test, _)| !is_there(test)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn a_missing_case_is_found() {
    let mut rows = rows();
    rows.remove("N2");
    assert_eq!(missing(&rows), ["N2"]);
    assert!(!is_there("bad_input/network.rs no_such_test"));
    assert!(!is_there("no/such/file.rs closed_port"));
}

//! The table of transactions in `docs/consent.md` against what the tests meet: it names every refusal that there is, and each has a
//! test.

use super::{
    consent, emergency, erasure, grantee, identity, life, met, records, registry, research, rules, standing,
};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = include_str!("../../../../docs/consent.md");

/// The transactions of the page with their refusals and their events, as written there.
fn written() -> BTreeMap<&'static str, [BTreeSet<&'static str>; 2]> {
    let table = PAGE.split("## Transactions").nth(1).expect("the page has the table");
    let table = table.split("\n## ").next().expect("a text has a first part");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [call, .., refusals, events] = cells[..] else { panic!("{row}") };
        (call.trim_end_matches('`'), [names(refusals), names(events)])
    })
    .collect()
}

/// The words that begin with a capital letter and hold another: how refusals and events are written.
fn names(cell: &'static str) -> BTreeSet<&'static str> {
    let words = cell.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| word.chars().filter(char::is_ascii_uppercase).count() > 1).collect()
}

#[test]
fn every_refusal_and_event_of_the_page_is_met_by_a_test_and_no_others_are() {
    for test in TESTS {
        test();
    }
    let met = met();
    let nothing = [BTreeSet::new(), BTreeSet::new()];
    let mut wrong = Vec::new();
    for (call, said) in written() {
        let met = met.get(call).unwrap_or(&nothing);
        for (said, met) in said.iter().zip(met) {
            let met: BTreeSet<&str> = met.iter().map(String::as_str).collect();
            wrong.extend(said.difference(&met).map(|name| format!("{call}: no test meets {name}")));
            wrong.extend(met.difference(said).map(|name| format!("{call}: the page lacks {name}")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The tests of the transactions of the page; a new one that meets what no other does belongs here.
const TESTS: &[fn()] = &[
    consent::a_request_waits_for_its_patient_and_both_know,
    consent::only_practitioners_within_their_validity_ask_and_only_somebody_else,
    consent::a_request_keeps_to_its_limits,
    consent::a_grant_opens_its_records_from_now_until_its_end,
    consent::only_the_patient_asked_answers_and_only_once,
    consent::an_answer_counts_up_to_the_last_moment_and_not_after,
    consent::a_grant_opens_no_more_than_was_asked_and_nothing_of_somebody_else,
    consent::keys_are_not_handed_to_somebody_who_practises_no_more,
    consent::each_reading_is_counted_and_told_to_both,
    consent::a_grant_is_good_for_its_grantee_and_its_records_only,
    consent::a_grant_opens_nothing_at_its_end,
    consent::a_grant_taken_back_opens_nothing_from_that_moment,
    emergency::a_new_card_takes_the_place_of_the_old,
    emergency::a_revoked_card_opens_nothing_and_cannot_be_revoked_again,
    emergency::malformed_cards_are_refused,
    emergency::a_declaration_ends_by_itself_and_is_told_to_both,
    emergency::the_glass_is_broken_by_practitioners_for_others_and_with_a_reason,
    emergency::a_card_that_the_state_lost_is_damage,
    emergency::a_clinician_who_declares_for_everyone_alarms_their_employer_and_is_stopped,
    emergency::a_patient_reports_a_declaration_once_and_all_sides_hear,
    emergency::the_employer_at_the_time_reviews_a_declaration_once,
    identity::replaced_keys_speak_for_nobody_and_the_new_ones_for_the_same_did,
    identity::a_practitioners_employer_hears_of_replaced_keys,
    identity::no_key_comes_back_or_speaks_for_two,
    identity::a_key_speaks_for_nobody_without_its_holders_word,
    identity::keys_are_replaced_so_often_and_no_more,
    erasure::what_is_ordered_is_told_to_patient_and_holders_who_each_sign_that_it_is_gone,
    erasure::a_patient_asks_and_the_hospital_erases_or_keeps_by_law_until_a_date,
    erasure::nobody_erases_or_keeps_what_another_hospital_registered,
    erasure::only_holders_confirm_only_what_is_erased_and_once,
    erasure::lists_are_of_one_patient_and_one_hospital_in_order_and_not_endless,
    erasure::an_erased_record_is_neither_granted_nor_read_and_never_comes_back,
    grantee::a_patient_gives_access_unasked,
    grantee::what_is_given_unasked_keeps_to_the_same_limits,
    grantee::a_relative_reads_without_being_a_practitioner_and_nobody_else_does,
    grantee::a_patient_who_is_one_of_the_staff_has_their_reading_in_their_history_once,
    grantee::staff_read_while_they_are_staff_and_their_hospital_answers_for_it,
    grantee::a_department_or_a_role_is_a_part_of_the_staff,
    grantee::a_request_for_colleagues_is_answered_for_all_of_them_or_for_the_asker_alone,
    grantee::a_request_of_one_is_not_answered_for_all_their_colleagues,
    grantee::a_grant_for_staff_is_extended_as_any_other,
    grantee::only_an_organisation_has_a_key_for_staff,
    life::only_the_patient_changes_a_grant_and_only_one_there_is,
    life::what_has_ended_is_changed_no_more,
    life::a_narrowed_grant_opens_what_is_left_and_both_know,
    life::narrowing_never_widens_and_takes_something_away,
    life::an_extended_grant_lasts_longer_and_opens_no_more_records,
    life::extending_never_shortens_and_adds_something,
    life::what_ends_a_grant_is_told_before_a_pause_and_a_pause_before_the_beginning,
    life::a_date_or_a_number_that_is_the_same_in_other_words_is_no_change,
    life::a_patient_cannot_fill_a_readers_history_by_changing_a_grant_without_end,
    life::a_paused_grant_opens_nothing_until_it_is_resumed_and_its_time_goes_on,
    life::a_grant_of_one_use_is_used_once_and_can_still_be_taken_back,
    life::a_grant_that_begins_later_opens_nothing_before,
    life::a_recall_tells_by_when_to_delete_and_the_receipt_settles_it,
    life::nothing_is_owed_for_what_was_never_read,
    records::a_hospital_registers_records_and_the_patient_learns_of_it,
    records::people_register_no_records_and_strangers_have_none,
    records::a_record_is_registered_once_and_all_or_none,
    records::malformed_registrations_are_refused,
    registry::an_organisation_registers_renews_and_ends_its_practitioners,
    registry::only_organisations_register_practitioners,
    registry::only_registered_identities_become_practitioners,
    registry::another_hospital_takes_a_practitioner_over_only_after_the_end,
    registry::empty_and_endless_names_and_ended_validities_are_refused,
    registry::an_organisation_publishes_replaces_and_withdraws_where_its_nodes_are,
    registry::only_validators_publish_addresses_and_only_their_own,
    registry::addresses_that_are_none_or_too_many_or_count_too_long_are_refused,
    registry::the_addresses_of_an_organisation_that_leaves_are_removed_when_it_has_left,
    research::it_takes_a_quorum_under_one_name_to_make_a_board_and_to_dismiss_it,
    research::votes_that_are_no_good_are_refused,
    research::a_study_is_told_to_its_board_and_waits_for_it,
    research::studies_that_are_no_good_are_refused,
    research::only_the_board_of_a_study_decides_on_it_once_and_while_in_office,
    research::so_many_studies_are_open_at_once_and_one_that_ended_makes_room,
    research::who_joins_is_read_by_researchers_of_the_sponsor_and_can_withdraw,
    research::a_full_study_takes_nobody_until_somebody_withdraws,
    research::who_joins_again_after_the_grant_ran_out_keeps_the_place,
    research::joining_opens_no_more_than_was_approved,
    research::a_study_of_past_records_gets_none_to_come,
    research::a_study_that_has_ended_opens_nothing_and_no_key_flows,
    research::a_study_is_over_at_its_end_by_itself,
    rules::an_intern_reads_under_a_grant_to_the_department_and_not_under_one_to_the_hospital,
    rules::whoever_could_read_nothing_is_given_nothing,
    rules::records_to_come_count_for_what_could_be_read,
    rules::a_nurse_who_cares_for_a_relative_reads_as_a_relative,
    rules::a_quorum_of_the_organisations_changes_the_rules_and_grants_that_stand_obey_them,
    rules::nobody_else_changes_the_rules,
    rules::a_text_that_is_no_rule_book_is_not_even_proposed,
    rules::a_proposed_rule_book_is_approved_in_time_or_not_at_all,
    rules::an_approval_does_not_undo_what_was_adopted_meanwhile,
    rules::a_rule_book_that_cannot_be_read_is_an_error_and_no_refusal,
    standing::new_records_reach_the_reader_with_no_action_of_the_patient,
    standing::a_hospital_leaves_out_no_flow_that_is_due_and_adds_none_that_is_not,
    standing::no_key_flows_after_the_end_of_a_grant_nor_while_it_is_paused,
    standing::what_is_opened_later_is_of_the_categories_asked_for_and_of_no_time_that_ends,
    standing::new_records_reach_staff_by_their_hospitals_key,
    standing::there_is_a_limit_to_standing_grants_and_ended_ones_make_room,
    standing::a_grant_that_opens_no_more_records_to_come_makes_room_for_another,
    standing::narrowing_takes_records_to_come_out_and_adds_none,
];

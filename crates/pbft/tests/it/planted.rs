//! The proof that the checkers can fail: each deliberate bug of the core is planted, and found by the simulation, or else
//! by a table of steps.
//!
//! `cargo nextest run -p amulet-pbft --features planted`

use std::panic;

use amulet_pbft::planted::{Bug, Place};
use amulet_protocol::ids::ReplicaId;

use crate::simulation::byzantine::Lies;
use crate::simulation::ride_out;
use crate::simulation::world::{Faults, World};
use crate::support::PLANTED;
use crate::{normal_case, pipeline, recovery, status, view_change};

/// Runs that a bug has to show itself in.
const SEEDS: u64 = 12;

/// Bugs that these few runs of a few seconds do not reach: it takes a table of steps.
const TABLE_ONLY: &[Bug] = &[
    Bug::AccuseHonest,
    Bug::HideEquivocation,
    Bug::JoinNobody,
    Bug::NeverAskForPayload,
    Bug::NeverRepeat,
    Bug::OrderBelowBase,
    Bug::RunAhead,
    Bug::SelectOldest,
    Bug::SelectUnlinked,
    Bug::SkipNewViewRecord,
];

const TABLES: &[(&str, fn())] = &[
    (
        "pipeline::a_primary_fills_the_pipeline_and_stops_at_its_depth",
        pipeline::a_primary_fills_the_pipeline_and_stops_at_its_depth,
    ),
    ("pipeline::a_proposal_waits_for_the_one_below", pipeline::a_proposal_waits_for_the_one_below),
    (
        "pipeline::a_proposal_on_top_of_another_block_is_refused",
        pipeline::a_proposal_on_top_of_another_block_is_refused,
    ),
    (
        "pipeline::a_commit_vote_waits_for_the_height_below",
        pipeline::a_commit_vote_waits_for_the_height_below,
    ),
    (
        "pipeline::a_certificate_of_an_earlier_view_does_not_open_the_gate",
        pipeline::a_certificate_of_an_earlier_view_does_not_open_the_gate,
    ),
    ("pipeline::only_what_is_linked_to_the_tip_is_shown", pipeline::only_what_is_linked_to_the_tip_is_shown),
    ("pipeline::the_selection_follows_parents", pipeline::the_selection_follows_parents),
    (
        "pipeline::several_accepted_heights_survive_a_restart",
        pipeline::several_accepted_heights_survive_a_restart,
    ),
    (
        "pipeline::a_primary_goes_on_above_what_it_proposed",
        pipeline::a_primary_goes_on_above_what_it_proposed,
    ),
    ("pipeline::a_gap_in_the_log_is_noticed", pipeline::a_gap_in_the_log_is_noticed),
    (
        "pipeline::a_block_that_passed_by_is_fetched_at_once",
        pipeline::a_block_that_passed_by_is_fetched_at_once,
    ),
    (
        "pipeline::lost_messages_of_several_heights_are_sent_again",
        pipeline::lost_messages_of_several_heights_are_sent_again,
    ),
    ("pipeline::an_epoch_ends_with_its_last_block", pipeline::an_epoch_ends_with_its_last_block),
    (
        "pipeline::the_next_epoch_starts_from_the_last_block",
        pipeline::the_next_epoch_starts_from_the_last_block,
    ),
    (
        "pipeline::what_is_stale_is_known_before_signatures_are_checked",
        pipeline::what_is_stale_is_known_before_signatures_are_checked,
    ),
    (
        "pipeline::the_largest_new_view_fits_and_costs_its_different_votes",
        pipeline::the_largest_new_view_fits_and_costs_its_different_votes,
    ),
    (
        "normal_case::a_primary_proposes_one_block_and_has_it_on_disk_first",
        normal_case::a_primary_proposes_one_block_and_has_it_on_disk_first,
    ),
    (
        "normal_case::a_primary_with_nothing_to_propose_is_asked_again",
        normal_case::a_primary_with_nothing_to_propose_is_asked_again,
    ),
    (
        "normal_case::a_backup_validates_prepares_and_commits_in_this_order",
        normal_case::a_backup_validates_prepares_and_commits_in_this_order,
    ),
    (
        "normal_case::votes_that_overtake_the_proposal_count",
        normal_case::votes_that_overtake_the_proposal_count,
    ),
    ("normal_case::a_quorum_of_six_is_four", normal_case::a_quorum_of_six_is_four),
    ("normal_case::only_matching_votes_of_backups_count", normal_case::only_matching_votes_of_backups_count),
    ("normal_case::only_the_primary_proposes", normal_case::only_the_primary_proposes),
    ("normal_case::a_wrong_block_ends_the_view", normal_case::a_wrong_block_ends_the_view),
    (
        "normal_case::a_verdict_about_another_block_is_void",
        normal_case::a_verdict_about_another_block_is_void,
    ),
    ("normal_case::messages_count_at_their_height", normal_case::messages_count_at_their_height),
    (
        "normal_case::contradictions_are_reported_once_with_proof",
        normal_case::contradictions_are_reported_once_with_proof,
    ),
    (
        "normal_case::votes_in_different_views_are_no_evidence",
        normal_case::votes_in_different_views_are_no_evidence,
    ),
    ("normal_case::checkpoints_move_the_window", normal_case::checkpoints_move_the_window),
    (
        "normal_case::a_primary_stops_at_the_high_water_mark",
        normal_case::a_primary_stops_at_the_high_water_mark,
    ),
    (
        "normal_case::blocks_adopted_beyond_the_window_move_it",
        normal_case::blocks_adopted_beyond_the_window_move_it,
    ),
    ("normal_case::a_late_firing_is_ignored", normal_case::a_late_firing_is_ignored),
    (
        "view_change::leaving_a_view_shows_what_was_prepared_and_ends_voting_in_it",
        view_change::leaving_a_view_shows_what_was_prepared_and_ends_voting_in_it,
    ),
    ("view_change::f_plus_one_requests_are_joined", view_change::f_plus_one_requests_are_joined),
    (
        "view_change::the_block_prepared_in_the_highest_view_is_carried",
        view_change::the_block_prepared_in_the_highest_view_is_carried,
    ),
    (
        "view_change::a_proven_base_ends_older_certificates",
        view_change::a_proven_base_ends_older_certificates,
    ),
    (
        "view_change::a_new_view_that_bends_its_certificate_is_refused",
        view_change::a_new_view_that_bends_its_certificate_is_refused,
    ),
    ("view_change::a_stale_new_view_is_refused", view_change::a_stale_new_view_is_refused),
    ("view_change::nothing_is_ordered_up_to_the_base", view_change::nothing_is_ordered_up_to_the_base),
    ("view_change::the_carried_block_comes_first", view_change::the_carried_block_comes_first),
    (
        "view_change::the_wait_for_a_new_view_starts_with_a_quorum",
        view_change::the_wait_for_a_new_view_starts_with_a_quorum,
    ),
    (
        "view_change::waits_double_up_to_the_maximum_and_a_commit_resets_them",
        view_change::waits_double_up_to_the_maximum_and_a_commit_resets_them,
    ),
    (
        "view_change::a_replica_that_is_cut_off_stays_in_its_view",
        view_change::a_replica_that_is_cut_off_stays_in_its_view,
    ),
    ("view_change::old_requests_to_leave_are_refused", view_change::old_requests_to_leave_are_refused),
    (
        "recovery::a_backup_votes_again_for_the_same_block_only",
        recovery::a_backup_votes_again_for_the_same_block_only,
    ),
    ("recovery::a_primary_does_not_propose_twice", recovery::a_primary_does_not_propose_twice),
    ("recovery::what_was_prepared_stays_prepared", recovery::what_was_prepared_stays_prepared),
    ("recovery::a_commit_vote_is_sent_again", recovery::a_commit_vote_is_sent_again),
    ("recovery::a_view_that_was_left_stays_left", recovery::a_view_that_was_left_stays_left),
    (
        "recovery::a_view_that_was_entered_is_entered_again",
        recovery::a_view_that_was_entered_is_entered_again,
    ),
    ("recovery::a_log_that_does_not_fit_is_refused", recovery::a_log_that_does_not_fit_is_refused),
    (
        "recovery::records_of_settled_heights_are_forgotten",
        recovery::records_of_settled_heights_are_forgotten,
    ),
    ("status::a_heartbeat_tells_where_a_replica_is", status::a_heartbeat_tells_where_a_replica_is),
    ("status::answers_go_to_who_is_behind", status::answers_go_to_who_is_behind),
    ("status::a_missed_new_view_is_sent_again", status::a_missed_new_view_is_sent_again),
    ("status::lost_votes_are_sent_again", status::lost_votes_are_sent_again),
    ("status::a_lost_checkpoint_vote_is_sent_again", status::a_lost_checkpoint_vote_is_sent_again),
    (
        "status::being_one_behind_for_long_starts_a_catch_up_from_each_in_turn",
        status::being_one_behind_for_long_starts_a_catch_up_from_each_in_turn,
    ),
    ("status::a_synced_block_settles_its_height", status::a_synced_block_settles_its_height),
    ("status::a_missing_carried_block_is_fetched", status::a_missing_carried_block_is_fetched),
    ("status::a_block_voted_for_is_given_to_who_asks", status::a_block_voted_for_is_given_to_who_asks),
];

/// Everything that goes wrong, a little of each, in turns.
fn faults(seed: u64) -> Faults {
    let liar = |lies| Some((ReplicaId((seed / 8 % 2) as u16), lies));
    let all = Faults {
        loss_percent: 10,
        duplicate_percent: 10,
        crash_per_mille: 0,
        partitions: true,
        byzantine: None,
        epochs: seed.is_multiple_of(3),
    };
    match seed % 4 {
        0 => Faults { crash_per_mille: 15, ..all },
        1 => Faults { byzantine: liar(Lies::Equivocate), ..all },
        2 => Faults { crash_per_mille: 8, loss_percent: 20, ..all },
        _ => Faults { byzantine: liar(Lies::ALL[(1 + seed / 4 % 4) as usize]), ..all },
    }
}

/// The seed of a run that finds the bug.
fn found_by_simulation(bug: Bug) -> Option<u64> {
    (0..SEEDS).find(|seed| {
        let run = || ride_out(World::with_bug(4, 4, *seed, faults(*seed), Some(bug)), *seed);
        panic::catch_unwind(run).is_err()
    })
}

/// The table of steps that finds the bug.
fn found_by_table(bug: Bug) -> Option<&'static str> {
    PLANTED.set(Some(bug));
    let found = TABLES.iter().find(|(_, table)| panic::catch_unwind(table).is_err());
    PLANTED.set(None);
    found.map(|(name, _)| *name)
}

fn find_all(part: usize) {
    panic::set_hook(Box::new(|_| {}));
    let core = Bug::ALL.iter().filter(|bug| bug.place() == Place::Core).enumerate();
    let mut missed = Vec::new();
    for (_, bug) in core.filter(|(index, _)| index % 4 == part) {
        let run = if TABLE_ONLY.contains(bug) { None } else { found_by_simulation(*bug) };
        let table = found_by_table(*bug);
        eprintln!("{bug}: seed {run:?}, table {table:?}");
        if run.is_none() && (table.is_none() || !TABLE_ONLY.contains(bug)) {
            missed.push(bug.name());
        }
    }
    drop(panic::take_hook());
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn without_a_bug_nothing_is_found() {
    for seed in 0..SEEDS {
        ride_out(World::new(4, 4, seed, faults(seed)), seed);
    }
}

#[test]
fn planted_bugs_are_found_1() {
    find_all(0);
}

#[test]
fn planted_bugs_are_found_2() {
    find_all(1);
}

#[test]
fn planted_bugs_are_found_3() {
    find_all(2);
}

#[test]
fn planted_bugs_are_found_4() {
    find_all(3);
}

//! The design as it is holds in every state within the bounds, and gets somewhere.

use amulet_model::properties::COMMITTED_LATER;
use amulet_model::{Config, Interleaving, REPLICAS, check};

fn explore(views: usize, heights: usize, byzantine: u8, interleaving: Interleaving) {
    let report = check(Config::new(views, heights, byzantine, interleaving));
    let expected: &[&str] = if views == 1 { &[COMMITTED_LATER] } else { &[] };
    assert!(report.violations.is_empty(), "{report}");
    assert_eq!(report.unreached, expected, "{report}");
}

#[test]
fn two_heights_over_two_views_with_a_faulty_first_primary() {
    explore(2, 2, 0, Interleaving::Full);
}

#[test]
fn two_heights_over_two_views_with_a_faulty_second_primary() {
    explore(2, 2, 1, Interleaving::Full);
}

#[test]
fn two_heights_over_two_views_with_a_faulty_backup() {
    explore(2, 2, 2, Interleaving::Full);
}

#[test]
fn one_height_over_three_views() {
    (0..REPLICAS).for_each(|byzantine| explore(3, 1, byzantine, Interleaving::ByView));
}

#[test]
fn three_heights_in_one_view() {
    (0..REPLICAS).for_each(|byzantine| explore(1, 3, byzantine, Interleaving::Full));
}

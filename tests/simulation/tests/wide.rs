//! A hundred hospitals of one country agree as quickly as promised, by the model of `wide`.

use amulet_simulation::wide::{Costs, measure};

/// Commit time promised at the median, in milliseconds.
const PROMISED_MS: f64 = 200.0;

#[test]
fn a_hundred_replicas_commit_within_the_promised_time() {
    // Costs that are given, not measured: virtual time does not depend on how busy this machine is.
    let found = measure(100, 100_000, 25, &Costs::default());
    assert_eq!(found.views, 0, "no view fails when nothing is wrong");
    assert_eq!(found.transactions, 25, "everything is committed");
    assert!(found.p50_ms < PROMISED_MS, "{} ms", found.p50_ms);
}

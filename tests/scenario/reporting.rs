//! Step 7: a patient lets the wallet report how the hospitals served, once.

use crate::World;
use amulet_app_api::reporting::{Reporting, ReportingView, SendReport, SetReporting};
use amulet_app_api::wallet::Sync;
use amulet_protocol::history::Event;
use amulet_protocol::reputation::Reputation;
use amulet_protocol::state::StateKey;
use amulet_tests::chain;
use amulet_tests::hospital::did;
use amulet_tests::wallet::Newcomer;

/// Rounds of questions: more than a report needs.
const ROUNDS: usize = 10;

/// Only who turned it on reports; the report counts for the hospital that knows the patient, about the others.
pub async fn is_asked_for(world: &World, patient: &Newcomer) {
    let wallet = &patient.wallet;
    assert_eq!(wallet.must(Reporting {}).await, ReportingView { on: false });
    for _ in 0..ROUNDS {
        wallet.must(Sync { all: true }).await;
    }
    assert!(!wallet.must(SendReport {}).await, "nobody turned it on");
    assert_eq!(voices(world), [None; 4]);
    wallet.must(SetReporting { on: true }).await;
    assert!(wallet.must(SendReport {}).await);
    assert!(!wallet.must(SendReport {}).await, "once a week");
    world.net.same_head(std::time::Duration::from_secs(20));
    assert_eq!(voices(world), [None, Some(1), Some(1), Some(1)], "hospital 1 holds the records");
    let history = chain::history(world.net.hospital(2), &world.genesis, did(patient.session.did()));
    assert!(matches!(history[1].event, Event::RecordsRegistered { .. }));
    assert_eq!(history.len(), 14, "a report is nobody's history");
}

/// How many hospitals' clients have said something of each hospital.
fn voices(world: &World) -> [Option<usize>; 4] {
    [1, 2, 3, 4].map(|n| {
        let key = StateKey::Reputation(world.organisation(n));
        let known: Option<Reputation> = chain::state(world.net.hospital(3), &world.genesis, &key);
        known.map(|known| known.voices().len())
    })
}

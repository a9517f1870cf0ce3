//! Checks received messages on a bounded number of threads, beside the driver.

use super::event::Event;
use super::gate::{Gate, GateRefusal};
use crate::network::ConsensusMessage;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

/// Checked messages waiting for the driver. Those who check wait when it is full, then the inbox fills, and then what
/// exceeds a validator's share is dropped, as a network may.
pub(super) const ADMITTED_MAX: usize = 256;

/// A checked message, with the place that its sender takes up until it is handled.
pub(super) struct Admitted {
    pub(super) event: Event,
    pub(super) _place: Option<OwnedSemaphorePermit>,
}

/// Starts a checker for each processor. They end when the inbox is closed, or nobody takes what they admit.
///
/// Messages of one sender may overtake each other here; the protocol bears that, as it does from a network.
pub(super) fn start(
    inbox: mpsc::Receiver<ConsensusMessage>,
    gate: &watch::Receiver<Gate>,
) -> mpsc::Receiver<Admitted> {
    let (admitted, receiver) = mpsc::channel(ADMITTED_MAX);
    let inbox = Arc::new(Mutex::new(inbox));
    let checkers = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..checkers {
        let (inbox, gate, admitted) = (inbox.clone(), gate.clone(), admitted.clone());
        tokio::task::spawn_blocking(move || check_all(&inbox, &gate, &admitted));
    }
    receiver
}

fn check_all(
    inbox: &Mutex<mpsc::Receiver<ConsensusMessage>>,
    gate: &watch::Receiver<Gate>,
    admitted: &mpsc::Sender<Admitted>,
) {
    loop {
        // Whoever holds the lock waits for the next message; the others wait for the lock.
        let message = inbox.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(ConsensusMessage { from, bytes, place }) = message else { return };
        let gate = gate.borrow().clone();
        let event = match gate.admit(Some(from), &bytes) {
            Ok(verified) => Event::Message(verified),
            Err(GateRefusal::EpochAhead { .. }) => Event::PeerAhead { peer: from },
            Err(GateRefusal::Stale { .. } | GateRefusal::EpochOver { .. }) => continue,
            Err(refusal) => {
                tracing::warn!(replica = from.0, %refusal, "message refused");
                continue;
            }
        };
        if admitted.blocking_send(Admitted { event, _place: place }).is_err() {
            return;
        }
    }
}

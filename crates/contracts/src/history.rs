//! Appending to personal histories: everybody an event concerns gets it into their own.

use crate::state::StateRead;
use crate::step::{Done, Step};
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::Did;
use amulet_protocol::state::StateKey;

/// Appends `event` to the history of each of `concerned`, in this order, and once: somebody may be concerned in two ways, as a
/// patient who is one of the staff and reads their own records is.
pub(crate) fn append<S: StateRead>(step: &mut Step<'_, S>, concerned: &[Did], event: &Event) -> Done<S> {
    for (place, did) in concerned.iter().enumerate() {
        if concerned[..place].contains(did) {
            continue;
        }
        let key = StateKey::History(*did);
        let head: HistoryHead = step.get(&key)?.unwrap_or_default();
        let entry = HistoryEntry {
            number: head.count + 1,
            height: step.context.height,
            time: step.context.time,
            transaction: step.id,
            event: event.clone(),
        };
        let head = head.push(&entry).expect("the entry carries the next number");
        step.put(key, &head);
        step.record_entry(*did, entry);
    }
    Ok(())
}

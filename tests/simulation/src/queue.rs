//! What will happen, in order of time; at one moment, in the order in which it was planned.

use crate::time::Micros;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The events to come.
pub struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    planned: u64,
}

struct Entry<E> {
    place: (Micros, u64),
    event: E,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), planned: 0 }
    }
}

impl<E> Queue<E> {
    /// Plans an event.
    pub fn push(&mut self, at: Micros, event: E) {
        self.planned += 1;
        self.heap.push(Reverse(Entry { place: (at, self.planned), event }));
    }

    /// The next event, if it happens before `end`.
    pub fn pop_before(&mut self, end: Micros) -> Option<(Micros, E)> {
        if self.heap.peek()?.0.place.0 >= end {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.place.0, entry.event))
    }

    /// Events that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

//! Consensus messages on their way to one peer. What comes up while a few envelopes are under way goes into the next one, so
//! that a loaded node does not pay for a stream, a frame and an answer for each vote.

use amulet_pbft::limits::MESSAGE_BYTES_MAX;
use amulet_protocol::codec::{self, DecodeError};
use std::collections::VecDeque;
use std::sync::Arc;

/// Messages in one envelope: a fraction of what a peer keeps of one validator, so that one envelope does not overflow that.
pub(super) const ENVELOPE_MESSAGES_MAX: usize = 16;
/// Bytes of an envelope: it has room for the largest message, with its length and their number.
pub(super) const ENVELOPE_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 4 * (ENVELOPE_MESSAGES_MAX + 1);
/// Envelopes to one peer under way at once: a message waits for a fraction of the way there and back, and only if as many
/// are under way.
pub(super) const ENVELOPES_UNDER_WAY_MAX: usize = 4;
/// Messages that wait for their envelope; more are dropped, as a network may.
const WAITING_MAX: usize = 256;
/// Bytes of them: what the votes on full blocks take, and a new view beside them.
const WAITING_BYTES_MAX: usize = 4 * MESSAGE_BYTES_MAX;

#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Arc<Vec<u8>>>,
    bytes: usize,
    under_way: usize,
}

impl Outbox {
    /// Takes a message, unless too much waits.
    #[must_use]
    pub(super) fn push(&mut self, message: Arc<Vec<u8>>) -> bool {
        let has_room = self.waiting.len() < WAITING_MAX && self.bytes + message.len() <= WAITING_BYTES_MAX;
        if has_room {
            self.bytes += message.len();
            self.waiting.push_back(message);
        }
        has_room
    }

    /// The next envelope, if something waits and another may go; it counts as under way from now on.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        if self.waiting.is_empty() || self.under_way == ENVELOPES_UNDER_WAY_MAX {
            return None;
        }
        let mut bytes = 0;
        let fits = |message: &&Arc<Vec<u8>>| {
            bytes += message.len();
            bytes <= MESSAGE_BYTES_MAX
        };
        let count = self.waiting.iter().take(ENVELOPE_MESSAGES_MAX).take_while(fits).count();
        let messages: Vec<_> = self.waiting.drain(..count).collect();
        self.bytes -= messages.iter().map(|message| message.len()).sum::<usize>();
        self.under_way += 1;
        Some(codec::encode(&messages.iter().map(|message| message.as_slice()).collect::<Vec<_>>()))
    }

    /// An envelope has arrived, or is lost.
    pub(super) fn settled(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// The peer is not connected: what waits for it is lost, as it would be on the way.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }
}

/// The messages in an envelope.
///
/// # Errors
/// It is none, or holds too many.
pub(super) fn open(envelope: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let messages: Vec<Vec<u8>> = codec::decode(envelope, ENVELOPE_BYTES_MAX)?;
    if messages.len() > ENVELOPE_MESSAGES_MAX {
        return Err(DecodeError::Malformed { expected: "envelope" });
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(number: u8, bytes: usize) -> Arc<Vec<u8>> {
        Arc::new(vec![number; bytes])
    }

    #[test]
    fn one_goes_at_once_and_what_gathers_meanwhile_goes_together_in_order() {
        let mut outbox = Outbox::default();
        for number in 0..ENVELOPES_UNDER_WAY_MAX as u8 {
            assert!(outbox.push(message(number, 100)));
            assert_eq!(open(&outbox.next().unwrap()).unwrap(), [vec![number; 100]]);
        }
        for number in 10..13 {
            assert!(outbox.push(message(number, 100)));
        }
        assert!(outbox.next().is_none(), "too many under way");
        outbox.settled();
        assert_eq!(open(&outbox.next().unwrap()).unwrap(), [vec![10; 100], vec![11; 100], vec![12; 100]]);
        assert!(outbox.next().is_none());
    }

    #[test]
    fn the_largest_message_has_its_envelope_and_what_waits_is_bounded() {
        let mut outbox = Outbox::default();
        assert!(outbox.push(message(1, MESSAGE_BYTES_MAX)) && outbox.push(message(2, 1)));
        let envelope = outbox.next().unwrap();
        assert!(envelope.len() <= ENVELOPE_BYTES_MAX);
        assert_eq!(open(&envelope).unwrap(), [vec![1; MESSAGE_BYTES_MAX]]);
        let large = message(3, MESSAGE_BYTES_MAX);
        let taken = (0..10).filter(|_| outbox.push(large.clone())).count();
        assert_eq!(taken, 3);
        let mut outbox = Outbox::default();
        let small = message(4, 1);
        assert_eq!((0..10_000).filter(|_| outbox.push(small.clone())).count(), WAITING_MAX);
        assert_eq!(open(&outbox.next().unwrap()).unwrap().len(), ENVELOPE_MESSAGES_MAX);
        outbox.clear();
        assert!(outbox.next().is_none());
    }

    #[test]
    fn an_envelope_of_too_many_messages_is_refused() {
        let many = codec::encode(&vec![vec![0u8; 4]; ENVELOPE_MESSAGES_MAX + 1]);
        assert!(open(&many).is_err() && open(b"nonsense").is_err());
    }
}

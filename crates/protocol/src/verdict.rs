//! What a proof says about one thing that was asked for. Three answers and never a bool: "it is not there" and "this says
//! nothing about it" must not be taken for each other.

use crate::state_tree::Proven;

/// What verified proofs say about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It is there, and this is it.
    Present(T),
    /// It is proven not to be there.
    Absent,
    /// The proofs are about something else: it may be there or not.
    NotCovered,
}

impl<T> Verdict<T> {
    /// Presence or absence, if either was proven.
    #[must_use]
    pub fn proven(self) -> Option<Proven<T>> {
        match self {
            Self::Present(value) => Some(Proven::Present(value)),
            Self::Absent => Some(Proven::Absent),
            Self::NotCovered => None,
        }
    }
}

//! How many validators must agree. One type, so that no other place computes a threshold.

/// Smallest number of validators that bears one fault.
pub const VALIDATORS_MIN: usize = 4;
/// Largest validator set the protocol is meant for; bounds certificates and vote tables.
pub const VALIDATORS_MAX: usize = 100;

/// Fault bound and quorum of a validator set of `n` members.
///
/// `f = floor((n-1)/3)` faulty members are borne; a quorum is `ceil((n+f+1)/2)` members, so that any two quorums share
/// at least one correct member. That equals `2f+1` only for `n = 3f+1`. Source: OSDI'99 section 3 for `n = 3f+1`,
/// generalised by quorum intersection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    n: usize,
}

impl Quorum {
    /// The quorum system for `n` members; `None` unless `n` lies in `VALIDATORS_MIN..=VALIDATORS_MAX`.
    #[must_use]
    pub fn for_size(n: usize) -> Option<Self> {
        (VALIDATORS_MIN..=VALIDATORS_MAX).contains(&n).then_some(Self { n })
    }

    /// Number of members.
    #[must_use]
    pub fn size(self) -> usize {
        self.n
    }

    /// Faulty members that are borne.
    #[must_use]
    pub fn faults(self) -> usize {
        (self.n - 1) / 3
    }

    /// Members that make a quorum.
    #[must_use]
    pub fn threshold(self) -> usize {
        (self.n + self.faults() + 1).div_ceil(2)
    }

    /// Approvals that decide among `organisations` with one voice each: the quorum, also for fewer than
    /// [`VALIDATORS_MIN`] organisations, where no fault is borne and it is more than half.
    #[must_use]
    pub fn approvals(organisations: usize) -> usize {
        Self { n: organisations.max(1) }.threshold()
    }

    /// Members of whom at least one is correct: `f + 1`.
    #[must_use]
    pub fn one_correct(self) -> usize {
        self.faults() + 1
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn any_two_quorums_share_a_correct_member_and_correct_members_suffice() {
        for n in VALIDATORS_MIN..=VALIDATORS_MAX {
            let quorum = Quorum::for_size(n).unwrap();
            let f = quorum.faults();
            assert!(2 * quorum.threshold() > n + f, "n={n}: two quorums may share only faulty members");
            assert!(quorum.threshold() <= n - f, "n={n}: the correct members alone cannot make a quorum");
            assert!(n > 3 * f && n <= 3 * f + 3, "n={n}: f={f} is not floor((n-1)/3)");
        }
    }

    #[test]
    fn sets_out_of_bounds_have_no_quorum() {
        assert_eq!(Quorum::for_size(3), None);
        assert_eq!(Quorum::for_size(101), None);
        assert_eq!(Quorum::for_size(6).unwrap().threshold(), 4);
    }
}

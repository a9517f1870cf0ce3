//! A grant as the ledger keeps it, from the patient's signature to the reader's deletion receipt.
//!
//! Three clocks that are never mixed: until when a request can be answered (in the request), from when until when the grant
//! opens its records, and by when what was read must be deleted.

use crate::calls::{RequestId, UseLimit};
use crate::consent::{Category, Purpose};
use crate::grant_keys::KeyBinding;
use crate::grantee::Grantee;
use crate::ids::{Did, Height, RecordId, Timestamp};
use crate::limits::{DELETION_NOTICE_MS, DELETION_TIME_MS, KEEPING_TIME_MAX_MS, USE_TIME_MS};
use crate::study::{StudyStage, StudyState};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct GrantState {
    /// Who granted.
    pub patient: Did,
    /// Who may read.
    pub grantee: Grantee,
    /// The request it answers, if it answers one.
    pub request: Option<RequestId>,
    /// What for.
    pub purpose: Purpose,
    /// Records opened, ascending.
    pub records: Vec<RecordId>,
    /// Categories of which new records are opened too, ascending.
    pub standing: Vec<Category>,
    /// How far it opens.
    pub term: Term,
    /// First moment at which it is valid.
    pub valid_from: Timestamp,
    /// What the patient did with it since.
    pub hold: Hold,
    /// How often it was used.
    pub uses: u32,
    /// When it was used last.
    pub used_last: Option<Timestamp>,
    /// When the reader confirmed the deletion.
    pub deleted_at: Option<Timestamp>,
    /// How often the patient changed it.
    pub changes: u32,
    /// Block of the grant: what it opens that was registered since came by its standing categories.
    pub granted: Height,
}

/// How far a grant opens: what can be narrowed and extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Term {
    /// First moment at which the grant opens nothing.
    pub valid_until: Timestamp,
    /// How often it may be used; `None` for as often as needed.
    pub uses_max: Option<UseLimit>,
    /// The moment by which what was read must be deleted; `None` for [`DELETION_TIME_MS`] after the end.
    pub erase_by: Option<Timestamp>,
}

/// What a patient did with a grant after giving it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Hold {
    /// Nothing.
    Open,
    /// Paused it.
    Paused {
        /// When.
        at: Timestamp,
    },
    /// Took it back, for good.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

/// Where a grant stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its time has not begun.
    NotYet,
    /// It opens its records.
    Active,
    /// It opens nothing until it is resumed.
    Paused,
    /// It was used as often as it may be. What its last use named can still be fetched for [`USE_TIME_MS`].
    UsedUp,
    /// Its time has run out.
    Expired,
    /// The patient took it back.
    Revoked,
}

/// What a reader owes after the end of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing: the grant has not ended, or nothing was read under it.
    NotOwed,
    /// The deletion receipt.
    Owed {
        /// The moment by which.
        by: Timestamp,
    },
    /// The deletion receipt, whose time has run out.
    Overdue {
        /// The moment by which it was due.
        by: Timestamp,
    },
    /// Nothing more: it was confirmed.
    Confirmed {
        /// When.
        at: Timestamp,
    },
}

impl Term {
    /// The moment by which what was read must be deleted when the grant ends by itself.
    #[must_use]
    pub fn erased_by(&self) -> Timestamp {
        self.erase_by.unwrap_or(self.valid_until.plus_millis(DELETION_TIME_MS))
    }

    /// Whether the date by which to delete fits the end: [`DELETION_NOTICE_MS`] to [`KEEPING_TIME_MAX_MS`] after it.
    #[must_use]
    pub fn erases_in_time(&self) -> bool {
        let [earliest, latest] =
            [DELETION_NOTICE_MS, KEEPING_TIME_MAX_MS].map(|time| self.valid_until.plus_millis(time));
        self.erase_by.is_none_or(|by| (earliest..=latest).contains(&by))
    }

    /// Whether nothing in it is more than in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let uses = |term: &Self| term.uses_max.map_or(u32::MAX, |limit| limit.0.get());
        self.valid_until <= other.valid_until
            && uses(self) <= uses(other)
            && self.erased_by() <= other.erased_by()
    }
}

impl GrantState {
    /// What the keys that came with it are sealed for.
    #[must_use]
    pub fn key_binding(&self) -> KeyBinding {
        KeyBinding::Grant {
            patient: self.patient,
            grantee: self.grantee.clone(),
            purpose: self.purpose,
            request: self.request,
        }
    }

    /// The grant as it counts when its study was ended before it: as if that had been its own end. Whoever judges a grant for a study
    /// judges it so.
    #[must_use]
    pub fn ended_with(mut self, study: &StudyState) -> Self {
        if let StudyStage::Ended { at, .. } = study.stage {
            self.term.valid_until = self.term.valid_until.min(at);
        }
        self
    }

    /// Where it stands at `now`. What ends a grant for good outranks a pause.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.hold {
            Hold::Revoked { .. } => Standing::Revoked,
            _ if now >= self.term.valid_until => Standing::Expired,
            _ if self.is_used_up() => Standing::UsedUp,
            Hold::Paused { .. } => Standing::Paused,
            Hold::Open if now < self.valid_from => Standing::NotYet,
            Hold::Open => Standing::Active,
        }
    }

    /// When it ended, if it has at `now`.
    #[must_use]
    pub fn ended_at(&self, now: Timestamp) -> Option<Timestamp> {
        match (self.hold, self.standing(now)) {
            (Hold::Revoked { at }, _) => Some(at),
            (_, Standing::Expired | Standing::UsedUp) => {
                let used_up = self.used_last.filter(|_| self.is_used_up());
                Some(used_up.map_or(self.term.valid_until, |at| at.min(self.term.valid_until)))
            }
            _ => None,
        }
    }

    /// Whether anything can be fetched under it at `now`: it is active, or its last use is less than [`USE_TIME_MS`] ago.
    #[must_use]
    pub fn gives(&self, now: Timestamp) -> bool {
        match self.standing(now) {
            Standing::Active => true,
            Standing::UsedUp => self.used_last.is_some_and(|at| now < at.plus_millis(USE_TIME_MS)),
            Standing::NotYet | Standing::Paused | Standing::Expired | Standing::Revoked => false,
        }
    }

    /// The moment from which nothing can be fetched under it, as far as is known now.
    #[must_use]
    pub fn closes_at(&self) -> Timestamp {
        match (self.hold, self.used_last) {
            (Hold::Revoked { at }, _) => at.min(self.term.valid_until),
            (_, Some(last)) if self.is_used_up() => last.plus_millis(USE_TIME_MS).min(self.term.valid_until),
            _ => self.term.valid_until,
        }
    }

    /// What its reader owes at `now`. A grant that ended before its time leaves no longer than [`DELETION_TIME_MS`].
    #[must_use]
    pub fn deletion(&self, now: Timestamp) -> Deletion {
        if let Some(at) = self.deleted_at {
            return Deletion::Confirmed { at };
        }
        let Some(ended) = self.ended_at(now).filter(|_| self.uses > 0) else {
            return Deletion::NotOwed;
        };
        let by = if ended < self.term.valid_until {
            self.term.erased_by().min(ended.plus_millis(DELETION_TIME_MS))
        } else {
            self.term.erased_by()
        };
        if now < by { Deletion::Owed { by } } else { Deletion::Overdue { by } }
    }

    fn is_used_up(&self) -> bool {
        self.term.uses_max.is_some_and(|limit| self.uses >= limit.0.get())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use std::num::NonZeroU32;

    fn grant() -> GrantState {
        let did = |seed| Did::of_key(SigningKey::generate(&mut SeededEntropy::new(seed)).public_key());
        GrantState {
            patient: did(1),
            grantee: Grantee::Person(did(2)),
            request: None,
            purpose: Purpose::Treatment,
            records: Vec::new(),
            standing: Vec::new(),
            term: Term { valid_until: Timestamp(200), uses_max: None, erase_by: None },
            valid_from: Timestamp(100),
            hold: Hold::Open,
            uses: 0,
            used_last: None,
            deleted_at: None,
            changes: 0,
            granted: Height(3),
        }
    }

    fn at_most(uses: u32) -> Option<UseLimit> {
        NonZeroU32::new(uses).map(UseLimit)
    }

    #[test]
    fn each_end_outranks_a_pause_and_a_revocation_outranks_all() {
        let mut grant = grant();
        let standings = [99, 100, 199, 200].map(|now| grant.standing(Timestamp(now)));
        assert_eq!(standings, [Standing::NotYet, Standing::Active, Standing::Active, Standing::Expired]);
        grant.hold = Hold::Paused { at: Timestamp(120) };
        assert_eq!(grant.standing(Timestamp(130)), Standing::Paused);
        assert_eq!(grant.standing(Timestamp(200)), Standing::Expired);
        (grant.uses, grant.used_last, grant.term.uses_max) = (2, Some(Timestamp(110)), at_most(2));
        assert_eq!(grant.standing(Timestamp(130)), Standing::UsedUp);
        assert_eq!(grant.ended_at(Timestamp(130)), Some(Timestamp(110)));
        assert_eq!(grant.ended_at(Timestamp(300)), Some(Timestamp(110)));
        grant.hold = Hold::Revoked { at: Timestamp(140) };
        assert_eq!(grant.standing(Timestamp(300)), Standing::Revoked);
        assert_eq!(grant.ended_at(Timestamp(300)), Some(Timestamp(140)));
    }

    #[test]
    fn a_receipt_is_owed_from_the_end_on_if_something_was_read() {
        let mut grant = grant();
        let after = |grant: &GrantState, millis| grant.deletion(Timestamp(200).plus_millis(millis));
        assert_eq!(after(&grant, 0), Deletion::NotOwed, "nothing was read");
        (grant.uses, grant.used_last) = (1, Some(Timestamp(150)));
        assert_eq!(grant.deletion(Timestamp(199)), Deletion::NotOwed, "it has not ended");
        let by = Timestamp(200).plus_millis(DELETION_TIME_MS);
        assert_eq!(after(&grant, 0), Deletion::Owed { by });
        assert_eq!(after(&grant, DELETION_TIME_MS), Deletion::Overdue { by });
        grant.deleted_at = Some(Timestamp(250));
        assert_eq!(after(&grant, DELETION_TIME_MS), Deletion::Confirmed { at: Timestamp(250) });
    }

    #[test]
    fn a_recall_does_not_wait_for_a_late_date_and_does_not_put_an_early_one_off() {
        let mut grant = grant();
        (grant.uses, grant.used_last) = (1, Some(Timestamp(110)));
        grant.term.erase_by = Some(Timestamp(2 * DELETION_TIME_MS));
        let now = Timestamp(130);
        grant.hold = Hold::Revoked { at: now };
        assert_eq!(grant.deletion(now), Deletion::Owed { by: now.plus_millis(DELETION_TIME_MS) });
        grant.term.erase_by = Some(Timestamp(300));
        assert_eq!(grant.deletion(now), Deletion::Owed { by: Timestamp(300) });
    }

    #[test]
    fn what_a_used_up_grant_gave_is_owed_from_its_last_use_and_can_be_fetched_for_a_while() {
        let mut grant = grant();
        grant.term.valid_until = Timestamp(10 * USE_TIME_MS);
        (grant.uses, grant.used_last, grant.term.uses_max) = (1, Some(Timestamp(150)), at_most(1));
        let last = Timestamp(150).plus_millis(USE_TIME_MS);
        assert!(grant.gives(Timestamp(last.0 - 1)) && !grant.gives(last));
        assert_eq!(grant.closes_at(), last);
        assert_eq!(grant.deletion(last), Deletion::Owed { by: Timestamp(150).plus_millis(DELETION_TIME_MS) });
    }

    #[test]
    fn a_term_is_within_another_only_if_nothing_in_it_is_more() {
        let term = Term { valid_until: Timestamp(200), uses_max: at_most(3), erase_by: Some(Timestamp(300)) };
        assert!(term.is_within(&term));
        for (more, why) in [
            (Term { valid_until: Timestamp(201), ..term }, "later"),
            (Term { uses_max: None, ..term }, "unlimited"),
            (Term { erase_by: None, ..term }, "kept longer"),
        ] {
            assert!(!more.is_within(&term) && term.is_within(&more), "{why}");
        }
        let erased = |after: u64| Term { erase_by: Some(Timestamp(200 + after)), ..term }.erases_in_time();
        assert!(!erased(DELETION_NOTICE_MS - 1) && erased(DELETION_NOTICE_MS));
        assert!(erased(KEEPING_TIME_MAX_MS) && !erased(KEEPING_TIME_MAX_MS + 1));
    }
}

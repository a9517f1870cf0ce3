//! Research: ethics boards, the studies they decide on, and who takes part.
//!
//! A board is named by a quorum of the organisations that have a validator, so that no hospital makes its own. A study is
//! registered by the organisation that answers for it, and opens nothing until its board approves. Patients take part by a grant for
//! the study ([`Grantee::Study`](crate::grantee::Grantee)).

use crate::consent::{Category, PractitionerRole, RecordDates};
use crate::governance::Seat;
use crate::grantee::Staff;
use crate::ids::{Did, Timestamp};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::num::NonZeroU32;
use serde::{Deserialize, Serialize};

crate::calls::transaction_id!(
    /// A study, named by the transaction that registered it.
    StudyId
);

/// A text in both languages of the consortium.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Wording {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Wording {
    /// Whether both are plain text of 1 to `max` bytes: neither control characters, line ends aside, nor such that are not seen or turn
    /// the direction of writing, by which a text could read otherwise than it is.
    #[must_use]
    pub fn is_plain(&self, max: usize) -> bool {
        [&self.zh, &self.en].into_iter().all(|text| {
            (1..=max).contains(&text.len()) && !text.trim().is_empty() && text.chars().all(is_seen)
        })
    }
}

fn is_seen(char: char) -> bool {
    let hidden = matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    char == '\n' || !(char.is_control() || hidden)
}

/// Say that somebody shall be an ethics board, or shall not; sent by an organisation with a validator, whose last word counts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct VoteBoard {
    /// Who: an identity or an organisation.
    pub board: Did,
    /// The board's name; `None` for shall not.
    pub name: Option<Wording>,
}

/// Register a study; sent by the organisation that answers for it, its sponsor.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RegisterStudy {
    /// All that patients are told and the board decides on.
    pub terms: Box<StudyTerms>,
}

/// What a study is. Nothing of it changes after the registration.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StudyTerms {
    /// The ethics board that is to decide.
    pub board: Did,
    /// Title.
    pub title: Wording,
    /// What the study wants to find out, in words that a patient understands.
    pub aim: Wording,
    /// Who reads: the sponsor's researchers; if named, only those of this department.
    pub department: Option<String>,
    /// Categories that are read; at least one, ascending, no repeats.
    pub categories: Vec<Category>,
    /// Record dates that are read. Without an end, records to come can be too.
    pub record_dates: RecordDates,
    /// First moment at which it is over.
    pub ends: Timestamp,
    /// Participants at most.
    pub participants_max: NonZeroU32,
}

/// Approve or reject a study, once; sent by the board that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReviewStudy {
    /// The study.
    pub study: StudyId,
    /// Whether it is approved.
    pub approve: bool,
}

/// End a study before its time: nobody can join, and nothing is read for it any more. Sent by its sponsor or its board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct EndStudy {
    /// The study.
    pub study: StudyId,
}

/// What the state keeps of somebody whom an organisation has voted on.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BoardState {
    /// The last vote of each organisation, ascending by seat; they count as approvals of a change of the validator set do.
    pub votes: Vec<BoardVote>,
    /// The office, if it is a board.
    pub office: Option<BoardOffice>,
}

/// A vote on a board.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BoardVote {
    /// Seat of the organisation.
    pub seat: Seat,
    /// The name that it shall have; `None` if it shall be none.
    pub name: Option<Wording>,
}

/// An ethics board in office.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct BoardOffice {
    /// Name.
    pub name: Wording,
    /// Since when under this name.
    pub since: Timestamp,
}

/// A study as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct StudyState {
    /// Who answers for it.
    pub sponsor: Did,
    /// What it is.
    pub terms: StudyTerms,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// How far it is.
    pub stage: StudyStage,
    /// Patients who joined and have not withdrawn.
    pub participants: u32,
}

/// How far a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum StudyStage {
    /// Its board has not decided.
    Waiting,
    /// Its board approved.
    Approved {
        /// When.
        at: Timestamp,
    },
    /// Its board rejected it.
    Rejected {
        /// When.
        at: Timestamp,
    },
    /// Sponsor or board ended it.
    Ended {
        /// When.
        at: Timestamp,
        /// When the board had approved, if it had.
        approved_at: Option<Timestamp>,
    },
}

impl StudyState {
    /// Whether patients can join and researchers read at `now`.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        matches!(self.stage, StudyStage::Approved { .. }) && now < self.terms.ends
    }

    /// When its board approved, if it did.
    #[must_use]
    pub fn approved_at(&self) -> Option<Timestamp> {
        match self.stage {
            StudyStage::Approved { at } => Some(at),
            StudyStage::Ended { approved_at, .. } => approved_at,
            StudyStage::Waiting | StudyStage::Rejected { .. } => None,
        }
    }

    /// Who reads for it.
    #[must_use]
    pub fn staff(&self) -> Staff {
        let department = self.terms.department.clone();
        Staff { organisation: self.sponsor, department, role: Some(PractitionerRole::Researcher) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_could_read_otherwise_than_it_is_is_not_plain() {
        let plain = |zh: &str, en: &str| Wording { zh: zh.into(), en: en.into() }.is_plain(16);
        assert!(plain("糖尿病", "Diabetes\ncare"));
        for (zh, en) in [
            ("", "Diabetes"),
            ("糖尿病", " \n"),
            ("糖尿病", "seventeen letters"),
            ("糖尿病", "tab\t"),
            ("糖\u{202e}尿", "Diabetes"),
            ("糖尿病", "zero\u{200b}width"),
        ] {
            assert!(!plain(zh, en), "{zh:?} {en:?}");
        }
    }
}

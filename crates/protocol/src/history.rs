//! The personal history: for every DID a count and the head of a hash chain over all events that concern it.
//!
//! A wallet that has a proven head and re-computes it from the entries it was given knows that it has every entry: none
//! changed, none left out, none added.

use crate::calls::{CardLocator, DeclarationId, GrantId, RequestId};
use crate::consent::ReviewFinding;
use crate::erasure::{ErasureGround, KeepReason};
use crate::evidence::EvidenceKind;
use crate::governance::{ProposalId, Seat};
use crate::ids::{Did, Epoch, Height, ReplicaId, Timestamp, TxId};
use crate::study::StudyId;
use alloc::format;
use alloc::string::String;
use amulet_crypto::digest::{Digest, Tag, tagged};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Serialize, Serializer};

const TAG: Tag = Tag::new("amulet/v1/history");

/// What happened. Details are in the transaction, which the entry names by its digest.
///
/// For programs that read no borsh it is written as an object: its kind, and its fields by their names.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The identity was registered.
    IdentityRegistered,
    /// An organisation registered this practitioner, or renewed it.
    PractitionerRegistered {
        /// The practitioner.
        practitioner: Did,
    },
    /// A hospital registered records of this patient.
    RecordsRegistered {
        /// The hospital.
        provider: Did,
        /// How many.
        records: u32,
    },
    /// A practitioner asked for access.
    AccessRequested {
        /// The request.
        request: RequestId,
        /// Who asked.
        practitioner: Did,
        /// Whom.
        patient: Did,
    },
    /// The patient granted access.
    AccessGranted {
        /// The grant.
        grant: GrantId,
        /// The request it answers, if it answers one.
        request: Option<RequestId>,
        /// Who may read: a person, or an organisation for its staff.
        grantee: Did,
    },
    /// The patient declined.
    AccessDeclined {
        /// The request.
        request: RequestId,
        /// Who had asked.
        practitioner: Did,
    },
    /// The patient took a grant back. To the reader it is the instruction to delete.
    AccessRevoked {
        /// The grant.
        grant: GrantId,
        /// Who could read.
        grantee: Did,
        /// By when what was read is to be deleted; `None` if nothing was.
        erase_by: Option<Timestamp>,
    },
    /// A practitioner read records under a grant.
    RecordsRead {
        /// The grant.
        grant: GrantId,
        /// Who read.
        practitioner: Did,
        /// How many records.
        records: u32,
    },
    /// The patient published an emergency card.
    CardPublished {
        /// The card.
        #[serde(serialize_with = "as_hex")]
        locator: CardLocator,
    },
    /// The patient revoked the card, or a new one replaced it.
    CardRevoked {
        /// The card.
        #[serde(serialize_with = "as_hex")]
        locator: CardLocator,
    },
    /// A practitioner declared an emergency.
    EmergencyDeclared {
        /// The declaration.
        declaration: DeclarationId,
        /// The card.
        #[serde(serialize_with = "as_hex")]
        locator: CardLocator,
        /// Who declared.
        practitioner: Did,
        /// First moment at which the access has ended.
        until: Timestamp,
    },
    /// An organisation proposed a change of the validator set.
    MembershipProposed {
        /// The proposal.
        proposal: ProposalId,
        /// Who proposed it.
        organisation: Did,
    },
    /// An organisation approved such a proposal.
    MembershipApproved {
        /// The proposal.
        proposal: ProposalId,
        /// Who approved it.
        organisation: Did,
    },
    /// An organisation withdrew its proposal, or its approval of another's.
    MembershipWithdrawn {
        /// The proposal.
        proposal: ProposalId,
        /// Who withdrew.
        organisation: Did,
    },
    /// Enough organisations approved a proposal.
    MembershipDecided {
        /// The proposal.
        proposal: ProposalId,
        /// First block that the changed set certifies.
        first: Height,
    },
    /// An organisation replaced the key of its validator.
    ValidatorKeyRotated {
        /// The validator's seat.
        seat: Seat,
        /// First block that the changed set certifies.
        first: Height,
    },
    /// Proof was recorded that a validator contradicted itself.
    EvidenceRecorded {
        /// The epoch in which it did.
        epoch: Epoch,
        /// Its number in that epoch's set.
        offender: ReplicaId,
        /// What it contradicted itself in.
        #[serde(rename = "message")]
        kind: EvidenceKind,
        /// The height at which it did.
        height: Height,
        /// Who reported it.
        reporter: Did,
    },
    /// The patient made a grant smaller.
    AccessNarrowed {
        /// The grant.
        grant: GrantId,
        /// Who may read.
        grantee: Did,
    },
    /// The patient made a grant last longer.
    AccessExtended {
        /// The grant.
        grant: GrantId,
        /// Who may read.
        grantee: Did,
        /// First moment at which it opens nothing.
        until: Timestamp,
    },
    /// The patient paused a grant.
    AccessPaused {
        /// The grant.
        grant: GrantId,
        /// Who could read.
        grantee: Did,
    },
    /// The patient let a paused grant go on.
    AccessResumed {
        /// The grant.
        grant: GrantId,
        /// Who may read.
        grantee: Did,
    },
    /// The reader confirmed that what was read under an ended grant is deleted.
    DeletionConfirmed {
        /// The grant.
        grant: GrantId,
        /// Who had read, or whose staff had.
        grantee: Did,
    },
    /// An organisation said to which key grants for its staff are sealed.
    StaffKeyPublished,
    /// New records of the patient were opened to the reader of a standing grant.
    RecordsOpened {
        /// The grant.
        grant: GrantId,
        /// Who may read them.
        grantee: Did,
        /// The hospital that registered them.
        provider: Did,
        /// How many.
        records: u32,
    },
    /// An organisation proposed a rule book.
    RulesProposed {
        /// The proposal.
        proposal: ProposalId,
        /// Who proposed it.
        organisation: Did,
    },
    /// An organisation approved a rule book.
    RulesApproved {
        /// The proposal.
        proposal: ProposalId,
        /// Who approved it.
        organisation: Did,
    },
    /// An organisation withdrew its rule book, or its approval of another's.
    RulesWithdrawn {
        /// The proposal.
        proposal: ProposalId,
        /// Who withdrew.
        organisation: Did,
    },
    /// Enough organisations approved a rule book: it is in force.
    RulesAdopted {
        /// The proposal.
        proposal: ProposalId,
        /// Its version.
        version: u32,
    },
    /// A practitioner declared so many emergencies within a day that their employer is alarmed.
    ManyEmergencies {
        /// Who declared.
        practitioner: Did,
        /// How many within the last day.
        declarations: u32,
    },
    /// The patient reported a declaration.
    EmergencyDisputed {
        /// The declaration.
        declaration: DeclarationId,
        /// Who had declared.
        practitioner: Did,
    },
    /// The declarer's employer reviewed a declaration.
    EmergencyReviewed {
        /// The declaration.
        declaration: DeclarationId,
        /// Who had declared.
        practitioner: Did,
        /// What was found.
        finding: ReviewFinding,
    },
    /// An organisation said that somebody shall be an ethics board, or shall not.
    BoardVoted {
        /// On whom.
        board: Did,
        /// Who voted.
        organisation: Did,
    },
    /// Enough organisations agree: an ethics board is in office under a name.
    BoardNamed {
        /// The board.
        board: Did,
    },
    /// Enough organisations agree: an ethics board is none any more.
    BoardDismissed {
        /// Who was one.
        board: Did,
    },
    /// An organisation registered a study, which its board is to decide on.
    StudyRegistered {
        /// The study.
        study: StudyId,
        /// Who answers for it.
        sponsor: Did,
        /// The board.
        board: Did,
    },
    /// Its ethics board decided on a study.
    StudyReviewed {
        /// The study.
        study: StudyId,
        /// The board.
        board: Did,
        /// Whether it is approved.
        approved: bool,
    },
    /// A study was ended before its time.
    StudyEnded {
        /// The study.
        study: StudyId,
        /// Who ended it: sponsor or board.
        by: Did,
    },
    /// The patient asked a hospital to have records erased.
    ErasureRequested {
        /// Who registered them, and is to answer.
        provider: Did,
        /// How many.
        records: u32,
    },
    /// A hospital has records erased. To their holders it is the instruction to erase.
    ErasureOrdered {
        /// Who registered them.
        provider: Did,
        /// Why.
        ground: ErasureGround,
        /// How many.
        records: u32,
        /// By when every holder is to confirm.
        confirm_by: Timestamp,
    },
    /// A hospital keeps records that the patient asked to have erased.
    ErasureRefused {
        /// Who registered them.
        provider: Did,
        /// Why.
        reason: KeepReason,
        /// How many.
        records: u32,
        /// Until when.
        until: Timestamp,
    },
    /// A holder confirmed that it has erased records.
    ErasureConfirmed {
        /// Who held them.
        holder: Did,
        /// How many.
        records: u32,
    },
    /// Other keys speak for this identity from now on.
    KeysReplaced {
        /// The identity.
        identity: Did,
    },
}

fn as_hex<S: Serializer>(locator: &CardLocator, serializer: S) -> Result<S::Ok, S::Error> {
    let digits: String = locator.0.iter().map(|byte| format!("{byte:02x}")).collect();
    serializer.serialize_str(&digits)
}

/// One entry of a personal history.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HistoryEntry {
    /// Number, from 1.
    pub number: u64,
    /// Block that holds the transaction.
    pub height: Height,
    /// Time of that block.
    pub time: Timestamp,
    /// The transaction.
    pub transaction: TxId,
    /// What happened.
    pub event: Event,
}

/// Count and head of a personal history; the value of its state entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct HistoryHead {
    /// Entries so far.
    pub count: u64,
    /// Head of the hash chain; [`Digest::ZERO`] for none.
    pub head: Digest,
}

/// Why entries do not make the history whose head was proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// An entry has another number than its place demands: something is missing, repeated or out of order.
    #[error("entry {found} stands where entry {expected} belongs")]
    Number {
        /// Found.
        found: u64,
        /// Expected.
        expected: u64,
    },
    /// Fewer or more entries than the proven count.
    #[error("{found} entries, but the ledger counts {proven}")]
    Count {
        /// Found.
        found: u64,
        /// Proven.
        proven: u64,
    },
    /// The entries chain to another head.
    #[error("the entries lead to {computed}, the ledger has {proven}")]
    Head {
        /// Computed.
        computed: Digest,
        /// Proven.
        proven: Digest,
    },
}

impl Default for HistoryHead {
    fn default() -> Self {
        Self { count: 0, head: Digest::ZERO }
    }
}

impl HistoryHead {
    /// The head after one more entry, which must carry the next number.
    ///
    /// # Errors
    /// [`HistoryError::Number`].
    pub fn push(self, entry: &HistoryEntry) -> Result<Self, HistoryError> {
        let expected = self.count + 1;
        if entry.number != expected {
            return Err(HistoryError::Number { found: entry.number, expected });
        }
        let head = tagged(TAG, &[self.head.as_bytes(), &crate::codec::encode(entry)]);
        Ok(Self { count: expected, head })
    }

    /// Checks that `entries`, appended to this head, make exactly the history with the proven head.
    ///
    /// # Errors
    /// [`HistoryError`] by variant.
    pub fn extend_to(self, proven: Self, entries: &[HistoryEntry]) -> Result<(), HistoryError> {
        let end = entries.iter().try_fold(self, |head, entry| head.push(entry))?;
        if end.count != proven.count {
            return Err(HistoryError::Count { found: end.count, proven: proven.count });
        }
        if end.head != proven.head {
            return Err(HistoryError::Head { computed: end.head, proven: proven.head });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::sm3;

    fn entry(number: u64) -> HistoryEntry {
        HistoryEntry {
            number,
            height: Height(number),
            time: Timestamp(number * 1_000),
            transaction: TxId(sm3(&number.to_be_bytes())),
            event: Event::IdentityRegistered,
        }
    }

    fn head(n: u64) -> HistoryHead {
        (1..=n).fold(HistoryHead::default(), |head, i| head.push(&entry(i)).unwrap())
    }

    #[test]
    fn the_whole_history_is_accepted_from_any_known_point() {
        let entries: Vec<_> = (1..=5).map(entry).collect();
        assert_eq!(HistoryHead::default().extend_to(head(5), &entries), Ok(()));
        assert_eq!(head(3).extend_to(head(5), &entries[3..]), Ok(()));
    }

    #[test]
    fn leaving_out_changing_or_adding_an_entry_is_caught() {
        let entries: Vec<_> = (1..=5).map(entry).collect();
        let start = HistoryHead::default();
        assert_eq!(start.extend_to(head(5), &entries[..4]), Err(HistoryError::Count { found: 4, proven: 5 }));
        let mut gap = entries.clone();
        gap.remove(1);
        assert_eq!(start.extend_to(head(5), &gap), Err(HistoryError::Number { found: 3, expected: 2 }));
        let mut renumbered = gap.clone();
        for (i, e) in renumbered.iter_mut().enumerate() {
            e.number = i as u64 + 1;
        }
        renumbered.push(entry(5));
        assert!(matches!(start.extend_to(head(5), &renumbered), Err(HistoryError::Head { .. })));
        let mut changed = entries;
        changed[2].time = Timestamp(1);
        assert!(matches!(start.extend_to(head(5), &changed), Err(HistoryError::Head { .. })));
    }
}

//! From a proof file as it was read to what it proves.

use super::{PROOF_EPOCHS_MAX, PROOF_STATEMENTS_MAX, ProofFileError, Statement, UntrustedProofFile};
use crate::certificate::CertifiedHeader;
use crate::genesis::Genesis;
use crate::header::Header;
use crate::history::{HistoryEntry, HistoryHead};
use crate::ids::{ChainId, Did, Epoch, HeaderHash, Height, TxId};
use crate::light::UntrustedEpochEnd;
use crate::range::UntrustedRangeBatch;
use crate::receipt::Receipt;
use crate::state::StateKey;
use crate::state_batch::StateBatch;
use crate::state_tree::StateProofError;
use crate::validators::ValidatorSet;
use crate::verdict::Verdict;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use borsh::BorshDeserialize;

/// A personal history, proven complete up to a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteHistory {
    /// Whose.
    pub did: Did,
    /// Count and head.
    pub head: HistoryHead,
    /// Every entry, from the first.
    pub entries: Vec<HistoryEntry>,
}

/// Something that a proof file proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The header of a block.
    Header,
    /// What the state after the block holds at some keys.
    State(StateBatch),
    /// What became of transactions of the block.
    Receipts(Vec<Receipt>),
    /// A complete history up to the block.
    History(CompleteHistory),
}

/// A validator set that the reader knows, and from where on it certifies: what a file is checked from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSet {
    /// The chain.
    pub chain: ChainId,
    /// Its epoch.
    pub epoch: Epoch,
    /// The first height that it certifies.
    pub first: Height,
    /// The set.
    pub validators: ValidatorSet,
}

impl KnownSet {
    /// The set of a genesis document.
    #[must_use]
    pub fn of_genesis(chain: ChainId, validators: ValidatorSet) -> Self {
        Self { chain, epoch: Epoch(0), first: Height(0), validators }
    }
}

/// What a proof file proves. Only [`UntrustedProofFile::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    anchor: CertifiedHeader,
    epoch: Epoch,
    validators: ValidatorSet,
    facts: Vec<(Header, Fact)>,
}

impl UntrustedProofFile {
    /// Checks everything, starting from a genesis document that the reader has from a source they trust.
    ///
    /// # Errors
    /// [`ProofFileError`], the first rule that is broken.
    pub fn verify(self, genesis: &Genesis) -> Result<VerifiedProof, ProofFileError> {
        let validators = genesis.validate()?;
        self.verify_from(genesis.chain_id(), validators)
    }

    /// As [`Self::verify`], from the chain and the validators of the genesis document.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_from(self, chain: ChainId, genesis: ValidatorSet) -> Result<VerifiedProof, ProofFileError> {
        self.verify_after(KnownSet::of_genesis(chain, genesis))
    }

    /// As [`Self::verify`], from a set that the reader knows by other means, such as a checkpoint. How epochs ended before it began
    /// is not looked at.
    ///
    /// # Errors
    /// As [`Self::verify`]; [`ProofFileError::AnchorHeight`] if the file's anchor is older than the set.
    pub fn verify_after(self, known: KnownSet) -> Result<VerifiedProof, ProofFileError> {
        let chain = known.chain;
        if self.chain != chain {
            return Err(ProofFileError::Chain { found: self.chain, expected: chain });
        }
        if self.epochs.len() > PROOF_EPOCHS_MAX {
            return Err(ProofFileError::Epochs { found: self.epochs.len() });
        }
        if self.statements.is_empty() || self.statements.len() > PROOF_STATEMENTS_MAX {
            return Err(ProofFileError::Statements { found: self.statements.len() });
        }
        let known = follow(known, self.epochs)?;
        let KnownSet { epoch, first, validators, .. } = known;
        let anchor = self.anchor.verify(chain, &validators).map_err(ProofFileError::Anchor)?;
        if anchor.header().height < first {
            let last = first.previous().unwrap_or_default();
            return Err(ProofFileError::AnchorHeight { anchor: anchor.header().height, last });
        }
        let headers = place(&anchor, self.older, self.range)?;
        let mut used = BTreeSet::from([anchor.header().height]);
        let mut facts = Vec::with_capacity(self.statements.len());
        for statement in self.statements {
            let height = statement.height();
            let header = headers.get(&height).ok_or(ProofFileError::NoHeader { height })?;
            used.insert(height);
            facts.push((header.clone(), check(statement, header)?));
        }
        match headers.keys().find(|height| !used.contains(height)) {
            Some(height) => Err(ProofFileError::UnusedHeader { height: *height }),
            None => Ok(VerifiedProof { anchor, epoch, validators, facts }),
        }
    }
}

/// The validators that the ends of epochs after the known set lead to.
fn follow(known: KnownSet, ends: Vec<UntrustedEpochEnd>) -> Result<KnownSet, ProofFileError> {
    let first_known = known.first;
    let mut later = ends.into_iter().skip_while(|end| end.header.header.height < first_known);
    later.try_fold(known, follow_one)
}

/// The validators that the end of an epoch leads to.
pub(crate) fn follow_one(known: KnownSet, end: UntrustedEpochEnd) -> Result<KnownSet, ProofFileError> {
    let KnownSet { chain, epoch, first, validators } = known;
    let certified = end
        .header
        .verify(chain, &validators)
        .map_err(|source| ProofFileError::EpochHeader { epoch, source })?;
    let height = certified.header().height;
    if height < first {
        return Err(ProofFileError::EpochHeight { epoch, first, height });
    }
    let named = certified.header().next_validators_hash;
    if named == validators.hash() {
        return Err(ProofFileError::EpochGoesOn { epoch, height });
    }
    let found = end.next.hash();
    if found != named {
        return Err(ProofFileError::EpochSet { epoch, found, named });
    }
    Ok(KnownSet { chain, epoch: epoch.next(), first: height.next(), validators: end.next })
}

/// The anchor and the older headers by height, which are in its range.
fn place(
    anchor: &CertifiedHeader,
    older: Vec<Header>,
    hashes: Vec<amulet_crypto::digest::Digest>,
) -> Result<BTreeMap<Height, Header>, ProofFileError> {
    let newest = anchor.header();
    if !(older.is_empty() && hashes.is_empty()) {
        let proof =
            UntrustedRangeBatch { heights: older.iter().map(|header| header.height).collect(), hashes };
        let older: Vec<HeaderHash> = older.iter().map(Header::hash).collect();
        proof.verify(newest.height, newest.range_root, &older)?;
    }
    let headers = older.into_iter().chain([newest.clone()]);
    Ok(headers.map(|header| (header.height, header)).collect())
}

fn check(statement: Statement, header: &Header) -> Result<Fact, ProofFileError> {
    match statement {
        Statement::Header { .. } => Ok(Fact::Header),
        Statement::State { keys, batch, .. } => Ok(Fact::State(batch.verify(header.state_root, &keys)?)),
        Statement::Receipts { receipts, proof, .. } => {
            let leaves: Vec<Vec<u8>> = receipts.iter().map(Receipt::leaf).collect();
            proof.verify(header.receipts_root, &leaves)?;
            Ok(Fact::Receipts(receipts))
        }
        Statement::History { did, head, entries, .. } => {
            let key = StateKey::History(did);
            let batch = head.verify(header.state_root, core::slice::from_ref(&key))?;
            let verdict = batch.verdict(&key).map_err(|_| ProofFileError::HistoryValue)?;
            let proven = verdict.proven().and_then(crate::state_tree::Proven::into_option);
            let head: HistoryHead = proven.unwrap_or_default();
            HistoryHead::default().extend_to(head, &entries)?;
            Ok(Fact::History(CompleteHistory { did, head, entries }))
        }
    }
}

impl VerifiedProof {
    /// The certified header that everything was proven from. The file says nothing about what came after it.
    #[must_use]
    pub fn anchor(&self) -> &CertifiedHeader {
        &self.anchor
    }

    /// The epoch of the anchor, as the file counts them from the genesis.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The validators of that epoch; the anchor's signers are places in this set.
    #[must_use]
    pub fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// What is proven, each with the header of its block, in the order of the file.
    #[must_use]
    pub fn facts(&self) -> &[(Header, Fact)] {
        &self.facts
    }

    /// What the file says about the state after a block.
    ///
    /// # Errors
    /// [`StateProofError::Value`] if the value is of another type.
    pub fn state<T: BorshDeserialize>(
        &self,
        height: Height,
        key: &StateKey,
    ) -> Result<Verdict<T>, StateProofError> {
        for (header, fact) in &self.facts {
            if let (true, Fact::State(batch)) = (header.height == height, fact) {
                match batch.verdict(key)? {
                    Verdict::NotCovered => {}
                    verdict => return Ok(verdict),
                }
            }
        }
        Ok(Verdict::NotCovered)
    }

    /// What the file says about a transaction in somebody's history up to a block. It is proven absent only by a complete
    /// history without it.
    #[must_use]
    pub fn event(&self, did: Did, height: Height, transaction: TxId) -> Verdict<&HistoryEntry> {
        let complete = self.facts.iter().find_map(|(header, fact)| match fact {
            Fact::History(history) if history.did == did && header.height >= height => Some(history),
            _ => None,
        });
        let Some(history) = complete else { return Verdict::NotCovered };
        let found = history.entries.iter().find(|entry| entry.transaction == transaction);
        found.filter(|entry| entry.height <= height).map_or(Verdict::Absent, Verdict::Present)
    }

    /// What the file says about the receipt of a transaction. A receipt cannot be proven absent.
    #[must_use]
    pub fn receipt(&self, transaction: TxId) -> Verdict<(&Header, &Receipt)> {
        for (header, fact) in &self.facts {
            let Fact::Receipts(receipts) = fact else { continue };
            if let Some(found) = receipts.iter().find(|receipt| receipt.transaction == transaction) {
                return Verdict::Present((header, found));
            }
        }
        Verdict::NotCovered
    }
}

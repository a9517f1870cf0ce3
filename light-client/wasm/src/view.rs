//! How answers look to a page. `types.ts` says the same in TypeScript.

use amulet_crypto::digest::sm3;
use amulet_protocol::codec;
use amulet_protocol::header::Header;
use amulet_protocol::history::{Event, HistoryEntry};
use amulet_protocol::proof_file::{Fact, VerifiedProof};
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::state::StateKey;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// Largest whole number that JavaScript's `number` tells from its neighbours.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// Refused: nothing that was claimed is to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "refused")]
pub struct Refused {
    /// Why.
    pub reason: Reason,
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The broken rule's name, as in `docs/spec/proofs.md`.
    pub code: String,
    /// A sentence for developers and logs, in English.
    pub message: String,
}

impl Refused {
    /// By a rule's name.
    pub fn new(code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { reason: Reason { code: code.into(), message: message.to_string() } }
    }
}

/// A number that a page can rely on.
///
/// # Errors
/// [`Refused`] by the code `number` beyond 2^53 - 1, which no chain reaches.
fn number(number: u64) -> Result<u64, Refused> {
    if number > SAFE_INTEGER_MAX {
        return Err(Refused::new("number", format_args!("{number} is more than a page can tell apart")));
    }
    Ok(number)
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Block {
    height: u64,
    time: u64,
    hash: String,
}

impl Block {
    fn of(header: &Header) -> Result<Self, Refused> {
        Ok(Self {
            height: number(header.height.0)?,
            time: number(header.time.0)?,
            hash: header.hash().to_string(),
        })
    }
}

/// A block that a quorum of validators signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedBlock {
    #[serde(flatten)]
    block: Block,
    signed: usize,
    validators: usize,
}

impl SignedBlock {
    /// The block of a header that so many of so many signed.
    ///
    /// # Errors
    /// [`Refused`] when a number is too large for a page.
    pub fn new(header: &Header, signed: usize, validators: usize) -> Result<Self, Refused> {
        Ok(Self { block: Block::of(header)?, signed, validators })
    }

    fn anchor(proof: &VerifiedProof) -> Result<Self, Refused> {
        let anchor = proof.anchor();
        Self::new(anchor.header(), anchor.signers().count(), proof.validators().members().len())
    }
}

/// An entry of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryView {
    number: u64,
    height: u64,
    time: u64,
    transaction: String,
    event: Value,
}

impl EntryView {
    fn of(entry: &HistoryEntry) -> Result<Self, Refused> {
        Ok(Self {
            number: number(entry.number)?,
            height: number(entry.height.0)?,
            time: number(entry.time.0)?,
            transaction: entry.transaction.to_string(),
            event: event(&entry.event)?,
        })
    }
}

/// What happened, as an object by its kind.
fn event(event: &Event) -> Result<Value, Refused> {
    let value = serde_json::to_value(event).expect("an event has only texts for keys");
    for part in value.as_object().into_iter().flat_map(|parts| parts.values()) {
        part.as_u64().map_or(Ok(0), number)?;
    }
    Ok(value)
}

/// What is proven about one key of the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StateEntry {
    /// The state holds this value.
    ProvenPresent {
        /// The key, for people.
        key: String,
        /// Its place in the tree.
        place: String,
        /// The value's bytes, hexadecimal.
        value: String,
        /// SM3 of these bytes.
        digest: String,
    },
    /// The state holds nothing there.
    ProvenAbsent {
        /// The key, for people.
        key: String,
        /// Its place in the tree.
        place: String,
    },
}

impl StateEntry {
    fn of(key: &StateKey, value: Option<&[u8]>) -> Self {
        let (shown, place) = (format!("{key:?}"), key.hash().to_string());
        match value {
            None => Self::ProvenAbsent { key: shown, place },
            Some(bytes) => Self::ProvenPresent {
                key: shown,
                place,
                value: hex::encode(bytes),
                digest: sm3(bytes).to_string(),
            },
        }
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ReceiptView {
    /// It took effect.
    Applied {
        /// The transaction.
        transaction: String,
        /// SM3 of the receipt's bytes.
        digest: String,
    },
    /// It was committed and refused.
    Declined {
        /// The transaction.
        transaction: String,
        /// SM3 of the receipt's bytes.
        digest: String,
        /// Why.
        code: String,
    },
}

impl ReceiptView {
    fn of(receipt: &Receipt) -> Self {
        let transaction = receipt.transaction.to_string();
        let digest = sm3(&codec::encode(receipt)).to_string();
        match &receipt.outcome {
            Outcome::Applied { .. } => Self::Applied { transaction, digest },
            Outcome::Refused { code } => Self::Declined { transaction, digest, code: code.to_string() },
        }
    }
}

/// Something that a file proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FactView {
    /// The header of a block.
    Header {
        /// Which.
        block: Block,
    },
    /// The state after a block.
    State {
        /// Which.
        block: Block,
        /// Key by key.
        entries: Vec<StateEntry>,
    },
    /// What became of transactions of a block.
    Receipts {
        /// Which.
        block: Block,
        /// One by one.
        receipts: Vec<ReceiptView>,
    },
    /// A history up to a block, with nothing left out.
    History {
        /// Which.
        block: Block,
        /// Whose.
        did: String,
        /// Head of its hash chain: another device that shows the same holds the same history.
        head: String,
        /// Every entry.
        entries: Vec<EntryView>,
    },
}

impl FactView {
    fn of((header, fact): &(Header, Fact)) -> Result<Self, Refused> {
        let block = Block::of(header)?;
        Ok(match fact {
            Fact::Header => Self::Header { block },
            Fact::State(batch) => {
                let entries = batch.iter().map(|(key, value)| StateEntry::of(key, value));
                Self::State { block, entries: entries.collect() }
            }
            Fact::Receipts(receipts) => {
                Self::Receipts { block, receipts: receipts.iter().map(ReceiptView::of).collect() }
            }
            Fact::History(history) => {
                let entries = history.entries.iter().map(EntryView::of).collect::<Result<_, _>>()?;
                Self::History {
                    block,
                    did: history.did.to_string(),
                    head: history.head.head.to_string(),
                    entries,
                }
            }
        })
    }
}

/// All that a file proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "proven")]
pub struct Proven {
    chain: String,
    anchor: SignedBlock,
    epoch: u64,
    facts: Vec<FactView>,
}

impl Proven {
    /// Of a verified file.
    ///
    /// # Errors
    /// [`Refused`] when a number is too large for a page.
    pub fn of(proof: &VerifiedProof) -> Result<Self, Refused> {
        Ok(Self {
            chain: proof.anchor().header().chain.to_string(),
            anchor: SignedBlock::anchor(proof)?,
            epoch: number(proof.epoch().0)?,
            facts: proof.facts().iter().map(FactView::of).collect::<Result<_, _>>()?,
        })
    }
}

/// What a file says about a transaction in a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EventVerdict {
    /// It is in the history.
    ProvenPresent {
        /// The entry.
        entry: EntryView,
        /// Proven up to this block.
        anchor: SignedBlock,
    },
    /// The whole history is in the file, without it.
    ProvenAbsent {
        /// Proven up to this block.
        anchor: SignedBlock,
    },
    /// The file does not hold this history: it may be there or not.
    NotCovered {
        /// The file goes up to this block.
        anchor: SignedBlock,
    },
}

impl EventVerdict {
    /// Of the file and what it says.
    ///
    /// # Errors
    /// [`Refused`] when a number is too large for a page.
    pub fn new(
        proof: &VerifiedProof,
        verdict: amulet_protocol::verdict::Verdict<&HistoryEntry>,
    ) -> Result<Self, Refused> {
        use amulet_protocol::verdict::Verdict;
        let anchor = SignedBlock::anchor(proof)?;
        Ok(match verdict {
            Verdict::Present(entry) => Self::ProvenPresent { entry: EntryView::of(entry)?, anchor },
            Verdict::Absent => Self::ProvenAbsent { anchor },
            Verdict::NotCovered => Self::NotCovered { anchor },
        })
    }
}

/// What is said of a signed header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HeaderVerdict {
    /// A quorum of the trusted validators signed it.
    Verified {
        /// The block.
        block: SignedBlock,
    },
    /// It is of this chain and signed by validators that follow from the trusted ones by steps that are not at hand: neither true
    /// nor false. A proof file holds the steps.
    UnknownValidators {
        /// Digest of the set that the header names.
        found: String,
        /// Digest of the trusted set.
        known: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_crypto::digest::Digest;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::calls::GrantId;
    use amulet_protocol::ids::{Did, Timestamp, TxId};

    #[test]
    fn a_time_in_an_event_that_a_page_cannot_tell_from_others_is_refused() {
        let extended = |until| Event::AccessExtended {
            grant: GrantId(TxId(Digest::ZERO)),
            grantee: Did::of_key(SigningKey::generate(&mut SeededEntropy::new(1)).public_key()),
            until: Timestamp(until),
        };
        assert_eq!(
            event(&extended(SAFE_INTEGER_MAX)).map(|event| event["until"].as_u64()),
            Ok(Some(SAFE_INTEGER_MAX))
        );
        let refused = event(&extended(SAFE_INTEGER_MAX + 1)).map_err(|refused| refused.reason.code);
        assert_eq!(refused, Err("number".to_owned()));
    }
}

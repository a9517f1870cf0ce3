//! State and transactions, proven.

use super::{LightClient, Stage};
use crate::error::{Forgery, LightError, NodeFailure, Question};
use amulet_crypto::digest::Digest;
use amulet_protocol::ids::{ChainId, TxId};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::limits::{STATE_KEYS_PER_REQUEST_MAX, TRANSACTIONS_PER_REQUEST_MAX};
use amulet_protocol::state::StateKey;
use amulet_protocol::state_tree::Proven;
use amulet_protocol::transaction::{SignedTransaction, UntrustedTransaction};
use borsh::BorshDeserialize;

impl LightClient {
    /// The value at a key, or its absence, proven against the trusted header.
    ///
    /// # Errors
    /// [`LightError::NotSynced`], or that no node gave a good answer.
    pub async fn state<T: BorshDeserialize>(&self, key: &StateKey) -> Result<Proven<T>, LightError> {
        let mut values = self.states(std::slice::from_ref(key)).await?;
        Ok(values.pop().expect("as many values as keys are returned"))
    }

    /// The values at keys of one type, each present or absent, in the order of the keys, all against one trusted header.
    ///
    /// # Errors
    /// As [`LightClient::state`].
    pub async fn states<T: BorshDeserialize>(&self, keys: &[StateKey]) -> Result<Vec<Proven<T>>, LightError> {
        let head = self.head()?;
        let root = head.header().state_root;
        let mut values = Vec::with_capacity(keys.len());
        let mut at_once = STATE_KEYS_PER_REQUEST_MAX;
        while values.len() < keys.len() {
            let rest = &keys[values.len()..];
            let asked = &rest[..rest.len().min(at_once)];
            let request = LightRequest::State { height: head.height(), keys: asked.to_vec() };
            match self.first(&request, |answer| check_states(answer, root, asked)).await {
                Ok(proven) => values.extend(proven),
                // Values can be large, and a node that cannot fit all of them into one answer refuses the question.
                Err(LightError::Refused { refusal: LightRefusal::Malformed, .. }) if asked.len() > 1 => {
                    at_once = asked.len() / 2;
                }
                Err(error) => return Err(error),
            }
            self.report(Stage::State, values.len(), keys.len());
        }
        Ok(values)
    }

    /// Transactions by identity, in the order asked. Each is what its identity says: the identity is the digest of its
    /// content. That it was committed follows from where the caller has the identity from, such as a proven history.
    /// The *key* of the signature is not part of the identity, so only the content is to be relied on.
    ///
    /// # Errors
    /// That no node gave a good answer for one of them.
    pub async fn transactions(&self, ids: &[TxId]) -> Result<Vec<SignedTransaction>, LightError> {
        let chain = self.chain();
        let mut transactions = Vec::with_capacity(ids.len());
        while transactions.len() < ids.len() {
            let rest = &ids[transactions.len()..];
            let asked = &rest[..rest.len().min(TRANSACTIONS_PER_REQUEST_MAX)];
            let request = LightRequest::Transactions(asked.to_vec());
            transactions
                .extend(self.first(&request, |answer| check_transactions(answer, chain, asked)).await?);
            self.report(Stage::Transactions, transactions.len(), ids.len());
        }
        Ok(transactions)
    }
}

/// Every key must be answered, each with a proof under `root`.
pub(super) fn check_states<T: BorshDeserialize>(
    answer: LightResponse,
    root: Digest,
    keys: &[StateKey],
) -> Result<Vec<Proven<T>>, NodeFailure> {
    let LightResponse::State(proofs) = answer else {
        return Err(Forgery::OtherAnswer { question: Question::State }.into());
    };
    if proofs.len() != keys.len() {
        return Err(Forgery::Count { asked: keys.len(), found: proofs.len() }.into());
    }
    let verified = keys.iter().zip(&proofs).map(|(key, proof)| proof.verify(root, key));
    verified.collect::<Result<_, _>>().map_err(|error| Forgery::State(error).into())
}

/// A prefix of what was asked for is an answer; an empty one is "not found".
fn check_transactions(
    answer: LightResponse,
    chain: ChainId,
    asked: &[TxId],
) -> Result<Vec<SignedTransaction>, NodeFailure> {
    let LightResponse::Transactions(found) = answer else {
        return Err(Forgery::OtherAnswer { question: Question::Transactions }.into());
    };
    if found.is_empty() {
        return Err(NodeFailure::NotFound);
    }
    if found.len() > asked.len() {
        return Err(Forgery::Count { asked: asked.len(), found: found.len() }.into());
    }
    let checked = asked.iter().zip(found).map(|(id, found)| check_transaction(found, chain, *id));
    checked.collect::<Result<_, _>>().map_err(NodeFailure::Forged)
}

fn check_transaction(
    untrusted: UntrustedTransaction,
    chain: ChainId,
    asked: TxId,
) -> Result<SignedTransaction, Forgery> {
    let found = untrusted.transaction.id();
    if found != asked {
        return Err(Forgery::TransactionId { asked, found });
    }
    Ok(untrusted.verify(chain)?)
}

//! State and transactions, proven.

use super::{LightClient, Stage};
use crate::error::{Forgery, LightError, NodeFailure, Question};
use amulet_crypto::digest::Digest;
use amulet_protocol::ids::{ChainId, TxId};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::limits::{STATE_KEYS_PER_REQUEST_MAX, TRANSACTIONS_PER_REQUEST_MAX};
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::{StateBatch, UntrustedStateBatch};
use amulet_protocol::state_tree::{Proven, StateProofError};
use amulet_protocol::transaction::{SignedTransaction, UntrustedTransaction};
use amulet_verifier::VerifiedHeader;
use borsh::BorshDeserialize;
use std::collections::BTreeSet;

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
        self.states_under(&*self.head()?, keys).await
    }

    /// The same, against a header that is verified and may not be trusted.
    pub(super) async fn states_under<T: BorshDeserialize>(
        &self,
        header: &VerifiedHeader,
        keys: &[StateKey],
    ) -> Result<Vec<Proven<T>>, LightError> {
        let proven = self.state_batches(header, keys).await?;
        let find = |key: &StateKey| {
            let batch = proven.iter().find(|(asked, _)| asked.contains(key));
            let (_, (batch, _)) = batch.expect("every key was asked for and its answer checked");
            let verdict = batch.verdict(key)?;
            Ok(verdict.proven().expect("a batch covers the keys that it was checked for"))
        };
        let values = keys.iter().map(find).collect::<Result<_, StateProofError>>();
        // The hospitals proved it, so it is this client that is too old for the value, or the ledger that is wrong.
        values.map_err(LightError::State)
    }

    /// Proofs for all these keys under one header, each key asked for once and as many at once as fit into an answer; with
    /// the keys in the order in which the proof has them.
    pub(super) async fn state_batches(
        &self,
        head: &VerifiedHeader,
        keys: &[StateKey],
    ) -> Result<Vec<ProvenKeys>, LightError> {
        let root = head.header().state_root;
        let different: Vec<StateKey> = keys.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let mut proven = Vec::new();
        let (mut done, mut at_once) = (0, STATE_KEYS_PER_REQUEST_MAX);
        while done < different.len() {
            let rest = &different[done..];
            let asked = &rest[..rest.len().min(at_once)];
            let request = LightRequest::StateBatch { height: head.height(), keys: asked.to_vec() };
            match self.first(&request, |answer| check_batch(answer, root, asked)).await {
                Ok(batch) => {
                    done += asked.len();
                    proven.push((asked.to_vec(), batch));
                }
                // Values can be large, and a node that cannot fit all of them into one answer refuses the question.
                Err(LightError::Refused { refusal: LightRefusal::Malformed, .. }) if asked.len() > 1 => {
                    at_once = asked.len() / 2;
                }
                Err(error) => return Err(error),
            }
            self.report(Stage::State, done, different.len());
        }
        Ok(proven)
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

/// Keys, and what was proven about them: checked, and as it came.
pub(super) type ProvenKeys = (Vec<StateKey>, (StateBatch, UntrustedStateBatch));

/// Every key must be answered, all with one proof under `root`.
fn check_batch(
    answer: LightResponse,
    root: Digest,
    keys: &[StateKey],
) -> Result<(StateBatch, UntrustedStateBatch), NodeFailure> {
    let LightResponse::StateBatch(untrusted) = answer else {
        return Err(Forgery::OtherAnswer { question: Question::State }.into());
    };
    let batch = untrusted.verify(root, keys).map_err(Forgery::State)?;
    Ok((batch, untrusted))
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

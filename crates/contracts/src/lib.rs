//! The deterministic rules of the chain: what each call needs, what it changes, and who learns of it.
//!
//! [`apply`] is a pure function of the state, one transaction and the block it stands in. It reads no clock but the
//! block's, keeps everything in order and computes with integers only, so every hospital gets the same bytes.
//!
//! A transaction is judged in two steps. First, whether its key speaks for its sender and its nonce is fresh: if not, it
//! has no place in a block ([`Verdict::Inadmissible`]), so that nobody can use up the nonces of somebody else, and every
//! transaction is in at most one block. Then its contract judges the call: a refusal goes into the block, with a receipt
//! that says why, and changes nothing but the nonce.

mod account;
mod checks;
mod consent;
mod emergency;
mod erasure;
mod evidence;
mod genesis;
mod governance;
mod history;
mod identity;
mod records;
mod registry;
mod reputation;
mod research;
pub mod rules;
mod state;
mod step;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod validators;

pub use consent::standing::{Due, flows_due};
pub use genesis::genesis_state;
pub use state::{Changes, MemoryState, StateRead};

use amulet_protocol::calls::Call;
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{ChainId, Did, Height, Timestamp};
use amulet_protocol::receipt::{Outcome, RefusalCode};
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::SignedTransaction;
use step::{Done, Step, Stop};

/// The block that a transaction stands in: all that a contract may know of the world outside the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockContext {
    /// The chain.
    pub chain: ChainId,
    /// Height of the block.
    pub height: Height,
    /// Time of the block: "now" for every rule.
    pub time: Timestamp,
}

/// What becomes of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It belongs into the block, applied or refused by its contract.
    Executed(Applied),
    /// Its key or nonce is not good for its sender: a block that holds it is invalid, and nothing changes.
    Inadmissible(RefusalCode),
}

/// What an executed transaction does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// New values by key; `None` removes the entry.
    pub changes: Changes,
    /// For the receipt.
    pub outcome: Outcome,
    /// The entries that went into personal histories, in the order of the outcome's events.
    pub history: Vec<(Did, HistoryEntry)>,
}

/// Why a transaction could not be judged at all. Never the transaction's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError<E> {
    /// The state could not be read.
    #[error("the state could not be read")]
    State(#[source] E),
    /// The state holds bytes that are not of the type that belongs at this key.
    #[error("the value at {key:?} is of another type")]
    Corrupt {
        /// Where.
        key: StateKey,
    },
}

/// Judges one transaction against the state and computes what it changes.
///
/// # Errors
/// [`ApplyError`] when the state cannot be read; the verdict is then unknown and the block must not be judged.
pub fn apply<S: StateRead>(
    state: &S,
    transaction: &SignedTransaction,
    context: &BlockContext,
) -> Result<Verdict, ApplyError<S::Error>> {
    let mut step = Step::new(state, transaction, *context);
    match admit(&mut step, transaction) {
        Ok(()) => {}
        Err(Stop::Refused(code)) => return Ok(Verdict::Inadmissible(code)),
        Err(Stop::Failed(error)) => return Err(error),
    }
    let nonce_only = step.changes().clone();
    let applied = match dispatch(&mut step, &transaction.transaction().call) {
        Ok(()) => step.finish(),
        Err(Stop::Refused(code)) => {
            Applied { changes: nonce_only, outcome: Outcome::Refused { code }, history: Vec::new() }
        }
        Err(Stop::Failed(error)) => return Err(error),
    };
    Ok(Verdict::Executed(applied))
}

/// Judges only whether a transaction belongs into a block at all: its key and its nonce. Far cheaper than [`apply`].
///
/// # Errors
/// [`ApplyError`] when the state cannot be read.
pub fn admissible<S: StateRead>(
    state: &S,
    transaction: &SignedTransaction,
    context: &BlockContext,
) -> Result<Result<(), RefusalCode>, ApplyError<S::Error>> {
    match admit(&mut Step::new(state, transaction, *context), transaction) {
        Ok(()) => Ok(Ok(())),
        Err(Stop::Refused(code)) => Ok(Err(code)),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Who may send, and the nonce.
fn admit<S: StateRead>(step: &mut Step<'_, S>, transaction: &SignedTransaction) -> Done<S> {
    identity::authenticate(step, transaction)?;
    account::use_nonce(step, transaction.transaction().nonce)
}

fn dispatch<S: StateRead>(step: &mut Step<'_, S>, call: &Call) -> Done<S> {
    match call {
        Call::RegisterIdentity(call) => identity::register(step, call),
        Call::RegisterPractitioner(call) => registry::register_practitioner(step, call),
        Call::RegisterRecords(call) => records::register(step, call),
        Call::RequestAccess(call) => consent::request(step, call),
        Call::GrantAccess(call) => consent::grant(step, call),
        Call::DeclineAccess(call) => consent::decline(step, call),
        Call::RevokeAccess(call) => consent::revoke(step, call),
        Call::NarrowAccess(call) => consent::narrow(step, call),
        Call::ExtendAccess(call) => consent::extend(step, call),
        Call::PauseAccess(call) => consent::pause(step, call),
        Call::ResumeAccess(call) => consent::resume(step, call),
        Call::UseAccess(call) => consent::use_access(step, call),
        Call::ConfirmDeletion(call) => consent::confirm_deletion(step, call),
        Call::PublishCard(call) => emergency::publish_card(step, call),
        Call::RevokeCard(call) => emergency::revoke_card(step, call),
        Call::DeclareEmergency(call) => emergency::declare(step, call),
        Call::ProposeMembership(call) => governance::propose(step, call),
        Call::ApproveMembership(call) => governance::approve(step, call),
        Call::WithdrawMembership(call) => governance::withdraw(step, call),
        Call::RotateValidatorKey(call) => governance::rotate(step, call),
        Call::ReportEvidence(call) => evidence::report(step, call),
        Call::PublishAddresses(call) => registry::publish_addresses(step, call),
        Call::DisputeEmergency(call) => emergency::dispute(step, call),
        Call::ReviewEmergency(call) => emergency::review(step, call),
        Call::PublishStaffKey(call) => registry::publish_staff_key(step, call),
        Call::ReportService(call) => reputation::report(step, call),
        Call::ProposeRules(call) => rules::proposals::propose(step, call),
        Call::ApproveRules(call) => rules::proposals::approve(step, call),
        Call::WithdrawRules(call) => rules::proposals::withdraw(step, call),
        Call::VoteBoard(call) => research::vote(step, call),
        Call::RegisterStudy(call) => research::register(step, call),
        Call::ReviewStudy(call) => research::review(step, call),
        Call::EndStudy(call) => research::end(step, call),
        Call::RequestErasure(call) => erasure::request(step, call),
        Call::OrderErasure(call) => erasure::order(step, call),
        Call::RefuseErasure(call) => erasure::refuse(step, call),
        Call::ConfirmErasure(call) => erasure::confirm(step, call),
        Call::ReplaceKeys(call) => identity::replace_keys(step, call),
    }
}

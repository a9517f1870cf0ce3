//! Asking the ledger and changing it: freshness, transactions, practitioners, and what a proof says for people.

use amulet_app_api::access::{GranteeView, PractitionerView, ProofCheck, ProofView, StaffView};
use amulet_app_api::wallet::{CheckedView, HospitalView, Task};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::signing::SigningKey;
use amulet_light_client::{LightError, NodeVerdict, ProvenHeader, ProvenReceipt, SyncPolicy, SyncReport};
use amulet_protocol::calls::Call;
use amulet_protocol::grantee::{Grantee, Participation, Staff};
use amulet_protocol::ids::{Did, Nonce, Timestamp, TxId};
use amulet_protocol::receipt::{Outcome, RefusalCode};
use amulet_protocol::state::{Account, Practitioner, StateKey};
use amulet_protocol::transaction::SignedTransaction;
use borsh::BorshDeserialize;
use std::time::Duration;

use super::Service;
use super::error::{light, refusal};
use super::session::Session;
use crate::convert;
use crate::keyfile::sign_call;

/// How old the last check may be before the hospitals are asked again, in milliseconds: only calls that one page makes at
/// once share a check, because what happened a moment ago must not be missed.
const FRESH_MS: u64 = 100;
/// How long a person waits for the hospitals to agree; a change of primary takes some seconds of it.
const COMMIT_TIME_MAX: Duration = Duration::from_secs(45);
/// Tries of one call when its number was taken meanwhile, as by the same wallet on another device.
const NONCE_TRIES: usize = 3;

impl Service {
    /// Asks the hospitals for news and checks it: all of them, or as many as the person's choice for the link wants.
    pub(super) async fn sync(&self, all: bool) -> Result<CheckedView, ApiError> {
        let _task = self.task(Task::Checking);
        let policy = if all { SyncPolicy::Full } else { self.background.status().policy };
        let synced = self.client.sync_by(policy, self.now()).await;
        if synced.is_ok() {
            self.learn_names(None).await;
        }
        self.note_check(&synced);
        let view = self.checked_view(&synced.map_err(|error| self.light(error))?);
        self.state().checked = Some(view.clone());
        self.background.note_success(self.now());
        self.read_scores_if_old().await;
        Ok(view)
    }

    /// A check that is fresh enough for a page; an older one where no hospital can be reached just now.
    pub(super) async fn fresh(&self) -> Result<CheckedView, ApiError> {
        let last = self.state().checked.clone();
        if let Some(last) = &last
            && is_fresh(last.checked_at, self.now().0)
        {
            return Ok(last.clone());
        }
        match (self.sync(false).await, last) {
            (Err(error), Some(last)) if is_offline(&error) => Ok(last),
            (result, _) => result,
        }
    }

    pub(super) fn checked_view(&self, report: &SyncReport) -> CheckedView {
        let header = report.head.header();
        let asked = report.nodes.iter().filter(|(_, verdict)| *verdict != NodeVerdict::NotAsked).count();
        let silent =
            report.nodes.iter().filter(|(_, verdict)| matches!(verdict, NodeVerdict::Unreachable(_)));
        let nodes = self.client.nodes();
        let unreachable = silent
            .filter_map(|(node, _)| nodes.get(node.0))
            .map(|node| self.hospital_view(&node.organisation))
            .collect();
        CheckedView {
            signed: small(report.signed),
            agreeing: small(report.agreeing),
            asked: small(asked),
            total: small(report.validators),
            checked_at: self.now().0,
            height: header.height.0,
            block_time: header.time.0,
            header_hash: report.head.hash().to_string(),
            unreachable,
        }
    }

    /// The moment by which grants and requests are judged, as hospitals do it: now, and never before the newest block. Nothing
    /// is open for longer because this device's clock is behind.
    pub(super) fn judged_at(&self) -> Timestamp {
        let newest = self.client.trusted().map(|head| head.time());
        newest.map_or(self.now(), |newest| newest.max(self.now()))
    }

    /// One value of the ledger's state, proven.
    pub(super) async fn state_of<T: BorshDeserialize>(&self, key: StateKey) -> Result<Option<T>, ApiError> {
        let proven = self.client.state::<T>(&key).await.map_err(|error| self.light(error))?;
        Ok(proven.into_option())
    }

    /// Values of one type, proven, in the order of the keys.
    pub(super) async fn states_of<T: BorshDeserialize>(
        &self,
        keys: &[StateKey],
    ) -> Result<Vec<Option<T>>, ApiError> {
        let proven = self.client.states::<T>(keys).await.map_err(|error| self.light(error))?;
        Ok(proven.into_iter().map(|value| value.into_option()).collect())
    }

    /// Signs a call, hands it in and waits until it is proven to be applied.
    pub(super) async fn submit(
        &self,
        session: &Session,
        call: Call,
    ) -> Result<(TxId, ProvenReceipt), ApiError> {
        self.submit_by(session, &session.identity.signing, call).await
    }

    /// The same, signed by a key of the caller's choice.
    pub(super) async fn submit_by(
        &self,
        session: &Session,
        key: &SigningKey,
        call: Call,
    ) -> Result<(TxId, ProvenReceipt), ApiError> {
        let _one_at_a_time = session.submitting.lock().await;
        let _task = self.task(Task::WaitingForHospitals);
        for _ in 1..NONCE_TRIES {
            match self.submit_once(session, key, call.clone()).await? {
                Ok(done) => return Ok(done),
                Err(RefusalCode::NonceUsed | RefusalCode::NonceOutOfWindow) => {
                    self.client.sync(self.now()).await.map_err(|error| self.light(error))?;
                }
                Err(code) => return Err(refusal(code)),
            }
        }
        self.submit_once(session, key, call).await?.map_err(refusal)
    }

    async fn submit_once(
        &self,
        session: &Session,
        key: &SigningKey,
        call: Call,
    ) -> Result<Result<(TxId, ProvenReceipt), RefusalCode>, ApiError> {
        let account: Account = self.state_of(StateKey::Account(session.did())).await?.unwrap_or_default();
        let nonce = Nonce(session.take_nonce(account.highest.0));
        let transaction = sign_call(key, session.did(), self.network.chain(), nonce, call);
        self.commit(&transaction).await
    }

    /// Hands a transaction in and waits; the inner error is the ledger's no.
    pub(super) async fn commit(
        &self,
        transaction: &SignedTransaction,
    ) -> Result<Result<(TxId, ProvenReceipt), RefusalCode>, ApiError> {
        use amulet_protocol::light::LightRefusal;
        let receipt = match self.client.submit_and_wait(transaction, COMMIT_TIME_MAX).await {
            Ok(receipt) => receipt,
            Err(LightError::Refused { refusal: LightRefusal::WouldRefuse(code), .. }) => {
                return Ok(Err(code));
            }
            Err(error) => return Err(self.light(error)),
        };
        match receipt.receipt.outcome {
            Outcome::Applied { .. } => Ok(Ok((transaction.id(), receipt))),
            Outcome::Refused { code } => Ok(Err(code)),
        }
    }

    /// A practitioner as registered; by DID alone where the ledger knows none.
    pub(super) async fn practitioner(
        &self,
        session: &Session,
        did: Did,
    ) -> Result<PractitionerView, ApiError> {
        if let Some(known) = session.cache().practitioners.get(&did) {
            return Ok(known.clone());
        }
        let registered: Option<Practitioner> = self.state_of(StateKey::Practitioner(did)).await?;
        if let Some(registered) = &registered {
            self.learn_names(Some(registered.organisation)).await;
        }
        let view = match registered {
            Some(registered) => PractitionerView {
                did: did.to_string(),
                name: registered.name,
                department: registered.department,
                role: Some(convert::practitioner_role(registered.role)),
                hospital: self.hospital_view(&registered.organisation),
            },
            None => PractitionerView {
                did: did.to_string(),
                name: did.to_string(),
                department: String::new(),
                role: None,
                hospital: HospitalView { did: String::new(), name_en: String::new(), name_zh: String::new() },
            },
        };
        session.cache().practitioners.insert(did, view.clone());
        Ok(view)
    }

    /// Those who practise at an organisation, for people.
    pub(super) fn staff_view(&self, staff: &Staff) -> StaffView {
        StaffView {
            hospital: self.hospital_view(&staff.organisation),
            department: staff.department.clone(),
            role: staff.role.map(convert::practitioner_role),
        }
    }

    /// Who may read under a grant, for people.
    pub(super) async fn grantee_view(
        &self,
        session: &Session,
        grantee: &Grantee,
    ) -> Result<GranteeView, ApiError> {
        Ok(match grantee {
            Grantee::Person(did) => GranteeView::Person(self.practitioner(session, *did).await?),
            Grantee::Staff(staff) => GranteeView::Staff(self.staff_view(staff)),
            Grantee::Study(Participation { study: id, .. }) => {
                GranteeView::Study(self.study_name(session, *id).await?)
            }
        })
    }

    /// What was checked about a block, for people.
    pub(super) fn proof_view(
        &self,
        proven: &ProvenHeader,
        transaction: TxId,
        more: &[ProofCheck],
    ) -> ProofView {
        let header = &proven.header;
        let validators = proven.header.validator_set();
        let signers: Vec<HospitalView> = header
            .signers()
            .filter_map(|replica| validators.get(replica))
            .map(|validator| self.hospital_view(&validator.organisation))
            .collect();
        let mut checks = vec![ProofCheck::Witnesses, ProofCheck::Certificate, ProofCheck::HeaderRange];
        checks.extend_from_slice(more);
        ProofView {
            height: header.height().0,
            at: header.time().0,
            signed: small(header.signed()),
            total: small(header.validators()),
            signers,
            header_hash: header.hash().to_string(),
            transaction: transaction.to_string(),
            checks,
        }
    }

    /// The light client's error for the interface.
    pub(super) fn light(&self, error: LightError) -> ApiError {
        let error = light(error, |node| self.hospital_at(node));
        // Only a check tells a sign-in page from silence, and silence after it is most likely the same page.
        let signs_in = error.code == ErrorCode::Unreachable && self.state().newest_check.signs_in();
        if signs_in { error.with("why", "sign_in") } else { error }
    }
}

/// Whether a check is still good for a page. One dated after now was made while this device's clock was another.
fn is_fresh(checked_at: u64, now: u64) -> bool {
    now.abs_diff(checked_at) < FRESH_MS
}

/// Whether an error says no more than that hospitals cannot be reached.
pub(super) fn is_offline(error: &ApiError) -> bool {
    matches!(error.code, ErrorCode::Unreachable | ErrorCode::TooFewWitnesses)
}

/// Whole numbers of hospitals; there are at most 100.
fn small(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Reads an identifier of the bridge.
pub(super) fn tx_id(text: &str) -> Result<TxId, ApiError> {
    text.parse().map(TxId).map_err(|_| ErrorCode::BadRequest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_not_fresh_because_the_clock_was_set_back() {
        assert!(is_fresh(1_000, 1_000 + FRESH_MS - 1) && !is_fresh(1_000, 1_000 + FRESH_MS));
        assert!(!is_fresh(3_600_000, 0));
    }
}

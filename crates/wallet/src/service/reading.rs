//! Reading under a grant: the use is committed first, then the ciphertexts are asked for, opened with the grant's keys and
//! checked against what the ledger has of each record.

use amulet_app_api::access::{ProofCheck, ProofView};
use amulet_app_api::clinician::{ClosedByRulesView, GrantedRecordsView, RuleView};
use amulet_app_api::records::RecordView;
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_light_client::NodeIndex;
use amulet_protocol::calls::{Call, GrantId, UseAccess};
use amulet_protocol::erasure::ErasureState;
use amulet_protocol::grant::{GrantState, Standing};
use amulet_protocol::grant_keys::GrantKeys;
use amulet_protocol::grantee::Grantee;
use amulet_protocol::history::Event;
use amulet_protocol::ids::{RecordId, TxId};
use amulet_protocol::light::ReadGround;
use amulet_protocol::record::RecordPlain;
use amulet_protocol::rules::ExplainedReading;
use amulet_protocol::state::{Practitioner, RecordState, StateKey};
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Service;
use super::blobs::Wanted;
use super::error::{grant_ended, internal};
use super::ledger::tx_id;
use super::record_view::{LedgerSide, full, line};
use super::session::{Person, Session};
use crate::convert;

/// Hospitals that are asked what the rules say, one after another.
const EXPLAINERS_MAX: usize = 3;

/// A record that was read: what the ledger has of it, and what was decrypted.
pub(super) struct ReadRecord {
    pub id: RecordId,
    pub state: RecordState,
    pub plain: RecordPlain,
}

/// What a grant gave.
pub(super) struct Reading {
    pub grant: GrantState,
    pub records: Vec<ReadRecord>,
    /// Records that no hospital could deliver, or that did not open.
    pub missing: u64,
    pub closed_by_rules: Vec<ClosedByRulesView>,
    /// The use on the ledger; `None` if there was nothing to read, so that nothing was stated.
    pub used: Option<ProofView>,
}

impl Service {
    /// Reads all records that a grant opens as the ledger has it now; without those that are erased, if it is known that some are.
    pub(super) async fn read_as_it_stands(
        &self,
        grant: &str,
        some_erased: bool,
    ) -> Result<Reading, ApiError> {
        let person = self.person()?;
        let id = GrantId(tx_id(grant)?);
        // Always asked anew: a grant that was taken back a moment ago must not be used.
        self.sync(false).await?;
        let state: Option<GrantState> = self.state_of(StateKey::Grant(id)).await?;
        let state = state.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let session = self.reader(&person, &state.grantee).await?;
        let state = self.counted(state).await?;
        let last_use = match state.standing(self.judged_at()) {
            Standing::Revoked => return Err(grant_ended("revoked")),
            Standing::Expired => return Err(grant_ended("expired")),
            Standing::Paused => return Err(grant_ended("paused")),
            // A line that broke in the midst must not cost the last use.
            Standing::UsedUp if state.gives(self.judged_at()) => self.last_use(&session, id).await?,
            Standing::UsedUp => return Err(grant_ended("used_up")),
            // The hospitals' clocks decide whether it has begun.
            Standing::NotYet | Standing::Active => None,
        };
        let ruled = self.ruled(&session, id).await;
        let (closed, closed_by_rules) = closed_by_rules(&ruled);
        let mut known = self.records_of(&state).await?;
        known.retain(|(id, _)| !closed.contains(id));
        if some_erased {
            let erased = self.erased_of(known.iter().map(|(id, _)| *id)).await?;
            known.retain(|(id, _)| !erased.contains(id));
        }
        let readable: Vec<RecordId> = known.iter().map(|(id, _)| *id).collect();
        if readable.is_empty() && (some_erased || !closed.is_empty()) {
            let (records, missing, used) = (Vec::new(), 0, None);
            return Ok(Reading { grant: state, records, missing, closed_by_rules, used });
        }
        let (used_by, header) = match last_use {
            Some(used_by) => {
                let proven = self.client.receipt(used_by).await.map_err(|error| self.light(error))?;
                (used_by, proven.header)
            }
            None => {
                let use_call = UseAccess { grant: id, records: readable };
                let (used_by, receipt) = self.submit(&session, Call::UseAccess(use_call)).await?;
                (used_by, receipt.header)
            }
        };
        let keys = match state.grantee.staff() {
            None => self.grant_keys(&session, id, &state).await?,
            Some(staff) => self.staff_keys(&session, staff.organisation, id, used_by).await?,
        };
        let used = self.proof_view(&header, used_by, &[ProofCheck::Receipt, ProofCheck::State]);
        let ground = ReadGround::Grant { grant: id, used_by };
        let (records, missing) = self.read_records(&session, ground, &state, &keys, &known).await?;
        Ok(Reading { grant: state, records, missing, closed_by_rules, used: Some(used) })
    }

    /// What was read, newest first, for people.
    pub(super) fn reading_view(&self, reading: &Reading) -> GrantedRecordsView {
        let mut records: Vec<(Option<i64>, RecordView)> = Vec::with_capacity(reading.records.len());
        if let Some(used) = &reading.used {
            records.extend(reading.records.iter().map(|record| self.read_view(record, used)));
        }
        records.sort_by(|(a, _), (b, _)| (b.is_some(), b).cmp(&(a.is_some(), a)));
        GrantedRecordsView {
            records: records.into_iter().map(|(_, record)| record).collect(),
            missing: reading.missing,
            narrowed: false,
            until: reading.grant.closes_at().0,
            closed_by_rules: reading.closed_by_rules.clone(),
            proof: reading.used.clone(),
        }
    }

    fn read_view(&self, read: &ReadRecord, used: &ProofView) -> (Option<i64>, RecordView) {
        let hospital = self.hospital_view(&read.state.provider);
        let side =
            LedgerSide { id: read.id, category: read.state.category, class: read.state.class, hospital };
        let (line, moment) = line(side, &read.plain);
        (moment, full(line, &read.plain, record_proof(used)))
    }

    /// The identity of this person that a grant is for.
    pub(super) async fn reader(&self, person: &Person, grantee: &Grantee) -> Result<Arc<Session>, ApiError> {
        let reader = match (grantee, grantee.staff()) {
            (Grantee::Person(did), _) => person.session_of(*did),
            (_, Some(staff)) => {
                let own = person.first();
                let registration: Option<Practitioner> =
                    self.state_of(StateKey::Practitioner(own.did())).await?;
                registration.is_some_and(|registered| staff.includes(&registered)).then_some(own)
            }
            (_, None) => None,
        };
        reader.map(Arc::clone).ok_or_else(|| ErrorCode::NotFound.into())
    }

    /// What the rules say of a reading now, by the first hospital that answers; nothing if none does, and then the ledger alone
    /// decides.
    async fn ruled(&self, session: &Session, id: GrantId) -> ExplainedReading {
        for node in (0..self.client.nodes().len()).map(NodeIndex).take(EXPLAINERS_MAX) {
            let request = self.sign_read(session, node, ReadGround::Own, Vec::new());
            if let Ok(explained) = self.client.explain_reading(node, id, request).await {
                return explained;
            }
        }
        ExplainedReading::default()
    }

    /// The newest use of a grant by this person.
    async fn last_use(&self, session: &Session, id: GrantId) -> Result<Option<TxId>, ApiError> {
        self.follow(session).await?;
        let entries = session.entries();
        let used = entries.iter().rev().find(|entry| match entry.event {
            Event::RecordsRead { grant, .. } => grant == id,
            _ => false,
        });
        Ok(used.map(|entry| entry.transaction))
    }

    /// The records' keys: those that came with the grant, and those of records that were registered since.
    async fn grant_keys(
        &self,
        session: &Session,
        id: GrantId,
        state: &GrantState,
    ) -> Result<GrantKeys, ApiError> {
        self.follow(session).await?;
        let later = session.entries().into_iter().filter_map(|entry| match entry.event {
            Event::RecordsOpened { grant, .. } if grant == id => Some(entry.transaction),
            _ => None,
        });
        let ids: Vec<TxId> = [id.0].into_iter().chain(later).collect();
        let found = self.client.transactions(&ids).await.map_err(|error| self.light(error))?;
        let mut keys = GrantKeys::new(Vec::new());
        for transaction in found.iter().map(|transaction| transaction.transaction()) {
            let mine = &session.identity;
            let opened = match &transaction.call {
                Call::GrantAccess(call) => Some(mine.open(|key| call.keys.open(key, &state.key_binding()))),
                Call::RegisterRecords(call) => {
                    mine.open(|key| call.open_flow(id, transaction.sender, key).transpose()).transpose()
                }
                _ => return Err(internal("a grant's transaction is no grant")),
            };
            // What one hospital sealed badly must not hide what another sealed well: its records count as missing.
            if let Some(Ok(opened)) = opened {
                keys.extend(opened);
            }
        }
        Ok(keys)
    }

    /// What the ledger has of each record of a grant.
    async fn records_of(&self, state: &GrantState) -> Result<Vec<(RecordId, RecordState)>, ApiError> {
        let keys: Vec<StateKey> = state.records.iter().map(|id| StateKey::Record(*id)).collect();
        let states = self.states_of::<RecordState>(&keys).await?;
        Ok(state.records.iter().copied().zip(states).filter_map(|(id, state)| Some((id, state?))).collect())
    }

    /// Those of these records that are erased.
    async fn erased_of(
        &self,
        records: impl Iterator<Item = RecordId>,
    ) -> Result<BTreeSet<RecordId>, ApiError> {
        let records: Vec<RecordId> = records.collect();
        let keys: Vec<StateKey> = records.iter().map(|id| StateKey::Erasure(*id)).collect();
        let states = self.states_of::<ErasureState>(&keys).await?;
        let erased = |state: Option<ErasureState>| matches!(state, Some(ErasureState::Erased(_)));
        Ok(records.into_iter().zip(states).filter_map(|(id, state)| erased(state).then_some(id)).collect())
    }

    async fn read_records(
        &self,
        session: &Session,
        ground: ReadGround,
        grant: &GrantState,
        keys: &GrantKeys,
        known: &[(RecordId, RecordState)],
    ) -> Result<(Vec<ReadRecord>, u64), ApiError> {
        let wanted: Vec<Wanted> = known
            .iter()
            .map(|(_, state)| Wanted { blob: state.blob, holders: state.holders.clone() })
            .collect();
        let task = self.task(Task::Fetching);
        let mut records = Vec::new();
        let fetched = self
            .fetch_blobs(session, ground, &wanted, &task, |place, ciphertext| {
                let (id, state) = &known[place];
                records.extend(open_granted(grant, keys, *id, state, &ciphertext));
            })
            .await;
        if records.is_empty() && fetched.missing > 0 {
            return Err(self.nothing_delivered(fetched.refused));
        }
        let missing = (known.len() - records.len()) as u64;
        Ok((records, missing))
    }
}

/// Opens one record; `None` when key, ciphertext or commitment do not fit together.
fn open_granted(
    grant: &GrantState,
    keys: &GrantKeys,
    id: RecordId,
    state: &RecordState,
    ciphertext: &[u8],
) -> Option<ReadRecord> {
    let key = keys.get(id)?;
    let plain = RecordPlain::open(ciphertext, key, id, grant.patient, state.blob, state.commitment).ok()?;
    Some(ReadRecord { id, state: state.clone(), plain })
}

/// The records that the rules close, and in words why. One refused record would have the whole reading refused.
fn closed_by_rules(ruled: &ExplainedReading) -> (BTreeSet<RecordId>, Vec<ClosedByRulesView>) {
    let (mut closed, mut views) = (BTreeSet::new(), Vec::new());
    for kind in ruled.kinds.iter().filter(|kind| !kind.allowed) {
        closed.extend(&kind.records);
        let spoke = kind.spoke.iter().filter_map(|place| ruled.rules.get(usize::from(*place)));
        let forbids = spoke.filter(|rule| rule.forbids);
        views.push(ClosedByRulesView {
            category: convert::category(kind.category),
            class: convert::class(kind.class),
            records: kind.records.len() as u64,
            rules: forbids.map(|rule| RuleView { en: rule.en.clone(), zh: rule.zh.clone() }).collect(),
        });
    }
    (closed, views)
}

/// The proof of a record that was read: its ciphertext is the one in the ledger's state.
fn record_proof(used: &ProofView) -> ProofView {
    let mut proof = used.clone();
    proof.checks.push(ProofCheck::Ciphertext);
    proof
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::sm3;
    use amulet_protocol::consent::{Category, DataClass};
    use amulet_protocol::rules::{RuleText, RuledKind};

    #[test]
    fn only_what_the_rules_close_is_left_out_and_what_forbids_it_is_said() {
        let rule = |id: &str, forbids| RuleText {
            id: id.into(),
            forbids,
            zh: format!("{id}。"),
            en: format!("{id}."),
        };
        let [first, second, third] = [b"a", b"b", b"c"].map(|name| RecordId(sm3(name)));
        let kind = |category, records: Vec<RecordId>, allowed, spoke: &[u16]| RuledKind {
            category,
            class: DataClass::Sensitive,
            records,
            allowed,
            spoke: spoke.to_vec(),
        };
        let ruled = ExplainedReading {
            rules: vec![rule("permits", false), rule("forbids", true)],
            kinds: vec![
                kind(Category::Labs, vec![first], true, &[0]),
                kind(Category::Imaging, vec![second], false, &[1, 0, 7]),
                kind(Category::Social, vec![third], false, &[]),
            ],
        };
        let (closed, views) = closed_by_rules(&ruled);
        assert_eq!(closed, [second, third].into());
        let said: Vec<_> = views.iter().map(|view| (view.records, view.rules.len())).collect();
        assert_eq!(said, [(1, 1), (1, 0)]);
        assert_eq!(views[0].rules[0].en, "forbids.");
        assert_eq!(closed_by_rules(&ExplainedReading::default()), (BTreeSet::new(), Vec::new()));
    }
}

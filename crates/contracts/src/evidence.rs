//! evidence: what a validator signed against itself goes on the ledger under its name. Its nodes are asked last from then
//! on ([`crate::reputation`]); whatever else to do about it is for governance.

use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::{history, registry, reputation, validators};
use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::evidence::EvidenceRecord;
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::EVIDENCE_PER_VALIDATOR_MAX;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::StateKey;
use std::collections::BTreeSet;

/// Records evidence, once for each validator, kind of message and height; the two signatures are checked last.
pub(crate) fn report<S: StateRead>(step: &mut Step<'_, S>, call: &ReportEvidence) -> Done<S> {
    registry::organisation(step)?;
    let ReportEvidence { epoch, evidence } = call;
    let set =
        validators::at(step, *epoch).map_err(Stop::Failed)?.ok_or(RefusalCode::UnknownEpoch)?.validators;
    let (offender, kind, height) = (evidence.offender(), evidence.kind(), evidence.height());
    let accused = set.get(offender).ok_or(RefusalCode::BadEvidence)?.organisation;
    let key = StateKey::Evidence { epoch: *epoch, offender };
    let mut records: Vec<EvidenceRecord> = step.get(&key)?.unwrap_or_default();
    let known =
        records.iter().any(|record| (record.evidence.kind(), record.evidence.height()) == (kind, height));
    ensure(!known && records.len() < EVIDENCE_PER_VALIDATOR_MAX, RefusalCode::EvidenceKnown)?;
    ensure(evidence.check(step.context.chain, *epoch, &set).is_ok(), RefusalCode::BadEvidence)?;
    let (reporter, recorded) = (step.sender, step.context.height);
    records.push(EvidenceRecord { reporter, recorded, evidence: evidence.clone() });
    step.put(key, &records);
    reputation::convict(step, accused, *epoch)?;
    let concerned: BTreeSet<Did> = [accused, reporter].into();
    let concerned: Vec<Did> = concerned.into_iter().collect();
    let event = Event::EvidenceRecorded { epoch: *epoch, offender, kind, height, reporter };
    history::append(step, &concerned, &event)
}

//! Everything that ever happened to one record, from the patient's own proven history: complete, because that is.

use amulet_app_api::records::{RecordStoryView, StoryStep, StoryStepView};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::calls::{Call, GrantId};
use amulet_protocol::history::{Event, HistoryEntry};
use amulet_protocol::ids::{RecordId, TxId};
use amulet_protocol::transaction::SignedTransaction;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Service;
use super::records::record_id;
use super::session::Session;

/// The transactions behind entries.
pub type Transactions = BTreeMap<TxId, Arc<SignedTransaction>>;

/// One thing that happened to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry's place among those that were searched.
    pub place: usize,
    /// What the entry means for the record.
    pub what: StoryStep,
}

/// What befell `record`, oldest first: it and its later versions (`amended_by`) were registered, grants opened it, were changed,
/// used and ended, and it was erased.
///
/// A step needs the transaction behind its entry: those of registrations, grants, readings, narrowings and erasures. An entry whose transaction is
/// not in `transactions` is passed over.
#[must_use]
pub fn steps(
    entries: &[HistoryEntry],
    transactions: &Transactions,
    record: RecordId,
    amended_by: &[RecordId],
) -> Vec<Step> {
    let mut story = Story { record, amended_by, is_registered: false, open: BTreeMap::new() };
    let mut steps = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let call = || transactions.get(&entry.transaction).map(|found| &found.transaction().call);
        if let Some(what) = story.step(&entry.event, call) {
            steps.push(Step { place, what });
        }
    }
    steps
}

/// What has been found of a record so far.
struct Story<'a> {
    record: RecordId,
    amended_by: &'a [RecordId],
    is_registered: bool,
    /// The grants that ever opened it, and whether they still do as far as the patient has said.
    open: BTreeMap<GrantId, bool>,
}

impl Story<'_> {
    /// What an event means for the record. The transaction is looked up only if the event does not say that it is about something
    /// else.
    fn step<'a>(&mut self, event: &Event, call: impl Fn() -> Option<&'a Call>) -> Option<StoryStep> {
        let opens = |grant: &GrantId| self.open.get(grant).copied().unwrap_or(false);
        Some(match event {
            Event::RecordsRegistered { .. } => return self.registered(call),
            Event::RecordsOpened { grant, .. } => {
                call().filter(|call| registers(call, self.record))?;
                self.open.insert(*grant, true);
                StoryStep::Opened
            }
            Event::AccessGranted { grant, .. } => {
                let Call::GrantAccess(call) = call()? else { return None };
                call.records.binary_search(&self.record).ok()?;
                self.open.insert(*grant, true);
                StoryStep::Opened
            }
            Event::AccessNarrowed { grant, .. } if opens(grant) => {
                let Call::NarrowAccess(call) = call()? else { return None };
                call.records.binary_search(&self.record).err()?;
                self.open.insert(*grant, false);
                StoryStep::Closed
            }
            Event::RecordsRead { grant, .. } if opens(grant) => {
                let Call::UseAccess(call) = call()? else { return None };
                call.records.binary_search(&self.record).ok()?;
                StoryStep::Read
            }
            Event::AccessPaused { grant, .. } if opens(grant) => StoryStep::Paused,
            Event::AccessResumed { grant, .. } if opens(grant) => StoryStep::Resumed,
            Event::AccessExtended { grant, .. } if opens(grant) => StoryStep::Extended,
            Event::AccessRevoked { grant, .. } if opens(grant) => StoryStep::Closed,
            Event::ErasureRequested { .. } => {
                let Call::RequestErasure(call) = call()? else { return None };
                call.records.binary_search(&self.record).ok()?;
                StoryStep::ErasureAsked
            }
            Event::ErasureOrdered { .. } => {
                let Call::OrderErasure(call) = call()? else { return None };
                call.records.binary_search(&self.record).ok()?;
                StoryStep::Erased
            }
            Event::ErasureRefused { .. } => {
                let Call::RefuseErasure(call) = call()? else { return None };
                call.records.binary_search(&self.record).ok()?;
                StoryStep::ErasureRefused
            }
            Event::ErasureConfirmed { .. } => {
                let Call::ConfirmErasure(call) = call()? else { return None };
                call.records.binary_search(&self.record).ok()?;
                StoryStep::ErasureConfirmed
            }
            // Also for what was read before it was taken out of the grant.
            Event::DeletionConfirmed { grant, .. } if self.open.contains_key(grant) => StoryStep::Deleted,
            _ => return None,
        })
    }

    fn registered<'a>(&mut self, call: impl Fn() -> Option<&'a Call>) -> Option<StoryStep> {
        if self.is_registered && self.amended_by.is_empty() {
            return None;
        }
        let call = call()?;
        if registers(call, self.record) {
            self.is_registered = true;
            return Some(StoryStep::Registered);
        }
        let amends = self.amended_by.iter().any(|later| registers(call, *later));
        amends.then_some(StoryStep::Amended)
    }
}

fn registers(call: &Call, record: RecordId) -> bool {
    match call {
        Call::RegisterRecords(call) => call.records.iter().any(|entry| entry.id == record),
        _ => false,
    }
}

impl Service {
    /// Everything that ever happened to a record, newest first.
    pub(super) async fn record_story(&self, id: &str) -> Result<RecordStoryView, ApiError> {
        let person = self.patient()?;
        let id = record_id(id)?;
        let checked = self.follow_all(&person).await?;
        let session = person.session_with(id).ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let entries = session.entries();
        let mut steps_view = Vec::new();
        for step in self.steps_of(session, &entries, id).await?.into_iter().rev() {
            if let Some(line) = self.log_line(&person, session, &entries[step.place]).await? {
                steps_view.push(StoryStepView { what: step.what, line });
            }
        }
        Ok(RecordStoryView { steps: steps_view, checked })
    }

    /// The steps of a record of this identity.
    pub(super) async fn steps_of(
        &self,
        session: &Session,
        entries: &[HistoryEntry],
        id: RecordId,
    ) -> Result<Vec<Step>, ApiError> {
        let changes: Vec<HistoryEntry> =
            entries.iter().filter(|entry| changes_records(&entry.event)).cloned().collect();
        self.take_these(session, &changes).await?;
        let cache = session.cache();
        let later = |replaced: RecordId| {
            let opened = cache.opened.iter();
            opened.filter(move |(_, record)| record.plain.replaces == Some(replaced)).map(|(id, _)| *id)
        };
        // Versions of versions; a record replaces at most one, so this ends.
        let mut amended_by: Vec<RecordId> = later(id).collect();
        let mut next = 0;
        while let Some(version) = amended_by.get(next).copied() {
            let more: Vec<RecordId> = later(version).filter(|id| !amended_by.contains(id)).collect();
            amended_by.extend(more);
            next += 1;
        }
        Ok(steps(entries, &cache.transactions, id, &amended_by))
    }
}

/// Whether only the transaction says which records an event is about.
fn changes_records(event: &Event) -> bool {
    matches!(
        event,
        Event::RecordsOpened { .. }
            | Event::RecordsRead { .. }
            | Event::AccessNarrowed { .. }
            | Event::ErasureRequested { .. }
            | Event::ErasureOrdered { .. }
            | Event::ErasureRefused { .. }
            | Event::ErasureConfirmed { .. }
    )
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;

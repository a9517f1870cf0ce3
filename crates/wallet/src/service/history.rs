//! The personal history: the one thread along which a wallet finds everything that concerns it.

use amulet_app_api::ApiError;
use amulet_app_api::wallet::{CheckedView, Task};
use amulet_protocol::calls::Call;
use amulet_protocol::history::{Event, HistoryEntry};
use amulet_protocol::ids::TxId;
use std::sync::Arc;

use super::Service;
use super::erasure::erased_in;
use super::ledger::is_offline;
use super::session::{Person, RecordMeta, Session};

impl Service {
    /// Brings all of a person's histories up to the newest check; gives the check behind the one that is furthest behind.
    pub(super) async fn follow_all(&self, person: &Person) -> Result<CheckedView, ApiError> {
        let mut earliest = self.follow(person.first()).await?;
        for session in &person.sessions()[1..] {
            let checked = self.follow(session).await?;
            if checked.height < earliest.height {
                earliest = checked;
            }
        }
        Ok(earliest)
    }

    /// Brings the session's history up to the newest check, with the transactions behind it.
    ///
    /// Without a network, what was proven before stays.
    pub(super) async fn follow(&self, session: &Session) -> Result<CheckedView, ApiError> {
        let checked = self.fresh().await?;
        let _one_at_a_time = session.loading.lock().await;
        let known = session.cache().head;
        let proven = match self.client.history(session.did(), known).await {
            Ok(proven) => proven,
            Err(error) => {
                let error = self.light(error);
                // What is known was complete at an earlier header, and nothing is known of the entries since: whoever
                // keeps a history back must not have it shown as complete at the header that was just checked.
                let earlier = session.cache().checked.clone();
                return earlier.filter(|_| is_offline(&error)).ok_or(error);
            }
        };
        let _task = self.task(Task::Checking);
        self.take_transactions(session, &proven.entries).await?;
        let mut cache = session.cache();
        cache.head = proven.head;
        let found = records_in(&proven.entries, |id| cache.transactions.get(&id).cloned());
        cache.records.extend(found);
        for id in erased_in(&proven.entries, &cache.transactions) {
            cache.opened.remove(&id);
            cache.erased.insert(id);
        }
        cache.entries.extend(proven.entries);
        cache.checked = Some(checked.clone());
        drop(cache);
        Ok(checked)
    }

    /// Fetches the transactions behind entries whose details are not in the entry itself.
    async fn take_transactions(&self, session: &Session, entries: &[HistoryEntry]) -> Result<(), ApiError> {
        let detailed: Vec<HistoryEntry> =
            entries.iter().filter(|entry| has_details(&entry.event)).cloned().collect();
        self.take_these(session, &detailed).await
    }

    /// Fetches the transactions behind all these entries.
    pub(super) async fn take_these(
        &self,
        session: &Session,
        entries: &[HistoryEntry],
    ) -> Result<(), ApiError> {
        let mut wanted: Vec<TxId> = entries
            .iter()
            .map(|entry| entry.transaction)
            .filter(|id| session.transaction(*id).is_none())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let fetched = self.client.transactions(&wanted).await.map_err(|error| self.light(error))?;
        let mut cache = session.cache();
        cache
            .transactions
            .extend(fetched.into_iter().map(|transaction| (transaction.id(), Arc::new(transaction))));
        Ok(())
    }
}

/// Whether the transaction behind an event says more than the event.
fn has_details(event: &Event) -> bool {
    matches!(
        event,
        Event::RecordsRegistered { .. }
            | Event::AccessRequested { .. }
            | Event::AccessGranted { .. }
            | Event::EmergencyDeclared { .. }
            | Event::ErasureOrdered { .. }
            | Event::KeysReplaced { .. }
    )
}

/// Records that entries tell of, in the order of registration.
fn records_in(
    entries: &[HistoryEntry],
    transaction: impl Fn(TxId) -> Option<Arc<amulet_protocol::transaction::SignedTransaction>>,
) -> Vec<Arc<RecordMeta>> {
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| matches!(entry.event, Event::RecordsRegistered { .. })) {
        let Some(transaction) = transaction(entry.transaction) else { continue };
        let plain = transaction.transaction();
        let Call::RegisterRecords(call) = &plain.call else { continue };
        found.extend(call.records.iter().map(|record| {
            Arc::new(RecordMeta {
                entry: record.clone(),
                provider: plain.sender,
                height: entry.height,
                transaction: entry.transaction,
            })
        }));
    }
    found
}

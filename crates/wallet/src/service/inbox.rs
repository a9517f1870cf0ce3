//! The inbox: what needs the person or is worth knowing, derived from the proven history.

use amulet_app_api::access::DeletionView;
use amulet_app_api::clinician::MyAccessState;
use amulet_app_api::inbox::{INBOX_ITEMS_MAX, InboxItemView, InboxNews, InboxView, ReadInbox};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::digest::{Digest, Tag, tagged};
use amulet_protocol::calls::GrantId;
use amulet_protocol::grant::{Deletion, GrantState, Hold};
use amulet_protocol::history::{Event, HistoryHead};
use amulet_protocol::ids::Timestamp;
use amulet_protocol::limits::DELETION_TIME_MS;
use amulet_protocol::state::{DeclarationState, StateKey};
use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::Service;
use super::replacing::replaced_elsewhere_at;
use super::session::{Person, Session};
use super::shares::is_over;
use crate::keyfile::{KeyFileId, Role};

/// How long before its end an access counts as ending, in milliseconds: three days.
const ENDING_MS: u64 = 3 * 24 * 3_600_000;
/// How long after its end an access is still mentioned, in milliseconds: thirty days.
const ENDED_MS: u64 = 30 * 24 * 3_600_000;
/// How long what was derived is used while nothing new happened, in milliseconds.
const DERIVED_MS: u64 = 60_000;

const KEY: Tag = Tag::new("amulet/v1/inbox-item");

/// One item, before it is known whether it was read.
#[derive(Clone)]
pub(super) struct Item {
    pub key: Digest,
    at: Timestamp,
    pub what: InboxNews,
}

/// All items, newest first.
pub(super) struct Items {
    pub items: Vec<Item>,
    /// Whether nothing is missing because it could not be proven now.
    pub whole: bool,
}

impl Items {
    /// The keys of the items that are in `marked` or wanted; what is in the inbox no more is forgotten, once that is sure.
    pub fn marked(&self, marked: &BTreeSet<[u8; 32]>, wanted: impl Fn(&Item) -> bool) -> BTreeSet<[u8; 32]> {
        let is_marked = |item: &&Item| marked.contains(item.key.as_bytes()) || wanted(item);
        let mut keys: BTreeSet<[u8; 32]> =
            self.items.iter().filter(is_marked).map(|item| *item.key.as_bytes()).collect();
        if !self.whole {
            keys.extend(marked);
        }
        keys
    }
}

/// What was derived last.
pub(super) struct Derived {
    wallet: KeyFileId,
    heads: Vec<HistoryHead>,
    at: Timestamp,
    items: Vec<Item>,
}

/// An item is the same for as long as it says the same of the same thing until the same time.
pub(super) fn item(
    kind: &'static str,
    about: &[u8],
    until: Timestamp,
    at: Timestamp,
    what: InboxNews,
) -> Item {
    let key = tagged(KEY, &[kind.as_bytes(), about, &until.0.to_be_bytes()]);
    Item { key, at, what }
}

impl Service {
    /// The inbox of the open wallet, newest first.
    pub(super) async fn inbox(&self) -> Result<InboxView, ApiError> {
        let person = self.person()?;
        let found = self.inbox_items(&person).await?;
        self.note_news(&person, &found);
        Ok(view(found.items, &person.owner.device().inbox_read))
    }

    /// Counts items as read. What is in the inbox no more is forgotten, so that the list of what was read stays as short as it.
    pub(super) async fn read_inbox(&self, call: &ReadInbox) -> Result<InboxView, ApiError> {
        let person = self.person()?;
        if call.keys.len() > INBOX_ITEMS_MAX {
            return Err(ApiError::new(ErrorCode::TooLarge).with("limit", INBOX_ITEMS_MAX));
        }
        let found = self.inbox_items(&person).await?;
        let mut device = person.owner.device();
        let read = found.marked(&device.inbox_read, |item| call.keys.contains(&item.key.to_string()));
        if read != device.inbox_read {
            device.inbox_read = read;
            self.save_device(&person.owner, &mut device)?;
        }
        Ok(view(found.items, &device.inbox_read))
    }

    pub(super) async fn inbox_items(&self, person: &Person) -> Result<Items, ApiError> {
        // Hospitals that contradict each other can keep everything else from being proven; this is told all the same.
        let mut items = self.disagreement();
        let derived = self.derived(person).await;
        // Nor may what the keys of before are refused keep this back.
        items.extend(keys_replaced(person));
        let whole = match derived {
            Ok(derived) => {
                items.extend(derived);
                true
            }
            Err(error) if items.is_empty() => return Err(error),
            Err(_) => false,
        };
        items.sort_by_key(|item| Reverse(item.at));
        items.truncate(INBOX_ITEMS_MAX);
        Ok(Items { items, whole })
    }

    async fn derived(&self, person: &Person) -> Result<Vec<Item>, ApiError> {
        self.follow_all(person).await?;
        let heads: Vec<_> = person.sessions().iter().map(|session| session.cache().head).collect();
        let now = self.judged_at();
        if let Some(kept) = &self.state().inbox
            && kept.wallet == person.owner.id
            && kept.heads == heads
            && now.0.abs_diff(kept.at.0) < DERIVED_MS
        {
            return Ok(kept.items.clone());
        }
        let mut items = self.received_items(now).await?;
        for session in person.sessions() {
            match person.owner.role {
                Role::Patient => self.patient_items(person, session, now, &mut items).await?,
                Role::Clinician => items.extend(self.reviews_due(session, now).await?),
            }
        }
        let wallet = person.owner.id;
        let mut state = self.state();
        // A wallet that was locked meanwhile leaves nothing behind.
        if state.person.as_ref().is_some_and(|open| open.owner.id == wallet) {
            state.inbox = Some(Derived { wallet, heads, at: now, items: items.clone() });
        }
        Ok(items)
    }

    async fn patient_items(
        &self,
        person: &Person,
        session: &Session,
        now: Timestamp,
        items: &mut Vec<Item>,
    ) -> Result<(), ApiError> {
        let own = session.did();
        for request in self.waiting(session).await? {
            let (at, by) = (Timestamp(request.asked_at), Timestamp(request.answer_by));
            let id = request.id.clone();
            items.push(item("request", id.as_bytes(), by, at, InboxNews::RequestWaiting { request }));
        }
        let entries = session.entries();
        let emergencies =
            entries.iter().filter(|entry| matches!(entry.event, Event::EmergencyDeclared { .. }));
        for entry in emergencies.rev().take(INBOX_ITEMS_MAX) {
            if let Some(line) = self.log_line(person, session, entry).await? {
                let id = entry.transaction.0;
                let what = InboxNews::EmergencyAccess { line };
                items.push(item("emergency", id.as_bytes(), Timestamp(0), entry.time, what));
            }
        }
        for (id, grant) in self.grants(session).await? {
            items.extend(self.grant_items(session, id, &grant, now).await?);
        }
        for (record, since) in self.erasures_overdue_since(session).await? {
            let what = InboxNews::ErasureOverdue { record: record.to_string() };
            items.push(item("erasure", format!("{own} {record}").as_bytes(), since, since, what));
        }
        Ok(())
    }

    async fn grant_items(
        &self,
        session: &Session,
        id: GrantId,
        grant: &GrantState,
        now: Timestamp,
    ) -> Result<Vec<Item>, ApiError> {
        let end = grant.closes_at();
        let about = id.0.0.as_bytes();
        let mut found = Vec::new();
        let taken_back = matches!(grant.hold, Hold::Revoked { .. });
        let ended = is_over(grant, now);
        let ends_soon = !ended && end.0.saturating_sub(now.0) < ENDING_MS;
        let overdue = match grant.deletion(now) {
            Deletion::Overdue { by } => Some(by),
            Deletion::NotOwed | Deletion::Owed { .. } | Deletion::Confirmed { .. } => None,
        };
        let ended_lately = ended && !taken_back && now.0.saturating_sub(end.0) < ENDED_MS;
        if !ends_soon && !ended_lately && overdue.is_none() {
            return Ok(found);
        }
        let to = self.grantee_view(session, &grant.grantee).await?;
        // An access for less than three days is known to end soon from the start.
        if ends_soon {
            let since = Timestamp(end.0.saturating_sub(ENDING_MS)).max(grant.valid_from);
            let what = InboxNews::AccessEnding { to: to.clone(), until: end.0 };
            found.push(item("ending", about, end, since, what));
        }
        if ended_lately {
            found.push(item("ended", about, end, end, InboxNews::AccessEnded { to: to.clone() }));
        }
        if let Some(by) = overdue {
            found.push(item("deletion", about, by, by, InboxNews::DeletionOverdue { to }));
        }
        Ok(found)
    }

    /// What this person was given that ends soon, and what they owe for what has ended.
    async fn received_items(&self, now: Timestamp) -> Result<Vec<Item>, ApiError> {
        let mut items = Vec::new();
        for access in self.my_accesses().await?.accesses {
            if let MyAccessState::Active { grant, until, .. } = &access.state
                && until.saturating_sub(now.0) < ENDING_MS
            {
                let since = Timestamp(until.saturating_sub(ENDING_MS).max(access.at));
                let what = InboxNews::MyAccessEnding { grant: grant.clone(), until: *until };
                items.push(item("my-ending", grant.as_bytes(), Timestamp(*until), since, what));
            }
            let (by, since, overdue) = match access.deletion {
                // The end itself is not in the list; this is it, unless the patient wants it sooner.
                DeletionView::Owed { by } => (by, by.saturating_sub(DELETION_TIME_MS).max(access.at), false),
                DeletionView::Overdue { by } => (by, by, true),
                DeletionView::NotOwed | DeletionView::Confirmed { .. } => continue,
            };
            let kind = if overdue { "receipt-overdue" } else { "receipt-due" };
            let what = InboxNews::ReceiptDue { by, overdue };
            items.push(item(kind, access.id.as_bytes(), Timestamp(by), Timestamp(since), what));
        }
        Ok(items)
    }

    /// Reviews that are owed for emergencies that a clinician declared.
    async fn reviews_due(&self, session: &Session, now: Timestamp) -> Result<Vec<Item>, ApiError> {
        let entries = session.entries();
        let declared = entries.iter().rev().filter_map(|entry| match entry.event {
            Event::EmergencyDeclared { declaration, practitioner, .. } if practitioner == session.did() => {
                Some(declaration)
            }
            _ => None,
        });
        let ids: Vec<_> = declared.take(INBOX_ITEMS_MAX).collect();
        let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Declaration(*id)).collect();
        let states = self.states_of::<DeclarationState>(&keys).await?;
        let due = ids.into_iter().zip(states).filter_map(|(id, state)| {
            let state = state.filter(|state| state.review.is_none())?;
            let by = state.review_by();
            let (kind, since, overdue) = if now < by {
                ("review-due", state.declared_at, false)
            } else {
                ("review-overdue", by, true)
            };
            let what = InboxNews::ReviewDue { by: by.0, overdue };
            Some(item(kind, id.0.0.as_bytes(), by, since, what))
        });
        Ok(due.collect())
    }

    fn disagreement(&self) -> Vec<Item> {
        let newest = self.client.forks().iter().map(|fork| fork.found_at).max();
        let found = newest.map(|at| item("disagreement", &[], at, at, InboxNews::HospitalsDisagree));
        found.into_iter().collect()
    }
}

/// That somebody else replaced keys of this person, as far as the proven histories go.
fn keys_replaced(person: &Person) -> Option<Item> {
    let at = replaced_elsewhere_at(person)?;
    Some(item("keys", person.first().did().as_bytes(), at, at, InboxNews::KeysReplaced))
}

fn view(items: Vec<Item>, read: &BTreeSet<[u8; 32]>) -> InboxView {
    let items: Vec<InboxItemView> = items
        .into_iter()
        .map(|Item { key, at, what }| {
            let unread = !read.contains(key.as_bytes());
            InboxItemView { key: key.to_string(), at: at.0, what, unread }
        })
        .collect();
    let unread = items.iter().filter(|item| item.unread).count() as u64;
    InboxView { items, unread }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_proven_now_is_not_forgotten_and_what_is_gone_is() {
        let there = item("disagreement", &[], Timestamp(1), Timestamp(1), InboxNews::HospitalsDisagree);
        let (key, other) = (*there.key.as_bytes(), [7; 32]);
        let marked = BTreeSet::from([other]);
        let mut items = Items { items: vec![there], whole: false };
        assert_eq!(items.marked(&marked, |_| true), BTreeSet::from([key, other]));
        assert_eq!(items.marked(&marked, |_| false), BTreeSet::from([other]));
        items.whole = true;
        assert_eq!(items.marked(&marked, |_| true), BTreeSet::from([key]));
    }

    #[test]
    fn an_access_that_was_extended_is_news_again_and_one_that_was_not_is_the_same() {
        let ending = |until| {
            let what = InboxNews::HospitalsDisagree;
            item("ending", b"grant", Timestamp(until), Timestamp(0), what).key
        };
        assert_eq!(ending(7), ending(7));
        assert_ne!(ending(7), ending(8));
        let ended = item("ended", b"grant", Timestamp(7), Timestamp(0), InboxNews::HospitalsDisagree).key;
        assert_ne!(ended, ending(7));
    }
}

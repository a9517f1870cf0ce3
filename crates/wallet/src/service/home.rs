//! The patient's first page, and the codes by which others find them.

use amulet_app_api::ApiError;
use amulet_app_api::access::{LogEvent, LogLineView};
use amulet_app_api::wallet::{HomeView, MyCodeView, MyCodesView};
use amulet_protocol::calls::GrantId;
use amulet_protocol::consent::Category;
use amulet_protocol::grant::{Deletion, GrantState, Hold};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Service;
use super::error::internal;
use super::replacing::is_replaced_elsewhere;
use super::session::{Person, RecordMeta, Session};
use super::shares::is_over;
use crate::qr;

/// Newest records on the first page.
const NEWEST: usize = 5;

/// Records registered, with their sessions, those of the newest blocks first; those about health before paperwork and bills.
fn newest(person: &Person) -> Vec<(Arc<Session>, Arc<RecordMeta>)> {
    let of = |session: &Arc<Session>| {
        let records: Vec<_> = session.cache().there().cloned().collect();
        let session = Arc::clone(session);
        records.into_iter().rev().map(move |meta| (Arc::clone(&session), meta))
    };
    let mut all: Vec<_> = person.sessions().iter().flat_map(of).collect();
    all.sort_by_key(|(_, meta)| Reverse(meta.height));
    let is_paper = |(_, meta): &(_, Arc<RecordMeta>)| {
        matches!(meta.entry.category, Category::Administrative | Category::Billing | Category::Other)
    };
    let (paper, health): (Vec<_>, Vec<_>) = all.into_iter().partition(is_paper);
    health.into_iter().chain(paper).take(NEWEST).collect()
}

impl Service {
    /// The first page.
    pub(super) async fn home(&self) -> Result<HomeView, ApiError> {
        let person = self.patient()?;
        let checked = self.follow_all(&person).await?;
        let records = person.sessions().iter().map(|session| session.cache().there().count() as u64).sum();
        let newest = newest(&person);
        let mut opened = Vec::new();
        for session in person.sessions() {
            let own = newest.iter().filter(|(of, _)| Arc::ptr_eq(of, session));
            let metas: Vec<_> = own.map(|(_, meta)| Arc::clone(meta)).collect();
            let ids: Vec<_> = metas.iter().map(|meta| meta.entry.id).collect();
            self.open_records(session, metas).await?;
            let cache = session.cache();
            opened.extend(ids.iter().filter_map(|id| cache.opened.get(id).cloned()));
        }
        opened.sort_by_key(|record| Reverse(record.moment));
        let (mut requests_waiting, mut emergencies_unseen) = (Vec::new(), Vec::new());
        let mut readers = BTreeSet::new();
        let (mut deletions_overdue, mut erasures_overdue) = (0, 0);
        for session in person.sessions() {
            requests_waiting.extend(self.waiting(session).await?);
            emergencies_unseen.extend(self.emergencies_unseen(&person, session).await?);
            let grants = self.grants(session).await?;
            readers.extend(self.readers_now(session, &grants));
            deletions_overdue += self.deletions_overdue(&grants);
            erasures_overdue += self.erasures_overdue(session).await?;
        }
        requests_waiting.sort_by_key(|request| request.asked_at);
        emergencies_unseen.sort_by_key(|line| Reverse(line.at));
        Ok(HomeView {
            checked: Some(checked),
            requests_waiting,
            emergencies_unseen,
            has_card: !self.cards_in_force(&person).await?.is_empty(),
            records,
            newest: opened.into_iter().map(|record| record.line.clone()).collect(),
            readers_now: readers.len() as u64,
            deletions_overdue,
            erasures_overdue,
            keys_elsewhere: is_replaced_elsewhere(&person),
        })
    }

    async fn emergencies_unseen(
        &self,
        person: &Person,
        session: &Session,
    ) -> Result<Vec<LogLineView>, ApiError> {
        let seen = session.owner.device().seen(session.did());
        let mut lines = Vec::new();
        for entry in session.entries().iter().filter(|entry| entry.number > seen) {
            if matches!(entry.event, Event::EmergencyDeclared { .. })
                && let Some(line) = self.log_line(person, session, entry).await?
                && matches!(line.what, LogEvent::EmergencyDeclared { .. })
            {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// Who can read something now, by a grant or an emergency.
    fn readers_now(&self, session: &Session, grants: &[(GrantId, GrantState)]) -> BTreeSet<Did> {
        let now = self.judged_at();
        let active = grants
            .iter()
            .filter(|(_, grant)| !is_over(grant, now) && !matches!(grant.hold, Hold::Paused { .. }));
        let mut readers: BTreeSet<Did> = active.map(|(_, grant)| grant.grantee.did()).collect();
        for entry in session.entries() {
            if let Event::EmergencyDeclared { practitioner, until, .. } = entry.event
                && now < until
            {
                readers.insert(practitioner);
            }
        }
        readers
    }

    /// How many readers owe a deletion receipt whose time has run out.
    fn deletions_overdue(&self, grants: &[(GrantId, GrantState)]) -> u64 {
        let now = self.judged_at();
        let overdue =
            grants.iter().filter(|(_, grant)| matches!(grant.deletion(now), Deletion::Overdue { .. }));
        overdue.count() as u64
    }

    /// The codes by which others find this person.
    pub(super) fn my_codes(&self) -> Result<MyCodesView, ApiError> {
        let code = |session: &Arc<Session>| {
            let text = session.did().to_string();
            let qr_svg = qr::svg(&text).map_err(internal)?;
            Ok(MyCodeView { hospital: self.hospital_view(&session.identity.hospital), text, qr_svg })
        };
        let codes = self.person()?.sessions().iter().map(code).collect::<Result<_, ApiError>>()?;
        Ok(MyCodesView { codes })
    }
}

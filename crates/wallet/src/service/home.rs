//! The patient's first page, and the code by which others find them.

use amulet_app_api::ApiError;
use amulet_app_api::access::{LogEvent, LogLineView};
use amulet_app_api::wallet::{HomeView, MyCodeView};
use amulet_protocol::calls::CardLocator;
use amulet_protocol::consent::Category;
use amulet_protocol::grant::{Deletion, Hold};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use amulet_protocol::state::StateKey;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Service;
use super::error::internal;
use super::session::{RecordMeta, Session};
use super::shares::is_over;
use crate::qr;

/// Newest records on the first page.
const NEWEST: usize = 5;

/// The records registered last, those about health before paperwork and bills.
fn newest(records: &[Arc<RecordMeta>]) -> Vec<Arc<RecordMeta>> {
    let is_paper = |meta: &&Arc<RecordMeta>| {
        matches!(meta.entry.category, Category::Administrative | Category::Billing | Category::Other)
    };
    let (paper, health): (Vec<_>, Vec<_>) = records.iter().rev().partition(is_paper);
    health.into_iter().chain(paper).take(NEWEST).cloned().collect()
}

impl Service {
    /// The first page.
    pub(super) async fn home(&self) -> Result<HomeView, ApiError> {
        let session = self.patient()?;
        let checked = self.follow(&session).await?;
        let card: Option<CardLocator> = self.state_of(StateKey::CardOf(session.did())).await?;
        let (records, newest) = {
            let cache = session.cache();
            (cache.records.len() as u64, newest(&cache.records))
        };
        let ids: Vec<_> = newest.iter().map(|meta| meta.entry.id).collect();
        self.open_records(&session, newest).await?;
        let newest = {
            let cache = session.cache();
            let mut opened: Vec<_> = ids.iter().filter_map(|id| cache.opened.get(id)).collect();
            opened.sort_by_key(|record| Reverse(record.moment));
            opened.into_iter().map(|record| record.line.clone()).collect()
        };
        Ok(HomeView {
            checked: Some(checked),
            requests_waiting: self.waiting(&session).await?,
            emergencies_unseen: self.emergencies_unseen(&session).await?,
            has_card: card.is_some(),
            records,
            newest,
            readers_now: self.readers_now(&session).await?,
            deletions_overdue: self.deletions_overdue(&session).await?,
        })
    }

    async fn emergencies_unseen(&self, session: &Session) -> Result<Vec<LogLineView>, ApiError> {
        let seen = session.device().seen;
        let mut lines = Vec::new();
        for entry in session.entries().iter().filter(|entry| entry.number > seen) {
            if matches!(entry.event, Event::EmergencyDeclared { .. })
                && let Some(line) = self.log_line(session, entry).await?
                && matches!(line.what, LogEvent::EmergencyDeclared { .. })
            {
                lines.push(line);
            }
        }
        lines.reverse();
        Ok(lines)
    }

    /// How many people can read something now, by a grant or an emergency.
    async fn readers_now(&self, session: &Session) -> Result<u64, ApiError> {
        let now = self.judged_at();
        let grants = self.grants(session).await?;
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
        Ok(readers.len() as u64)
    }

    /// How many readers owe a deletion receipt whose time has run out.
    async fn deletions_overdue(&self, session: &Session) -> Result<u64, ApiError> {
        let now = self.judged_at();
        let grants = self.grants(session).await?;
        let overdue =
            grants.iter().filter(|(_, grant)| matches!(grant.deletion(now), Deletion::Overdue { .. }));
        Ok(overdue.count() as u64)
    }

    /// The code by which others find this person.
    pub(super) fn my_code(&self) -> Result<MyCodeView, ApiError> {
        let text = self.session()?.did().to_string();
        let qr_svg = qr::svg(&text).map_err(internal)?;
        Ok(MyCodeView { text, qr_svg })
    }
}

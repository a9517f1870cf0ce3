//! The hospitals' scores: read for the choice whom to ask first, and reported to if the person wants that.
//!
//! A report goes onto a public ledger under the wallet's DID: that it was in use, and shares in tenths of how the *other*
//! hospitals' nodes served. So reporting is off until the person turns it on (`docs/decisions/0013-reputation-of-nodes.md`).

use amulet_app_api::ApiError;
use amulet_app_api::reporting::ReportingView;
use amulet_protocol::calls::Call;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::REPORT_INTERVAL_DAYS;
use amulet_protocol::reputation::{LedgerDay, ReportService, ReporterState, Voucher};
use amulet_protocol::state::{Practitioner, StateKey};

use super::Service;
use super::session::Session;
use crate::keyfile::Role;

/// How old read scores may become, in milliseconds: a score moves by two percent in a day at most, and reading all of them
/// costs some kilobytes.
const SCORES_AGE_MAX_MS: u64 = 24 * 3_600_000;
/// How long nothing is looked up for a report after it turned out that none is due, in milliseconds.
const LOOK_EVERY_MS: u64 = 3_600_000;

/// When something was last done for the scores.
#[derive(Default)]
pub(super) struct ScoreTimes {
    read: Option<Timestamp>,
    looked: Option<Timestamp>,
}

impl Service {
    /// Reads the scores anew once a day. Without them the wallet goes by its own experience.
    pub(super) async fn read_scores_if_old(&self) {
        let now = self.now();
        let is_old = |read: Timestamp| now.millis_since(read) >= SCORES_AGE_MAX_MS;
        let due = self.state().scores.read.is_none_or(is_old);
        if due && self.client.read_scores().await.is_ok() {
            self.state().scores.read = Some(now);
        }
    }

    /// Whether this wallet reports.
    pub(super) fn reporting(&self) -> Result<ReportingView, ApiError> {
        Ok(ReportingView { on: self.person()?.owner.device().reports })
    }

    /// Turns reporting on or off.
    pub(super) fn set_reporting(&self, on: bool) -> Result<ReportingView, ApiError> {
        let person = self.person()?;
        let mut device = person.owner.device();
        device.reports = on;
        self.save_device(&person.owner, &mut device)?;
        self.state().scores.looked = None;
        Ok(ReportingView { on })
    }

    /// Reports if it is wanted and due; says whether it did.
    pub(super) async fn send_report(&self) -> Result<bool, ApiError> {
        let person = self.person()?;
        if !person.owner.device().reports {
            return Ok(false);
        }
        // One identity reports, always the same: several reports at once, alike, would say that they are one person's.
        let session = person.first();
        let now = self.now();
        let lately = |looked: Timestamp| now.millis_since(looked) < LOOK_EVERY_MS;
        if self.state().scores.looked.is_some_and(lately) {
            return Ok(false);
        }
        let Some((hospital, voucher)) = self.voucher(session).await? else {
            self.state().scores.looked = Some(now);
            return Ok(false);
        };
        let lines = self.client.service_lines(hospital);
        if lines.is_empty() {
            return Ok(false);
        }
        self.state().scores.looked = Some(now);
        if !self.is_report_due(session.did()).await? {
            return Ok(false);
        }
        self.submit(session, Call::ReportService(ReportService { voucher, lines })).await?;
        self.client.forget_measured();
        Ok(true)
    }

    /// The hospital that knows this person, and how the ledger can tell. Of a patient's records always the first that was
    /// registered: another one each time would say which they look at.
    async fn voucher(&self, session: &Session) -> Result<Option<(Did, Voucher)>, ApiError> {
        if session.owner.role == Role::Clinician {
            let key = StateKey::Practitioner(session.did());
            let registered: Option<Practitioner> = self.state_of(key).await?;
            return Ok(registered.map(|registered| (registered.organisation, Voucher::Employer)));
        }
        if session.cache().records.is_empty() {
            self.follow(session).await?;
        }
        let cache = session.cache();
        Ok(cache.records.first().map(|record| (record.provider, Voucher::Record(record.entry.id))))
    }

    /// Whether a week of the ledger's days has passed since the last report.
    async fn is_report_due(&self, reporter: Did) -> Result<bool, ApiError> {
        let last: Option<ReporterState> = self.state_of(StateKey::Reporter(reporter)).await?;
        // The block that will hold the report is later than the newest one.
        let today = self.client.trusted().map(|head| LedgerDay::of(head.header().time));
        Ok(last.is_none_or(|last| {
            today.is_some_and(|today| today.days_since(last.reported) >= REPORT_INTERVAL_DAYS)
        }))
    }
}

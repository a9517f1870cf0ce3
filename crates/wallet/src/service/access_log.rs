//! The access log: every event of the personal history in words' reach, each with its proof.

use amulet_app_api::access::{
    AccessLogView, LineId, LogEvent, LogLineView, ProofCheck, ProofView, ReviewStanding,
};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use amulet_protocol::calls::{Call, DeclarationId, DisputeEmergency, GrantId, RequestId};
use amulet_protocol::consent::{Purpose, ReviewFinding};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::history::{Event, HistoryEntry};
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::EMERGENCY_REVIEW_TIME_MS;
use amulet_protocol::receipt::Outcome;
use amulet_protocol::record::note_context;
use std::cmp::Reverse;
use std::sync::Arc;

use super::Service;
use super::erasure;
use super::error::{forged, storage};
use super::session::{Owner, Person, Session};
use crate::convert;

impl Service {
    /// The log of all identities, newest first. Looking at it makes emergencies count as seen.
    pub(super) async fn access_log(&self) -> Result<AccessLogView, ApiError> {
        let person = self.patient()?;
        let checked = self.follow_all(&person).await?;
        let mut lines = Vec::new();
        for session in person.sessions() {
            let entries = session.entries();
            for entry in entries.iter().rev() {
                lines.extend(self.log_line(&person, session, entry).await?);
            }
            self.mark_seen(session, entries.last().map_or(0, |entry| entry.number))?;
        }
        // Stable: what happened in one block stays in the order of its history.
        lines.sort_by_key(|line| Reverse(line.at));
        // `follow` fails rather than give a history that is not proven complete.
        Ok(AccessLogView { lines, complete: true, checked: Some(checked) })
    }

    fn mark_seen(&self, session: &Session, number: u64) -> Result<(), ApiError> {
        let mut device = session.owner.device();
        if device.seen(session.did()) >= number {
            return Ok(());
        }
        device.seen.insert(session.did(), number);
        self.save_device(&session.owner, &mut device)
    }

    /// Writes what a wallet remembers on its device; `device` is what `owner` has of it, whose lock comes before that of the state.
    ///
    /// # Errors
    /// [`ErrorCode::Locked`] when the wallet was erased meanwhile, or opened anew, which has read what there was.
    pub(super) fn save_device(
        &self,
        owner: &Arc<Owner>,
        device: &mut crate::device_state::DeviceState,
    ) -> Result<(), ApiError> {
        let (store, now) = (self.store.as_ref(), self.now());
        let state = self.state();
        let open = state.person.as_ref().filter(|open| open.owner.id == owner.id);
        let is_anew = open.is_some_and(|open| !Arc::ptr_eq(&open.owner, owner));
        if is_anew || store.read(&owner.id.file_name()).map_err(storage)?.is_none() {
            return Err(ErrorCode::Locked.into());
        }
        device.save(store, owner.id, &owner.device_key, now, &mut SystemEntropy).map_err(storage)
    }

    /// One line; `None` for an event that is not a patient's.
    pub(super) async fn log_line(
        &self,
        person: &Person,
        session: &Session,
        entry: &HistoryEntry,
    ) -> Result<Option<LogLineView>, ApiError> {
        let mut line = LogLineView {
            line: line_id(person, session, entry),
            relationship: self.hospital_view(&session.identity.hospital),
            at: entry.time.0,
            what: LogEvent::IdentityRegistered,
            by: None,
            hospital: None,
            about: None,
            records: 0,
        };
        if let Some((patient, what)) = received(session, &entry.event) {
            let by_me = matches!(what, LogEvent::ReadByMe | LogEvent::DeletedByMe);
            if let Event::RecordsRead { records, .. } | Event::RecordsOpened { records, .. } = &entry.event {
                line.records = u64::from(*records);
            }
            line.what = what;
            line.by = if by_me { None } else { Some(self.practitioner(session, patient).await?) };
            return Ok(Some(line));
        }
        let mut actor = None;
        line.what = match &entry.event {
            Event::IdentityRegistered => LogEvent::IdentityRegistered,
            Event::PractitionerRegistered { .. } => return Ok(None),
            // These go to organisations only, and a wallet is a person's.
            Event::MembershipProposed { .. }
            | Event::MembershipApproved { .. }
            | Event::MembershipWithdrawn { .. }
            | Event::MembershipDecided { .. }
            | Event::StaffKeyPublished
            | Event::RulesProposed { .. }
            | Event::RulesApproved { .. }
            | Event::RulesWithdrawn { .. }
            | Event::RulesAdopted { .. }
            | Event::BoardVoted { .. }
            | Event::BoardNamed { .. }
            | Event::BoardDismissed { .. }
            | Event::StudyRegistered { .. }
            | Event::StudyReviewed { .. }
            | Event::StudyEnded { .. }
            | Event::ValidatorKeyRotated { .. }
            | Event::EvidenceRecorded { .. } => return Ok(None),
            Event::RecordsRegistered { provider, records } => {
                line.hospital = Some(self.hospital_view(provider));
                line.records = u64::from(*records);
                LogEvent::RecordsRegistered
            }
            Event::AccessRequested { request, practitioner, .. } => {
                actor = Some(*practitioner);
                LogEvent::AccessRequested { purpose: purpose_of_request(session, *request) }
            }
            Event::AccessGranted { grant, .. } => {
                let (records, until) = granted(session, *grant);
                line.records = records;
                LogEvent::AccessGranted { purpose: purpose_of_grant(session, *grant), until: until.0 }
            }
            Event::RecordsOpened { provider, records, .. } => {
                line.hospital = Some(self.hospital_view(provider));
                line.records = u64::from(*records);
                LogEvent::RecordsOpened
            }
            Event::AccessDeclined { .. } => LogEvent::AccessDeclined,
            Event::AccessRevoked { .. } => LogEvent::AccessRevoked,
            Event::AccessNarrowed { .. } => LogEvent::AccessNarrowed,
            Event::AccessExtended { until, .. } => LogEvent::AccessExtended { until: until.0 },
            Event::AccessPaused { .. } => LogEvent::AccessPaused,
            Event::AccessResumed { .. } => LogEvent::AccessResumed,
            Event::DeletionConfirmed { grantee, .. } => {
                match self.network.knows(grantee) {
                    true => line.hospital = Some(self.hospital_view(grantee)),
                    false => actor = Some(*grantee),
                }
                LogEvent::DeletionConfirmed
            }
            Event::RecordsRead { grant, practitioner, records } => {
                actor = Some(*practitioner);
                line.records = u64::from(*records);
                LogEvent::RecordsRead { purpose: purpose_of_grant(session, *grant) }
            }
            // Its practitioner and their hospital are told.
            Event::ManyEmergencies { .. } => return Ok(None),
            Event::EmergencyDisputed { .. } => LogEvent::EmergencyDisputed,
            Event::EmergencyReviewed { practitioner, finding, .. } => {
                actor = Some(*practitioner);
                LogEvent::EmergencyReviewed { justified: *finding == ReviewFinding::Justified }
            }
            Event::KeysReplaced { .. } => LogEvent::KeysReplaced,
            Event::ErasureRequested { records, .. } => {
                line.records = u64::from(*records);
                LogEvent::ErasureAsked
            }
            Event::ErasureOrdered { provider, ground, records, confirm_by } => {
                line.hospital = Some(self.hospital_view(provider));
                line.records = u64::from(*records);
                LogEvent::ErasureOrdered { ground: erasure::ground(*ground), confirm_by: confirm_by.0 }
            }
            Event::ErasureRefused { provider, reason, records, until } => {
                line.hospital = Some(self.hospital_view(provider));
                line.records = u64::from(*records);
                LogEvent::ErasureRefused { reason: erasure::keep_reason(*reason), until: until.0 }
            }
            Event::ErasureConfirmed { holder, records } => {
                line.hospital = Some(self.hospital_view(holder));
                line.records = u64::from(*records);
                LogEvent::ErasureConfirmed
            }
            Event::CardPublished { .. } => LogEvent::CardMade,
            Event::CardRevoked { .. } => LogEvent::CardRevoked,
            Event::EmergencyDeclared { practitioner, until, .. } => {
                actor = Some(*practitioner);
                emergency(session, entry, *until, self.judged_at())
            }
        };
        if let Some(grantee) = grantee_of(session, &entry.event) {
            line.about = Some(self.grantee_view(session, &grantee).await?);
        }
        if let Some(actor) = actor {
            line.by = Some(self.practitioner(session, actor).await?);
        }
        Ok(Some(line))
    }

    /// The proof behind a line: its receipt in a block, the block in the chain, the event in the complete history.
    pub(super) async fn log_proof(&self, line: LineId) -> Result<ProofView, ApiError> {
        let (session, entry) = self.line(&*self.person()?, line).await?;
        let _task = self.task(Task::Checking);
        let proven = self.client.receipt(entry.transaction).await.map_err(|error| self.light(error))?;
        let told = match &proven.receipt.outcome {
            Outcome::Applied { events } => events.iter().any(|(did, at, event)| {
                *did == session.did() && *at == entry.number && *event == entry.event
            }),
            Outcome::Refused { .. } => false,
        };
        if !told || proven.header.header.height() != entry.height {
            return Err(forged(None, "history"));
        }
        let checks = [ProofCheck::Receipt, ProofCheck::History];
        Ok(self.proof_view(&proven.header, entry.transaction, &checks))
    }

    /// Reports an emergency access as not right.
    pub(super) async fn dispute_emergency(&self, line: LineId) -> Result<(), ApiError> {
        let (session, entry) = self.line(&*self.patient()?, line).await?;
        let Event::EmergencyDeclared { declaration, .. } = entry.event else {
            return Err(ErrorCode::NotFound.into());
        };
        self.submit(&session, Call::DisputeEmergency(DisputeEmergency { declaration })).await?;
        self.follow(&session).await?;
        Ok(())
    }

    /// A line of the log: its session, and the entry, brought up to date.
    pub(super) async fn line(
        &self,
        person: &Person,
        line: LineId,
    ) -> Result<(Arc<Session>, HistoryEntry), ApiError> {
        let place = usize::try_from(line.identity).unwrap_or(usize::MAX);
        let session = person.sessions().get(place).ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        self.follow(session).await?;
        let entry = session.entries().into_iter().find(|entry| entry.number == line.number);
        let entry = entry.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        Ok((Arc::clone(session), entry))
    }
}

/// What names a line on this device.
fn line_id(person: &Person, session: &Session, entry: &HistoryEntry) -> LineId {
    let place = person.sessions().iter().position(|other| other.did() == session.did());
    let identity =
        place.and_then(|place| u32::try_from(place).ok()).expect("the session is one of the person's");
    LineId { identity, number: entry.number }
}

fn purpose_of_request(session: &Session, request: RequestId) -> amulet_app_api::access::Purpose {
    let transaction = session.transaction(request.0);
    let purpose = transaction.and_then(|transaction| match &transaction.transaction().call {
        Call::RequestAccess(call) => Some(call.purpose),
        _ => None,
    });
    convert::purpose(purpose.unwrap_or(Purpose::Treatment))
}

/// Whose grant to this person an event is about, if it is one, and what happened to it.
fn received(session: &Session, event: &Event) -> Option<(Did, LogEvent)> {
    let (grant, what) = match event {
        Event::AccessGranted { grant, .. } => {
            let (_, until) = granted(session, *grant);
            (grant, LogEvent::OpenedToMe { purpose: purpose_of_grant(session, *grant), until: until.0 })
        }
        Event::AccessNarrowed { grant, .. }
        | Event::AccessExtended { grant, .. }
        | Event::AccessPaused { grant, .. }
        | Event::AccessResumed { grant, .. }
        | Event::RecordsOpened { grant, .. } => (grant, LogEvent::OpenedToMeChanged),
        Event::AccessRevoked { grant, .. } => (grant, LogEvent::OpenedToMeRevoked),
        Event::RecordsRead { grant, .. } => (grant, LogEvent::ReadByMe),
        Event::DeletionConfirmed { grant, .. } => (grant, LogEvent::DeletedByMe),
        _ => return None,
    };
    let patient = session.transaction(grant.0)?.transaction().sender;
    (patient != session.did()).then_some((patient, what))
}

/// Whose access a person gave, refused or changed, or was opened more.
fn grantee_of(session: &Session, event: &Event) -> Option<Grantee> {
    let (grant, grantee) = match event {
        Event::AccessDeclined { practitioner, .. } => return Some(Grantee::Person(*practitioner)),
        Event::AccessGranted { grant, grantee, .. }
        | Event::AccessRevoked { grant, grantee, .. }
        | Event::AccessNarrowed { grant, grantee }
        | Event::AccessExtended { grant, grantee, .. }
        | Event::AccessPaused { grant, grantee }
        | Event::AccessResumed { grant, grantee }
        | Event::RecordsOpened { grant, grantee, .. } => (grant, grantee),
        _ => return None,
    };
    // The event names an organisation; the grant says whom of its staff.
    let transaction = session.transaction(grant.0);
    let named = transaction.and_then(|transaction| match &transaction.transaction().call {
        Call::GrantAccess(call) => Some(call.grantee.clone()),
        _ => None,
    });
    Some(named.unwrap_or(Grantee::Person(*grantee)))
}

fn purpose_of_grant(session: &Session, grant: GrantId) -> amulet_app_api::access::Purpose {
    let transaction = session.transaction(grant.0);
    let purpose = transaction.and_then(|transaction| match &transaction.transaction().call {
        Call::GrantAccess(call) => Some(call.purpose),
        _ => None,
    });
    convert::purpose(purpose.unwrap_or(Purpose::Treatment))
}

fn granted(session: &Session, grant: GrantId) -> (u64, Timestamp) {
    let transaction = session.transaction(grant.0);
    let found = transaction.and_then(|transaction| match &transaction.transaction().call {
        Call::GrantAccess(call) => Some((call.records.len() as u64, call.term.valid_until)),
        _ => None,
    });
    found.unwrap_or_default()
}

/// An emergency with its reason, and the clinician's note opened with the patient's key.
fn emergency(session: &Session, entry: &HistoryEntry, until: Timestamp, now: Timestamp) -> LogEvent {
    let transaction = session.transaction(entry.transaction);
    let call = transaction.as_ref().and_then(|transaction| match &transaction.transaction().call {
        Call::DeclareEmergency(call) => Some(call),
        _ => None,
    });
    let note = call.and_then(|call| {
        let note = call.note.as_ref()?;
        let opened = session.identity.open(|key| note.open(key, &note_context(call.locator))).ok()?;
        Some(String::from_utf8_lossy(&opened).into_owned())
    });
    let reason = call.map_or(amulet_protocol::consent::EmergencyReason::Other, |call| call.reason);
    let declaration = DeclarationId(entry.transaction);
    let disputed = session.entries().iter().any(
        |other| matches!(other.event, Event::EmergencyDisputed { declaration: of, .. } if of == declaration),
    );
    let reviewed = session.entries().iter().any(
        |other| matches!(other.event, Event::EmergencyReviewed { declaration: of, .. } if of == declaration),
    );
    let by = entry.time.plus_millis(EMERGENCY_REVIEW_TIME_MS);
    let review = match (reviewed, now < by) {
        (true, _) => ReviewStanding::Done,
        (false, true) => ReviewStanding::Due { by: by.0 },
        (false, false) => ReviewStanding::Overdue { by: by.0 },
    };
    LogEvent::EmergencyDeclared { reason: convert::reason(reason), note, until: until.0, disputed, review }
}

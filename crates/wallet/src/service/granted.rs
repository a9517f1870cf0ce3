//! What others opened to this person, for a process that serves it on: grants as they stand, readings under them with the
//! resources as they were registered, and the reader's own accesses as FHIR says them.
//!
//! This is no part of the bridge: no page needs whole resources. A reading is the same as a wallet's, step by step.

use amulet_app_api::clinician::ClosedByRulesView;
use amulet_app_api::wallet::HospitalView;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_fhir::export::{AccessExport, GrantExport};
use amulet_protocol::calls::GrantId;
use amulet_protocol::consent::Category;
use amulet_protocol::grant::{GrantState, Standing};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{Did, Height, RecordId, TxId};
use amulet_protocol::record::RecordPlain;
use amulet_protocol::state::{RecordState, StateKey};
use std::collections::BTreeMap;

use super::Service;
use super::history_file::{grantee, name, organisation, practitioner, reason, small, state_name};
use super::shares::share_state;
use super::summary_file::seconds;
use crate::convert;

/// A grant that somebody gave to this person, or to staff of whom they are one.
#[derive(Debug, Clone)]
pub struct ReceivedGrant {
    /// Its id.
    pub id: GrantId,
    /// As it counts now.
    pub state: GrantState,
    /// Where it stands now.
    pub standing: Standing,
    /// Whether anything can be fetched under it now.
    pub gives: bool,
    /// What it is for, as code of HL7's `v3-ActReason`.
    pub purpose: &'static str,
}

/// What a grant gave.
#[derive(Debug)]
pub struct OpenedGrant {
    /// The records.
    pub records: Vec<OpenedRecord>,
    /// Records that no hospital could deliver, or that did not open.
    pub missing: u64,
    /// Records that the consortium's rules close to this reader.
    pub closed_by_rules: Vec<ClosedByRulesView>,
    /// The grant as it was when it was read.
    pub state: GrantState,
}

/// A record that was read, decrypted, and checked against the ledger's digest and commitment.
#[derive(Debug)]
pub struct OpenedRecord {
    /// Its id.
    pub id: RecordId,
    /// The hospital that answers for it.
    pub hospital: HospitalView,
    /// When it was registered, in seconds since 1970.
    pub registered_at: i64,
    /// What it says.
    pub plain: RecordPlain,
}

impl Service {
    /// The grants of a patient to this person as they stand now, by the ledger as it was just checked; none, too, for somebody who is
    /// not on the ledger: nothing is asked about them that would differ.
    ///
    /// # Errors
    /// [`ApiError`] when no wallet is open or the ledger cannot be checked.
    pub async fn received_grants(&self, patient: Did) -> Result<Vec<ReceivedGrant>, ApiError> {
        let person = self.person()?;
        // Always asked anew: what was taken back a moment ago must not be served.
        self.sync(false).await?;
        self.follow_all(&person).await?;
        let mut ids: Vec<GrantId> = self.staff_grants(person.first()).await;
        for session in person.sessions() {
            let is_of_patient = |id: TxId| {
                session.transaction(id).is_none_or(|granted| granted.transaction().sender == patient)
            };
            ids.extend(session.entries().iter().filter_map(|entry| match entry.event {
                Event::AccessGranted { grant, .. } if is_of_patient(entry.transaction) => Some(grant),
                _ => None,
            }));
        }
        ids.sort_unstable();
        ids.dedup();
        let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Grant(*id)).collect();
        let states = self.states_of::<GrantState>(&keys).await?;
        let mut received = Vec::new();
        for (id, state) in ids.into_iter().zip(states) {
            let Some(state) = state.filter(|state| state.patient == patient) else { continue };
            match self.reader(&person, &state.grantee).await {
                Ok(_) => {}
                Err(error) if error.code == ErrorCode::NotFound => continue,
                Err(error) => return Err(error),
            }
            let state = self.counted(state).await?;
            let now = self.judged_at();
            received.push(ReceivedGrant {
                id,
                standing: state.standing(now),
                gives: state.gives(now),
                purpose: reason(convert::purpose(state.purpose)),
                state,
            });
        }
        Ok(received)
    }

    /// States the use of a grant on the ledger and reads all records that it opens.
    ///
    /// # Errors
    /// [`ApiError`], as for a reading in the wallet.
    pub async fn open_grant(&self, grant: GrantId) -> Result<OpenedGrant, ApiError> {
        let (reading, _) = self.read_what_is_left(&grant.to_string()).await?;
        let times = self.times_of(reading.records.iter().map(|record| record.state.registered)).await?;
        let records = reading.records.into_iter().map(|record| OpenedRecord {
            id: record.id,
            hospital: self.hospital_view(&record.state.provider),
            registered_at: times.get(&record.state.registered).copied().unwrap_or_default(),
            plain: record.plain,
        });
        Ok(OpenedGrant {
            records: records.collect(),
            missing: reading.missing,
            closed_by_rules: reading.closed_by_rules,
            state: reading.grant,
        })
    }

    /// The times of blocks, proven, in seconds since 1970.
    async fn times_of(
        &self,
        heights: impl Iterator<Item = Height>,
    ) -> Result<BTreeMap<Height, i64>, ApiError> {
        let mut heights: Vec<Height> = heights.collect();
        heights.sort_unstable();
        heights.dedup();
        let headers = Box::pin(self.client.headers_at(&heights)).await.map_err(|error| self.light(error))?;
        Ok(headers.iter().map(|proven| (proven.header.height(), seconds(proven.header.time().0))).collect())
    }

    /// The grants as FHIR says them.
    ///
    /// # Errors
    /// [`ApiError`] when what they open cannot be asked for.
    pub async fn grant_exports(&self, grants: &[ReceivedGrant]) -> Result<Vec<GrantExport>, ApiError> {
        let person = self.person()?;
        let mut exports = Vec::with_capacity(grants.len());
        for ReceivedGrant { id, state, purpose, .. } in grants {
            let keys: Vec<StateKey> = state.records.iter().map(|record| StateKey::Record(*record)).collect();
            let mut counts: BTreeMap<Category, u64> = BTreeMap::new();
            for record in self.states_of::<RecordState>(&keys).await?.into_iter().flatten() {
                *counts.entry(record.category).or_default() += 1;
            }
            let category = |category: &Category| name(convert::category(*category));
            exports.push(GrantExport {
                id: id.to_string(),
                patient: state.patient.to_string(),
                grantee: grantee(&self.grantee_view(person.first(), &state.grantee).await?),
                purpose: (*purpose).to_owned(),
                granted_at: seconds(state.valid_from.0),
                until: seconds(state.closes_at().0),
                state: state_name(share_state(state, self.judged_at())).to_owned(),
                categories: counts.iter().map(|(of, count)| (category(of), small(*count))).collect(),
                standing: state.standing.iter().map(category).collect(),
                uses: state.uses,
                uses_max: state.term.uses_max.map(|limit| limit.0.get()),
            });
        }
        Ok(exports)
    }

    /// This person's own readings under these grants, oldest first, as FHIR says them.
    ///
    /// # Errors
    /// [`ApiError`] when no wallet is open or the ledger cannot be checked.
    pub async fn access_exports(&self, grants: &[ReceivedGrant]) -> Result<Vec<AccessExport>, ApiError> {
        let person = self.person()?;
        self.follow_all(&person).await?;
        let mut exports = Vec::new();
        for session in person.sessions() {
            let own = session.did();
            let me = self.practitioner(session, own).await?;
            let hospital = me.role.map(|_| organisation(&me.hospital));
            let reader = practitioner(&me);
            for entry in session.entries() {
                let Event::RecordsRead { grant, practitioner, records } = entry.event else { continue };
                let under = grants.iter().find(|received| received.id == grant);
                let Some(under) = under.filter(|_| practitioner == own) else { continue };
                exports.push(AccessExport {
                    number: small(entry.number),
                    patient: under.state.patient.to_string(),
                    at: seconds(entry.time.0),
                    reader: reader.clone(),
                    hospital: hospital.clone(),
                    purpose: under.purpose.to_owned(),
                    records,
                });
            }
        }
        Ok(exports)
    }

    /// Opens the only wallet of the device, or the one that is named, for as long as the process runs.
    ///
    /// # Errors
    /// [`ErrorCode::NoSuchWallet`] when there is none, or several and none is named; [`ErrorCode::WrongPassphrase`].
    pub async fn open_reader(&self, wallet: Option<&str>, passphrase: String) -> Result<Did, ApiError> {
        let wallets = self.status().await?.wallets;
        let id = match (wallet, wallets.as_slice()) {
            (Some(wallet), _) => wallet.to_owned(),
            (None, [only]) => only.id.clone(),
            (None, _) => return Err(ErrorCode::NoSuchWallet.into()),
        };
        self.unlock(amulet_app_api::wallet::Unlock { id, passphrase }).await?;
        Ok(self.person()?.first().did())
    }
}

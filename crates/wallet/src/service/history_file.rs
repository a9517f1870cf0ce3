//! Grants, accesses and registrations as a FHIR file: for whoever collects consents and audit events of several systems.

use amulet_app_api::access::{GranteeView, LogEvent, PractitionerView, Purpose, ShareState, ShareView};
use amulet_app_api::files::SavedFileView;
use amulet_app_api::records::Category;
use amulet_app_api::wallet::HospitalView;
use amulet_app_api::{ApiError, access::LogLineView};
use amulet_fhir::export::{
    AccessExport, Export, GrantExport, Party, PartyKind, RegistrationExport, write_consent_r5, write_line,
};
use amulet_protocol::ids::{Did, TxId};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Service;
use super::session::{Person, Session};
use super::summary_file::seconds;
use crate::dates;

impl Service {
    /// Writes everything that the person allowed, that was read, and that was registered, and hands it out.
    pub(super) async fn save_access_history(&self) -> Result<SavedFileView, ApiError> {
        let person = self.patient()?;
        let mut lines: Vec<Export> =
            self.grants_given(&person).await?.into_iter().map(Export::Grant).collect();
        for session in person.sessions() {
            let patient = session.did().to_string();
            for entry in session.entries() {
                if let Some(line) = self.log_line(&person, session, &entry).await? {
                    lines.extend(access(&line, &patient).map(Export::Access));
                }
            }
            lines.extend(self.registrations(session).into_iter().map(Export::Registration));
        }
        let text: String = lines.iter().map(|line| write_line(line) + "\n").collect();
        let day = dates::day_at(seconds(self.now().0)).map(dates::text_of).unwrap_or_default();
        self.hand_out(format!("amulet-access-history-{day}.ndjson"), text.into_bytes()).await
    }

    /// Writes every grant as a consent of FHIR R5, and hands it out.
    pub(super) async fn save_consents(&self) -> Result<SavedFileView, ApiError> {
        let person = self.patient()?;
        let grants = self.grants_given(&person).await?;
        let text: String = grants.iter().map(|grant| write_consent_r5(grant) + "\n").collect();
        let day = dates::day_at(seconds(self.now().0)).map(dates::text_of).unwrap_or_default();
        self.hand_out(format!("amulet-consents-r5-{day}.ndjson"), text.into_bytes()).await
    }

    /// Every grant of every identity, the running ones first.
    async fn grants_given(&self, person: &Person) -> Result<Vec<GrantExport>, ApiError> {
        let shares = self.sharing().await?;
        let all = || shares.active.iter().chain(&shares.ended);
        let of = |session: &Arc<Session>| {
            let (patient, hospital) = (session.did().to_string(), session.identity.hospital.to_string());
            let own = all().filter(move |share| share.relationship.did == hospital);
            own.map(move |share| grant(share, &patient)).collect::<Vec<_>>()
        };
        Ok(person.sessions().iter().flat_map(of).collect())
    }

    /// What each transaction registered, in the order of the history.
    fn registrations(&self, session: &Session) -> Vec<RegistrationExport> {
        let mut records: BTreeMap<TxId, (Did, Vec<String>)> = BTreeMap::new();
        for meta in &session.cache().records {
            let of = records.entry(meta.transaction).or_insert((meta.provider, Vec::new()));
            of.1.push(meta.entry.id.to_string());
        }
        let mut made = Vec::new();
        for entry in session.entries() {
            // A transaction can have several entries.
            let Some((provider, records)) = records.remove(&entry.transaction) else { continue };
            made.push(RegistrationExport {
                id: entry.transaction.to_string(),
                patient: session.did().to_string(),
                at: seconds(entry.time.0),
                hospital: organisation(&self.hospital_view(&provider)),
                records,
            });
        }
        made
    }
}

fn grant(share: &ShareView, patient: &str) -> GrantExport {
    GrantExport {
        id: share.id.clone(),
        patient: patient.to_owned(),
        grantee: grantee(&share.to),
        purpose: reason(share.purpose).to_owned(),
        granted_at: seconds(share.granted_at),
        until: seconds(share.until),
        state: state_name(share.state).to_owned(),
        categories: share.counts.iter().map(|(category, count)| (name(*category), small(*count))).collect(),
        standing: share.standing.iter().map(|category| name(*category)).collect(),
        uses: small(share.uses),
        uses_max: share.uses_max.map(small),
    }
}

/// How a grant stands, in the export's words.
pub(super) fn state_name(state: ShareState) -> &'static str {
    match state {
        ShareState::Paused => "paused",
        ShareState::UsedUp => "used_up",
        ShareState::Active => "active",
        ShareState::Expired => "expired",
        ShareState::Revoked => "revoked",
    }
}

/// A line of the log in which somebody else read; `None` for any other.
fn access(line: &LogLineView, patient: &str) -> Option<AccessExport> {
    let purpose = match &line.what {
        LogEvent::RecordsRead { purpose } => *purpose,
        LogEvent::EmergencyDeclared { .. } => Purpose::Emergency,
        _ => return None,
    };
    let reader = line.by.as_ref()?;
    Some(AccessExport {
        number: small(line.line.number),
        patient: patient.to_owned(),
        at: seconds(line.at),
        reader: practitioner(reader),
        // A relative works nowhere.
        hospital: reader.role.map(|_| organisation(&reader.hospital)),
        purpose: reason(purpose).to_owned(),
        records: small(line.records),
    })
}

/// The code of HL7's `v3-ActReason`. A second opinion has none of its own.
pub(super) fn reason(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment | Purpose::SecondOpinion => "TREAT",
        Purpose::OngoingCare => "COC",
        Purpose::FamilyCarer => "FAMRQT",
        Purpose::Emergency => "ETREAT",
        Purpose::InsuranceClaim => "CLMATTCH",
        Purpose::Research => "HRESCH",
    }
}

pub(super) fn grantee(to: &GranteeView) -> Party {
    match to {
        GranteeView::Person(person) => practitioner(person),
        GranteeView::Staff(staff) => {
            let all = organisation(&staff.hospital);
            match &staff.department {
                Some(department) => Party { name: format!("{}, {department}", all.name), ..all },
                None => all,
            }
        }
        GranteeView::Study(study) => {
            party(format!("urn:amulet:study:{}", study.id), &study.title_en, PartyKind::Group)
        }
    }
}

pub(super) fn practitioner(person: &PractitionerView) -> Party {
    let kind = if person.role.is_some() { PartyKind::Practitioner } else { PartyKind::RelatedPerson };
    party(person.did.clone(), &person.name, kind)
}

pub(super) fn organisation(hospital: &HospitalView) -> Party {
    party(hospital.did.clone(), &hospital.name_en, PartyKind::Organization)
}

/// Who has no name is called by its identifier: FHIR knows no empty text.
fn party(id: String, name: &str, kind: PartyKind) -> Party {
    let name = if name.trim().is_empty() { id.clone() } else { name.to_owned() };
    Party { id, name, kind }
}

/// The category's name on the bridge.
pub(super) fn name(category: Category) -> String {
    match serde_json::to_value(category) {
        Ok(serde_json::Value::String(name)) => name,
        _ => "other".to_owned(),
    }
}

/// FHIR's numbers end at 31 bits.
pub(super) fn small(number: u64) -> u32 {
    u32::try_from(number).map_or(i32::MAX.unsigned_abs(), |number| number.min(i32::MAX.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_app_api::access::LineId;

    #[test]
    fn a_relative_who_reads_is_no_practitioner_of_a_hospital_without_a_name() {
        let nowhere = HospitalView { did: String::new(), name_en: String::new(), name_zh: String::new() };
        let sister = PractitionerView {
            did: "did:amulet:s".to_owned(),
            name: String::new(),
            department: String::new(),
            role: None,
            hospital: nowhere.clone(),
        };
        let line = LogLineView {
            line: LineId { identity: 0, number: 3 },
            relationship: nowhere,
            at: 1_700_000_000_000,
            what: LogEvent::RecordsRead { purpose: Purpose::FamilyCarer },
            by: Some(sister),
            hospital: None,
            about: None,
            records: 2,
        };
        let read = access(&line, "did:amulet:p");
        let reader = party("did:amulet:s".to_owned(), "did:amulet:s", PartyKind::RelatedPerson);
        assert_eq!(read.map(|read| (read.reader, read.hospital)), Some((reader, None)));
    }
}

//! Lines as FHIR R4.

use serde_json::{Value, json};

use super::{
    ACT_REASON, AccessExport, CATEGORY, COUNT, Export, GrantExport, Party, RegistrationExport, STANDING,
    STATE, TRANSACTION, URI_SYSTEM, USES, USES_MAX,
};
use crate::date::instant;

/// One line, without its end.
#[must_use]
pub fn write_line(export: &Export) -> String {
    match export {
        Export::Grant(grant) => consent(grant),
        Export::Access(access) => audit_event(access),
        Export::Registration(registration) => provenance(registration),
    }
    .to_string()
}

fn uri(value: &str) -> Value {
    json!({ "system": URI_SYSTEM, "value": value })
}

fn party(party: &Party) -> Value {
    json!({ "type": party.kind.code(), "identifier": uri(&party.id), "display": party.name })
}

fn patient(did: &str) -> Value {
    json!({ "type": "Patient", "identifier": uri(did) })
}

fn coded(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

/// What a grant opens: `(category, records now, whether records to come as well)`.
fn opened(grant: &GrantExport) -> Vec<(&String, u32, bool)> {
    let standing = |category: &String| grant.standing.contains(category);
    let listed = |wanted: &String| grant.categories.iter().any(|(category, _)| category == wanted);
    let only_to_come = grant.standing.iter().filter(|category| !listed(category));
    let now = grant.categories.iter().map(|(category, count)| (category, *count, standing(category)));
    now.chain(only_to_come.map(|category| (category, 0, true))).collect()
}

fn kind(count: u32, standing: bool) -> Value {
    json!([{ "url": COUNT, "valueUnsignedInt": count }, { "url": STANDING, "valueBoolean": standing }])
}

/// How a grant stands, where the standard has no place for it.
fn standing_of(grant: &GrantExport) -> Vec<Value> {
    let mut extension = vec![
        json!({ "url": STATE, "valueCode": grant.state }),
        json!({ "url": USES, "valueUnsignedInt": grant.uses }),
    ];
    extension.extend(grant.uses_max.map(|most| json!({ "url": USES_MAX, "valueUnsignedInt": most })));
    extension
}

fn status(grant: &GrantExport) -> &'static str {
    if grant.state == "active" { "active" } else { "inactive" }
}

fn recipient(grant: &GrantExport) -> Value {
    json!([{
        "role": coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
        "reference": party(&grant.grantee),
    }])
}

fn access() -> Value {
    json!([coded("http://terminology.hl7.org/CodeSystem/consentaction", "access")])
}

/// A grant as `Consent` of FHIR R5, without the line's end; [`super::read_consent_r5`] gives it back.
#[must_use]
pub fn write_consent_r5(grant: &GrantExport) -> String {
    let code = |(category, count, standing): (&String, u32, bool)| json!({ "coding": [{ "system": CATEGORY, "code": category }], "extension": kind(count, standing) });
    let codes: Vec<Value> = opened(grant).into_iter().map(code).collect();
    let mut provision = json!({
        "period": { "start": instant(grant.granted_at), "end": instant(grant.until) },
        "actor": recipient(grant),
        "action": access(),
        "purpose": [{ "system": ACT_REASON, "code": grant.purpose }],
    });
    if !codes.is_empty() {
        provision["code"] = codes.into();
    }
    let granted_at = instant(grant.granted_at);
    json!({
        "resourceType": "Consent",
        "id": grant.id,
        "extension": standing_of(grant),
        "status": status(grant),
        "category": [coded("http://loinc.org", "59284-0")],
        "subject": patient(&grant.patient),
        "date": granted_at.get(..10).unwrap_or(&granted_at),
        "grantor": [patient(&grant.patient)],
        "grantee": [party(&grant.grantee)],
        "regulatoryBasis": [coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN")],
        "decision": "permit",
        "provision": [provision],
    })
    .to_string()
}

/// With the elements that IHE's Privacy Consent on FHIR asks for.
fn consent(grant: &GrantExport) -> Value {
    let class = |(category, count, standing): (&String, u32, bool)| json!({ "system": CATEGORY, "code": category, "extension": kind(count, standing) });
    let classes: Vec<Value> = opened(grant).into_iter().map(class).collect();
    let mut provision = json!({
        "type": "permit",
        "period": { "start": instant(grant.granted_at), "end": instant(grant.until) },
        "actor": recipient(grant),
        "action": access(),
        "purpose": [{ "system": ACT_REASON, "code": grant.purpose }],
    });
    if !classes.is_empty() {
        provision["class"] = classes.into();
    }
    json!({
        "resourceType": "Consent",
        "id": grant.id,
        "extension": standing_of(grant),
        "status": status(grant),
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "category": [coded("http://loinc.org", "59284-0")],
        "patient": patient(&grant.patient),
        "dateTime": instant(grant.granted_at),
        "policyRule": coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        "provision": provision,
    })
}

/// With the agents and entities of IHE's Basic Audit Log Patterns for a read that concerns a patient.
fn audit_event(access: &AccessExport) -> Value {
    let agent = |system: &str, code: &str, who: &Party, requestor: bool| {
        let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
        json!({ "type": coded(&system, code), "who": party(who), "requestor": requestor })
    };
    let reader = agent("v3-ParticipationType", "IRCP", &access.reader, true);
    let hospital = access.hospital.as_ref().map(|hospital| agent("v3-RoleClass", "PROV", hospital, false));
    let agents: Vec<Value> = std::iter::once(reader).chain(hospital).collect();
    json!({
        "resourceType": "AuditEvent",
        "id": access.number.to_string(),
        "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest" },
        "subtype": [{ "system": "http://hl7.org/fhir/restful-interaction", "code": "read" }],
        "action": "R",
        "recorded": instant(access.at),
        "outcome": "0",
        "purposeOfEvent": [coded(ACT_REASON, &access.purpose)],
        "agent": agents,
        "source": { "observer": { "display": "Amulet ledger" } },
        "entity": [{
            "what": patient(&access.patient),
            "type": { "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1" },
            "role": { "system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1" },
            "detail": [{ "type": COUNT, "valueString": access.records.to_string() }],
        }],
    })
}

fn provenance(registration: &RegistrationExport) -> Value {
    let records = registration.records.iter();
    json!({
        "resourceType": "Provenance",
        "id": registration.id,
        "target": records
            .map(|record| json!({ "identifier": uri(&format!("{}#{record}", registration.hospital.id)) }))
            .collect::<Vec<_>>(),
        "recorded": instant(registration.at),
        "activity": coded("http://terminology.hl7.org/CodeSystem/v3-DataOperation", "CREATE"),
        "agent": [{
            "type": coded("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian"),
            "who": party(&registration.hospital),
        }],
        "entity": [
            { "role": "source", "what": { "identifier": { "system": TRANSACTION, "value": registration.id } } },
            { "role": "source", "what": patient(&registration.patient) },
        ],
    })
}

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

/// With the elements that IHE's Privacy Consent on FHIR asks for.
fn consent(grant: &GrantExport) -> Value {
    let standing = |category: &String| grant.standing.contains(category);
    let class = |category: &String, count: u32| {
        json!({ "system": CATEGORY, "code": category, "extension": [
            { "url": COUNT, "valueUnsignedInt": count },
            { "url": STANDING, "valueBoolean": standing(category) },
        ] })
    };
    let listed = |wanted: &String| grant.categories.iter().any(|(category, _)| category == wanted);
    let only_to_come =
        grant.standing.iter().filter(|category| !listed(category)).map(|category| class(category, 0));
    let classes: Vec<Value> = grant
        .categories
        .iter()
        .map(|(category, count)| class(category, *count))
        .chain(only_to_come)
        .collect();
    let mut provision = json!({
        "type": "permit",
        "period": { "start": instant(grant.granted_at), "end": instant(grant.until) },
        "actor": [{
            "role": coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
            "reference": party(&grant.grantee),
        }],
        "action": [coded("http://terminology.hl7.org/CodeSystem/consentaction", "access")],
        "purpose": [{ "system": ACT_REASON, "code": grant.purpose }],
    });
    if !classes.is_empty() {
        provision["class"] = classes.into();
    }
    let mut extension = vec![
        json!({ "url": STATE, "valueCode": grant.state }),
        json!({ "url": USES, "valueUnsignedInt": grant.uses }),
    ];
    extension.extend(grant.uses_max.map(|most| json!({ "url": USES_MAX, "valueUnsignedInt": most })));
    json!({
        "resourceType": "Consent",
        "id": grant.id,
        "extension": extension,
        "status": if grant.state == "active" { "active" } else { "inactive" },
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

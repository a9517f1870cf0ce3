//! Lines back from FHIR R4. Only what [`super::write_line`] writes is understood; anything else is refused, not guessed at.

use super::{
    AccessExport, COUNT, Export, ExportError, GrantExport, Party, PartyKind, RegistrationExport, STANDING,
    STATE, USES, USES_MAX,
};
use crate::date::unix_seconds;
use crate::json::Json;
use crate::text;
use crate::view::read;

/// Reads a line.
///
/// # Errors
/// [`ExportError`] says what is missing.
pub fn read_line(line: &[u8]) -> Result<Export, ExportError> {
    let json = read(line).map_err(|_| ExportError::Unreadable)?;
    match json.text_at("resourceType") {
        Some("Consent") => grant(&Element { resource_type: "Consent", json: &json }).map(Export::Grant),
        Some("AuditEvent") => {
            access(&Element { resource_type: "AuditEvent", json: &json }).map(Export::Access)
        }
        Some("Provenance") => {
            registration(&Element { resource_type: "Provenance", json: &json }).map(Export::Registration)
        }
        found => Err(ExportError::Type { found: found.map(text::line).unwrap_or_default() }),
    }
}

/// A resource, with what to call it when something of it is missing.
struct Element<'j, 'a> {
    resource_type: &'static str,
    json: &'j Json<'a>,
}

impl Element<'_, '_> {
    fn need<T>(&self, found: Option<T>, element: &'static str) -> Result<T, ExportError> {
        found.ok_or(ExportError::Element { resource_type: self.resource_type, element })
    }
}

fn identifier(reference: &Json<'_>) -> Option<String> {
    reference.get("identifier").text_at("value").map(str::to_owned)
}

fn party(reference: &Json<'_>) -> Option<Party> {
    let kind = reference.text_at("type")?;
    Some(Party {
        id: identifier(reference)?,
        name: reference.text_at("display")?.to_owned(),
        kind: PartyKind::ALL.into_iter().find(|known| known.code() == kind)?,
    })
}

fn extension<'j, 'a>(holder: &'j Json<'a>, url: &str, value: &str) -> Option<&'j Json<'a>> {
    let all = holder.get("extension").items();
    all.iter().find(|found| found.text_at("url") == Some(url)).map(|found| found.get(value))
}

fn number(value: &Json<'_>) -> Option<u32> {
    value.scalar()?.parse().ok()
}

fn moment(value: &Json<'_>) -> Option<i64> {
    unix_seconds(value.text()?)
}

/// Where R4 and R5 differ.
struct Places {
    patient: &'static str,
    /// The kinds of records, below the provision.
    kinds: &'static str,
}

const R4: Places = Places { patient: "patient", kinds: "class" };
const R5: Places = Places { patient: "subject", kinds: "code" };

/// Reads a `Consent` of FHIR R5 that [`super::write_consent_r5`] wrote.
///
/// # Errors
/// [`ExportError`] says what is missing.
pub fn read_consent_r5(line: &[u8]) -> Result<GrantExport, ExportError> {
    let json = read(line).map_err(|_| ExportError::Unreadable)?;
    match json.text_at("resourceType") {
        Some("Consent") => {
            let of = Element { resource_type: "Consent", json: &json };
            grant_at(&of, json.get("provision").first(), &R5)
        }
        found => Err(ExportError::Type { found: found.map(text::line).unwrap_or_default() }),
    }
}

fn grant(of: &Element<'_, '_>) -> Result<GrantExport, ExportError> {
    grant_at(of, of.json.get("provision"), &R4)
}

fn grant_at(of: &Element<'_, '_>, provision: &Json<'_>, places: &Places) -> Result<GrantExport, ExportError> {
    let json = of.json;
    let period = provision.get("period");
    let (mut categories, mut standing) = (Vec::new(), Vec::new());
    for kind in provision.get(places.kinds).items() {
        // R4 has a Coding, R5 a CodeableConcept.
        let code = kind.text_at("code").or_else(|| kind.get("coding").first().text_at("code"));
        let code = of.need(code, "provision.class.code")?;
        let count = extension(kind, COUNT, "valueUnsignedInt").and_then(number);
        match of.need(count, "provision.class.extension")? {
            0 => {}
            count => categories.push((code.to_owned(), count)),
        }
        if extension(kind, STANDING, "valueBoolean").is_some_and(Json::is_true) {
            standing.push(code.to_owned());
        }
    }
    let state = extension(json, STATE, "valueCode").and_then(Json::text);
    Ok(GrantExport {
        id: of.need(json.text_at("id"), "id")?.to_owned(),
        patient: of.need(identifier(json.get(places.patient)), "patient")?,
        grantee: of
            .need(party(provision.get("actor").first().get("reference")), "provision.actor.reference")?,
        purpose: of.need(provision.get("purpose").first().text_at("code"), "provision.purpose")?.to_owned(),
        granted_at: of.need(moment(period.get("start")), "provision.period.start")?,
        until: of.need(moment(period.get("end")), "provision.period.end")?,
        state: of.need(state, "extension")?.to_owned(),
        categories,
        standing,
        uses: of.need(extension(json, USES, "valueUnsignedInt").and_then(number), "extension")?,
        uses_max: extension(json, USES_MAX, "valueUnsignedInt").and_then(number),
    })
}

fn access(of: &Element<'_, '_>) -> Result<AccessExport, ExportError> {
    let json = of.json;
    let agents = json.get("agent").items();
    let hospital = agents.get(1).map(|agent| of.need(party(agent.get("who")), "agent.who"));
    let entity = json.get("entity").first();
    let records = entity.get("detail").items().iter().find(|detail| detail.text_at("type") == Some(COUNT));
    let records = records.and_then(|detail| number(detail.get("valueString")));
    let purpose = text::codes(json.get("purposeOfEvent")).next().map(str::to_owned);
    Ok(AccessExport {
        number: of.need(number(json.get("id")), "id")?,
        patient: of.need(identifier(entity.get("what")), "entity.what")?,
        at: of.need(moment(json.get("recorded")), "recorded")?,
        reader: of.need(party(json.get("agent").first().get("who")), "agent.who")?,
        hospital: hospital.transpose()?,
        purpose: of.need(purpose, "purposeOfEvent")?,
        records: of.need(records, "entity.detail")?,
    })
}

fn registration(of: &Element<'_, '_>) -> Result<RegistrationExport, ExportError> {
    let json = of.json;
    let record = |target: &Json<'_>| {
        let address = identifier(target)?;
        address.rsplit_once('#').map(|(_, record)| record.to_owned())
    };
    let records: Option<Vec<String>> = json.get("target").items().iter().map(record).collect();
    let patient = json.get("entity").items().get(1).and_then(|entity| identifier(entity.get("what")));
    Ok(RegistrationExport {
        id: of.need(json.text_at("id"), "id")?.to_owned(),
        patient: of.need(patient, "entity.what")?,
        at: of.need(moment(json.get("recorded")), "recorded")?,
        hospital: of.need(party(json.get("agent").first().get("who")), "agent.who")?,
        records: of.need(records.filter(|records| !records.is_empty()), "target")?,
    })
}

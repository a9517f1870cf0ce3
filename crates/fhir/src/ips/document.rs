//! The Bundle: Composition, Patient, author, the sections' entries, what they refer to, and where all of it comes from.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::choose::Choice;
use super::references::{Rewrite, Target, target_of, url_of, uuid_of, write as write_json};
use super::{IpsDocument, IpsOptions, Item, Pool, SectionKind, absent, narrative};
use crate::date::instant;
use crate::quality::Language;
use crate::text;

/// The code system of RFC 3986, by which FHIR writes identifiers that are addresses.
const URI_SYSTEM: &str = "urn:ietf:rfc:3986";

/// What the document's own entries are called by.
struct Names {
    document: String,
    composition: String,
    author: String,
    patient: String,
}

pub(super) fn write(pool: &Pool<'_>, choice: &Choice, options: &IpsOptions<'_>) -> IpsDocument {
    let names = names(pool, choice, options);
    let mut made: Vec<(String, Value)> = Vec::new();
    let sections = sections(pool, choice, options, &names, &mut made);
    let composition = composition(&names, options, &sections, pool.is_incomplete(options));
    let mut entries = Entries::new(&names.document, options);
    entries.add(&url_of(&names.composition), &composition.to_string());
    match choice.patient {
        Some(place) => entries.add(&names.patient, &carried(pool, choice, &names, &pool.items[place])),
        None => entries.add(&names.patient, &unknown_patient(&names, options).to_string()),
    }
    entries.add(&url_of(&names.author), &author(&names).to_string());
    for place in &choice.entries {
        let item = &pool.items[*place];
        entries.add(&item.url, &carried(pool, choice, &names, item));
    }
    for (url, resource) in made.into_iter().chain(provenance(pool, choice)) {
        entries.add(&url, &resource.to_string());
    }
    let is_patient = |place: &usize| pool.items[*place].from.resource_type == "Patient";
    IpsDocument {
        json: entries.close(),
        sections: choice.sections.iter().map(|(kind, listed)| (*kind, listed.len())).collect(),
        repeated: choice.same_as.keys().filter(|place| !is_patient(place)).count(),
        left_out: choice.left_out,
        core: pool.core,
        unreadable: pool.unreadable,
    }
}

/// Derived from what the document holds and when it was made.
fn names(pool: &Pool<'_>, choice: &Choice, options: &IpsOptions<'_>) -> Names {
    let held: Vec<&str> =
        choice.patient.iter().chain(&choice.entries).map(|at| pool.items[*at].from.record).collect();
    let document = uuid_of(&format!("document {} {}", options.made_at, held.join(" ")));
    Names {
        composition: format!("composition {document}"),
        author: format!("author {document}"),
        patient: choice
            .patient
            .map_or_else(|| url_of(&format!("patient {document}")), |at| pool.items[at].url.clone()),
        document,
    }
}

/// A record as it is, with its references leading to entries of this document.
fn carried(pool: &Pool<'_>, choice: &Choice, names: &Names, item: &Item<'_>) -> String {
    let present = |place: usize| choice.patient == Some(place) || choice.entries.contains(&place);
    let mut out = String::new();
    write_json(&item.json, &mut out, &mut |reference| {
        match target_of(pool, item.from.hospital, reference) {
            Target::Record(place) => {
                let place = choice.standing_for(place);
                if present(place) { Rewrite::To(pool.items[place].url.clone()) } else { Rewrite::Name }
            }
            Target::Core => Rewrite::Mask,
            Target::Contained | Target::Elsewhere => Rewrite::Keep,
            // The records are of one patient: where a hospital sent no Patient, the document's stands for it.
            Target::Unknown if reference.starts_with("Patient/") => Rewrite::To(names.patient.clone()),
            Target::Unknown => Rewrite::Name,
        }
    });
    out
}

fn sections(
    pool: &Pool<'_>,
    choice: &Choice,
    options: &IpsOptions<'_>,
    names: &Names,
    made: &mut Vec<(String, Value)>,
) -> Vec<Value> {
    let language = options.language;
    let mut sections = Vec::new();
    for kind in SectionKind::ALL {
        let (text, entries): (String, Vec<String>) = match choice.sections.get(&kind) {
            Some(listed) => {
                let text = narrative::of_section(pool, choice, listed, language);
                (text, listed.iter().map(|place| pool.items[*place].url.clone()).collect())
            }
            None => {
                let none_known = choice.none_known.contains(&kind) && !pool.may_know_more(kind, options);
                let id = uuid_of(&format!("{} {}", kind.loinc(), names.document));
                let Some(entry) = absent::entry(kind, none_known, &id, &names.patient) else { continue };
                let url = format!("urn:uuid:{id}");
                made.push((url.clone(), entry));
                (narrative::of_nothing(kind, none_known, language), vec![url])
            }
        };
        sections.push(json!({
            "title": kind.title(language),
            "code": { "coding": [{ "system": "http://loinc.org", "code": kind.loinc(), "display": kind.display() }] },
            "text": { "status": "generated", "div": text },
            "entry": entries.into_iter().map(|url| json!({ "reference": url })).collect::<Vec<_>>(),
        }));
    }
    sections
}

fn composition(names: &Names, options: &IpsOptions<'_>, sections: &[Value], is_incomplete: bool) -> Value {
    let (title, language) = match options.language {
        Language::En => ("International Patient Summary", "en"),
        Language::Zh => ("国际患者摘要", "zh-CN"),
    };
    json!({
        "resourceType": "Composition",
        "id": uuid_of(&names.composition),
        "meta": { "profile": ["http://hl7.org/fhir/uv/ips/StructureDefinition/Composition-uv-ips"] },
        "language": language,
        "text": { "status": "generated", "div": narrative::of_document(title, is_incomplete, options.language) },
        "status": if is_incomplete { "preliminary" } else { "final" },
        "type": { "coding": [{ "system": "http://loinc.org", "code": "60591-5", "display": "Patient summary Document" }] },
        "subject": { "reference": names.patient },
        "date": instant(options.made_at),
        "author": [{ "reference": url_of(&names.author) }],
        "title": title,
        "section": sections,
    })
}

/// Who wrote the document: a program, out of what hospitals wrote.
fn author(names: &Names) -> Value {
    json!({
        "resourceType": "Device",
        "id": uuid_of(&names.author),
        "deviceName": [{ "name": "Amulet wallet", "type": "user-friendly-name" }],
    })
}

/// The patient of whom no hospital registered more than records.
fn unknown_patient(names: &Names, options: &IpsOptions<'_>) -> Value {
    let unknown = json!({ "extension": [{
        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown" }] });
    let name = text::line(options.name);
    let name = if name.is_empty() { unknown.clone() } else { json!({ "text": name }) };
    json!({
        "resourceType": "Patient",
        "id": names.patient.trim_start_matches("urn:uuid:"),
        "name": [name],
        "_birthDate": unknown,
    })
}

/// For each hospital and moment of registration, which entries it registered and as which records of the ledger. A record that says
/// the same as another hospital's is named as well, with the entry that stands for it.
fn provenance(pool: &Pool<'_>, choice: &Choice) -> Vec<(String, Value)> {
    let mut held: Vec<usize> = choice.patient.into_iter().chain(choice.entries.iter().copied()).collect();
    let present: std::collections::BTreeSet<usize> = held.iter().copied().collect();
    held.extend(choice.same_as.iter().filter(|(_, kept)| present.contains(kept)).map(|(other, _)| *other));
    let mut groups: BTreeMap<(&str, i64), Vec<usize>> = BTreeMap::new();
    for place in held {
        let from = &pool.items[place].from;
        groups.entry((from.hospital, from.registered_at)).or_default().push(place);
    }
    let mut made = Vec::new();
    for ((hospital, registered_at), places) in groups {
        let targets: Vec<Value> = places.iter().map(|place| target(pool, choice, *place)).collect();
        let name = places.first().map_or("", |place| pool.items[*place].from.hospital_name);
        let records: Vec<&str> = places.iter().map(|place| pool.items[*place].from.record).collect();
        let id = uuid_of(&format!("provenance {hospital} {registered_at} {}", records.join(" ")));
        let mut who =
            json!({ "type": "Organization", "identifier": { "system": URI_SYSTEM, "value": hospital } });
        if !text::line(name).is_empty() {
            who["display"] = text::line(name).into();
        }
        let custodian = json!({ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "custodian" }] });
        let resource = json!({
            "resourceType": "Provenance",
            "id": id,
            "target": targets,
            "recorded": instant(registered_at),
            "agent": [{ "type": custodian, "who": who }],
        });
        made.push((format!("urn:uuid:{id}"), resource));
    }
    made
}

fn target(pool: &Pool<'_>, choice: &Choice, place: usize) -> Value {
    let item = &pool.items[place];
    json!({
        "reference": pool.items[choice.standing_for(place)].url,
        "type": item.from.resource_type,
        "identifier": { "system": URI_SYSTEM, "value": format!("{}#{}", item.from.hospital, item.from.record) },
    })
}

/// The Bundle while it is written.
struct Entries {
    out: String,
    count: usize,
}

impl Entries {
    fn new(document: &str, options: &IpsOptions<'_>) -> Self {
        let head = json!({
            "resourceType": "Bundle",
            "id": document,
            "meta": { "profile": ["http://hl7.org/fhir/uv/ips/StructureDefinition/Bundle-uv-ips"] },
            "identifier": { "system": URI_SYSTEM, "value": format!("urn:uuid:{document}") },
            "type": "document",
            "timestamp": instant(options.made_at),
        });
        let mut out = head.to_string();
        out.pop();
        out.push_str(",\"entry\":[");
        Self { out, count: 0 }
    }

    fn add(&mut self, url: &str, resource: &str) {
        if self.count > 0 {
            self.out.push(',');
        }
        self.count += 1;
        self.out.push_str("\n{\"fullUrl\":\"");
        self.out.push_str(url);
        self.out.push_str("\",\"resource\":");
        self.out.push_str(resource);
        self.out.push('}');
    }

    fn close(mut self) -> Vec<u8> {
        self.out.push_str("\n]}\n");
        self.out.into_bytes()
    }
}

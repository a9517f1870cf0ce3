//! The records of one patient, ready to be served.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use thiserror::Error;
use zeroize::Zeroizing;

use super::index::{Index, Token};
use super::table::{Served, served};
use crate::date::instant;
use crate::identity::normal;
use crate::ips::references::{Rewrite, json_text, push_text, write};
use crate::json::Json;
use crate::view::read;

/// Room for what is written anew of a resource, in bytes, so that the buffer need not grow and leave copies behind.
const REWRITTEN_BYTES: usize = 1_024;
/// Bytes of the part of a logical id that names a resource of a patient: a collision is a matter of 2^64 tries, and only within what one
/// patient's hospitals registered.
const NAME_BYTES: usize = 16;
const URI_SYSTEM: &str = "urn:ietf:rfc:3986";
const OWN_ID: &str = "urn:amulet:resource-id";

/// A record that was read.
#[derive(Debug, Clone)]
pub struct ShelfRecord {
    /// Its id on the ledger, at most 64 characters of a FHIR id.
    pub record: String,
    /// The id of the record of which it is the next version.
    pub replaces: Option<String>,
    /// DID of the hospital that registered it.
    pub hospital: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// The hospital's own id.
    pub resource_id: String,
    /// When it was registered, in seconds since 1970.
    pub registered_at: i64,
    /// The resource, as the hospital wrote it.
    pub content: Zeroizing<Vec<u8>>,
}

/// A resource as it is served.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its type.
    pub resource_type: &'static str,
    /// Its logical id.
    pub id: String,
    /// Its version; `None` for what has none.
    pub version: Option<String>,
    /// When this version was registered, in seconds since 1970.
    pub updated: i64,
    /// Whether no newer version is on the shelf.
    pub is_newest: bool,
    /// What can be searched for.
    pub index: Index,
    /// The resource.
    pub json: Zeroizing<Vec<u8>>,
}

/// Why something cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unservable {
    /// Not JSON, too large, or not a resource.
    #[error("the resource cannot be read")]
    Unreadable,
    /// A type that is not in [`super::SERVED`].
    #[error("resources of this type are not served")]
    NotServed,
}

/// Everything of one patient that can be served.
#[derive(Debug, Default)]
pub struct Shelf {
    items: Vec<Item>,
    unservable: usize,
}

/// The logical id of a resource: `patient`, a dot, and a digest of whose it is and what it is called there. `digest` is a
/// collision-resistant hash, given from outside because this crate has none.
#[must_use]
pub fn logical_id(patient: &str, digest: &[u8]) -> String {
    let mut id = format!("{patient}.");
    for byte in digest.iter().take(NAME_BYTES) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// What names a resource: hospital, type, and the hospital's own id.
type Name<'r> = (&'r str, &'r str, &'r str);

/// What all records of a shelf are written with.
struct Names<'r> {
    patient: &'r str,
    did: &'r str,
    /// Logical ids of what is served.
    ids: BTreeMap<Name<'r>, String>,
    /// What records of a hospital call the patient.
    patients: BTreeSet<(&'r str, String)>,
}

impl Shelf {
    /// Makes records of one patient ready. `patient` is the patient's logical id and `did` their DID; `digest` hashes for
    /// [`logical_id`].
    #[must_use]
    pub fn new(
        patient: &str,
        did: &str,
        records: &[ShelfRecord],
        digest: impl Fn(&[&[u8]]) -> Vec<u8>,
    ) -> Self {
        let replaced: BTreeSet<&str> =
            records.iter().filter_map(|record| record.replaces.as_deref()).collect();
        let mut names = Names { patient, did, ids: BTreeMap::new(), patients: BTreeSet::new() };
        for record in records.iter().filter(|record| served(&record.resource_type).is_some()) {
            let name = (record.hospital.as_str(), record.resource_type.as_str(), record.resource_id.as_str());
            let id = match record.resource_type.as_str() {
                "Patient" => patient.to_owned(),
                _ => logical_id(
                    patient,
                    &digest(&[did.as_bytes(), name.0.as_bytes(), name.1.as_bytes(), name.2.as_bytes()]),
                ),
            };
            names.ids.insert(name, id);
        }
        let parsed: Vec<(&ShelfRecord, Result<Json<'_>, Unservable>)> = records
            .iter()
            .map(|record| (record, read(&record.content).map_err(|_| Unservable::Unreadable)))
            .collect();
        for (record, json) in &parsed {
            let Ok(json) = json else { continue };
            let subjects = [json.get("subject"), json.get("patient")];
            let subjects = subjects.into_iter().filter_map(|subject| subject.text_at("reference"));
            names.patients.extend(subjects.map(|subject| (record.hospital.as_str(), normal(subject))));
        }
        let mut shelf = Self::default();
        for (record, json) in &parsed {
            let item = json.as_ref().map_err(Clone::clone).and_then(|json| names.item(record, json));
            match item {
                Ok(item) => {
                    let is_newest = !replaced.contains(record.record.as_str());
                    shelf.items.push(Item { is_newest, ..item });
                }
                Err(Unservable::Unreadable) => shelf.unservable += 1,
                Err(Unservable::NotServed) => {}
            }
        }
        if !shelf.items.iter().any(|item| item.resource_type == "Patient") {
            shelf.items.push(named_patient(patient, did));
        }
        shelf.settle_versions();
        shelf
    }

    /// Puts the newest first, always in the same order. Of what has one id the newest is the one that was registered last: versions
    /// between two that were read may be closed to the reader, and two hospitals can each have a Patient.
    fn settle_versions(&mut self) {
        let order = |item: &Item| (std::cmp::Reverse((item.updated, item.is_newest)), item.id.clone());
        self.items.sort_by_cached_key(|item| (order(item), item.version.clone()));
        let mut seen = BTreeSet::new();
        for item in &mut self.items {
            item.is_newest = seen.insert((item.resource_type, item.id.clone()));
        }
    }

    /// Everything, newest registrations first, old versions included.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Records whose content is no resource that can be read.
    #[must_use]
    pub fn unservable(&self) -> usize {
        self.unservable
    }
}

/// A patient of whom nothing is known but who they are on the ledger.
fn named_patient(id: &str, did: &str) -> Item {
    let identifier = identifier(did);
    let json = format!(r#"{{"resourceType":"Patient","id":"{id}","identifier":[{identifier}]}}"#);
    let mut index = Index::default();
    index.tokens.push(("identifier", Token { system: Some(URI_SYSTEM.to_owned()), code: did.to_owned() }));
    Item {
        resource_type: "Patient",
        id: id.to_owned(),
        version: None,
        updated: 0,
        is_newest: true,
        index,
        json: Zeroizing::new(json.into_bytes()),
    }
}

fn identifier(did: &str) -> String {
    format!(r#"{{"system":"{URI_SYSTEM}","value":{}}}"#, serde_json::Value::from(did))
}

impl Item {
    /// A resource that is written already, such as a line of an export, under a logical id and with a link to the patient.
    ///
    /// # Errors
    /// [`Unservable`] by variant.
    pub fn of_ledger(
        json: &[u8],
        id: &str,
        (patient, did): (&str, &str),
        updated: i64,
    ) -> Result<Self, Unservable> {
        let resource = read(json).map_err(|_| Unservable::Unreadable)?;
        let served = resource.text_at("resourceType").and_then(served).ok_or(Unservable::NotServed)?;
        let index = Index::of(served, &resource);
        let mut value: serde_json::Value =
            serde_json::from_slice(json).map_err(|_| Unservable::Unreadable)?;
        link_patient(&mut value, patient, did);
        value["id"] = id.into();
        value["meta"] = serde_json::json!({ "lastUpdated": instant(updated) });
        let json = Zeroizing::new(value.to_string().into_bytes());
        let (resource_type, id) = (served.name, id.to_owned());
        Ok(Self { resource_type, id, version: None, updated, is_newest: true, index, json })
    }
}

/// Gives every reference to a Patient by this identifier a link.
fn link_patient(value: &mut serde_json::Value, patient: &str, did: &str) {
    match value {
        serde_json::Value::Object(members) => {
            let names = members.get("type").is_some_and(|kind| kind == "Patient")
                && members.get("identifier").is_some_and(|identifier| identifier["value"] == did);
            if names {
                members.insert("reference".to_owned(), format!("Patient/{patient}").into());
            }
            members.values_mut().for_each(|value| link_patient(value, patient, did));
        }
        serde_json::Value::Array(items) => {
            items.iter_mut().for_each(|value| link_patient(value, patient, did))
        }
        _ => {}
    }
}

impl Names<'_> {
    fn item(&self, record: &ShelfRecord, json: &Json<'_>) -> Result<Item, Unservable> {
        let served = served(&record.resource_type).ok_or(Unservable::NotServed)?;
        if json.text_at("resourceType") != Some(served.name) {
            return Err(Unservable::Unreadable);
        }
        let name = (record.hospital.as_str(), record.resource_type.as_str(), record.resource_id.as_str());
        let id = self.ids.get(&name).ok_or(Unservable::NotServed)?;
        let mut index = Index::of(served, json);
        if served.name == "Patient" {
            let token = Token { system: Some(URI_SYSTEM.to_owned()), code: self.did.to_owned() };
            index.tokens.push(("identifier", token));
        }
        Ok(Item {
            resource_type: served.name,
            id: id.clone(),
            version: Some(record.record.clone()),
            updated: record.registered_at,
            is_newest: true,
            index,
            json: self.written(served, id, record, json),
        })
    }

    /// The resource with its id, `meta` and references as they are here.
    fn written(
        &self,
        served: &Served,
        id: &str,
        record: &ShelfRecord,
        json: &Json<'_>,
    ) -> Zeroizing<Vec<u8>> {
        let mut out = String::with_capacity(record.content.len() * 2 + REWRITTEN_BYTES);
        let _ = write!(out, r#"{{"resourceType":"{}","id":"{id}","meta":"#, served.name);
        push_meta(record, json.get("meta"), &mut out);
        let Json::Object(members) = json else { return Zeroizing::new(Vec::new()) };
        let mut has_identifier = false;
        for (key, value) in members {
            if matches!(key.as_ref(), "resourceType" | "id" | "meta") {
                continue;
            }
            out.push(',');
            push_text(key, &mut out);
            out.push(':');
            if served.name == "Patient" && key == "identifier" {
                has_identifier = true;
                out.push('[');
                for item in value.items() {
                    write(item, &mut out, &mut |reference| self.rewritten(record, reference));
                    out.push(',');
                }
                let _ = write!(out, "{}]", identifier(self.did));
            } else {
                write(value, &mut out, &mut |reference| self.rewritten(record, reference));
            }
        }
        if served.name == "Patient" && !has_identifier {
            let _ = write!(out, r#","identifier":[{}]"#, identifier(self.did));
        }
        out.push('}');
        Zeroizing::new(out.into_bytes())
    }

    fn rewritten(&self, record: &ShelfRecord, reference: &str) -> Rewrite {
        if reference.starts_with('#') {
            return Rewrite::Keep;
        }
        let (hospital, address) = (record.hospital.as_str(), normal(reference));
        if self.patients.contains(&(hospital, address.clone())) {
            return Rewrite::To(format!("Patient/{}", self.patient));
        }
        match self.served_at(hospital, &address) {
            Some(served) => Rewrite::To(served),
            None if address.starts_with("http://") || address.starts_with("https://") => Rewrite::Keep,
            None => Rewrite::Name,
        }
    }

    fn served_at(&self, hospital: &str, address: &str) -> Option<String> {
        if let Some(id) = address.strip_prefix("urn:uuid:") {
            let mut known = self.ids.iter();
            let found = known.find(|((of, _, own), _)| *of == hospital && own.eq_ignore_ascii_case(id));
            return found.map(|((_, kind, _), id)| format!("{kind}/{id}"));
        }
        let (before, id) = address.rsplit_once('/')?;
        let kind = before.rsplit('/').next().unwrap_or_default();
        let found = self.ids.get(&(hospital, kind, id))?;
        Some(format!("{kind}/{found}"))
    }
}

/// `meta` with the version, its time and its source; profiles, tags and labels stay.
fn push_meta(record: &ShelfRecord, meta: &Json<'_>, out: &mut String) {
    let ShelfRecord { record: version, hospital, resource_id, .. } = record;
    let _ = write!(
        out,
        r#"{{"extension":[{{"url":"{OWN_ID}","valueString":{}}}"#,
        serde_json::Value::from(resource_id.as_str())
    );
    for extension in meta.get("extension").items() {
        out.push(',');
        out.push_str(&json_text(extension));
    }
    let source = serde_json::Value::from(format!("{hospital}#{version}"));
    let _ = write!(
        out,
        r#"],"versionId":"{version}","lastUpdated":"{}","source":{source}"#,
        instant(record.registered_at)
    );
    for key in ["profile", "security", "tag"] {
        let value = meta.get(key);
        if !value.is_null() {
            let _ = write!(out, r#","{key}":{}"#, json_text(value));
        }
    }
    out.push('}');
}

//! The International Patient Summary of HL7 (<http://hl7.org/fhir/uv/ips>) as an R4 document Bundle, made of a patient's records
//! from all hospitals, for a doctor who has none of them.
//!
//! - What a record says is carried as it is. Only its references are written anew, so that they lead to entries of the same
//!   document, or, where there is no such entry, name what they named by an identifier instead of by a link.
//! - Where an entry comes from is in `Provenance` entries: one for each hospital and moment of registration.
//! - A section that must be there and has nothing says whether somebody said that there is nothing, or nobody said anything.
//! - What is of class core, what was replaced, entered in error or refuted stays out.
//!
//! There is no clock and no randomness: the same records and the same time give the same bytes.

mod absent;
mod choose;
mod document;
mod narrative;
pub(crate) mod references;
mod sections;

use std::collections::{BTreeMap, BTreeSet};

pub use sections::SectionKind;

use crate::class::DataClass;
use crate::json::Json;
use crate::limits::MAX_IPS_RECORDS;
use crate::quality::Language;
use crate::view::read;

/// One record of the patient, with where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct IpsRecord<'a> {
    /// Its id on the ledger, as text. No two records share one.
    pub record: &'a str,
    /// The id of the record that it replaces.
    pub replaces: Option<&'a str>,
    /// FHIR resource type.
    pub resource_type: &'a str,
    /// FHIR id, unique within type and hospital.
    pub resource_id: &'a str,
    /// The hospital's DID.
    pub hospital: &'a str,
    /// The hospital's name.
    pub hospital_name: &'a str,
    /// When it was registered, in seconds since 1970-01-01T00:00:00Z.
    pub registered_at: i64,
    /// How well it has to be guarded. [`DataClass::Core`] stays out of the document.
    pub class: DataClass,
    /// The FHIR resource as the hospital registered it.
    pub content: &'a [u8],
}

/// What the document says of itself.
#[derive(Debug, Clone, Copy)]
pub struct IpsOptions<'a> {
    /// When it is made, in seconds since 1970-01-01T00:00:00Z.
    pub made_at: i64,
    /// The patient's name, for when no hospital registered a Patient.
    pub name: &'a str,
    /// The language of titles and narratives. Records keep theirs.
    pub language: Language,
    /// How many of the patient's records could not be had. The document then says of itself that it is preliminary and incomplete,
    /// and of nothing that it is known to be absent.
    pub missing: usize,
}

/// A document, and what is in it and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpsDocument {
    /// The Bundle, as JSON.
    pub json: Vec<u8>,
    /// How many records each section lists, in the document's order. A section with none says so in the document.
    pub sections: Vec<(SectionKind, usize)>,
    /// Records left out because another hospital's says the same. The entry that stays names both hospitals.
    pub repeated: usize,
    /// Records left out because there are many newer ones, or because the document would be too large.
    pub left_out: usize,
    /// Records left out because they are of class core.
    pub core: usize,
    /// Records that could not be read.
    pub unreadable: usize,
}

/// A readable record.
struct Item<'a> {
    from: IpsRecord<'a>,
    json: Json<'a>,
    /// Its address in the document.
    url: String,
}

/// What the records are before anything is chosen.
struct Pool<'a> {
    items: Vec<Item<'a>>,
    /// By hospital, type and id: what a reference means. `None` is a record of class core, or one that cannot be read.
    names: BTreeMap<(&'a str, &'a str, &'a str), Option<usize>>,
    /// The types of these.
    kinds: BTreeSet<&'a str>,
    core: usize,
    unreadable: usize,
    left_out: usize,
}

/// Makes the document. Never panics, whatever the contents are; their order does not matter.
#[must_use]
pub fn ips_document<'a>(
    records: impl IntoIterator<Item = IpsRecord<'a>>,
    options: &IpsOptions<'_>,
) -> IpsDocument {
    let pool = pool(records);
    let choice = choose::choose(&pool);
    document::write(&pool, &choice, options)
}

impl Pool<'_> {
    /// Whether something may say the opposite of "none known": it is of class core, or could not be had or read.
    fn may_know_more(&self, kind: SectionKind, options: &IpsOptions<'_>) -> bool {
        let hidden = |(name, place): (&(&str, &str, &str), &Option<usize>)| {
            place.is_none() && kind.types().contains(&name.1)
        };
        self.is_incomplete(options) || self.names.iter().any(hidden)
    }

    /// Whether records are missing of which nobody knows what they say.
    fn is_incomplete(&self, options: &IpsOptions<'_>) -> bool {
        options.missing > 0 || self.unreadable > 0
    }
}

fn pool<'a>(records: impl IntoIterator<Item = IpsRecord<'a>>) -> Pool<'a> {
    let mut all: Vec<IpsRecord<'a>> = records.into_iter().collect();
    // The newest first, so that the bound takes the oldest away.
    all.sort_by(|a, b| (b.registered_at, b.record).cmp(&(a.registered_at, a.record)));
    let left_out = all.len().saturating_sub(MAX_IPS_RECORDS);
    all.truncate(MAX_IPS_RECORDS);
    // Nobody replaces what another hospital registered.
    let replaced: BTreeSet<(&str, &str)> = all
        .iter()
        .filter_map(|record| {
            record.replaces.filter(|old| *old != record.record).map(|old| (record.hospital, old))
        })
        .collect();
    let mut pool = Pool {
        items: Vec::new(),
        names: BTreeMap::new(),
        kinds: BTreeSet::new(),
        core: 0,
        unreadable: 0,
        left_out,
    };
    for record in all.into_iter().filter(|record| !replaced.contains(&(record.hospital, record.record))) {
        let name = (record.hospital, record.resource_type, record.resource_id);
        if pool.names.contains_key(&name) {
            continue;
        }
        if record.class == DataClass::Core {
            pool.core += 1;
            pool.kinds.insert(record.resource_type);
            pool.names.insert(name, None);
            continue;
        }
        if !sections::is_relevant(record.resource_type) {
            continue;
        }
        match read(record.content) {
            Ok(json) if json.text_at("resourceType") == Some(record.resource_type) => {
                pool.kinds.insert(record.resource_type);
                pool.names.insert(name, Some(pool.items.len()));
                let url = references::url_of(record.record);
                pool.items.push(Item { from: record, json, url });
            }
            _ => {
                // Its name is taken: an older version of it must not be shown as how things stand.
                pool.names.insert(name, None);
                pool.unreadable += 1;
            }
        }
    }
    pool
}

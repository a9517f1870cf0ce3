//! Documents made of whole files.

use amulet_fhir::DataClass;
use amulet_fhir::Record;
use amulet_fhir::ips::{IpsDocument, IpsOptions, IpsRecord, ips_document};
use amulet_fhir::quality::{Given, Language};

/// 2026-11-23.
pub const TODAY: i64 = 1_795_392_000;

pub const SAMPLES: [&[u8]; 2] = [
    include_bytes!("../../../../samples/james-miller.en.json"),
    include_bytes!("../../../../samples/wang-fang.zh.json"),
];

/// What a hospital registered of a file.
pub struct Hospital {
    pub did: &'static str,
    pub name: &'static str,
    pub registered_at: i64,
    pub records: Vec<(String, Record)>,
}

/// The records that a hospital takes in of a file, or `None` when it refuses the file.
pub fn registered(
    did: &'static str,
    name: &'static str,
    registered_at: i64,
    file: &[u8],
) -> Option<Hospital> {
    let given = Given { today: Some(TODAY), ..Given::default() };
    let taken = amulet_fhir::intake(file, &given).ok()?.records;
    let records =
        taken.into_iter().enumerate().map(|(at, record)| (format!("{did}-{at:05}"), record)).collect();
    Some(Hospital { did, name, registered_at, records })
}

pub fn records(hospital: &Hospital) -> impl Iterator<Item = IpsRecord<'_>> {
    hospital.records.iter().map(|(id, record)| IpsRecord {
        record: id,
        replaces: None,
        resource_type: &record.resource_type,
        resource_id: &record.id,
        hospital: hospital.did,
        hospital_name: hospital.name,
        registered_at: hospital.registered_at,
        class: record.class,
        content: &record.content,
    })
}

pub fn options() -> IpsOptions<'static> {
    IpsOptions { made_at: TODAY, name: "王芳", language: Language::En, missing: 0 }
}

pub fn of_file(file: &[u8]) -> Option<IpsDocument> {
    let hospital = registered("did:amulet:east", "East <Hospital> & Sons", TODAY - 86_400, file)?;
    Some(ips_document(records(&hospital), &options()))
}

/// One resource, as a hospital registered it.
pub fn one<'a>(
    record: &'a str,
    hospital: &'a str,
    content: &'a str,
    json: &'a serde_json::Value,
) -> IpsRecord<'a> {
    IpsRecord {
        record,
        replaces: None,
        resource_type: json["resourceType"].as_str().unwrap(),
        resource_id: json["id"].as_str().unwrap(),
        hospital,
        hospital_name: hospital,
        registered_at: 1_700_000_000,
        class: DataClass::Sensitive,
        content: content.as_bytes(),
    }
}

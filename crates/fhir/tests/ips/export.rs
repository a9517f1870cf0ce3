//! Grants, accesses and registrations as FHIR: valid, and nothing lost on the way back.

use amulet_fhir::export::{
    AccessExport, Export, ExportError, GrantExport, Party, PartyKind, RegistrationExport, read_consent_r5,
    read_line, write_consent_r5, write_line,
};
use proptest::prelude::*;

use crate::independent::{findings, findings_r5};

fn exports() -> Vec<Export> {
    let doctor =
        Party { id: "did:amulet:d".into(), name: "陈 <医生>".into(), kind: PartyKind::Practitioner };
    let hospital = Party { id: "did:amulet:h".into(), name: "East".into(), kind: PartyKind::Organization };
    let study = Party { id: "urn:amulet:study:1".into(), name: "Study".into(), kind: PartyKind::Group };
    let grant = |grantee: &Party, state: &str| GrantExport {
        id: "ab".repeat(32),
        patient: "did:amulet:p".into(),
        grantee: grantee.clone(),
        purpose: "TREAT".into(),
        granted_at: 1_700_000_000,
        until: 1_700_086_400,
        state: state.into(),
        categories: vec![("allergies".into(), 2), ("labs".into(), 40)],
        standing: vec!["labs".into(), "imaging".into()],
        uses: 3,
        uses_max: Some(5),
    };
    let narrow =
        GrantExport { categories: vec![], standing: vec![], uses_max: None, ..grant(&hospital, "expired") };
    let sister =
        Party { id: "did:amulet:s".into(), name: "did:amulet:s".into(), kind: PartyKind::RelatedPerson };
    let access = |reader: &Party, hospital: Option<&Party>| AccessExport {
        number: 7,
        patient: "did:amulet:p".into(),
        at: 1_700_000_100,
        reader: reader.clone(),
        hospital: hospital.cloned(),
        purpose: "ETREAT".into(),
        records: 0,
    };
    vec![
        Export::Grant(grant(&doctor, "active")),
        Export::Grant(grant(&hospital, "revoked")),
        Export::Grant(grant(&study, "paused")),
        Export::Grant(narrow),
        Export::Access(access(&doctor, Some(&hospital))),
        Export::Registration(RegistrationExport {
            id: "cd".repeat(32),
            patient: "did:amulet:p".into(),
            at: 1_699_999_999,
            hospital,
            records: vec!["r1".into(), "r2".into()],
        }),
        Export::Access(access(&sister, None)),
        Export::Grant(grant(&sister, "used_up")),
    ]
}

#[test]
fn every_line_comes_back_as_it_was() {
    for export in exports() {
        assert_eq!(read_line(write_line(&export).as_bytes()), Ok(export));
    }
}

fn grants() -> Vec<GrantExport> {
    let grant = |export| match export {
        Export::Grant(grant) => Some(grant),
        Export::Access(_) | Export::Registration(_) => None,
    };
    exports().into_iter().filter_map(grant).collect()
}

#[test]
fn every_consent_of_r5_comes_back_as_it_was_and_none_of_r4_passes_for_one() {
    for grant in grants() {
        assert_eq!(read_consent_r5(write_consent_r5(&grant).as_bytes()), Ok(grant.clone()));
        let r4 = write_line(&Export::Grant(grant.clone()));
        let refused = read_consent_r5(r4.as_bytes());
        assert!(matches!(refused, Err(ExportError::Element { resource_type: "Consent", .. })), "{refused:?}");
        let r5 = read_line(write_consent_r5(&grant).as_bytes());
        assert!(matches!(r5, Err(ExportError::Element { resource_type: "Consent", .. })), "{r5:?}");
    }
}

#[test]
fn every_consent_is_valid_r5() {
    let lines: Vec<serde_json::Value> =
        grants().iter().map(|grant| serde_json::from_str(&write_consent_r5(grant)).unwrap()).collect();
    let Some(found) = findings_r5(&lines) else { return };
    assert_eq!(found.concat(), Vec::<String>::new());
    let mut broken = lines;
    broken[0]["scope"] = serde_json::json!({});
    broken[1]["decision"] = 7.into();
    broken[2]["provision"][0]["period"]["start"] = "yesterday".into();
    broken[3].as_object_mut().unwrap().remove("status");
    let found = findings_r5(&broken).unwrap();
    assert!([0, 1, 2, 3].iter().all(|at| !found[*at].is_empty()), "{found:?}");
}

#[test]
fn every_line_is_valid_r4() {
    let lines: Vec<serde_json::Value> =
        exports().iter().map(|export| serde_json::from_str(&write_line(export)).unwrap()).collect();
    let Some(found) = findings(&lines) else { return };
    assert_eq!(found.concat(), Vec::<String>::new());
    let mut broken = lines;
    broken[0].as_object_mut().unwrap().remove("scope");
    broken[4]["outcome"] = "well".into();
    broken[5].as_object_mut().unwrap().remove("agent");
    let found = findings(&broken).unwrap();
    assert!([0, 4, 5].iter().all(|at| !found[*at].is_empty()), "{found:?}");
}

#[test]
fn what_is_no_line_of_an_export_is_refused_by_name() {
    assert_eq!(read_line(b"{"), Err(ExportError::Unreadable));
    assert_eq!(
        read_line(br#"{"resourceType":"Patient"}"#),
        Err(ExportError::Type { found: "Patient".into() })
    );
    let refused = read_line(br#"{"resourceType":"Provenance","id":"x"}"#);
    assert!(matches!(refused, Err(ExportError::Element { resource_type: "Provenance", .. })), "{refused:?}");
}

proptest! {
    #[test]
    fn a_damaged_line_is_refused_or_read_but_never_a_panic(which in 0..8_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut line = write_line(&exports()[which]).into_bytes();
        let at = at.index(line.len());
        line[at] = byte;
        let _ = read_line(&line);
    }
}

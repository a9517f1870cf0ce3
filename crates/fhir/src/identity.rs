//! Whose record is it? A record of somebody else in a patient's wallet can kill, so every `subject` and `patient`
//! is compared with the one Patient of the bundle, by all the names that FHIR allows for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::json::Json;
use crate::limits::MAX_URL_BYTES;
use crate::refusal::RefusalReason;
use crate::text;

/// The places where a resource names the person it is about.
const SUBJECT_KEYS: [&str; 5] = ["subject", "patient", "beneficiary", "for", "individual"];

/// One statement of a resource about whose it is.
#[derive(Debug, Clone)]
pub(crate) struct SubjectReference {
    reference: Option<String>,
    kind: Option<String>,
    identifier: Option<(String, String)>,
}

/// What a resource says about whose it is.
pub(crate) fn subjects_of(resource: &Json<'_>) -> Vec<SubjectReference> {
    let named = SUBJECT_KEYS.iter().flat_map(|key| resource.get(key).items());
    named
        .filter(|value| matches!(value, Json::Object(_)))
        .map(|value| SubjectReference {
            reference: value.text_at("reference").map(normal),
            kind: value.text_at("type").map(str::to_owned),
            identifier: identifier(value.get("identifier")),
        })
        .collect()
}

/// The identifiers of a resource, as (system, value).
pub(crate) fn identifiers_of(resource: &Json<'_>) -> Vec<(String, String)> {
    resource.get("identifier").items().iter().filter_map(identifier).collect()
}

fn identifier(value: &Json<'_>) -> Option<(String, String)> {
    Some((value.text_at("system")?.to_owned(), value.text_at("value")?.to_owned()))
}

/// A reference in comparable form: no version, UUIDs in lower case, bounded.
pub(crate) fn normal(reference: &str) -> String {
    let reference = reference.trim();
    let reference = reference.split("/_history/").next().unwrap_or(reference);
    let mut cut = reference.len().min(MAX_URL_BYTES);
    while !reference.is_char_boundary(cut) {
        cut -= 1;
    }
    let reference = &reference[..cut];
    if reference.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) {
        reference.to_ascii_lowercase()
    } else {
        reference.to_owned()
    }
}

/// `(base, type, id)` of `Patient/1` or `https://host/fhir/Patient/1`.
fn split(reference: &str) -> Option<(&str, &str, &str)> {
    let (rest, id) = reference.rsplit_once('/')?;
    let (base, kind) = rest.rsplit_once('/').unwrap_or(("", rest));
    let is_type =
        kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind.bytes().all(|b| b.is_ascii_alphabetic());
    (is_type && !id.is_empty()).then_some((base, kind, id))
}

/// All names under which the bundle's resources may be referred to, and those of its patient.
#[derive(Debug, Default)]
pub(crate) struct Names {
    patient: BTreeSet<String>,
    patient_ids: BTreeSet<String>,
    patient_bases: BTreeSet<String>,
    patient_identifiers: Vec<(String, String)>,
    others: BTreeMap<String, String>,
}

impl Names {
    /// Adds one entry's own names.
    pub(crate) fn add(&mut self, resource_type: &str, id: Option<&str>, full_url: Option<&str>) {
        let full_url = full_url.map(normal);
        let local = id.map(|id| format!("{resource_type}/{id}"));
        let urn = id.map(|id| format!("urn:uuid:{}", id.to_ascii_lowercase()));
        for name in [full_url.clone(), local, urn].into_iter().flatten() {
            if resource_type == "Patient" {
                self.patient.insert(name);
            } else {
                self.others.entry(name).or_insert_with(|| resource_type.to_owned());
            }
        }
        if resource_type == "Patient" {
            self.patient_ids.extend(id.map(str::to_owned));
            if let Some((base, _, id)) = full_url.as_deref().and_then(split) {
                self.patient_ids.insert(id.to_owned());
                self.patient_bases.extend(is_absolute(base).then(|| base.to_owned()));
            }
        }
    }

    /// Adds identifiers (medical record numbers…) of the patient.
    pub(crate) fn add_patient_identifiers(&mut self, identifiers: &[(String, String)]) {
        self.patient_identifiers.extend_from_slice(identifiers);
    }

    /// A Patient without id and fullUrl has no name; if every record of the bundle names one and the same patient, it is
    /// that one.
    pub(crate) fn adopt_only_name<'r>(&mut self, subjects: impl Iterator<Item = &'r SubjectReference>) {
        if !self.patient.is_empty() {
            return;
        }
        let is_patient = |name: &&String| {
            split(name).map_or_else(|| name.starts_with("urn:"), |(_, kind, _)| kind == "Patient")
                && !self.others.contains_key(*name)
        };
        let named: BTreeSet<&String> =
            subjects.filter_map(|subject| subject.reference.as_ref()).filter(is_patient).collect();
        if let (1, Some(only)) = (named.len(), named.first()) {
            self.patient = BTreeSet::from([(*only).clone()]);
        }
    }

    /// Whether a resource that names these subjects may be kept for this patient.
    pub(crate) fn judge(&self, subjects: &[SubjectReference]) -> Result<(), RefusalReason> {
        subjects.iter().try_for_each(|subject| self.judge_one(subject))
    }

    fn judge_one(&self, subject: &SubjectReference) -> Result<(), RefusalReason> {
        let Some(reference) = subject.reference.as_deref() else {
            return self.judge_identifier(subject);
        };
        let shown = || text::line(reference);
        // A contained resource has no identity outside its container; one of our own names needs no further look.
        if reference.starts_with('#') || self.patient.contains(reference) {
            return Ok(());
        }
        if self.others.contains_key(reference) {
            return Ok(());
        }
        if let Some((_, query)) = reference.split_once("Patient?") {
            let is_ours =
                self.patient_identifiers.iter().any(|(_, value)| query.ends_with(&format!("|{value}")));
            return if is_ours { Ok(()) } else { Err(RefusalReason::AnotherPatient { reference: shown() }) };
        }
        match split(reference) {
            Some((base, "Patient", id)) => {
                let is_same_place =
                    !is_absolute(base) || self.patient_bases.is_empty() || self.patient_bases.contains(base);
                if is_same_place && self.patient_ids.contains(id) {
                    Ok(())
                } else {
                    Err(RefusalReason::AnotherPatient { reference: shown() })
                }
            }
            // About a group, a device, a place.
            Some(_) => Ok(()),
            None if subject.kind.as_deref().is_some_and(|kind| kind != "Patient") => Ok(()),
            None if self.patient_ids.contains(reference) => Ok(()),
            None => Err(RefusalReason::UnknownPatient { reference: shown() }),
        }
    }

    /// Only an identifier of the same system with another value says that it is somebody else.
    fn judge_identifier(&self, subject: &SubjectReference) -> Result<(), RefusalReason> {
        let Some((system, value)) = &subject.identifier else { return Ok(()) };
        let mut same_system = self.patient_identifiers.iter().filter(|(known, _)| known == system).peekable();
        if same_system.peek().is_none() || same_system.any(|(_, known)| known == value) {
            Ok(())
        } else {
            Err(RefusalReason::AnotherPatient { reference: text::line(&format!("{system}|{value}")) })
        }
    }
}

fn is_absolute(base: &str) -> bool {
    base.contains("://")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn judge(names: &Names, subject: &str) -> Result<(), &'static str> {
        let json = Json::from_bytes(subject.as_bytes()).unwrap();
        names.judge(&subjects_of(&json)).map_err(|reason| reason.code())
    }

    #[test]
    fn every_way_to_name_the_patient_is_known() {
        let mut names = Names::default();
        names.add("Patient", Some("Ab1"), Some("https://a.example/fhir/Patient/Ab1"));
        names.add("Group", Some("g"), Some("urn:uuid:g"));
        names.add_patient_identifiers(&[("urn:mrn".to_owned(), "77".to_owned())]);
        for ours in [
            r#"{"subject":{"reference":"Patient/Ab1"}}"#,
            r#"{"subject":{"reference":"Patient/Ab1/_history/3"}}"#,
            r#"{"patient":{"reference":"https://a.example/fhir/Patient/Ab1"}}"#,
            r#"{"subject":{"reference":"URN:UUID:AB1"}}"#,
            r#"{"subject":{"reference":"Patient?identifier=urn:mrn|77"}}"#,
            r#"{"subject":{"identifier":{"system":"urn:mrn","value":"77"}}}"#,
            r#"{"subject":{"identifier":{"system":"urn:other","value":"1"}}}"#,
            r#"{"subject":{"reference":"Group/5"}}"#,
            r#"{"subject":{"reference":"urn:uuid:g"}}"#,
            r##"{"subject":{"reference":"#p"}}"##,
            r#"{"subject":{"display":"somebody"}}"#,
            r#"{"subject":"nonsense"}"#,
            "{}",
        ] {
            assert_eq!(judge(&names, ours), Ok(()), "{ours}");
        }
        for (theirs, code) in [
            (r#"{"subject":{"reference":"Patient/ab1"}}"#, "another_patient"),
            (r#"{"patient":{"reference":"https://b.example/fhir/Patient/Ab1"}}"#, "another_patient"),
            (r#"{"beneficiary":{"reference":"Patient/2"}}"#, "another_patient"),
            (r#"{"subject":[{"reference":"Patient/Ab1"},{"reference":"Patient/2"}]}"#, "another_patient"),
            (r#"{"subject":{"reference":"Patient?identifier=urn:mrn|78"}}"#, "another_patient"),
            (r#"{"subject":{"identifier":{"system":"urn:mrn","value":"78"}}}"#, "another_patient"),
            (r#"{"subject":{"reference":"urn:uuid:0000"}}"#, "unknown_patient"),
        ] {
            assert_eq!(judge(&names, theirs), Err(code), "{theirs}");
        }
    }

    #[test]
    fn a_nameless_patient_takes_the_only_name_in_use() {
        let subjects = |text: &str| subjects_of(&Json::from_bytes(text.as_bytes()).unwrap());
        let one = subjects(r#"{"subject":[{"reference":"Patient/1"},{"reference":"Group/4"}]}"#);
        let mut names = Names::default();
        names.adopt_only_name(one.iter());
        assert!(names.judge(&one).is_ok());
        let two = subjects(r#"{"subject":[{"reference":"Patient/1"},{"reference":"Patient/2"}]}"#);
        let mut names = Names::default();
        names.adopt_only_name(two.iter());
        assert!(names.judge(&two).is_err());
    }
}

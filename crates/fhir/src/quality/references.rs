//! References that lead nowhere.

use std::collections::BTreeSet;

use super::finding::{Findings, Value};
use super::rule::Rule;

/// A reference that may lead to an entry of the file.
#[derive(Debug)]
pub(crate) struct Link {
    pub path: String,
    /// In comparable form.
    pub reference: String,
}

/// A `urn:uuid:` means something inside its bundle only, and a document holds all that it refers to; elsewhere a
/// relative reference may lead to what the sender did not export.
pub(super) fn check(links: &[Link], names: &BTreeSet<String>, is_document: bool, findings: &mut Findings) {
    for link in links.iter().filter(|link| !names.contains(&link.reference)) {
        let inside_only = link.reference.starts_with("urn:uuid:");
        let in_section = is_document && link.path.starts_with("section[");
        let rule = if inside_only || in_section { Rule::ReferenceDangling } else { Rule::ReferenceOutside };
        findings.add(rule, link.path.as_str(), [("reference", Value::text(&link.reference))]);
    }
}

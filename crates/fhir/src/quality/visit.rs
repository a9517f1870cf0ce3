//! One walk over a resource that finds periods, references and codings wherever they are.

use super::finding::{Findings, Value};
use super::references::Link;
use super::rule::Rule;
use super::{codes, dates};
use crate::json::Json;
use crate::limits::MAX_REFERENCES_PER_RECORD;

/// A step down: a member, or an item of a list.
#[derive(Clone, Copy)]
enum Step<'k> {
    Member(&'k str),
    Item(usize),
}

struct Visit<'k, 'f> {
    at: Vec<Step<'k>>,
    links: Vec<Link>,
    contained: Vec<String>,
    findings: &'f mut Findings,
}

/// Checks what is checked alike everywhere, and gives the references.
pub(super) fn check(resource: &Json<'_>, findings: &mut Findings) -> Vec<Link> {
    let contained = resource.get("contained").items().iter().filter_map(|item| item.text_at("id"));
    let contained = contained.map(str::to_owned).collect();
    let mut visit = Visit { at: Vec::new(), links: Vec::new(), contained, findings };
    visit.value(resource);
    visit.links
}

impl<'k> Visit<'k, '_> {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.at {
            match step {
                Step::Member(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    fn value(&mut self, value: &'k Json<'_>) {
        match value {
            Json::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.at.push(Step::Item(index));
                    self.value(item);
                    self.at.pop();
                }
            }
            Json::Object(members) => {
                self.object(value);
                for (name, member) in members {
                    self.at.push(Step::Member(name));
                    self.value(member);
                    self.at.pop();
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &Json<'_>) {
        if let (Some(start), Some(end)) = (object.text_at("start"), object.text_at("end"))
            && dates::is_certainly_before(end, start)
        {
            let values = [("start", Value::date(start)), ("end", Value::date(end))];
            self.findings.add(Rule::PeriodReversed, self.path(), values);
        }
        if let Some(reference) = object.text_at("reference") {
            self.reference(reference);
        }
        if let (Some(system), Some(code)) = (object.text_at("system"), object.text_at("code"))
            && let Some(system) = codes::malformed(system, code)
        {
            let values = [("system", Value::text(system)), ("code", Value::text(code))];
            self.findings.add(Rule::CodeMalformed, self.path(), values);
        }
    }

    fn reference(&mut self, reference: &str) {
        // Only what is inside the file can be missed: a whole address leads elsewhere.
        let is_local = reference.starts_with("urn:") || !reference.contains(':') && !reference.contains('?');
        if let Some(inner) = reference.strip_prefix('#') {
            if !inner.is_empty() && !self.contained.iter().any(|id| id == inner) {
                let values = [("reference", Value::text(reference))];
                self.findings.add(Rule::ReferenceDangling, self.path(), values);
            }
        } else if is_local && self.links.len() < MAX_REFERENCES_PER_RECORD {
            self.links.push(Link { path: self.path(), reference: crate::identity::normal(reference) });
        }
    }
}

//! Bundles of search results. Resources are put in as they stand: no reader between changes a digit of them.

use crate::outcome::outcome;
use crate::request::{PAGE, Search};
use amulet_fhir::rest::Item;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Bytes of resources after which a page ends, though fewer were found than asked for. One resource is never cut.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Room for what stands around one resource.
const ENTRY_BYTES: usize = 512;

/// A page of what was found.
pub struct Page<'p> {
    /// Base address.
    pub base: &'p str,
    /// What was searched for.
    pub search: &'p Search,
    /// Everything found, in its order.
    pub found: &'p [&'p Item],
    /// What was searched.
    pub shelf: &'p str,
    /// What the client has to know beside the results.
    pub issues: &'p [Value],
}

impl Page<'_> {
    /// The Bundle.
    pub fn json(&self) -> Zeroizing<Vec<u8>> {
        let from = self.search.page.as_ref().map_or(0, |(from, _)| *from).min(self.found.len());
        let mut items: Vec<&Item> = Vec::new();
        let mut bytes = 0;
        for item in self.found[from..].iter().take(self.search.count) {
            bytes += item.json.len();
            if !items.is_empty() && bytes > PAGE_BYTES_MAX {
                break;
            }
            items.push(item);
        }
        let next = from + items.len();
        let mut links = vec![json!({ "relation": "self", "url": self.link(from) })];
        if !items.is_empty() && next < self.found.len() {
            links.push(json!({ "relation": "next", "url": self.link(next) }));
        }
        let mut out = Zeroizing::new(Vec::with_capacity(bytes + (items.len() + 4) * ENTRY_BYTES));
        let head = format!(
            r#"{{"resourceType":"Bundle","type":"searchset","total":{},"link":{}"#,
            self.found.len(),
            Value::from(links)
        );
        out.extend_from_slice(head.as_bytes());
        let mut separator = r#","entry":["#;
        for item in items {
            let url = Value::from(format!("{}/{}/{}", self.base, item.resource_type, item.id));
            out.extend_from_slice(format!(r#"{separator}{{"fullUrl":{url},"resource":"#).as_bytes());
            out.extend_from_slice(&item.json);
            out.extend_from_slice(br#","search":{"mode":"match"}}"#);
            separator = ",";
        }
        if !self.issues.is_empty() {
            let entry = json!({ "resource": outcome(self.issues), "search": { "mode": "outcome" } });
            out.extend_from_slice(format!("{separator}{entry}").as_bytes());
            separator = ",";
        }
        out.extend_from_slice(if separator == "," { b"]}" } else { b"}" });
        out
    }

    fn link(&self, from: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.search.applied);
        if from > 0 {
            query.append_pair(PAGE, &format!("{from}-{}", self.shelf));
        }
        format!("{}/{}?{}", self.base, self.search.served.name, query.finish())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::request::{Headers, Question, parse};
    use amulet_fhir::rest::Index;

    const BASE: &str = "http://127.0.0.1:8180/fhir";

    fn item(id: &str, bytes: usize) -> Item {
        let text = format!(r#"{{"resourceType":"Observation","id":"{id}","note":"{}"}}"#, "x".repeat(bytes));
        Item {
            resource_type: "Observation",
            id: id.to_owned(),
            version: None,
            updated: 0,
            is_newest: true,
            index: Index::default(),
            json: Zeroizing::new(text.into_bytes()),
        }
    }

    fn page(more: &str, found: &[&Item]) -> Value {
        let query = format!("patient=2CSb3yfEFbvuaJSsB8k6qmpiJRjp&code=http://loinc.org|a%26b{more}");
        let question = parse(BASE, "/fhir/Observation", Some(&query), Headers::default()).unwrap();
        let Question::Search(search) = question else { panic!("{question:?}") };
        let page = Page { base: BASE, search: &search, found, shelf: "ab", issues: &[] };
        serde_json::from_slice(&page.json()).unwrap()
    }

    fn ids(bundle: &Value) -> Vec<&str> {
        let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
        entries.iter().filter_map(|entry| entry["resource"]["id"].as_str()).collect()
    }

    #[test]
    fn a_page_ends_before_it_is_too_large_and_its_link_leads_on_with_the_same_question() {
        let large =
            [item("a", PAGE_BYTES_MAX / 2), item("b", PAGE_BYTES_MAX / 2), item("c", PAGE_BYTES_MAX * 2)];
        let found: Vec<&Item> = large.iter().collect();
        let mut more = String::new();
        for expected in ["a", "b", "c"] {
            let bundle = page(&more, &found);
            assert_eq!((ids(&bundle), bundle["total"].as_u64()), (vec![expected], Some(3)));
            let links = bundle["link"].as_array().unwrap();
            let next =
                links.iter().find(|link| link["relation"] == "next").and_then(|link| link["url"].as_str());
            let Some(next) = next else {
                assert_eq!(expected, "c", "only the last page has no next");
                return;
            };
            assert!(next.contains("code=http%3A%2F%2Floinc.org%7Ca%26b"), "{next}");
            more = format!("&{}", next.rsplit('&').next().unwrap());
        }
    }

    #[test]
    fn none_asked_for_is_a_count_and_a_page_beyond_the_end_is_empty() {
        let small = [item("a", 1), item("b", 1)];
        let found: Vec<&Item> = small.iter().collect();
        let none = page("&_count=0", &found);
        assert_eq!(
            (none["total"].as_u64(), ids(&none).len(), none["link"].as_array().unwrap().len()),
            (Some(2), 0, 1)
        );
        assert!(none.get("entry").is_none(), "R4 has no empty lists");
        assert!(ids(&page("&_page=18446744073709551615-ab", &found)).is_empty());
        assert_eq!(ids(&page("&_count=1&_page=1-ab", &found)), ["b"]);
    }
}

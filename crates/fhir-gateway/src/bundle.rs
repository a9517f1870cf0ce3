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

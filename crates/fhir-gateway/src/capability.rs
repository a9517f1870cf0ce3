//! The CapabilityStatement, made of the table that the router and the search read: it cannot say what is not so.

use crate::request::{COUNT, COUNT_MAX};
use amulet_fhir::rest::{SERVED, Served, Source};
use serde_json::{Value, json};

/// When what this software can do was last changed.
const CHANGED: &str = "2026-11-23";

/// What this server can do.
#[must_use]
pub fn statement(base: &str) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": { "name": "Amulet FHIR gateway", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "What patients opened to the reader of this gateway", "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "documentation": format!(
                "Searches are of one patient. Each reading is stated on the consortium's ledger before anything is fetched, and the \
                 patient sees it. A page has {COUNT} resources, or _count, at most {COUNT_MAX}."
            ),
            "security": { "description": "A bearer token of the gateway; the patient's grant decides." },
            "resource": SERVED.iter().map(resource).collect::<Vec<Value>>(),
        }],
    })
}

fn resource(served: &Served) -> Value {
    let is_versioned = served.source == Source::Records;
    let mut interactions = vec![json!({ "code": "read" }), json!({ "code": "search-type" })];
    if is_versioned {
        interactions.push(json!({ "code": "vread" }));
    }
    let own = served.parameters.iter().map(|parameter| (parameter.name, parameter.kind.code()));
    let parameters = [("_id", "token"), ("_lastUpdated", "date")].into_iter().chain(own);
    json!({
        "type": served.name,
        "interaction": interactions,
        "versioning": if is_versioned { "versioned" } else { "no-version" },
        "readHistory": is_versioned,
        "searchParam": parameters.map(|(name, kind)| json!({ "name": name, "type": kind })).collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::request::{Headers, parse};

    #[test]
    fn whatever_it_promises_a_strict_client_can_ask() {
        let base = "http://127.0.0.1:8180/fhir";
        let statement = statement(base);
        let patient = "2CSb3yfEFbvuaJSsB8k6qmpiJRjp";
        let strict = Headers { prefer: Some("handling=strict"), ..Headers::default() };
        let mut asked = 0;
        for resource in statement["rest"][0]["resource"].as_array().unwrap() {
            let kind = resource["type"].as_str().unwrap();
            for parameter in resource["searchParam"].as_array().unwrap() {
                let (name, form) = (parameter["name"].as_str().unwrap(), parameter["type"].as_str().unwrap());
                let value = if form == "date" { "ge2024-02" } else { "x" };
                let whose = if kind == "Patient" { "_id" } else { "patient" };
                let value = if ["_id", "patient"].contains(&name) { patient } else { value };
                let query = format!("{whose}={patient}&{name}={value}");
                let path = format!("/fhir/{kind}");
                parse(base, &path, Some(&query), strict)
                    .unwrap_or_else(|error| panic!("{path}?{query}: {error}"));
                asked += 1;
            }
        }
        assert!(asked > 40, "{asked}");
    }
}

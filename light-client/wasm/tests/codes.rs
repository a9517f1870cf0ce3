//! Every code that the package can refuse with is in `types.ts`, and no other; and so is every kind of event with its fields. The
//! rules' names and the fields stand in the sources, so the sources are read: what is added there and not in `types.ts` fails
//! here.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

type Codes = BTreeSet<String>;

fn source(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap()
}

/// The texts in a function of a source file.
fn texts_in(file: &str, function: &str) -> Codes {
    let source = source(file);
    let (before, from) = source.split_once(&format!("fn {function}(")).unwrap();
    let indent: String = before.rsplit('\n').next().unwrap().chars().take_while(|c| *c == ' ').collect();
    let body = from.split(&format!("\n{indent}}}\n")).next().unwrap();
    let texts: Codes = body.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(!texts.is_empty(), "{function} of {file} names rules");
    texts
}

fn with_prefix(prefix: &str, codes: &Codes) -> Codes {
    codes.iter().map(|code| format!("{prefix}{code}")).collect()
}

/// What the sources can say.
fn said() -> Codes {
    let errors = "crates/protocol/src/proof_file/error.rs";
    let certificate = texts_in("crates/protocol/src/certificate.rs", "rule");
    let shape = texts_in(errors, "shape");
    let of = |function: &str| -> Codes { texts_in(errors, function) };
    let mut codes = Codes::new();
    for code in of("rule") {
        let Some(prefix) = code.strip_suffix("{}") else {
            codes.insert(code);
            continue;
        };
        codes.extend(with_prefix(
            prefix,
            &match prefix {
                "epoch-" | "anchor-" => certificate.clone(),
                "range-" => &of("range") | &shape,
                "receipts-" => &of("list") | &shape,
                "state-" => of("state"),
                "history-" => of("history"),
                other => panic!("rules that begin with {other}"),
            },
        ));
    }
    codes.extend(texts_in("light-client/verifier/src/verifier.rs", "rule"));
    codes.extend(certificate);
    for file in ["light-client/wasm/src/check.rs", "light-client/wasm/src/view.rs"] {
        let source = source(file);
        codes.extend(
            source.split("Refused::new(\"").skip(1).map(|from| from.split('"').next().unwrap().to_owned()),
        );
    }
    codes.extend(
        texts_in("light-client/wasm/src/check.rs", "from").into_iter().filter(|code| !code.is_empty()),
    );
    codes
}

/// What a type of `types.ts` can be: an alternative of texts, templates of such, and types.
fn declared(types: &str, name: &str) -> Codes {
    let (_, from) = types.split_once(&format!("type {name} =")).unwrap();
    let end = from.split(";\n").next().unwrap();
    let lines = end.lines().map(|line| line.split("//").next().unwrap());
    alternatives(types, &lines.collect::<Vec<_>>().join(" "))
}

fn alternatives(types: &str, text: &str) -> Codes {
    let mut codes = Codes::new();
    let mut rest = text.trim_start_matches([' ', '|']);
    while let Some(first) = rest.chars().next() {
        let used = match first {
            '"' => {
                let code = rest[1..].split('"').next().unwrap();
                codes.insert(code.to_owned());
                code.len() + 2
            }
            '`' => {
                let template = rest[1..].split('`').next().unwrap();
                codes.extend(expanded(types, template));
                template.len() + 2
            }
            _ => {
                let name = rest.split([' ', '|', '}']).next().unwrap();
                codes.extend(declared(types, name));
                name.len()
            }
        };
        rest = rest[used..].trim_start_matches([' ', '|']);
    }
    codes
}

fn expanded(types: &str, template: &str) -> Codes {
    let Some((before, from)) = template.split_once("${") else { return Codes::from([template.to_owned()]) };
    let (inner, after) = from.split_once('}').unwrap();
    let ends = expanded(types, after);
    let starts = alternatives(types, inner);
    starts.iter().flat_map(|start| with_prefix(&format!("{before}{start}"), &ends)).collect()
}

#[test]
fn the_types_have_every_code_and_no_other() {
    let types = include_str!("../src/types.ts");
    let (said, declared) = (said(), declared(types, "RefusalCode"));
    assert!(said.len() > 60, "{said:?}");
    let missing: Vec<_> = said.difference(&declared).collect();
    let never: Vec<_> = declared.difference(&said).collect();
    assert!(missing.is_empty() && never.is_empty(), "missing: {missing:?}; of no rule: {never:?}");
}

fn kebab(name: &str) -> String {
    let letters = name.char_indices().map(|(at, c)| match c.is_uppercase() && at > 0 {
        true => format!("-{}", c.to_ascii_lowercase()),
        false => c.to_ascii_lowercase().to_string(),
    });
    letters.collect()
}

/// The kinds of events with their fields, as the source has them.
fn events() -> BTreeSet<(String, Codes)> {
    let source = source("crates/protocol/src/history.rs");
    let body = source.split_once("pub enum Event {\n").unwrap().1.split("\n}\n").next().unwrap();
    let mut events: Vec<(String, Codes)> = Vec::new();
    let mut renamed = None;
    for line in body.lines().map(|line| line.strip_prefix("    ").unwrap()) {
        match line.strip_prefix("    ").map(str::trim) {
            None if line.starts_with(char::is_uppercase) => {
                events.push((kebab(line.trim_end_matches([',', ' ', '{'])), Codes::new()));
            }
            Some(attribute) if attribute.starts_with("#[serde(rename = ") => {
                renamed = attribute.split('"').nth(1);
            }
            Some(field) if field.starts_with(char::is_lowercase) => {
                let name = renamed.take().unwrap_or(field.split(':').next().unwrap());
                let mut parts = name.split('_').map(str::to_owned);
                let first = parts.next().unwrap();
                let rest = parts.map(|part| part[..1].to_uppercase() + &part[1..]);
                events.last_mut().unwrap().1.insert(first + &rest.collect::<String>());
            }
            _ => {}
        }
    }
    events.into_iter().collect()
}

#[test]
fn the_types_have_every_event_with_its_fields() {
    let types = include_str!("../src/types.ts");
    let from = types.split_once("type HistoryEvent =\n").unwrap().1.split(" };\n").next().unwrap();
    let event = |line: &str| {
        let mut fields =
            line.split("readonly ").skip(1).map(|field| field.split(": ").next().unwrap().to_owned());
        assert_eq!(fields.next().as_deref(), Some("kind"), "{line}");
        (line.split('"').nth(1).unwrap().to_owned(), fields.collect())
    };
    let declared: BTreeSet<(String, Codes)> = from.lines().map(event).collect();
    assert!(declared.len() > 20);
    assert_eq!(events(), declared);
}

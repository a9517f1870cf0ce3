//! Findings as a FHIR OperationOutcome (<https://hl7.org/fhir/R4/operationoutcome.html>), for systems that send files.

use serde_json::{Value as Json, json};

use super::{Finding, Language, Rule, Severity};

/// Where the codes of `details` are defined: the table of rules in Amulet's documentation.
const RULES: &str = "urn:amulet:intake-rule";

/// An OperationOutcome with one issue for each finding, and one that counts what is not named.
#[must_use]
pub fn operation_outcome(findings: &[Finding], more: usize) -> Json {
    let mut issues: Vec<Json> = findings.iter().map(issue).collect();
    if more > 0 {
        let text = format!("{more} more findings are not named");
        issues.push(json!({"severity": "information", "code": "informational", "details": {"text": text}}));
    }
    json!({"resourceType": "OperationOutcome", "issue": issues})
}

/// An OperationOutcome for a file that is refused for another reason.
#[must_use]
pub fn operation_outcome_of(code: &str, message: &str) -> Json {
    let details = json!({"coding": [{"system": RULES, "code": code}], "text": message});
    json!({"resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "processing", "details": details}]})
}

fn issue(finding: &Finding) -> Json {
    let severity = match finding.severity() {
        Severity::Refuse => "error",
        Severity::Flag => "warning",
        Severity::Note => "information",
    };
    let resource_type = finding.resource.split_once('/').map_or("Resource", |(kind, _)| kind);
    let translation = |name: &str, value: Json| json!({"url": name, name_of(name): value});
    let chinese = json!({
        "url": "http://hl7.org/fhir/StructureDefinition/translation",
        "extension": [
            translation("lang", json!("zh")),
            translation("content", json!(finding.sentence(Language::Zh))),
        ],
    });
    json!({
        "severity": severity,
        "code": kind_of(finding.rule),
        "details": {
            "coding": [{"system": RULES, "code": finding.rule.code()}],
            "text": finding.sentence(Language::En),
            "_text": {"extension": [chinese]},
        },
        "diagnostics": format!("{}: {}", finding.resource, json!(finding.values)),
        "expression": [format!("{resource_type}.{}", finding.path)],
    })
}

fn name_of(part: &str) -> &'static str {
    if part == "lang" { "valueCode" } else { "valueString" }
}

/// FHIR's issue-type.
fn kind_of(rule: Rule) -> &'static str {
    match rule {
        Rule::RequiredMissing => "required",
        Rule::RequiredCode | Rule::CodeMalformed | Rule::CodeWithoutSystem => "code-invalid",
        Rule::ReferenceDangling | Rule::ReferenceOutside => "not-found",
        Rule::OlderRelease | Rule::NewerRelease => "not-supported",
        Rule::DateMalformed | Rule::BirthDateMalformed | Rule::IdentityNumberMalformed => "value",
        _ => "business-rule",
    }
}

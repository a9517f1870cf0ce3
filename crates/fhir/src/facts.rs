//! The facts of one record, by resource type.

use crate::json::Json;
use crate::text;
use crate::view::{Fact, FactLabel};

/// Collects facts; nothing is added for what a record does not have.
struct Facts<'j, 'a> {
    resource: &'j Json<'a>,
    found: Vec<Fact>,
}

impl<'j, 'a> Facts<'j, 'a> {
    fn get(&self, key: &str) -> &'j Json<'a> {
        self.resource.get(key)
    }

    fn add(&mut self, label: FactLabel, value: Option<String>) {
        self.add_named(label, None, value);
    }

    fn add_named(&mut self, label: FactLabel, name: Option<String>, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.found.push(Fact { label, name, value });
        }
    }

    fn concepts(&mut self, label: FactLabel, key: &str) {
        self.add(label, text::concepts(self.get(key)));
    }

    fn plain(&mut self, label: FactLabel, key: &str) {
        self.add(label, text::of(self.get(key)));
    }

    fn references(&mut self, label: FactLabel, key: &str) {
        let named = self.get(key).items().iter().filter_map(text::reference);
        self.add(label, text::join(named));
    }

    /// References inside a list of objects, as in `performer[].actor`.
    fn inner_references(&mut self, label: FactLabel, key: &str, inner: &str) {
        let named = self.get(key).items().iter().filter_map(|item| text::reference(item.get(inner)));
        self.add(label, text::join(named));
    }
}

/// All facts of a resource, most important first.
pub(crate) fn facts_of(resource_type: &str, resource: &Json<'_>) -> Vec<Fact> {
    let mut facts = Facts { resource, found: Vec::new() };
    match resource_type {
        "Observation" => observation(&mut facts),
        "DiagnosticReport" => report(&mut facts),
        "AllergyIntolerance" => allergy(&mut facts),
        "Condition" => condition(&mut facts),
        "Medication" => medication(&mut facts),
        "Immunization" => immunization(&mut facts),
        "Device" => device(&mut facts),
        "Patient" | "RelatedPerson" | "Practitioner" | "Person" => person(&mut facts),
        "Organization" | "Location" | "PractitionerRole" => place(&mut facts),
        "Composition" | "DocumentReference" => document(&mut facts),
        "Claim" | "ExplanationOfBenefit" => billing(&mut facts),
        "CarePlan" | "Goal" | "CareTeam" => care(&mut facts),
        medicine if medicine.starts_with("Medication") => medicine_use(&mut facts),
        _ => facts.add(FactLabel::Value, value_of(resource)),
    }
    common(&mut facts);
    facts.found
}

/// `value[x]` as text.
pub(crate) fn value_of(holder: &Json<'_>) -> Option<String> {
    let ratio = || {
        let ratio = holder.get("valueRatio");
        Some(format!(
            "{} / {}",
            text::quantity(ratio.get("numerator"))?,
            text::quantity(ratio.get("denominator"))?
        ))
    };
    text::quantity(holder.get("valueQuantity"))
        .or_else(|| text::concept(holder.get("valueCodeableConcept")))
        .or_else(|| {
            let keys = [
                "valueString",
                "valueInteger",
                "valueDecimal",
                "valueBoolean",
                "valueDateTime",
                "valueDate",
                "valueTime",
            ];
            keys.iter().find_map(|key| text::of(holder.get(key)))
        })
        .or_else(|| text::range(holder.get("valueRange")))
        .or_else(ratio)
        .or_else(|| text::period(holder.get("valuePeriod")))
        .or_else(|| text::concept(holder.get("dataAbsentReason")))
}

fn observation(facts: &mut Facts<'_, '_>) {
    facts.add(FactLabel::Value, value_of(facts.resource));
    for component in facts.get("component").items() {
        let interpretation = text::concepts(component.get("interpretation")).map(|word| format!(" ({word})"));
        let value = value_of(component).map(|value| value + &interpretation.unwrap_or_default());
        facts.add_named(FactLabel::Component, text::concept(component.get("code")), value);
    }
    facts.concepts(FactLabel::Interpretation, "interpretation");
    for range in facts.get("referenceRange").items() {
        let value = text::of(range.get("text")).or_else(|| text::range(range));
        facts.add_named(FactLabel::ReferenceRange, text::concept(range.get("type")), value);
    }
    facts.concepts(FactLabel::BodySite, "bodySite");
    facts.concepts(FactLabel::Method, "method");
    facts.references(FactLabel::Result, "hasMember");
}

fn report(facts: &mut Facts<'_, '_>) {
    facts.plain(FactLabel::Conclusion, "conclusion");
    facts.concepts(FactLabel::Conclusion, "conclusionCode");
    for result in facts.get("result").items() {
        facts.add(FactLabel::Result, text::reference(result));
    }
    facts.concepts(FactLabel::Kind, "category");
    attachments(facts, "presentedForm");
}

fn allergy(facts: &mut Facts<'_, '_>) {
    for reaction in facts.get("reaction").items() {
        let manifestation = text::concepts(reaction.get("manifestation"));
        let what = manifestation.or_else(|| text::of(reaction.get("description")));
        facts.add_named(FactLabel::Reaction, text::concept(reaction.get("substance")), what);
        facts.add(FactLabel::Severity, text::of(reaction.get("severity")));
    }
    facts.plain(FactLabel::Criticality, "criticality");
    facts.concepts(FactLabel::ClinicalStatus, "clinicalStatus");
    facts.concepts(FactLabel::Verification, "verificationStatus");
    facts.concepts(FactLabel::Kind, "type");
    facts.concepts(FactLabel::Kind, "category");
}

fn condition(facts: &mut Facts<'_, '_>) {
    facts.concepts(FactLabel::ClinicalStatus, "clinicalStatus");
    facts.concepts(FactLabel::Verification, "verificationStatus");
    facts.concepts(FactLabel::Severity, "severity");
    for stage in facts.get("stage").items() {
        facts.add(FactLabel::Value, text::concept(stage.get("summary")));
    }
}

fn medication(facts: &mut Facts<'_, '_>) {
    for ingredient in facts.get("ingredient").items() {
        let what = text::concept(ingredient.get("itemCodeableConcept"))
            .or_else(|| text::concept(ingredient.get("item")))
            .or_else(|| text::reference(ingredient.get("itemReference")));
        let strength = ingredient.get("strength");
        let amount = text::quantity(strength.get("numerator"));
        facts.add_named(FactLabel::Ingredient, amount, what);
    }
    facts.concepts(FactLabel::Form, "form");
    facts.concepts(FactLabel::Form, "doseForm");
}

fn medicine_use(facts: &mut Facts<'_, '_>) {
    for dosage in dosages(facts.resource) {
        facts.add(FactLabel::Dose, dose_text(dosage));
        facts.add(FactLabel::Route, text::concept(dosage.get("route")));
    }
    if facts.get("doNotPerform").is_true() {
        facts.add(FactLabel::NotDone, Some("true".to_owned()));
    }
    facts.add(FactLabel::Period, text::period(facts.get("effectivePeriod")));
    facts.concepts(FactLabel::Reason, "statusReason");
    facts.plain(FactLabel::Kind, "intent");
}

/// The dosages of a medication resource, however it calls them.
pub(crate) fn dosages<'j, 'a>(resource: &'j Json<'a>) -> &'j [Json<'a>] {
    match resource.get("dosageInstruction") {
        Json::Null => resource.get("dosage").items(),
        found => found.items(),
    }
}

/// A dosage in words: its own text, else put together from dose, frequency and route.
pub(crate) fn dose_text(dosage: &Json<'_>) -> Option<String> {
    text::of(dosage.get("text")).or_else(|| text::of(dosage.get("patientInstruction"))).or_else(|| {
        let rate = dosage.get("doseAndRate").first();
        let dose = text::quantity(rate.get("doseQuantity"))
            .or_else(|| text::range(rate.get("doseRange")))
            .or_else(|| text::quantity(dosage.get("doseQuantity")))
            .or_else(|| text::quantity(dosage.get("dose")));
        let timing = dosage.get("timing");
        let when = text::concept(timing.get("code")).or_else(|| frequency(timing.get("repeat")));
        let parts: Vec<String> = [dose, when].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| text::line(&parts.join(", ")))
    })
}

/// `2 × / 1 d` : times in a period, in signs that need no translation.
fn frequency(repeat: &Json<'_>) -> Option<String> {
    let frequency = text::of(repeat.get("frequency"))?;
    let period = text::of(repeat.get("period"))?;
    let unit = text::of(repeat.get("periodUnit"))?;
    Some(format!("{frequency} × / {period} {unit}"))
}

fn immunization(facts: &mut Facts<'_, '_>) {
    for protocol in facts.get("protocolApplied").items() {
        facts.add(FactLabel::Target, text::concepts(protocol.get("targetDisease")));
        let number = ["doseNumberPositiveInt", "doseNumberString", "doseNumber"];
        facts.add(FactLabel::DoseNumber, number.iter().find_map(|key| text::of(protocol.get(key))));
    }
    facts.plain(FactLabel::LotNumber, "lotNumber");
    facts.add(FactLabel::Manufacturer, text::reference(facts.get("manufacturer")));
    facts.add(FactLabel::Dose, text::quantity(facts.get("doseQuantity")));
    facts.concepts(FactLabel::Route, "route");
    facts.concepts(FactLabel::BodySite, "site");
    facts.concepts(FactLabel::Reason, "statusReason");
}

fn device(facts: &mut Facts<'_, '_>) {
    facts.concepts(FactLabel::Kind, "type");
    facts.plain(FactLabel::Manufacturer, "manufacturer");
    facts.plain(FactLabel::Model, "modelNumber");
    facts.plain(FactLabel::SerialNumber, "serialNumber");
    facts.plain(FactLabel::LotNumber, "lotNumber");
    for carrier in facts.get("udiCarrier").items() {
        facts.add(FactLabel::Identifier, text::of(carrier.get("deviceIdentifier")));
    }
}

fn person(facts: &mut Facts<'_, '_>) {
    facts.plain(FactLabel::Sex, "gender");
    facts.plain(FactLabel::BirthDate, "birthDate");
    facts.concepts(FactLabel::Relationship, "relationship");
    facts.add(FactLabel::Contact, text::phone(facts.get("telecom")));
    facts.add(FactLabel::Address, text::address(facts.get("address")));
    for contact in facts.get("contact").items() {
        let who = [text::human_name(contact.get("name")), text::concept(contact.get("relationship"))];
        facts.add_named(
            FactLabel::Contact,
            text::join(who.into_iter().flatten()),
            text::phone(contact.get("telecom")),
        );
    }
    for identifier in facts.get("identifier").items() {
        facts.add_named(
            FactLabel::Identifier,
            text::concept(identifier.get("type")),
            text::of(identifier.get("value")),
        );
    }
    for qualification in facts.get("qualification").items() {
        facts.add(FactLabel::Speciality, text::concept(qualification.get("code")));
    }
}

fn place(facts: &mut Facts<'_, '_>) {
    facts.concepts(FactLabel::Kind, "type");
    facts.concepts(FactLabel::Speciality, "specialty");
    facts.references(FactLabel::Performer, "practitioner");
    facts.references(FactLabel::Organization, "organization");
    facts.add(FactLabel::Contact, text::phone(facts.get("telecom")));
    facts.add(FactLabel::Address, text::address(facts.get("address")));
}

fn document(facts: &mut Facts<'_, '_>) {
    facts.concepts(FactLabel::Kind, "type");
    for section in facts.get("section").items() {
        facts.add(
            FactLabel::Section,
            text::of(section.get("title")).or_else(|| text::concept(section.get("code"))),
        );
    }
    for content in facts.get("content").items() {
        facts.add(FactLabel::Attachment, attachment(content.get("attachment")));
    }
    facts.references(FactLabel::Organization, "custodian");
}

fn attachments(facts: &mut Facts<'_, '_>, key: &str) {
    for item in facts.get(key).items() {
        facts.add(FactLabel::Attachment, attachment(item));
    }
}

fn attachment(value: &Json<'_>) -> Option<String> {
    text::join([value.get("title"), value.get("contentType")].into_iter().filter_map(text::of))
}

fn billing(facts: &mut Facts<'_, '_>) {
    let money = |value: &Json<'_>| {
        Some(format!(
            "{} {}",
            text::of(value.get("value"))?,
            text::of(value.get("currency")).unwrap_or_default()
        ))
    };
    for total in facts.get("total").items() {
        let amount = money(total).or_else(|| money(total.get("amount")));
        facts.add_named(FactLabel::Amount, text::concept(total.get("category")), amount);
    }
    facts.add(FactLabel::Period, text::period(facts.get("billablePeriod")));
    facts.references(FactLabel::Organization, "insurer");
    facts.references(FactLabel::Performer, "provider");
    facts.plain(FactLabel::Result, "outcome");
}

fn care(facts: &mut Facts<'_, '_>) {
    for activity in facts.get("activity").items() {
        let detail = activity.get("detail");
        let what = text::concept(detail.get("code")).or_else(|| text::of(detail.get("description")));
        facts.add(FactLabel::Activity, what.or_else(|| text::reference(activity.get("reference"))));
    }
    for target in facts.get("target").items() {
        let value =
            text::quantity(target.get("detailQuantity")).or_else(|| text::range(target.get("detailRange")));
        facts.add_named(FactLabel::Target, text::concept(target.get("measure")), value);
    }
    facts.concepts(FactLabel::Result, "achievementStatus");
    facts.inner_references(FactLabel::Performer, "participant", "member");
}

/// What many types share.
fn common(facts: &mut Facts<'_, '_>) {
    for key in ["onsetDateTime", "onsetString"] {
        facts.plain(FactLabel::Onset, key);
    }
    facts.add(FactLabel::Onset, text::quantity(facts.get("onsetAge")));
    facts.add(FactLabel::Onset, text::period(facts.get("onsetPeriod")));
    for key in ["abatementDateTime", "abatementString"] {
        facts.plain(FactLabel::End, key);
    }
    for key in ["period", "performedPeriod", "actualPeriod"] {
        facts.add(FactLabel::Period, text::period(facts.get(key)));
    }
    facts.concepts(FactLabel::Reason, "reasonCode");
    facts.references(FactLabel::Reason, "reasonReference");
    for key in ["performer", "author", "recorder", "asserter"] {
        facts.references(FactLabel::Performer, key);
    }
    facts.inner_references(FactLabel::Performer, "performer", "actor");
    facts.inner_references(FactLabel::Performer, "participant", "individual");
    facts.references(FactLabel::Requester, "requester");
    facts.references(FactLabel::Organization, "serviceProvider");
    facts.references(FactLabel::Organization, "managingOrganization");
    facts.inner_references(FactLabel::Place, "location", "location");
    for note in facts.get("note").items() {
        facts.add(FactLabel::Note, text::of(note.get("text")).or_else(|| text::of(note)));
    }
}

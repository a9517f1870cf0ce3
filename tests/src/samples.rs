//! The sample histories that ship with Amulet, and what intake should make of them.

/// A bundle with its records, as intake judges them without a chain.
pub struct Sample {
    /// The file.
    pub bundle: Vec<u8>,
    /// Each kept resource as `Type/id` with its exact bytes, sorted.
    pub records: Vec<(String, Vec<u8>)>,
    /// Entries in the bundle.
    pub resources_in: usize,
}

impl Sample {
    /// The sample in Chinese: 王芳, allergic to penicillin.
    #[must_use]
    pub fn wang_fang() -> Self {
        Self::of(include_bytes!("../../samples/wang-fang.zh.json"))
    }

    /// The sample in English: James Miller.
    #[must_use]
    pub fn james_miller() -> Self {
        Self::of(include_bytes!("../../samples/james-miller.en.json"))
    }

    /// What another hospital has of James Miller, who fell ill on a journey.
    #[must_use]
    pub fn james_miller_elsewhere() -> Self {
        Self::of(include_bytes!("../../samples/james-miller.second-hospital.en.json"))
    }

    /// Any bundle.
    ///
    /// # Panics
    /// When intake refuses it.
    #[must_use]
    pub fn of(bundle: &[u8]) -> Self {
        let intake = amulet_fhir::intake(bundle, &amulet_fhir::quality::Given::default())
            .expect("the bundle is acceptable");
        let resources_in = intake.resources_in;
        let mut records: Vec<_> =
            intake.records.into_iter().map(|record| (record.label(), record.content)).collect();
        records.sort();
        Self { bundle: bundle.to_vec(), records, resources_in }
    }

    /// Texts of the records that would give their content away: every string of some length that is no code or address.
    #[must_use]
    pub fn telling_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for (_, content) in &self.records {
            let value: serde_json::Value = serde_json::from_slice(content).unwrap_or_default();
            collect(&value, &mut texts);
        }
        texts.sort();
        texts.dedup();
        texts
    }
}

/// Shorter texts could stand somewhere by accident.
const TELLING_BYTES_MIN: usize = 9;

fn collect(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => {
            let is_address = text.contains("://") || text.starts_with("urn:");
            if text.len() >= TELLING_BYTES_MIN && !is_address {
                texts.push(text.clone());
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        serde_json::Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}

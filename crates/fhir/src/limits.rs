//! Every bound that outside input meets, in one place, each with the reason for its number.

/// Largest bundle taken, in bytes. The largest full Synthea history seen is 3.4 MB and vendor summaries stay
/// under 0.2 MB; 32 MiB leaves room for attachments and still fits in a browser tab's memory.
pub const MAX_BUNDLE_BYTES: usize = 32 * 1024 * 1024;

/// Largest single resource kept, in bytes: a sealed record has to fit into one answer of a node, and its plaintext into
/// 4 MiB, of which the rest is for title and identifiers. A scanned document of 2.5 MB is about 3.4 MB as base64.
pub const MAX_RESOURCE_BYTES: usize = 3_584 * 1024;

/// Most entries in one bundle. The longest Synthea history seen has 639; a lifetime in hospital has some thousands.
pub const MAX_ENTRIES: usize = 20_000;

/// Deepest nesting of objects and lists inside one resource. Real resources reach 12. Readers recurse this deep,
/// so the number also guards the stack, which is small in a browser.
pub const MAX_RESOURCE_NESTING: usize = 48;

/// Deepest nesting of a whole file. Anything deeper was made to break readers, so the file is refused, not just
/// one resource.
pub const MAX_FILE_NESTING: usize = 512;

/// Most values (objects, lists, strings, numbers) inside one resource. An imaging study with thousands of
/// instances has about 50 000.
pub const MAX_RESOURCE_VALUES: usize = 250_000;

/// Longest resource type name. The longest in FHIR R5 has 33 letters.
pub const MAX_RESOURCE_TYPE_BYTES: usize = 64;

/// Longest id kept as it is. FHIR says 64, but Epic sends ids of more than 100 bytes.
pub const MAX_ID_BYTES: usize = 256;

/// Longest address (`fullUrl` or reference) that is compared.
pub const MAX_URL_BYTES: usize = 1024;

/// Longest one-line text that is shown (title, fact, name), in characters. The record's content stays whole.
pub const MAX_LINE_CHARS: usize = 240;

/// Longest narrative that is shown, in characters.
pub const MAX_NARRATIVE_CHARS: usize = 20_000;

/// Most facts shown for one record.
pub const MAX_FACTS: usize = 200;

/// Most entries in one section of an emergency summary. A clinician reads it in seconds; what does not fit is counted.
pub const MAX_SUMMARY_ENTRIES: usize = 40;

/// Most immunizations in an emergency summary, newest first: they matter least in an emergency.
pub const MAX_SUMMARY_IMMUNIZATIONS: usize = 10;

/// Most allergies among the facts that may be read offline.
pub const MAX_OFFLINE_ALLERGIES: usize = 3;

/// Longest offline fact, in characters: the facts are printed in a QR code.
pub const MAX_OFFLINE_FACT_CHARS: usize = 60;

/// Most findings of the quality rules kept for one record; the mildest give way. A person reads them one by one.
pub const MAX_FINDINGS_PER_RECORD: usize = 8;

/// Most findings named when a whole file is refused; the others are counted.
pub const MAX_FINDINGS_NAMED: usize = 100;

/// Most references of one record that are followed. A long document's sections have some hundreds.
pub const MAX_REFERENCES_PER_RECORD: usize = 5_000;

/// Most classes that a hospital sets by hand for one file; more would be a rule, which belongs into the program.
pub const MAX_CLASSES_GIVEN: usize = 1_000;

/// Most records that a patient summary is made from, newest registrations first. As many as one bundle may bring.
pub const MAX_IPS_RECORDS: usize = MAX_ENTRIES;

/// Most entries in one section of a patient summary. A doctor reads it in minutes; what does not fit is counted.
pub const MAX_IPS_SECTION_ENTRIES: usize = 100;

/// Most measurements of one code in a section of a patient summary: the newest, and two to see where they go.
pub const MAX_IPS_OF_ONE_CODE: usize = 3;

/// Most resources in a patient summary, beside those that it makes itself.
pub const MAX_IPS_ENTRIES: usize = 1_500;

/// Most bytes of records in a patient summary: what the largest mailboxes of hospitals still take.
pub const MAX_IPS_BYTES: usize = 16 * 1024 * 1024;

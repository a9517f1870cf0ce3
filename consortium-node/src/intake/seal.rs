//! One record: encrypted under its own key, and the key sealed to the patient.

use super::IntakeError;
use amulet_crypto::content::ContentKey;
use amulet_crypto::digest::Digest;
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_crypto::sealed_box::{AgreementPublicKey, SealedBox};
use amulet_fhir::Record;
use amulet_fhir::limits::MAX_RESOURCE_BYTES;
use amulet_protocol::calls::RecordEntry;
use amulet_protocol::consent::{Category, DataClass};
use amulet_protocol::ids::{Did, RecordId};
use amulet_protocol::limits::RECORD_BYTES_MAX;
use amulet_protocol::record::{RECORD_VERSION, RecordPlain, blob_id, record_key_context};

/// Room in a record's plaintext for all but the content: title, date, type and id are at most some kilobytes.
const BESIDE_CONTENT_BYTES: usize = 64 * 1024;
const _: () = assert!(MAX_RESOURCE_BYTES + BESIDE_CONTENT_BYTES <= RECORD_BYTES_MAX);

/// A sealed record, not yet stored; its holders are filled in when it is.
pub(super) struct Sealed {
    pub entry: RecordEntry,
    pub ciphertext: Vec<u8>,
    /// Its key, until it is registered: readers of standing grants get it then.
    pub key: ContentKey,
    /// `Type/id`.
    pub label: String,
    /// Digest of the content, for [`VaultIndex::note_taken`](crate::vault::VaultIndex::note_taken).
    pub content: Digest,
}

pub(super) fn seal(
    record: Record,
    content: Digest,
    patient: Did,
    to: &AgreementPublicKey,
    replaces: Option<RecordId>,
) -> Result<Sealed, IntakeError> {
    let entropy = &mut SystemEntropy;
    let (mut id, mut salt) = ([0; 32], [0; 16]);
    entropy.fill(&mut id);
    entropy.fill(&mut salt);
    let id = RecordId(Digest::from_bytes(id));
    let label = record.label();
    let (category, class) = (category(record.category), class(record.class));
    let plain = RecordPlain {
        version: RECORD_VERSION,
        salt,
        resource_type: record.resource_type,
        resource_id: record.id,
        title: record.title,
        date: record.date.map(|date| date.text),
        content: record.content,
        replaces,
    };
    let key = ContentKey::generate(entropy);
    let ciphertext = plain.seal(&key, id, patient, entropy)?;
    let sealed_key = SealedBox::seal(to, &record_key_context(id), &*key.expose_secret(), entropy)?;
    let (blob, commitment) = (blob_id(&ciphertext), plain.commitment());
    let entry = RecordEntry { id, category, class, blob, commitment, sealed_key, holders: Vec::new() };
    Ok(Sealed { entry, ciphertext, key, label, content })
}

/// The same word in the ledger's vocabulary.
pub(super) fn category(of: amulet_fhir::Category) -> Category {
    use amulet_fhir::Category as Fhir;
    match of {
        Fhir::Allergies => Category::Allergies,
        Fhir::Conditions => Category::Conditions,
        Fhir::Medicines => Category::Medicines,
        Fhir::Labs => Category::Labs,
        Fhir::VitalSigns => Category::VitalSigns,
        Fhir::Immunizations => Category::Immunizations,
        Fhir::Procedures => Category::Procedures,
        Fhir::Imaging => Category::Imaging,
        Fhir::Visits => Category::Visits,
        Fhir::CarePlans => Category::CarePlans,
        Fhir::Documents => Category::Documents,
        Fhir::Devices => Category::Devices,
        Fhir::Social => Category::Social,
        Fhir::Administrative => Category::Administrative,
        Fhir::Billing => Category::Billing,
        Fhir::Other => Category::Other,
    }
}

/// The same word in the ledger's vocabulary.
pub(super) fn class(of: amulet_fhir::DataClass) -> DataClass {
    use amulet_fhir::DataClass as Fhir;
    match of {
        Fhir::Public => DataClass::Public,
        Fhir::Internal => DataClass::Internal,
        Fhir::Sensitive => DataClass::Sensitive,
        Fhir::Core => DataClass::Core,
    }
}

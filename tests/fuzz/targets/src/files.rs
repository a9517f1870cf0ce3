//! Files and codes that people bring: FHIR, cards, wallet files, network files, sealed content, texts.

use amulet_crypto::content::{ChunkedOpener, ContentKey, open_content};
use amulet_crypto::digest::Digest;
use amulet_crypto::kdf::SeedPhrase;
use amulet_crypto::sealed_box::SealedBox;
use amulet_crypto::signing::{PublicKey, Signature};
use amulet_fhir::ips::{IpsOptions, IpsRecord, ips_document};
use amulet_fhir::quality::{Given, Language};
use amulet_fhir::{Record, check_line, intake};
use amulet_protocol::ids::Did;

use crate::{Target, seeds};

pub(crate) fn targets() -> Vec<Target> {
    let all = vec![
        Target { name: "fhir_bundle", run: fhir_bundle, seeds: seeds::fhir_bundles },
        Target { name: "sealed_content", run: sealed_content, seeds: seeds::sealed_contents },
        Target { name: "texts", run: texts, seeds: seeds::texts },
    ];
    #[cfg(feature = "wallet")]
    let all = [all, wallet::targets()].concat();
    all
}

/// 2026-11-23T00:00:00Z.
const TODAY: i64 = 1_795_392_000;

fn fhir_bundle(bytes: &[u8]) {
    let given = Given { today: Some(TODAY), ..Given::default() };
    intake_keeps_its_promises(bytes, &given);
    intake_keeps_its_promises(bytes, &Given { subject: Some("p".to_owned()), ..given });
}

fn intake_keeps_its_promises(bytes: &[u8], given: &Given) {
    let line = check_line("file", bytes, given);
    assert_eq!(line.resources_in, line.records_out + line.refused.len(), "nothing is dropped in silence");
    let Ok(taken) = intake(bytes, given) else { return };
    assert!(line.records_out <= taken.records.len());
    for record in &taken.records {
        let is_kept = bytes.windows(record.content.len()).any(|window| window == record.content);
        assert!(is_kept, "a record is kept byte for byte");
        let _ = amulet_fhir::view::describe(&record.content);
        for finding in &record.findings {
            let both = [Language::En, Language::Zh].map(|language| finding.sentence(language));
            assert!(both.iter().all(|sentence| !sentence.is_empty()));
        }
    }
    a_patient_summary_is_json(&taken.records);
}

fn a_patient_summary_is_json(records: &[Record]) {
    let options = IpsOptions { made_at: TODAY, name: "", language: Language::En, missing: 0 };
    let ids: Vec<String> = (0..records.len()).map(|at| at.to_string()).collect();
    let made = ips_document(
        records.iter().zip(&ids).map(|(record, id)| IpsRecord {
            record: id,
            replaces: None,
            resource_type: &record.resource_type,
            resource_id: &record.id,
            hospital: "did:x",
            hospital_name: "x",
            registered_at: TODAY,
            class: record.class,
            content: &record.content,
        }),
        &options,
    );
    let read = serde_json::from_slice::<serde_json::Value>(&made.json);
    assert!(read.is_ok_and(|document| document["type"] == "document"));
}

fn sealed_content(bytes: &[u8]) {
    let key = ContentKey::from_bytes(&[7; 16]);
    let whole = open_content(&key, b"", bytes);
    if let Ok(mut opener) = ChunkedOpener::new(bytes, &key, b"") {
        let streamed = std::io::copy(&mut opener, &mut std::io::sink());
        assert!(whole.is_err() || streamed.is_err(), "the two formats are told apart");
    }
    if let Ok(sealed) = SealedBox::from_bytes(bytes.to_vec()) {
        let again = sealed.to_string().parse::<SealedBox>();
        assert_eq!(again.ok(), Some(sealed), "its text gives it back");
    }
}

fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(did) = text.parse::<Did>() {
        assert_eq!(did.to_string(), text, "a DID has one text");
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string().to_ascii_lowercase(), text.to_ascii_lowercase());
    }
    if let Ok(signature) = text.parse::<Signature>() {
        assert_eq!(signature.to_string().parse(), Ok(signature));
    }
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    let _ = SeedPhrase::parse(text);
}

#[cfg(feature = "wallet")]
mod wallet {
    use amulet_wallet::card_code::CardCode;
    use amulet_wallet::keyfile::KeyFileHeader;
    use amulet_wallet::network::Network;

    use crate::{Target, seeds};

    pub(super) fn targets() -> Vec<Target> {
        vec![
            Target { name: "card_code", run: card_code, seeds: seeds::card_codes },
            Target { name: "network_file", run: network_file, seeds: seeds::network_files },
            Target { name: "wallet_file", run: wallet_file, seeds: seeds::wallet_files },
        ]
    }

    fn card_code(bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(code) = CardCode::parse(text) else { return };
        let again = CardCode::parse(&code.typed()).expect("what was read can be typed");
        assert_eq!(again.locator, code.locator);
        if let Some(text) = code.qr_text() {
            let again = CardCode::parse(&text).expect("what was read can be drawn");
            assert_eq!((again.locator, again.offline), (code.locator, code.offline));
        }
    }

    fn network_file(bytes: &[u8]) {
        if let Ok(network) = Network::parse(bytes) {
            assert!(network.genesis().validate().is_ok(), "a network file's validators are a set");
        }
    }

    fn wallet_file(bytes: &[u8]) {
        let _ = KeyFileHeader::read(bytes);
    }
}

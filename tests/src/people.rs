//! People's own keys, for asking a node what their wallet never would.

use crate::hospital::Hospital;
use crate::localnet::Localnet;
use amulet_crypto::kdf::SeedPhrase;
use amulet_light_client::{Clock, SystemClock};
use amulet_protocol::calls::DeclarationId;
use amulet_protocol::ids::{BlobId, ChainId, Did};
use amulet_protocol::light::{LightRequest, LightResponse, ReadGround, ReadRequest};
use amulet_wallet::identity::{Identity, Relationship};
use amulet_wallet::keyfile;

/// The keys of somebody of the demonstration, from their wallet file.
///
/// # Panics
/// When the file cannot be opened.
#[must_use]
pub fn keys_of(net: &Localnet, id: &str) -> Identity {
    let file =
        std::fs::read(net.path().join(format!("demo/{id}.amulet"))).expect("the person has a wallet file");
    let open = keyfile::open(&file, net.passphrase()).expect("the passphrase opens it");
    Identity::derive(&open.phrase.to_seed(), open.relationships[0])
}

/// The keys that recovery words and a hospital give.
///
/// # Panics
/// When the words are none.
#[must_use]
pub fn keys_from_words(words: &[String], hospital: Did) -> Identity {
    let phrase = SeedPhrase::parse(&words.join(" ")).expect("these are recovery words");
    Identity::derive(&phrase.to_seed(), Relationship::first(hospital))
}

/// Asks a hospital for ciphertexts in somebody's name.
///
/// # Panics
/// When the hospital does not answer.
#[must_use]
pub fn read(
    hospital: &Hospital,
    holder: Did,
    chain: ChainId,
    reader: &Identity,
    ground: ReadGround,
    blobs: Vec<BlobId>,
) -> LightResponse {
    let time = SystemClock.now();
    let request = ReadRequest { chain, reader: reader.did, holder, ground, blobs, time };
    let signed = request.sign(&reader.signing);
    hospital.ask(&LightRequest::Read(signed)).expect("the hospital answers")
}

/// The ground of a declaration.
#[must_use]
pub fn emergency(declaration: amulet_protocol::ids::TxId) -> ReadGround {
    ReadGround::Emergency(DeclarationId(declaration))
}

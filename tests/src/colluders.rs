//! Hospitals that give their validators' keys to somebody who forks the chain.

use crate::hospital::Hospital;
use crate::localnet::Localnet;
use amulet_crypto::signing::{SigningContext, SigningKey};
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate, UntrustedSignedHeader};
use amulet_protocol::header::Header;
use amulet_protocol::ids::ReplicaId;

/// The validators' keys of some hospitals, with their numbers.
pub struct Colluders(Vec<(ReplicaId, SigningKey)>);

impl Colluders {
    /// Those of these hospitals, by their numbers from 1.
    ///
    /// # Panics
    /// When a key is not where the node keeps it.
    #[must_use]
    pub fn of(net: &Localnet, numbers: &[usize]) -> Self {
        let validators = net.genesis().validate().expect("the genesis document is good");
        let keys = numbers.iter().map(|number| {
            let key = key_of(net.hospital(*number));
            let replica = validators.find(key.public_key()).expect("the hospital is a validator");
            (replica, key)
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by_key(|(replica, _)| *replica);
        Self(keys)
    }

    /// Who they are.
    pub fn replicas(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.0.iter().map(|(replica, _)| *replica)
    }

    /// Certifies a header, in its own view.
    #[must_use]
    pub fn certify(&self, header: Header) -> UntrustedSignedHeader {
        let vote = CommitVote { height: header.height, view: header.view, header_hash: header.hash() };
        let (tag, message) = (header.chain.tag(), vote.signed_bytes());
        let sign = |(replica, key): &(ReplicaId, SigningKey)| {
            (*replica, key.sign(SigningContext::Commit, &tag, &message))
        };
        let signatures = self.0.iter().map(sign).collect();
        UntrustedSignedHeader { header, certificate: UntrustedCommitCertificate { vote, signatures } }
    }
}

fn key_of(hospital: &Hospital) -> SigningKey {
    let text = std::fs::read_to_string(hospital.folder.join("keys/validator.key"));
    let bytes = hex::decode(text.expect("the node has a key").trim()).expect("a key file is hexadecimal");
    let bytes: [u8; 32] = bytes.try_into().expect("a key has 32 bytes");
    SigningKey::from_bytes(&bytes).expect("a key file holds a key")
}

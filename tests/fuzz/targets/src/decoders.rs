//! Decoders of the protocol: consensus, transactions, blocks, questions and answers of light clients.

use amulet_crypto::signing::{Signature, SigningContext};
use amulet_pbft::{LogRecord, UntrustedMessage, Verifier};
use amulet_protocol::block::{UntrustedBlock, UntrustedCertifiedBlock, transactions_tree};
use amulet_protocol::codec;
use amulet_protocol::evidence::Evidence;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::{
    BLOCK_BYTES_MAX, GENESIS_BYTES_MAX, LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX,
    TRANSACTION_BYTES_MAX,
};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::receipt::Receipt;
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::UntrustedTransaction;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::{Target, seeds};

pub(crate) fn targets() -> Vec<Target> {
    vec![
        Target { name: "consensus_message", run: consensus_message, seeds: seeds::consensus_messages },
        Target { name: "log_record", run: log_record, seeds: seeds::log_records },
        Target { name: "transaction", run: transaction, seeds: seeds::transactions },
        Target { name: "block", run: block, seeds: seeds::blocks },
        Target { name: "certified_block", run: certified_block, seeds: seeds::certified_blocks },
        Target { name: "light_request", run: light_request, seeds: seeds::light_requests },
        Target { name: "light_response", run: light_response, seeds: seeds::light_responses },
        Target { name: "evidence", run: evidence, seeds: seeds::evidence },
        Target { name: "genesis", run: genesis, seeds: seeds::genesis },
    ]
}

/// Decodes, and checks that each value has one encoding: identities and signatures are over encodings, so a second one
/// would be a second identity of the same thing.
pub(crate) fn decode_canonical<T: BorshDeserialize + BorshSerialize>(
    bytes: &[u8],
    limit: usize,
) -> Option<T> {
    let value: T = codec::decode(bytes, limit).ok()?;
    assert_eq!(codec::encode(&value), bytes, "each value has one encoding");
    Some(value)
}

/// Believes everybody, so that all checks but the signatures' are reached.
pub(crate) struct Gullible(pub(crate) Quorum);

impl Verifier for Gullible {
    fn epoch(&self) -> Epoch {
        Epoch(0)
    }

    fn quorum(&self) -> Quorum {
        self.0
    }

    fn is_valid(&self, _: ReplicaId, _: SigningContext, _: &[u8], _: &Signature) -> bool {
        true
    }
}

pub(crate) fn gullible() -> Gullible {
    Gullible(Quorum::for_size(4).expect("four validators are a set"))
}

fn consensus_message(bytes: &[u8]) {
    let Ok(message) = UntrustedMessage::decode(bytes) else { return };
    assert_eq!(message.message().encode(message.epoch()), bytes, "each message has one encoding");
    if let Ok(verified) = message.verify(&gullible()) {
        assert!(verified.sender().0 < 4, "a verified message is a validator's");
    }
}

fn log_record(bytes: &[u8]) {
    if let Some(record) = decode_canonical::<LogRecord>(bytes, BLOCK_BYTES_MAX) {
        assert!(!codec::encode(&record.key()).is_empty());
    }
}

fn chain() -> ChainId {
    seeds::chain()
}

fn transaction(bytes: &[u8]) {
    if let Some(transaction) = decode_canonical::<UntrustedTransaction>(bytes, TRANSACTION_BYTES_MAX) {
        check_transaction(transaction);
    }
}

fn check_transaction(transaction: UntrustedTransaction) {
    let hashed = transaction.hashed();
    let id = hashed.id();
    if let Ok(signed) = hashed.verify(chain()) {
        assert_eq!(signed.id(), id, "checking a signature does not change the identity");
    }
}

fn block(bytes: &[u8]) {
    if let Some(block) = decode_canonical::<UntrustedBlock>(bytes, BLOCK_BYTES_MAX) {
        assert_eq!(block.hash(), block.header.hash());
        let _ = transactions_tree(&block.transactions).root();
    }
}

fn certified_block(bytes: &[u8]) {
    if let Some(certified) = decode_canonical::<UntrustedCertifiedBlock>(bytes, BLOCK_BYTES_MAX) {
        let _ = certified.block.hash();
        let quorum = gullible();
        let _ = amulet_pbft::certificate::check_commit_certificate(&certified.certificate, &quorum);
    }
}

fn light_request(bytes: &[u8]) {
    match decode_canonical::<LightRequest>(bytes, LIGHT_REQUEST_BYTES_MAX) {
        Some(LightRequest::Submit(transaction)) => check_transaction(transaction),
        Some(LightRequest::Read(request)) => drop(request.verify(chain())),
        Some(LightRequest::Upload(upload)) => drop(upload.verify(chain())),
        _ => {}
    }
}

fn light_response(bytes: &[u8]) {
    let root = seeds::digest(b"root");
    match decode_canonical::<LightResponse>(bytes, LIGHT_RESPONSE_BYTES_MAX) {
        Some(LightResponse::RangeProof(proof)) => {
            for newer in [0, 1, proof.height.0, proof.height.0.saturating_add(1), u64::MAX] {
                let _ = proof.verify(Height(newer), root, HeaderHash(root));
            }
        }
        Some(LightResponse::State(proofs)) => {
            for proof in proofs {
                let key = StateKey::Identity(seeds::did());
                assert!(proof.verify::<Vec<u8>>(root, &key).is_err(), "nobody can forge a proof");
            }
        }
        Some(LightResponse::StateBatch(batch)) => {
            for keys in [
                vec![],
                vec![StateKey::Membership],
                vec![StateKey::Identity(seeds::did()), StateKey::Membership],
            ] {
                assert!(batch.verify(root, &keys).is_err(), "nobody can forge a proof");
            }
        }
        Some(LightResponse::Headers(headers)) => {
            let hashes: Vec<HeaderHash> = headers.headers.iter().map(|signed| signed.header.hash()).collect();
            for newer in [Height(9), Height(u64::MAX)] {
                assert!(headers.proof.verify(newer, root, &hashes).is_err(), "nobody can forge a proof");
            }
        }
        Some(LightResponse::Receipts(receipts)) => {
            let leaves: Vec<Vec<u8>> = receipts.receipts.iter().map(Receipt::leaf).collect();
            assert!(receipts.proof.verify(root, &leaves).is_err(), "nobody can forge a proof");
        }
        Some(LightResponse::Receipt(receipt)) => {
            let _ = receipt.proof.verify(root, &receipt.receipt.leaf());
        }
        Some(LightResponse::Transactions(transactions)) => {
            transactions.into_iter().take(2).for_each(check_transaction);
        }
        _ => {}
    }
}

fn evidence(bytes: &[u8]) {
    let Some(evidence) = decode_canonical::<Evidence>(bytes, BLOCK_BYTES_MAX) else { return };
    let verdict = evidence.check_by(Epoch(0), &|_, _, _, _| true);
    if let Ok(offender) = verdict {
        assert_eq!(offender, evidence.offender());
    }
    assert!(evidence.check_by(Epoch(0), &|_, _, _, _| false).is_err(), "evidence needs signatures");
}

fn genesis(bytes: &[u8]) {
    if let Some(genesis) = decode_canonical::<Genesis>(bytes, GENESIS_BYTES_MAX)
        && let Ok(validators) = genesis.validate()
    {
        assert!(validators.quorum().size() >= 4, "a set of fewer than four bears no fault");
    }
}

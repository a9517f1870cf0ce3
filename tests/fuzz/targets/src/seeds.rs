//! Valid encodings to start from, a few of each kind.

use std::io::Write;

use amulet_contracts::testing::{self, Actor};
use amulet_crypto::content::{ChunkedSealer, ContentKey, seal_content};
use amulet_crypto::digest::{Digest, Tag, tagged};
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::{Signature, SigningContext};
use amulet_pbft::certificate::Signatures;
use amulet_pbft::message::{
    Checkpoint, NewView, PayloadReply, PayloadRequest, Phase, PrePrepare, Prepare, Proposal, Status,
    ViewChange,
};
use amulet_pbft::{
    CheckpointCertificate, LogEntry, LogRecord, Message, Payload, PreparedCertificate, Signed, Signer,
};
use amulet_protocol::block::{UntrustedBlock, UntrustedCertifiedBlock};
use amulet_protocol::calls::Call;
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate, UntrustedSignedHeader};
use amulet_protocol::codec;
use amulet_protocol::evidence::Evidence;
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::ids::{
    BlobId, ChainId, Did, Epoch, HeaderHash, Height, Nonce, ReplicaId, Timestamp, TxId, View,
};
use amulet_protocol::light::{
    LightRefusal, LightRequest, LightResponse, UntrustedHeaders, UntrustedReceipts,
};
use amulet_protocol::merkle::ListTree;
use amulet_protocol::range::{UntrustedRangeBatch, UntrustedRangeProof};
use amulet_protocol::receipt::{Outcome, Receipt, RefusalCode};
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::{StateNode, UntrustedStateBatch};
use amulet_protocol::state_tree::UntrustedStateProof;
use amulet_protocol::transaction::UntrustedTransaction;
use borsh::BorshDeserialize;

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    tagged(Tag::new("amulet/test/fuzz"), &[bytes])
}

fn hospitals() -> Vec<Actor> {
    (0..4).map(Actor::new).collect()
}

pub(crate) fn chain() -> ChainId {
    testing::genesis(&hospitals()).chain_id()
}

pub(crate) fn did() -> Did {
    Actor::new(0).did
}

/// Signs with a signature of the right form that is nobody's.
struct Unsigned;

impl Signer for Unsigned {
    fn sign(&self, _: SigningContext, _: &[u8]) -> Signature {
        Signature::from_bytes([9; 64])
    }
}

fn signed<T: amulet_pbft::message::Content>(content: T, sender: u16) -> Signed<T> {
    Signed::new(content, ReplicaId(sender), &Unsigned)
}

fn proposal(view: u64, height: u64) -> (Proposal, Payload) {
    let payload = Payload::new(b"block".to_vec()).expect("a small payload");
    let proposal = Proposal {
        view: View(view),
        height: Height(height),
        parent: HeaderHash(digest(&[height as u8 - 1])),
        header_hash: HeaderHash(digest(&[height as u8])),
        payload_digest: payload.digest(),
    };
    (proposal, payload)
}

fn signatures(from: u16, count: u16) -> Signatures {
    (from..from + count).map(|replica| (ReplicaId(replica), Signature::from_bytes([9; 64]))).collect()
}

fn prepared(height: u64) -> PreparedCertificate {
    let pre_prepare = signed(PrePrepare { proposal: proposal(0, height).0 }, 0);
    let bytes = codec::encode(&(pre_prepare, signatures(1, 2)));
    PreparedCertificate::try_from_slice(&bytes).expect("a certificate is a pre-prepare and votes")
}

fn commit_certificate(height: u64) -> UntrustedCommitCertificate {
    let vote = CommitVote {
        height: Height(height),
        view: View(0),
        header_hash: HeaderHash(digest(&[height as u8])),
    };
    UntrustedCommitCertificate { vote, signatures: signatures(0, 3) }
}

fn view_change(sender: u16) -> Signed<ViewChange> {
    let content = ViewChange {
        new_view: View(1),
        base: Some(commit_certificate(3)),
        prepared: vec![prepared(4), prepared(5)],
    };
    signed(content, sender)
}

fn new_view() -> Signed<NewView> {
    let pre_prepares = [4, 5].map(|height| signed(PrePrepare { proposal: proposal(1, height).0 }, 1));
    let view_changes = (0..3).map(view_change).collect();
    signed(NewView { view: View(1), view_changes, pre_prepares: pre_prepares.to_vec() }, 1)
}

pub(crate) fn messages() -> Vec<Message> {
    let (proposed, payload) = proposal(0, 1);
    let vote = commit_certificate(1).vote;
    let status = Status {
        view: View(1),
        target: View(2),
        height: Height(7),
        stable: Height(4),
        phases: vec![Phase::Committing, Phase::AwaitingProposal],
    };
    let (height, payload_digest) = (Height(1), payload.digest());
    vec![
        Message::PrePrepare(signed(PrePrepare { proposal: proposed }, 0), payload.clone()),
        Message::Prepare(signed(Prepare { proposal: proposed }, 1)),
        Message::Commit(signed(vote, 2)),
        Message::Checkpoint(signed(Checkpoint { height: Height(4), header_hash: vote.header_hash }, 3)),
        Message::ViewChange(view_change(2)),
        Message::NewView(new_view()),
        Message::Status(signed(status, 1)),
        Message::PayloadRequest(signed(PayloadRequest { height, payload_digest }, 1)),
        Message::PayloadReply(signed(PayloadReply { height, payload_digest }, 1), payload),
    ]
}

pub(crate) fn consensus_messages() -> Vec<Vec<u8>> {
    messages().iter().map(|message| message.encode(Epoch(0))).collect()
}

pub(crate) fn log_records() -> Vec<Vec<u8>> {
    let (proposed, payload) = proposal(0, 1);
    let checkpoint = Checkpoint { height: Height(4), header_hash: proposed.header_hash };
    let entries = [
        LogEntry::Accepted(signed(PrePrepare { proposal: proposed }, 0), payload.clone()),
        LogEntry::Prepared(prepared(1), payload),
        LogEntry::ViewChange(view_change(1)),
        LogEntry::NewView(new_view()),
        LogEntry::Checkpoint(signed(checkpoint, 0)),
        LogEntry::Stable(CheckpointCertificate { checkpoint, signatures: signatures(0, 3) }),
        LogEntry::Lost,
    ];
    entries.map(|entry| codec::encode(&LogRecord { epoch: Epoch(0), entry })).to_vec()
}

fn calls() -> Vec<Call> {
    let (hospital, patient) = (Actor::new(0), Actor::new(10));
    vec![
        patient.registration(),
        Call::RegisterPractitioner(testing::practitioner(patient.did, testing::GENESIS_TIME)),
        Call::RegisterRecords(testing::records(0..3, hospital.did, &patient)),
        Call::RequestAccess(testing::request(patient.did, testing::GENESIS_TIME)),
        Call::PublishCard(testing::card(1, hospital.did)),
        Call::DeclareEmergency(testing::emergency(1)),
    ]
}

fn untrusted_transactions() -> Vec<UntrustedTransaction> {
    let sender = Actor::new(10);
    let number =
        |(index, call)| sender.sign_numbered(chain(), Nonce(index as u64 + 1), call).into_untrusted();
    calls().into_iter().enumerate().map(number).collect()
}

pub(crate) fn transactions() -> Vec<Vec<u8>> {
    untrusted_transactions().iter().map(codec::encode).collect()
}

fn header() -> Header {
    Header {
        version: HEADER_VERSION,
        chain: chain(),
        height: Height(1),
        time: Timestamp(testing::GENESIS_TIME.0 + 1),
        previous: HeaderHash(digest(b"previous")),
        transactions_root: digest(b"transactions"),
        receipts_root: digest(b"receipts"),
        state_root: digest(b"state"),
        range_root: digest(b"range"),
        validators_hash: digest(b"validators"),
        next_validators_hash: digest(b"validators"),
        proposer: ReplicaId(0),
        view: View(0),
    }
}

fn untrusted_block() -> UntrustedBlock {
    UntrustedBlock { header: header(), transactions: untrusted_transactions() }
}

fn untrusted_certified_block() -> UntrustedCertifiedBlock {
    UntrustedCertifiedBlock { block: untrusted_block(), certificate: commit_certificate(1) }
}

pub(crate) fn blocks() -> Vec<Vec<u8>> {
    let empty = UntrustedBlock { header: header(), transactions: Vec::new() };
    vec![codec::encode(&untrusted_block()), codec::encode(&empty)]
}

pub(crate) fn certified_blocks() -> Vec<Vec<u8>> {
    vec![codec::encode(&untrusted_certified_block())]
}

pub(crate) fn light_requests() -> Vec<Vec<u8>> {
    let transaction = untrusted_transactions().remove(0);
    let requests = [
        LightRequest::Latest,
        LightRequest::LatestUnless(HeaderHash(digest(b"header"))),
        LightRequest::HeaderAt(Height(1)),
        LightRequest::RangeProof { older: Height(1), newer: Height(9) },
        LightRequest::State { height: Height(1), keys: vec![StateKey::Identity(did())] },
        LightRequest::History { did: did(), from: 1, height: Height(1) },
        LightRequest::Transactions(vec![TxId(digest(b"transaction"))]),
        LightRequest::Receipt(TxId(digest(b"transaction"))),
        LightRequest::Submit(transaction),
        LightRequest::EpochEnd(Epoch(1)),
        LightRequest::StateBatch {
            height: Height(1),
            keys: vec![StateKey::Identity(did()), StateKey::Membership],
        },
        LightRequest::Headers { heights: vec![Height(1), Height(3)], newer: Height(9) },
        LightRequest::RangeBatch { heights: vec![Height(1), Height(3)], newer: Height(9) },
        LightRequest::Receipts { height: Height(1), transactions: vec![TxId(digest(b"transaction"))] },
    ];
    requests.iter().map(codec::encode).collect()
}

pub(crate) fn light_responses() -> Vec<Vec<u8>> {
    let header = UntrustedSignedHeader { header: header(), certificate: commit_certificate(1) };
    let tree = ListTree::new((0..5_u8).map(|leaf| vec![leaf]));
    let list_proof = tree.prove(2).expect("five leaves");
    let receipt = Receipt {
        transaction: TxId(digest(b"transaction")),
        outcome: Outcome::Refused { code: RefusalCode::NonceUsed },
    };
    let nodes = vec![
        StateNode::Branch,
        StateNode::Branch,
        StateNode::Asked,
        StateNode::Other { place: digest(b"place"), value_hash: digest(b"value") },
        StateNode::Beside(digest(b"beside")),
    ];
    let responses = [
        LightResponse::StateBatch(UntrustedStateBatch { values: vec![Some(vec![1]), None], nodes }),
        LightResponse::Headers(Box::new(UntrustedHeaders {
            headers: vec![header.clone(), header.clone()],
            proof: UntrustedRangeBatch {
                heights: vec![Height(1), Height(3)],
                hashes: vec![digest(b"hash"); 3],
            },
        })),
        LightResponse::Receipts(Box::new(UntrustedReceipts {
            header: header.clone(),
            receipts: vec![receipt.clone(), receipt],
            proof: tree.prove_many(vec![0, 3]).expect("five leaves"),
        })),
        LightResponse::Header(Box::new(header)),
        LightResponse::RangeProof(UntrustedRangeProof {
            height: Height(1),
            hashes: vec![digest(b"hash"); 3],
        }),
        LightResponse::State(vec![UntrustedStateProof {
            value: Some(vec![1]),
            proof: codec::encode(&list_proof),
        }]),
        LightResponse::Transactions(untrusted_transactions()),
        LightResponse::Submitted(TxId(digest(b"transaction"))),
        LightResponse::Blobs(vec![None, Some(vec![1; 40])]),
        LightResponse::Uploaded(BlobId(digest(b"blob"))),
        LightResponse::NotFound,
        LightResponse::Unchanged,
        LightResponse::RangeBatch(UntrustedRangeBatch {
            heights: vec![Height(1), Height(3)],
            hashes: vec![digest(b"hash"); 3],
        }),
        LightResponse::Refused(LightRefusal::Malformed),
    ];
    responses.iter().map(codec::encode).collect()
}

pub(crate) fn evidence() -> Vec<Vec<u8>> {
    let (first, mut second) = (proposal(0, 1).0, proposal(0, 1).0);
    second.header_hash = HeaderHash(digest(b"another"));
    let vote = |proposed: Proposal| CommitVote {
        height: proposed.height,
        view: proposed.view,
        header_hash: proposed.header_hash,
    };
    let checkpoint =
        |proposed: Proposal| Checkpoint { height: proposed.height, header_hash: proposed.header_hash };
    let pre_prepare = |proposal| signed(PrePrepare { proposal }, 0);
    let prepare = |proposal| signed(Prepare { proposal }, 1);
    let all = [
        Evidence::PrePrepares(pre_prepare(first), pre_prepare(second)),
        Evidence::Prepares(prepare(first), prepare(second)),
        Evidence::Commits(signed(vote(first), 1), signed(vote(second), 1)),
        Evidence::Checkpoints(signed(checkpoint(first), 1), signed(checkpoint(second), 1)),
    ];
    all.iter().map(codec::encode).collect()
}

pub(crate) fn genesis() -> Vec<Vec<u8>> {
    vec![codec::encode(&testing::genesis(&hospitals()))]
}

pub(crate) fn fhir_bundles() -> Vec<Vec<u8>> {
    let small = br#"{"resourceType":"Bundle","type":"collection","entry":[
        {"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","id":"p","name":[{"family":"Li","given":["Hua"]}],"birthDate":"1980-02-29"}},
        {"resource":{"resourceType":"AllergyIntolerance","id":"a","patient":{"reference":"urn:uuid:p"},"code":{"coding":[{"system":"http://snomed.info/sct","code":"91936005","display":"Allergy to penicillin"}]},"criticality":"high"}},
        {"resource":{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/p"},"code":{"text":"Glucose"},"valueQuantity":{"value":5.4,"unit":"mmol/L"},"effectiveDateTime":"2024-05-01T10:00:00+08:00"}}]}"#;
    let lines = br#"{"resourceType":"Patient","id":"p","gender":"female","birthDate":"1949-12-31","identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"11010519491231002X"}]}
{"resourceType":"Observation","id":"b","status":"final","subject":{"reference":"Patient/p"},"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":12,"unit":"mmHg"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":8,"unit":"mmHg"}}]}
{"resourceType":"Observation","id":"g","status":"final","issued":"2020-01-01T00:00:00Z","effectivePeriod":{"start":"2024-02-01","end":"2024-01-01"},"subject":{"reference":"Patient/q"},"code":{"coding":[{"system":"http://loinc.org","code":"882-1"}]},"valueCodeableConcept":{"text":"A Rh(D) positive"}}"#;
    vec![small.to_vec(), lines.to_vec()]
}

pub(crate) fn sealed_contents() -> Vec<Vec<u8>> {
    let key = ContentKey::from_bytes(&[7; 16]);
    let mut entropy = SeededEntropy::new(1);
    let whole = seal_content(&key, b"", b"content", &mut entropy).expect("a short content");
    let mut sealer =
        ChunkedSealer::new(Vec::new(), &key, b"", &mut entropy).expect("memory takes all that is written");
    sealer.write_all(&[1; 70_000]).expect("memory takes all that is written");
    let stream = sealer.finish().expect("memory takes all that is written");
    let sealed_key = codec::encode(&testing::sealed(&Actor::new(3), 32)).split_off(4);
    vec![whole, stream, sealed_key]
}

pub(crate) fn texts() -> Vec<Vec<u8>> {
    let actor = Actor::new(3);
    let texts = [
        actor.did.to_string(),
        actor.signing.public_key().to_string(),
        Signature::from_bytes([9; 64]).to_string(),
        digest(b"text").to_string(),
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
            .into(),
    ];
    texts.map(String::into_bytes).to_vec()
}

#[cfg(feature = "wallet")]
pub(crate) use wallet::{card_codes, network_files, wallet_files};

#[cfg(feature = "wallet")]
mod wallet {
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::kdf::Language;
    use amulet_crypto::passphrase::PassphraseParams;
    use amulet_protocol::calls::CardLocator;
    use amulet_wallet::card::CardSecret;
    use amulet_wallet::card_code::CardCode;
    use amulet_wallet::keyfile::{self, Role};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{Actor, chain, codec, did, hospitals, testing};

    pub(crate) fn card_codes() -> Vec<Vec<u8>> {
        let owner = Actor::new(3);
        let secret = CardSecret::from_bytes(&[5; 12]);
        let code = CardCode::new(CardLocator([1; 5]), secret, Vec::new(), &owner.signing, chain());
        let drawn = code.qr_text().expect("a code with facts is drawn");
        vec![drawn.into_bytes(), code.typed().into_bytes()]
    }

    pub(crate) fn network_files() -> Vec<Vec<u8>> {
        let hospitals = hospitals();
        let genesis = STANDARD.encode(codec::encode(&testing::genesis(&hospitals)));
        let node = |hospital: &Actor| {
            let did = hospital.did;
            format!(
                r#"{{"organisation":"{did}","http":"http://127.0.0.1:1","libp2p":["/ip4/127.0.0.1/tcp/1"]}}"#
            )
        };
        let nodes: Vec<String> = hospitals.iter().map(node).collect();
        let (chain, nodes) = (chain(), nodes.join(","));
        vec![
            format!(r#"{{"genesis":"{genesis}","chain":"{chain}","demo":true,"nodes":[{nodes}]}}"#)
                .into_bytes(),
        ]
    }

    pub(crate) fn wallet_files() -> Vec<Vec<u8>> {
        let mut entropy = SeededEntropy::new(1);
        let params = PassphraseParams::floor(&mut entropy);
        let wallet = keyfile::create(
            "Li Hua",
            Role::Patient,
            Language::English,
            &[did()],
            chain(),
            testing::GENESIS_TIME,
            "a long enough passphrase of mine",
            params,
            &mut entropy,
        );
        vec![wallet.expect("a new wallet").file]
    }
}

#[cfg(feature = "node")]
pub(crate) use node::{peer_requests, peer_responses};

#[cfg(feature = "node")]
mod node {
    use amulet_node::network::{PeerRequest, PeerResponse};
    use amulet_protocol::codec;
    use amulet_protocol::ids::{BlobId, Height};

    use super::{digest, untrusted_certified_block, untrusted_transactions};

    pub(crate) fn peer_requests() -> Vec<Vec<u8>> {
        let requests = [
            PeerRequest::Blocks { from: Height(1) },
            PeerRequest::StoreBlobs(vec![vec![1; 40], Vec::new()]),
            PeerRequest::Transactions(untrusted_transactions()),
            PeerRequest::DropBlobs(vec![BlobId(digest(b"blob"))]),
        ];
        requests.iter().map(codec::encode).collect()
    }

    pub(crate) fn peer_responses() -> Vec<Vec<u8>> {
        let responses = [
            PeerResponse::Blocks(vec![untrusted_certified_block()]),
            PeerResponse::Stored,
            PeerResponse::Refused,
        ];
        responses.iter().map(codec::encode).collect()
    }
}

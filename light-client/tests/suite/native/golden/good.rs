//! Good files: every kind of statement, across three epochs.

use super::Golden;
use crate::chain::{Chain, NOW, People, START, block_key};
use crate::network::Network;
use amulet_light_client::Wanted;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{Height, Timestamp, TxId};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::proof_file::UntrustedProofFile;
use amulet_protocol::state::StateKey;
use std::sync::Arc;

/// Last heights of the epochs before the last.
pub const TURNS: [u64; 2] = [7, 15];
/// Height of the block with several transactions.
pub const BUSY: u64 = 21;
/// Transactions of that block.
const MANY: u64 = 6;
/// Newest height.
pub const TIP: u64 = BUSY + 1;

/// The chain, and the files made from it, each before it was encoded.
pub struct Good {
    pub chain: Chain,
    pub files: Vec<(&'static str, UntrustedProofFile)>,
}

/// The chain of all files but the short ones.
pub fn chain() -> Chain {
    let mut chain = Chain::turning(BUSY - 1, &TURNS);
    let several = (0..MANY).map(|more| chain.people.transaction(BUSY + more)).collect();
    chain.push(several, Timestamp(START.0 + BUSY * 1_000));
    let last = chain.people.transaction(BUSY + MANY);
    chain.push(vec![last], Timestamp(START.0 + TIP * 1_000));
    chain
}

async fn export(chain: Chain, wanted: &[Wanted]) -> UntrustedProofFile {
    let network = Arc::new(Network::honest(chain));
    let client = network.client();
    client.sync(NOW).await.unwrap();
    client.export(wanted).await.unwrap()
}

fn header(height: u64) -> Wanted {
    Wanted::Header(Height(height))
}

fn receipt(nonce: u64) -> Wanted {
    Wanted::Receipt(People::new().transaction(nonce).id())
}

impl Good {
    pub async fn make() -> Self {
        let people = People::new();
        let patient = people.patient_did();
        let nobody = people.genesis.organisations[2].did();
        let history = StateKey::History(patient);
        let present = (2..20).step_by(2).map(block_key);
        let absent = (40..45).map(block_key);
        let several: Vec<StateKey> = present.chain(absent).chain([history.clone()]).collect();
        let batch: Vec<Wanted> = [BUSY, BUSY + 2, BUSY + 5, 3].map(receipt).into();
        let line = vec![receipt(9), Wanted::History(patient)];
        let everything =
            [line.clone(), batch.clone(), vec![Wanted::State(several.clone()), header(1), header(TIP)]];
        let wanted: Vec<(&'static str, Vec<Wanted>)> = vec![
            ("header-newest", vec![header(TIP)]),
            ("header-older", vec![header(5)]),
            ("header-genesis", vec![header(0)]),
            ("headers-batch", [1, 6, 7, 8, 16, TIP - 1].map(header).into()),
            ("state-present", vec![Wanted::State(vec![history])]),
            ("state-absent", vec![Wanted::State(vec![block_key(99)])]),
            ("state-batch", vec![Wanted::State(several)]),
            ("receipt", vec![receipt(2)]),
            ("receipts-batch", batch),
            ("history", vec![Wanted::History(patient)]),
            ("history-empty", vec![Wanted::History(nobody)]),
            ("log-line", line),
            ("everything", everything.concat()),
        ];
        let mut files = Vec::new();
        for (name, wanted) in wanted {
            files.push((name, export(chain(), &wanted).await));
        }
        files.push(("first-block", export(Chain::new(1), &[header(1)]).await));
        files.push(("no-epochs", export(Chain::new(5), &[header(2), Wanted::History(patient)]).await));
        let mut all_signed = files[0].1.clone();
        let chain = chain();
        all_signed.anchor =
            chain.people.signed_by(chain.keys_at(TIP), all_signed.anchor.header, &[0, 1, 2, 3]);
        files.push(("signed-by-all", all_signed));
        let mut other_state = files[4].1.clone();
        other_state.statements = vec![older_state(&chain)];
        (other_state.older, other_state.range) = older_header(&chain, 12);
        files.push(("state-of-an-older-block", other_state));
        Self { chain, files }
    }

    pub fn genesis(&self) -> Genesis {
        self.chain.people.genesis.clone()
    }

    pub fn files(&self) -> Vec<Golden> {
        self.files.iter().map(|(name, file)| Golden::good(name, file.encode())).collect()
    }

    /// The file of this name.
    pub fn file(&self, name: &str) -> UntrustedProofFile {
        self.files.iter().find(|(found, _)| *found == name).unwrap().1.clone()
    }

    /// The id of the transaction with this number.
    pub fn transaction(&self, nonce: u64) -> TxId {
        self.chain.people.transaction(nonce).id()
    }
}

fn older_state(chain: &Chain) -> amulet_protocol::proof_file::Statement {
    let keys = vec![block_key(12), block_key(13)];
    let batch = chain.prove_states(Height(12), &keys);
    amulet_protocol::proof_file::Statement::State { height: Height(12), keys, batch }
}

fn older_header(
    chain: &Chain,
    height: u64,
) -> (Vec<amulet_protocol::header::Header>, Vec<amulet_crypto::digest::Digest>) {
    let question = LightRequest::Headers { heights: vec![Height(height)], newer: Height(TIP) };
    let LightResponse::Headers(answer) = chain.answer(&question, Height(TIP)) else { panic!("no headers") };
    (answer.headers.iter().map(|signed| signed.header.clone()).collect(), answer.proof.hashes)
}

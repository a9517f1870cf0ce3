//! An honest chain of one patient's transactions, as four hospitals would make it.

use amulet_crypto::digest::{Digest, sm3};
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::{SigningContext, SigningKey};
use amulet_protocol::block::transactions_tree;
use amulet_protocol::calls::{Call, DeclineAccess, RegisterIdentity, RequestId};
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate, UntrustedSignedHeader};
use amulet_protocol::codec::encode;
use amulet_protocol::genesis::{GENESIS_VERSION, Genesis, Organisation};
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, Epoch, HeaderHash, Height, Nonce, ReplicaId, Timestamp, TxId};
use amulet_protocol::light::{
    LightRequest, LightResponse, UntrustedEpochEnd, UntrustedHeaderRun, UntrustedHeaders,
    UntrustedReceiptProof, UntrustedReceipts, UntrustedStep,
};
use amulet_protocol::merkle::ListTree;
use amulet_protocol::range::{
    RangeMerge, UntrustedRangeProof, prove_range, prove_range_many, range_leaf, range_root,
};
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::UntrustedStateBatch;
use amulet_protocol::state_tree::{TreeHasher, UntrustedStateProof, key_hash};
use amulet_protocol::transaction::{
    SignedTransaction, TRANSACTION_VERSION, Transaction, UntrustedTransaction,
};
use amulet_protocol::validators::{Validator, ValidatorSet};
use ckb_merkle_mountain_range::MMR;
use ckb_merkle_mountain_range::util::MemStore;
use jmt::JellyfishMerkleTree;
use jmt::mock::MockTreeStore;

/// Time of the genesis block.
pub const START: Timestamp = Timestamp(1_700_000_000_000);
/// The device's clock in these tests: an hour later.
pub const NOW: Timestamp = Timestamp(START.0 + 3_600_000);
/// Hospitals that sign.
pub const QUORUM: [u16; 3] = [0, 1, 2];

/// Number of history entries on one page of an honest node here, so that a short chain has several.
const PAGE: usize = 3;

/// Who takes part.
pub struct People {
    pub genesis: Genesis,
    pub validators: Vec<SigningKey>,
    pub patient: SigningKey,
    /// Whether those who validate later by other keys are organisations of their own.
    newcomers: bool,
    agreement: AgreementKey,
}

struct Block {
    signed: UntrustedSignedHeader,
    transactions: Vec<UntrustedTransaction>,
    receipts: Vec<Receipt>,
}

/// The chain, with everything a node keeps.
pub struct Chain {
    pub people: People,
    blocks: Vec<Block>,
    range: MemStore<Digest>,
    range_leaves: u64,
    state: MockTreeStore,
    /// What the next block writes beside the patient's history.
    writes: Vec<(StateKey, Vec<u8>)>,
    entries: Vec<HistoryEntry>,
    head: HistoryHead,
    /// Last height of each epoch, and the keys of the next.
    turns: Vec<(u64, Vec<SigningKey>)>,
}

impl People {
    /// Four hospitals and a patient; always the same.
    pub fn new() -> Self {
        let mut entropy = SeededEntropy::new(7);
        let organisations: Vec<SigningKey> = (0..4).map(|_| SigningKey::generate(&mut entropy)).collect();
        let validators: Vec<SigningKey> = (0..4).map(|_| SigningKey::generate(&mut entropy)).collect();
        let members = validators.iter().zip(&organisations).map(|(key, organisation)| Validator {
            organisation: Did::of_key(organisation.public_key()),
            key: key.public_key().clone(),
            peer_id: vec![],
        });
        let genesis = Genesis {
            version: GENESIS_VERSION,
            network: "test".into(),
            time: START,
            organisations: organisations
                .iter()
                .enumerate()
                .map(|(i, key)| Organisation {
                    name_en: format!("Hospital {i}"),
                    name_zh: format!("第{i}医院"),
                    key: key.public_key().clone(),
                })
                .collect(),
            validators: members.collect(),
        };
        let patient = SigningKey::generate(&mut entropy);
        Self {
            genesis,
            validators,
            patient,
            newcomers: false,
            agreement: AgreementKey::generate(&mut entropy),
        }
    }

    pub fn patient_did(&self) -> Did {
        Did::of_key(self.patient.public_key())
    }

    /// Signs a header by these validators of the genesis document.
    pub fn signed(&self, header: Header, signers: &[u16]) -> UntrustedSignedHeader {
        self.signed_by(&self.validators, header, signers)
    }

    /// Signs a header by some of these keys.
    pub fn signed_by(&self, keys: &[SigningKey], header: Header, signers: &[u16]) -> UntrustedSignedHeader {
        let vote = CommitVote { height: header.height, view: header.view, header_hash: header.hash() };
        let tag = self.genesis.chain_id().tag();
        let sign = |signer: &u16| {
            let key = &keys[usize::from(*signer)];
            (ReplicaId(*signer), key.sign(SigningContext::Commit, &tag, &vote.signed_bytes()))
        };
        let certificate = UntrustedCommitCertificate { vote, signatures: signers.iter().map(sign).collect() };
        UntrustedSignedHeader { certificate, header }
    }

    /// The key that a validator has at some time: the genesis document's for the first four numbers.
    fn key_of(&self, place: usize, number: u64) -> SigningKey {
        if number < 4 {
            return SigningKey::from_bytes(&self.validators[place].expose_secret()).unwrap();
        }
        SigningKey::generate(&mut SeededEntropy::new(number))
    }

    /// The set in which the organisations of the genesis document validate by these keys; or, where newcomers may join, each
    /// other key is that of an organisation of its own.
    pub fn set_of(&self, keys: &[SigningKey]) -> ValidatorSet {
        let is_founder = |key: &SigningKey| {
            self.genesis.validators.iter().any(|validator| validator.key == *key.public_key())
        };
        let validator = |(key, organisation): (&SigningKey, &Organisation)| {
            let key_did = Did::of_key(key.public_key());
            let joined = self.newcomers && !is_founder(key);
            Validator {
                organisation: if joined { key_did } else { organisation.did() },
                key: key.public_key().clone(),
                peer_id: vec![],
            }
        };
        ValidatorSet::new(keys.iter().zip(&self.genesis.organisations).map(validator).collect()).unwrap()
    }

    /// The patient's transaction number `nonce`: the first registers, the others decline requests.
    pub fn transaction(&self, nonce: u64) -> SignedTransaction {
        let call = if nonce == 1 {
            Call::RegisterIdentity(RegisterIdentity {
                signing: self.patient.public_key().clone(),
                agreement: self.agreement.public_key().clone(),
            })
        } else {
            Call::DeclineAccess(DeclineAccess { request: request(nonce) })
        };
        let chain = self.genesis.chain_id();
        let nonce = Nonce(nonce);
        Transaction { version: TRANSACTION_VERSION, chain, sender: self.patient_did(), nonce, call }
            .sign(&self.patient)
    }
}

/// A key under which each block leaves its height in the state, so that there is more in it than one history.
pub fn block_key(height: u64) -> StateKey {
    StateKey::ValidatorKey(sm3(&height.to_be_bytes()))
}

fn request(nonce: u64) -> RequestId {
    RequestId(TxId(sm3(&nonce.to_be_bytes())))
}

impl Chain {
    /// A chain with this many blocks after the genesis, one transaction in each.
    pub fn new(blocks: u64) -> Self {
        Self::forked(blocks, u64::MAX)
    }

    /// A chain that equals every other up to height `fork - 1` and differs from there on.
    pub fn forked(blocks: u64, fork: u64) -> Self {
        Self::made(blocks, fork, &[])
    }

    /// A chain in which all validators replace their keys after each of these heights.
    pub fn turning(blocks: u64, turns: &[u64]) -> Self {
        Self::made(blocks, u64::MAX, turns)
    }

    /// The same, with a fork.
    pub fn forked_turning(blocks: u64, fork: u64, turns: &[u64]) -> Self {
        Self::made(blocks, fork, turns)
    }

    /// A chain in which one validator replaces its key after each of these heights, one after the other.
    pub fn sliding(blocks: u64, turns: &[u64]) -> Self {
        let replaced: Vec<Vec<usize>> = (0..turns.len()).map(|turn| vec![turn % 4]).collect();
        Self::replacing(blocks, &turns.iter().copied().zip(replaced).collect::<Vec<_>>())
    }

    /// A chain in which after each of these heights the validators at these places are replaced by other organisations.
    pub fn joined(blocks: u64, turns: &[(u64, Vec<usize>)]) -> Self {
        Self::forked_joined(blocks, u64::MAX, turns)
    }

    /// The same, with a fork.
    pub fn forked_joined(blocks: u64, fork: u64, turns: &[(u64, Vec<usize>)]) -> Self {
        Self::with_turns(blocks, fork, turns, true)
    }

    /// A chain in which after each of these heights the validators at these places replace their keys.
    pub fn replacing(blocks: u64, turns: &[(u64, Vec<usize>)]) -> Self {
        Self::forked_replacing(blocks, u64::MAX, turns)
    }

    /// The same, with a fork.
    pub fn forked_replacing(blocks: u64, fork: u64, turns: &[(u64, Vec<usize>)]) -> Self {
        Self::with_turns(blocks, fork, turns, false)
    }

    fn made(blocks: u64, fork: u64, turns: &[u64]) -> Self {
        let all = |last: &u64| (*last, vec![0, 1, 2, 3]);
        Self::with_turns(blocks, fork, &turns.iter().map(all).collect::<Vec<_>>(), false)
    }

    fn with_turns(blocks: u64, fork: u64, replaced: &[(u64, Vec<usize>)], newcomers: bool) -> Self {
        let people = People { newcomers, ..People::new() };
        let mut seats: Vec<u64> = (0..4).collect();
        let mut turns = Vec::new();
        for (last, places) in replaced {
            for place in places {
                seats[*place] = 1_000 + last * 4 + *place as u64;
            }
            let keys = seats.iter().enumerate().map(|(place, seat)| people.key_of(place, *seat)).collect();
            turns.push((*last, keys));
        }
        let mut chain = Self {
            people,
            blocks: Vec::new(),
            range: MemStore::default(),
            range_leaves: 0,
            state: MockTreeStore::default(),
            writes: Vec::new(),
            entries: Vec::new(),
            head: HistoryHead::default(),
            turns,
        };
        chain.push(vec![], START);
        for height in 1..=blocks {
            let later = u64::from(height >= fork);
            let transaction = chain.people.transaction(height);
            chain.push(vec![transaction], Timestamp(START.0 + height * 1_000 + later));
        }
        chain
    }

    pub fn tip(&self) -> Height {
        Height(self.blocks.len() as u64 - 1)
    }

    pub fn signed_at(&self, height: u64) -> UntrustedSignedHeader {
        self.blocks[height as usize].signed.clone()
    }

    pub fn hash_at(&self, height: u64) -> HeaderHash {
        self.signed_at(height).header.hash()
    }

    pub fn entries(&self) -> &[HistoryEntry] {
        &self.entries
    }

    /// Head of the patient's history after this many entries.
    pub fn history_head(&self, entries: usize) -> HistoryHead {
        self.entries[..entries].iter().fold(HistoryHead::default(), |head, entry| head.push(entry).unwrap())
    }

    /// Adds a block with these transactions.
    pub fn push(&mut self, transactions: Vec<SignedTransaction>, time: Timestamp) {
        let height = Height(self.blocks.len() as u64);
        let patient = self.people.patient_did();
        let mut receipts = Vec::new();
        for transaction in &transactions {
            let number = self.head.count + 1;
            let event = match &transaction.transaction().call {
                Call::DeclineAccess(call) => {
                    Event::AccessDeclined { request: call.request, practitioner: patient }
                }
                _ => Event::IdentityRegistered,
            };
            let entry =
                HistoryEntry { number, height, time, transaction: transaction.id(), event: event.clone() };
            self.head = self.head.push(&entry).unwrap();
            self.entries.push(entry);
            let outcome = Outcome::Applied { events: vec![(patient, number, event)] };
            receipts.push(Receipt { transaction: transaction.id(), outcome });
        }
        let header = self.header(&transactions, &receipts, time);
        let signed = self.people.signed_by(self.keys_at(height.0), header, &QUORUM);
        let transactions =
            transactions.iter().map(|transaction| transaction.as_untrusted().clone()).collect();
        self.blocks.push(Block { signed, transactions, receipts });
    }

    fn header(
        &mut self,
        transactions: &[SignedTransaction],
        receipts: &[Receipt],
        time: Timestamp,
    ) -> Header {
        let height = Height(self.blocks.len() as u64);
        let untrusted: Vec<_> =
            transactions.iter().map(|transaction| transaction.as_untrusted().clone()).collect();
        Header {
            version: HEADER_VERSION,
            chain: self.people.genesis.chain_id(),
            height,
            time,
            previous: height.previous().map_or(HeaderHash(Digest::ZERO), |previous| self.hash_at(previous.0)),
            transactions_root: transactions_tree(&untrusted).root(),
            receipts_root: ListTree::new(receipts.iter().map(Receipt::leaf)).root(),
            state_root: self.write_state(height),
            range_root: self.extend_range(height),
            validators_hash: self.set_at(height.0).hash(),
            next_validators_hash: self.set_at(height.0 + 1).hash(),
            proposer: ReplicaId(0),
            view: self.epoch_at(height.0).first_view(),
        }
    }

    /// The keys that certify the block at a height.
    pub fn keys_at(&self, height: u64) -> &[SigningKey] {
        let turned = self.turns.iter().rev().find(|(last, _)| *last < height);
        turned.map_or(&self.people.validators, |(_, keys)| keys)
    }

    pub fn set_at(&self, height: u64) -> ValidatorSet {
        self.people.set_of(self.keys_at(height))
    }

    /// The epoch of the block at a height.
    pub fn epoch_at(&self, height: u64) -> Epoch {
        Epoch(self.turns.iter().filter(|(last, _)| *last < height).count() as u64)
    }

    /// How an epoch ended, with the set that certified it.
    pub fn step(&self, epoch: usize) -> UntrustedStep {
        let end = self.epoch_end(epoch);
        UntrustedStep { validators: Some(self.set_at(end.header.header.height.0)), ..end.into() }
    }

    /// Headers from a height on, and the sets that follow on those that end an epoch.
    pub fn run(&self, from: u64, count: u64) -> UntrustedHeaderRun {
        let heights = from..(from + count).min(self.tip().0 + 1);
        let ends = heights.clone().filter(|height| self.epoch_at(*height) != self.epoch_at(height + 1));
        UntrustedHeaderRun {
            headers: heights.map(|height| self.signed_at(height)).collect(),
            next: ends.map(|height| self.set_at(height + 1)).collect(),
        }
    }

    /// How an epoch ended.
    pub fn epoch_end(&self, epoch: usize) -> UntrustedEpochEnd {
        let last = self.turns[epoch].0;
        UntrustedEpochEnd { header: self.signed_at(last), next: self.set_at(last + 1) }
    }

    /// Has the next block write a value.
    pub fn write(&mut self, key: StateKey, value: &impl borsh::BorshSerialize) {
        self.writes.push((key, encode(value)));
    }

    fn write_state(&mut self, height: Height) -> Digest {
        let head = (StateKey::History(self.people.patient_did()), encode(&self.head));
        let own = [head, (block_key(height.0), encode(&height))];
        let written = self.writes.drain(..).chain(own);
        let values: Vec<_> = written.map(|(key, value)| (key_hash(&key), Some(value))).collect();
        let tree = JellyfishMerkleTree::<_, TreeHasher>::new(&self.state);
        let (root, batch) = tree.put_value_set(values, height.0).unwrap();
        self.state.write_tree_update_batch(batch).unwrap();
        Digest::from_bytes(root.0)
    }

    /// The range over all headers below `height`.
    fn extend_range(&mut self, height: Height) -> Digest {
        let Some(previous) = height.previous() else { return range_root(0, None) };
        let leaf = range_leaf(self.hash_at(previous.0));
        let size = amulet_protocol::range::range_size(self.range_leaves);
        let mut range: MMR<Digest, RangeMerge, _> = MMR::new(size, &self.range);
        range.push(leaf).unwrap();
        self.range_leaves += 1;
        let root = range.get_root().unwrap();
        range.commit().unwrap();
        range_root(self.range_leaves, Some(root))
    }

    /// The proof that a header is in the range of a newer one.
    pub fn range_proof(&self, older: u64, newer: u64) -> UntrustedRangeProof {
        prove_range(&self.range, Height(older), Height(newer)).unwrap()
    }

    /// What an honest node whose newest block is `tip` answers.
    pub fn answer(&self, question: &LightRequest, tip: Height) -> LightResponse {
        let has = |height: &Height| *height <= tip;
        match question {
            LightRequest::LatestUnless(known) if *known == self.hash_at(tip.0) => LightResponse::Unchanged,
            LightRequest::Latest | LightRequest::LatestUnless(_) => {
                LightResponse::Header(Box::new(self.signed_at(tip.0)))
            }
            LightRequest::HeaderAt(height) if has(height) => {
                LightResponse::Header(Box::new(self.signed_at(height.0)))
            }
            LightRequest::RangeProof { older, newer } if has(newer) && older < newer => {
                LightResponse::RangeProof(prove_range(&self.range, *older, *newer).unwrap())
            }
            LightRequest::State { height, keys } if has(height) => {
                LightResponse::State(keys.iter().map(|key| self.prove_state(*height, key)).collect())
            }
            LightRequest::History { did, from, height }
                if has(height) && *did == self.people.patient_did() =>
            {
                let wanted = |entry: &&HistoryEntry| entry.number >= *from && entry.height <= *height;
                LightResponse::History(self.entries.iter().filter(wanted).take(PAGE).cloned().collect())
            }
            LightRequest::StateBatch { height, keys } if has(height) => {
                LightResponse::StateBatch(self.prove_states(*height, keys))
            }
            LightRequest::Headers { heights, newer } if has(newer) => {
                LightResponse::Headers(Box::new(UntrustedHeaders {
                    headers: heights.iter().map(|height| self.signed_at(height.0)).collect(),
                    proof: prove_range_many(&self.range, heights.clone(), *newer).unwrap(),
                }))
            }
            LightRequest::RangeBatch { heights, newer } if has(newer) => {
                LightResponse::RangeBatch(prove_range_many(&self.range, heights.clone(), *newer).unwrap())
            }
            LightRequest::Receipts { height, transactions } if has(height) => {
                self.receipts(*height, transactions).unwrap_or(LightResponse::NotFound)
            }
            LightRequest::Transactions(ids) => {
                LightResponse::Transactions(ids.iter().map_while(|id| self.transaction(*id, tip)).collect())
            }
            LightRequest::Receipt(id) => self.receipt(*id, tip).unwrap_or(LightResponse::NotFound),
            LightRequest::EpochEnd(epoch) if (epoch.0 as usize) < self.turns.len() => {
                let end = self.epoch_end(epoch.0 as usize);
                if has(&end.header.header.height) {
                    LightResponse::EpochEnd(Box::new(end))
                } else {
                    LightResponse::NotFound
                }
            }
            LightRequest::EpochEndWithSet(epoch) if (epoch.0 as usize) < self.turns.len() => {
                let step = self.step(epoch.0 as usize);
                if has(&step.header.header.height) {
                    LightResponse::EpochEndWithSet(Box::new(step))
                } else {
                    LightResponse::NotFound
                }
            }
            LightRequest::Validators(height) if *height <= tip.next() => {
                LightResponse::Validators(Box::new(self.set_at(height.0)))
            }
            LightRequest::HeaderRun { from, count } if has(from) => {
                let count = u64::from(*count).min(tip.0 + 1 - from.0);
                LightResponse::HeaderRun(Box::new(self.run(from.0, count)))
            }
            LightRequest::Submit(transaction) => LightResponse::Submitted(transaction.transaction.id()),
            _ => LightResponse::NotFound,
        }
    }

    fn prove_state(&self, height: Height, key: &StateKey) -> UntrustedStateProof {
        let tree = JellyfishMerkleTree::<_, TreeHasher>::new(&self.state);
        let (value, proof) = tree.get_with_proof(key_hash(key), height.0).unwrap();
        UntrustedStateProof::new(value, &proof)
    }

    pub fn prove_states(&self, height: Height, keys: &[StateKey]) -> UntrustedStateBatch {
        let proofs = keys.iter().map(|key| (key.clone(), self.prove_state(height, key))).collect();
        UntrustedStateBatch::join(proofs).unwrap()
    }

    fn receipts(&self, height: Height, asked: &[TxId]) -> Option<LightResponse> {
        let block = &self.blocks[height.0 as usize];
        let place = |id: &TxId| block.receipts.iter().position(|receipt| receipt.transaction == *id);
        let mut indices: Vec<u32> =
            asked.iter().map(|id| place(id).map(|at| at as u32)).collect::<Option<_>>()?;
        indices.sort_unstable();
        Some(LightResponse::Receipts(Box::new(UntrustedReceipts {
            header: block.signed.clone(),
            receipts: indices.iter().map(|index| block.receipts[*index as usize].clone()).collect(),
            proof: ListTree::new(block.receipts.iter().map(Receipt::leaf)).prove_many(indices)?,
        })))
    }

    fn transaction(&self, id: TxId, tip: Height) -> Option<UntrustedTransaction> {
        let below = &self.blocks[..=tip.0 as usize];
        below.iter().flat_map(|block| &block.transactions).find(|found| found.transaction.id() == id).cloned()
    }

    fn receipt(&self, id: TxId, tip: Height) -> Option<LightResponse> {
        for block in &self.blocks[..=tip.0 as usize] {
            if let Some(index) = block.receipts.iter().position(|receipt| receipt.transaction == id) {
                return Some(LightResponse::Receipt(Box::new(UntrustedReceiptProof {
                    header: block.signed.clone(),
                    receipt: block.receipts[index].clone(),
                    proof: ListTree::new(block.receipts.iter().map(Receipt::leaf)).prove(index).unwrap(),
                })));
            }
        }
        None
    }
}

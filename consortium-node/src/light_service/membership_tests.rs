//! Devices that go on working while the validators change: light clients against this service over a real ledger.
#![allow(clippy::unwrap_used)]

use super::LightService;
use crate::ledger::{ExecutedBlock, Ledger, ProposalInput};
use crate::mempool::Mempool;
use crate::testing::{NOW, World};
use amulet_contracts::testing::{Actor, addition, candidate, contradiction, genesis};
use amulet_crypto::signing::SigningContext;
use amulet_light_client::verifier::{StepVerdict, Verifier};
use amulet_light_client::{
    Clock, LightClient, MemoryStore, NodeIndex, NodeInfo, Transport, TransportError, TrustParams,
};
use amulet_protocol::calls::{Call, ReportEvidence};
use amulet_protocol::certificate::{CommitVote, UntrustedCommitCertificate};
use amulet_protocol::evidence::EvidenceRecord;
use amulet_protocol::governance::{
    ApproveMembership, EpochState, MembershipChange, ProposalId, ProposeMembership, RotateValidatorKey, Seat,
};
use amulet_protocol::ids::{Epoch, Height, ReplicaId, Timestamp};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::receipt::Outcome;
use amulet_protocol::state::{Identity, StateKey};
use amulet_protocol::state_tree::Proven;
use amulet_protocol::transaction::SignedTransaction;
use amulet_protocol::validators::ValidatorSet;
use std::sync::Arc;
use std::time::Duration;

const AT_ONCE: Height = Height(0);
/// Longer than a loaded machine takes for a block.
const LIMIT: Duration = Duration::from_secs(60);

/// Every hospital's node, in this process.
struct Nodes(LightService);

#[async_trait::async_trait]
impl Transport for Nodes {
    async fn ask(&self, _: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        Ok(self.0.answer(request.clone()).await)
    }
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Signs as those of `keys` who are validators when the block is made.
fn certify(keys: &[Actor], block: &ExecutedBlock) -> UntrustedCommitCertificate {
    let header = block.header();
    let vote = CommitVote { height: header.height, view: header.view, header_hash: header.hash() };
    let signatures = keys.iter().filter_map(|key| {
        let replica = block.epoch().validators.find(key.signing.public_key())?;
        Some((replica, key.signing.sign(SigningContext::Commit, &header.chain.tag(), &vote.signed_bytes())))
    });
    let mut signatures: Vec<_> = signatures.collect();
    signatures.sort_by_key(|(replica, _)| *replica);
    UntrustedCommitCertificate { vote, signatures }
}

fn commit(ledger: &Ledger, keys: &[Actor], transactions: Vec<SignedTransaction>) {
    let view = ledger.epoch().epoch.first_view();
    let proposer = ledger.validators().primary(view);
    let block =
        ledger.execute(&[], ProposalInput { transactions, time: Timestamp(0), proposer, view }).unwrap();
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused { .. });
    assert!(!block.receipts().iter().any(|receipt| refused(&receipt.outcome)), "{:?}", block.receipts());
    ledger.commit(&block, certify(keys, &block)).unwrap();
}

/// Hospitals 1 to 4 of [`World`], number 5 who joins, and 30 and 31, keys that take the place of others.
fn keys() -> Vec<Actor> {
    [1, 2, 3, 4, 5, 30, 31].map(Actor::new).into()
}

/// A consortium whose members change, and the devices that watch it.
struct Consortium {
    world: World,
    hospitals: Vec<Actor>,
    service: LightService,
}

impl Consortium {
    fn new() -> Self {
        let mut world = World::new();
        let service = world.light(&world.network(&[1, 2, 3]));
        // The world keeps its own, so that their numbers go on where it stopped.
        let mut hospitals = std::mem::take(&mut world.hospitals);
        hospitals.push(Actor::new(5));
        run_consensus(world.ledger.clone(), world.mempool.clone());
        Self { world, hospitals, service }
    }

    fn device(&self, disk: &Arc<MemoryStore>) -> LightClient {
        let founders: Vec<Actor> = (1..=4).map(Actor::new).collect();
        let nodes = founders.iter().map(|hospital| NodeInfo { organisation: hospital.did }).collect();
        let transport = Arc::new(Nodes(self.service.clone()));
        let (store, params) = (Box::new(disk.clone()), TrustParams::default());
        let client = LightClient::new(&genesis(&founders), nodes, transport, store, params).unwrap();
        client.with_clock(Arc::new(Fixed))
    }

    /// Has a hospital's transaction committed, and gives its id.
    fn call(&mut self, by: usize, call: Call) -> ProposalId {
        let transaction = self.hospitals[by].sign(self.world.chain(), call);
        let id = ProposalId(transaction.id());
        commit(&self.world.ledger, &keys(), vec![transaction]);
        id
    }

    fn decide(&mut self, change: MembershipChange, approvals: &[usize]) {
        let call = ProposeMembership { change, not_before: AT_ONCE };
        let proposal = self.call(0, Call::ProposeMembership(Box::new(call)));
        for by in approvals {
            self.call(*by, Call::ApproveMembership(ApproveMembership { proposal }));
        }
    }

    /// Three changes: a hospital joins, one rotates its key, one leaves.
    fn join(&mut self) {
        let change = addition(&self.hospitals[4], self.world.chain());
        self.decide(change, &[1, 2]);
    }

    fn rotate(&mut self) {
        let (seat, organisation) = (Seat(2), self.hospitals[2].did);
        let candidate = candidate(&Actor::new(30), self.world.chain(), organisation, Some(seat));
        let call = RotateValidatorKey { seat, candidate, not_before: AT_ONCE };
        self.call(2, Call::RotateValidatorKey(Box::new(call)));
    }

    fn leave(&mut self) {
        self.decide(MembershipChange::Remove { seat: Seat(1) }, &[2, 3, 4]);
    }
}

fn genesis_set() -> ValidatorSet {
    genesis(&(1..=4).map(Actor::new).collect::<Vec<_>>()).validate().unwrap()
}

/// Commits what comes into the queue, as the validators of the time would.
fn run_consensus(ledger: Ledger, mempool: Mempool) {
    tokio::spawn(async move {
        let keys = keys();
        let mut waiting = mempool.subscribe();
        waiting.mark_changed();
        while waiting.changed().await.is_ok() {
            let batch: Vec<_> = mempool.batch().into_iter().map(Arc::unwrap_or_clone).collect();
            if !batch.is_empty() {
                let ids: Vec<_> = batch.iter().map(SignedTransaction::id).collect();
                commit(&ledger, &keys, batch);
                mempool.remove(&ids);
            }
        }
    });
}

/// A person registers from this device, with proof.
async fn register(device: &LightClient, person: u64) -> amulet_light_client::ProvenReceipt {
    let mut person = Actor::new(person);
    let call = person.registration();
    let transaction = person.sign(device.chain(), call);
    let proven = device.submit_and_wait(&transaction, LIMIT).await.unwrap();
    assert!(matches!(proven.receipt.outcome, Outcome::Applied { .. }));
    let identity: Proven<Identity> = device.state(&StateKey::Identity(person.did)).await.unwrap();
    assert!(matches!(identity, Proven::Present(_)));
    proven
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_works_on_while_hospitals_join_leave_and_replace_their_keys() {
    let mut consortium = Consortium::new();
    let disk = Arc::new(MemoryStore::default());
    let device = consortium.device(&disk);
    device.sync(NOW).await.unwrap();
    let first = register(&device, 100).await;
    assert_eq!((device.epoch(), first.header.header.validators()), (Epoch(0), 4));

    consortium.join();
    let second = register(&device, 101).await;
    assert_eq!((device.epoch(), second.header.header.validators()), (Epoch(1), 5));
    consortium.rotate();
    consortium.leave();
    let third = register(&device, 102).await;
    assert_eq!((device.epoch(), third.header.header.validators()), (Epoch(3), 4));
    assert_eq!(*device.validators(), consortium.world.ledger.validators());

    // A receipt from before the changes is proven by the set that signed it.
    for old in [&first, &second] {
        let height = old.header.header.height();
        let proven = device.header_at(height).await.unwrap().header;
        let set = consortium.world.ledger.validators_at(height).unwrap().unwrap();
        assert_eq!((proven.hash(), &**proven.validator_set()), (old.header.header.hash(), &set));
    }
    let history = device.history(Actor::new(100).did, amulet_protocol::history::HistoryHead::default()).await;
    assert_eq!(history.unwrap().entries.len(), 1);

    // The program ends and starts again; another device begins with the genesis document.
    drop(device);
    let again = consortium.device(&disk);
    again.restore().await;
    assert_eq!(again.epoch(), Epoch(3));
    register(&again, 103).await;
    let fresh = consortium.device(&Arc::default());
    assert_eq!(fresh.sync(NOW).await.unwrap().head.height(), consortium.world.ledger.tip().height);
    assert_eq!(fresh.epoch(), Epoch(3));
    register(&fresh, 104).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_checks_every_header_and_a_light_client_only_what_it_needs() {
    let mut consortium = Consortium::new();
    consortium.join();
    consortium.rotate();
    consortium.leave();
    let service = consortium.service.clone();
    let ledger = &consortium.world.ledger;
    let tip = ledger.tip().height;
    let ask = async |question| service.answer(question).await;

    let mut verifier = Verifier::new(ledger.chain(), genesis_set(), TrustParams::default());
    let LightResponse::HeaderRun(run) = ask(LightRequest::HeaderRun { from: Height(1), count: 512 }).await
    else {
        panic!("no headers")
    };
    assert_eq!(verifier.verify_run(None, *run, NOW).unwrap().len() as u64, tip.0);
    assert_eq!((verifier.epoch(), &**verifier.validators()), (Epoch(3), &ledger.validators()));
    assert_eq!(ask(LightRequest::HeaderRun { from: tip.next(), count: 1 }).await, LightResponse::NotFound);
    for (from, count) in [(Height(0), 1), (Height(1), 0), (Height(1), 513)] {
        let refused = LightResponse::Refused(LightRefusal::Malformed);
        assert_eq!(ask(LightRequest::HeaderRun { from, count }).await, refused);
    }

    // Three of the four who were there at the start are in the next set.
    let mut verifier = Verifier::new(ledger.chain(), genesis_set(), TrustParams::default());
    let LightResponse::EpochEndWithSet(step) = ask(LightRequest::EpochEndWithSet(Epoch(1))).await else {
        panic!("no end")
    };
    assert!(matches!(verifier.take(*step, None, NOW), Ok(StepVerdict::Taken(_))));
    assert_eq!(verifier.epoch(), Epoch(2));
    for epoch in [Epoch(3), Epoch(u64::MAX)] {
        assert_eq!(ask(LightRequest::EpochEndWithSet(epoch)).await, LightResponse::NotFound);
    }

    for height in (0..=tip.0 + 1).map(Height) {
        let set = ledger.validators_at(height).unwrap().unwrap();
        assert_eq!(ask(LightRequest::Validators(height)).await, LightResponse::Validators(Box::new(set)));
    }
    assert_eq!(ask(LightRequest::Validators(tip.next().next())).await, LightResponse::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_reads_recorded_evidence_and_convicts_by_itself() {
    let mut consortium = Consortium::new();
    consortium.rotate();
    let (epoch, offender) = (Epoch(0), ReplicaId(2));
    let chain = consortium.world.chain();
    let evidence = contradiction(&consortium.hospitals[2], chain, epoch, offender, Height(1));
    consortium.call(3, Call::ReportEvidence(Box::new(ReportEvidence { epoch, evidence: evidence.clone() })));
    let device = consortium.device(&Arc::default());
    device.sync(NOW).await.unwrap();
    let key = StateKey::Evidence { epoch, offender };
    let records: Vec<EvidenceRecord> = device.state(&key).await.unwrap().into_option().unwrap();
    let [record] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&record.evidence, record.reporter), (&evidence, consortium.hospitals[3].did));
    // The set of the time, proven by the state of today.
    let set: EpochState = device.state(&StateKey::Epoch(epoch)).await.unwrap().into_option().unwrap();
    assert_eq!(record.evidence.check(chain, epoch, &set.validators), Ok(offender));
    let innocent = StateKey::Evidence { epoch, offender: ReplicaId(1) };
    let none: Proven<Vec<EvidenceRecord>> = device.state(&innocent).await.unwrap();
    assert_eq!(none, Proven::Absent);
}

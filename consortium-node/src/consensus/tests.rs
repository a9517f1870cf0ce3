//! The driver of one replica, with the test in place of the other three and of the network.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::gossip::Gossip;
use crate::ledger::{Ledger, ProposalInput, VerifiedTransactions};
use crate::mempool::Mempool;
use crate::network::{Command, ConsensusMessage, Network, PeerRequest, PeerResponse};
use crate::org_sender::OrgSender;
use crate::testing::{NOW, World, now};
use amulet_contracts::testing::{Actor, card, certificate, genesis, grant};
use amulet_crypto::digest::Digest;
use amulet_crypto::signing::SigningKey;
use amulet_pbft::message::{Phase, Status};
use amulet_pbft::{KeySigner, LogEntry, LogRecord, Message, Millis, Payload, Signed, Timeouts};
use amulet_protocol::block::{UntrustedBlock, UntrustedCertifiedBlock};
use amulet_protocol::calls::{Call, RequestId};
use amulet_protocol::codec;
use amulet_protocol::consensus::{PrePrepare, Proposal};
use amulet_protocol::ids::{ChainId, Epoch, Height, Nonce, ReplicaId, TxId, View};
use amulet_protocol::transaction::{SealedId, SignedTransaction};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Far longer than anything here takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// So long that no view is ever left in a test that is not about leaving one.
const NEVER: Timeouts =
    Timeouts { progress: Millis(600_000), progress_max: Millis(600_000), heartbeat: Millis(50) };

/// One replica under test.
struct Bench {
    ledger: Ledger,
    mempool: Mempool,
    /// What it asks its network for.
    commands: mpsc::Receiver<Command>,
    /// What it hears.
    inbox: mpsc::Sender<ConsensusMessage>,
    driver: JoinHandle<Result<(), DriverError>>,
    hospitals: Vec<Actor>,
    _folder: TempDir,
}

impl Bench {
    /// Replica `replica` with an empty chain, and these transactions waiting.
    async fn start(replica: u16, timeouts: Timeouts, waiting: Vec<SignedTransaction>) -> Self {
        Self::start_with(replica, timeouts, waiting, Arc::new(()), Vec::new()).await
    }

    /// The same, what it knows of checked transactions, and what its log holds.
    async fn start_with(
        replica: u16,
        timeouts: Timeouts,
        waiting: Vec<SignedTransaction>,
        verified: Arc<dyn VerifiedTransactions>,
        records: Vec<LogRecord>,
    ) -> Self {
        let hospitals: Vec<Actor> = (1..=4).map(Actor::new).collect();
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger"), &genesis(&hospitals)).unwrap();
        let log = ConsensusLog::open(&folder.path().join("log")).unwrap();
        log.append(&records).unwrap();
        let (network, commands, _, _) = Network::channels();
        let (sender, inbox) = mpsc::channel(64);
        let mempool = Mempool::default();
        for transaction in waiting {
            mempool.insert(transaction).unwrap();
        }
        let key = key(&hospitals[usize::from(replica)]);
        let engine = EngineParts {
            settings: Settings { timeouts, blocks_per_checkpoint: 16, window: 64, depth: 1 },
            credentials: Arc::new(ValidatorKey::new(key.clone())),
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified,
            #[cfg(feature = "planted")]
            planted: std::collections::BTreeSet::new(),
        };
        let gossip = Gossip::new(network.clone(), []);
        let org = OrgSender::new(ledger.clone(), mempool.clone(), gossip, key);
        let (_, evidence) = Reporter::new(org, ledger.clone());
        let parts = DriverParts { engine, log: Box::new(log), evidence, network, inbox, now };
        let (driver, _) = Driver::start(parts).await.unwrap();
        let driver = tokio::spawn(driver.run());
        Self { ledger, mempool, commands, inbox: sender, driver, hospitals, _folder: folder }
    }

    /// A status message of another replica, who says it has committed this height.
    async fn status(&self, replica: u16, height: u64) {
        let status = Status {
            view: View(0),
            target: View(0),
            height: Height(height),
            stable: Height(0),
            phases: vec![Phase::AwaitingProposal],
        };
        let signer = signer(&self.hospitals[usize::from(replica)], &self.ledger);
        let signed = Signed::new(status, ReplicaId(replica), &signer);
        let bytes = Message::Status(signed).encode(Epoch(0));
        self.hears(replica, bytes).await;
    }

    async fn hears(&self, replica: u16, bytes: Vec<u8>) {
        // The driver may have stopped, which the test finds out by itself.
        let _ = self.inbox.send(ConsensusMessage { from: ReplicaId(replica), bytes, place: None }).await;
    }

    /// The next consensus message that it sends.
    async fn sent(&mut self) -> Message {
        loop {
            let command = timeout(PATIENCE, self.commands.recv()).await.unwrap().unwrap();
            if let Command::Consensus { bytes, .. } = command {
                return borsh::from_slice::<(Epoch, Message)>(&bytes).unwrap().1;
            }
        }
    }
}

fn signer(hospital: &Actor, ledger: &Ledger) -> KeySigner {
    KeySigner::new(key(hospital), ledger.chain(), Epoch(0))
}

fn key(hospital: &Actor) -> Arc<SigningKey> {
    Arc::new(SigningKey::from_bytes(&hospital.signing.expose_secret()).unwrap())
}

/// A transaction that no block may hold, for its sender is registered nowhere; so large that two do not fit into a block.
fn inadmissible(seed: u64, chain: ChainId) -> SignedTransaction {
    let nobody = Actor::new(seed);
    let request = RequestId(TxId(Digest::ZERO));
    let mut call = grant(request, 1..2, &nobody, NOW);
    call.keys.envelope = vec![0; 2_500_000];
    nobody.sign_numbered(chain, Nonce(1), Call::GrantAccess(call))
}

fn registration(seed: u64, chain: ChainId) -> SignedTransaction {
    let newcomer = Actor::new(seed);
    newcomer.sign_numbered(chain, Nonce(1), newcomer.registration())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_sends_other_transactions_under_a_committed_header_neither_stops_the_node_nor_keeps_it_behind()
 {
    let world = World::new();
    world.commit(vec![registration(50, world.chain())]);
    let mut bench = Bench::start(3, NEVER, Vec::new()).await;
    assert_eq!(bench.ledger.tip().height, Height(0));
    let blocks: Vec<UntrustedCertifiedBlock> =
        [1, 2].map(|height| world.ledger.block(Height(height)).unwrap().unwrap()).into();
    let mut tampered = blocks.clone();
    tampered[0].block.transactions.pop();
    let mut tips = bench.ledger.subscribe();
    bench.status(0, 2).await;
    let caught_up = async {
        loop {
            tokio::select! {
                command = bench.commands.recv() => if let Some(Command::Ask { to, request, reply }) = command {
                    assert!(matches!(*request, PeerRequest::Blocks { .. }));
                    let answer = if to == ReplicaId(0) { &tampered } else { &blocks };
                    let _ = reply.send(PeerResponse::Blocks(answer.clone()));
                },
                _ = tips.wait_for(|tip| tip.height == Height(2)) => return Ok(()),
                stopped = &mut bench.driver => return stopped.unwrap(),
            }
        }
    };
    timeout(PATIENCE, caught_up).await.unwrap().unwrap();
    assert_eq!(bench.ledger.tip(), world.ledger.tip());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_block_may_hold_makes_no_backup_leave_its_view() {
    let chain = World::new().chain();
    let timeouts = Timeouts { progress: Millis(300), progress_max: Millis(300), heartbeat: Millis(50) };
    let mut bench = Bench::start(3, timeouts, vec![inadmissible(50, chain)]).await;
    while !bench.mempool.is_empty() {
        // It hears the others, so it is not for want of them that it stays.
        bench.status(0, 0).await;
        bench.status(1, 0).await;
        let sent = bench.sent().await;
        assert!(!matches!(sent, Message::ViewChange(_)), "the primary is blamed for what it may not propose");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_proposes_what_waits_behind_transactions_that_no_block_may_hold() {
    let chain = World::new().chain();
    let good = registration(60, chain);
    let waiting = vec![inadmissible(50, chain), inadmissible(51, chain), good.clone()];
    let mut bench = Bench::start(0, NEVER, waiting).await;
    let proposed = async {
        loop {
            if let Message::PrePrepare(_, payload) = bench.sent().await {
                return payload;
            }
        }
    };
    let payload = timeout(PATIENCE, proposed).await.unwrap();
    let block: UntrustedBlock = codec::decode(payload.bytes(), payload.bytes().len()).unwrap();
    assert_eq!(block.transactions, [good.as_untrusted().clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_transactions_with_one_number_the_one_that_lost_is_forgotten() {
    let world = World::new();
    let mut bench = Bench::start(3, NEVER, Vec::new()).await;
    let first = world.ledger.block(Height(1)).unwrap().unwrap();
    // It has the number of the patient's registration, which is in block 1.
    let rival = Call::PublishCard(card(1, world.hospitals[0].did));
    bench.mempool.insert(world.patient.sign_numbered(world.chain(), Nonce(1), rival)).unwrap();
    let block = world.ledger.execute(
        &[],
        ProposalInput {
            transactions: vec![registration(50, world.chain())],
            time: NOW,
            proposer: ReplicaId(0),
            view: View(0),
        },
    );
    let block = block.unwrap();
    let second = certificate(&world.hospitals, block.header());
    let second = UntrustedCertifiedBlock { block: block.block().clone(), certificate: second };
    bench.status(0, 2).await;
    let mut length = bench.mempool.subscribe();
    let emptied = async {
        loop {
            tokio::select! {
                command = bench.commands.recv() => if let Some(Command::Ask { reply, .. }) = command {
                    let _ = reply.send(PeerResponse::Blocks(vec![first.clone(), second.clone()]));
                },
                _ = length.wait_for(|length| *length == 0) => return,
            }
        }
    };
    timeout(PATIENCE, emptied).await.unwrap();
}

/// A bug that a block brings to light.
struct Panics;

impl VerifiedTransactions for Panics {
    fn contains(&self, _: SealedId) -> bool {
        panic!("a bug")
    }
}

/// A panic once left the block unjudged until the progress timer ran down.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposed_block_that_makes_the_node_panic_is_refused_at_once() {
    let world = World::new();
    let mut bench = Bench::start_with(3, NEVER, Vec::new(), Arc::new(Panics), Vec::new()).await;
    let block = world.ledger.block(Height(1)).unwrap().unwrap().block;
    let payload = Payload::new(codec::encode(&block)).unwrap();
    let proposal = Proposal {
        view: View(0),
        height: Height(1),
        parent: block.header.previous,
        header_hash: block.hash(),
        payload_digest: payload.digest(),
    };
    let primary = signer(&bench.hospitals[0], &bench.ledger);
    let signed = Signed::new(PrePrepare { proposal }, ReplicaId(0), &primary);
    bench.hears(0, Message::PrePrepare(signed, payload).encode(Epoch(0))).await;
    let leaves = async {
        loop {
            match bench.sent().await {
                Message::ViewChange(sent) => return sent.content.new_view,
                Message::Prepare(_) => panic!("it votes for what it has not judged"),
                _ => {}
            }
        }
    };
    assert_eq!(timeout(PATIENCE, leaves).await.unwrap(), View(1));
}

/// A committed block cannot be refused. The node once waited for its execution for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_execution_of_a_committed_block_panics_stops() {
    let world = World::new();
    let mut bench = Bench::start_with(3, NEVER, Vec::new(), Arc::new(Panics), Vec::new()).await;
    let first = world.ledger.block(Height(1)).unwrap().unwrap();
    bench.status(0, 2).await;
    let stopped = async {
        loop {
            tokio::select! {
                command = bench.commands.recv() => if let Some(Command::Ask { reply, .. }) = command {
                    let _ = reply.send(PeerResponse::Blocks(vec![first.clone()]));
                },
                stopped = &mut bench.driver => return stopped.unwrap(),
            }
        }
    };
    let stopped = timeout(PATIENCE, stopped).await.unwrap();
    assert!(matches!(stopped, Err(DriverError::JobLost { kind: "execute" })), "{stopped:?}");
}

/// PBFT-RC-6: a validator that lost its log follows the others in silence.
#[tokio::test(flavor = "multi_thread")]
async fn a_validator_that_lost_its_log_follows_and_says_nothing() {
    follows_and_says_nothing(LogEntry::Lost).await;
}

/// PBFT-RC-7: so does one that lost log and ledger, under the key that it had.
#[tokio::test(flavor = "multi_thread")]
async fn a_validator_whose_machine_was_replaced_follows_and_says_nothing() {
    let own = World::new().hospitals[0].signing.public_key().clone();
    follows_and_says_nothing(LogEntry::KeysLost(vec![own])).await;
}

async fn follows_and_says_nothing(entry: LogEntry) {
    let world = World::new();
    world.commit(vec![registration(50, world.chain())]);
    let lost = vec![LogRecord { epoch: Epoch(0), entry }];
    let mut bench = Bench::start_with(0, NEVER, Vec::new(), Arc::new(()), lost).await;
    bench.mempool.insert(registration(51, world.chain())).unwrap();
    let blocks: Vec<UntrustedCertifiedBlock> =
        [1, 2].map(|height| world.ledger.block(Height(height)).unwrap().unwrap()).into();
    let mut tips = bench.ledger.subscribe();
    let caught_up = async {
        loop {
            tokio::select! {
                command = bench.commands.recv() => match command {
                    Some(Command::Ask { reply, .. }) => drop(reply.send(PeerResponse::Blocks(blocks.clone()))),
                    Some(Command::Consensus { bytes, .. }) => {
                        let (_, said) = borsh::from_slice::<(Epoch, Message)>(&bytes).unwrap();
                        panic!("it says {}", said.kind());
                    }
                    None => panic!("the driver stopped"),
                },
                _ = tips.wait_for(|tip| tip.height == Height(2)) => return,
            }
        }
    };
    timeout(PATIENCE, caught_up).await.unwrap();
}

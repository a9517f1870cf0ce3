//! A small consortium in one process for this crate's tests: a real ledger whose blocks all four hospitals sign, and the
//! vaults of two of them.

#![allow(clippy::unwrap_used)]

use crate::consensus::Reporter;
use crate::gossip::Gossip;
use crate::intake::review::ReviewStore;
use crate::ledger::{Ledger, ProposalInput};
use crate::light_service::{LightParts, LightService};
use crate::links::{LinkDesk, LinkStore};
use crate::mempool::Mempool;
use crate::network::{Command, Network, PeerQuestion};
use crate::org_sender::OrgSender;
use crate::peer_service::{PeerParts, PeerService};
use crate::release::Release;
use crate::staff::StaffDesk;
use crate::vault::{Copies, CopiesParts, ScrubParts, Scrubber, Vault, VaultIndex};
use crate::verified::Verified;
use amulet_contracts::testing::{Actor, GENESIS_TIME, certificate, genesis};
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::Call;
use amulet_protocol::ids::{ChainId, ReplicaId, Timestamp, View};
use amulet_protocol::receipt::Receipt;
use amulet_protocol::transaction::SignedTransaction;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Every clock in these tests.
pub(crate) const NOW: Timestamp = Timestamp(GENESIS_TIME.0 + 3_600_000);

pub(crate) fn now() -> Timestamp {
    NOW
}

pub(crate) struct World {
    pub hospitals: Vec<Actor>,
    pub patient: Actor,
    pub doctor: Actor,
    pub stranger: Actor,
    pub ledger: Ledger,
    pub mempool: Mempool,
    /// Of hospital 0, whose node is tested.
    pub vault: Vault,
    pub index: VaultIndex,
    pub reviews: ReviewStore,
    pub links: LinkStore,
    /// Answers in place of every other hospital.
    pub others: PeerService,
    pub others_vault: Vault,
    pub others_mempool: Mempool,
    pub folder: TempDir,
    /// After which the hospital gives a transaction up.
    pub patience: Duration,
    /// What the others ask of hospital 0, until somebody answers.
    pub to_own: Mutex<Option<mpsc::Receiver<Command>>>,
}

impl World {
    /// Patient, doctor (of hospital 0) and stranger are registered.
    pub fn new() -> Self {
        let mut world = Self::empty();
        let chain = world.chain();
        let people = [&mut world.patient, &mut world.doctor, &mut world.stranger];
        let mut first: Vec<_> = people.map(|actor| actor.sign(chain, actor.registration())).into();
        let employ = amulet_contracts::testing::practitioner(world.doctor.did, GENESIS_TIME);
        first.push(world.hospitals[0].sign(chain, Call::RegisterPractitioner(employ)));
        world.commit(first);
        world
    }

    fn empty() -> Self {
        Self::of(4)
    }

    /// So many hospitals, and nobody registered.
    pub fn of(hospitals: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hospitals: Vec<Actor> = (1..=hospitals).map(Actor::new).collect();
        let genesis = genesis(&hospitals);
        let path = |name| folder.path().join(name);
        let ledger = Ledger::open(&path("ledger.redb"), &genesis).unwrap();
        let index = VaultIndex::open(&path("vault.redb"), ledger.chain()).unwrap();
        let others_vault = Vault::open(&path("others")).unwrap();
        let others_mempool = Mempool::default();
        let others_index = VaultIndex::open(&path("others.redb"), ledger.chain()).unwrap();
        let (network, to_own, ..) = Network::channels();
        let copies = Copies::new(CopiesParts {
            ledger: ledger.clone(),
            vault: others_vault.clone(),
            index: others_index.clone(),
            network,
            organisation: hospitals[1].did,
        });
        let others = PeerService::new(PeerParts {
            ledger: ledger.clone(),
            mempool: others_mempool.clone(),
            verified: Verified::default(),
            vault: others_vault.clone(),
            index: others_index,
            copies,
            now,
        });
        Self {
            hospitals,
            patient: Actor::new(10),
            doctor: Actor::new(11),
            stranger: Actor::new(12),
            vault: Vault::open(&path("vault")).unwrap(),
            mempool: Mempool::default(),
            reviews: ReviewStore::open(&path("review.redb")).unwrap(),
            links: LinkStore::open(&path("links.redb")).unwrap(),
            ledger,
            index,
            others,
            others_vault,
            others_mempool,
            folder,
            patience: Duration::from_secs(60),
            to_own: Mutex::new(Some(to_own)),
        }
    }

    /// Copies of hospital 0. The first call has its node answer what the others, all of which speak as hospital 1, ask of it.
    pub fn copies(&self, network: &Network) -> Copies {
        let copies = Copies::new(CopiesParts {
            ledger: self.ledger.clone(),
            vault: self.vault.clone(),
            index: self.index.clone(),
            network: network.clone(),
            organisation: self.hospitals[0].did,
        });
        if let Some(mut commands) = self.to_own.lock().unwrap().take() {
            let own = PeerService::new(PeerParts {
                ledger: self.ledger.clone(),
                mempool: self.mempool.clone(),
                verified: Verified::default(),
                vault: self.vault.clone(),
                index: self.index.clone(),
                copies: copies.clone(),
                now,
            });
            tokio::spawn(async move {
                while let Some(command) = commands.recv().await {
                    let Command::Ask { request, reply, .. } = command else { continue };
                    own.answer(PeerQuestion { from: ReplicaId(1), request: *request, reply }).await;
                }
            });
        }
        copies
    }

    pub fn chain(&self) -> ChainId {
        self.ledger.chain()
    }

    /// Commits one block, at the next millisecond.
    pub fn commit(&self, transactions: Vec<SignedTransaction>) -> Vec<Receipt> {
        self.commit_at(Timestamp(0), transactions)
    }

    /// Commits one block, at this time if it is later than the tip's.
    pub fn commit_at(&self, time: Timestamp, transactions: Vec<SignedTransaction>) -> Vec<Receipt> {
        commit(&self.ledger, &self.hospitals, time, transactions)
    }

    /// Commits what comes into the queue, as consensus would, until the world ends.
    pub fn run_consensus(&self) {
        let (ledger, mempool) = (self.ledger.clone(), self.mempool.clone());
        tokio::spawn(async move {
            let hospitals: Vec<Actor> = (1..=4).map(Actor::new).collect();
            let mut waiting = mempool.subscribe();
            waiting.mark_changed();
            while waiting.changed().await.is_ok() {
                let batch: Vec<_> = mempool.batch().into_iter().map(Arc::unwrap_or_clone).collect();
                if batch.is_empty() {
                    continue;
                }
                let ids: Vec<_> = batch.iter().map(SignedTransaction::id).collect();
                commit(&ledger, &hospitals, Timestamp(0), batch);
                mempool.remove(&ids);
            }
        });
    }

    /// A network in which these hospitals answer.
    pub fn network(&self, reachable: &'static [u16]) -> Network {
        let (network, mut commands, _outlets, _inboxes) = Network::channels();
        let others = self.others.clone();
        tokio::spawn(async move {
            while let Some(command) = commands.recv().await {
                let Command::Ask { to, request, reply } = command else { continue };
                if reachable.contains(&to.0) {
                    others.answer(PeerQuestion { from: ReplicaId(0), request: *request, reply }).await;
                }
            }
        });
        network
    }

    pub fn scrubber(&self, network: &Network) -> Scrubber {
        Scrubber::new(ScrubParts {
            ledger: self.ledger.clone(),
            vault: self.vault.clone(),
            index: self.index.clone(),
            copies: self.copies(network),
            organisation: self.hospitals[0].did,
            now,
        })
    }

    pub fn gossip(&self, network: &Network) -> Gossip {
        Gossip::new(network.clone(), (1..4).map(ReplicaId))
    }

    /// Sends as this actor; as hospital 0 if it is the node's own.
    pub fn sender(&self, network: &Network, actor: &Actor) -> OrgSender {
        let key = SigningKey::from_bytes(&actor.signing.expose_secret()).unwrap();
        let patience = self.patience;
        let gossip = self.gossip(network);
        OrgSender::with_patience(self.ledger.clone(), self.mempool.clone(), gossip, Arc::new(key), patience)
    }

    pub fn release(&self) -> Release {
        let organisation = self.hospitals[0].did;
        Release::new(self.ledger.clone(), self.vault.clone(), self.index.clone(), organisation)
    }

    pub fn staff(&self) -> StaffDesk {
        let secret = self.hospitals[0].agreement.expose_secret();
        let key = Arc::new(AgreementKey::from_bytes(&secret).unwrap());
        StaffDesk::new(self.ledger.clone(), self.index.clone(), self.release(), key)
    }

    pub fn links(&self) -> LinkDesk {
        LinkDesk::new(self.ledger.clone(), self.links.clone(), self.hospitals[0].did)
    }

    pub fn light(&self, network: &Network) -> LightService {
        let (reporter, evidence) =
            Reporter::new(self.sender(network, &self.hospitals[0]), self.ledger.clone());
        tokio::spawn(reporter.run());
        LightService::new(LightParts {
            ledger: self.ledger.clone(),
            mempool: self.mempool.clone(),
            verified: Verified::default(),
            gossip: self.gossip(network),
            release: self.release(),
            staff: self.staff(),
            links: self.links(),
            evidence,
            now,
        })
    }
}

fn commit(
    ledger: &Ledger,
    hospitals: &[Actor],
    time: Timestamp,
    transactions: Vec<SignedTransaction>,
) -> Vec<Receipt> {
    let input = ProposalInput { transactions, time, proposer: ReplicaId(0), view: View(0) };
    let block = ledger.execute(&[], input).unwrap();
    let certificate = certificate(hospitals, block.header());
    let receipts = block.receipts().to_vec();
    ledger.commit(&block, certificate).unwrap();
    receipts
}

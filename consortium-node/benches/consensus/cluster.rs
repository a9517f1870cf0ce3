//! A consortium in this process, made of the parts that `node.rs` makes a node of, without HTTP and intake.

use crate::equivocator;
use amulet_contracts::testing::{Actor, genesis};
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::SigningKey;
use amulet_node::consensus::{
    ConsensusLog, ConsensusStatus, Driver, DriverParts, EngineParts, Reporter, Settings, ValidatorKey,
};
use amulet_node::gossip::Gossip;
use amulet_node::ledger::Ledger;
use amulet_node::light_service::{LightParts, LightService};
use amulet_node::links::{LinkDesk, LinkStore};
use amulet_node::mempool::Mempool;
use amulet_node::network::{EventLoop, Inboxes, Network, NetworkConfig};
use amulet_node::node::now;
use amulet_node::org_sender::OrgSender;
use amulet_node::peer_service::{PeerParts, PeerService};
use amulet_node::release::Release;
use amulet_node::staff::StaffDesk;
use amulet_node::vault::{Copies, CopiesParts, Vault, VaultIndex};
use amulet_node::verified::Verified;
use amulet_pbft::Timeouts;
use amulet_pbft::limits::PIPELINE_DEPTH_DEFAULT;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::ReplicaId;
use amulet_protocol::validators::ValidatorSet;
use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// As in `node.rs`.
const SETTINGS: Settings =
    Settings { timeouts: TIMEOUTS, blocks_per_checkpoint: 16, window: 64, depth: PIPELINE_DEPTH_DEFAULT };
const TIMEOUTS: Timeouts = Timeouts {
    progress: amulet_pbft::Millis(1_500),
    progress_max: amulet_pbft::Millis(24_000),
    heartbeat: amulet_pbft::Millis(500),
};

/// What replica 0, the first primary, does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What it should.
    None,
    /// Nothing, though it is connected.
    Silent,
    /// Proposes two blocks at one height, to half of the others each; after that nothing.
    Equivocates,
}

/// A running consortium.
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub fault: Fault,
    _folder: TempDir,
}

/// One replica, seen from outside.
pub struct Node {
    pub light: LightService,
    pub ledger: Ledger,
    pub network: Network,
    /// `None` for a faulty one.
    status: Option<watch::Receiver<ConsensusStatus>>,
    tasks: Vec<JoinHandle<()>>,
}

/// What is known of a replica before any runs.
pub struct Member {
    hospital: Actor,
    keypair: Keypair,
    address: Multiaddr,
}

impl Cluster {
    /// Starts `replicas` of them and waits until all are connected.
    pub async fn start(replicas: usize, fault: Fault) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let members: Vec<Member> = (0..replicas as u64).map(Member::new).collect();
        let genesis = genesis_of(&members);
        let validators = validators_of(&members);
        let mut nodes = Vec::new();
        let mut connected = Vec::new();
        for own in 0..replicas {
            let data = folder.path().join(own.to_string());
            std::fs::create_dir(&data).unwrap();
            let fault = if own == 0 { fault } else { Fault::None };
            let (node, count) = Node::start(own, &members, &genesis, &validators, &data, fault).await;
            nodes.push(node);
            connected.push(count);
        }
        for mut count in connected {
            count.wait_for(|count| *count + 1 == replicas).await.unwrap();
        }
        Self { nodes, fault, _folder: folder }
    }

    /// Replicas that clients turn to: those that are not faulty.
    pub fn honest(&self) -> &[Node] {
        if self.fault == Fault::None { &self.nodes } else { &self.nodes[1..] }
    }

    /// The replica that says what is committed: a correct one that is not the first primary.
    pub fn observer(&self) -> &Node {
        &self.nodes[1]
    }

    pub fn stop(self) {
        for task in self.nodes.iter().flat_map(|node| &node.tasks) {
            task.abort();
        }
    }
}

impl Member {
    pub fn new(number: u64) -> Self {
        // Free a moment ago; whoever takes it meanwhile makes the start fail with words that say so.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            hospital: Actor::new(1_000_000_000 + number),
            keypair: Keypair::generate_ed25519(),
            address: format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap(),
        }
    }

    pub fn key(&self) -> Arc<SigningKey> {
        Arc::new(SigningKey::from_bytes(&self.hospital.signing.expose_secret()).unwrap())
    }

    fn peer(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }

    /// What the network of the member `own` needs to know.
    pub fn network(members: &[Self], own: usize) -> NetworkConfig {
        NetworkConfig {
            identity: members[own].keypair.clone(),
            listen: vec![members[own].address.clone()],
            peers: members.iter().map(|member| (member.peer(), member.address.clone())).collect(),
            own: Some(replica(own)),
        }
    }
}

fn replica(index: usize) -> ReplicaId {
    ReplicaId(u16::try_from(index).unwrap())
}

pub fn validators_of(members: &[Member]) -> ValidatorSet {
    ValidatorSet::new(genesis_of(members).validators).unwrap()
}

fn genesis_of(members: &[Member]) -> Genesis {
    let hospitals: Vec<Actor> =
        (0..members.len() as u64).map(|number| Actor::new(1_000_000_000 + number)).collect();
    let mut genesis = genesis(&hospitals);
    for (validator, member) in genesis.validators.iter_mut().zip(members) {
        validator.peer_id = member.peer().to_bytes();
    }
    genesis
}

impl Node {
    async fn start(
        own: usize,
        members: &[Member],
        genesis: &Genesis,
        validators: &ValidatorSet,
        data: &Path,
        fault: Fault,
    ) -> (Self, watch::Receiver<usize>) {
        let (mut event_loop, network, inboxes, connected) =
            EventLoop::start(Member::network(members, own), validators).unwrap();
        event_loop.listening(1).await.unwrap();
        let ledger = Ledger::open(&data.join("ledger.redb"), genesis).unwrap();
        let (mempool, verified) = (Mempool::default(), Verified::default());
        let others = (0..members.len()).filter(|index| *index != own).map(replica);
        let gossip = Gossip::new(network.clone(), others);
        let vault = Vault::open(&data.join("vault")).unwrap();
        let index = VaultIndex::open(&data.join("vault.redb"), genesis.chain_id()).unwrap();
        let links = LinkStore::open(&data.join("links.redb")).unwrap();
        let copies = Copies::new(CopiesParts {
            ledger: ledger.clone(),
            vault: vault.clone(),
            index: index.clone(),
            network: network.clone(),
            organisation: members[own].hospital.did,
        });
        let peers = PeerService::new(PeerParts {
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified: verified.clone(),
            vault: vault.clone(),
            index: index.clone(),
            copies,
            now,
        });
        let release = Release::new(ledger.clone(), vault, index.clone(), members[own].hospital.did);
        let secret = members[own].hospital.agreement.expose_secret();
        let key = Arc::new(AgreementKey::from_bytes(&secret).unwrap());
        let staff = StaffDesk::new(ledger.clone(), index, release.clone(), key);
        let sender = OrgSender::new(ledger.clone(), mempool.clone(), gossip.clone(), members[own].key());
        let (reporter, evidence) = Reporter::new(sender, ledger.clone());
        let light = LightService::new(LightParts {
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified: verified.clone(),
            gossip: gossip.clone(),
            release,
            staff,
            links: LinkDesk::new(ledger.clone(), links, members[own].hospital.did),
            evidence: evidence.clone(),
            now,
        });
        let Inboxes { consensus, peers: peer_questions, .. } = inboxes;
        let mut tasks = vec![
            tokio::spawn(event_loop.run()),
            tokio::spawn(gossip.repeat(mempool.clone())),
            tokio::spawn(peers.run(peer_questions)),
            tokio::spawn(reporter.run()),
        ];
        let key = members[own].key();
        let mut status = None;
        tasks.push(match fault {
            Fault::None => {
                let engine = EngineParts {
                    settings: SETTINGS,
                    credentials: Arc::new(ValidatorKey::new(key)),
                    ledger: ledger.clone(),
                    mempool,
                    verified: Arc::new(verified),
                    #[cfg(feature = "planted")]
                    planted: Default::default(),
                };
                let log = Box::new(ConsensusLog::open(&data.join("consensus.redb")).unwrap());
                let parts =
                    DriverParts { engine, log, evidence, network: network.clone(), inbox: consensus, now };
                let (driver, running) = Driver::start(parts).await.unwrap();
                status = Some(running);
                tokio::spawn(async move { driver.run().await.unwrap() })
            }
            Fault::Silent => tokio::spawn(equivocator::hear_only(consensus)),
            Fault::Equivocates => {
                tokio::spawn(equivocator::run(key, ledger.clone(), mempool, network.clone(), consensus))
            }
        });
        (Self { light, ledger, network, status, tasks }, connected)
    }

    /// The view that this replica is in.
    pub fn view(&self) -> u64 {
        self.status.as_ref().map_or(0, |status| status.borrow().view.0)
    }
}

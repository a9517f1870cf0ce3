//! Wires the tasks of one node together, and stops them together.

use crate::announce::Announcer;
use crate::api::{self, ApiParts, ApiState, OriginError, Site};
use crate::config::{ConfigError, LedgerConfig, NodeConfig};
use crate::consensus::{
    self, ConsensusLog, CopierParts, Driver, DriverError, DriverParts, EngineParts, EvidenceOutlet,
    FolderFiles, LEDGER_FILE, LOG_FILE, LogError, Reporter, Settings, Transfer, TransferError, ValidatorKey,
};
use crate::genesis_file::{self, GenesisFileError};
use crate::gossip::Gossip;
use crate::intake::review::{ReviewError, ReviewStore};
use crate::intake::{IntakeParts, IntakeService};
use crate::keys::{self, KeyError, NodeKeys};
use crate::ledger::{BLOCKS_PER_SNAPSHOT, EpochSet, Ledger, LedgerError, Pruned};
use crate::light_service::{LightParts, LightService};
use crate::links::{LinkDesk, LinkStore, LinkStoreError, sweep_links};
use crate::mempool::Mempool;
use crate::network::{EventLoop, Network, NetworkConfig, NetworkError};
use crate::org_sender::OrgSender;
use crate::peer_service::{PeerParts, PeerService};
use crate::release::Release;
use crate::staff::{StaffDesk, publish_key};
use crate::vault::{
    Copies, CopiesParts, Eraser, IndexError, ScrubParts, Scrubber, Vault, VaultError, VaultIndex,
};
use crate::verified::Verified;
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::{PublicKey, SigningKey};
use amulet_pbft::Timeouts;
use amulet_pbft::limits::PIPELINE_DEPTH_DEFAULT;
use amulet_protocol::certificate::Sm2Votes;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{Did, Epoch, Height, ReplicaId, Timestamp};
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// Heights from the low to the high water mark.
const WINDOW: u64 = 64;
/// How often the vault is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// Between two steps of pruning: most of the time the store is free for blocks.
const PRUNE_PAUSE: Duration = Duration::from_millis(50);
/// How long open requests get when the node stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// Why a node does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The patients' links.
    #[error(transparent)]
    Links(#[from] LinkStoreError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Genesis document.
    #[error(transparent)]
    Genesis(#[from] GenesisFileError),
    /// Ledger.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// Consensus log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Vault.
    #[error("vault: {0}")]
    Vault(#[from] VaultError),
    /// Vault index.
    #[error("vault index: {0}")]
    Index(#[from] IndexError),
    /// Review queue.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// Network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The HTTP address cannot be used.
    #[error(
        "cannot listen on {address}: {source}. Is another program using the port? Choose another in node.toml, or with --console for the console"
    )]
    Http {
        /// Which.
        address: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// A web origin.
    #[error("node.toml: {0}")]
    Origin(#[from] OriginError),
    /// Consensus stopped.
    #[error("the node stopped, because going on could contradict what it signed: {0}")]
    Driver(#[from] DriverError),
    /// A copy of the ledger.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The node cannot become a new process.
    #[error("the node has to be started again and cannot do so itself: {0}. Start it by hand")]
    Again(#[source] io::Error),
    /// A task ended that should not.
    #[error("the node stopped: its {task} ended unexpectedly")]
    TaskEnded {
        /// Which.
        task: &'static str,
    },
}

/// Why a node ended without a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// Other validators are in force: keys, numbers and connections of the old ones are of no use any more.
    EpochBegan,
    /// It was far behind, and a copy of the others' ledger is ready for its next start.
    Copied,
}

/// A running node.
pub struct Node {
    ledger: Ledger,
    epoch: Epoch,
    http: SocketAddr,
    driver: JoinHandle<Result<(), DriverError>>,
    event_loop: JoinHandle<()>,
    server: JoinHandle<io::Result<()>>,
    console: Option<JoinHandle<io::Result<()>>>,
    transfer: JoinHandle<()>,
    stop_server: oneshot::Sender<()>,
}

struct Stores {
    ledger: Ledger,
    log: ConsensusLog,
    vault: Vault,
    index: VaultIndex,
    reviews: ReviewStore,
    links: LinkStore,
}

struct Identity {
    genesis: Genesis,
    epoch: Arc<EpochSet>,
    replica: Option<ReplicaId>,
    organisation: Did,
    organisation_key: Arc<SigningKey>,
    validator_key: Arc<SigningKey>,
    staff_key: Arc<AgreementKey>,
    network_key: Keypair,
    intake_token: Zeroizing<String>,
}

struct Services {
    mempool: Mempool,
    verified: Verified,
    sender: OrgSender,
    evidence: EvidenceOutlet,
    light: LightService,
    peers: PeerService,
    intake: IntakeService,
    scrubber: Scrubber,
}

impl Node {
    /// Starts the node of a data folder; on return it answers. With an address for it, the hospital's console is there too.
    ///
    /// # Errors
    /// [`NodeError`] by variant.
    pub async fn start(data: &Path, console: Option<SocketAddr>) -> Result<Self, NodeError> {
        let config = NodeConfig::load(data)?;
        let (genesis, _) = genesis_file::load_genesis(data)?;
        let stores = Stores::open(data, &config, &genesis)?;
        stores.vault.probe().await?;
        let identity = Identity::load(data, genesis, stores.ledger.epoch())?;
        let (ledger, epoch) = (stores.ledger.clone(), identity.epoch.epoch);
        let listener = listen(config.http).await?;
        let console = match console {
            Some(address) => Some((listen(address).await?, keys::console_token(data)?)),
            None => None,
        };
        let network_config = NetworkConfig {
            identity: identity.network_key.clone(),
            listen: config.listen.clone(),
            peers: identity.peers(&config),
            own: identity.replica,
        };
        let (mut event_loop, network, inboxes, connected) =
            EventLoop::start(network_config, &identity.epoch.validators)?;
        event_loop.listening(config.listen.len()).await?;

        let services = Services::new(&stores, &network, &identity);
        tokio::spawn(services.light.clone().run(inboxes.light));
        tokio::spawn(services.peers.clone().run(inboxes.peers));
        tokio::spawn(sweep_vault(stores.vault.clone(), stores.index.clone(), stores.ledger.clone()));
        tokio::spawn(services.scrubber.clone().run());
        tokio::spawn(services.eraser(&stores).run());
        if let Some(addresses) = config.public.clone() {
            let (sender, ledger) = (services.sender.clone(), stores.ledger.clone());
            tokio::spawn(Announcer::new(sender, ledger, addresses, now).run());
        }
        if let LedgerConfig::Keep { blocks } = config.ledger {
            tokio::spawn(prune_ledger(stores.ledger.clone(), stores.index.clone(), blocks));
        }
        let copier = CopierParts {
            ledger: stores.ledger.clone(),
            genesis: identity.genesis.clone(),
            votes: &Sm2Votes,
            others: identity.others().collect(),
            files: Box::new(FolderFiles::new(data)),
            #[cfg(feature = "planted")]
            planted: None,
        };
        let transfer = Transfer::new(copier, network.clone());
        let (driver, status) = Driver::start(DriverParts {
            engine: identity.engine(&stores, &services),
            log: Box::new(stores.log),
            evidence: services.evidence.clone(),
            network,
            inbox: inboxes.consensus,
            now,
        })
        .await?;
        let api = ApiState::new(ApiParts {
            site: Arc::new(identity.site(&config)),
            ledger: stores.ledger,
            index: stores.index,
            mempool: services.mempool,
            light: services.light,
            intake: services.intake,
            scrubber: services.scrubber,
            consensus: status,
            connected,
            now,
        })?;
        let console = console.map(|(listener, token)| {
            let routes = api::console(api.clone(), &token, data);
            tokio::spawn(axum::serve(listener, routes).into_future())
        });
        let (stop_server, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, api::router(api)).with_graceful_shutdown(async {
            // Stops as well if the sender is dropped.
            let _ = stopped.await;
        });
        Ok(Self {
            ledger,
            epoch,
            http: config.http,
            driver: tokio::spawn(driver.run()),
            event_loop: tokio::spawn(event_loop.run()),
            server: tokio::spawn(server.into_future()),
            console,
            transfer: tokio::spawn(transfer.watch()),
            stop_server,
        })
    }

    /// Address of the HTTP interface.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Runs until `stop` resolves, other validators are in force, or a task fails, then closes everything.
    ///
    /// # Errors
    /// [`NodeError::Driver`], [`NodeError::TaskEnded`].
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<Ended, NodeError> {
        let ended = |task| Err(NodeError::TaskEnded { task });
        let result = tokio::select! {
            () = stop => Ok(Ended::Stopped),
            () = next_epoch(&self.ledger, self.epoch) => Ok(Ended::EpochBegan),
            copied = &mut self.transfer => match copied {
                Ok(()) => Ok(Ended::Copied),
                Err(_) => ended("transfer"),
            },
            driver = &mut self.driver => match driver {
                Ok(Err(error)) => Err(error.into()),
                Ok(Ok(())) | Err(_) => ended("consensus driver"),
            },
            _ = &mut self.event_loop => ended("network"),
            _ = &mut self.server => ended("HTTP interface"),
        };
        // The receiver is gone if the server failed.
        let _ = self.stop_server.send(());
        // Open requests get a moment; the ledger is consistent whenever the process ends.
        if !self.server.is_finished() {
            let _ = tokio::time::timeout(CLOSE_WITHIN, self.server).await;
        }
        // It only reads: nothing is lost by ending it at once.
        if let Some(console) = self.console {
            end(console).await;
        }
        end(self.driver).await;
        end(self.transfer).await;
        end(self.event_loop).await;
        result
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, NodeError> {
    TcpListener::bind(address).await.map_err(|source| NodeError::Http { address, source })
}

/// Ends a task and waits until it is gone: one that still runs while the runtime closes would panic at its next timer.
async fn end<T>(task: JoinHandle<T>) {
    task.abort();
    if !task.is_finished() {
        let _ = task.await;
    }
}

impl Identity {
    fn load(data: &Path, genesis: Genesis, epoch: Arc<EpochSet>) -> Result<Self, NodeError> {
        let NodeKeys {
            organisation: organisation_key,
            validator,
            next_validator,
            staff,
            network,
            intake_token,
        } = NodeKeys::load(data)?;
        let organisation = Did::of_key(organisation_key.public_key());
        let seated = |key: &SigningKey| epoch.validators.find(key.public_key());
        let validator = match next_validator {
            Some(next) if seated(&next).is_some() => next,
            _ => validator,
        };
        let replica = seated(&validator);
        if replica.is_none() {
            tracing::warn!(
                epoch = epoch.epoch.0,
                "this node's key is no validator's; it takes part when the members admit it, and follows them until then"
            );
        }
        Ok(Self {
            genesis,
            epoch,
            replica,
            organisation,
            organisation_key: Arc::new(organisation_key),
            validator_key: Arc::new(validator),
            staff_key: Arc::new(staff),
            network_key: network,
            intake_token,
        })
    }

    fn others(&self) -> impl Iterator<Item = ReplicaId> {
        let (size, own) = (self.epoch.validators.quorum().size(), self.replica);
        let size = u16::try_from(size).expect("a validator set has at most 100 members");
        (0..size).map(ReplicaId).filter(move |replica| Some(*replica) != own)
    }

    /// Where other nodes are. An address may name its peer itself; if not, the number is that of the genesis document,
    /// which never changes its meaning.
    fn peers(&self, config: &NodeConfig) -> Vec<(PeerId, Multiaddr)> {
        let peer = |(replica, address): (ReplicaId, Multiaddr)| {
            let named = address.iter().find_map(|part| match part {
                Protocol::P2p(peer) => Some(peer),
                _ => None,
            });
            let founder = || {
                let validator = self.genesis.validators.get(usize::from(replica.0))?;
                PeerId::from_bytes(&validator.peer_id).ok()
            };
            Some((named.or_else(founder)?, address))
        };
        config.peer_addresses().into_iter().filter_map(peer).collect()
    }

    fn engine(&self, stores: &Stores, services: &Services) -> EngineParts {
        EngineParts {
            settings: Settings {
                timeouts: Timeouts::default(),
                blocks_per_checkpoint: BLOCKS_PER_SNAPSHOT,
                window: WINDOW,
                depth: PIPELINE_DEPTH_DEFAULT,
            },
            credentials: Arc::new(ValidatorKey::new(self.validator_key.clone())),
            ledger: stores.ledger.clone(),
            mempool: services.mempool.clone(),
            verified: Arc::new(services.verified.clone()),
            #[cfg(feature = "planted")]
            planted: std::collections::BTreeSet::new(),
        }
    }

    fn site(&self, config: &NodeConfig) -> Site {
        let mut members = self.genesis.organisations.iter();
        let own = members.find(|member| member.did() == self.organisation);
        let (name_en, name_zh) =
            own.map(|own| (own.name_en.clone(), own.name_zh.clone())).unwrap_or_default();
        Site {
            network: self.genesis.network.clone(),
            organisation: self.organisation,
            name_en,
            name_zh,
            intake_token: Some(self.intake_token.to_string()),
            origins: config.origins.clone(),
            web: config.web.clone(),
            demo: config.demo.clone(),
            network_file: config.network.clone(),
        }
    }
}

impl Stores {
    fn open(data: &Path, config: &NodeConfig, genesis: &Genesis) -> Result<Self, NodeError> {
        consensus::install(data, genesis)?;
        let ledger = Ledger::open(&data.join(LEDGER_FILE), genesis)?;
        let log = ConsensusLog::open(&data.join(LOG_FILE))?;
        log.check_beside(ledger.tip().height)?;
        let vault = Vault::configured(data, &config.vault)?;
        let index = VaultIndex::open(&data.join("vault.redb"), genesis.chain_id())?;
        let reviews = ReviewStore::open(&data.join("review.redb"))?;
        let links = LinkStore::open(&data.join("links.redb"))?;
        Ok(Self { ledger, log, vault, index, reviews, links })
    }
}

impl Services {
    fn new(stores: &Stores, network: &Network, identity: &Identity) -> Self {
        let (mempool, verified) = (Mempool::default(), Verified::default());
        let gossip = Gossip::new(network.clone(), identity.others());
        tokio::spawn(gossip.clone().repeat(mempool.clone()));
        let Stores { ledger, vault, index, reviews, links, .. } = stores;
        let sender = OrgSender::new(
            ledger.clone(),
            mempool.clone(),
            gossip.clone(),
            identity.organisation_key.clone(),
        );
        let release = Release::new(ledger.clone(), vault.clone(), index.clone(), identity.organisation);
        let staff =
            StaffDesk::new(ledger.clone(), index.clone(), release.clone(), identity.staff_key.clone());
        tokio::spawn(publish_key(sender.clone(), ledger.clone(), staff.key()));
        let (reporter, evidence) = Reporter::new(sender.clone(), ledger.clone());
        tokio::spawn(reporter.run());
        let links = LinkDesk::new(ledger.clone(), links.clone(), identity.organisation);
        tokio::spawn(sweep_links(links.clone(), now));
        let light = LightService::new(LightParts {
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified: verified.clone(),
            gossip,
            release,
            staff,
            links,
            evidence: evidence.clone(),
            now,
        });
        let copies = Copies::new(CopiesParts {
            ledger: ledger.clone(),
            vault: vault.clone(),
            index: index.clone(),
            network: network.clone(),
            organisation: identity.organisation,
        });
        let peers = PeerService::new(PeerParts {
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified: verified.clone(),
            vault: vault.clone(),
            index: index.clone(),
            copies: copies.clone(),
            now,
        });
        let scrubber = Scrubber::new(ScrubParts {
            ledger: ledger.clone(),
            vault: vault.clone(),
            index: index.clone(),
            copies: copies.clone(),
            organisation: identity.organisation,
            now,
        });
        let intake = IntakeService::new(IntakeParts {
            ledger: ledger.clone(),
            vault: vault.clone(),
            index: index.clone(),
            reviews: reviews.clone(),
            network: network.clone(),
            copies,
            sender: sender.clone(),
            own: identity.replica.unwrap_or_default(),
            now,
        });
        Self { mempool, verified, sender, evidence, light, peers, intake, scrubber }
    }

    fn eraser(&self, stores: &Stores) -> Eraser {
        let Stores { ledger, vault, index, .. } = stores;
        Eraser::new(ledger.clone(), vault.clone(), index.clone(), self.sender.clone())
    }
}

/// Waits until another epoch than this is in force.
async fn next_epoch(ledger: &Ledger, epoch: Epoch) {
    let mut tips = ledger.subscribe();
    while ledger.epoch().epoch == epoch {
        if tips.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Removes, now and then, ciphertexts that the ledger never named. A failed sweep harms nothing and is tried again.
async fn sweep_vault(vault: Vault, index: VaultIndex, ledger: Ledger) {
    let mut hourly = tokio::time::interval(SWEEP_EVERY);
    loop {
        hourly.tick().await;
        match vault.sweep(&index, &ledger).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "unnamed ciphertexts removed"),
            Err(error) => tracing::warn!(%error, "the vault could not be swept"),
        }
    }
}

/// Removes what the configuration says is not to be kept, in small steps with room for blocks between them.
async fn prune_ledger(ledger: Ledger, index: VaultIndex, keep_blocks: u64) {
    let mut tip = ledger.subscribe();
    loop {
        let (ledger, index) = (ledger.clone(), index.clone());
        let step = tokio::task::spawn_blocking(move || {
            // What the vault has to know of the blocks is read before they go.
            index.catch_up(&ledger)?;
            Ok::<_, IndexError>(ledger.prune(keep_blocks)?)
        });
        match step.await {
            Ok(Ok(Pruned::More)) => tokio::time::sleep(PRUNE_PAUSE).await,
            Ok(Ok(Pruned::Done)) => match tip.changed().await {
                Ok(()) => {}
                Err(_) => return,
            },
            Ok(Err(error)) => {
                tracing::warn!(%error, "the ledger could not be pruned");
                tokio::time::sleep(SWEEP_EVERY).await;
            }
            Err(_) => return,
        }
    }
}

/// What a node says no more after [`abstain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abstains {
    /// Anything in this epoch.
    InEpoch(Epoch),
    /// Anything under the keys that it has now.
    UnderItsKeys,
}

/// Has the node of a data folder, which must not run, say nothing that could contradict what it said before, for that was
/// lost. With its ledger it knows the newest epoch in which it can have spoken. Without blocks it does not, and its
/// keys are given up.
///
/// # Errors
/// [`NodeError`] by variant.
pub fn abstain(data: &Path) -> Result<Abstains, NodeError> {
    let (genesis, _) = genesis_file::load_genesis(data)?;
    let ledger = Ledger::open(&data.join(LEDGER_FILE), &genesis)?;
    let log = ConsensusLog::open(&data.join(LOG_FILE))?;
    if ledger.tip().height == Height(0) {
        let NodeKeys { validator, next_validator, .. } = NodeKeys::load(data)?;
        let keys = [Some(validator), next_validator].into_iter().flatten();
        let keys: Vec<PublicKey> = keys.map(|key| key.public_key().clone()).collect();
        log.give_up_keys(&keys)?;
        return Ok(Abstains::UnderItsKeys);
    }
    let epoch = ledger.epoch().epoch;
    log.give_up(epoch)?;
    Ok(Abstains::InEpoch(epoch))
}

/// The system's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

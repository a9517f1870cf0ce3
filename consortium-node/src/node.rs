//! Wires the tasks of one node together, and stops them together.

use crate::api::{self, ApiParts, ApiState, OriginError, Site};
use crate::config::{ConfigError, NodeConfig};
use crate::consensus::{
    ConsensusLog, Driver, DriverError, DriverParts, EngineParts, LogError, Reporter, Settings, ValidatorKey,
};
use crate::genesis_file::{self, GenesisFileError};
use crate::gossip::Gossip;
use crate::intake::{IntakeParts, IntakeService};
use crate::keys::{KeyError, NodeKeys};
use crate::ledger::{Ledger, LedgerError};
use crate::light_service::{LightParts, LightService};
use crate::mempool::Mempool;
use crate::network::{EventLoop, Network, NetworkConfig, NetworkError};
use crate::org_sender::OrgSender;
use crate::peer_service::{PeerParts, PeerService};
use crate::release::Release;
use crate::vault::{IndexError, Vault, VaultError, VaultIndex};
use crate::verified::Verified;
use amulet_crypto::signing::SigningKey;
use amulet_pbft::Timeouts;
use amulet_pbft::limits::PIPELINE_DEPTH_DEFAULT;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{Did, ReplicaId, Timestamp};
use amulet_protocol::validators::ValidatorSet;
use libp2p::identity::Keypair;
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

/// Heights from one checkpoint to the next.
const BLOCKS_PER_CHECKPOINT: u64 = 16;
/// Heights from the low to the high water mark.
const WINDOW: u64 = 64;
/// How often the vault is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// How long open requests get when the node stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// Why a node does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Genesis document.
    #[error(transparent)]
    Genesis(#[from] GenesisFileError),
    /// The node's keys are not in the genesis document.
    #[error(
        "this node's keys are not among the validators of its genesis document; was genesis.bin made from its join request?"
    )]
    NotAValidator,
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
    /// Network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The HTTP address cannot be used.
    #[error(
        "cannot listen on {address}: {source}. Is another program using the port? Choose another in node.toml"
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
    /// A task ended that should not.
    #[error("the node stopped: its {task} ended unexpectedly")]
    TaskEnded {
        /// Which.
        task: &'static str,
    },
}

/// A running node.
pub struct Node {
    http: SocketAddr,
    driver: JoinHandle<Result<(), DriverError>>,
    event_loop: JoinHandle<()>,
    server: JoinHandle<io::Result<()>>,
    stop_server: oneshot::Sender<()>,
}

struct Stores {
    ledger: Ledger,
    log: ConsensusLog,
    vault: Vault,
    index: VaultIndex,
}

struct Identity {
    genesis: Genesis,
    validators: ValidatorSet,
    replica: ReplicaId,
    organisation: Did,
    organisation_key: Arc<SigningKey>,
    validator_key: Arc<SigningKey>,
    network_key: Keypair,
    intake_token: Zeroizing<String>,
}

struct Services {
    mempool: Mempool,
    verified: Verified,
    sender: OrgSender,
    light: LightService,
    peers: PeerService,
    intake: IntakeService,
}

impl Node {
    /// Starts the node of a data folder; on return it answers.
    ///
    /// # Errors
    /// [`NodeError`] by variant.
    pub async fn start(data: &Path) -> Result<Self, NodeError> {
        let config = NodeConfig::load(data)?;
        let identity = Identity::load(data)?;
        let stores = Stores::open(data, &identity.genesis)?;
        let listener = TcpListener::bind(config.http)
            .await
            .map_err(|source| NodeError::Http { address: config.http, source })?;
        let network_config = NetworkConfig {
            identity: identity.network_key.clone(),
            listen: config.listen.clone(),
            peers: config.peer_addresses(),
            own: identity.replica,
        };
        let (mut event_loop, network, inboxes, connected) =
            EventLoop::start(network_config, &identity.validators)?;
        event_loop.listening(config.listen.len()).await?;

        let services = Services::new(&stores, &network, &identity);
        tokio::spawn(services.light.clone().run(inboxes.light));
        tokio::spawn(services.peers.clone().run(inboxes.peers));
        tokio::spawn(sweep_vault(stores.vault.clone(), stores.index.clone(), stores.ledger.clone()));
        let (reporter, evidence) = Reporter::new(services.sender.clone());
        tokio::spawn(reporter.run());
        let (driver, status) = Driver::start(DriverParts {
            engine: identity.engine(&stores, &services),
            log: Box::new(stores.log),
            evidence,
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
            consensus: status,
            connected,
            now,
        })?;
        let (stop_server, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, api::router(api)).with_graceful_shutdown(async {
            // Stops as well if the sender is dropped.
            let _ = stopped.await;
        });
        Ok(Self {
            http: config.http,
            driver: tokio::spawn(driver.run()),
            event_loop: tokio::spawn(event_loop.run()),
            server: tokio::spawn(server.into_future()),
            stop_server,
        })
    }

    /// Address of the HTTP interface.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Runs until `stop` resolves or a task fails, then closes everything.
    ///
    /// # Errors
    /// [`NodeError::Driver`], [`NodeError::TaskEnded`].
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<(), NodeError> {
        let ended = |task| Err(NodeError::TaskEnded { task });
        let result = tokio::select! {
            () = stop => Ok(()),
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
        let _ = tokio::time::timeout(CLOSE_WITHIN, self.server).await;
        self.driver.abort();
        self.event_loop.abort();
        result
    }
}

impl Identity {
    fn load(data: &Path) -> Result<Self, NodeError> {
        let keys = NodeKeys::load(data)?;
        let (genesis, validators) = genesis_file::load_genesis(data)?;
        let replica = validators.find(keys.validator.public_key()).ok_or(NodeError::NotAValidator)?;
        let organisation = Did::of_key(keys.organisation.public_key());
        let NodeKeys { organisation: organisation_key, validator, network, intake_token } = keys;
        Ok(Self {
            genesis,
            validators,
            replica,
            organisation,
            organisation_key: Arc::new(organisation_key),
            validator_key: Arc::new(validator),
            network_key: network,
            intake_token,
        })
    }

    fn others(&self) -> impl Iterator<Item = ReplicaId> {
        let (size, own) = (self.validators.quorum().size(), self.replica);
        let size = u16::try_from(size).expect("a validator set has at most 100 members");
        (0..size).map(ReplicaId).filter(move |replica| *replica != own)
    }

    fn engine(&self, stores: &Stores, services: &Services) -> EngineParts {
        EngineParts {
            settings: Settings {
                timeouts: Timeouts::default(),
                blocks_per_checkpoint: BLOCKS_PER_CHECKPOINT,
                window: WINDOW,
                depth: PIPELINE_DEPTH_DEFAULT,
            },
            credentials: Arc::new(ValidatorKey::new(self.validator_key.clone())),
            ledger: stores.ledger.clone(),
            mempool: services.mempool.clone(),
            verified: Arc::new(services.verified.clone()),
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
    fn open(data: &Path, genesis: &Genesis) -> Result<Self, NodeError> {
        let ledger = Ledger::open(&data.join("ledger.redb"), genesis)?;
        let log = ConsensusLog::open(&data.join("consensus.redb"))?;
        let vault = Vault::open(&data.join("vault"))?;
        let index = VaultIndex::open(&data.join("vault.redb"), genesis.chain_id())?;
        Ok(Self { ledger, log, vault, index })
    }
}

impl Services {
    fn new(stores: &Stores, network: &Network, identity: &Identity) -> Self {
        let (mempool, verified) = (Mempool::default(), Verified::default());
        let gossip = Gossip::new(network.clone(), identity.others());
        tokio::spawn(gossip.clone().repeat(mempool.clone()));
        let Stores { ledger, vault, index, .. } = stores;
        let sender = OrgSender::new(
            ledger.clone(),
            mempool.clone(),
            gossip.clone(),
            identity.organisation_key.clone(),
        );
        let release = Release::new(ledger.clone(), vault.clone(), index.clone(), identity.organisation);
        let light = LightService::new(LightParts {
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified: verified.clone(),
            gossip,
            release,
            now,
        });
        let peers = PeerService::new(PeerParts {
            ledger: ledger.clone(),
            mempool: mempool.clone(),
            verified: verified.clone(),
            vault: vault.clone(),
            index: index.clone(),
            now,
        });
        let intake = IntakeService::new(IntakeParts {
            ledger: ledger.clone(),
            vault: vault.clone(),
            index: index.clone(),
            network: network.clone(),
            sender: sender.clone(),
            own: identity.replica,
        });
        Self { mempool, verified, sender, light, peers, intake }
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

/// The system's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

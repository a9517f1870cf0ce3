//! The command line.

mod duties;
mod erasure;
mod evidence;
mod init;
mod intake;
mod operator;
mod progress;
mod rules;
mod run;
mod staff;
mod status;
mod study;
mod validators;
mod vault;

use crate::localnet::{self, LocalnetOptions};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) use init::listen_addresses;
pub use init::{InitError, NodeSetup};
pub(crate) use run::stop_signal;

/// The hospitals' full node of Amulet.
#[derive(Debug, Parser)]
#[command(name = "amulet-node", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a node's folder: keys, configuration and a join request for the consortium.
    Init(InitArgs),
    /// Write the genesis document of a new consortium from its members' join requests.
    Genesis(GenesisArgs),
    /// Run the node of a folder.
    Run {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
        /// Address of the hospital's console, such as 127.0.0.1:8201; there is none without it.
        #[arg(long)]
        console: Option<SocketAddr>,
    },
    /// Have a stopped node whose consensus log is lost follow the others without voting, until the next epoch begins.
    Abstain {
        /// The node's folder.
        #[arg(long)]
        data: PathBuf,
    },
    /// Run a demonstration consortium of four hospitals on this machine.
    Localnet(LocalnetOptions),
    /// Ask a running node how it is.
    Status {
        /// Base URL of its HTTP interface.
        #[arg(long, default_value = "http://127.0.0.1:8101")]
        node: String,
    },
    /// See or change who validates.
    #[command(subcommand)]
    Validators(validators::ValidatorsCommand),
    /// See, explain or change the rules that readings must obey.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Register who practises at this hospital, and end registrations.
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// See and do what this hospital owes to patients: reviews of emergency accesses, and deletions.
    #[command(subcommand)]
    Duties(duties::DutiesCommand),
    /// Answer patients who ask to have records erased, and have records erased that this hospital registered.
    #[command(subcommand)]
    Erasure(erasure::ErasureCommand),
    /// Name ethics boards, and register, decide on and end studies.
    #[command(subcommand)]
    Study(study::StudyCommand),
    /// Show what the ledger recorded against validators that contradicted themselves.
    Evidence {
        /// Base URL of a running node's HTTP interface.
        #[arg(long, default_value = "http://127.0.0.1:8101")]
        node: String,
    },
    /// Keep the vault whole.
    #[command(subcommand)]
    Vault(vault::VaultCommand),
    /// Judge FHIR files as a hospital's intake would, or hand one to a running node.
    Intake(intake::IntakeArgs),
}

#[derive(Debug, Args)]
struct InitArgs {
    /// The folder to make.
    #[arg(long)]
    data: PathBuf,
    /// The hospital's name in English.
    #[arg(long)]
    name_en: String,
    /// The hospital's name in Chinese.
    #[arg(long)]
    name_zh: String,
    /// Address of the HTTP interface.
    #[arg(long, default_value = "127.0.0.1:8101")]
    http: SocketAddr,
    /// TCP and UDP port for other nodes and light clients.
    #[arg(long, default_value_t = 9101)]
    port: u16,
}

#[derive(Debug, Args)]
struct GenesisArgs {
    /// Name of the consortium.
    #[arg(long)]
    network: String,
    /// The members' `join.bin` files, in the order that numbers the validators.
    #[arg(required = true)]
    joins: Vec<PathBuf>,
    /// The file to write.
    #[arg(long, default_value = "genesis.bin")]
    out: PathBuf,
}

impl Cli {
    /// Does what was asked.
    ///
    /// What goes wrong is said in one sentence on standard error, with exit code 1. It is the last that is said: what was still
    /// going on has ended by then.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let result = match tokio::runtime::Runtime::new() {
            Ok(runtime) => runtime.block_on(self.carry_out()),
            Err(error) => Err(error.into()),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("amulet-node: {error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn carry_out(self) -> Result<(), Failure> {
        match self.command {
            Command::Init(args) => {
                init::init(&args.data, &args.name_en, &args.name_zh, args.http, args.port).map_err(Into::into)
            }
            Command::Genesis(args) => {
                init::genesis(&args.network, &args.joins, &args.out).map_err(Into::into)
            }
            Command::Run { data, console } => run::run(&data, console).await.map_err(Into::into),
            Command::Abstain { data } => run::abstain(&data).map_err(Into::into),
            Command::Localnet(options) => localnet::run(options).await.map_err(Into::into),
            Command::Status { node } => status::status(&node).await.map_err(Into::into),
            Command::Validators(command) => validators::run(command).await.map_err(Into::into),
            Command::Rules(command) => rules::run(command).await.map_err(Into::into),
            Command::Staff(command) => staff::run(command).await.map_err(Into::into),
            Command::Duties(command) => duties::run(command).await.map_err(Into::into),
            Command::Erasure(command) => erasure::run(command).await.map_err(Into::into),
            Command::Study(command) => study::run(command).await.map_err(Into::into),
            Command::Evidence { node } => evidence::evidence(&node).await.map_err(Into::into),
            Command::Vault(command) => vault::run(command).await,
            Command::Intake(args) => intake::intake(args).await,
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Writes to standard output: the command line's own voice.
pub(crate) fn say(text: impl std::fmt::Display) {
    use std::io::Write;
    // Nobody listening (a closed pipe) is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}

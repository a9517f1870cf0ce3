//! `amulet-fhir-gateway`: see `amulet-fhir-gateway --help`.

use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_fhir_gateway::app::App;
use amulet_fhir_gateway::clients::{TOKEN_BYTES, token_digest};
use amulet_fhir_gateway::config::Config;
use amulet_fhir_gateway::{serve, start};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// FHIR R4 for a hospital's own systems, over what patients opened to one reader.
#[derive(Debug, Parser)]
#[command(name = "amulet-fhir-gateway", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Run {
        /// Its configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Make a token for a client: the token itself, and the line for the configuration.
    Token,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run { config } => run(config).await,
        Command::Token => token(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("amulet-fhir-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(path: PathBuf) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,libp2p=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let config = Config::load(&path)?;
    let service = start::service(&config)?;
    let reader = start::open(&service, &config).await?;
    let listener = TcpListener::bind(config.listen).await?;
    tracing::info!(listen = %config.listen, base = %config.base, %reader, clients = config.clients.len(), "gateway is running");
    let app = Arc::new(App::new(service, config.base, config.clients));
    serve::until(listener, app, stopped()).await;
    Ok(())
}

async fn stopped() {
    // Without a handler the signal ends the process all the same.
    let _ = tokio::signal::ctrl_c().await;
}

fn token() -> Result<(), Failure> {
    let mut secret = [0; TOKEN_BYTES];
    SystemEntropy.fill(&mut secret);
    let token = hex::encode(secret);
    let mut out = std::io::stdout();
    writeln!(out, "Token, for the client alone: {token}")?;
    writeln!(out, "For the configuration:       token_sm3 = \"{}\"", hex::encode(token_digest(&token)))?;
    Ok(())
}

//! `run`: the node of one folder, until it is told to stop.

use super::say;
use crate::keys;
use crate::node::{self, Abstains, Ended, Node, NodeError};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) async fn run(data: &Path, console: Option<SocketAddr>) -> Result<(), NodeError> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,libp2p=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let node = Node::start(data, console).await?;
    tracing::info!(http = %node.http(), "node is running");
    if let Some(address) = console {
        tracing::info!(%address, token = %keys::console_token_path(data).display(), "the console is open");
        if !address.ip().is_loopback() {
            tracing::warn!(
                "the console's token crosses the network unencrypted: put a proxy with TLS before it"
            );
        }
    }
    match node.run_until(stop_signal()).await? {
        Ended::Stopped => Ok(()),
        Ended::EpochBegan => Err(NodeError::Again(start_again("the validators of the new epoch"))),
        Ended::Copied => Err(NodeError::Again(start_again("the copied ledger"))),
    }
}

/// Gives the votes of the epoch in force up.
pub(super) fn abstain(data: &Path) -> Result<(), NodeError> {
    match node::abstain(data)? {
        Abstains::InEpoch(epoch) => say(format_args!(
            "This node takes no part in epoch {epoch}: it follows the others, and counts as one of those that may fail. Start it \
             with `amulet-node run`. It votes again from the next epoch on, which `amulet-node validators rotate-key` brings \
             about."
        )),
        Abstains::UnderItsKeys => say(format_args!(
            "This node has no blocks, so nobody here knows what it signed: it signs nothing more with the key that it has. Start \
             it with `amulet-node run`: it fetches the ledger, follows the others, and counts as one of those that may fail. It \
             votes again with a new key, from the epoch on that `amulet-node validators rotate-key` brings about."
        )),
    }
    Ok(())
}

/// Becomes a new process of the same command: nothing of the old one, such as an open file, is in its way. Returns only if
/// that fails.
fn start_again(with: &str) -> std::io::Error {
    tracing::info!("starting again with {with}");
    let mut typed = std::env::args_os();
    let named = typed.next().map(PathBuf::from);
    // The file that this process was started from is gone once a newer program was put in its place.
    let program = std::env::current_exe().ok().filter(|program| program.exists()).or(named);
    match program {
        Some(program) => Command::new(program).args(typed).exec(),
        None => std::io::ErrorKind::NotFound.into(),
    }
}

/// Resolves on Ctrl-C or a request to terminate.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

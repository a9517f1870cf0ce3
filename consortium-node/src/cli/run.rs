//! `run`: the node of one folder, until it is told to stop.

use crate::node::{Node, NodeError};
use std::path::Path;

pub(super) async fn run(data: &Path) -> Result<(), NodeError> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,libp2p=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let node = Node::start(data).await?;
    tracing::info!(http = %node.http(), "node is running");
    node.run_until(stop_signal()).await
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

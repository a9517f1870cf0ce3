//! The command line.

use amulet_protocol::ids::Did;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Follows Amulet's chain and checks proofs, trusting the genesis document and no hospital.
///
/// Exit codes: 0 proven; 1 refused as false; 2 wrong use, or a file that cannot be read; 3 nothing can be said now, such as
/// when too few hospitals answer; 4 hospitals contradict each other.
#[derive(Debug, Parser)]
#[command(name = "amulet-light", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Print JSON, one value a line, for other programs.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask the hospitals for the newest block, and check it.
    Sync {
        #[command(flatten)]
        network: Network,
        /// Write the newest header to this file, as a proof that `verify-header` reads.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Check a header without a network: a proof file, or a signed header (borsh) of the first validators.
    VerifyHeader {
        /// The genesis document, from a source that you trust.
        #[arg(long, value_name = "FILE")]
        genesis: PathBuf,
        #[command(flatten)]
        checkpoint: Known,
        /// What to check.
        file: PathBuf,
    },
    /// Check a proof file, such as a wallet exports, without a network.
    VerifyProof {
        /// The genesis document, from a source that you trust.
        #[arg(long, value_name = "FILE")]
        genesis: PathBuf,
        #[command(flatten)]
        checkpoint: Known,
        /// What to check.
        file: PathBuf,
    },
    /// Ask the hospitals for the newest block, check it, and print it as a checkpoint: ten words to read out, and a code.
    ///
    /// Another device compares the words, or starts from the block by its number and the words, or by the code.
    Checkpoint {
        #[command(flatten)]
        network: Network,
        /// Write the code to this file, for `--checkpoint`.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Check a fork file, as a wallet saves it when hospitals contradict each other, without a network: exit code 0 says
    /// that they do.
    VerifyFork {
        /// The genesis document, from a source that you trust.
        #[arg(long, value_name = "FILE")]
        genesis: PathBuf,
        /// What to check.
        file: PathBuf,
    },
    /// Print somebody's history, proven complete, and what is added to it.
    Watch {
        #[command(flatten)]
        network: Network,
        /// Whose history, as did:amulet:…
        did: Did,
        /// Print what is there now, and end.
        #[arg(long)]
        once: bool,
        /// Seconds between two looks.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        every: u64,
        /// Write the history with its proof to this file, for `verify-proof`; at each look anew.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
}

/// Which hospitals to ask.
#[derive(Debug, Args)]
pub struct Network {
    /// The genesis document, from a source that you trust.
    #[arg(long, value_name = "FILE")]
    pub genesis: PathBuf,
    /// A hospital's libp2p address with its identity: /ip4/…/tcp/…/p2p/…; give those of several hospitals. Nodes of others
    /// that validate are found on the ledger and asked from the next look on.
    #[arg(long = "node", value_name = "ADDRESS", required = true)]
    pub nodes: Vec<String>,
    /// Start from this block instead of the genesis document's validators, who may have left long ago: what `checkpoint` printed
    /// on a device that you trust. "BLOCK WORD1 … WORD10" (the number of the block and its ten words, English or
    /// Chinese), the code "amulet-checkpoint:1:…", or a file with either. Which hospitals are asked does not matter: the
    /// words or the code say what the block is.
    #[arg(long, value_name = "WORDS|FILE|CODE")]
    pub checkpoint: Option<String>,
    /// Folder that keeps what is trusted until the next time, and where nodes of hospitals are that joined; without it every
    /// start begins at the genesis or the checkpoint. One that was made from another start is emptied.
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
}

/// What is known beside the genesis document.
#[derive(Debug, Args)]
pub struct Known {
    /// Also compare with this block, as in `sync --checkpoint`: what a proof shows of a block of this number has to be this one.
    /// A proof that does not show it is not proven by this command (exit code 3).
    #[arg(long, value_name = "WORDS|FILE|CODE")]
    pub checkpoint: Option<String>,
}

//! Memory of a client, in a process of its own: that of this one holds the chain.

use crate::network::Recording;
use amulet_light_client::SyncPolicy;
use amulet_light_client::store::SledStore;
use amulet_protocol::codec::encode;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};
use tokio::runtime::Runtime;

/// KiB that a first sync added at its peak, and those of the whole process then.
pub struct Memory {
    pub added: u64,
    pub process: u64,
}

/// Starts this program once more with what a client was told.
pub fn measure(recording: &Recording) -> Memory {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("recording"), encode(recording)).unwrap();
    let program = env::current_exe().unwrap();
    let output = Command::new(program).arg("--replay").arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|number| number.parse().unwrap());
    let mut next = || numbers.next().expect("two numbers are printed");
    Memory { added: next(), process: next() }
}

/// The other process: syncs once with a store on disk, as a desktop wallet does.
pub fn replay(runtime: &Runtime, folder: &Path) {
    let bytes = fs::read(folder.join("recording")).unwrap();
    let recording: Arc<Recording> = Arc::new(borsh::from_slice(&bytes).unwrap());
    drop(bytes);
    let before = status("VmRSS:");
    let store = Box::new(SledStore::open(&folder.join("store")).unwrap());
    let client = recording.client_with(store);
    runtime.block_on(client.sync_by(SyncPolicy::Full, recording.now)).unwrap();
    let peak = status("VmHWM:");
    println!("{} {peak}", peak.saturating_sub(before));
}

/// KiB, by Linux.
fn status(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

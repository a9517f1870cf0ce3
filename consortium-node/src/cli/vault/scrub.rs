//! `vault scrub`: asks the running node, and says how far it is.

use super::super::{Failure, say};
use crate::cli::progress::Progress;
use crate::config::NodeConfig;
use crate::http_client::{self, Request};
use crate::keys::NodeKeys;
use crate::vault::ScrubReport;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(in crate::cli) struct ScrubArgs {
    /// The node's folder. The node must run.
    #[arg(long)]
    data: PathBuf,
    /// MiB read a second at most; as fast as it goes without it.
    #[arg(long)]
    mib_per_second: Option<u64>,
    /// Show how the scrub that runs, or the last one, goes, and begin none.
    #[arg(long)]
    show: bool,
}

/// The vault is not whole.
#[derive(Debug, thiserror::Error)]
#[error(
    "{lost} ciphertexts are damaged or missing here, and no other hospital gives them: {}. If the other hospitals are running, \
     restore them from a backup with `amulet-node vault restore`",
    blobs.join(", ")
)]
struct Lost {
    lost: u64,
    blobs: Vec<String>,
}

pub(super) async fn scrub(args: &ScrubArgs) -> Result<(), Failure> {
    let (config, keys) = (NodeConfig::load(&args.data)?, NodeKeys::load(&args.data)?);
    let mut url = format!("http://{}/api/v1/vault/scrub", config.http);
    let look = Request::get(&url).bearer(&keys.intake_token);
    if !args.show {
        if let Some(rate) = args.mib_per_second {
            url += &format!("?bytes_per_second={}", rate.max(1).saturating_mul(1024 * 1024));
        }
        let begin = Request::post(&url, "application/json", Vec::new()).bearer(&keys.intake_token);
        http_client::send(begin).await?;
    }
    let mut progress = Progress::new("scrubbing");
    let report = loop {
        let answer = http_client::send(look.clone()).await?;
        let report: ScrubReport = serde_json::from_slice(&answer.body)?;
        if !report.running || args.show {
            break report;
        }
        progress.show(report.seen, report.named, report.bytes);
        tokio::time::sleep(LOOK_EVERY).await;
    };
    progress.end();
    tell(report)
}

fn tell(report: ScrubReport) -> Result<(), Failure> {
    let ScrubReport { checked, bytes, damaged, missing, repaired, lost, lost_blobs, .. } = report;
    let state = match (report.running, report.began) {
        (true, _) => "is running",
        (false, 0) => "has not been done since the node started",
        (false, _) => "is done",
    };
    say(format_args!(
        "scrub {state}: {checked} ciphertexts read, {bytes} bytes; {damaged} damaged, {missing} missing, {repaired} repaired, {lost} \
         lost"
    ));
    if let Some(why) = report.stopped {
        return Err(format!("the scrub stopped before its end: {why}").into());
    }
    if lost > 0 { Err(Box::new(Lost { lost, blobs: lost_blobs })) } else { Ok(()) }
}

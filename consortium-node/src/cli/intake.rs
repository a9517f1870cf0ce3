//! `intake`: judges files without a chain, or hands them to a running node.

use super::{Failure, say};
use crate::http_client::{self, Request};
use amulet_fhir::check_line;
use amulet_fhir::quality::Given;
use clap::Args;
use std::path::{Path, PathBuf};

/// Bytes of a file that are read: beyond what intake takes, so that the refusal can name the size of a file that is merely
/// too large, and bounded, because the file may be anything.
const READ_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct IntakeArgs {
    /// Only judge: print one JSON object for each file, on one line, and change nothing.
    #[arg(long, conflicts_with_all = ["node", "patient", "token_file"])]
    check: bool,
    /// The hospital's node.
    #[arg(long, default_value = "http://127.0.0.1:8101")]
    node: String,
    /// DID of the patient.
    #[arg(long, required_unless_present = "check")]
    patient: Option<String>,
    /// File with the hospital's intake token (`keys/intake.token` in the node's folder).
    #[arg(long, required_unless_present = "check")]
    token_file: Option<PathBuf>,
    /// FHIR bundles.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// A file that could not be judged, because it could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{} of {total} files could not be judged: {}", unread.len(), unread.join("; "))]
struct Unread {
    unread: Vec<String>,
    total: usize,
}

pub(super) async fn intake(args: IntakeArgs) -> Result<(), Failure> {
    if args.check {
        return check(&args.files);
    }
    let (Some(patient), Some(token_file)) = (args.patient, args.token_file) else {
        return Err(
            "say whose records these are (--patient) and show the hospital's token (--token-file)".into()
        );
    };
    let token = std::fs::read_to_string(&token_file)?;
    for file in &args.files {
        let body = std::fs::read(file)?;
        let url = format!("{}/fhir?patient={patient}", args.node.trim_end_matches('/'));
        let request = Request::post(&url, "application/fhir+json", body).bearer(token.trim());
        let answer = http_client::send(request).await?;
        say(format_args!("{}: {}", file.display(), String::from_utf8_lossy(&answer.body)));
    }
    Ok(())
}

fn check(files: &[PathBuf]) -> Result<(), Failure> {
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok();
    let today = today.and_then(|since| i64::try_from(since.as_secs()).ok());
    let given = Given { today, ..Given::default() };
    let mut unread = Vec::new();
    for file in files {
        match read(file) {
            Ok(bytes) => say(serde_json::to_string(&check_line(&file.to_string_lossy(), &bytes, &given))?),
            Err(error) => unread.push(format!("{}: {error}", file.display())),
        }
    }
    if unread.is_empty() { Ok(()) } else { Err(Box::new(Unread { unread, total: files.len() })) }
}

/// Reads a file, but no more of an enormous one than shows that it is.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

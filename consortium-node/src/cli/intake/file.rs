//! `intake file`: one large file, read and sent with little memory.

use super::in_url;
use crate::cli::progress::Progress;
use crate::cli::{Failure, say};
use crate::http_client;
use clap::Args;
use std::io::{Read, Seek};
use std::path::PathBuf;

/// Where a DICOM file says that it is one.
const DICOM_AT: usize = 128;
const DICOM: &[u8] = b"DICM";

#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// The hospital's node.
    #[arg(long, default_value = "http://127.0.0.1:8101")]
    node: String,
    /// DID of the patient.
    #[arg(long)]
    patient: String,
    /// File with the hospital's intake token (`keys/intake.token` in the node's folder).
    #[arg(long)]
    token_file: PathBuf,
    /// Text for the patient's list.
    #[arg(long)]
    title: String,
    /// The file's id at the hospital, its name without this; the same id again is the next version.
    #[arg(long)]
    id: Option<String>,
    /// Media type; DICOM is recognised.
    #[arg(long)]
    content_type: Option<String>,
    /// Date of what it shows, as 2026-03-01.
    #[arg(long)]
    date: Option<String>,
    /// Category of the record.
    #[arg(long, default_value = "imaging")]
    category: String,
    /// Class: public, internal, sensitive or core.
    #[arg(long, default_value = "sensitive")]
    class: String,
    /// The file.
    file: PathBuf,
}

pub(super) async fn hand_over(args: FileArgs) -> Result<(), Failure> {
    let token = std::fs::read_to_string(&args.token_file)?;
    let mut file =
        std::fs::File::open(&args.file).map_err(|error| format!("{}: {error}", args.file.display()))?;
    let content_type = match args.content_type {
        Some(given) => given,
        None => recognised(&mut file)?.to_owned(),
    };
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let id = args.id.or(name).ok_or("give the file an --id")?;
    let mut url = format!("{}/api/v1/files?patient={}", args.node.trim_end_matches('/'), args.patient);
    let words = [("id", Some(id)), ("title", Some(args.title)), ("date", args.date)];
    let codes = [("category", Some(args.category)), ("class", Some(args.class))];
    for (name, value) in words.into_iter().chain(codes) {
        if let Some(value) = value {
            url += &format!("&{name}={}", in_url(&value));
        }
    }
    let bytes = file.metadata()?.len();
    let mut progress = Progress::new("sending, in MiB");
    let read = move |sent: u64| progress.show(sent >> 20, bytes >> 20, sent);
    let answer = http_client::send_file(url, content_type, token.trim().to_owned(), file, read).await?;
    say(String::from_utf8_lossy(&answer.body));
    Ok(())
}

fn recognised(file: &mut std::fs::File) -> std::io::Result<&'static str> {
    let mut beginning = Vec::new();
    file.by_ref().take((DICOM_AT + DICOM.len()) as u64).read_to_end(&mut beginning)?;
    file.rewind()?;
    let dicom = beginning.get(DICOM_AT..) == Some(DICOM);
    Ok(if dicom { "application/dicom" } else { "application/octet-stream" })
}

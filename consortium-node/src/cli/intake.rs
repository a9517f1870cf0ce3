//! `intake`: judges files without a chain, or hands them to a running node.

mod file;
mod review;

use super::{Failure, say};
use crate::http_client::{self, Request};
use crate::intake::review::class_named;
use amulet_fhir::quality::{Given, Language};
use amulet_fhir::{DataClass, check_line};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Bytes of a file that are read: beyond what intake takes, so that the refusal can name the size of a file that is merely
/// too large, and bounded, because the file may be anything.
const READ_BYTES_MAX: u64 = 256 * 1024 * 1024;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct IntakeArgs {
    #[command(subcommand)]
    command: Option<IntakeCommand>,
    /// Only judge: print one JSON object for each file, on one line, and change nothing.
    #[arg(long, conflicts_with_all = ["node", "patient", "token_file"])]
    check: bool,
    /// With --check: print, before the line of each file, its records with their classes and every finding of the quality
    /// rules.
    #[arg(long, requires = "check")]
    explain: bool,
    /// The hospital's node.
    #[arg(long, default_value = "http://127.0.0.1:8101")]
    node: String,
    /// DID of the patient.
    #[arg(long, required_unless_present = "check")]
    patient: Option<String>,
    /// File with the hospital's intake token (`keys/intake.token` in the node's folder).
    #[arg(long, required_unless_present = "check")]
    token_file: Option<PathBuf>,
    /// FHIR id of the Patient whose records are wanted, for files with several patients (bulk exports) or with none.
    #[arg(long)]
    subject: Option<String>,
    /// Class of a record, in place of the one that the rules give: `Observation/1=core`. Can be given several times.
    #[arg(long = "class", value_name = "TYPE/ID=CLASS")]
    classes: Vec<String>,
    /// The files are NDJSON parts of one export, such as one file a type: join them.
    #[arg(long)]
    together: bool,
    /// FHIR files: Bundles, single resources, or NDJSON.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum IntakeCommand {
    /// Hand one large file, such as an imaging study, to a running node; it becomes one record.
    File(Box<file::FileArgs>),
    /// See and decide about records that a quality rule flagged.
    #[command(subcommand)]
    Review(review::ReviewCommand),
}

/// A file that could not be judged, because it could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{} of {total} files could not be judged: {}", unread.len(), unread.join("; "))]
struct Unread {
    unread: Vec<String>,
    total: usize,
}

pub(super) async fn intake(args: IntakeArgs) -> Result<(), Failure> {
    match args.command {
        Some(IntakeCommand::Review(command)) => review::run(command).await,
        Some(IntakeCommand::File(args)) => file::hand_over(*args).await,
        None if args.check => check(&args),
        None => hand_over(args).await,
    }
}

async fn hand_over(args: IntakeArgs) -> Result<(), Failure> {
    let classes = classes(&args.classes)?;
    let files = files(&args.files, args.together)?;
    let (Some(patient), Some(token_file)) = (args.patient, args.token_file) else {
        return Err(
            "say whose records these are (--patient) and show the hospital's token (--token-file)".into()
        );
    };
    let token = std::fs::read_to_string(&token_file)?;
    let mut url = format!("{}/fhir?patient={patient}", args.node.trim_end_matches('/'));
    if let Some(subject) = &args.subject {
        url += &format!("&subject={}", in_url(subject));
    }
    if !classes.is_empty() {
        let pairs: Vec<String> =
            classes.iter().map(|(label, class)| format!("{label}:{}", class.code())).collect();
        url += &format!("&classes={}", in_url(&pairs.join(",")));
    }
    for (name, body) in files {
        let request = Request::post(&url, "application/fhir+json", body?).bearer(token.trim());
        let answer = http_client::send(request).await?;
        say(format_args!("{name}: {}", String::from_utf8_lossy(&answer.body)));
    }
    Ok(())
}

/// What a query can't hold as it is becomes `%XX`.
fn in_url(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn classes(given: &[String]) -> Result<BTreeMap<String, DataClass>, Failure> {
    let mut classes = BTreeMap::new();
    for pair in given {
        let (label, class) = pair.rsplit_once('=').ok_or("a class is given as TYPE/ID=CLASS")?;
        classes.insert(label.to_owned(), class_named(class)?);
    }
    Ok(classes)
}

type File = (String, std::io::Result<Vec<u8>>);

fn files(paths: &[PathBuf], together: bool) -> Result<Vec<File>, Failure> {
    let each = paths.iter().map(|path| (path.to_string_lossy().into_owned(), read(path)));
    if !together {
        return Ok(each.collect());
    }
    let (mut names, mut joined) = (Vec::new(), Vec::new());
    for (name, bytes) in each {
        let bytes = bytes.map_err(|error| format!("{name}: {error}"))?;
        joined.extend_from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
        joined.push(b'\n');
        names.push(name);
    }
    Ok(vec![(names.join(" "), Ok(joined))])
}

fn check(args: &IntakeArgs) -> Result<(), Failure> {
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok();
    let today = today.and_then(|since| i64::try_from(since.as_secs()).ok());
    let given =
        Given { today, subject: args.subject.clone(), classes: classes(&args.classes)?, blood_group: None };
    let files = files(&args.files, args.together)?;
    let (mut unread, total) = (Vec::new(), files.len());
    for (name, bytes) in files {
        match bytes {
            Ok(bytes) => {
                if args.explain {
                    explain(&bytes, &given);
                }
                say(serde_json::to_string(&check_line(&name, &bytes, &given))?);
            }
            Err(error) => unread.push(format!("{name}: {error}")),
        }
    }
    if unread.is_empty() { Ok(()) } else { Err(Box::new(Unread { unread, total })) }
}

/// Each record with its class and the rule that gave it, and what the quality rules say of it.
fn explain(bytes: &[u8], given: &Given) {
    let Ok(intake) = amulet_fhir::intake(bytes, given) else { return };
    for record in &intake.records {
        let (class, rule) = (record.class.code(), record.class_rule.code());
        say(format_args!("{} is {class} (by {rule}), {}", record.label(), record.category.code()));
        for finding in &record.findings {
            let (severity, code) = (finding.severity().code(), finding.rule.code());
            say(format_args!("  {severity} {code} at {}: {}", finding.path, finding.sentence(Language::En)));
            say(format_args!("    {}", finding.sentence(Language::Zh)));
        }
    }
}

/// Reads a file, but no more of an enormous one than shows that it is.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

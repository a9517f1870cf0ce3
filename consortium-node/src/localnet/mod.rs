//! A demonstration consortium on one machine: four hospitals, each its own process with its own keys, folder and ports;
//! two clinicians, a researcher and some patients, enrolled as they would be anywhere.

mod children;
mod enrol;
mod people;
mod ports;
mod setup;
mod studies;

use crate::cli::say;
use crate::http_client::HttpError;
use crate::keys;
use children::Hospitals;
use clap::Args;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Hospitals of the demonstration, in English and Chinese.
pub(crate) const HOSPITALS: [(&str, &str); 4] = [
    ("City First Hospital", "市第一人民医院"),
    ("County Hospital", "县人民医院"),
    ("University Medical Centre", "大学附属医院"),
    ("Harbour Community Hospital", "海港社区医院"),
];

const READY_FILE: &str = "ready.json";
const LOCK_FILE: &str = "localnet.lock";
/// Free space that a start needs, so that it does not fail half way: 64 MiB.
const SPACE_BYTES: usize = 64 * 1024 * 1024;

/// Options of `amulet-node localnet`.
#[derive(Debug, Args)]
pub struct LocalnetOptions {
    /// Folder of the demonstration; made if it is missing, taken up again if it is not.
    #[arg(long)]
    data: PathBuf,
    /// Folder of the wallet's web pages.
    #[arg(long)]
    web: Option<PathBuf>,
    /// Folder of FHIR bundles to load, one patient each, instead of the built-in samples.
    #[arg(long)]
    fhir: Option<PathBuf>,
    /// First of four HTTP ports.
    #[arg(long, default_value_t = 8101)]
    http_port: u16,
    /// First of four libp2p ports, TCP and UDP.
    #[arg(long, default_value_t = 9101)]
    libp2p_port: u16,
    /// First of four ports of the hospitals' consoles; there are none without it.
    #[arg(long)]
    console_port: Option<u16>,
}

/// Why the demonstration did not start, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum LocalnetError {
    /// Another one runs in the same folder.
    #[error(
        "a consortium is already running from {0}. Use it, or stop it with Ctrl-C in its terminal, or choose another folder with --data"
    )]
    AlreadyRunning(PathBuf),
    /// A port is taken.
    #[error(
        "{kind} port {port} is taken by another program. Stop that program, or choose other ports with {option}"
    )]
    PortTaken {
        /// HTTP or libp2p.
        kind: &'static str,
        /// Which.
        port: u16,
        /// The option that changes it.
        option: &'static str,
    },
    /// There is too little space.
    #[error("there is no room for the demonstration in {folder}: it needs {} MiB. Free some space, or choose a folder on another disk with --data", SPACE_BYTES / 1024 / 1024)]
    DiskFull {
        /// Where.
        folder: PathBuf,
    },
    /// A file or folder cannot be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A node's folder could not be made.
    #[error(transparent)]
    Init(#[from] crate::cli::InitError),
    /// A genesis document or join request could not be read or written.
    #[error(transparent)]
    Genesis(#[from] crate::genesis_file::GenesisFileError),
    /// Keys could not be read.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
    /// A configuration could not be written.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// A hospital's process could not be started.
    #[error("hospital {number} cannot be started: {source}")]
    Start {
        /// Which, from 1.
        number: usize,
        /// The system's words.
        source: io::Error,
    },
    /// A hospital's process ended while the others waited for it.
    #[error("hospital {number} stopped while starting. Its last words:\n{words}\nThe whole log is {log}")]
    DiedEarly {
        /// Which, from 1.
        number: usize,
        /// The end of its log.
        words: String,
        /// Its log.
        log: PathBuf,
    },
    /// The hospitals run but do not answer.
    #[error("the hospitals did not come up within {seconds} s; their logs are in {folder}")]
    NotReady {
        /// How long was waited.
        seconds: u64,
        /// Where the logs are.
        folder: PathBuf,
    },
    /// A question to a node failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// A person could not be enrolled.
    #[error("{name} could not be enrolled: {reason}")]
    Enrol {
        /// Who.
        name: String,
        /// Why.
        reason: String,
    },
    /// No FHIR bundle was found.
    #[error(
        "{0} holds no .json file. Put FHIR bundles there, or leave --fhir out to use the built-in samples"
    )]
    NoBundles(PathBuf),
}

/// Runs the demonstration until it is told to stop.
///
/// # Errors
/// [`LocalnetError`] by variant; everything that was started is stopped again.
pub async fn run(options: LocalnetOptions) -> Result<(), LocalnetError> {
    let data = options.data.clone();
    fs::create_dir_all(&data).map_err(|source| LocalnetError::File { path: data.clone(), source })?;
    let data = data.canonicalize().map_err(|source| LocalnetError::File { path: data, source })?;
    let _lock = lock(&data)?;
    let ready = data.join(READY_FILE);
    // A leftover of a run that was killed; a missing one is as good as a removed one.
    let _ = fs::remove_file(&ready);
    ports::check(options.http_port, options.libp2p_port, options.console_port)?;
    check_space(&data)?;

    let setup = setup::prepare(&data, &options)?;
    say("[1/4] Starting four hospitals");
    let mut hospitals = Hospitals::start(&setup)?;
    let result = tokio::select! {
        started = bring_up(&mut hospitals, &setup, &options) => started,
        () = crate::cli::stop_signal() => Ok(false),
    };
    if let Ok(true) = result {
        announce(&setup, &ready)?;
        hospitals.watch_until(crate::cli::stop_signal()).await;
    }
    let _ = fs::remove_file(&ready);
    say("Stopping the hospitals");
    hospitals.stop().await;
    result.map(|_| say("Stopped."))
}

async fn bring_up(
    hospitals: &mut Hospitals,
    setup: &setup::Setup,
    options: &LocalnetOptions,
) -> Result<bool, LocalnetError> {
    hospitals.wait_until_healthy(setup).await?;
    enrol::enrol(setup, options.fhir.as_deref()).await?;
    Ok(true)
}

fn announce(setup: &setup::Setup, ready: &Path) -> Result<(), LocalnetError> {
    let nodes: Vec<String> = setup.hospitals.iter().map(|hospital| hospital.http.clone()).collect();
    let passphrase = people::passphrase(&setup.data)?;
    let web = format!("{}/", nodes[0]);
    say("[4/4] Ready.");
    say("");
    say(format_args!("  The wallet in a browser   {web}"));
    say(format_args!("  Passphrase of everybody   {}", passphrase.as_str()));
    if let Some((first, console)) = setup.hospitals.first().and_then(|first| Some((first, first.console?))) {
        say(format_args!("  A hospital's console      http://{console}/#/console"));
        say(format_args!(
            "  Its token is in           {}",
            keys::console_token_path(&first.folder).display()
        ));
    }
    say("");
    say("  What to try first");
    let patient = people::first_patient(&setup.data);
    say(format_args!("    1. Open as {patient}, a patient: look at Records, make an emergency card."));
    say("    2. Lock, open as Dr Zhao (emergency): scan or type the card's code, declare, read.");
    say(
        "    3. As Dr Chen: ask the same patient for access, by the code under \"My code\". As the patient: grant it,",
    );
    say("       look at the access log, take it back.");
    say("");
    say("  Ctrl-C stops all four hospitals.");
    let json = serde_json::json!({ "web": web, "nodes": nodes });
    let temporary = ready.with_extension("tmp");
    fs::write(&temporary, json.to_string())
        .and_then(|()| fs::rename(&temporary, ready))
        .map_err(|source| LocalnetError::File { path: ready.to_owned(), source })
}

/// Holds the folder for this process; the lock goes with it, however it ends.
fn lock(data: &Path) -> Result<File, LocalnetError> {
    let path = data.join(LOCK_FILE);
    let file = File::create(&path).map_err(|source| LocalnetError::File { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LocalnetError::AlreadyRunning(data.to_owned())),
        Err(TryLockError::Error(source)) => Err(LocalnetError::File { path, source }),
    }
}

/// Writes and removes a file of the size that a start needs.
fn check_space(data: &Path) -> Result<(), LocalnetError> {
    let path = data.join("space.tmp");
    let written = fs::write(&path, vec![0u8; SPACE_BYTES]);
    let _ = fs::remove_file(&path);
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            Err(LocalnetError::DiskFull { folder: data.to_owned() })
        }
        Err(source) => Err(LocalnetError::File { path, source }),
    }
}

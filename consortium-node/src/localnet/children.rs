//! The hospitals' processes: started, waited for, watched, stopped.

use super::LocalnetError;
use super::setup::Setup;
use crate::cli::say;
use crate::http_client;
use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const UP_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);
/// How long a hospital may take to close its ledger.
const GRACE: Duration = Duration::from_secs(8);
/// How much of a log is shown when a hospital dies.
const LAST_WORDS_BYTES: usize = 1_500;

struct Running {
    number: usize,
    name: &'static str,
    folder: PathBuf,
    console: Option<SocketAddr>,
    log: PathBuf,
    child: Child,
    gone: bool,
}

/// The four processes.
pub(super) struct Hospitals(Vec<Running>);

impl Hospitals {
    pub fn start(setup: &Setup) -> Result<Self, LocalnetError> {
        let program = std::env::current_exe().map_err(|source| LocalnetError::Start { number: 1, source })?;
        let mut running = Vec::new();
        for (index, hospital) in setup.hospitals.iter().enumerate() {
            let number = index + 1;
            let log = hospital.folder.join("node.log");
            let child = spawn(&program, &hospital.folder, hospital.console, &log)
                .map_err(|source| LocalnetError::Start { number, source })?;
            running.push(Running {
                number,
                name: hospital.name_en,
                folder: hospital.folder.clone(),
                console: hospital.console,
                log,
                child,
                gone: false,
            });
        }
        Ok(Self(running))
    }

    pub async fn wait_until_healthy(&mut self, setup: &Setup) -> Result<(), LocalnetError> {
        let deadline = Instant::now() + UP_WITHIN;
        for (index, hospital) in setup.hospitals.iter().enumerate() {
            let url = format!("{}/health", hospital.http);
            while http_client::get(&url).await.is_err() {
                self.check_alive()?;
                if Instant::now() > deadline {
                    let seconds = UP_WITHIN.as_secs();
                    return Err(LocalnetError::NotReady { seconds, folder: setup.data.clone() });
                }
                sleep(POLL).await;
            }
            say(format_args!("      {} ({}) is up at {}", hospital.name_en, hospital.name_zh, hospital.http));
            debug_assert_eq!(self.0[index].number, index + 1);
        }
        Ok(())
    }

    fn check_alive(&mut self) -> Result<(), LocalnetError> {
        for running in &mut self.0 {
            if let Ok(Some(_)) = running.child.try_wait() {
                return Err(LocalnetError::DiedEarly {
                    number: running.number,
                    words: last_words(&running.log),
                    log: running.log.clone(),
                });
            }
        }
        Ok(())
    }

    /// Says when a hospital stops by itself or is killed, until `stop` resolves.
    pub async fn watch_until(&mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = sleep(POLL) => {
                    for running in self.0.iter_mut().filter(|running| !running.gone) {
                        if let Ok(Some(status)) = running.child.try_wait() {
                            running.gone = true;
                            report(running, status);
                        }
                    }
                }
            }
        }
    }

    /// Asks every process to stop and kills those that do not.
    pub async fn stop(&mut self) {
        for running in &self.0 {
            if let Some(pid) = running.child.id() {
                // A process that is gone already needs no signal.
                let _ = std::process::Command::new("kill").arg("-TERM").arg(pid.to_string()).status();
            }
        }
        let deadline = Instant::now() + GRACE;
        for running in &mut self.0 {
            if tokio::time::timeout_at(deadline, running.child.wait()).await.is_err() {
                let _ = running.child.kill().await;
            }
        }
    }
}

fn spawn(program: &Path, folder: &Path, console: Option<SocketAddr>, log: &Path) -> io::Result<Child> {
    let log = File::create(log)?;
    let console = console.into_iter().flat_map(|address| ["--console".to_owned(), address.to_string()]);
    Command::new(program)
        .arg("run")
        .arg("--data")
        .arg(folder)
        .args(console)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
}

fn report(running: &Running, status: ExitStatus) {
    let Running { number, name, folder, console, log, .. } = running;
    let console = console.map(|address| format!(" --console {address}")).unwrap_or_default();
    say(format_args!(
        "Hospital {number}, {name}, has stopped ({status}). The other hospitals go on as long as three are up. Start it \
         again with: amulet-node run --data {}{console} (its log is {})",
        folder.display(),
        log.display()
    ));
}

fn last_words(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let start = text.char_indices().rev().nth(LAST_WORDS_BYTES).map_or(0, |(at, _)| at);
    text[start..].trim().to_owned()
}

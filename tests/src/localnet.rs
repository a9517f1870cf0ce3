//! A consortium of four real processes in a temporary folder, as `amulet-node localnet` starts it; single hospitals can
//! be killed and started again.

use crate::hospital::Hospital;
use crate::{http, wait};
use amulet_protocol::genesis::Genesis;
use amulet_wallet::network::Network;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Four processes start and six people are enrolled, unoptimised, on two busy cores.
const READY_WITHIN: Duration = Duration::from_secs(150);
const HOSPITAL_UP_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
const HOSPITALS: u16 = 4;
const LAST_WORDS_BYTES: usize = 1_500;
const LOG: &str = "localnet.log";

/// The consortium; dropping it stops all of it.
pub struct Localnet {
    folder: Option<TempDir>,
    path: PathBuf,
    /// The first HTTP port and the first libp2p port.
    ports: (u16, u16),
    process: Child,
    restarted: Vec<Child>,
    hospitals: Vec<Hospital>,
    network: Vec<u8>,
    passphrase: String,
}

/// How to start one.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// Folder of web pages to serve.
    pub web: Option<PathBuf>,
}

impl Localnet {
    /// Starts one with the built-in people and no pages.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&Options::default())
    }

    /// Starts one.
    ///
    /// # Panics
    /// When it does not come up; the end of its output says why.
    #[must_use]
    pub fn start_with(options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("amulet-test-").tempdir().expect("a temporary folder");
        let path = folder.path().canonicalize().expect("the folder is there");
        let ports = free_ports(HOSPITALS);
        let process = start_process(&path, ports, options);
        let hospitals = (1..=HOSPITALS).map(|n| Hospital::new(&path, n, ports.0 + n - 1)).collect();
        let network = fs::read(path.join("network.json")).expect("network.json is there once it is ready");
        let passphrase =
            fs::read_to_string(path.join("demo-passphrase.txt")).expect("the passphrase is there");
        let passphrase = passphrase.trim().to_owned();
        let folder = Some(folder);
        Self { folder, path, ports, process, restarted: Vec::new(), hospitals, network, passphrase }
    }

    /// Stops all of it as Ctrl-C does, and starts it again in the same folder.
    ///
    /// # Panics
    /// When it does not stop cleanly, or does not come up again.
    pub fn stop_and_start(&mut self) {
        self.stop();
        self.start_again(&Options::default());
    }

    /// Stops all of it as Ctrl-C does.
    ///
    /// # Panics
    /// When it does not stop cleanly.
    pub fn stop(&mut self) {
        signal("-INT", self.process.id());
        let stopped =
            wait::until("the consortium to stop", STOPPED_WITHIN, || self.process.try_wait().ok()?);
        assert!(stopped.success(), "stopped with {stopped}");
        assert!(
            self.hospitals.iter().all(|hospital| pid_of(&hospital.folder).is_none()),
            "all four are gone"
        );
    }

    /// Starts it again in the same folder, after [`Localnet::stop`].
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn start_again(&mut self, options: &Options) {
        self.process = start_process(&self.path, self.ports, options);
    }

    /// Arguments that start one in `data` on the ports of this one.
    #[must_use]
    pub fn arguments_in(&self, data: &Path) -> Vec<OsString> {
        arguments(data, self.ports)
    }

    /// What was printed since the last start.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn printed(&self) -> String {
        fs::read_to_string(self.path.join(LOG)).expect("the output is in a file")
    }

    /// Hospital `n`, from 1.
    ///
    /// # Panics
    /// For another number than 1 to 4.
    #[must_use]
    pub fn hospital(&self, n: usize) -> &Hospital {
        &self.hospitals[n - 1]
    }

    /// All hospitals, in their order.
    #[must_use]
    pub fn hospitals(&self) -> &[Hospital] {
        &self.hospitals
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The network file as wallets get it.
    #[must_use]
    pub fn network(&self) -> &[u8] {
        &self.network
    }

    /// The genesis document.
    ///
    /// # Panics
    /// When the network file is not what it should be.
    #[must_use]
    pub fn genesis(&self) -> Genesis {
        Network::parse(&self.network).expect("the network file is acceptable").genesis().clone()
    }

    /// The passphrase of the demonstration's people.
    #[must_use]
    pub fn passphrase(&self) -> &str {
        &self.passphrase
    }

    /// The address of the pages.
    #[must_use]
    pub fn web(&self) -> String {
        format!("{}/", self.hospital(1).http)
    }

    /// Kills hospital `n` as a power cut would; returns once it is gone.
    ///
    /// # Panics
    /// When it is not running.
    pub fn kill(&mut self, n: usize) {
        let folder = self.hospital(n).folder.clone();
        let pid = pid_of(&folder).unwrap_or_else(|| panic!("hospital {n} is not running"));
        signal("-KILL", pid);
        wait::until("the killed hospital to be gone", STOPPED_WITHIN, || {
            // Those that were started here have to be waited for, or they stay as zombies.
            self.restarted.iter_mut().for_each(|child| drop(child.try_wait()));
            pid_of(&folder).is_none().then_some(())
        });
    }

    /// Starts hospital `n` again and waits until it answers.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self, n: usize) {
        let folder = self.hospital(n).folder.clone();
        let log = File::create(folder.join("node-again.log")).expect("a log file");
        let errors = log.try_clone().expect("a log file");
        let mut command = Command::new(node_program());
        command.arg("run").arg("--data").arg(&folder).stdin(Stdio::null()).stdout(log).stderr(errors);
        let mut child = command.spawn().expect("the node's program starts");
        let health = format!("{}/health", self.hospital(n).http);
        wait::until("the hospital to be up again", HOSPITAL_UP_WITHIN, || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("hospital {n} stopped ({status}):\n{}", last_words(&folder.join("node-again.log")));
            }
            http::get(&health).ok().filter(|answer| answer.status == 200)
        });
        self.restarted.push(child);
    }

    /// Whether hospital `n` runs.
    #[must_use]
    pub fn is_running(&self, n: usize) -> bool {
        pid_of(&self.hospital(n).folder).is_some()
    }

    /// Waits until all running hospitals have the same newest block, and gives its height.
    ///
    /// # Panics
    /// When they do not within `limit`.
    #[allow(clippy::must_use_candidate, reason = "mostly called to wait")]
    pub fn same_head(&self, limit: Duration) -> u64 {
        wait::until("all hospitals to have the same newest block", limit, || {
            let running = self.hospitals.iter().filter(|hospital| pid_of(&hospital.folder).is_some());
            let mut heads: Vec<_> = running.map(Hospital::head).collect::<Option<_>>()?;
            heads.dedup();
            (heads.len() == 1).then(|| heads[0].0)
        })
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
        signal("-TERM", self.process.id());
        for child in &mut self.restarted {
            signal("-TERM", child.id());
        }
        let deadline = std::time::Instant::now() + STOPPED_WITHIN;
        let mut children: Vec<&mut Child> = self.restarted.iter_mut().collect();
        children.push(&mut self.process);
        while children.iter_mut().any(|child| matches!(child.try_wait(), Ok(None))) {
            if std::time::Instant::now() > deadline {
                children.iter_mut().for_each(|child| drop(child.kill()));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // Whatever lost its parent.
        for hospital in &self.hospitals {
            if let Some(pid) = pid_of(&hospital.folder) {
                signal("-KILL", pid);
            }
        }
    }
}

impl Localnet {
    /// A failed test is understood from what the nodes said last; their folder stays for a closer look.
    fn show_logs(&mut self) {
        for hospital in &self.hospitals {
            for name in ["node.log", "node-again.log"] {
                let log = hospital.folder.join(name);
                if log.exists() {
                    eprintln!("--- {}\n{}", log.display(), last_words(&log));
                }
            }
        }
        if let Some(folder) = self.folder.take() {
            eprintln!("--- the folder of this run is kept: {}", folder.keep().display());
        }
    }
}

fn arguments(data: &Path, (http, libp2p): (u16, u16)) -> Vec<OsString> {
    let numbers = [http.to_string(), libp2p.to_string()].map(OsString::from);
    let [http, libp2p] = numbers;
    let data = data.as_os_str().to_owned();
    ["localnet".into(), "--data".into(), data, "--http-port".into(), http, "--libp2p-port".into(), libp2p]
        .into()
}

/// Starts the process and waits until it says that all is ready.
fn start_process(data: &Path, ports: (u16, u16), options: &Options) -> Child {
    let log = data.join(LOG);
    let output = File::create(&log).expect("a log file");
    let mut command = Command::new(node_program());
    command.args(arguments(data, ports)).env("NO_COLOR", "1");
    if let Some(web) = &options.web {
        command.arg("--web").arg(web);
    }
    let errors = output.try_clone().expect("a log file");
    let process = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
    let mut process = process.expect("the node's program starts");
    let ready = data.join("ready.json");
    wait::until("the consortium to be ready", READY_WITHIN, || {
        if let Ok(Some(status)) = process.try_wait() {
            panic!("the consortium stopped ({status}):\n{}", last_words(&log));
        }
        ready.exists().then_some(())
    });
    process
}

/// Where built programs are: beside the folder of the test programs.
///
/// # Panics
/// When the test program does not know where it is.
#[must_use]
pub fn built(program: &str) -> PathBuf {
    let me = std::env::current_exe().expect("a test program knows where it is");
    let deps = me.parent().expect("a program is in a folder");
    let profile = if deps.ends_with("deps") { deps.parent().unwrap_or(deps) } else { deps };
    profile.join(program)
}

/// The node's program: `AMULET_NODE_BIN`, or the one built beside this test; built now if it is missing.
pub(crate) fn node_program() -> PathBuf {
    program("AMULET_NODE_BIN", "amulet-node")
}

/// The light client's program: `AMULET_LIGHT_BIN`, or the one built beside this test; built now if it is missing.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn light_program() -> PathBuf {
    program("AMULET_LIGHT_BIN", "amulet-light")
}

fn program(variable: &str, package: &str) -> PathBuf {
    if let Some(named) = std::env::var_os(variable) {
        return named.into();
    }
    let program = built(package);
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "-p", package]).current_dir(root()).status();
        assert!(built.is_ok_and(|status| status.success()), "{package} could not be built");
    }
    program
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Runs the node's program to its end and gives what it printed.
///
/// # Panics
/// When it cannot be run.
#[must_use]
pub fn node_output(arguments: &[OsString]) -> std::process::Output {
    Command::new(node_program()).args(arguments).output().expect("the node's program runs")
}

/// The first of `count` free HTTP ports and of as many free libp2p ports, below the range from which the system gives ports
/// to others. Tests that run at once start looking at different places.
pub(crate) fn free_ports(count: u16) -> (u16, u16) {
    const FIRST: u32 = 12_000;
    const SPAN: u32 = 16_000;
    let width = 2 * u32::from(count);
    let start = std::process::id().wrapping_mul(width) % SPAN;
    let candidates = (0..SPAN / width).map(|step| FIRST + (start + step * width) % (SPAN - width));
    for base in candidates {
        let base = u16::try_from(base).expect("within the range of ports");
        if (base..base + 2 * count).all(is_free) {
            return (base, base + count);
        }
    }
    panic!("there are not enough free ports in a row");
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
}

/// The process that runs the node of a folder, by its arguments.
fn pid_of(folder: &Path) -> Option<u32> {
    let folder = folder.to_string_lossy();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let mut arguments = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).skip(1);
        if arguments.next().as_deref() == Some("run") && arguments.any(|argument| argument == folder) {
            return Some(pid);
        }
    }
    None
}

fn signal(which: &str, pid: u32) {
    // A process that is gone already needs no signal.
    let _ = Command::new("kill").args([which, &pid.to_string()]).stderr(Stdio::null()).status();
}

pub(crate) fn last_words(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let start = bytes.len().saturating_sub(LAST_WORDS_BYTES);
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

//! A consortium of any size, founded as an operator would: `amulet-node init`, `genesis`, addresses written into
//! `node.toml`, one process for each hospital. Faster to start than a [`crate::localnet::Localnet`], for nobody is
//! enrolled, and each process is a child of the test, so killing and starting cost next to nothing.

use crate::hospital::Hospital;
use crate::load::Load;
use crate::localnet::{free_ports, last_words, node_output, node_program};
use crate::wait;
use amulet_protocol::codec;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::limits::GENESIS_BYTES_MAX;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// From its start until a node answers; far more than it needs on an idle machine.
pub const UP_WITHIN: Duration = Duration::from_secs(60);
const UP_POLL: Duration = Duration::from_millis(10);
const SAME_HEAD_WITHIN: Duration = Duration::from_secs(90);
/// Words in a log that no run may leave, whatever is killed or cut.
const FORBIDDEN: [&str; 2] = ["contradicted itself", "panicked at"];

/// Where one hospital's node runs, and how it is reached.
#[derive(Clone, Debug)]
pub struct Place {
    /// HTTP, as clients reach it.
    pub http: SocketAddrV4,
    /// libp2p over TCP, as it listens.
    pub libp2p: SocketAddrV4,
    /// What stands before the node's program on the command line, such as the entry into a network namespace.
    pub prefix: Vec<OsString>,
}

/// How to found one.
#[derive(Clone, Debug, Default)]
pub struct Founding {
    /// Where the hospitals are; at least four.
    pub places: Vec<Place>,
    /// Folder to work in; a temporary one by default.
    pub folder: Option<PathBuf>,
}

impl Founding {
    /// `size` hospitals on this machine's loopback address.
    #[must_use]
    pub fn on_loopback(size: u16) -> Self {
        let (http, libp2p) = free_ports(size);
        let place = |index: u16| Place {
            http: SocketAddrV4::new(Ipv4Addr::LOCALHOST, http + index),
            libp2p: SocketAddrV4::new(Ipv4Addr::LOCALHOST, libp2p + index),
            prefix: Vec::new(),
        };
        Self { places: (0..size).map(place).collect(), folder: None }
    }

    /// Makes folders, keys, genesis document and configurations. `route(a, b)` is where hospital `a` finds hospital `b`,
    /// both from 0. Nothing runs yet.
    ///
    /// # Panics
    /// When a folder cannot be made.
    #[must_use]
    pub fn found(&self, route: impl Fn(usize, usize) -> SocketAddrV4) -> Consortium {
        let temporary = match &self.folder {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("amulet-test-")
                    .tempdir()
                    .expect("a temporary folder can be made"),
            ),
        };
        let path = self.folder.clone().or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned()));
        let path = path.expect("the folder is given or temporary");
        let folders: Vec<PathBuf> =
            (1..=self.places.len()).map(|n| path.join(format!("hospital-{n}"))).collect();
        let genesis = path.join("genesis.bin");
        init(&folders, &self.places, &genesis);
        for (own, folder) in folders.iter().enumerate() {
            fs::copy(&genesis, folder.join("genesis.bin")).expect("the genesis document can be copied");
            let configuration = configuration(own, &self.places, &route);
            fs::write(folder.join("node.toml"), configuration).expect("a configuration can be written");
        }
        let encoded = fs::read(&genesis).expect("the genesis document is there");
        let genesis = codec::decode(&encoded, GENESIS_BYTES_MAX).expect("the genesis document is readable");
        let members = self.places.iter().zip(folders).enumerate().map(|(index, (place, folder))| {
            let number = u16::try_from(index + 1).expect("a consortium has at most 100 members");
            Member {
                hospital: hospital(number, folder, place),
                prefix: place.prefix.clone(),
                env: Vec::new(),
                process: None,
            }
        });
        Consortium { members: members.collect(), folder: temporary, genesis }
    }
}

fn hospital(number: u16, folder: PathBuf, place: &Place) -> Hospital {
    let token = fs::read_to_string(folder.join("keys/intake.token")).expect("the hospital has a token");
    let intake_token = token.trim().to_owned();
    Hospital { number, folder, http: format!("http://{}", place.http), intake_token }
}

fn init(folders: &[PathBuf], places: &[Place], genesis: &Path) {
    let mut found: Vec<OsString> = ["genesis", "--network", "Test", "--out"].map(OsString::from).into();
    found.push(genesis.into());
    for (folder, place) in folders.iter().zip(places) {
        let mut arguments: Vec<OsString> = vec!["init".into(), "--data".into(), folder.into()];
        let number = place.http.to_string();
        arguments.extend(["--name-en", &number, "--name-zh", &number, "--http", &number].map(OsString::from));
        must(&arguments);
        found.push(folder.join("join.bin").into());
    }
    must(&found);
}

fn must(arguments: &[OsString]) {
    let output = node_output(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn configuration(own: usize, places: &[Place], route: &impl Fn(usize, usize) -> SocketAddrV4) -> String {
    let place = &places[own];
    let mut text = format!("http = \"{}\"\nlisten = [\"{}\"]\n", place.http, multiaddr(place.libp2p));
    for other in (0..places.len()).filter(|other| *other != own) {
        let address = multiaddr(route(own, other));
        write!(text, "\n[[peers]]\nreplica = {other}\naddress = \"{address}\"\n")
            .expect("a text can be written to");
    }
    text
}

fn multiaddr(address: SocketAddrV4) -> String {
    format!("/ip4/{}/tcp/{}", address.ip(), address.port())
}

/// Beside its folder: a node whose disk is full can still say so.
fn log_of(hospital: &Hospital) -> PathBuf {
    hospital.folder.with_extension("log")
}

struct Member {
    hospital: Hospital,
    prefix: Vec<OsString>,
    env: Vec<(String, String)>,
    process: Option<Child>,
}

/// The consortium; dropping it kills all of it.
pub struct Consortium {
    members: Vec<Member>,
    folder: Option<TempDir>,
    genesis: Genesis,
}

impl Consortium {
    /// `size` hospitals on loopback, all of them running and answering.
    ///
    /// # Panics
    /// When one does not come up.
    #[must_use]
    pub fn start(size: u16) -> Self {
        let founding = Founding::on_loopback(size);
        let places = founding.places.clone();
        let mut consortium = founding.found(|_, other| places[other].libp2p);
        consortium.start_all();
        consortium
    }

    /// How many hospitals there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// How many may be faulty.
    #[must_use]
    pub fn faulty_max(&self) -> usize {
        (self.size() - 1) / 3
    }

    /// The genesis document.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// Hospital `index`, from 0.
    ///
    /// # Panics
    /// When there is no such hospital.
    #[must_use]
    pub fn hospital(&self, index: usize) -> &Hospital {
        &self.members[index].hospital
    }

    /// All hospitals, in their order.
    #[must_use]
    pub fn hospitals(&self) -> Vec<Hospital> {
        self.members.iter().map(|member| member.hospital.clone()).collect()
    }

    /// The folder that holds the hospitals' folders.
    ///
    /// # Panics
    /// Never: there are hospitals, and their folders are in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.members[0].hospital.folder.parent().expect("a hospital's folder is in the consortium's")
    }

    /// Kills every hospital that runs.
    ///
    /// # Panics
    /// When one stopped by itself.
    pub fn kill_all(&mut self) {
        (0..self.size())
            .filter(|index| self.is_started(*index))
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|index| self.kill(index));
    }

    /// Sets a variable in the environment of hospital `index`, from its next start on.
    pub fn set_env(&mut self, index: usize, name: &str, value: &str) {
        self.members[index].env.push((name.to_owned(), value.to_owned()));
    }

    /// Takes back every variable of hospital `index`, from its next start on.
    pub fn clear_env(&mut self, index: usize) {
        self.members[index].env.clear();
    }

    /// Puts programs before the node's of hospital `index`, from its next start on.
    pub fn set_prefix(&mut self, index: usize, prefix: &[&str]) {
        self.members[index].prefix = prefix.iter().map(OsString::from).collect();
    }

    /// Starts the process of hospital `index` and does not wait for it.
    ///
    /// # Panics
    /// When it runs already, or there is no such program.
    pub fn spawn(&mut self, index: usize) {
        let member = &mut self.members[index];
        assert!(member.process.is_none(), "hospital {} runs already", index + 1);
        let log = OpenOptions::new().create(true).append(true).open(log_of(&member.hospital));
        let log = log.expect("a log can be written");
        let errors = log.try_clone().expect("a log can be written");
        let mut words = member.prefix.clone();
        words.push(node_program().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("run").arg("--data").arg(&member.hospital.folder).env("NO_COLOR", "1");
        command.envs(member.env.iter().map(|(name, value)| (name, value)));
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        member.process = Some(child.expect("the node's program starts"));
    }

    /// Starts all that do not run and waits until they answer.
    ///
    /// # Panics
    /// When one does not come up.
    pub fn start_all(&mut self) {
        for index in 0..self.size() {
            if self.members[index].process.is_none() {
                self.spawn(index);
            }
        }
        (0..self.size()).for_each(|index| self.wait_up(index));
    }

    /// Waits until the node of hospital `index` answers.
    ///
    /// # Panics
    /// When it does not within [`UP_WITHIN`], or stops.
    pub fn wait_up(&mut self, index: usize) {
        self.try_wait_up(index).unwrap_or_else(|trouble| panic!("{trouble}"));
    }

    /// The same for who has to go on.
    ///
    /// # Errors
    /// What [`Consortium::wait_up`] panics with.
    pub fn try_wait_up(&mut self, index: usize) -> Result<(), String> {
        let deadline = Instant::now() + UP_WITHIN;
        while !self.hospital(index).answers() {
            if let Some(status) = self.exited(index) {
                let number = index + 1;
                return Err(format!(
                    "hospital {number} refused to start ({status}):\n{}",
                    self.log_end(index)
                ));
            }
            if Instant::now() > deadline {
                return Err(format!("hospital {} does not answer:\n{}", index + 1, self.log_end(index)));
            }
            std::thread::sleep(UP_POLL);
        }
        Ok(())
    }

    /// Kills hospital `index` as a power cut would; returns once it is gone.
    ///
    /// # Panics
    /// When it is not running: it stopped by itself.
    pub fn kill(&mut self, index: usize) {
        self.try_kill(index).unwrap_or_else(|trouble| panic!("{trouble}"));
    }

    /// The same for who has to go on.
    ///
    /// # Errors
    /// What [`Consortium::kill`] panics with.
    pub fn try_kill(&mut self, index: usize) -> Result<(), String> {
        if let Some(status) = self.exited(index) {
            let number = index + 1;
            return Err(format!("hospital {number} stopped by itself ({status}):\n{}", self.log_end(index)));
        }
        let child = self.members[index].process.take();
        let mut child = child.ok_or_else(|| format!("hospital {} is not running", index + 1))?;
        child.kill().and_then(|()| child.wait()).map(drop).map_err(|error| error.to_string())
    }

    /// How the process of hospital `index` ended, if it ended by itself.
    pub fn exited(&mut self, index: usize) -> Option<ExitStatus> {
        self.members[index].process.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// Waits until hospital `index` stops by itself; it can be started again afterwards.
    ///
    /// # Panics
    /// When it goes on for `limit`.
    pub fn wait_exit(&mut self, index: usize, limit: Duration) -> ExitStatus {
        let what = format!("hospital {} to stop by itself", index + 1);
        let status = wait::until(&what, limit, || self.exited(index));
        self.members[index].process = None;
        status
    }

    /// Process id of hospital `index`, if it runs.
    #[must_use]
    pub fn pid(&self, index: usize) -> Option<u32> {
        self.members[index].process.as_ref().map(Child::id)
    }

    /// Whether the process of hospital `index` was started and not killed since.
    #[must_use]
    pub fn is_started(&self, index: usize) -> bool {
        self.members[index].process.is_some()
    }

    /// The first hospital that stopped by itself, with its last words.
    pub fn fallen(&mut self) -> Option<String> {
        (0..self.size()).find_map(|index| {
            let status = self.exited(index)?;
            Some(format!("hospital {} stopped by itself ({status}):\n{}", index + 1, self.log_end(index)))
        })
    }

    /// The first log line that tells of what must never be: a panic, or a contradiction.
    #[must_use]
    pub fn forbidden_words(&self) -> Option<String> {
        (0..self.size()).find_map(|index| {
            let log = self.log(index);
            let line = log.lines().find(|line| FORBIDDEN.iter().any(|words| line.contains(words)))?;
            Some(format!("hospital {} logged: {line}", index + 1))
        })
    }

    /// Stops the load and waits until all hospitals have the same newest block; gives its height.
    ///
    /// # Panics
    /// When they do not come together.
    pub fn same_head_after(&self, load: &mut Load) -> u64 {
        load.halt();
        let all: Vec<usize> = (0..self.size()).collect();
        self.same_head(&all, SAME_HEAD_WITHIN)
    }

    /// All that hospital `index` logged in all its lives.
    #[must_use]
    pub fn log(&self, index: usize) -> String {
        let bytes = fs::read(log_of(self.hospital(index))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The end of it.
    #[must_use]
    pub fn log_end(&self, index: usize) -> String {
        last_words(&log_of(self.hospital(index)))
    }

    /// Empties the log of hospital `index`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn forget_log(&self, index: usize) {
        File::create(log_of(self.hospital(index))).expect("a log can be emptied");
    }

    /// Waits until these hospitals have the same newest block; gives its height.
    ///
    /// # Panics
    /// When they do not within `limit`.
    #[allow(clippy::must_use_candidate, reason = "mostly called to wait")]
    pub fn same_head(&self, which: &[usize], limit: Duration) -> u64 {
        wait::until("the hospitals to have the same newest block", limit, || {
            let heads = which.iter().map(|index| self.hospital(*index).head());
            let mut heads: Vec<_> = heads.collect::<Option<_>>()?;
            heads.dedup();
            (heads.len() == 1).then(|| heads[0].0)
        })
    }

    /// Keeps the folder when the consortium is dropped, and says where it is.
    pub fn keep(&mut self) -> Option<PathBuf> {
        self.folder.take().map(TempDir::keep)
    }
}

impl Drop for Consortium {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for index in 0..self.size() {
                eprintln!("--- hospital {}\n{}", index + 1, self.log_end(index));
            }
            if let Some(path) = self.keep() {
                eprintln!("--- the folder of this run is kept: {}", path.display());
            }
        }
        for child in self.members.iter_mut().filter_map(|member| member.process.as_mut()) {
            // One that is gone already needs neither.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

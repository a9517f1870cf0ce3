//! Everything that can stop a command, each worded so that a person knows what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// Below this much free space a failed build or installation is most likely the disk's fault.
const SUSPICIOUSLY_LITTLE_SPACE_BYTES: u64 = 512 * 1024 * 1024;

/// Why a command could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line could not be understood.
    #[error("{0}. `cargo xtask help` lists the commands and their options.")]
    Usage(lexopt::Error),

    /// A program could not be started at all.
    #[error("could not start `{program}`: {source}. Is it installed and on the PATH?")]
    Start {
        /// The program's name.
        program: String,
        /// What the system said.
        source: io::Error,
    },

    /// A program ran and reported failure; its own output says why.
    #[error("{what} failed ({status}). Its output above says why; the command was `{command}`.")]
    Child {
        /// The step in plain words.
        what: String,
        /// The whole command line, to repeat by hand.
        command: String,
        /// Exit code or signal.
        status: std::process::ExitStatus,
    },

    /// A child printed one sentence of its own and there is nothing to add.
    #[error("exit code {code}")]
    ChildSaidWhy {
        /// The child's exit code.
        code: u8,
    },

    /// A program answered with something unexpected.
    #[error(
        "`{program}` answered with something this tool cannot read ({detail}). Try again after `rustup update`."
    )]
    Unreadable {
        /// The program.
        program: &'static str,
        /// What was expected.
        detail: &'static str,
    },

    /// A file or folder could not be read or written.
    #[error("could not {action} {}: {source}.", path.display())]
    File {
        /// "read", "write", "delete", …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// `Cargo.lock` lacks a package that the build depends on.
    #[error("Cargo.lock does not name `{package}`. Run `cargo metadata >/dev/null` to write it anew.")]
    NotInLockFile {
        /// The package.
        package: &'static str,
    },

    /// Neither root nor sudo.
    #[error(
        "installing needs root, and there is no `sudo` here. As root, run:\n  apt-get install -y {packages}\nthen start this command again."
    )]
    NoRoot {
        /// Separated by spaces, ready to paste.
        packages: String,
    },

    /// Not a distribution that setup knows.
    #[error(
        "setup knows Debian 12 or newer and Ubuntu 22.04 or newer, and this is {system}. Install what corresponds to these packages by hand, then start this command again:\n  {packages}"
    )]
    UnknownSystem {
        /// Name from os-release.
        system: String,
        /// Debian's names, separated by spaces.
        packages: String,
    },

    /// The distribution predates WebKitGTK 4.1.
    #[error(
        "{system} is too old: it has no WebKitGTK 4.1, which the window needs. Debian 12, Ubuntu 22.04 or newer have it; `cargo xtask run --no-window` works without."
    )]
    SystemTooOld {
        /// Name from os-release.
        system: String,
    },

    /// apt-get failed.
    #[error(
        "`{command}` failed ({status}). Its message above names the cause. Usual ones: no network, another installation running, or a full disk. Repair it, then start this command again; what is already installed stays."
    )]
    Apt {
        /// The command line.
        command: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },

    /// The person said no.
    #[error("nothing was installed. `cargo xtask setup` asks again when you are ready.")]
    Declined,

    /// rustup is missing.
    #[error(
        "`rustup` is not on the PATH, and the pinned Rust toolchain comes through it. Install it from your distribution (`apt-get install rustup`) or as rustup's own page describes, then start this command again."
    )]
    NoRustup,

    /// The rustup target could not be added.
    #[error(
        "rustup could not add the target wasm32-unknown-unknown ({status}). Where rustup's server cannot be reached but Debian's packages can, use `AMULET_WASM=debian`."
    )]
    RustupTarget {
        /// Its exit status.
        status: std::process::ExitStatus,
    },

    /// `AMULET_WASM=debian` on another system.
    #[error(
        "AMULET_WASM=debian needs Debian's package `rustc-web`, and this is {system}. Use `AMULET_WASM=rustup`."
    )]
    DebianWasmElsewhere {
        /// Name from os-release.
        system: String,
    },

    /// A value of `AMULET_WASM` that means nothing.
    #[error("AMULET_WASM is '{value}'; it can be 'rustup' or 'debian'.")]
    UnknownWasmSource {
        /// What was set.
        value: String,
    },

    /// The workspace has no such package (yet).
    #[error("the workspace has no package `{package}`, so {consequence}.")]
    NoPackage {
        /// The package.
        package: &'static str,
        /// What cannot be done.
        consequence: &'static str,
    },

    /// The UI crate produced no wasm file.
    #[error(
        "`amulet-ui` built, but it made no .wasm program: it needs a binary, or `crate-type = [\"cdylib\"]`."
    )]
    NoWasmProgram,

    /// What pages load has become too large.
    #[error("{} has {found} bytes gzipped; at most {max} are wanted. What was added to the verifier?", path.display())]
    TooLarge {
        /// The module.
        path: PathBuf,
        /// Its size, gzipped, in bytes.
        found: usize,
        /// The limit, in bytes.
        max: usize,
    },

    /// The FHIR folder is missing.
    #[error("--fhir {}: there is no such folder.", path.display())]
    NoFhirFolder {
        /// As given.
        path: PathBuf,
    },

    /// `--fresh` was pointed at something that is not ours.
    #[error("--fresh would delete {}, which does not look like a folder that `cargo xtask run` made (it has no network.json). Empty it yourself or choose another with --data.", path.display())]
    NotOurFolder {
        /// The folder.
        path: PathBuf,
    },

    /// `--fresh` while the consortium of that folder still answers.
    #[error("the consortium in {} is still running (it answers at {address}). Stop it with Ctrl-C where you started it, then try again.", path.display())]
    StillRunning {
        /// The folder.
        path: PathBuf,
        /// Its web address.
        address: String,
    },

    /// The network stopped by itself.
    #[error("the consortium stopped by itself ({status}). The lines above and the logs in {} say why.", data.display())]
    NetworkStopped {
        /// Exit status of localnet.
        status: std::process::ExitStatus,
        /// Where the logs are.
        data: PathBuf,
    },

    /// The network was asked to stop and reported a failure in doing so.
    #[error("the consortium stopped, but not cleanly (exit code {code}). The lines above and the logs in {} say why; the same command starts it again.", data.display())]
    UncleanStop {
        /// Exit code of localnet.
        code: i32,
        /// Where the logs are.
        data: PathBuf,
    },

    /// At least one stage failed.
    #[error("{failed} of {total} stages failed: {names}.")]
    Stages {
        /// How many failed.
        failed: usize,
        /// How many there were.
        total: usize,
        /// Their names.
        names: String,
    },

    /// No such measurement.
    #[error("there is no measurement '{name}'. There are: {known}.")]
    UnknownBench {
        /// What was asked for.
        name: String,
        /// The table's names.
        known: String,
    },
}

impl Failure {
    /// Wraps an I/O error with the file it happened to.
    pub fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
        let path = path.to_path_buf();
        move |source| Failure::File { action, path, source }
    }

    /// A second sentence when the disk is (nearly) full, since compilers and installers rarely say it plainly.
    pub fn disk_hint(&self) -> Option<String> {
        if matches!(self, Failure::Usage(_) | Failure::Declined | Failure::UnknownBench { .. }) {
            return None;
        }
        let current = std::env::current_dir().ok()?;
        [current.as_path(), Path::new("/tmp"), Path::new("/")].into_iter().find_map(|place| {
            let free_bytes = free_space_bytes(place)?;
            (free_bytes < SUSPICIOUSLY_LITTLE_SPACE_BYTES).then(|| {
                format!(
                    "The disk under {} has only {} MB left, which is the likely cause. A first build needs about 10 GB; \
                     `cargo clean` frees what earlier builds took.",
                    place.display(),
                    free_bytes / (1024 * 1024)
                )
            })
        })
    }
}

fn free_space_bytes(place: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(place).ok()?;
    Some(disk.blocks_available() * disk.fragment_size())
}

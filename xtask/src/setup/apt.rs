//! Installing system packages with apt-get.

use std::process::Command;

use crate::exec;
use crate::failure::Failure;

/// How long apt waits for another installation to finish before it gives up.
const LOCK_TIMEOUT: &str = "DPkg::Lock::Timeout=120";

/// Who runs apt-get.
#[derive(Clone, Copy)]
pub enum Privilege {
    /// This process is root already.
    Root,
    /// `sudo`, which may ask for a password when somebody is there to type it.
    Sudo {
        /// Somebody is at the terminal.
        may_ask: bool,
    },
}

impl Privilege {
    /// Finds out what is possible here.
    ///
    /// # Errors
    /// [`Failure::NoRoot`] with the packages to install by hand.
    pub fn find(packages: &[&str], may_ask: bool) -> Result<Self, Failure> {
        if nix::unistd::Uid::effective().is_root() {
            return Ok(Self::Root);
        }
        if exec::find_program("sudo").is_some() {
            return Ok(Self::Sudo { may_ask });
        }
        Err(Failure::NoRoot { packages: packages.join(" ") })
    }

    fn apt_get(self) -> Command {
        let mut command = match self {
            Self::Root => exec::command("env"),
            Self::Sudo { may_ask } => {
                let mut command = exec::command("sudo");
                if !may_ask {
                    command.arg("-n");
                }
                command.arg("env");
                command
            }
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", LOCK_TIMEOUT]);
        command
    }
}

/// Brings the package lists up to date and installs `packages` without their recommendations.
///
/// # Errors
/// [`Failure::Apt`] when apt-get fails; what it had installed stays.
pub fn install(packages: &[&str], privilege: Privilege) -> Result<(), Failure> {
    run(privilege.apt_get().arg("update"))?;
    run(privilege.apt_get().args(["install", "-y", "--no-install-recommends"]).args(packages))
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(exec::start_failure(command))?;
    if status.success() { Ok(()) } else { Err(Failure::Apt { command: exec::shown(command), status }) }
}

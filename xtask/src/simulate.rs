//! Whole consortia in a deterministic simulation: builds the simulator and hands its options on.

use std::ffi::OsString;

use crate::exec;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Runs the simulator.
///
/// # Errors
/// That of the build or of the run; the simulator has said what did not hold.
pub fn run(workspace: &Workspace, options: &[OsString]) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["run", "--quiet", "--profile", "simulation"]);
    command.args(["-p", "amulet-simulation", "--bin", "amulet-simulate"]);
    // The deliberate bugs are compiled in only to be caught.
    if options.iter().any(|option| option.to_string_lossy().starts_with("--planted")) {
        command.args(["--features", "planted"]);
    }
    exec::run("the simulation", command.arg("--").args(options))
}

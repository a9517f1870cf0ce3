//! `cargo xtask kill-loop`: builds the node and the loop once, then runs the loop with the given options.

use std::ffi::OsString;

use crate::exec;
use crate::failure::Failure;
use crate::test;
use crate::workspace::Workspace;

const PROGRAM: &str = "kill-loop";

/// Builds and runs it; what it finds it says itself, and its exit code is the verdict.
///
/// # Errors
/// That of the failed build; [`Failure::ChildSaidWhy`] when the loop found something.
pub fn run(workspace: &Workspace, options: &[OsString]) -> Result<(), Failure> {
    let mut build = exec::cargo(&workspace.root);
    build.args([
        "build",
        "-p",
        "amulet-node",
        "-p",
        "amulet-tests",
        "--bin",
        "amulet-node",
        "--bin",
        PROGRAM,
    ]);
    exec::run("building the node and the kill loop", &mut build)?;
    let program = workspace.program(PROGRAM);
    let mut killing = exec::command(&program);
    killing.args(options);
    test::set_places(&mut killing, workspace);
    let status = killing
        .status()
        .map_err(|source| Failure::Start { program: program.display().to_string(), source })?;
    if status.success() { Ok(()) } else { Err(Failure::ChildSaidWhy { code: 1 }) }
}

//! Measurements. Each prints its numbers as a ratio to a named reference measured in the same run, because absolute times
//! say more about the machine than about the code.

use std::ffi::OsString;

use crate::exec;
use crate::failure::Failure;
use crate::setup::{self, Consent, Needs};
use crate::test;
use crate::workspace::Workspace;

/// Name on the command line, package, bench target.
const BENCHES: &[(&str, &str, &str)] = &[
    ("crypto", "amulet-crypto", "crypto"),
    ("sm2", "amulet-crypto", "sm2"),
    ("consensus", "amulet-node", "consensus"),
    ("light-client", "amulet-light-client", "light-client"),
];

/// Measured in headless Chromium.
const IN_BROWSER: (&str, &str) = ("light-client-browser", "amulet-light-client");

/// Runs one measurement with its options, or lists them.
///
/// # Errors
/// [`Failure::UnknownBench`], or that of the failed run.
pub fn run(workspace: &Workspace, name: Option<&str>, options: &[OsString]) -> Result<(), Failure> {
    let names = BENCHES.iter().map(|(name, _, _)| *name).chain([IN_BROWSER.0]);
    let known = names.collect::<Vec<_>>().join(", ");
    let Some(name) = name else {
        println!("There are these measurements: {known}. Run one with `cargo xtask bench NAME`.");
        return Ok(());
    };
    if name == IN_BROWSER.0 {
        return run_in_browser(workspace);
    }
    let Some((_, package, target)) = BENCHES.iter().find(|(known, _, _)| *known == name) else {
        return Err(Failure::UnknownBench { name: name.to_owned(), known });
    };
    let mut command = exec::cargo(&workspace.root);
    command.args(["bench", "-p", package, "--bench", target, "--"]).args(options);
    exec::run(&format!("the measurement '{name}'"), &mut command)
}

fn run_in_browser(workspace: &Workspace) -> Result<(), Failure> {
    let toolchain = setup::ensure(workspace, Needs::TESTS, Consent::Ask)?;
    let (target, package) = IN_BROWSER;
    let mut command = test::in_browser(workspace, &toolchain)?;
    command.args(["--release", "-p", package, "--bench", target, "--", "--nocapture"]);
    exec::run(&format!("the measurement '{target}'"), &mut command)
}

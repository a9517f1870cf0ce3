//! What must hold before a change is taken: format, lints, documentation, wasm, no standard library in the verifier, licences.

use crate::exec;
use crate::failure::Failure;
use crate::setup::{self, Consent, Needs, Tool, WasmToolchain};
use crate::stages::Stages;
use crate::test::FEATURES;
use crate::web;
use crate::workspace::Workspace;

/// Packages that run in the browser, and so must compile for wasm on their own.
const WASM_PACKAGES: &[&str] = &[
    "amulet-crypto",
    "amulet-protocol",
    "amulet-contracts",
    "amulet-pbft",
    "amulet-fhir",
    "amulet-wallet",
    "amulet-verifier",
    "amulet-verifier-wasm",
    "amulet-light-client",
    "amulet-app-api",
    web::UI_PACKAGE,
];

/// Runs every check and reports on all of them.
///
/// # Errors
/// Those of [`setup::ensure`], then [`Failure::Stages`].
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    let toolchain = setup::ensure(workspace, Needs::CHECK, Consent::Ask)?;
    web::ensure_placeholder(workspace)?;
    let mut stages = Stages::default();
    stages.run("format", || {
        exec::run("cargo fmt", exec::cargo(&workspace.root).args(["fmt", "--all", "--", "--check"]))
    });
    stages.run("lints", || lint(workspace));
    stages.run("documentation", || document(workspace));
    stages.run("wasm type check", || check_wasm(workspace, &toolchain));
    stages.run("verifier without the standard library", || check_no_std(workspace));
    check_policies(workspace, &mut stages);
    stages.finish()
}

fn lint(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["clippy", "--workspace", "--all-targets"]);
    if let Some(features) = workspace.features(FEATURES) {
        command.args(["--features", &features]);
    }
    exec::run("clippy", command.args(["--", "-D", "warnings"]))
}

fn document(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    if let Some(features) = workspace.features(FEATURES) {
        command.args(["--features", &features]);
    }
    exec::run("cargo doc", &mut command)
}

fn check_wasm(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<(), Failure> {
    let mut command = toolchain.cargo(workspace, "check");
    for package in workspace.existing(WASM_PACKAGES) {
        command.args(["-p", package]);
    }
    exec::run("the type check for wasm", &mut command)
}

/// Compiles the verifier for a program that has no standard library. On its own, so that no other package's features count.
fn check_no_std(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["check", "--package", "amulet-no-std", "--features", "alone"]);
    exec::run("the verifier without the standard library", &mut command)
}

/// Licences, bans and sources need only what cargo has downloaded; advisories need their database, which comes from its
/// own server and is left out, visibly, where that cannot be reached.
fn check_policies(workspace: &Workspace, stages: &mut Stages) {
    let tool = Tool::cargo_deny().find().unwrap_or_else(|| "cargo-deny".into());
    let deny = || {
        let mut command = exec::command(&tool);
        command.current_dir(&workspace.root);
        command
    };
    stages.run("licences, bans, sources", || {
        exec::run("cargo deny", deny().args(["check", "licenses", "bans", "sources"]))
    });
    if exec::probe(deny().args(["fetch", "db"])).is_some() {
        stages.run("advisories", || {
            exec::run("cargo deny", deny().args(["check", "--disable-fetch", "advisories"]))
        });
    } else {
        stages.skip("advisories", "the advisory database cannot be fetched from here");
    }
}

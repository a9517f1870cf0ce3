//! Every test: native, in the browser's engine, and end to end.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::e2e;
use crate::exec;
use crate::failure::Failure;
use crate::setup::{self, Consent, Needs, Tool, WasmToolchain};
use crate::stages::Stages;
use crate::wasm_package;
use crate::web::{self, Profile};
use crate::workspace::Workspace;

/// Features that turn on everything which is tested. One set for building, linting and running: cargo then compiles each
/// dependency once, instead of once per combination of features.
pub const FEATURES: &[&str] =
    &["amulet-app/custom-protocol", "amulet-tests/e2e", "amulet-simulation/planted"];

/// Packages whose tests also run in headless Chromium. Add to it what must behave the same there.
const WASM_TEST_PACKAGES: &[&str] =
    &["amulet-crypto", "amulet-protocol", "amulet-light-client", "amulet-wallet"];

/// Unoptimised key derivation in wasm takes longer than the runner's own limit.
const WASM_TEST_TIMEOUT_SECONDS: &str = "300";

/// Chromium's switches: no window, no traffic of its own, and no sandbox, which containers do not allow.
pub const CHROMIUM_ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// Runs all stages and reports on all of them; `quick` leaves out those that need a browser.
///
/// # Errors
/// Those of [`setup::ensure`], then [`Failure::Stages`].
pub fn run(workspace: &Workspace, quick: bool) -> Result<(), Failure> {
    let needs = if quick { Needs::NATIVE } else { Needs::TESTS };
    let toolchain = setup::ensure(workspace, needs, Consent::Ask)?;
    let mut stages = Stages::default();
    if quick {
        web::ensure_placeholder(workspace)?;
    } else {
        stages.run("web pages", || web::build(workspace, &toolchain, Profile::Dev).map(|_| ()));
    }
    let peers = !quick && stages.run("independent implementations", || install_peers(workspace));
    if stages.run("programs", || build_everything(workspace)) {
        stages.run("native tests", || exec::run("the native tests", &mut native_tests(workspace, peers)));
    } else {
        stages.skip("native tests", "the programs did not build");
    }
    if !quick {
        stages.run("browser engine tests", || wasm_tests(workspace, &toolchain));
        stages.run("verifier's package", || wasm_package::test(workspace, &toolchain));
        e2e::stage(workspace, &mut stages, peers);
    }
    stages.finish()
}

/// Installs what other people wrote, to compare with.
///
/// # Errors
/// That of the installation.
pub fn install_peers(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = exec::command("bash");
    command.current_dir(&workspace.root).arg("tests/conformance/install.sh");
    exec::run("installing the independent implementations", &mut command)
}

/// Compiles the whole workspace with its tests, so that later stages only run what is there.
///
/// # Errors
/// That of the failed build.
pub fn build_everything(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["build", "--workspace", "--all-targets"]);
    if let Some(features) = workspace.features(FEATURES) {
        command.args(["--features", &features]);
    }
    exec::run("building the programs and tests", &mut command)
}

/// Tells test programs where the built parts are.
pub fn set_places(command: &mut Command, workspace: &Workspace) {
    command
        .env("AMULET_WEB_DIR", workspace.web())
        .env("AMULET_NODE_BIN", workspace.program("amulet-node"))
        .env("AMULET_LIGHT_BIN", workspace.program("amulet-light"))
        .env("AMULET_APP_BIN", workspace.program("amulet"));
}

fn native_tests(workspace: &Workspace, peers: bool) -> Command {
    let mut command = exec::cargo(&workspace.root);
    let features = workspace.features(FEATURES);
    if setup::has_nextest() {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass"]);
        if let Some(features) = features {
            command.args(["--features", &features]);
        }
        if let Some(filter) = e2e::filter(workspace) {
            command.args(["-E", &format!("not ({filter})")]);
        }
    } else {
        // Without the feature the end-to-end tests are not built, which is how the plain runner leaves them out.
        let quiet: Vec<&str> = FEATURES.iter().copied().filter(|name| !name.ends_with("/e2e")).collect();
        command.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        if let Some(features) = workspace.features(&quiet) {
            command.args(["--features", &features]);
        }
    }
    set_places(&mut command, workspace);
    if peers {
        // They are there, so a comparison that finds one missing has failed.
        command.env("AMULET_REQUIRE_CONFORMANCE", "1");
    }
    command
}

fn wasm_tests(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<(), Failure> {
    let mut command = in_browser(workspace, toolchain)?;
    command.args(["--lib", "--tests", "--no-fail-fast"]);
    for package in workspace.existing(WASM_TEST_PACKAGES) {
        command.args(["-p", package]);
    }
    exec::run("the tests in the browser's engine", &mut command)
}

/// `cargo test` whose programs run in headless Chromium.
///
/// # Errors
/// If Chromium's switches cannot be written down, or the runner is not there.
pub fn in_browser(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<Command, Failure> {
    let capabilities = workspace.target.join("webdriver.json");
    let content = json!({ "goog:chromeOptions": { "args": CHROMIUM_ARGUMENTS } });
    std::fs::write(&capabilities, content.to_string()).map_err(Failure::file("write", &capabilities))?;
    let driver = exec::find_program("chromedriver").unwrap_or_else(|| PathBuf::from("chromedriver"));
    let mut command = toolchain.cargo(workspace, "test");
    command
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", wasm_test_runner(workspace)?)
        .env("CHROMEDRIVER", driver)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities)
        .env("WASM_BINDGEN_USE_BROWSER", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", WASM_TEST_TIMEOUT_SECONDS);
    Ok(command)
}

/// The runner that was installed with wasm-bindgen, and so has its version.
fn wasm_test_runner(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let tool = Tool::wasm_bindgen(workspace)?.find();
    let folder = tool.as_deref().and_then(Path::parent).map(Path::to_path_buf).unwrap_or_default();
    Ok(folder.join("wasm-bindgen-test-runner"))
}

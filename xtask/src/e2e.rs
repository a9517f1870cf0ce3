//! The tests that drive the real pages in Chromium and the real window through WebDriver.
//!
//! They are test programs of `amulet-tests` behind its feature `e2e`. This module gives them an invisible screen, a
//! session bus and the places of everything built.

use std::process::Command;

use crate::exec;
use crate::failure::Failure;
use crate::setup::{self, Consent, Needs, Tool};
use crate::stages::Stages;
use crate::test::{self, FEATURES};
use crate::web::{self, Profile};
use crate::workspace::Workspace;

const PACKAGE: &str = "amulet-tests";
const FEATURE: &str = "e2e";
const NAME: &str = "end to end";
/// Large enough for the desktop layout and for a phone-sized window beside it.
const SCREEN: &str = "-screen 0 1280x1024x24";

/// `cargo xtask e2e`: builds what is needed and runs only these tests.
///
/// # Errors
/// Those of [`setup::ensure`], then [`Failure::Stages`].
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    let toolchain = setup::ensure(workspace, Needs::TESTS, Consent::Ask)?;
    let mut stages = Stages::default();
    stages.run("web pages", || web::build(workspace, &toolchain, Profile::Dev).map(|_| ()));
    stages.run("programs", || test::build_everything(workspace));
    let peers = stages.run("independent implementations", || test::install_peers(workspace));
    stage(workspace, &mut stages, peers);
    stages.finish()
}

/// The stage itself, on what earlier stages built; with `peers`, axe-core must be there.
pub fn stage(workspace: &Workspace, stages: &mut Stages, peers: bool) {
    if filter(workspace).is_none() {
        return stages.skip(NAME, "amulet-tests has no test programs behind its feature `e2e`");
    }
    for program in ["amulet-node", "amulet"] {
        if !workspace.program(program).exists() {
            return stages.skip(NAME, &format!("there is no program `{program}` to test"));
        }
    }
    let window_driver = WindowDriver::find();
    stages.run(NAME, || {
        exec::run("the end-to-end tests", &mut command(workspace, window_driver.as_ref().ok(), peers))
    });
    if let Err(reason) = window_driver {
        stages.skip("window", &reason);
    }
}

/// nextest's filter for exactly these tests, if there are any.
pub fn filter(workspace: &Workspace) -> Option<String> {
    let tests = workspace.tests_behind(PACKAGE, FEATURE);
    let programs: Vec<String> = tests.iter().map(|name| format!("binary(={name})")).collect();
    (!programs.is_empty()).then(|| format!("package(={PACKAGE}) and ({})", programs.join(" or ")))
}

/// The two programs that together drive the window.
struct WindowDriver {
    tauri: std::path::PathBuf,
    webkit: std::path::PathBuf,
}

impl WindowDriver {
    fn find() -> Result<Self, String> {
        let missing = |name: &str| format!("{name} is not installed, so the window was not driven");
        Ok(Self {
            tauri: Tool::tauri_driver().find().ok_or_else(|| missing("tauri-driver"))?,
            webkit: exec::find_program("WebKitWebDriver").ok_or_else(|| missing("WebKitWebDriver"))?,
        })
    }
}

fn command(workspace: &Workspace, window_driver: Option<&WindowDriver>, peers: bool) -> Command {
    let mut command = exec::command("xvfb-run");
    command.current_dir(&workspace.root).args(["-a", "-s", SCREEN, "dbus-run-session", "--", "cargo"]);
    // One at a time: each starts a whole consortium, a browser and a screen's worth of drawing.
    if setup::has_nextest() {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--test-threads=1"]);
        command.args(filter(workspace).iter().flat_map(|filter| ["-E", filter]));
    } else {
        command.args(["test", "--workspace", "--no-fail-fast"]);
        command.args(workspace.tests_behind(PACKAGE, FEATURE).iter().flat_map(|name| ["--test", name]));
    }
    if let Some(features) = workspace.features(FEATURES) {
        command.args(["--features", &features]);
    }
    if !setup::has_nextest() {
        command.args(["--", "--test-threads=1"]);
    }
    test::set_places(&mut command, workspace);
    if peers {
        command.env("AMULET_REQUIRE_CONFORMANCE", "1");
    }
    // WebKit's accelerated drawing needs a graphics card that an invisible screen lacks.
    command.env("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
    match window_driver {
        Some(driver) => {
            command.env("AMULET_TAURI_DRIVER", &driver.tauri).env("AMULET_WEBKIT_DRIVER", &driver.webkit)
        }
        None => command.env("AMULET_SKIP_WINDOW", "1"),
    };
    command
}

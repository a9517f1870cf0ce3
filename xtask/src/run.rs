//! `cargo xtask run`: from a clean clone to an open wallet.

mod consortium;

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use crate::args::RunOptions;
use crate::exec;
use crate::failure::Failure;
use crate::setup::{self, Consent, Needs};
use crate::stages::Steps;
use crate::web::{self, Profile};
use crate::workspace::Workspace;
use consortium::{Consortium, End, Interrupts, Ready};

const NODE_PACKAGE: &str = "amulet-node";
const APP_PACKAGE: &str = "amulet-app";
/// First of the four ports of the demonstration's consoles.
const CONSOLE_PORT: &str = "8201";

/// Builds what is needed, starts the consortium, opens the wallet and stays until Ctrl-C.
///
/// # Errors
/// Any of [`Failure`]; each says what to do.
pub fn run(workspace: &Workspace, options: &RunOptions) -> Result<(), Failure> {
    let data = absolute(options.data.as_deref().unwrap_or(&workspace.target.join("localnet")))?;
    let fhir = options.fhir.as_deref().map(existing_folder).transpose()?;
    if !workspace.has_package(NODE_PACKAGE) {
        return Err(Failure::NoPackage {
            package: NODE_PACKAGE,
            consequence: "there is no consortium to start",
        });
    }
    let opens_window = !options.no_window && has_display() && workspace.has_package(APP_PACKAGE);
    let mut steps = Steps::new(if opens_window { 5 } else { 4 });

    let needs = if opens_window { Needs::RUN } else { Needs::WEB };
    let toolchain =
        steps.step("looking at what this machine has", || setup::ensure(workspace, needs, Consent::Ask))?;
    let web =
        steps.step("building the wallet's pages", || web::build(workspace, &toolchain, Profile::Dev))?;
    let programs = if opens_window { "building the node and the window" } else { "building the node" };
    steps.step(programs, || build_programs(workspace, opens_window))?;
    if options.fresh {
        delete_earlier_run(&data)?;
    }
    let interrupts = Interrupts::catch()?;
    let words = localnet(workspace, &data, &web, fhir.as_deref());
    let (mut consortium, ready) = steps.step("starting four hospitals", || {
        let mut consortium = Consortium::start(&words, &data, &interrupts)?;
        let ready = consortium.wait_until_ready()?;
        Ok((consortium, ready))
    })?;
    let Some(ready) = ready else { return consortium.stop() };
    let mut window = None;
    if opens_window {
        window = Some(steps.step("opening the wallet", || open_window(workspace, &data))?);
    }
    announce(&ready, &data, opens_window, options.no_window);
    let end = consortium.stay(|| report_closed_window(&mut window, &ready));
    if let Some(mut window) = window {
        // Already closed or not, both are fine: what matters is that it does not outlive its consortium.
        let _ = window.kill();
        let _ = window.wait();
    }
    match end {
        End::Interrupted => consortium.stop(),
        End::Stopped(status) => Err(Failure::NetworkStopped { status, data }),
    }
}

fn has_display() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::file("find", path))
}

fn existing_folder(path: &Path) -> Result<PathBuf, Failure> {
    if path.is_dir() { absolute(path) } else { Err(Failure::NoFhirFolder { path: path.to_path_buf() }) }
}

/// Both programs in one go: cargo then compiles what they share once, and uses every core to the end.
fn build_programs(workspace: &Workspace, with_window: bool) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["build", "-p", NODE_PACKAGE, "--bin", "amulet-node"]);
    if with_window {
        command.args(["-p", APP_PACKAGE, "--bin", "amulet"]);
        if let Some(features) = workspace.features(&["amulet-app/custom-protocol"]) {
            command.args(["--features", &features]);
        }
    }
    exec::run("building the programs", &mut command)
}

fn localnet(workspace: &Workspace, data: &Path, web: &Path, fhir: Option<&Path>) -> Vec<PathBuf> {
    let mut words: Vec<PathBuf> = vec![workspace.program("amulet-node"), "localnet".into()];
    words.extend(["--data".into(), data.to_path_buf(), "--web".into(), web.to_path_buf()]);
    words.extend(["--console-port".into(), CONSOLE_PORT.into()]);
    if let Some(fhir) = fhir {
        words.extend(["--fhir".into(), fhir.to_path_buf()]);
    }
    words
}

/// Deletes a folder only if an earlier run made it and nothing runs in it any more.
fn delete_earlier_run(data: &Path) -> Result<(), Failure> {
    if !data.exists() {
        return Ok(());
    }
    let is_empty = fs::read_dir(data).map_err(Failure::file("read", data))?.next().is_none();
    if !is_empty && !data.join("network.json").exists() {
        return Err(Failure::NotOurFolder { path: data.to_path_buf() });
    }
    if let Some(ready) = Ready::read(data).filter(|ready| answers(&ready.web)) {
        return Err(Failure::StillRunning { path: data.to_path_buf(), address: ready.web });
    }
    fs::remove_dir_all(data).map_err(Failure::file("delete", data))
}

/// Whether something accepts connections at the host and port of `address`.
fn answers(address: &str) -> bool {
    let without_scheme = address.strip_prefix("http://").unwrap_or(address);
    let host = without_scheme.split('/').next().unwrap_or_default();
    let places = host.to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    places.iter().any(|place| TcpStream::connect_timeout(place, Duration::from_secs(1)).is_ok())
}

fn window_command(workspace: &Workspace, data: &Path) -> Command {
    let mut command = exec::command(workspace.program("amulet"));
    command.env("AMULET_NETWORK", data.join("network.json"));
    command
}

/// In a process group of its own, so that Ctrl-C reaches it through this program and in order.
fn open_window(workspace: &Workspace, data: &Path) -> Result<Child, Failure> {
    let mut command = window_command(workspace, data);
    command.process_group(0).spawn().map_err(exec::start_failure(&command))
}

fn announce(ready: &Ready, data: &Path, opens_window: bool, no_window: bool) {
    println!();
    if !opens_window && !no_window {
        println!("There is no display here (or no window to build), so the wallet runs in a browser.");
    }
    println!("The wallet:  {}", ready.web);
    println!("Its data:    {}", data.display());
    println!("The same command continues where it stopped, --fresh starts anew.");
}

/// Says once that the window was closed while the hospitals go on.
fn report_closed_window(window: &mut Option<Child>, ready: &Ready) {
    let Some(child) = window else { return };
    if let Ok(Some(status)) = child.try_wait() {
        let how = if status.success() { String::new() } else { format!(" ({status})") };
        println!("The window is closed{how}. The hospitals go on; the wallet is also at {}", ready.web);
        println!("Press Ctrl-C to stop them.");
        *window = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fresh_refuses_a_folder_that_no_run_made() {
        let folder = tempfile::tempdir().unwrap();
        let thesis = folder.path().join("thesis.odt");
        fs::write(&thesis, "years of work").unwrap();
        assert!(matches!(delete_earlier_run(folder.path()), Err(Failure::NotOurFolder { .. })));
        assert!(thesis.exists());
    }

    #[test]
    fn fresh_deletes_an_earlier_run_but_not_one_that_still_answers() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("localnet");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("network.json"), "{}").unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        fs::write(data.join("ready.json"), format!("{{\"web\": \"{address}\"}}")).unwrap();
        let refusal = delete_earlier_run(&data);
        assert!(matches!(refusal, Err(Failure::StillRunning { address: said, .. }) if said == address));
        drop(listener);
        delete_earlier_run(&data).unwrap();
        assert!(!data.exists());
        delete_earlier_run(&data).unwrap();
    }

    #[test]
    fn a_missing_fhir_folder_is_named() {
        let failure = existing_folder(Path::new("/no/such/folder")).unwrap_err();
        assert!(failure.to_string().contains("/no/such/folder"));
    }
}

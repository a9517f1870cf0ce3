//! Installing what a fresh machine lacks.
//!
//! Three steps: look (well under a second, so every command can afford it), say what is missing and ask if somebody is
//! there to answer, install. Looking changes nothing, and a second run finds nothing to do.

mod apt;
mod os_release;
mod packages;
mod tools;
mod wasm;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use crate::exec;
use crate::failure::Failure;
use crate::workspace::Workspace;
use os_release::{Family, OsRelease, Support};
use packages::{Purpose, Requirement};

pub use tools::Tool;
pub use wasm::{WasmSource, WasmToolchain};

/// What the caller is about to do.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    web: bool,
    window: bool,
    tests: bool,
    policies: bool,
}

impl Needs {
    /// Building the web pages and the node.
    pub const WEB: Self = Self { web: true, window: false, tests: false, policies: false };
    /// Building the window too.
    pub const RUN: Self = Self { window: true, ..Self::WEB };
    /// Driving the browser and the window.
    pub const TESTS: Self = Self { tests: true, ..Self::RUN };
    /// Compiling everything and checking licences, without running any of it.
    pub const CHECK: Self = Self { web: false, window: true, tests: false, policies: true };
    /// All of it.
    pub const EVERYTHING: Self = Self { policies: true, ..Self::TESTS };
    /// Compiling everything for this machine only.
    pub const NATIVE: Self = Self { policies: false, ..Self::CHECK };
}

/// Whether to ask before installing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Ask when somebody is at the terminal.
    Ask,
    /// Already given on the command line.
    Given,
}

impl Consent {
    /// From `--yes`.
    pub fn from_flag(assume_yes: bool) -> Self {
        if assume_yes { Self::Given } else { Self::Ask }
    }
}

/// What is missing.
struct Plan {
    family: Option<Family>,
    packages: Vec<&'static Requirement>,
    optional_packages: Vec<&'static Requirement>,
    wasm: Option<WasmSource>,
    tools: Vec<Tool>,
    optional_tools: Vec<Tool>,
}

/// Makes sure that everything needed is there, installing it if not.
///
/// # Errors
/// Whatever makes it impossible to go on; see [`Failure`].
pub fn ensure(workspace: &Workspace, needs: Needs, consent: Consent) -> Result<WasmToolchain, Failure> {
    let system = OsRelease::of_this_system();
    let source = WasmSource::choose(workspace)?;
    let plan = Plan::make(workspace, needs, source, &system)?;
    if plan.is_empty() {
        println!("setup: nothing is missing.");
        return Ok(source.toolchain());
    }
    plan.check_possible(&system)?;
    plan.announce();
    let is_attended = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if is_attended && consent == Consent::Ask && !is_confirmed()? {
        return Err(Failure::Declined);
    }
    plan.install(workspace, is_attended)?;
    println!("setup: done.");
    Ok(source.toolchain())
}

/// The user's cache folder for Amulet: `$XDG_CACHE_HOME/amulet`, by default `~/.cache/amulet`.
fn cache() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("XDG_CACHE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("amulet")
}

impl Plan {
    fn make(
        workspace: &Workspace,
        needs: Needs,
        source: WasmSource,
        system: &OsRelease,
    ) -> Result<Self, Failure> {
        let family = match system.support() {
            Support::Known(family) => Some(family),
            Support::TooOld | Support::Unknown => None,
        };
        let wants_wasm = needs.web || needs.policies;
        let mut purposes = vec![Purpose::Build];
        if needs.window {
            purposes.push(Purpose::Window);
        }
        if needs.tests {
            purposes.push(Purpose::Tests);
        }
        if wants_wasm && source == WasmSource::Debian {
            source.check_system(system)?;
            purposes.push(Purpose::WasmToolchain);
        }
        let optional: &[Purpose] = if needs.tests { &[Purpose::WindowTests] } else { &[] };
        let mut tools = Vec::new();
        if needs.web {
            tools.push(Tool::wasm_bindgen(workspace)?);
        }
        if needs.policies {
            tools.push(Tool::cargo_deny());
        }
        tools.retain(|tool| tool.find().is_none());
        let mut optional_tools = if needs.tests { vec![Tool::tauri_driver()] } else { Vec::new() };
        optional_tools.retain(|tool| tool.find().is_none());
        Ok(Self {
            family,
            packages: packages::missing(&purposes, family),
            optional_packages: packages::missing(optional, family),
            wasm: (wants_wasm && !source.is_ready(workspace)).then_some(source),
            tools,
            optional_tools,
        })
    }

    fn is_empty(&self) -> bool {
        self.packages.is_empty()
            && self.optional_packages.is_empty()
            && self.wasm.is_none()
            && self.tools.is_empty()
            && self.optional_tools.is_empty()
    }

    /// Packages can only be installed on a system whose package names are known.
    fn check_possible(&self, system: &OsRelease) -> Result<(), Failure> {
        if self.packages.is_empty() || self.family.is_some() {
            return Ok(());
        }
        let wants_window = self.packages.iter().any(|requirement| requirement.purpose == Purpose::Window);
        if system.support() == Support::TooOld && wants_window {
            return Err(Failure::SystemTooOld { system: system.name.clone() });
        }
        Err(Failure::UnknownSystem {
            system: system.name.clone(),
            packages: names(&self.packages, Family::Debian).join(" "),
        })
    }

    fn announce(&self) {
        println!("setup: this machine lacks");
        let family = self.family.unwrap_or(Family::Debian);
        let packages = [names(&self.packages, family), names(&self.optional_packages, family)].concat();
        if !packages.is_empty() {
            println!("  - system packages (apt-get): {}", packages.join(" "));
        }
        if let Some(source) = self.wasm {
            println!("  - {}", source.title());
        }
        for tool in self.tools.iter().chain(&self.optional_tools) {
            println!("  - {} (cargo install, some minutes)", tool.title());
        }
    }

    fn install(&self, workspace: &Workspace, is_attended: bool) -> Result<(), Failure> {
        let family = self.family.unwrap_or(Family::Debian);
        if !self.packages.is_empty() {
            let names = names(&self.packages, family);
            apt::install(&names, apt::Privilege::find(&names, is_attended)?)?;
        }
        // Separately, because apt-get installs nothing at all when it does not know one of the names.
        if !self.optional_packages.is_empty() && self.family.is_some() {
            let names = names(&self.optional_packages, family);
            let outcome = apt::Privilege::find(&names, is_attended)
                .and_then(|privilege| apt::install(&names, privilege));
            report_optional(outcome);
        }
        if let Some(source) = self.wasm {
            source.install(workspace)?;
        }
        for tool in &self.tools {
            tool.install(workspace)?;
        }
        for tool in &self.optional_tools {
            report_optional(tool.install(workspace));
        }
        Ok(())
    }
}

/// What only the window's own test needs may fail: that test is then left out, loudly, and the others run.
fn report_optional(outcome: Result<(), Failure>) {
    if let Err(failure) = outcome {
        println!(
            "setup: WARNING: {failure}\nsetup: going on without it; the test that drives the window is left out."
        );
    }
}

fn names(requirements: &[&Requirement], family: Family) -> Vec<&'static str> {
    requirements.iter().map(|requirement| requirement.package(family)).collect()
}

fn is_confirmed() -> Result<bool, Failure> {
    let terminal = PathBuf::from("the terminal");
    print!("Install these now? [Y/n] ");
    std::io::stdout().flush().map_err(Failure::file("write to", &terminal))?;
    let mut answer = String::new();
    let length = std::io::stdin().read_line(&mut answer).map_err(Failure::file("read", &terminal))?;
    let answer = answer.trim().to_lowercase();
    Ok(length > 0 && matches!(answer.as_str(), "" | "y" | "yes"))
}

/// Where the program that runs the tests is: nextest if it is installed, since it runs them in parallel processes.
pub fn has_nextest() -> bool {
    exec::find_program("cargo-nextest").is_some()
}

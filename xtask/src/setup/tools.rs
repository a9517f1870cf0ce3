//! Command line tools that come from the Rust package registry.
//!
//! Each is accepted from the `PATH` at the right version; otherwise it is built once into the user's cache, outside the
//! project, so that neither `cargo clean` nor a second clone builds it again.

use std::path::{Path, PathBuf};

use crate::exec;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// A tool and the version that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    package: &'static str,
    program: &'static str,
    version: Version,
    locked: bool,
}

/// Which versions serve.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Version {
    /// This one only.
    Exactly(String),
    /// Those that start so, for example "2." or "0.20.".
    StartsWith(&'static str),
}

impl Tool {
    /// wasm-bindgen's command line, which refuses modules built for any other version than its own.
    ///
    /// # Errors
    /// When `Cargo.lock` cannot be read or does not name wasm-bindgen.
    pub fn wasm_bindgen(workspace: &Workspace) -> Result<Self, Failure> {
        Ok(Self {
            package: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version: Version::Exactly(workspace.locked_version("wasm-bindgen")?),
            // The lock file it is published with has named versions that were withdrawn since.
            locked: false,
        })
    }

    /// Drives the window's web view.
    pub fn tauri_driver() -> Self {
        Self {
            package: "tauri-driver",
            program: "tauri-driver",
            version: Version::StartsWith("2."),
            locked: true,
        }
    }

    /// Checks licences and sources.
    pub fn cargo_deny() -> Self {
        Self {
            package: "cargo-deny",
            program: "cargo-deny",
            version: Version::StartsWith("0.20."),
            locked: true,
        }
    }

    /// Where the tool is, if it is there at a version that serves.
    pub fn find(&self) -> Option<PathBuf> {
        let own = self.root().join("bin").join(self.program);
        // The folder's name carries the version, so what is in it need not be asked.
        if exec::is_executable(&own) {
            return Some(own);
        }
        exec::find_program(self.program).filter(|path| self.is_served_by(path))
    }

    /// Builds the tool into the cache.
    ///
    /// # Errors
    /// [`Failure::Child`] when cargo cannot build it.
    pub fn install(&self, workspace: &Workspace) -> Result<(), Failure> {
        let mut command = exec::cargo(&workspace.root);
        command.args(["install", self.package, "--version", &self.requirement(), "--root"]).arg(self.root());
        if self.locked {
            command.arg("--locked");
        }
        // Full optimisation would double the wait for tools that run for seconds.
        command
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");
        exec::run(&format!("installing {}", self.title()), &mut command)
    }

    /// For people: the package with its version.
    pub fn title(&self) -> String {
        match &self.version {
            Version::Exactly(version) => format!("{} {version}", self.package),
            Version::StartsWith(start) => format!("{} {start}x", self.package),
        }
    }

    /// What cargo calls a version requirement.
    fn requirement(&self) -> String {
        match &self.version {
            Version::Exactly(version) => format!("={version}"),
            Version::StartsWith(start) => format!("^{}", start.trim_end_matches('.')),
        }
    }

    fn root(&self) -> PathBuf {
        let version = match &self.version {
            Version::Exactly(version) => version.as_str(),
            Version::StartsWith(start) => start.trim_end_matches('.'),
        };
        super::cache().join("tools").join(format!("{}-{version}", self.package))
    }

    /// tauri-driver has no `--version`, so what cargo noted at its installation is asked as well.
    fn is_served_by(&self, path: &Path) -> bool {
        let said = exec::probe(exec::command(path).arg("--version"));
        let noted = || noted_version(path, self.package);
        said.as_deref().and_then(version_in).or_else(noted).is_some_and(|version| self.serves(&version))
    }

    fn serves(&self, version: &str) -> bool {
        match &self.version {
            Version::Exactly(exact) => version == exact,
            Version::StartsWith(start) => version.starts_with(start),
        }
    }
}

/// The version in an answer such as "wasm-bindgen 0.2.130" or "cargo-deny 0.20.2 (abc 2026-01-01)".
fn version_in(answer: &str) -> Option<String> {
    let is_version =
        |word: &&str| word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.');
    answer.split_whitespace().find(is_version).map(str::to_owned)
}

/// The version in cargo's list of what it installed beside `program`.
fn noted_version(program: &Path, package: &str) -> Option<String> {
    let list = program.parent()?.parent()?.join(".crates.toml");
    noted_version_in(&std::fs::read_to_string(list).ok()?, package)
}

fn noted_version_in(list: &str, package: &str) -> Option<String> {
    let start = format!("\"{package} ");
    let line = list.lines().find_map(|line| line.strip_prefix(&start))?;
    line.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_tools_say() {
        assert_eq!(version_in("wasm-bindgen 0.2.130\n"), Some("0.2.130".to_owned()));
        assert_eq!(version_in("cargo-deny 0.20.2 (1a2b3c 2026-01-01)"), Some("0.20.2".to_owned()));
        assert_eq!(version_in("no number"), None);
    }

    #[test]
    fn versions_are_read_from_cargos_own_list() {
        let list = "[v1]\n\"tauri-driver 2.1.0 (registry+https://example.org)\" = [\"tauri-driver\"]\n";
        assert_eq!(noted_version_in(list, "tauri-driver"), Some("2.1.0".to_owned()));
        assert_eq!(noted_version_in(list, "tauri"), None);
    }

    #[test]
    fn a_neighbouring_version_does_not_serve() {
        let exact = Tool { version: Version::Exactly("0.2.130".to_owned()), ..Tool::cargo_deny() };
        assert!(exact.serves("0.2.130"));
        assert!(!exact.serves("0.2.13") && !exact.serves("0.2.131"));
        assert!(Tool::cargo_deny().serves("0.20.7") && !Tool::cargo_deny().serves("0.2.0"));
    }
}

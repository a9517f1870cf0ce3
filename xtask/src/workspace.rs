//! What the workspace holds: its folders, its packages and the versions in `Cargo.lock`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::exec;
use crate::failure::Failure;

/// The workspace as `cargo metadata` describes it, and the paths that follow from it.
pub struct Workspace {
    /// Folder of the root `Cargo.toml`.
    pub root: PathBuf,
    /// Folder for everything built.
    pub target: PathBuf,
    packages: Vec<Package>,
}

/// The little that the commands ask about a package.
struct Package {
    name: String,
    features: Vec<String>,
    targets: Vec<Target>,
}

/// A program, library or test of a package.
struct Target {
    name: String,
    is_test: bool,
    required_features: Vec<String>,
    source: PathBuf,
}

impl Workspace {
    /// Asks cargo about the workspace that this tool was built from.
    ///
    /// # Errors
    /// [`Failure::Child`] when a manifest is invalid (cargo says which), [`Failure::Unreadable`] when the answer is.
    pub fn load() -> Result<Self, Failure> {
        let manifest_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = exec::cargo(manifest_folder);
        let answer = exec::capture(
            "reading the workspace",
            command.args(["metadata", "--no-deps", "--format-version=1"]),
        )?;
        Self::from_metadata(&answer)
            .ok_or(Failure::Unreadable { program: "cargo metadata", detail: "packages and target folder" })
    }

    fn from_metadata(answer: &str) -> Option<Self> {
        let metadata: Value = serde_json::from_str(answer).ok()?;
        let path = |key: &str| Some(PathBuf::from(metadata.get(key)?.as_str()?));
        let packages =
            metadata.get("packages")?.as_array()?.iter().map(Package::from_json).collect::<Option<_>>()?;
        Some(Self { root: path("workspace_root")?, target: path("target_directory")?, packages })
    }

    /// Whether the workspace has this package.
    pub fn has_package(&self, name: &str) -> bool {
        self.package(name).is_some()
    }

    /// Those of `names` that the workspace has, in the given order.
    pub fn existing<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        names.iter().copied().filter(|name| self.has_package(name)).collect()
    }

    /// The value for `--features` that switches on those of `wanted` ("package/feature") that exist.
    pub fn features(&self, wanted: &[&str]) -> Option<String> {
        let found: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|wish| {
                wish.split_once('/').is_some_and(|(package, feature)| {
                    self.package(package)
                        .is_some_and(|package| package.features.iter().any(|name| name == feature))
                })
            })
            .collect();
        (!found.is_empty()).then(|| found.join(","))
    }

    /// Names of the test programs of `package` that exist only with `feature`, or whose source is in a folder named so.
    pub fn tests_behind(&self, package: &str, feature: &str) -> Vec<&str> {
        let targets = self.package(package).map(|package| package.targets.as_slice()).unwrap_or_default();
        targets
            .iter()
            .filter(|target| target.is_test && target.is_behind(feature))
            .map(|target| target.name.as_str())
            .collect()
    }

    /// The folder of web pages that nodes serve and the window embeds.
    pub fn web(&self) -> PathBuf {
        self.target.join("web")
    }

    /// A program of the dev profile.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// The exact version of a dependency.
    ///
    /// # Errors
    /// [`Failure::File`] when `Cargo.lock` cannot be read, [`Failure::NotInLockFile`] when it lacks the package.
    pub fn locked_version(&self, package: &'static str) -> Result<String, Failure> {
        let path = self.root.join("Cargo.lock");
        let text = std::fs::read_to_string(&path).map_err(Failure::file("read", &path))?;
        locked_version_in(&text, package).ok_or(Failure::NotInLockFile { package })
    }

    fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

impl Package {
    fn from_json(json: &Value) -> Option<Self> {
        Some(Self {
            name: json.get("name")?.as_str()?.to_owned(),
            features: json.get("features")?.as_object()?.keys().cloned().collect(),
            targets: json.get("targets")?.as_array()?.iter().map(Target::from_json).collect::<Option<_>>()?,
        })
    }
}

impl Target {
    fn from_json(json: &Value) -> Option<Self> {
        let words = |key: &str| -> Vec<String> {
            let list = json.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Self {
            name: json.get("name")?.as_str()?.to_owned(),
            is_test: words("kind").iter().any(|kind| kind == "test"),
            required_features: words("required-features"),
            source: json.get("src_path")?.as_str()?.into(),
        })
    }

    fn is_behind(&self, feature: &str) -> bool {
        self.required_features.iter().any(|name| name == feature)
            || self.source.parent().is_some_and(|folder| folder.ends_with(feature))
    }
}

/// Finds `version = "…"` of the `[[package]]` with this name. Cargo writes both on lines of their own, name first.
fn locked_version_in(lock_file: &str, package: &str) -> Option<String> {
    let name_line = format!("name = \"{package}\"");
    let mut lines = lock_file.lines().skip_while(|line| *line != name_line).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LOCK_FILE: &str = "version = 4\n\n[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.99\"\n\n\
                             [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n\
                             dependencies = [\n \"wasm-bindgen-macro\",\n]\n";

    const METADATA: &str = r#"{"workspace_root": "/w", "target_directory": "/w/target", "packages": [
        {"name": "amulet-tests", "features": {"e2e": []}, "targets": [
            {"name": "amulet_tests", "kind": ["lib"], "src_path": "/w/tests/src/lib.rs"},
            {"name": "scenario", "kind": ["test"], "src_path": "/w/tests/scenario/main.rs"},
            {"name": "window", "kind": ["test"], "src_path": "/w/tests/e2e/window.rs"},
            {"name": "browser", "kind": ["test"], "src_path": "/w/tests/browser.rs", "required-features": ["e2e"]}]}]}"#;

    #[test]
    fn the_locked_version_is_that_of_the_exact_name() {
        assert_eq!(locked_version_in(LOCK_FILE, "wasm-bindgen"), Some("0.2.130".to_owned()));
        assert_eq!(locked_version_in(LOCK_FILE, "wasm"), None);
    }

    #[test]
    fn packages_and_features_that_do_not_exist_are_left_out() {
        let workspace = Workspace::from_metadata(METADATA).unwrap();
        assert_eq!(workspace.existing(&["amulet-node", "amulet-tests"]), ["amulet-tests"]);
        assert_eq!(
            workspace.features(&["amulet-app/custom-protocol", "amulet-tests/e2e"]),
            Some("amulet-tests/e2e".to_owned())
        );
        assert_eq!(workspace.features(&["amulet-tests/other"]), None);
    }

    #[test]
    fn tests_behind_a_feature_are_told_from_the_rest() {
        let workspace = Workspace::from_metadata(METADATA).unwrap();
        assert_eq!(workspace.tests_behind("amulet-tests", "e2e"), ["window", "browser"]);
        assert!(workspace.tests_behind("amulet-app", "e2e").is_empty());
    }
}

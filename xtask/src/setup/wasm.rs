//! The toolchain for WebAssembly: rustup's target, or Debian's compiler with a standard library built here.
//!
//! The second exists for machines that reach package registries but not rustup's server, such as CI: Debian's `rustc-web`
//! can compile for wasm32, its `rust-web-src` holds the standard library's source, and building that once (about a minute)
//! gives a sysroot that rustup can link under a name of its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::os_release::{Family, OsRelease, Support};
use crate::exec;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// The only target that Amulet's web code is built for.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// Name of the linked toolchain, so that `cargo +amulet-wasm` works by hand too.
const LINKED_NAME: &str = "amulet-wasm";
/// What the standard library is built as a dependency of.
const CARRIER_MANIFEST: &str = "[package]\nname = \"carrier\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[profile.release]\npanic = \"abort\"\n[workspace]\n";

/// Where the standard library for wasm comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WasmSource {
    /// `rustup target add` for the pinned toolchain.
    Rustup,
    /// Debian's packages, linked as a toolchain of its own.
    Debian,
}

/// A toolchain that can build for [`TARGET`].
#[derive(Clone, Copy, Debug)]
pub struct WasmToolchain {
    source: WasmSource,
}

impl WasmSource {
    /// Obeys `AMULET_WASM`. Where it is unset, a machine keeps the way it was set up before, and starts with rustup.
    ///
    /// # Errors
    /// [`Failure::UnknownWasmSource`] for any other value.
    pub fn choose(workspace: &Workspace) -> Result<Self, Failure> {
        match std::env::var("AMULET_WASM").unwrap_or_default().as_str() {
            "rustup" => Ok(Self::Rustup),
            "debian" => Ok(Self::Debian),
            "" if !Self::Rustup.is_ready(workspace) && Self::Debian.is_ready(workspace) => Ok(Self::Debian),
            "" => Ok(Self::Rustup),
            value => Err(Failure::UnknownWasmSource { value: value.to_owned() }),
        }
    }

    /// Whether nothing is left to do.
    pub fn is_ready(self, workspace: &Workspace) -> bool {
        match self {
            Self::Rustup => rustup_has_target(workspace),
            Self::Debian => stamp().is_some_and(|stamp| stamp.exists()) && is_linked(),
        }
    }

    /// For people: what [`Self::install`] does.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rustup => "the WebAssembly target of the pinned Rust toolchain (rustup target add)",
            Self::Debian => "a WebAssembly standard library, built from Debian's sources (about a minute)",
        }
    }

    /// Adds the target, or builds and links the toolchain. Debian's packages must be there.
    ///
    /// # Errors
    /// [`Failure::NoRustup`], [`Failure::RustupTarget`], [`Failure::DebianWasmElsewhere`] or that of a failed build.
    pub fn install(self, workspace: &Workspace) -> Result<(), Failure> {
        if exec::find_program("rustup").is_none() {
            return Err(Failure::NoRustup);
        }
        match self {
            Self::Rustup => add_rustup_target(workspace),
            Self::Debian => build_debian_toolchain(),
        }
    }

    /// Refuses a choice that cannot work on this system.
    ///
    /// # Errors
    /// [`Failure::DebianWasmElsewhere`].
    pub fn check_system(self, system: &OsRelease) -> Result<(), Failure> {
        if self == Self::Debian && system.support() != Support::Known(Family::Debian) {
            return Err(Failure::DebianWasmElsewhere { system: system.name.clone() });
        }
        Ok(())
    }

    /// The toolchain, once it is ready.
    pub fn toolchain(self) -> WasmToolchain {
        WasmToolchain { source: self }
    }
}

impl WasmToolchain {
    /// `cargo <subcommand>` for wasm, with a build folder of its own so that two compilers never share one.
    pub fn cargo(self, workspace: &Workspace, subcommand: &str) -> Command {
        let mut command = exec::cargo(&workspace.root);
        if self.source == WasmSource::Debian {
            command.arg(format!("+{LINKED_NAME}"));
        }
        command.args([subcommand, "--target", TARGET, "--target-dir"]).arg(workspace.target.join("wasm"));
        command
    }
}

fn rustup_has_target(workspace: &Workspace) -> bool {
    let sysroot =
        exec::probe(exec::command("rustc").current_dir(&workspace.root).args(["--print", "sysroot"]));
    sysroot.is_some_and(|sysroot| {
        Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib").is_dir()
    })
}

fn add_rustup_target(workspace: &Workspace) -> Result<(), Failure> {
    let mut command = exec::command("rustup");
    command.current_dir(&workspace.root).args(["target", "add", TARGET]);
    let status = command.status().map_err(exec::start_failure(&command))?;
    if status.success() { Ok(()) } else { Err(Failure::RustupTarget { status }) }
}

fn toolchain_folder() -> PathBuf {
    super::cache().join("wasm-toolchain")
}

fn build_folder() -> PathBuf {
    super::cache().join("wasm-std-build")
}

/// A file whose name says which compiler and which library source the sysroot was built from; `None` without them.
fn stamp() -> Option<PathBuf> {
    let compiler = exec::probe(exec::command("/usr/bin/rustc").arg("-vV"))?;
    let commit = field(&compiler, "commit-hash: ")?;
    let source = exec::probe(exec::command("dpkg-query").args(["-W", "-f=${Version}", "rust-web-src"]))?;
    Some(toolchain_folder().join(format!(".stamp-{commit}-{}", source.trim())))
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| line.strip_prefix(name))
}

fn is_linked() -> bool {
    let list = exec::probe(exec::command("rustup").args(["toolchain", "list", "-v"])).unwrap_or_default();
    names_linked_toolchain(&list, &toolchain_folder())
}

fn names_linked_toolchain(list: &str, folder: &Path) -> bool {
    list.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(LINKED_NAME) && words.any(|word| Path::new(word) == folder)
    })
}

fn build_debian_toolchain() -> Result<(), Failure> {
    let stamp = stamp()
        .ok_or(Failure::Unreadable { program: "/usr/bin/rustc -vV", detail: "the compiler's commit" })?;
    if !stamp.exists() {
        let libraries = build_standard_library()?;
        assemble(&libraries, &stamp)?;
        remove_folder(&build_folder())?;
    }
    let mut link = exec::command("rustup");
    exec::run("linking the toolchain", link.args(["toolchain", "link", LINKED_NAME]).arg(toolchain_folder()))
}

/// Builds `std`, `panic_abort` and `test` for wasm; returns the folder of the libraries.
fn build_standard_library() -> Result<PathBuf, Failure> {
    let folder = build_folder();
    let source = folder.join("src");
    fs::create_dir_all(&source).map_err(Failure::file("create", &source))?;
    write(&source.join("lib.rs"), "")?;
    write(&folder.join("Cargo.toml"), CARRIER_MANIFEST)?;
    let mut build = exec::command("/usr/bin/cargo");
    build
        .current_dir(&folder)
        .args(["build", "--release", "-Zbuild-std=std,panic_abort,test", "--target", TARGET])
        .env("RUSTC", "/usr/bin/rustc")
        // -Zbuild-std is unstable; Debian's compiler accepts it when told that it bootstraps, which it does here.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    exec::run("building the WebAssembly standard library", &mut build)?;
    Ok(folder.join("target").join(TARGET).join("release/deps"))
}

/// Puts the toolchain together beside its final place and moves it there whole, so that an interruption leaves no half.
fn assemble(libraries: &Path, stamp: &Path) -> Result<(), Failure> {
    let place = toolchain_folder();
    let draft = place.with_extension("draft");
    remove_folder(&draft)?;
    let compiler = exec::capture("asking the compiler", exec::command("/usr/bin/rustc").arg("-vV"))?;
    let host = field(&compiler, "host: ")
        .ok_or(Failure::Unreadable { program: "/usr/bin/rustc -vV", detail: "host" })?;
    let wasm_libraries = draft.join("lib/rustlib").join(TARGET).join("lib");
    let host_tools = draft.join("lib/rustlib").join(host).join("bin");
    let programs = draft.join("bin");
    for folder in [&wasm_libraries, &host_tools, &programs] {
        fs::create_dir_all(folder).map_err(Failure::file("create", folder))?;
    }
    copy_libraries(libraries, &wasm_libraries)?;
    let host_libraries = Path::new("/usr/lib/rustlib").join(host).join("lib");
    link_to(&host_libraries, &draft.join("lib/rustlib").join(host).join("lib"))?;
    // The name that rustc looks for when it links wasm.
    link_to(Path::new("/usr/bin/lld-19"), &host_tools.join("rust-lld"))?;
    link_to(Path::new("/usr/bin/cargo"), &programs.join("cargo"))?;
    for program in ["rustc", "rustdoc"] {
        // A symbolic link would not do: the compiler finds its sysroot by where its driver library lies, which is /usr.
        let script = format!("#!/bin/sh\nexec /usr/bin/{program} --sysroot \"{}\" \"$@\"\n", place.display());
        let path = programs.join(program);
        write(&path, &script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(Failure::file("write", &path))?;
    }
    remove_folder(&place)?;
    fs::rename(&draft, &place).map_err(Failure::file("create", &place))?;
    write(stamp, "")
}

fn copy_libraries(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(from).map_err(Failure::file("read", from))? {
        let path = entry.map_err(Failure::file("read", from))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".rlib") && !name.starts_with("libcarrier-") {
            fs::copy(&path, to.join(name)).map_err(Failure::file("copy", &path))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::file("write", path))
}

fn link_to(original: &Path, link: &Path) -> Result<(), Failure> {
    symlink(original, link).map_err(Failure::file("create", link))
}

fn remove_folder(path: &Path) -> Result<(), Failure> {
    if path.exists() { fs::remove_dir_all(path).map_err(Failure::file("delete", path)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linked_toolchain_must_point_to_our_folder() {
        let list =
            "stable-x86_64-unknown-linux-gnu (default) /r/stable\namulet-wasm /c/amulet/wasm-toolchain\n";
        assert!(names_linked_toolchain(list, Path::new("/c/amulet/wasm-toolchain")));
        assert!(!names_linked_toolchain(list, Path::new("/elsewhere")));
        assert!(!names_linked_toolchain(
            "stable /c/amulet/wasm-toolchain",
            Path::new("/c/amulet/wasm-toolchain")
        ));
    }

    #[test]
    fn fields_are_found_by_their_name() {
        let answer = "rustc 1.96.0\nbinary: rustc\ncommit-hash: ac68\nhost: x86_64-unknown-linux-gnu\n";
        assert_eq!(field(answer, "commit-hash: "), Some("ac68"));
        assert_eq!(field(answer, "host: "), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(field(answer, "LLVM version: "), None);
    }
}

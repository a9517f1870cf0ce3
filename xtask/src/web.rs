//! Building the web pages into `target/web`, which the nodes serve and the window embeds.
//!
//! The folder is first made complete beside its place and then brought over file by file, only where bytes differ: a node
//! that serves it never sees half of it, and an unchanged page does not make cargo build the window again.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::exec;
use crate::failure::Failure;
use crate::setup::{Tool, WasmToolchain};
use crate::workspace::Workspace;

/// The package with the pages.
pub const UI_PACKAGE: &str = "amulet-ui";
/// Beside the program: the page, its service worker, and what a phone installs it by.
const PAGE_FILES: [&str; 3] = ["index.html", "sw.js", "manifest.webmanifest"];
/// `ui/index.html` loads `./amulet-ui.js`.
const OUTPUT_NAME: &str = "amulet-ui";

/// How much the compiler optimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build; function names are kept, so that a panic in the browser's console can be read.
    Dev,
    /// The profile `web` of `.cargo/config.toml`.
    Web,
}

impl Profile {
    /// From `--release`.
    pub fn from_flag(release: bool) -> Self {
        if release { Self::Web } else { Self::Dev }
    }
}

/// Builds the pages; returns their folder.
///
/// # Errors
/// [`Failure::NoPackage`], [`Failure::NoWasmProgram`], or that of a failed build or copy.
pub fn build(workspace: &Workspace, toolchain: &WasmToolchain, profile: Profile) -> Result<PathBuf, Failure> {
    if !workspace.has_package(UI_PACKAGE) {
        return Err(Failure::NoPackage {
            package: UI_PACKAGE,
            consequence: "there are no web pages to build",
        });
    }
    let program = compile(workspace, toolchain, profile)?;
    let draft = workspace.target.join("web-draft");
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(Failure::file("delete", &draft))?;
    }
    bind(workspace, &program, &draft, profile)?;
    let ui = workspace.root.join("ui");
    for file in PAGE_FILES {
        copy(&ui.join(file), &draft.join(file))?;
    }
    let assets = ui.join("assets");
    if assets.is_dir() {
        mirror(&assets, &draft.join("assets"))?;
    }
    let web = workspace.web();
    mirror(&draft, &web)?;
    println!("web pages: {}", web.display());
    Ok(web)
}

/// The window embeds `target/web` when it is compiled, so type-checking it needs the folder even where no page was built.
///
/// # Errors
/// [`Failure::File`].
pub fn ensure_placeholder(workspace: &Workspace) -> Result<(), Failure> {
    let page = workspace.web().join("index.html");
    if page.exists() {
        return Ok(());
    }
    fs::create_dir_all(workspace.web()).map_err(Failure::file("create", &workspace.web()))?;
    fs::write(&page, "<!doctype html><title>Amulet</title><p>Run <code>cargo xtask build-web</code>.</p>\n")
        .map_err(Failure::file("write", &page))
}

/// Compiles the UI and returns the module that cargo made.
fn compile(workspace: &Workspace, toolchain: &WasmToolchain, profile: Profile) -> Result<PathBuf, Failure> {
    let mut command = toolchain.cargo(workspace, "build");
    command.args(["-p", UI_PACKAGE, "--message-format=json-render-diagnostics"]);
    if profile == Profile::Web {
        command.args(["--profile", "web"]);
    }
    let messages = exec::capture("building the web pages", &mut command)?;
    wasm_program_in(&messages).ok_or(Failure::NoWasmProgram)
}

/// The last `.wasm` file among cargo's messages, one JSON object a line.
pub fn wasm_program_in(messages: &str) -> Option<PathBuf> {
    let files = |line: &str| -> Option<Vec<PathBuf>> {
        let message: Value = serde_json::from_str(line).ok()?;
        let names = message.get("filenames")?.as_array()?;
        Some(names.iter().filter_map(Value::as_str).map(PathBuf::from).collect())
    };
    messages
        .lines()
        .filter_map(files)
        .flatten()
        .rfind(|path| path.extension().is_some_and(|end| end == "wasm"))
}

fn bind(workspace: &Workspace, program: &Path, draft: &Path, profile: Profile) -> Result<(), Failure> {
    let tool = Tool::wasm_bindgen(workspace)?.find().unwrap_or_else(|| PathBuf::from("wasm-bindgen"));
    let mut command = exec::command(tool);
    command.args(["--target", "web", "--no-typescript", "--out-name", OUTPUT_NAME, "--out-dir"]);
    command.arg(draft);
    if profile == Profile::Web {
        command.args(["--remove-name-section", "--remove-producers-section"]);
    }
    exec::run("wasm-bindgen", command.arg(program))
}

/// Makes `to` hold exactly the files of `from`, writing only those whose bytes differ.
fn mirror(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(Failure::file("create", to))?;
    let wanted = entries(from)?;
    for path in entries(to)? {
        let is_wanted = path.file_name().is_some_and(|name| {
            wanted.iter().any(|other| other.file_name() == Some(name) && other.is_dir() == path.is_dir())
        });
        if !is_wanted {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(Failure::file("delete", &path))?;
        }
    }
    for path in wanted {
        let Some(name) = path.file_name() else { continue };
        let place = to.join(name);
        if path.is_dir() { mirror(&path, &place)? } else { copy(&path, &place)? }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let bytes = fs::read(from).map_err(Failure::file("read", from))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let draft = to.with_extension("part");
    fs::write(&draft, bytes).map_err(Failure::file("write", &draft))?;
    fs::rename(&draft, to).map_err(Failure::file("write", to))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let list = fs::read_dir(folder).map_err(Failure::file("read", folder))?;
    list.map(|entry| entry.map(|entry| entry.path()).map_err(Failure::file("read", folder))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_module_is_found_among_cargos_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/libserde.rlib\"]}\n\
                        {\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/amulet_ui.wasm\"]}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(wasm_program_in(messages), Some(PathBuf::from("/t/amulet_ui.wasm")));
        assert_eq!(wasm_program_in("{\"filenames\":[\"/t/libamulet_ui.rlib\"]}"), None);
    }

    #[test]
    fn mirroring_removes_what_is_gone_and_leaves_equal_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("assets")).unwrap();
        fs::write(from.join("index.html"), "same").unwrap();
        fs::write(from.join("assets/a.css"), "new").unwrap();
        fs::create_dir_all(to.join("old")).unwrap();
        fs::write(to.join("index.html"), "same").unwrap();
        fs::write(to.join("old/b.css"), "gone").unwrap();
        let before = fs::metadata(to.join("index.html")).unwrap().modified().unwrap();
        mirror(&from, &to).unwrap();
        assert_eq!(fs::metadata(to.join("index.html")).unwrap().modified().unwrap(), before);
        assert_eq!(fs::read_to_string(to.join("assets/a.css")).unwrap(), "new");
        assert!(!to.join("old").exists());
    }
}

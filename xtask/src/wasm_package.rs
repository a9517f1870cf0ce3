//! The verifier as an npm package for other people's pages: built into `target/wasm-package/package`, held to a size, and checked:
//! its types by TypeScript's compiler, its verdicts on all golden files in Node and in Chromium, its example by running it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::exec;
use crate::failure::Failure;
use crate::setup::{Tool, WasmToolchain};
use crate::test::CHROMIUM_ARGUMENTS;
use crate::web;
use crate::workspace::Workspace;

/// The package with the bindings.
const PACKAGE: &str = "amulet-verifier-wasm";
/// Name for npm and of the files.
const OUTPUT_NAME: &str = "amulet-verifier";
/// Most bytes of the module as a server sends it: what a page can carry beside its own scripts.
const GZIPPED_BYTES_MAX: usize = 400 * 1000;
/// Names that Chromium goes by.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Builds the package and prints its size; returns its folder.
///
/// # Errors
/// That of a failed build or copy; [`Failure::TooLarge`] over the limit.
pub fn build(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<PathBuf, Failure> {
    let mut command = toolchain.cargo(workspace, "build");
    command.args([
        "-p",
        PACKAGE,
        "--lib",
        "--profile",
        "verifier",
        "--message-format=json-render-diagnostics",
    ]);
    let messages = exec::capture("building the verifier's package", &mut command)?;
    let program = web::wasm_program_in(&messages).ok_or(Failure::NoWasmProgram)?;
    let folder = workspace.target.join("wasm-package/package");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::file("delete", &folder))?;
    }
    for target in ["web", "nodejs"] {
        let tool = Tool::wasm_bindgen(workspace)?.find().unwrap_or_else(|| PathBuf::from("wasm-bindgen"));
        let mut bind = exec::command(tool);
        bind.args(["--target", target, "--remove-name-section", "--remove-producers-section"])
            .args(["--out-name", OUTPUT_NAME, "--out-dir"])
            .arg(folder.join(target));
        exec::run("wasm-bindgen", bind.arg(&program))?;
    }
    describe(workspace, &folder)?;
    weigh(&folder.join("web").join(format!("{OUTPUT_NAME}_bg.wasm")))?;
    println!("the verifier's package: {}", folder.display());
    Ok(folder)
}

/// Builds the package and checks it.
///
/// # Errors
/// Those of [`build`], and that of the check that failed.
pub fn test(workspace: &Workspace, toolchain: &WasmToolchain) -> Result<(), Failure> {
    let folder = build(workspace, toolchain)?;
    let source = source(workspace);
    check_types(&source.join("check"), &workspace.target.join("wasm-package/check"))?;
    let golden = workspace.root.join("tests/conformance/proofs");
    let chromium = CHROMIUM.iter().find_map(|name| exec::find_program(name));
    let mut vectors = exec::command("node");
    vectors.arg(source.join("check/vectors.mjs")).args([&folder, &golden]);
    vectors.arg(chromium.unwrap_or_else(|| "chromium".into())).args(CHROMIUM_ARGUMENTS);
    exec::run("the golden files in Node and Chromium", &mut vectors)?;
    let mut example = exec::command("node");
    example.arg(folder.join("example/check.mjs"));
    example.args([golden.join("genesis.bin"), golden.join("good-log-line.amuletproof")]);
    exec::run("the package's example", &mut example)
}

fn source(workspace: &Workspace) -> PathBuf {
    workspace.root.join("light-client/wasm")
}

/// What npm wants to know, the read-me and the examples.
fn describe(workspace: &Workspace, folder: &Path) -> Result<(), Failure> {
    // Of the conditions the first that holds is taken, so their order matters, and a map would sort them.
    let half = |name| {
        format!(r#"{{ "types": "./{name}/{OUTPUT_NAME}.d.ts", "default": "./{name}/{OUTPUT_NAME}.js" }}"#)
    };
    let (version, node, web) = (env!("CARGO_PKG_VERSION"), half("nodejs"), half("web"));
    let manifest = format!(
        r#"{{
  "name": "{OUTPUT_NAME}",
  "version": "{version}",
  "description": "Checks Amulet's proof files and signed headers",
  "license": "Apache-2.0",
  "exports": {{ ".": {{ "node": {node}, "default": {web} }} }}
}}
"#
    );
    write(&folder.join("package.json"), &manifest)?;
    // What wasm-bindgen makes for pages is a module, what it makes for Node is not.
    write(&folder.join("web/package.json"), "{ \"type\": \"module\" }\n")?;
    let source = source(workspace);
    let example = folder.join("example");
    fs::create_dir_all(&example).map_err(Failure::file("create", &example))?;
    for name in ["README.md", "example/check.mjs", "example/index.html"] {
        fs::copy(source.join(name), folder.join(name)).map_err(Failure::file("copy", &source.join(name)))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::file("write", path))
}

/// Prints the module's size, and refuses it over the limit.
fn weigh(module: &Path) -> Result<(), Failure> {
    let raw = fs::metadata(module).map_err(Failure::file("read", module))?.len();
    let mut gzip = exec::command("gzip");
    gzip.args(["-9", "-c"]).arg(module).stdin(Stdio::null());
    let packed = gzip.output().map_err(exec::start_failure(&gzip))?;
    if !packed.status.success() {
        return Err(Failure::Child {
            what: "gzip".to_owned(),
            command: exec::shown(&gzip),
            status: packed.status,
        });
    }
    let gzipped = packed.stdout.len();
    println!("the verifier's module: {raw} bytes, {gzipped} gzipped (at most {GZIPPED_BYTES_MAX})");
    if gzipped > GZIPPED_BYTES_MAX {
        return Err(Failure::TooLarge { path: module.to_owned(), found: gzipped, max: GZIPPED_BYTES_MAX });
    }
    Ok(())
}

/// Compiles `types.ts` against the package's declarations, with a pinned TypeScript.
fn check_types(source: &Path, folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(Failure::file("create", folder))?;
    for name in ["package.json", "package-lock.json", "tsconfig.json", "types.ts"] {
        fs::copy(source.join(name), folder.join(name)).map_err(Failure::file("copy", &source.join(name)))?;
    }
    let mut install = exec::command("npm");
    install.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    exec::run("installing TypeScript", &mut install)?;
    let mut compile = exec::command("node");
    compile.current_dir(folder).args(["node_modules/typescript/bin/tsc", "--project", "."]);
    exec::run("the package's types", &mut compile)
}

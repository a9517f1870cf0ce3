//! Starting other programs: with a clean environment, and with failures that name the step.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// A command without the variables that `cargo run` and rustup leave for their children.
///
/// Left in place, `RUSTUP_TOOLCHAIN` would override a `+toolchain` of the child, and cargo would rebuild packages whose
/// build scripts watch `CARGO_*`.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if is_left_by_cargo(&name.to_string_lossy()) {
            command.env_remove(&name);
        }
    }
    if let Some(paths) = std::env::var_os("LD_LIBRARY_PATH") {
        let kept: Vec<PathBuf> =
            std::env::split_paths(&paths).filter(|path| !is_build_folder(path)).collect();
        match std::env::join_paths(&kept) {
            Ok(joined) if !kept.is_empty() => command.env("LD_LIBRARY_PATH", joined),
            _ => command.env_remove("LD_LIBRARY_PATH"),
        };
    }
    command
}

fn is_left_by_cargo(name: &str) -> bool {
    matches!(name, "CARGO" | "RUSTUP_TOOLCHAIN" | "RUST_RECURSION_COUNT")
        || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// `cargo run` puts the toolchain's and the build's libraries on the search path; a second toolchain must not see them.
fn is_build_folder(path: &Path) -> bool {
    path.as_os_str().is_empty()
        || path.components().any(|part| matches!(part.as_os_str().to_str(), Some("target" | "toolchains")))
}

/// `cargo`, in the workspace's folder, with the pinned toolchain.
pub fn cargo(root: &Path) -> Command {
    let mut command = command("cargo");
    command.current_dir(root);
    command
}

/// Runs to the end with output shown.
///
/// # Errors
/// [`Failure::Start`] when it cannot be started, [`Failure::Child`] when it reports failure; `what` names the step.
pub fn run(what: &str, command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(start_failure(command))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::Child { what: what.to_owned(), command: shown(command), status })
}

/// Runs to the end and returns standard output; standard error is shown.
///
/// # Errors
/// As [`run`].
pub fn capture(what: &str, command: &mut Command) -> Result<String, Failure> {
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(start_failure(command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::Child { what: what.to_owned(), command: shown(command), status: output.status })
}

/// Standard output of a question whose failure means "no": missing programs and refusals give `None`.
pub fn probe(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Turns the error of starting `command` into one that names it.
pub fn start_failure(command: &Command) -> impl FnOnce(std::io::Error) -> Failure + use<> {
    let program = command.get_program().to_string_lossy().into_owned();
    move |source| Failure::Start { program, source }
}

/// The command line as a person would type it (without quoting, for messages only).
pub fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Where a program is, looking through `PATH` as a shell does.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| is_executable(path))
}

/// Whether the file exists and may be executed.
pub fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_an_outer_cargo_are_recognised_and_settings_are_kept() {
        for name in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(is_left_by_cargo(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_TERM_COLOR", "CARGO_NET_OFFLINE", "RUSTUP_HOME", "PATH"] {
            assert!(!is_left_by_cargo(name), "{name}");
        }
    }

    #[test]
    fn only_build_folders_leave_the_library_path() {
        assert!(is_build_folder(Path::new("/home/a/amulet/target/debug/deps")));
        assert!(is_build_folder(Path::new("/home/a/.rustup/toolchains/1.95.0/lib")));
        assert!(!is_build_folder(Path::new("/opt/oracle/lib")));
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = run("a step", &mut Command::new("amulet-no-such-program"));
        assert!(
            matches!(failure, Err(Failure::Start { program, .. }) if program == "amulet-no-such-program")
        );
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find_program("sh").is_some_and(|path| path.ends_with("sh")));
        assert_eq!(find_program("amulet-no-such-program"), None);
    }
}

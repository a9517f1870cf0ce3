//! Measurements. Each prints its numbers as a ratio to a named reference measured in the same run, because absolute times
//! say more about the machine than about the code.

use std::ffi::OsString;
use std::fs;

use crate::exec;
use crate::failure::Failure;
use crate::setup::{self, Consent, Needs};
use crate::test;
use crate::workspace::Workspace;

/// Name on the command line, package, bench target.
const BENCHES: &[(&str, &str, &str)] = &[
    ("crypto", "amulet-crypto", "crypto"),
    ("sm2", "amulet-crypto", "sm2"),
    ("consensus", "amulet-node", "consensus"),
    ("light-client", "amulet-light-client", "light-client"),
];

/// Parts of `consent`, each beside what it measures, so that one part builds no more than it needs: name, package, bench target.
const CONSENT: (&str, &[(&str, &str, &str)]) = (
    "consent",
    &[
        ("intake", "amulet-fhir", "intake"),
        ("decision", "amulet-contracts", "decision"),
        ("records", "amulet-wallet", "records"),
    ],
);

/// Measured in headless Chromium.
const IN_BROWSER: (&str, &str) = ("light-client-browser", "amulet-light-client");

/// Runs one measurement with its options, or lists them.
///
/// # Errors
/// [`Failure::UnknownBench`], or that of the failed run.
pub fn run(workspace: &Workspace, name: Option<&str>, options: &[OsString]) -> Result<(), Failure> {
    let names = BENCHES.iter().map(|(name, _, _)| *name).chain([CONSENT.0, IN_BROWSER.0]);
    let known = names.collect::<Vec<_>>().join(", ");
    let Some(name) = name else {
        println!("There are these measurements: {known}. Run one with `cargo xtask bench NAME`.");
        return Ok(());
    };
    if name == IN_BROWSER.0 {
        return run_in_browser(workspace);
    }
    if name == CONSENT.0 {
        return run_consent(workspace, options);
    }
    let Some((_, package, target)) = BENCHES.iter().find(|(known, _, _)| *known == name) else {
        return Err(Failure::UnknownBench { name: name.to_owned(), known });
    };
    run_target(workspace, name, package, target, options)
}

fn run_target(
    workspace: &Workspace,
    name: &str,
    package: &str,
    target: &str,
    options: &[OsString],
) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["bench", "-p", package, "--bench", target, "--"]).args(options);
    exec::run(&format!("the measurement '{name}'"), &mut command)
}

/// Runs all parts, or the one that `--only` names.
fn run_consent(workspace: &Workspace, options: &[OsString]) -> Result<(), Failure> {
    let (name, parts) = CONSENT;
    let only = options.iter().position(|option| option == "--only");
    let wanted = only.and_then(|at| options.get(at + 1)).map(|part| part.to_string_lossy().into_owned());
    let rest: Vec<OsString> = match only {
        Some(at) => options[..at].iter().chain(options.get(at + 2..).unwrap_or_default()).cloned().collect(),
        None => options.to_vec(),
    };
    let chosen: Vec<_> =
        parts.iter().filter(|(part, ..)| wanted.as_deref().is_none_or(|wanted| wanted == *part)).collect();
    if let (Some(wanted), true) = (wanted, chosen.is_empty()) {
        let known = parts.iter().map(|(part, ..)| *part).collect::<Vec<_>>().join(", ");
        return Err(Failure::UnknownBench { name: format!("{name} --only {wanted}"), known });
    }
    let json = rest.iter().position(|option| option == "--json").and_then(|at| rest.get(at + 1).cloned());
    let mut results = Vec::new();
    for (part, package, target) in chosen {
        run_target(workspace, &format!("{name}: {part}"), package, target, &rest)?;
        if let Some(file) = &json {
            let written = fs::read_to_string(file).map_err(Failure::file("read", file.as_ref()))?;
            results.push(format!("\"{part}\":{}", written.trim()));
        }
    }
    // Each part writes its own object into the file; together they are one.
    if let (Some(file), None) = (&json, only) {
        let all = format!("{{{}}}\n", results.join(","));
        fs::write(file, all).map_err(Failure::file("write", file.as_ref()))?;
    }
    Ok(())
}

fn run_in_browser(workspace: &Workspace) -> Result<(), Failure> {
    let toolchain = setup::ensure(workspace, Needs::TESTS, Consent::Ask)?;
    let (target, package) = IN_BROWSER;
    let mut command = test::in_browser(workspace, &toolchain)?;
    command.args(["--release", "-p", package, "--bench", target, "--", "--nocapture"]);
    exec::run(&format!("the measurement '{target}'"), &mut command)
}

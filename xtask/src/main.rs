//! Developer commands of Amulet, started as `cargo xtask <command>`.
//!
//! Two commands matter to a newcomer: `run` brings up four hospitals on this machine and opens the wallet, `test` runs
//! every test there is. Both first call [`setup`], which installs what is missing and says so. Every command works from a
//! clean clone on Debian or Ubuntu with rustup and a C linker, and each failure is one sentence a person can act on.

// A command line tool talks through standard output; the workspace lint guards libraries and the node.
#![allow(clippy::print_stdout)]

mod args;
mod bench;
mod check;
mod e2e;
mod exec;
mod failure;
mod guide_pictures;
mod kill_loop;
mod model;
mod run;
mod setup;
mod simulate;
mod stages;
mod test;
mod wasm_package;
mod web;
mod workspace;

use std::process::ExitCode;

use args::Task;
use failure::Failure;
use setup::Needs;
use workspace::Workspace;

fn main() -> ExitCode {
    let outcome = args::parse(std::env::args_os().skip(1)).and_then(perform);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The child has already said on standard error what went wrong; repeating it would bury its sentence.
        Err(Failure::ChildSaidWhy { code }) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            if let Some(hint) = failure.disk_hint() {
                eprintln!("{hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<(), Failure> {
    if let Task::Help = task {
        println!("{}", args::HELP);
        return Ok(());
    }
    let workspace = Workspace::load()?;
    match task {
        Task::Help => Ok(()),
        Task::Setup { assume_yes, tests } => {
            let needs = if tests { Needs::EVERYTHING } else { Needs::RUN };
            setup::ensure(&workspace, needs, setup::Consent::from_flag(assume_yes)).map(|_| ())
        }
        Task::Run(options) => run::run(&workspace, &options),
        Task::Test { quick } => test::run(&workspace, quick),
        Task::E2e => e2e::run(&workspace),
        Task::GuidePictures => guide_pictures::run(&workspace),
        Task::Check => check::run(&workspace),
        Task::Bench { name, options } => bench::run(&workspace, name.as_deref(), &options),
        Task::KillLoop { options } => kill_loop::run(&workspace, &options),
        Task::Model(options) => model::run(&workspace, &options),
        Task::Simulate { options } => simulate::run(&workspace, &options),
        Task::WasmPackage { check } => {
            let needs = if check { Needs::TESTS } else { Needs::WEB };
            let toolchain = setup::ensure(&workspace, needs, setup::Consent::Ask)?;
            if check {
                wasm_package::test(&workspace, &toolchain)
            } else {
                wasm_package::build(&workspace, &toolchain).map(|_| ())
            }
        }
        Task::BuildWeb { release } => {
            let toolchain = setup::ensure(&workspace, Needs::WEB, setup::Consent::Ask)?;
            web::build(&workspace, &toolchain, web::Profile::from_flag(release)).map(|_| ())
        }
    }
}

//! The command line: which task, with which options.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::failure::Failure;

/// Printed by `cargo xtask help`.
pub const HELP: &str = "\
Developer commands of Amulet

  cargo xtask run       start four hospitals on this machine and open the wallet
      --fhir DIR        load the FHIR files of DIR instead of the samples in the repository
      --data DIR        keep the consortium's data in DIR (default: target/localnet)
      --fresh           first delete what an earlier run left in that folder
      --no-window       print the address for a browser instead of opening the window
  cargo xtask test      run every test: unit, several processes, browser, window
      --quick           only those that need no browser
  cargo xtask e2e       only the tests that drive the browser and the window
  cargo xtask guide-pictures    put the pictures that `e2e` took into the user guide
  cargo xtask check     formatting, lints, licences, documentation, wasm type check
  cargo xtask bench [NAME] [OPTIONS]    measure; without a name, list what can be measured
      consensus --quick --json FILE    less time for each number; write them to FILE
      light-client --quick --json FILE    the same; --only PART for one part, --beside tendermint
      light-client-browser             what a page in headless Chromium takes for the same
      sm2 --cases N     compare N signature checks with another implementation instead of measuring
  cargo xtask kill-loop --kills N    kill hospitals at random under load, compare what they hold with what clients saw
      --seed S          what is killed when (default: 1)
      --hospitals H     how many there are (default: 4)
      --data DIR        keep their folders in DIR
      --json FILE       write the result to FILE
  cargo xtask model     explore the model of the consensus for each Byzantine replica
      --views N         views from 0 (default: 3)
      --heights N       heights from 1 (default: 2)
      --every-order     also orders in which a view is voted in after a later one was entered
  cargo xtask simulate  whole consortia on a virtual clock, network and disk, with the full mix of faults
      --seeds A..B      seeds to run (default: 0..20)
      --seed S          replay one seed and print everything that happens
      --replicas N      size of the validator set (default: 4)
      --hours H         virtual time of a run (default: 1)
      --planted all|NAME    plant deliberate bugs and catch each
      --twins           replicas that run twice with one key, systematically
      --wide-area       4 to 100 replicas in cities of one country: latency, messages, bytes
      --help            all options
  cargo xtask build-web [--release]    only the web pages, into target/web
  cargo xtask wasm-package    the verifier for other people's pages, as an npm package in target/wasm-package; prints its size
      --check           also its types, the golden files in Node and Chromium, its example (as `test` does)
  cargo xtask setup     install what `run` needs (the other commands do this themselves)
      --tests           also what `test` and `check` need
      --yes             do not ask

AMULET_WASM=rustup|debian    where the WebAssembly standard library comes from (default: rustup)";

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Task {
    /// Install what is missing.
    Setup {
        /// Do not ask before installing.
        assume_yes: bool,
        /// Also what the tests and the checks need.
        tests: bool,
    },
    /// Start the consortium and open the wallet.
    Run(RunOptions),
    /// Every test.
    Test {
        /// Leave out what needs a browser or a window.
        quick: bool,
    },
    /// Tests that drive the browser and the window.
    E2e,
    /// Put the pictures that the tests took into the user guide.
    GuidePictures,
    /// Lints and policies.
    Check,
    /// One measurement, or the list of them.
    Bench {
        /// A name from the table in `bench.rs`.
        name: Option<String>,
        /// Options for the measurement itself.
        options: Vec<OsString>,
    },
    /// Hospitals killed at random.
    KillLoop {
        /// Handed on as they are.
        options: Vec<OsString>,
    },
    /// The model of the consensus.
    Model(ModelOptions),
    /// The deterministic simulation.
    Simulate {
        /// Handed on as they are.
        options: Vec<OsString>,
    },
    /// Only the web pages.
    BuildWeb {
        /// Small and fast instead of quick to build.
        release: bool,
    },
    /// Only the verifier's package for other people's pages.
    WasmPackage {
        /// Also its types, its verdicts on the golden files, and its example.
        check: bool,
    },
    /// Show the help text.
    Help,
}

/// Options of `cargo xtask run`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Folder with the user's own FHIR files.
    pub fhir: Option<PathBuf>,
    /// Folder for the consortium's data.
    pub data: Option<PathBuf>,
    /// Delete what an earlier run left there.
    pub fresh: bool,
    /// Print the address only.
    pub no_window: bool,
}

/// Options of `cargo xtask model`.
#[derive(Debug, PartialEq, Eq)]
pub struct ModelOptions {
    /// Views explored.
    pub views: usize,
    /// Heights explored.
    pub heights: usize,
    /// Every order of views instead of one after the other.
    pub every_order: bool,
}

/// 15 million states in a few minutes.
impl Default for ModelOptions {
    fn default() -> Self {
        Self { views: 3, heights: 2, every_order: false }
    }
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// [`Failure::Usage`] when an option or command is unknown or lacks its value.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, Failure> {
    parse_with_lexopt(arguments).map_err(Failure::Usage)
}

fn parse_with_lexopt(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let command = match parser.next()? {
        None | Some(Short('h') | Long("help")) => return Ok(Task::Help),
        Some(Value(command)) => command.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    let mut task = match command.as_str() {
        "setup" => Task::Setup { assume_yes: false, tests: false },
        "run" => Task::Run(RunOptions::default()),
        "test" => Task::Test { quick: false },
        "e2e" => Task::E2e,
        "guide-pictures" => Task::GuidePictures,
        "check" => Task::Check,
        "bench" => Task::Bench { name: None, options: Vec::new() },
        "kill-loop" => Task::KillLoop { options: Vec::new() },
        "model" => Task::Model(ModelOptions::default()),
        // Every option is the simulator's own, its help too.
        "simulate" => return Ok(Task::Simulate { options: parser.raw_args()?.collect() }),
        "build-web" => Task::BuildWeb { release: false },
        "wasm-package" => Task::WasmPackage { check: false },
        "help" => Task::Help,
        unknown => return Err(format!("there is no command '{unknown}'").into()),
    };
    while let Some(argument) = parser.next()? {
        match (&mut task, argument) {
            (_, Short('h') | Long("help")) => return Ok(Task::Help),
            (Task::Setup { assume_yes, .. }, Short('y') | Long("yes")) => *assume_yes = true,
            (Task::Setup { tests, .. }, Long("tests")) => *tests = true,
            (Task::Run(options), Long("fhir")) => options.fhir = Some(parser.value()?.into()),
            (Task::Run(options), Long("data")) => options.data = Some(parser.value()?.into()),
            (Task::Run(options), Long("fresh")) => options.fresh = true,
            (Task::Run(options), Long("no-window")) => options.no_window = true,
            (Task::Test { quick }, Long("quick")) => *quick = true,
            (Task::KillLoop { options }, Long(name @ ("kills" | "seed" | "hospitals" | "data" | "json"))) => {
                let name = format!("--{name}");
                options.extend([name.into(), parser.value()?]);
            }
            (Task::Model(options), Long("views")) => options.views = parser.value()?.parse()?,
            (Task::Model(options), Long("heights")) => options.heights = parser.value()?.parse()?,
            (Task::Model(options), Long("every-order")) => options.every_order = true,
            (Task::BuildWeb { release }, Long("release")) => *release = true,
            (Task::WasmPackage { check }, Long("check")) => *check = true,
            (Task::Bench { name: name @ None, options }, Value(value)) => {
                *name = Some(value.string()?);
                // The rest is the measurement's own to read.
                options.extend(parser.raw_args()?);
            }
            (_, argument) => return Err(argument.unexpected()),
        }
    }
    Ok(task)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Task, String> {
        parse(words.iter().map(OsString::from)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn run_takes_its_options_in_any_order() {
        let task = parse_words(&["run", "--fresh", "--data=/tmp/x", "--fhir", "my files", "--no-window"]);
        let expected = RunOptions {
            fhir: Some("my files".into()),
            data: Some("/tmp/x".into()),
            fresh: true,
            no_window: true,
        };
        assert_eq!(task, Ok(Task::Run(expected)));
    }

    #[test]
    fn options_of_other_commands_are_refused_by_name() {
        assert_eq!(parse_words(&["wasm-package", "--check"]), Ok(Task::WasmPackage { check: true }));
        assert!(parse_words(&["wasm-package", "--release"]).unwrap_err().contains("--release"));
        assert!(parse_words(&["test", "--fresh"]).unwrap_err().contains("--fresh"));
        assert!(parse_words(&["tset"]).unwrap_err().contains("'tset'"));
        assert!(parse_words(&["run", "--fhir"]).unwrap_err().contains("--fhir"));
        assert!(parse_words(&["kill-loop", "--fresh"]).unwrap_err().contains("--fresh"));
        assert!(parse_words(&["bench", "--quick"]).unwrap_err().contains("--quick"));
    }

    #[test]
    fn a_measurement_reads_its_own_options() {
        let task = parse_words(&["bench", "sm2", "--cases", "10"]);
        let options = vec!["--cases".into(), "10".into()];
        assert_eq!(task, Ok(Task::Bench { name: Some("sm2".into()), options }));
    }

    #[test]
    fn no_command_shows_the_help() {
        assert_eq!(parse_words(&[]), Ok(Task::Help));
        assert_eq!(parse_words(&["run", "--help"]), Ok(Task::Help));
    }
}

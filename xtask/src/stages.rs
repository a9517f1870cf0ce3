//! Progress that a person can follow: numbered steps of one job, and stages of a report that all run to the end.

use std::time::{Duration, Instant};

use crate::failure::Failure;

/// Steps that depend on each other: the first failure ends the job.
pub struct Steps {
    total: usize,
    begun: usize,
}

impl Steps {
    /// A job of so many steps.
    pub fn new(total: usize) -> Self {
        Self { total, begun: 0 }
    }

    /// Announces a step, does it and says how long it took.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn step<T>(&mut self, what: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.begun += 1;
        let label = format!("[{}/{}] {what}", self.begun, self.total);
        println!("{label} …");
        let start = Instant::now();
        let result = work()?;
        println!("{label} … {}", shown(start.elapsed()));
        Ok(result)
    }
}

enum Outcome {
    Passed,
    Failed,
    Skipped(String),
}

/// Stages that are all run, so that one report shows everything that is wrong.
#[derive(Default)]
pub struct Stages {
    results: Vec<(String, Outcome, Duration)>,
}

impl Stages {
    /// Runs a stage and notes how it went; returns whether it passed.
    pub fn run(&mut self, name: &str, work: impl FnOnce() -> Result<(), Failure>) -> bool {
        println!("\n==> {name}");
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(failure) => {
                eprintln!("error: {failure}");
                if let Some(hint) = failure.disk_hint() {
                    eprintln!("{hint}");
                }
                Outcome::Failed
            }
        };
        let passed = matches!(outcome, Outcome::Passed);
        let duration = start.elapsed();
        println!("==> {name}: {} in {}", if passed { "passed" } else { "FAILED" }, shown(duration));
        self.results.push((name.to_owned(), outcome, duration));
        passed
    }

    /// Notes a stage that cannot run here, loudly.
    pub fn skip(&mut self, name: &str, reason: &str) {
        println!("\n==> {name}: SKIPPED, {reason}");
        self.results.push((name.to_owned(), Outcome::Skipped(reason.to_owned()), Duration::ZERO));
    }

    /// Prints the table.
    ///
    /// # Errors
    /// [`Failure::Stages`] when a stage failed.
    pub fn finish(self) -> Result<(), Failure> {
        print!("{}", self.table());
        let failed: Vec<&str> = self
            .results
            .iter()
            .filter(|(_, outcome, _)| matches!(outcome, Outcome::Failed))
            .map(|(name, _, _)| name.as_str())
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failure::Stages { failed: failed.len(), total: self.results.len(), names: failed.join(", ") })
    }

    fn table(&self) -> String {
        let width = self.results.iter().map(|(name, _, _)| name.chars().count()).max().unwrap_or_default();
        let mut text = String::from("\nSummary\n");
        for (name, outcome, duration) in &self.results {
            let verdict = match outcome {
                Outcome::Passed => format!("passed   {}", shown(*duration)),
                Outcome::Failed => format!("FAILED   {}", shown(*duration)),
                Outcome::Skipped(reason) => format!("SKIPPED  {reason}"),
            };
            text.push_str(&format!("  {name:width$}  {verdict}\n"));
        }
        let total = self.results.iter().map(|(_, _, duration)| *duration).sum();
        text.push_str(&format!("  {:width$}           {}\n", "together", shown(total)));
        text
    }
}

/// "0.4 s", "34 s" or "2 min 05 s".
pub fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(shown(Duration::from_millis(420)), "0.4 s");
        assert_eq!(shown(Duration::from_secs(34)), "34 s");
        assert_eq!(shown(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn later_stages_run_after_a_failure_and_the_end_names_it() {
        let mut stages = Stages::default();
        assert!(!stages.run("first", || Err(Failure::NoWasmProgram)));
        assert!(stages.run("second", || Ok(())));
        stages.skip("third", "no display");
        let table = stages.table();
        assert!(table.contains("third   SKIPPED  no display"), "{table}");
        let failure = stages.finish();
        assert!(
            matches!(failure, Err(Failure::Stages { failed: 1, total: 3, ref names }) if names == "first"),
            "{failure:?}"
        );
    }

    #[test]
    fn a_failed_step_ends_the_job() {
        let mut steps = Steps::new(2);
        assert!(matches!(steps.step("one", || Err::<(), _>(Failure::Declined)), Err(Failure::Declined)));
    }
}

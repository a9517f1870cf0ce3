//! Runs the checker and says what it found.

use std::fmt;

use stateright::{Checker, HasDiscoveries, Model};

use crate::config::Config;
use crate::model::Action;

/// What the checker found.
#[derive(Debug)]
pub struct Report {
    /// Distinct states, after those that cannot be told apart were merged.
    pub states: usize,
    /// Actions on the longest of the shortest ways to a state.
    pub depth: usize,
    /// The properties that do not hold, with the way to a state that shows it.
    pub violations: Vec<Violation>,
    /// What should be possible and was not found.
    pub unreached: Vec<&'static str>,
}

/// A property that does not hold.
#[derive(Debug)]
pub struct Violation {
    /// Its name.
    pub property: &'static str,
    /// How to get there: a shortest way, because the search is breadth first.
    pub actions: Vec<Action>,
}

impl Report {
    /// Whether this property was found not to hold.
    #[must_use]
    pub fn violates(&self, property: &str) -> bool {
        self.violations.iter().any(|violation| violation.property == property)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} states, {} actions deep", self.states, self.depth)?;
        for violation in &self.violations {
            writeln!(out, "violated: {}", violation.property)?;
            for action in &violation.actions {
                writeln!(out, "  {action:?}")?;
            }
        }
        self.unreached.iter().try_for_each(|name| writeln!(out, "not reached: {name}"))
    }
}

/// Explores all states within the bounds; with a deliberate fault built in, until the first violation.
#[must_use]
pub fn check(config: Config) -> Report {
    let mut builder = config.clone().checker().threads(threads());
    if config.mutation.is_some() {
        builder = builder.finish_when(HasDiscoveries::AnyFailures);
    }
    let checker = builder.spawn_bfs().join();
    let mut report = Report {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        violations: Vec::new(),
        unreached: Vec::new(),
    };
    for property in config.properties() {
        let found = checker.discovery(property.name);
        match (property.expectation, found) {
            (stateright::Expectation::Always, Some(path)) => {
                report.violations.push(Violation { property: property.name, actions: path.into_actions() })
            }
            (stateright::Expectation::Sometimes, None) => report.unreached.push(property.name),
            _ => {}
        }
    }
    report
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

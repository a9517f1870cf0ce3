//! Many seeds on several processors.

use crate::run::{Outcome, run};
use crate::schedule::Plan;
use crate::trace::Trace;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs plans on `jobs` threads, and tells of each as it ends, in no order. Stops early once `tell` says so.
pub fn run_all(plans: &[Plan], jobs: usize, tell: impl Fn(&Plan, Outcome) -> Continue + Send) {
    let next = AtomicUsize::new(0);
    let tell = Mutex::new(tell);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(plan, Trace::default());
                    let tell = tell.lock().unwrap_or_else(PoisonError::into_inner);
                    if tell(plan, outcome) == Continue::No {
                        next.store(plans.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// Whether further plans are to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continue {
    /// They are.
    Yes,
    /// Those under way end, no others begin.
    No,
}

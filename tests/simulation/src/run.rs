//! Running a plan, and making one that fails smaller.

use crate::checkers::{Checker, Violation};
use crate::schedule::{Behaviour, Calm, Plan};
use crate::time::Micros;
use crate::trace::Trace;
use crate::world::{Summary, World};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of a run.
pub type Outcome = Result<Summary, Box<Violation>>;

thread_local! {
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics of runs off the screen, for they are findings like others. To be called once, before the first run.
pub fn catch_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if IS_RUNNING.get() {
            LAST_PANIC.with(|last| *last.borrow_mut() = Some(info.to_string()));
        } else {
            usual(info);
        }
    }));
}

/// Runs a plan. A panic of a replica is a violation.
///
/// # Errors
/// The first thing that did not hold.
pub fn run(plan: &Plan, trace: Trace) -> Outcome {
    let plan = plan.clone();
    IS_RUNNING.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| World::new(plan, trace).run()));
    IS_RUNNING.set(false);
    outcome.unwrap_or_else(|_| {
        let detail = LAST_PANIC.with(|last| last.borrow_mut().take()).unwrap_or_default();
        Err(Box::new(Violation {
            at: Micros(0),
            checker: Checker::Health,
            detail: format!("panic: {detail}"),
        }))
    })
}

/// Runs tried at most to make a failing plan smaller.
const ATTEMPTS_MAX: usize = 300;

/// A smaller plan at which the same checker finds something.
#[must_use]
pub fn shrink(plan: &Plan, found: &Violation) -> (Plan, Violation) {
    let mut best = Shrinking { plan: plan.clone(), found: found.clone(), attempts: 0 };
    best.cut_end();
    loop {
        let before = size(&best.plan);
        best.drop_parts(|plan| plan.faults.len(), |plan, range| drop(plan.faults.drain(range)));
        best.drop_parts(|plan| plan.clients.len(), |plan, range| drop(plan.clients.drain(range)));
        best.drop_parts(|plan| plan.liars.len(), |plan, range| drop(plan.liars.drain(range)));
        best.drop_behaviours();
        best.cut_end();
        if size(&best.plan) >= before || best.attempts >= ATTEMPTS_MAX {
            return (best.plan, best.found);
        }
    }
}

fn size(plan: &Plan) -> (usize, usize, usize, u64) {
    let behaviours = plan.liars.iter().map(|liar| liar.behaviours.len()).sum();
    (plan.faults.len(), plan.clients.len(), behaviours, plan.end.0)
}

struct Shrinking {
    plan: Plan,
    found: Violation,
    attempts: usize,
}

impl Shrinking {
    /// Takes a plan if the same checker finds something in it.
    fn attempt(&mut self, plan: Plan) -> bool {
        if self.attempts >= ATTEMPTS_MAX {
            return false;
        }
        self.attempts += 1;
        match run(&plan, Trace::default()) {
            Err(found) if found.checker == self.found.checker => {
                (self.plan, self.found) = (plan, *found);
                true
            }
            _ => false,
        }
    }

    /// Nothing after the finding matters.
    fn cut_end(&mut self) {
        let at = self.found.at;
        if at == Micros(0) || at.0 + 1 >= self.plan.end.0 {
            return;
        }
        let mut plan = self.plan.clone();
        plan.end = Micros(at.0 + 1);
        plan.faults.retain(|fault| fault.from <= at);
        plan.calms.retain(|calm: &Calm| calm.from <= at);
        self.attempt(plan);
    }

    /// Leaves out ever smaller runs of parts.
    fn drop_parts(
        &mut self,
        count: impl Fn(&Plan) -> usize,
        drop: impl Fn(&mut Plan, std::ops::Range<usize>),
    ) {
        let mut width = count(&self.plan).div_ceil(2);
        while width > 0 {
            let mut from = 0;
            while from < count(&self.plan) {
                let mut plan = self.plan.clone();
                drop(&mut plan, from..(from + width).min(count(&self.plan)));
                if !self.attempt(plan) {
                    from += width;
                }
            }
            width /= 2;
        }
    }

    fn drop_behaviours(&mut self) {
        for liar in 0..self.plan.liars.len() {
            for &behaviour in Behaviour::ALL {
                let mut plan = self.plan.clone();
                let behaviours = &mut plan.liars[liar].behaviours;
                let before = behaviours.len();
                behaviours.retain(|kept| *kept != behaviour);
                if behaviours.len() < before {
                    self.attempt(plan);
                }
            }
        }
    }
}

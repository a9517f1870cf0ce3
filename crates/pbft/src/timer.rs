//! Timers are names for the driver to count down; the core never knows what time it is.

/// What is waited for. At most one timer of a kind runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// A commit in the current view, while requests wait or a proposal is under way.
    Progress,
    /// The new-view message of the view being changed to, once a quorum asked for it.
    NewView,
    /// The next status message.
    Heartbeat,
}

/// One run of a timer. A firing that was already on its way when the timer was stopped or started anew has another
/// generation and is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// What is waited for.
    pub kind: TimerKind,
    /// Which run of it.
    pub generation: u64,
}

/// Which runs are under way.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    generations: u64,
    running: std::collections::BTreeMap<TimerKind, u64>,
}

impl Timers {
    pub(crate) fn is_running(&self, kind: TimerKind) -> bool {
        self.running.contains_key(&kind)
    }

    /// A new run, in place of the current one of the kind.
    pub(crate) fn start(&mut self, kind: TimerKind) -> Timer {
        self.generations += 1;
        self.running.insert(kind, self.generations);
        Timer { kind, generation: self.generations }
    }

    /// Whether one was running.
    pub(crate) fn stop(&mut self, kind: TimerKind) -> bool {
        self.running.remove(&kind).is_some()
    }

    /// Takes note of a firing; whether it is of the current run.
    pub(crate) fn fire(&mut self, timer: Timer) -> bool {
        let is_current = self.running.get(&timer.kind) == Some(&timer.generation);
        if is_current {
            self.running.remove(&timer.kind);
        }
        is_current
    }
}

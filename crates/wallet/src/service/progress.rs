//! How far the running long task is. One at a time is shown: the last one started.

use amulet_app_api::wallet::{ProgressView, Task};
use amulet_light_client::{Progress, Stage};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Running {
    number: u64,
    view: Option<ProgressView>,
}

/// The progress that the interface asks for.
#[derive(Clone, Default)]
pub(crate) struct ProgressBoard(Arc<Mutex<Running>>);

/// A long task while it runs; dropping it ends the display.
pub(crate) struct RunningTask {
    board: ProgressBoard,
    number: u64,
}

impl ProgressBoard {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is shown now.
    pub(crate) fn view(&self) -> Option<ProgressView> {
        self.running().view.clone()
    }

    /// Starts a task.
    pub(crate) fn start(&self, task: Task) -> RunningTask {
        let mut running = self.running();
        running.number += 1;
        running.view = Some(ProgressView { task, done: 0, total: None });
        RunningTask { board: self.clone(), number: running.number }
    }

    /// Takes over what the light client reports, while a task of that kind is shown.
    pub(crate) fn report(&self, progress: Progress) {
        let task = match progress.stage {
            Stage::Sync | Stage::State | Stage::History | Stage::Transactions => Task::Checking,
            Stage::Blobs => Task::Fetching,
        };
        if let Some(view) = &mut self.running().view
            && view.task == task
            && task == Task::Checking
        {
            (view.done, view.total) = (progress.done, Some(progress.total));
        }
    }
}

impl RunningTask {
    /// Shows another step of the same work.
    pub(crate) fn step(&self, task: Task, done: usize, total: usize) {
        let mut running = self.board.running();
        if running.number == self.number {
            running.view = Some(ProgressView { task, done: done as u64, total: Some(total as u64) });
        }
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        let mut running = self.board.running();
        if running.number == self.number {
            running.view = None;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_newest_task_is_shown_and_its_end_ends_the_display() {
        let board = ProgressBoard::default();
        let first = board.start(Task::Checking);
        let second = board.start(Task::Fetching);
        first.step(Task::Checking, 1, 2);
        second.step(Task::Decrypting, 3, 4);
        drop(first);
        let view = board.view().unwrap();
        assert_eq!((view.task, view.done, view.total), (Task::Decrypting, 3, Some(4)));
        drop(second);
        assert_eq!(board.view(), None);
    }
}

//! Time spent on work, and works that take turns.

use std::time::Duration;

/// Rounds in which works take turns; the median counts.
const ROUNDS: usize = 11;
/// Length of one work's turn.
const TURN: Duration = Duration::from_millis(30);

#[cfg(not(target_arch = "wasm32"))]
pub use crate::machine::thread_time as spent;

/// A browser tells no more than the time on the wall.
#[cfg(target_arch = "wasm32")]
pub fn spent() -> Duration {
    let window = web_sys::window().expect("the bench runs in a page");
    Duration::from_secs_f64(window.performance().expect("every browser has it").now() / 1e3)
}

/// Seconds that each work takes once.
pub fn seconds<const WORKS: usize>(mut works: [&mut dyn FnMut(); WORKS]) -> [f64; WORKS] {
    let mut rounds = [const { Vec::new() }; WORKS];
    for _ in 0..ROUNDS {
        for (work, rounds) in works.iter_mut().zip(&mut rounds) {
            rounds.push(turn(*work));
        }
    }
    rounds.map(median)
}

fn turn(work: &mut dyn FnMut()) -> f64 {
    let (start, mut runs) = (spent(), 0);
    loop {
        work();
        runs += 1;
        let passed = spent() - start;
        if passed > TURN {
            return passed.as_secs_f64() / f64::from(runs);
        }
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

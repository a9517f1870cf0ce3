//! What this process has had of the machine.

use std::fs;

/// Clock ticks a second in /proc/self/stat: fixed by Linux's interface.
const TICKS_PER_SECOND: f64 = 100.0;

/// What all threads of this process have had of the processors, in seconds; zero where that cannot be had.
pub fn process_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces; user and system time are the 12th and 13th field after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}

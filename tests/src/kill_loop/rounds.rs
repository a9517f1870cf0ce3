//! What is done to the hospitals, round by round, as the seed has it.

use crate::choices::Choices;
use std::time::Duration;

/// A moment anywhere in the making of a block.
const WAIT_MAX_MS: u64 = 300;
/// Long enough that the others change the view meanwhile, now and then.
const DOWN_MAX_MS: u64 = 2_000;
/// Less and more than a start takes, so that hospitals also die while they read their logs.
const LIFE_MAX_MS: u64 = 350;
const LIVES_MAX: u64 = 4;

/// One round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// One dies and comes back at once or later.
    One { victim: usize, wait: Duration, down: Duration, then_progress: bool },
    /// One dies again and again, mostly while it starts.
    Again { victim: usize, lives: Vec<Duration> },
    /// As many as may be faulty are gone until the others have shown that they go on.
    Without { victims: Vec<usize> },
    /// All die at once and come back one after another. The absent, as many as may be faulty, come when the others have
    /// shown that they go on: every vote of these is needed, and none of them has more than its disk to go on.
    All { wait: Duration, gaps: Vec<Duration>, absent: Vec<usize> },
}

impl Round {
    pub(super) fn choose(choices: &mut Choices, size: usize, faulty_max: usize) -> Self {
        let mut up_to = |limit: u64| Duration::from_millis(choices.below(limit));
        let (wait, down) = (up_to(WAIT_MAX_MS), up_to(DOWN_MAX_MS));
        match choices.below(9) {
            0..4 => {
                let down = if choices.one_in(2) { Duration::ZERO } else { down };
                Self::One { victim: choices.index(size), wait, down, then_progress: choices.one_in(2) }
            }
            4..6 => {
                let lives =
                    (0..=choices.below(LIVES_MAX)).map(|_| Duration::from_millis(choices.below(LIFE_MAX_MS)));
                let lives = lives.collect();
                Self::Again { victim: choices.index(size), lives }
            }
            6 => Self::Without { victims: choices.places(faulty_max, size) },
            _ => {
                let longest = if choices.one_in(2) { 1 } else { LIFE_MAX_MS };
                let gaps = (0..size).map(|_| Duration::from_millis(choices.below(longest))).collect();
                let absent = if choices.one_in(2) { choices.places(faulty_max, size) } else { Vec::new() };
                Self::All { wait, gaps, absent }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_rounds_and_never_more_than_f_gone_but_for_all() {
        let rounds = |seed| {
            let mut choices = Choices::new(seed);
            (0..200).map(|_| Round::choose(&mut choices, 7, 2)).collect::<Vec<_>>()
        };
        assert_eq!(rounds(5), rounds(5));
        assert_ne!(rounds(5), rounds(6));
        let without = |round: &&Round| matches!(round, Round::Without { victims } if victims.len() != 2);
        assert_eq!(rounds(5).iter().find(without), None);
        let all = |count: usize| {
            rounds(5).iter().any(
                |round| matches!(round, Round::All { gaps, absent, .. } if (gaps.len(), absent.len()) == (7, count)),
            )
        };
        assert!(all(0) && all(2) && !all(3));
    }
}

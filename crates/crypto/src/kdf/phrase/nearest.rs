//! How like two words are.

use alloc::vec;
use alloc::vec::Vec;

/// Most slips between a typed word and a suggestion for it.
const MAX_SLIPS: usize = 2;

/// The word of the list that is nearest to `typed`, by slips, then by common beginning; none when all are far.
pub(in crate::kdf) fn nearest(typed: &str, list: &[&'static str]) -> Option<&'static str> {
    list.iter()
        .map(|&word| (distance(typed, word), usize::MAX - common_prefix(typed, word), word))
        .min()
        .filter(|(slips, prefix, word)| {
            // The first four letters name a word of the lists, whatever follows.
            *slips <= MAX_SLIPS && *slips < word.len() || usize::MAX - prefix >= 4
        })
        .map(|(_, _, word)| word)
}

fn common_prefix(left: &str, right: &str) -> usize {
    left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count()
}

/// Slips that turn one word into the other: letters missing, added, changed, or two neighbours swapped.
pub(super) fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before = vec![0; right.len() + 1];
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut current = vec![i; right.len() + 1];
        for j in 1..=right.len() {
            let changed = previous[j - 1] + usize::from(left[i - 1] != right[j - 1]);
            current[j] = changed.min(previous[j] + 1).min(current[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                current[j] = current[j].min(before[j - 2] + 1);
            }
        }
        before = core::mem::replace(&mut previous, current);
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        assert_eq!(distance("zone", "zone"), 0);
        assert_eq!(distance("zoen", "zone"), 1);
        assert_eq!(distance("zone", "zones"), 1);
        assert_eq!(distance("zone", "bone"), 1);
        assert_eq!(distance("", "zone"), 4);
    }
}

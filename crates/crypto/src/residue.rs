//! What computations with secrets leave behind on the stack and in buffers that grew.

use alloc::string::String;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

/// Stack that is overwritten, in bytes: more than the calls of this crate take.
const STACK_BYTES: usize = 64 * 1024;
/// How much longer than its source a normalised text gets room for before it has to grow.
const ROOM: usize = 4;

/// Overwrites the stack below the caller, where calls that have returned left what they moved and returned by value.
///
/// A best effort: registers, and what the compiler keeps elsewhere, are out of reach.
#[inline(never)]
pub fn wipe_stack() {
    let mut stack = [0_u8; STACK_BYTES];
    // Written as something that may not be left out, in a frame of its own.
    stack.zeroize();
    core::hint::black_box(&stack);
}

/// A secret text in Unicode's form NFKC, as RFC 7613 wants passwords prepared; `each` gives what becomes of every letter.
///
/// The text is written into room enough for any but odd texts: a buffer that grows leaves parts of it in the memory that it gives back.
pub(crate) fn normalised<I: Iterator<Item = char>>(
    text: &str,
    each: impl Fn(char) -> I,
) -> Zeroizing<String> {
    let mut normalised = Zeroizing::new(String::with_capacity(text.len().saturating_mul(ROOM)));
    text.nfkc().flat_map(each).for_each(|letter| normalised.push(letter));
    normalised
}

//! Blocks as ids that name their ancestors.

use std::fmt;

/// Heights that a state has room for. A block id would have room for 4; a smaller state is explored faster.
pub const HEIGHTS_MAX: usize = 3;

/// Views that a state has room for. A block id would have room for 7.
pub const VIEWS_MAX: usize = 4;

/// A block, as the path to it from genesis: one nibble a height, lowest height in the lowest bits, each made of the
/// view in which the block was built and of which of that primary's blocks it is. So the id commits to the parent, as a
/// header hash does, and a block's header names the view in which it was built.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(u16);

impl Block {
    /// The start of the chain; also stands for "none" where a block above genesis is expected.
    pub const GENESIS: Self = Self(0);

    /// The block built on `self` in `view`. A correct primary builds variant 0 only; a faulty one may build two.
    #[must_use]
    pub fn child(self, view: u8, variant: u8) -> Self {
        let nibble = (u16::from(view) << 1 | u16::from(variant)) + 1;
        Self(self.0 | nibble << (4 * self.height()))
    }

    /// The number of blocks below, genesis excluded.
    #[must_use]
    pub fn height(self) -> usize {
        (16 - self.0.leading_zeros() as usize).div_ceil(4)
    }

    /// The block below.
    #[must_use]
    pub fn parent(self) -> Self {
        self.ancestor(self.height().saturating_sub(1))
    }

    /// The block of this chain at `height`; itself from its own height on.
    #[must_use]
    pub fn ancestor(self, height: usize) -> Self {
        if height >= HEIGHTS_MAX { self } else { Self(self.0 & ((1 << (4 * height)) - 1)) }
    }

    /// Whether `self` is `other` or built on it.
    #[must_use]
    pub fn extends(self, other: Self) -> bool {
        self.ancestor(other.height()) == other
    }

    /// Whether this is a block above genesis.
    #[must_use]
    pub fn is_some(self) -> bool {
        self != Self::GENESIS
    }
}

/// Written as its path: `0a.1b` is the block built in view 1 (the second of two) on the block built in view 0.
impl fmt::Debug for Block {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::GENESIS {
            return out.write_str("-");
        }
        for height in 0..self.height() {
            let nibble = (self.0 >> (4 * height) & 0xf) - 1;
            let variant = if nibble & 1 == 0 { 'a' } else { 'b' };
            write!(out, "{}{}{variant}", if height == 0 { "" } else { "." }, nibble >> 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_names_its_ancestors() {
        let first = Block::GENESIS.child(0, 1);
        let second = first.child(2, 0);
        assert_eq!((first.height(), second.height()), (1, 2));
        assert_eq!((second.parent(), first.parent()), (first, Block::GENESIS));
        assert!(second.extends(first) && !first.extends(second));
        assert!(!Block::GENESIS.child(0, 0).child(2, 0).extends(first));
        assert_eq!(format!("{second:?}"), "0b.2a");
    }
}

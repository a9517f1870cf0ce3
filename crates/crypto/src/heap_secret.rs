//! Fixed-size secrets that stay in one place of the heap: moving their owner leaves no copy behind.

use alloc::boxed::Box;
use core::ops::Deref;
use zeroize::Zeroize;

/// `N` secret bytes on the heap, wiped on drop.
pub(crate) struct HeapSecret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> HeapSecret<N> {
    /// Lets `fill` write the bytes where they stay.
    pub(crate) fn filled(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut bytes = Box::new([0; N]);
        fill(&mut bytes);
        Self(bytes)
    }

    /// A copy of these bytes; the caller wipes theirs.
    pub(crate) fn copied(bytes: &[u8; N]) -> Self {
        Self::filled(|to| to.copy_from_slice(bytes))
    }
}

impl<const N: usize> Deref for HeapSecret<N> {
    type Target = [u8; N];

    fn deref(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for HeapSecret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

//! A constant that is computed when it is first needed, without an operating system's locks.

use core::ops::Deref;

use alloc::boxed::Box;
use once_cell::race::OnceBox;

/// A value made by a function at its first use. Threads that come at once may each make it; all see the first one's.
pub(crate) struct Lazy<T: 'static> {
    value: OnceBox<T>,
    make: fn() -> T,
}

impl<T> Lazy<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self { value: OnceBox::new(), make }
    }
}

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(|| Box::new((self.make)()))
    }
}

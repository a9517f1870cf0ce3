//! Holds the curve library's own secret-key types, which do not wipe themselves, so that they are wiped.

use alloc::boxed::Box;
use core::ops::Deref;

use zeroize::optimization_barrier;

/// A heap cell for a secret that is overwritten with a public place holder when dropped.
///
/// The heap keeps moves of the owner from leaving copies of the secret behind. The overwrite is an ordinary store,
/// kept by `optimization_barrier` from being optimised away.
pub(crate) struct SecretBox<T: Placeholder>(Box<T>);

/// A type with a publicly known value that may stand where a secret was.
pub(crate) trait Placeholder: Clone {
    /// The public value.
    fn placeholder() -> Self;
}

impl<T: Placeholder> SecretBox<T> {
    pub(crate) fn new(secret: T) -> Self {
        Self(Box::new(secret))
    }
}

impl<T: Placeholder> Deref for SecretBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Placeholder> Drop for SecretBox<T> {
    fn drop(&mut self) {
        *self.0 = T::placeholder();
        optimization_barrier(&*self.0);
    }
}

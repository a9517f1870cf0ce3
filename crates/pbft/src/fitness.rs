//! Whether a primary is fit for its place, though it may keep every deadline.

use amulet_protocol::ids::View;

/// The judgement that the primary of a view is unfit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// The view.
    pub view: View,
    /// What it did.
    pub cause: Cause,
}

/// What an unfit primary does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It proposes more slowly than earlier views have shown to be possible, while requests wait.
    Slow,
    /// It leaves out a request that others have long been ordered before.
    Unfair,
}

//! Remote data and its state.

use amulet_app_api::ApiError;

/// Data that a page asked the wallet for.
#[derive(Debug, Clone, PartialEq)]
pub enum Loadable<T> {
    /// Asked for the first time.
    Loading,
    /// Here.
    Ready(T),
    /// Here, and asked for again.
    Refreshing(T),
    /// The first answer was an error.
    Failed(ApiError),
    /// Here, but the newest attempt to refresh it failed.
    Outdated(T, ApiError),
}

impl<T> Loadable<T> {
    /// What can be shown now, of whatever age.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Ready(value) | Self::Refreshing(value) | Self::Outdated(value, _) => Some(value),
            Self::Loading | Self::Failed(_) => None,
        }
    }

    /// The error to show, if the newest attempt failed.
    pub fn error(&self) -> Option<&ApiError> {
        match self {
            Self::Failed(error) | Self::Outdated(_, error) => Some(error),
            Self::Loading | Self::Ready(_) | Self::Refreshing(_) => None,
        }
    }

    /// The state when a new attempt begins: what was shown stays.
    pub fn asked_again(self) -> Self {
        match self {
            Self::Ready(value) | Self::Refreshing(value) | Self::Outdated(value, _) => {
                Self::Refreshing(value)
            }
            Self::Loading | Self::Failed(_) => Self::Loading,
        }
    }

    /// The state when the attempt ended.
    pub fn answered(self, answer: Result<T, ApiError>) -> Self {
        match (answer, self) {
            (Ok(value), _) => Self::Ready(value),
            (Err(error), Self::Ready(old) | Self::Refreshing(old) | Self::Outdated(old, _)) => {
                Self::Outdated(old, error)
            }
            (Err(error), Self::Loading | Self::Failed(_)) => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_app_api::ErrorCode;

    #[test]
    fn what_was_shown_stays_while_it_refreshes_and_when_that_fails() {
        let shown = Loadable::Ready(7).asked_again();
        assert_eq!(shown, Loadable::Refreshing(7));
        let failed = shown.answered(Err(ErrorCode::Unreachable.into()));
        assert_eq!(failed.value(), Some(&7));
        assert_eq!(failed.error().map(|error| error.code), Some(ErrorCode::Unreachable));
        assert_eq!(failed.asked_again().answered(Ok(8)), Loadable::Ready(8));
    }

    #[test]
    fn a_first_failure_shows_nothing_but_the_error() {
        let failed: Loadable<u8> = Loadable::Loading.answered(Err(ErrorCode::Stale.into()));
        assert_eq!(failed.value(), None);
        assert_eq!(failed.asked_again(), Loadable::Loading);
    }
}

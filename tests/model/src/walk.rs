//! One execution, step by step.

use stateright::{Expectation, Model};

use crate::config::Config;
use crate::model::Action;
use crate::state::State;

/// An action that the rules do not allow where it was tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("action {index}, {action:?}, is not possible there")]
pub struct NotPossible {
    /// Which one, from 0.
    pub index: usize,
    /// The action.
    pub action: Action,
}

/// Takes these actions one after the other and returns the names of the properties that do not hold in the end. For
/// executions that are known to matter and lie beyond the bounds that can be explored completely.
///
/// # Errors
/// [`NotPossible`] for the first action that the rules do not allow.
pub fn walk(config: &Config, actions: &[Action]) -> Result<Vec<&'static str>, NotPossible> {
    let mut state = State::default();
    for (index, action) in actions.iter().enumerate() {
        let mut possible = Vec::new();
        config.actions(&state, &mut possible);
        let next = possible.contains(action).then(|| config.next_state(&state, *action)).flatten();
        state = next.ok_or(NotPossible { index, action: *action })?;
    }
    let properties = config.properties().into_iter();
    let violated = properties.filter(|property| {
        property.expectation == Expectation::Always && !(property.condition)(config, &state)
    });
    Ok(violated.map(|property| property.name).collect())
}

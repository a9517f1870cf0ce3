//! The model of the consensus, beyond the bounds that the tests explore.

use crate::args::ModelOptions;
use crate::exec;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Explores the model within the bounds asked for.
///
/// # Errors
/// That of the failed run, also when a property does not hold.
pub fn run(workspace: &Workspace, options: &ModelOptions) -> Result<(), Failure> {
    let mut command = exec::cargo(&workspace.root);
    command.args(["run", "-p", "amulet-model", "--"]);
    command.args([options.views.to_string(), options.heights.to_string()]);
    if options.every_order {
        command.arg("every-order");
    }
    exec::run("the model", &mut command)
}

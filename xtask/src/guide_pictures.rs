//! The pictures of the user guide: taken by the end-to-end tests, made small here.

use crate::exec;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Where the tests leave them, and for which language of the guide.
const LOOKS: [(&str, &str); 2] = [("phone-en", "en"), ("phone-zh", "zh")];

/// The name that the tests give a picture, and the one in the guide.
const PICTURES: [(&str, &str); 16] = [
    ("create", "create"),
    ("home", "home"),
    ("records", "records"),
    ("card", "card"),
    ("request", "request"),
    ("sharing", "sharing"),
    ("sharing-abroad", "abroad"),
    ("log", "log"),
    ("settings-security", "security"),
    ("settings-keys", "keys"),
    ("guardian-sheets", "guardians"),
    ("clinician-scan", "scan"),
    ("declare", "declare"),
    ("emergency", "emergency"),
    ("clinician-ask", "ask"),
    ("clinician-accesses", "accesses"),
];

/// Half of a phone's width, and few colours: a guide of thirty pictures stays small.
const WIDTH: &str = "300";
const COLOURS: &str = "64";

/// `cargo xtask guide-pictures`.
///
/// # Errors
/// When a folder cannot be made, a picture is missing, or ImageMagick fails.
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    for (look, language) in LOOKS {
        let from = workspace.target.join("e2e-screenshots/pages").join(look);
        let to = workspace.root.join("docs/images/guide").join(language);
        std::fs::create_dir_all(&to).map_err(Failure::file("make", &to))?;
        for (taken, named) in PICTURES {
            let mut command = exec::command("convert");
            command.arg(from.join(taken).with_extension("png"));
            command.args(["-resize", WIDTH, "-colors", COLOURS, "-strip"]);
            command.arg(to.join(named).with_extension("png"));
            exec::run("making a picture small", &mut command)?;
        }
    }
    Ok(())
}

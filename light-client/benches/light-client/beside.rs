//! Another light client on comparable chains, in a package of its own that nothing else builds.

use serde_json::Value;
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// What it printed, and how long building it took.
pub struct Beside {
    pub value: Value,
    pub build_seconds: f64,
}

/// Builds and runs the measurement of `tendermint-light-client`.
pub fn tendermint() -> Beside {
    let light_client = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this bench"));
    let target = light_client.join("../target/tendermint");
    let manifest = light_client.join("benches/tendermint/Cargo.toml");
    let start = Instant::now();
    let mut build = Command::new(env::var_os("CARGO").expect("cargo runs this bench"));
    build.args(["build", "--release", "--locked", "--manifest-path"]).arg(manifest);
    build.arg("--target-dir").arg(&target);
    assert!(build.status().unwrap().success(), "the other light client does not build");
    let build_seconds = start.elapsed().as_secs_f64();
    let output = Command::new(target.join("release/amulet-beside-tendermint")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Beside { value: serde_json::from_slice(&output.stdout).unwrap(), build_seconds }
}

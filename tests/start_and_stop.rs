//! Starting and stopping the demonstration: what goes wrong is said in a sentence that a person can act on, and nothing is
//! lost by stopping.

#![allow(clippy::unwrap_used)]

use amulet_app_api::access::AccessLog;
use amulet_app_api::records::Records;
use amulet_tests::localnet::{Localnet, node_output};
use amulet_tests::wallet::Wallet;
use amulet_tests::{run, step, wait};
use std::ffi::OsString;
use std::time::Duration;

#[test]
fn trouble_is_said_in_words_and_a_second_start_finds_everything_again() {
    let mut net = Localnet::start();
    step("started twice in one folder");
    let said = refused(&net.arguments_in(net.path()));
    assert!(said.contains("already running") && said.contains("--data"), "{said}");
    step("ports that are taken");
    let elsewhere = tempfile::tempdir().unwrap();
    let said = refused(&net.arguments_in(elsewhere.path()));
    let port = net.hospital(1).http.rsplit(':').next().unwrap().to_owned();
    assert!(said.contains(&port) && said.contains("taken") && said.contains("--http-port"), "{said}");
    step("a folder that cannot be written to");
    let file = elsewhere.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let said = refused(&net.arguments_in(&file.join("data")));
    assert!(said.contains("file/data"), "{said}");
    assert!(net.hospitals().iter().all(|hospital| hospital.is_healthy()), "the first one goes on");

    step("a hospital that is killed");
    net.kill(3);
    wait::until("words about it", Duration::from_secs(10), || {
        let said = net.printed();
        (said.contains("Hospital 3") && said.contains("amulet-node run --data")).then_some(())
    });
    step("stopped and started again");
    let records = run(what_wang_fang_has(&net));
    let passphrase = net.passphrase().to_owned();
    net.stop_and_start();
    assert_eq!(net.passphrase(), passphrase);
    assert_eq!(run(what_wang_fang_has(&net)), records);
    net.same_head(Duration::from_secs(30));
}

/// Runs the node's program, which must refuse; gives what it said on standard error, one line for people.
fn refused(arguments: &[OsString]) -> String {
    let output = node_output(arguments);
    assert!(!output.status.success(), "it started");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    assert!(said.starts_with("amulet-node: ") && said.lines().count() == 1, "{said}");
    said
}

/// Records, and lines of the log.
async fn what_wang_fang_has(net: &Localnet) -> (usize, usize) {
    let wallet = Wallet::over_libp2p(net.network());
    wallet.open_demo("wang-fang", net.passphrase()).await;
    let timeline = wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (32, 0));
    (timeline.records.len(), wallet.must(AccessLog {}).await.lines.len())
}

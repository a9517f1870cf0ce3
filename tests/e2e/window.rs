//! A smoke test of the real window: it opens, the pages are in it, and the wallet behind it answers.

#![allow(clippy::unwrap_used)]

use amulet_tests::e2e::{Browser, Driver, window_program};
use amulet_tests::localnet::Localnet;
use amulet_tests::{run, step, wait};
use std::ffi::OsStr;
use std::process::Command;
use std::time::Duration;

#[test]
fn the_window_opens_a_wallet_and_shows_its_records() {
    if std::env::var_os("AMULET_SKIP_WINDOW").is_some_and(|value| value == "1") {
        eprintln!("SKIPPED: tauri-driver or WebKitWebDriver is missing, so the window was not driven");
        return;
    }
    let net = Localnet::start();
    let data = tempfile::tempdir().unwrap();
    let network = net.path().join("network.json");
    let environment: [(&str, &OsStr); 2] =
        [("AMULET_NETWORK", network.as_os_str()), ("AMULET_DATA", data.path().as_os_str())];
    run(async {
        let driver = Driver::window(&environment);
        let window = Browser::window(&driver, "4-window").await;
        step("the welcome page");
        window.see("create-wallet").await;
        window.shot("welcome").await;
        step("the bridge to the wallet");
        answers_the_bridge(&window).await;
        step("a person of the demonstration is opened");
        window.press("demo-wang-fang").await;
        window.write("passphrase", net.passphrase()).await;
        window.press("unlock").await;
        window.see("home-all-records").await;
        window.shot("home").await;
        window.press("nav-records").await;
        window.see("record-line").await;
        assert_eq!(window.count("record-line").await, 32);
        window.shot("records").await;
        window.press("record-line").await;
        // No picture here: WebKit's driver never delivers one of a page that has nothing left to draw.
        let facts = window.text("record-facts").await;
        assert!(facts.contains("City First Hospital") || facts.contains("市第一人民医院"), "{facts}");
        window.press("back").await;
        window.see("records-count").await;
        step("a second start");
        starts_again(&window, &environment).await;
        window.close().await;
    });
    step("the wallet's files are on the device, encrypted");
    let files = amulet_tests::scan::files_below(data.path());
    assert!(files.iter().any(|file| file.extension().is_some_and(|end| end == "amulet")), "{files:?}");
    let told = amulet_tests::scan::find_in_files(data.path(), &["青霉素".to_owned()]);
    assert!(told.is_empty(), "{told:?}");
}

/// A second start ends by itself, and the first window is still there and opens the link that the second was started with.
async fn starts_again(window: &Browser, environment: &[(&str, &OsStr)]) {
    let start = |link: &str| {
        let mut program = Command::new(window_program());
        let mut second = program.arg(link).envs(environment.iter().copied()).spawn().unwrap();
        let status =
            wait::until("the second start to end", Duration::from_secs(30), || second.try_wait().unwrap());
        assert!(status.success(), "{status}");
    };
    start("amulet:inbox");
    at(window, "#/inbox").await;
    start("amulet:approve/everything");
    window.see("app-link").await;
    at(window, "#/inbox").await;
    window.press("app-link-dismiss").await;
    window.gone("app-link").await;
}

async fn at(window: &Browser, place: &str) {
    wait::until_async(place, Duration::from_secs(20), || async {
        (window.script("return location.hash").await == place).then_some(())
    })
    .await;
}

/// The page asks its own process, not a server.
async fn answers_the_bridge(window: &Browser) {
    let script = r#"
        const done = arguments[arguments.length - 1];
        window.__TAURI__.core.invoke('amulet', { request: { call: 'status', with: {} } })
            .then((status) => done({ status }), (error) => done({ error: String(error && error.code || error) }));
    "#;
    let answer = window.client().execute_async(script, vec![]).await.unwrap();
    assert_eq!(answer["status"]["hospitals"].as_array().map(Vec::len), Some(4), "{answer}");
    let script = r#"
        const done = arguments[arguments.length - 1];
        window.__TAURI__.core.invoke('plugin:deep-link|get_current')
            .then(() => done('allowed'), () => done('refused'));
    "#;
    let answer = window.client().execute_async(script, vec![]).await.unwrap();
    assert_eq!(answer, "refused", "the page may call the one command and nothing else");
}

//! Every page, in both languages, on a phone, a tablet and a desk, in light and dark: a picture of each, nothing for axe-core to
//! find, nothing wider than the screen, nothing too small for a finger, and no loss with text at 200 %.

#![allow(clippy::unwrap_used)]

mod look;
mod things;

use amulet_tests::e2e::{Browser, Driver, Screen, Setup, web_pages};
use amulet_tests::localnet::{Localnet, Options};
use amulet_tests::{run, step};
use look::{Findings, Look};

/// How the pages are looked at: each language, each size and each colour scheme at least once.
const LOOKS: [Look; 4] = [
    Look { name: "phone-en", language: "en", screen: Screen::Phone, dark: false },
    Look { name: "phone-zh", language: "zh-CN", screen: Screen::Phone, dark: false },
    Look { name: "tablet-zh-dark", language: "zh-CN", screen: Screen::Tablet, dark: true },
    Look { name: "desktop-en-dark", language: "en", screen: Screen::Desktop, dark: true },
];

#[test]
fn every_page_can_be_used_by_everybody() {
    let Some(axe) = look::axe() else { return };
    let net = Localnet::start_with(&Options { web: Some(web_pages()) });
    run(async {
        step("things happen, so that the pages have something to show");
        let things = things::happen(&net).await;
        let driver = Driver::chromium();
        let mut findings = Findings::new(&axe);
        for look in LOOKS {
            step(look.name);
            let browser = open(&driver, &net, &look).await;
            for page in things::FOR_ANYBODY {
                findings.look_at(&browser, &look, page, page).await;
            }
            open_demo(&browser, &net, "wang-fang").await;
            findings.look_at(&browser, &look, "unlocked", "/home").await;
            for (name, path) in things.of_the_patient() {
                findings.look_at(&browser, &look, name, &path).await;
            }
            things::lives_simply(&browser).await;
            findings.look(&browser, &look, "home-simple").await;
            things::lives_as_before(&browser).await;
            things.makes_sheets(&browser, net.passphrase()).await;
            findings.look(&browser, &look, "guardian-sheets").await;
            things.compares_digits(&browser).await;
            findings.look(&browser, &look, "move-compare").await;
            browser.close().await;
            let browser = open(&driver, &net, &look).await;
            open_demo(&browser, &net, "dr-zhao").await;
            for (name, path) in things.of_the_clinician() {
                findings.look_at(&browser, &look, name, &path).await;
            }
            things.breaks_the_glass(&browser).await;
            findings.look(&browser, &look, "declare").await;
            things.declares(&browser).await;
            findings.look(&browser, &look, "emergency").await;
            browser.close().await;
        }
        findings.none();
    });
}

async fn open(driver: &Driver, net: &Localnet, look: &Look) -> Browser {
    let setup =
        Setup { language: Some(look.language), screen: look.screen, dark: look.dark, ..Setup::default() };
    let browser = Browser::chromium(driver, look.name, &setup).await;
    browser.go(&net.web()).await;
    browser.see("create-wallet").await;
    browser
}

async fn open_demo(browser: &Browser, net: &Localnet, id: &str) {
    browser.script("location.hash = '/'").await;
    browser.press(&format!("demo-{id}")).await;
    browser.write("passphrase", net.passphrase()).await;
    browser.press("unlock").await;
    browser.see("person").await;
}

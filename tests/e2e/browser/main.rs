//! The whole path in Chromium, at the size of a phone: three people, three browsers, a real camera picture.

#![allow(clippy::unwrap_used)]

mod access;
mod card;
mod checkpoint;
mod emergency;
mod hostile;
mod offline;
mod records;
mod start;

use amulet_tests::e2e::{Browser, Driver, Setup, web_pages};
use amulet_tests::localnet::{Localnet, Options};
use amulet_tests::{run, step};

#[test]
fn the_whole_path_by_hand() {
    let web = Options { web: Some(web_pages()) };
    let mut net = Localnet::start_with(&web);
    run(async {
        let driver = Driver::chromium();
        let wang = open(&driver, &net, "1-patient", &Setup::default()).await;
        step("1. a wallet is created by hand");
        start::creates_a_wallet(&wang, &net).await;
        step("2. the demonstration's patient sees her records");
        start::a_wrong_word_is_named(&wang).await;
        start::opens_demo(&wang, &net, "wang-fang").await;
        records::seen_searched_and_proven(&wang).await;
        step("3. she makes an emergency card");
        let card = card::made(&wang).await;
        step("4. Dr Zhao scans it, declares, and reads");
        let zhao = Setup { film: Some(&card.film), language: Some("zh-CN"), ..Setup::default() };
        let zhao = open(&driver, &net, "2-zhao", &zhao).await;
        emergency::scanned_declared_read(&zhao, &net).await;
        zhao.close().await;
        step("5. Dr Chen asks, she grants, he reads, she changes it and takes it back, he deletes");
        let chen = open(&driver, &net, "3-chen", &Setup::default()).await;
        access::asked(&chen, &net, &wang).await;
        access::granted(&wang).await;
        access::read(&chen).await;
        access::changed(&wang, &chen).await;
        access::read_for_the_last_time(&chen).await;
        access::taken_back(&wang).await;
        access::refused(&chen, &card).await;
        access::deleted(&chen, &wang).await;
        access::once(&chen, &wang).await;
        chen.close().await;
        step("6. her log shows it all");
        access::log_with_proofs(&wang).await;
        step("7. she saves a proof, and compares with another device");
        checkpoint::proof_is_saved(&wang).await;
        checkpoint::compared(&wang).await;
        step("8. no hospital answers: the pages open all the same, and the card is there");
        offline::pages_are_kept(&wang).await;
        net.stop();
        offline::card_is_shown(&wang, &net, &card).await;
        net.start_again(&web);
        offline::comes_back(&wang, &net).await;
        card::revoked(&wang).await;
        start::locks(&wang).await;
        wang.close().await;
    });
}

async fn open(driver: &Driver, net: &Localnet, name: &str, setup: &Setup<'_>) -> Browser {
    let browser = Browser::chromium(driver, name, setup).await;
    browser.go(&net.web()).await;
    browser
}

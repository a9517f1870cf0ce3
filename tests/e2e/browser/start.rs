//! Step 1, opening and locking, and both languages.

use crate::hostile;
use amulet_tests::e2e::Browser;
use amulet_tests::localnet::Localnet;
use amulet_tests::samples::Sample;
use amulet_tests::wallet::PASSPHRASE;

/// Words shown, some typed back, a passphrase that the meter accepts, done; then records arrive, and the wallet is locked.
pub async fn creates_a_wallet(browser: &Browser, net: &Localnet) {
    browser.see("create-wallet").await;
    browser.shot("welcome-en").await;
    both_languages(browser).await;
    browser.press("create-wallet").await;
    browser.choose("words-en").await;
    let words = words(browser).await;
    browser.shot("words").await;
    browser.press("words-written").await;
    types_the_words_back(browser, &words).await;
    browser.shot("owner").await;
    browser.write("owner-name", "Lin Hua").await;
    browser.choose("hospital-2").await;
    browser.press("owner-continue").await;
    chooses_a_passphrase(browser).await;
    browser.see("open-wallet").await;
    browser.shot("created").await;
    browser.press("open-wallet").await;
    browser.see("home-card").await;
    browser.shot("home-empty").await;
    records_arrive(browser, net).await;
    locks(browser).await;
}

async fn both_languages(browser: &Browser) {
    let english = browser.all_text().await;
    browser.press("language-switch").await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let chinese = loop {
        let text = browser.all_text().await;
        if text != english || std::time::Instant::now() > deadline {
            break text;
        }
    };
    assert!(chinese.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count() > 40, "{chinese}");
    browser.shot("welcome-zh").await;
    browser.press("language-switch").await;
}

async fn words(browser: &Browser) -> Vec<String> {
    let mut words = Vec::new();
    for position in 1..=12 {
        let item = browser.see_css(&format!("[data-testid='word-{position}'] .word")).await;
        words.push(item.text().await.unwrap());
    }
    assert!(words.iter().all(|word| word.is_ascii() && !word.is_empty()), "{words:?}");
    words
}

async fn types_the_words_back(browser: &Browser, words: &[String]) {
    browser.see("words-check").await;
    let mut asked = Vec::new();
    for position in 1..=12 {
        if browser.has(&format!("word-answer-{position}")).await {
            asked.push(position);
        }
    }
    assert!(asked.len() >= 2, "some words are asked for: {asked:?}");
    for position in &asked {
        browser.write(&format!("word-answer-{position}"), "wrong").await;
    }
    browser.press("words-check").await;
    browser.see_css(".complaint span").await;
    browser.shot("words-wrong").await;
    for position in &asked {
        browser.write(&format!("word-answer-{position}"), &words[position - 1]).await;
    }
    browser.press("words-check").await;
    browser.see("owner-continue").await;
}

async fn chooses_a_passphrase(browser: &Browser) {
    browser.write("passphrase", "1234").await;
    browser.see_css("[data-testid='strength'][data-score='0'] .strong").await;
    browser.shot("passphrase-weak").await;
    browser.write("passphrase", PASSPHRASE).await;
    browser.see_css("[data-testid='strength'][data-score='4'] .strong, [data-testid='strength'][data-score='3'] .strong").await;
    browser.write("passphrase-again", PASSPHRASE).await;
    browser.shot("passphrase-strong").await;
    browser.press("passphrase-submit").await;
}

/// The hospital takes a file in for the person of this browser; the page finds it by itself.
async fn records_arrive(browser: &Browser, net: &Localnet) {
    browser.press("home-code").await;
    let did = browser.text("my-code-text").await;
    browser.shot("my-code").await;
    let sample = Sample::james_miller();
    net.hospital(2).must_take_in(did.trim(), &sample.bundle);
    browser.press("nav-records").await;
    browser.see("record-line").await;
    assert_eq!(browser.count("record-line").await, sample.records.len());
    hostile::record_does_nothing(browser, net, did.trim()).await;
}

/// The wallet is locked; the first page lists it.
pub async fn locks(browser: &Browser) {
    browser.press("person").await;
    browser.see("lock").await;
    browser.shot("settings").await;
    browser.press("lock").await;
    browser.see("create-wallet").await;
}

/// Restoring with a word that is in no list names the word.
pub async fn a_wrong_word_is_named(browser: &Browser) {
    browser.press("restore-wallet").await;
    let words = "zebra zoo abandon ability able about above absent absorb abstract absurd abusee";
    browser.write("recovery-words", words).await;
    browser.press("restore-continue").await;
    assert_eq!(browser.error_code().await, "word_unknown");
    let said = browser.error().await.unwrap();
    assert!(said.contains("abusee") && said.contains("12"), "{said}");
    browser.shot("restore-wrong-word").await;
    browser.press("step-back").await;
}

/// Copies a person of the demonstration here and opens the wallet, after a wrong passphrase was refused.
pub async fn opens_demo(browser: &Browser, net: &Localnet, id: &str) {
    browser.press(&format!("demo-{id}")).await;
    browser.write("passphrase", "not this one").await;
    browser.press("unlock").await;
    assert_eq!(browser.error_code().await, "wrong_passphrase");
    browser.shot("unlock-wrong").await;
    browser.write("passphrase", net.passphrase()).await;
    browser.press("unlock").await;
    browser.see("person").await;
}

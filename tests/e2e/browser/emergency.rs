//! Step 4: what a clinician sees of a card before the declaration, and after it.

use crate::start::opens_demo;
use amulet_tests::e2e::Browser;
use amulet_tests::localnet::Localnet;

/// The camera reads the card by itself; the summary opens after the declaration, allergies first.
pub async fn scanned_declared_read(browser: &Browser, net: &Localnet) {
    opens_demo(browser, net, "dr-zhao").await;
    let facts = browser.text("offline-facts").await;
    assert!(facts.contains("青霉素"), "{facts}");
    browser.see("facts-signed").await;
    assert!(!browser.has("summary").await);
    browser.shot("declare").await;
    browser.press("declare").await;
    browser.see_css(".complaint span").await;
    browser.choose("reason-unconscious").await;
    browser.write("note", "found at the station").await;
    browser.press("declare").await;
    browser.see("summary").await;
    browser.shot("summary").await;
    let first = browser.see_css("[data-testid='summary'] > :first-child").await;
    assert_eq!(first.attr("data-testid").await.unwrap().as_deref(), Some("section-allergies"));
    let allergies = first.text().await.unwrap();
    let place = |word: &str| allergies.find(word).unwrap_or_else(|| panic!("{word} in {allergies}"));
    assert!(place("青霉素") < place("海虾"), "the dangerous one first: {allergies}");
    assert!(browser.text("section-allergies").await.contains("青霉素"));
    browser.see("entry-critical").await;
    browser.see("time-left").await;
    browser.press("proof").await;
    browser.shot("summary-proof").await;
    browser.press("nav-accesses").await;
    browser.see("open-emergency").await;
    browser.shot("accesses").await;
}

//! Step 2: the timeline, one record, and its proof.

use amulet_tests::e2e::Browser;

const RECORDS: usize = 32;

/// All records are there, can be filtered and searched, and one opens with its proof.
pub async fn seen_searched_and_proven(browser: &Browser) {
    browser.see("home-all-records").await;
    browser.shot("home").await;
    browser.press("nav-records").await;
    browser.see("record-line").await;
    assert_eq!(browser.count("record-line").await, RECORDS);
    browser.shot("records").await;
    browser.press("chip-allergies").await;
    browser.see_css("[data-testid='chip-allergies'][aria-pressed='true']").await;
    assert_eq!(browser.count("record-line").await, 2);
    browser.press("chip-all").await;
    browser.write("records-search", "青霉素").await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while browser.count("record-line").await > 5 {
        assert!(std::time::Instant::now() < deadline, "the search narrows the list");
    }
    browser.shot("records-search").await;
    browser.press("record-line").await;
    assert!(browser.text("record-facts").await.len() > 20);
    browser.press("proof").await;
    browser.see_css("[data-testid='proof'][open] .checks li").await;
    let proof = browser.text("proof").await;
    assert!(proof.contains("of 4"), "how many hospitals signed: {proof}");
    browser.shot("record").await;
    browser.press("record-source").await;
    let source = browser.text("record-source").await;
    assert!(source.contains("resourceType") && source.contains("青霉素"), "{source}");
    browser.press("back").await;
    browser.see("records-count").await;
}

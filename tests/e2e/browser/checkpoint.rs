//! Step 7: a proof is saved as a file, and the ten words of this device are compared.

use amulet_tests::e2e::Browser;

/// A line of the log as a file: the page says what it is called and that the browser has it.
pub async fn proof_is_saved(browser: &Browser) {
    browser.press("nav-log").await;
    browser.press("log-line").await;
    browser.press("save-proof").await;
    browser.press("save-proof-file").await;
    let saved = browser.text("saved-file").await;
    assert!(saved.contains(".amuletproof"), "{saved}");
    browser.shot("proof-saved").await;
}

/// Her own words are the same; a misspelt one is named with the word that was meant, another one is found.
pub async fn compared(browser: &Browser) {
    browser.press("person").await;
    browser.press("checkpoint-line").await;
    let number = browser.text("checkpoint-height").await;
    browser.see("checkpoint-shown").await;
    browser.shot("checkpoint").await;
    let mut words = Vec::new();
    for position in 1..=10 {
        let css = format!("[data-testid='checkpoint-shown'] li:nth-child({position}) .word");
        words.push(browser.see_css(&css).await.text().await.unwrap());
    }
    browser.press("checkpoint-compare").await;
    browser.write("checkpoint-number", number.trim()).await;
    browser.write("checkpoint-words", &words.join(" ")).await;
    browser.press("checkpoint-submit").await;
    browser.see_css("[data-found='comparison-same']").await;
    browser.shot("compared-same").await;
    let asked = words[2].clone();
    "abondon".clone_into(&mut words[2]);
    browser.write("checkpoint-words", &words.join(" ")).await;
    browser.press("checkpoint-submit").await;
    assert_eq!(browser.error_code().await, "checkpoint_word");
    let said = browser.error().await.unwrap();
    assert!(said.contains("abondon") && said.contains('3'), "{said}");
    words[2] = if asked.is_ascii() { "zoo" } else { "的" }.to_owned();
    if words[2] == asked {
        words[2] = if asked.is_ascii() { "zone" } else { "一" }.to_owned();
    }
    browser.write("checkpoint-words", &words.join(" ")).await;
    browser.press("checkpoint-submit").await;
    browser.see_css("[data-found='comparison-word']").await;
    browser.shot("compared-different").await;
}

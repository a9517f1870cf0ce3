//! Step 3: the card on screen and on paper, and a film of it.

use amulet_tests::e2e::{Browser, film_of_qr};
use std::path::PathBuf;

/// What a card gives to others.
pub struct Card {
    /// Somebody holds it in front of a camera.
    pub film: PathBuf,
    /// What can be typed.
    pub typed: String,
    _folder: tempfile::TempDir,
}

/// She makes a card with a fact of her own, looks at it, and at the page to print.
pub async fn made(browser: &Browser) -> Card {
    browser.press("nav-card").await;
    browser.press("make-card").await;
    browser.see("card-submit").await;
    browser.see_css("[data-testid='fact-1']").await;
    browser.shot("card-make").await;
    browser.press("add-fact").await;
    browser.write("fact-text", "女儿 138-5550-0199").await;
    browser.press("fact-add").await;
    assert!(browser.text("card-preview").await.contains("138-5550-0199"));
    browser.shot("card-make-own-fact").await;
    browser.press("card-submit").await;
    browser.see("card").await;
    let facts = browser.text("card-facts").await;
    assert!(facts.contains("青霉素") && facts.contains("138-5550-0199"), "{facts}");
    browser.shot("card").await;
    let typed = browser.text("typed-code").await;
    let svg = browser.see_css("[data-testid='qr'] svg").await.html(false).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("card.y4m");
    film_of_qr(&svg, &film);
    browser.press("print-card").await;
    let paper = browser.text("paper").await;
    assert!(paper.contains("青霉素"), "{paper}");
    browser.shot("card-print").await;
    browser.press("back").await;
    browser.see("card").await;
    Card { film, typed: typed.trim().to_owned(), _folder: folder }
}

/// She makes the card worthless.
pub async fn revoked(browser: &Browser) {
    browser.press("nav-card").await;
    browser.press("revoke-card").await;
    browser.see("confirm-revoke-card-keep").await;
    browser.shot("card-revoke").await;
    browser.press("confirm-revoke-card-confirm").await;
    browser.see("make-card").await;
}

//! Step 8: every hospital is away; the browser has the pages, and the wallet the card.

use crate::card::Card;
use amulet_tests::e2e::Browser;
use amulet_tests::localnet::Localnet;
use amulet_tests::wait;
use std::time::Duration;

/// The pages are kept after they have started, which fetches them once more.
const KEPT_WITHIN: Duration = Duration::from_secs(30);

/// The paths in the one whole set of the service worker; nothing before there is one.
const KEPT_PATHS: &str = "return (async () => {
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        if (await cache.match('/complete')) return (await cache.keys()).map((kept) => new URL(kept.url).pathname);
    }
    return [];
})()";

/// The service worker has one whole set, of nothing but pages.
pub async fn pages_are_kept(browser: &Browser) {
    let kept = wait::until_async("the pages to be kept", KEPT_WITHIN, || async {
        let paths = browser.script(KEPT_PATHS).await;
        let paths =
            paths.as_array()?.iter().map(|path| path.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        (!paths.is_empty()).then_some(paths)
    });
    let kept = kept.await;
    for file in ["/", "/amulet-ui_bg.wasm", "/network.json", "/assets/boot.js"] {
        assert!(kept.iter().any(|path| path == file), "{file} is not among {kept:?}");
    }
    assert!(!kept.iter().any(|path| path.starts_with("/api") || path.starts_with("/demo")), "{kept:?}");
}

/// The page is loaded anew with nobody there.
pub async fn card_is_shown(browser: &Browser, net: &Localnet, card: &Card) {
    opens_anew(browser, net).await;
    browser.press("nav-card").await;
    browser.see("card").await;
    assert_eq!(browser.text("typed-code").await.trim(), card.typed);
    browser.shot("offline-card").await;
}

/// The hospitals are there again, and so is everything else.
pub async fn comes_back(browser: &Browser, net: &Localnet) {
    opens_anew(browser, net).await;
    browser.press("nav-records").await;
    browser.see("record-line").await;
}

/// Her wallet is the oldest on this device, and so the first in the list.
async fn opens_anew(browser: &Browser, net: &Localnet) {
    browser.script("location.hash = '/'; location.reload()").await;
    browser.press_css("[data-testid^='wallet-']").await;
    browser.write("passphrase", net.passphrase()).await;
    browser.press("unlock").await;
    browser.see("person").await;
}

//! A record whose texts are scripts: they are shown as what they are, and do nothing.

use amulet_tests::e2e::Browser;
use amulet_tests::localnet::Localnet;
use amulet_tests::wait;
use serde_json::{Value, json};
use std::time::Duration;

/// Two rounds of asking for news.
const FOUND_WITHIN: Duration = Duration::from_secs(40);
/// A script that is let run runs at once.
const HARM_WITHIN: Duration = Duration::from_millis(500);

const HARM: &str = "<img src=x onerror=\"window.harmed=1\"><script>window.harmed=1</script><a href=\"javascript:window.harmed=1\">x</a>";

fn bundle() -> Vec<u8> {
    let (subject, code) = (json!({ "reference": "Patient/harm" }), json!({ "text": HARM }));
    let resources = [
        json!({ "resourceType": "Patient", "id": "harm", "name": [{ "text": HARM }] }),
        json!({ "resourceType": "Condition", "id": "harm-1", "subject": subject, "code": code, "note": [{ "text": HARM }] }),
        json!({ "resourceType": "Observation", "id": "harm-2", "status": "final", "subject": subject, "code": code, "valueString": HARM }),
        json!({
            "resourceType": "AllergyIntolerance", "id": "harm-3", "patient": subject, "code": code,
            "text": { "status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{HARM}</div>") },
        }),
    ];
    let entries: Vec<Value> = resources.into_iter().map(|resource| json!({ "resource": resource })).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string().into_bytes()
}

/// Lines of the list that show the text.
const LINES: &str = "[...document.querySelectorAll(\"[data-testid='record-line']\")].filter((line) => line.textContent.includes('onerror'))";

/// The hospital takes it in, and every page of it is opened.
pub async fn record_does_nothing(browser: &Browser, net: &Localnet, did: &str) {
    net.hospital(2).must_take_in(did, &bundle());
    let count = wait::until_async("the page to find them by itself", FOUND_WITHIN, || async {
        browser.script(&format!("return {LINES}.length")).await.as_u64().filter(|count| *count >= 3)
    });
    for place in 0..count.await {
        browser.script(&format!("{LINES}[{place}].click()")).await;
        browser.see("record-story").await;
        assert!(browser.all_text().await.contains("onerror"), "the text is shown as what it is");
        browser.shot("hostile-record").await;
        browser.press("back").await;
        browser.see("record-line").await;
    }
    // Nor does a script that got into the page by some other way.
    let inject = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.harmed=1\">')";
    browser.script(inject).await;
    tokio::time::sleep(HARM_WITHIN).await;
    assert_eq!(browser.script("return window.harmed ?? null").await, Value::Null);
}

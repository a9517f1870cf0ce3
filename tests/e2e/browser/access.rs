//! Steps 5 and 6: asking, granting, reading, taking back, and the log of it all.

use crate::card::Card;
use crate::start::opens_demo;
use amulet_tests::e2e::Browser;
use amulet_tests::localnet::Localnet;

/// Dr Chen asks for allergies and medicines, by the code that the patient shows.
pub async fn asked(chen: &Browser, net: &Localnet, patient: &Browser) {
    patient.press("nav-home").await;
    patient.press("home-code").await;
    let did = patient.text("my-code-text").await;
    opens_demo(chen, net, "dr-chen").await;
    chen.see("no-camera").await;
    chen.shot("scan-without-camera").await;
    chen.write("typed-code", "not a code of ours").await;
    chen.press("read-code").await;
    assert_eq!(chen.error_code().await, "code_not_ours");
    chen.shot("scan-not-ours").await;
    chen.press("nav-ask").await;
    chen.write("patient-code", did.trim()).await;
    chen.press("find-patient").await;
    chen.see("patient-found").await;
    chen.press("ask-submit").await;
    chen.see_css(".complaint span").await;
    chen.choose("category-allergies").await;
    chen.choose("category-medicines").await;
    chen.choose("purpose-treatment").await;
    chen.shot("ask").await;
    chen.press("ask-submit").await;
    chen.see("ask-sent").await;
    chen.shot("ask-sent").await;
}

/// She hears of the emergency and of the request, sees exactly what it opens, and grants all but one record.
pub async fn granted(patient: &Browser) {
    patient.press("nav-home").await;
    patient.see("emergency-alert").await;
    patient.see("request-alert").await;
    patient.shot("home-alerts").await;
    patient.press("request-alert").await;
    let sentence = patient.text("request-sentence").await;
    assert!(sentence.contains("Dr Chen"), "{sentence}");
    patient.shot("request").await;
    patient.press("exposed-allergies").await;
    let exposed = patient.text("exposure").await;
    assert!(exposed.contains("青霉素"), "{exposed}");
    patient.press_first_tick("exposed-allergies").await;
    patient.shot("request-left-out").await;
    patient.press("grant").await;
    patient.see("answered").await;
    patient.shot("granted").await;
    patient.press("to-sharing").await;
    patient.see("active-share").await;
    patient.shot("sharing").await;
}

/// Dr Chen reads; that the reading is recorded is said before anything is shown.
pub async fn read(chen: &Browser) {
    chen.press("nav-accesses").await;
    chen.see("access-active").await;
    chen.shot("accesses").await;
    chen.press("open-access").await;
    chen.see("reading-count").await;
    let records = chen.count("record-line").await;
    assert!(records >= 2, "{records}");
    chen.shot("reading").await;
    chen.press("record-line").await;
    chen.see("record-facts").await;
    chen.shot("reading-record").await;
    chen.press("back-to-list").await;
    chen.see("reading-count").await;
}

/// She pauses it, lets it go on for a week longer, and closes the medicines but for one more reading of the rest.
pub async fn changed(patient: &Browser, chen: &Browser) {
    patient.press("nav-sharing").await;
    patient.press("pause").await;
    patient.see("paused-share").await;
    says(patient, "Paused").await;
    chen.press("nav-accesses").await;
    chen.see("access-paused").await;
    assert!(!chen.has("open-access").await);
    patient.press("resume").await;
    patient.gone("paused-share").await;
    patient.press("extend").await;
    patient.choose("extend-week").await;
    patient.shot("extend").await;
    patient.press("extend-confirm").await;
    patient.gone("extend-dialog").await;
    says(patient, "until").await;
    patient.press("open-less").await;
    patient.press("exposed-medicines").await;
    patient.press("all-medicines").await;
    patient.choose("fewer-once").await;
    let preview = patient.text("narrow-preview").await;
    assert!(!preview.contains("medicines") && preview.contains("allergies"), "{preview}");
    patient.shot("narrow").await;
    patient.press("narrow").await;
    patient.see("confirm-narrow-keep").await;
    patient.shot("narrow-confirm").await;
    patient.press("confirm-narrow-confirm").await;
    patient.see("narrowed").await;
    patient.press("to-sharing").await;
    patient.see("active-share").await;
}

/// What was just done stands on the page and has the focus: the button that did it may be gone.
async fn says(patient: &Browser, what: &str) {
    let said = patient.text("share-said").await;
    assert!(said.contains(what), "{said}");
    let focused = patient.script("return document.activeElement.getAttribute('data-testid')").await;
    assert_eq!(focused, "share-said");
}

/// He reads what is left, the one time that is left.
pub async fn read_for_the_last_time(chen: &Browser) {
    chen.press("nav-accesses").await;
    chen.press("open-access").await;
    chen.see("reading-count").await;
    assert_eq!(chen.count("record-line").await, 1, "one of two allergies, and no medicines");
    chen.shot("reading-narrowed").await;
}

/// He owes a receipt, signs it, and she sees that he did.
pub async fn deleted(chen: &Browser, patient: &Browser) {
    chen.press("nav-accesses").await;
    chen.press("receipt-sign").await;
    chen.see("confirm-receipt-keep").await;
    chen.shot("receipt").await;
    chen.press("confirm-receipt-confirm").await;
    chen.gone("receipt-sign").await;
    patient.press("nav-home").await;
    patient.press("nav-sharing").await;
    patient.press_css("[data-testid='ended-shares'] > summary").await;
    let deletion = patient.text("share-deletion").await;
    assert!(deletion.contains("signed"), "{deletion}");
    patient.shot("sharing-deleted").await;
}

/// A second request, which she answers for one reading only.
pub async fn once(chen: &Browser, patient: &Browser) {
    patient.press("nav-home").await;
    patient.press("home-code").await;
    let did = patient.text("my-code-text").await;
    chen.press("nav-ask").await;
    chen.write("patient-code", did.trim()).await;
    chen.press("find-patient").await;
    chen.see("patient-found").await;
    chen.choose("category-allergies").await;
    chen.choose("purpose-treatment").await;
    chen.press("ask-submit").await;
    chen.see("ask-sent").await;
    patient.press("nav-home").await;
    patient.press("request-alert").await;
    patient.see("request-sentence").await;
    patient.choose("only-once").await;
    patient.press("grant").await;
    patient.see("answered").await;
    chen.press("nav-accesses").await;
    chen.press("open-access").await;
    chen.see("reading-count").await;
    patient.press("to-sharing").await;
    let share = patient.text("active-share").await;
    assert!(share.contains("Read 1 of 1 times"), "{share}");
}

/// She takes it back; nothing is open any more.
pub async fn taken_back(patient: &Browser) {
    patient.press("nav-sharing").await;
    patient.press("take-back").await;
    patient.see("confirm-take-back-keep").await;
    patient.shot("take-back").await;
    patient.press("confirm-take-back-confirm").await;
    patient.see("no-active-shares").await;
}

/// Dr Chen's list says so, and going back to the records does not open them again.
pub async fn refused(chen: &Browser, card: &Card) {
    let reading = chen.client().current_url().await.unwrap();
    chen.press("nav-accesses").await;
    chen.see("access-revoked").await;
    assert!(!chen.has("open-access").await);
    chen.shot("accesses-revoked").await;
    chen.client().back().await.unwrap();
    assert_eq!(chen.error_code().await, "grant_ended");
    assert_eq!(chen.client().current_url().await.unwrap(), reading);
    assert_eq!(chen.count("record-line").await, 0);
    chen.shot("reading-refused").await;
    // A typed code has no facts of its own, and opens nothing without a declaration.
    chen.press("nav-scan").await;
    chen.write("typed-code", &card.typed.to_lowercase()).await;
    chen.press("read-code").await;
    chen.see("declare").await;
    assert!(!chen.has("offline-facts").await && !chen.has("summary").await);
    chen.shot("declare-typed").await;
}

/// Every line of the log, each with a proof that opens.
pub async fn log_with_proofs(patient: &Browser) {
    patient.press("nav-log").await;
    patient.see("log-complete").await;
    patient.see("log-line-emergency").await;
    let lines = patient.count("log-line").await + patient.count("log-line-emergency").await;
    // Registered, records, card, emergency; asked, granted, read, paused, resumed, extended, narrowed, read, taken back, deleted;
    // asked, granted, read.
    assert_eq!(lines, 17, "{}", patient.all_text().await);
    let said = patient.all_text().await;
    assert!(said.contains("Access of Dr Chen"), "whose access was changed: {said}");
    patient.shot("log").await;
    patient.press("log-line-emergency").await;
    patient.see("log-headline").await;
    patient.see_css("[data-testid='proof'][open] .checks li").await;
    let said = patient.all_text().await;
    assert!(said.contains("found at the station"), "the note for her alone: {said}");
    assert!(said.contains("of 4"), "{said}");
    patient.shot("log-emergency-proof").await;
    patient.press("back").await;
    patient.press("log-line").await;
    patient.see_css("[data-testid='proof'][open] .checks li").await;
    patient.shot("log-proof").await;
    patient.press("language-switch").await;
    patient.press("nav-log").await;
    patient.see("log-complete").await;
    patient.shot("log-zh").await;
    patient.press("nav-home").await;
    patient.see("home-card").await;
    patient.shot("home-zh").await;
}

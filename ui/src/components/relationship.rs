//! As whose patient something concerns the person: each hospital knows them under another identity.

use crate::app::use_app;
use crate::i18n::{Translator, tr, use_translator};
use amulet_app_api::wallet::HospitalView;
use dioxus::prelude::*;

/// The hospital, while the person deals with more than one; nothing otherwise.
#[component]
pub fn AsPatientOf(hospital: HospitalView) -> Element {
    let app = use_app();
    let t = use_translator();
    let several = app.session.read().as_ref().is_some_and(|session| session.relationships.len() > 1);
    if !several {
        return rsx! {};
    }
    rsx! {
        span { class: "small soft block", "data-testid": "as-patient-of", {tr!(t, "as-patient-of", hospital = t.hospital(&hospital))} }
    }
}

/// Hospitals in a sentence.
pub fn hospitals(t: Translator, hospitals: &[HospitalView]) -> String {
    t.list(&hospitals.iter().map(|hospital| t.hospital(hospital)).collect::<Vec<_>>())
}

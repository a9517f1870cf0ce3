//! What was checked: a small badge, the same everywhere, that opens to plain words and then to the technical layer.

use crate::app::use_app;
use crate::components::error::sentence;
use crate::components::icon::{Glyph, Icon};
use crate::hooks::use_now;
use crate::i18n::{tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::access::ProofView;
use amulet_app_api::wallet::{CheckedView, TimeMs};
use amulet_app_api::{ApiError, ErrorCode};
use dioxus::prelude::*;

/// Older than this a check is shown as old.
const OLD_AFTER_MS: u64 = 10 * 60 * 1000;

/// How often a badge's age is renewed.
const AGE_EVERY_MS: u32 = 15_000;

/// How many of `total` hospitals must sign something new: more than two thirds, all but those that may fail.
fn quorum(total: u16) -> u16 {
    total - total.saturating_sub(1) / 3
}

/// How the last check stands now; each has one colour, one icon and one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Fresh, and enough hospitals agree for anything new.
    Good,
    /// Fresh, and all that were asked agree; the others were not asked, to spare a metered link.
    Spared,
    /// Fresh, but too few hospitals agree for anything new.
    Few,
    /// Some time ago, or the newest attempt failed.
    Old,
    /// There was no check yet.
    Never,
    /// Hospitals contradict each other, or an answer that was needed failed a check.
    Danger,
}

impl Standing {
    /// The sentence's key.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Good => "checked-good",
            Self::Spared => "checked-spared",
            Self::Few => "checked-few",
            Self::Old | Self::Danger => "checked-old",
            Self::Never => "checked-never",
        }
    }
}

/// How a check stands, given why the newest attempt failed, if it did.
pub fn standing(checked: Option<&CheckedView>, trouble: Option<&ApiError>, now: TimeMs) -> Standing {
    let is_lie = |error: &ApiError| matches!(error.code, ErrorCode::Disagreement | ErrorCode::Forged);
    if trouble.is_some_and(is_lie) {
        return Standing::Danger;
    }
    let Some(checked) = checked else { return Standing::Never };
    // A check dated after now was made while this device's clock was another.
    let is_old = now.abs_diff(checked.checked_at) > OLD_AFTER_MS;
    match (is_old || trouble.is_some(), checked.agreeing >= quorum(checked.total)) {
        (true, _) => Standing::Old,
        (false, true) => Standing::Good,
        (false, false) if checked.asked < checked.total => Standing::Spared,
        (false, false) => Standing::Few,
    }
}

/// "Checked: 4 of 4 hospitals agree, a minute ago".
#[component]
pub fn CheckedBadge(checked: Option<CheckedView>) -> Element {
    let t = use_translator();
    let app = use_app();
    let now = use_now(AGE_EVERY_MS);
    let trouble = app.check_error.read().clone();
    let standing = standing(checked.as_ref(), trouble.as_ref(), now());
    let trouble = trouble.map(|error| sentence(t, &error));
    let Some(checked) = checked else {
        return rsx! {
            p { class: "badge wait", role: "status", "data-testid": "checked",
                Glyph { icon: Icon::Clock, size: 18 }
                span { {trouble.unwrap_or_else(|| tr!(t, "checked-never"))} }
            }
        };
    };
    let (class, icon) = match standing {
        Standing::Good | Standing::Spared => ("badge good", Icon::Check),
        Standing::Few | Standing::Old | Standing::Never => ("badge wait", Icon::Clock),
        Standing::Danger => ("badge danger", Icon::Warning),
    };
    let ago = t.ago(checked.checked_at, now());
    let unreachable: Vec<String> = checked.unreachable.iter().map(|hospital| t.hospital(hospital)).collect();
    rsx! {
        details { class, "data-testid": "checked",
            summary {
                Glyph { icon, size: 18 }
                span { {t.text(standing.sentence(), &[("agreeing", checked.agreeing.into()), ("total", checked.total.into()), ("ago", ago.into())])} }
            }
            div { class: "badge-more stack tight",
                p { {tr!(t, "checked-meaning")} }
                if let Some(trouble) = trouble {
                    p { class: "strong", {trouble} }
                }
                if !unreachable.is_empty() {
                    p { {tr!(t, "checked-unreachable", hospitals = t.list(&unreachable))} }
                }
                Link { class: "strong", to: Route::CheckingPage {}, "data-testid": "how-checked", {tr!(t, "checking-how")} }
            }
        }
    }
}

/// The small mark on a line whose proof was checked.
#[component]
pub fn ProvenMark() -> Element {
    let t = use_translator();
    rsx! {
        span { class: "mark good",
            Glyph { icon: Icon::Check, size: 16 }
            {tr!(t, "proven")}
        }
    }
}

/// A proof: one sentence, each check in plain words, and the technical layer below.
#[component]
pub fn ProofPanel(proof: ProofView, #[props(default)] open: bool) -> Element {
    let t = use_translator();
    let signers: Vec<String> = proof.signers.iter().map(|hospital| t.hospital(hospital)).collect();
    rsx! {
        details { class: "badge good", "data-testid": "proof", open,
            summary {
                Glyph { icon: Icon::Check, size: 18 }
                span { {tr!(t, "proof-sentence", signed = proof.signed, total = proof.total)} }
            }
            div { class: "badge-more stack",
                p { {tr!(t, "proof-plain", block = proof.height, time = t.date_time(proof.at), signed = proof.signed, total = proof.total)} }
                h2 { {tr!(t, "proof-checks")} }
                ul { class: "checks",
                    for check in proof.checks.iter() {
                        li { key: "{words::proof_check(check)}",
                            Glyph { icon: Icon::Check, size: 18 }
                            div {
                                p { class: "strong", {t.text(words::proof_check(check), &[])} }
                                p { class: "small", {t.attribute(words::proof_check(check), "more", &[])} }
                            }
                        }
                    }
                }
                details { class: "technical",
                    summary { {tr!(t, "proof-technical")} }
                    dl { class: "facts",
                        dt { {tr!(t, "proof-block")} }
                        dd { "data-testid": "proof-height", "{proof.height}" }
                        dt { {tr!(t, "proof-time")} }
                        dd { {t.date_time(proof.at)} }
                        dt { {tr!(t, "proof-signed")} }
                        dd { "data-testid": "proof-signed", {tr!(t, "n-of-m", n = proof.signed, m = proof.total)} }
                        dt { {tr!(t, "proof-signers")} }
                        dd { {t.list(&signers)} }
                        dt { {tr!(t, "proof-header-hash")} }
                        dd { class: "mono", "{proof.header_hash}" }
                        dt { {tr!(t, "proof-transaction")} }
                        dd { class: "mono", "{proof.transaction}" }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(agreeing: u16, checked_at: TimeMs) -> CheckedView {
        CheckedView {
            signed: 3,
            agreeing,
            asked: 4,
            total: 4,
            checked_at,
            height: 7,
            block_time: 1,
            header_hash: String::new(),
            unreachable: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_fresh_and_agreed_on_is_green_and_only_a_lie_is_red() {
        let now = 10 * OLD_AFTER_MS;
        let (fresh, few, old) = (checked(4, now), checked(2, now), checked(4, now - OLD_AFTER_MS - 1));
        assert_eq!(standing(Some(&fresh), None, now), Standing::Good);
        assert_eq!(standing(Some(&few), None, now), Standing::Few);
        assert_eq!(standing(Some(&old), None, now), Standing::Old);
        assert_eq!(standing(Some(&checked(4, now + OLD_AFTER_MS + 1)), None, now), Standing::Old);
        let spared = CheckedView { asked: 2, ..checked(2, now) };
        assert_eq!(standing(Some(&spared), None, now), Standing::Spared);
        assert_eq!(standing(None, None, now), Standing::Never);
        let silence = ApiError::from(ErrorCode::Unreachable);
        assert_eq!(standing(Some(&fresh), Some(&silence), now), Standing::Old);
        let lie = ApiError::from(ErrorCode::Disagreement);
        assert_eq!(standing(Some(&fresh), Some(&lie), now), Standing::Danger);
        assert_eq!(standing(None, Some(&lie), now), Standing::Danger);
    }

    #[test]
    fn too_few_hospitals_for_anything_new_are_noticed() {
        assert_eq!([1, 4, 5, 7, 10].map(quorum), [1, 3, 4, 5, 7]);
    }
}

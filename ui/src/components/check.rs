//! What was checked: a small badge, the same everywhere, that opens to plain words and then to the technical layer.

use crate::app::use_app;
use crate::components::error::sentence;
use crate::components::icon::{Glyph, Icon};
use crate::hooks::use_now;
use crate::i18n::{tr, use_translator, words};
use amulet_app_api::access::ProofView;
use amulet_app_api::wallet::CheckedView;
use dioxus::prelude::*;

/// Older than this a check is shown as old.
const OLD_AFTER_MS: u64 = 10 * 60 * 1000;

/// How often a badge's age is renewed.
const AGE_EVERY_MS: u32 = 15_000;

/// How many of `total` hospitals must sign something new: more than two thirds, all but those that may fail.
fn quorum(total: u16) -> u16 {
    total - total.saturating_sub(1) / 3
}

/// "Checked: 4 of 4 hospitals agree, a minute ago".
#[component]
pub fn CheckedBadge(checked: Option<CheckedView>) -> Element {
    let t = use_translator();
    let app = use_app();
    let now = use_now(AGE_EVERY_MS);
    let trouble = app.check_error.read().as_ref().map(|error| sentence(t, error));
    let Some(checked) = checked else {
        return rsx! {
            p { class: "badge wait", role: "status", "data-testid": "checked",
                Glyph { icon: Icon::Clock, size: 18 }
                span { {trouble.unwrap_or_else(|| tr!(t, "checked-never"))} }
            }
        };
    };
    let old = now().saturating_sub(checked.checked_at) > OLD_AFTER_MS;
    let current = !old && trouble.is_none();
    let enough = checked.agreeing >= quorum(checked.total);
    let good = current && enough;
    let ago = t.ago(checked.checked_at, now());
    let key = match (current, enough) {
        (true, true) => "checked-good",
        (true, false) => "checked-few",
        (false, _) => "checked-old",
    };
    let unreachable: Vec<String> = checked.unreachable.iter().map(|hospital| t.hospital(hospital)).collect();
    rsx! {
        details { class: if good { "badge good" } else { "badge wait" }, "data-testid": "checked",
            summary {
                Glyph { icon: if good { Icon::Check } else { Icon::Clock }, size: 18 }
                span { {t.text(key, &[("agreeing", checked.agreeing.into()), ("total", checked.total.into()), ("ago", ago.into())])} }
            }
            div { class: "badge-more stack tight",
                p { {tr!(t, "checked-meaning")} }
                if let Some(trouble) = trouble {
                    p { class: "strong", {trouble} }
                }
                if !unreachable.is_empty() {
                    p { {tr!(t, "checked-unreachable", hospitals = t.list(&unreachable))} }
                }
                dl { class: "facts",
                    dt { {tr!(t, "proof-block")} }
                    dd { "{checked.height}" }
                    dt { {tr!(t, "proof-time")} }
                    dd { {t.date_time(checked.block_time)} }
                    dt { {tr!(t, "proof-signed")} }
                    dd { {tr!(t, "n-of-m", n = checked.signed, m = checked.total)} }
                    dt { {tr!(t, "proof-header-hash")} }
                    dd { class: "mono", "{checked.header_hash}" }
                }
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

    #[test]
    fn too_few_hospitals_for_anything_new_are_noticed() {
        assert_eq!([1, 4, 5, 7, 10].map(quorum), [1, 3, 4, 5, 7]);
    }
}

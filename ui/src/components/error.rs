//! An error: what happened, what it means for you, what to do now; the code in small print for support.

use crate::components::actions::{Button, Weight};
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{Arg, Translator, tr, use_translator, words};
use crate::platform;
use amulet_app_api::wallet::Language;
use amulet_app_api::{ApiError, ErrorCode};
use dioxus::prelude::*;

/// Every detail a sentence may name. One that is missing reads `none`, which the sentences provide for.
pub const DETAILS: [&str; 21] = [
    "index",
    "word",
    "suggestion",
    "found",
    "expected",
    "asked",
    "answered",
    "needed",
    "hospitals",
    "hospital",
    "what",
    "age",
    "reason",
    "at",
    "code",
    "message",
    "size",
    "limit",
    "why",
    "name",
    "wait",
];

/// Details that must not travel to support: a mistyped recovery word is one letter away from the real one.
const SECRET_DETAILS: [&str; 2] = ["word", "suggestion"];

/// How the name of a detail ends that says the same as another one, in Chinese.
const CHINESE_FORM: &str = "_zh";

const MINUTE_MS: u64 = 60_000;
const BYTES_PER_MEGABYTE: f64 = 1_000_000.0;

/// Whether trying the same again can help.
fn can_retry(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Unreachable
            | ErrorCode::TooFewWitnesses
            | ErrorCode::Disagreement
            | ErrorCode::Forged
            | ErrorCode::Stale
            | ErrorCode::ClockBehind
            | ErrorCode::NotCommitted
            | ErrorCode::RecordUnavailable
            | ErrorCode::Storage
            | ErrorCode::Internal
    )
}

/// The error notice; a calm one is amber, where nothing is wrong but that something has to wait.
#[component]
pub fn ErrorNotice(
    error: ApiError,
    #[props(default)] onretry: Option<EventHandler<()>>,
    #[props(default)] calm: bool,
) -> Element {
    let t = use_translator();
    let details = details(t, &error);
    let key = words::error(&error.code);
    use_effect(|| platform::reveal("[role=alert]"));
    let retry = onretry.filter(|_| can_retry(error.code));
    rsx! {
        div { class: if calm { "notice wait" } else { "notice danger" }, role: "alert", "data-testid": "error", "data-code": code_name(error.code),
            Glyph { icon: if calm { Icon::Clock } else { Icon::Warning }, size: 24 }
            div { class: "stack tight grow",
                h2 { {t.text(key, &details)} }
                p { {t.attribute(key, "means", &details)} }
                p { class: "strong", {t.attribute(key, "next", &details)} }
                if let Some(retry) = retry {
                    div {
                        Button { label: tr!(t, "try-again"), weight: Weight::Second, icon: Icon::Refresh, testid: "retry", onclick: retry }
                    }
                }
                p { class: "faint mono", {tr!(t, "error-code", code = small_print(&error))} }
            }
        }
    }
}

/// The one sentence of an error, for a field's complaint.
pub fn sentence(t: Translator, error: &ApiError) -> String {
    let details = details(t, error);
    let key = words::error(&error.code);
    format!("{} {}", t.text(key, &details), t.attribute(key, "next", &details))
}

/// The code's stable name.
fn code_name(code: ErrorCode) -> String {
    serde_json::to_value(code).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

/// The code and its details, as support wants them.
fn small_print(error: &ApiError) -> String {
    let mut text = code_name(error.code);
    let is_said = |name: &str| !SECRET_DETAILS.contains(&name) && !name.ends_with(CHINESE_FORM);
    for (name, value) in error.details.iter().filter(|(name, _)| is_said(name)) {
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

fn details(t: Translator, error: &ApiError) -> Vec<(&'static str, Arg<'static>)> {
    DETAILS.iter().map(|name| (*name, detail(t, error, name))).collect()
}

fn detail(t: Translator, error: &ApiError, name: &str) -> Arg<'static> {
    let given = |name: &str| error.details.get(name);
    let milliseconds = |name: &str| given(name).and_then(|value| value.parse::<u64>().ok());
    let text = match name {
        "age" => milliseconds("age_ms").map(|age| t.duration(age)),
        "wait" => milliseconds("wait_ms").map(|wait| match wait {
            0..MINUTE_MS => tr!(t, "span-seconds", n = wait.div_ceil(1_000)),
            _ => t.duration(wait),
        }),
        "at" => milliseconds("at_ms").map(|at| t.date_time(at)),
        // Why a file was refused is said in the person's language where there are words for it.
        "message" => given("code").and_then(|code| refusal(t, code)).or_else(|| given(name).cloned()),
        "reason" => Some(reason(t, given(name))),
        "size" | "limit" => given(name).map(|bytes| megabytes(bytes)),
        _ => in_chinese(t, error, name).or_else(|| given(name).cloned()),
    };
    Arg::from(text.unwrap_or_else(|| "none".to_owned()))
}

/// Why the hospitals refused.
fn reason(t: Translator, code: Option<&String>) -> String {
    let words = code.and_then(|code| t.known(&reason_key(code)));
    words.unwrap_or_else(|| tr!(t, "refused-why-other"))
}

/// The key of the words for a refusal.
pub fn reason_key(code: &str) -> String {
    format!("refused-why-{}", code.replace('_', "-"))
}

/// A detail that has a Chinese form beside it, where that is the language.
fn in_chinese(t: Translator, error: &ApiError, name: &str) -> Option<String> {
    let is_chinese = t.language() == Language::Zh;
    is_chinese.then(|| error.details.get(&format!("{name}{CHINESE_FORM}")).cloned()).flatten()
}

/// The words for a refusal code of the intake, if there are any.
pub fn refusal(t: Translator, code: &str) -> Option<String> {
    t.known(&format!("refusal-{}", code.replace('_', "-")))
}

/// Bytes in a unit that people know; other text as it is.
fn megabytes(text: &str) -> String {
    text.parse::<u64>().map_or_else(|_| text.to_owned(), bytes)
}

/// Bytes in a unit that people know.
pub fn bytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < BYTES_PER_MEGABYTE {
        // A small file is not nothing.
        format!("{:.0} KB", (bytes / 1000.0).round().max(bytes.min(1.0)))
    } else {
        format!("{:.1} MB", bytes / BYTES_PER_MEGABYTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_units_people_know() {
        assert_eq!(megabytes("52428800"), "52.4 MB");
        assert_eq!(megabytes("3100"), "3 KB");
        assert_eq!(bytes(412), "1 KB");
        assert_eq!(bytes(0), "0 KB");
        assert_eq!(megabytes("a lot"), "a lot");
    }

    #[test]
    fn support_never_sees_a_recovery_word() {
        let error = ApiError::new(ErrorCode::WordUnknown)
            .with("index", 7)
            .with("word", "oter")
            .with("suggestion", "otter");
        assert_eq!(small_print(&error), "word_unknown index=7");
    }

    #[test]
    fn a_wrong_passphrase_is_not_offered_again_unchanged() {
        assert!(!can_retry(ErrorCode::WrongPassphrase));
        assert!(can_retry(ErrorCode::Unreachable));
    }
}

//! Every visible word, in both languages, from `locales/`.
//!
//! The language is a signal: a component that asked for a text is rendered again when the language changes, in place,
//! so nobody loses what they typed.

pub mod dates;
#[cfg(test)]
mod tests;
mod values;
pub mod words;

use amulet_app_api::wallet::{HospitalView, Language};
use dioxus::prelude::*;
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use std::borrow::Cow;
use std::cell::OnceCell;
use unic_langid::LanguageIdentifier;

const ENGLISH: &str = include_str!("../../locales/en.ftl");
const CHINESE: &str = include_str!("../../locales/zh.ftl");

/// Letters of its identifier by which a hospital without a name is told from another.
const UNNAMED_LETTERS: usize = 8;

thread_local! {
    static EN: OnceCell<FluentBundle<FluentResource>> = const { OnceCell::new() };
    static ZH: OnceCell<FluentBundle<FluentResource>> = const { OnceCell::new() };
}

/// A value inside a text.
pub type Arg<'a> = FluentValue<'a>;

/// Puts things into words in the person's language.
#[derive(Clone, Copy, PartialEq)]
pub struct Translator(Signal<Language>);

/// A text, or a text with named values: `tr!(t, "home-title")`, `tr!(t, "records-count", n = 7)`.
macro_rules! tr {
    ($t:expr, $key:expr) => { $t.text($key, &[]) };
    ($t:expr, $key:expr, $($name:ident = $value:expr),+ $(,)?) => {
        $t.text($key, &[$((stringify!($name), $crate::i18n::Arg::from($value))),+])
    };
}
pub(crate) use tr;

/// The translator of the running app.
pub fn use_translator() -> Translator {
    use_context()
}

impl Translator {
    /// A translator that follows `language`.
    pub fn new(language: Signal<Language>) -> Self {
        Self(language)
    }

    /// The language now.
    pub fn language(self) -> Language {
        *self.0.read()
    }

    /// The text of a key.
    pub fn text(self, key: &str, args: &[(&str, Arg)]) -> String {
        lookup(self.language(), key, None, args)
    }

    /// The text of a key's attribute, for example what an error means.
    pub fn attribute(self, key: &str, attribute: &str, args: &[(&str, Arg)]) -> String {
        lookup(self.language(), key, Some(attribute), args)
    }

    /// A text that may be missing, for labels that come from outside as codes.
    pub fn known(self, key: &str) -> Option<String> {
        with_bundle(self.language(), |bundle| bundle.has_message(key)).then(|| self.text(key, &[]))
    }

    /// A text that the ledger has in both languages, in that of the page.
    pub fn wording(self, zh: &str, en: &str) -> String {
        match self.language() {
            Language::En => en.to_owned(),
            Language::Zh => zh.to_owned(),
        }
    }

    /// A hospital's name; if none is known, words that say so with the beginning of its identifier.
    pub fn hospital(self, hospital: &HospitalView) -> String {
        let name = match self.language() {
            Language::En => &hospital.name_en,
            Language::Zh => &hospital.name_zh,
        };
        if !name.is_empty() || hospital.did.is_empty() {
            return name.clone();
        }
        let key = hospital.did.rsplit(':').next().unwrap_or_default();
        tr!(self, "hospital-unnamed", id = key.chars().take(UNNAMED_LETTERS).collect::<String>())
    }

    /// Several things as one enumeration.
    pub fn list(self, items: &[String]) -> String {
        items.join(&self.text("list-separator", &[]))
    }

    /// The language's tag for `lang` attributes and dates.
    pub fn tag(self) -> &'static str {
        tag(self.language())
    }
}

/// The BCP 47 tag of a language.
pub fn tag(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh-CN",
    }
}

/// A text in a given language; a key that does not exist shows itself, which the tests forbid.
pub fn lookup(language: Language, key: &str, attribute: Option<&str>, args: &[(&str, Arg)]) -> String {
    with_bundle(language, |bundle| {
        let message = bundle.get_message(key);
        let pattern = message.and_then(|message| match attribute {
            Some(name) => message.get_attribute(name).map(|attribute| attribute.value()),
            None => message.value(),
        });
        let Some(pattern) = pattern else { return format!("[{key}]") };
        let mut values = FluentArgs::new();
        for (name, value) in args {
            values.set(Cow::Owned((*name).to_owned()), value.clone());
        }
        let mut errors = Vec::new();
        bundle.format_pattern(pattern, Some(&values), &mut errors).into_owned()
    })
}

fn with_bundle<T>(language: Language, read: impl FnOnce(&FluentBundle<FluentResource>) -> T) -> T {
    match language {
        Language::En => EN.with(|cell| read(cell.get_or_init(|| bundle("en", ENGLISH)))),
        Language::Zh => ZH.with(|cell| read(cell.get_or_init(|| bundle("zh-CN", CHINESE)))),
    }
}

fn bundle(tag: &str, source: &str) -> FluentBundle<FluentResource> {
    let locale: LanguageIdentifier = tag.parse().expect("the two tags above are well formed");
    // A broken line must not take the whole interface down; the tests refuse it.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::new(vec![locale]);
    // Both languages run left to right: isolation marks would only get in the way of copying and searching.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

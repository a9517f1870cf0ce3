//! What a list shows, kept in the page's address: going back and a reload bring it again.
//!
//! Words typed are not in it: an address stays in the browser's history, and what somebody looks for in their records is
//! nobody's business.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt;

/// Characters of one part; an address is not a place for more.
const PART_CHARS_MAX: usize = 100;

/// Choices made; an empty part is no restriction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A kind of line, by the name that the page gives it.
    pub kind: String,
    /// The DID of a hospital.
    pub hospital: String,
    /// A year, four digits.
    pub year: String,
}

impl Filter {
    fn parts(&self) -> [(&'static str, &String); 3] {
        [("kind", &self.kind), ("at", &self.hospital), ("year", &self.year)]
    }
}

/// Whether every word typed is in a text; upper and lower case are the same.
pub fn words_are_in(words: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    words.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (name, value) in self.parts().into_iter().filter(|(_, value)| !value.is_empty()) {
            write!(f, "{between}{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))?;
            between = "&";
        }
        Ok(())
    }
}

/// Whatever somebody typed into the address; what is not understood is no restriction.
impl From<&str> for Filter {
    fn from(query: &str) -> Self {
        let mut filter = Self::default();
        for (name, value) in query.split('&').filter_map(|part| part.split_once('=')) {
            let value = percent_decode_str(value).decode_utf8_lossy();
            let value = value.chars().take(PART_CHARS_MAX).collect();
            match name {
                "kind" => filter.kind = value,
                "at" => filter.hospital = value,
                "year" => filter.year = value,
                _ => {}
            }
        }
        filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_brings_back_what_was_chosen() {
        let filter = Filter {
            kind: "血糖 a&b=c?#".to_owned(),
            hospital: "did:amulet:4x".to_owned(),
            year: "2024".to_owned(),
        };
        assert_eq!(Filter::from(filter.to_string().as_str()), filter);
        assert_eq!(Filter::default().to_string(), "");
        assert_eq!([Filter::from(""), Filter::from("&&=&x=1&kind")], [Filter::default(), Filter::default()]);
        assert_eq!(Filter::from(format!("kind={}", "a".repeat(5_000)).as_str()).kind.len(), PART_CHARS_MAX);
    }
}

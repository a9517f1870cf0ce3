//! Bounds on the text of a rule book, checked on its characters before anything parses it.
//!
//! The parser and the evaluator descend into a rule. What they do when a stack runs short depends on the machine, so no rule may be
//! so deep that it comes to that anywhere.

use super::book::BadRules;
use amulet_protocol::limits::{
    RULE_BOOK_BYTES_MAX, RULE_BYTES_MAX, RULE_NESTING_MAX, RULE_OPERATORS_MAX, RULES_MAX,
};

/// Functions outside Cedar's core. Whether they are there depends on how it was built, and no value of the schema needs them.
const EXTENSIONS: [&[u8]; 4] = [b"ip", b"decimal", b"datetime", b"duration"];
/// Words that make an expression one level deeper.
const JOINING: [&[u8]; 5] = [b"if", b"in", b"is", b"has", b"like"];

/// What is known of the rule that is being scanned.
#[derive(Default)]
struct Scan {
    rules: usize,
    bytes: usize,
    depth: usize,
    operators: usize,
}

/// Refuses a text that is too long, of too many rules, or with a rule that is too long, too deep, has too many operators
/// or calls an extension.
pub(super) fn check(text: &str) -> Result<(), BadRules> {
    if text.len() > RULE_BOOK_BYTES_MAX {
        return Err(BadRules::TooLong { bytes: text.len(), max: RULE_BOOK_BYTES_MAX });
    }
    let mut scan = Scan { rules: 1, ..Scan::default() };
    let mut rest = text.as_bytes();
    while let Some(&byte) = rest.first() {
        let length = match byte {
            b'"' => quoted(rest),
            b'/' if rest.get(1) == Some(&b'/') => {
                rest.iter().position(|b| *b == b'\n' || *b == b'\r').unwrap_or(rest.len())
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let ends = |b: &u8| !b.is_ascii_alphanumeric() && *b != b'_';
                let word = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
                scan.read(word)?;
                word.len()
            }
            _ => {
                scan.see(byte);
                1
            }
        };
        scan.bytes += length;
        scan.check(byte == b';')?;
        rest = &rest[length..];
    }
    Ok(())
}

impl Scan {
    /// Takes in a word.
    fn read(&mut self, word: &[u8]) -> Result<(), BadRules> {
        if EXTENSIONS.contains(&word) {
            return Err(BadRules::Extension { number: self.rules });
        }
        if JOINING.contains(&word) {
            self.operators += 1;
        }
        Ok(())
    }

    /// Takes in one byte outside words, quotes and comments.
    fn see(&mut self, byte: u8) {
        match byte {
            b'(' | b'[' | b'{' => self.depth += 1,
            b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b'&' | b'|' | b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'.' => self.operators += 1,
            _ => {}
        }
    }

    /// Refuses what is too much; a semicolon ends a rule.
    fn check(&mut self, ends: bool) -> Result<(), BadRules> {
        let number = self.rules;
        if number > RULES_MAX {
            return Err(BadRules::TooMany { max: RULES_MAX });
        }
        if self.bytes > RULE_BYTES_MAX {
            return Err(BadRules::RuleTooLong { number, max: RULE_BYTES_MAX });
        }
        if self.depth > RULE_NESTING_MAX || self.operators > RULE_OPERATORS_MAX {
            return Err(BadRules::TooDeep {
                number,
                nesting: RULE_NESTING_MAX,
                operators: RULE_OPERATORS_MAX,
            });
        }
        if ends {
            *self = Self { rules: number + 1, ..Self::default() };
        }
        Ok(())
    }
}

/// Bytes of a quoted text with its quotes, or of all that is left if none closes it.
fn quoted(text: &[u8]) -> usize {
    let mut escaped = false;
    for (index, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

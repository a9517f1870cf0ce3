//! The narrative of a resource as plain text.
//!
//! A narrative is XHTML from outside. It is never rendered as markup: this strips it to text, so that no script, link or
//! style of a sender can act in the wallet. The result is text, to be shown as text.

use crate::json::Json;
use crate::limits::MAX_NARRATIVE_CHARS;
use crate::text::is_safe;

/// The plain text of `text.div`, or `None` when there is none.
pub(crate) fn narrative(resource: &Json<'_>) -> Option<String> {
    resource.get("text").text_at("div").map(plain_text).filter(|text| !text.is_empty())
}

/// Elements whose content is not for readers.
const HIDDEN: &[&str] = &["script", "style", "head", "template", "title"];
/// Elements that begin a new line.
const BLOCKS: &[&str] = &[
    "p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "hr",
    "thead", "tbody", "caption",
];

/// Strips markup. Tags become line breaks or nothing, entities become characters, space is collapsed within lines.
pub(crate) fn plain_text(markup: &str) -> String {
    // ASCII lower case keeps every offset.
    let lower = markup.to_ascii_lowercase();
    let mut out = String::new();
    let mut at = 0;
    while let Some(open) = markup[at..].find('<').map(|offset| at + offset) {
        decode(&markup[at..open], &mut out);
        // An unclosed tag hides what follows it, as in a browser.
        let is_comment = markup[open..].starts_with("<!--");
        let Some(end) = end_after(&markup[open..], if is_comment { "-->" } else { ">" }) else {
            return tidy(&out);
        };
        at = open + end;
        let tag = &lower[open + 1..at - 1];
        let name = tag
            .trim_start_matches('/')
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        if HIDDEN.contains(&name) && !tag.starts_with('/') && !tag.ends_with('/') {
            match end_after(&lower[at..], &format!("</{name}")) {
                Some(skipped) => at += skipped,
                None => return tidy(&out),
            }
            at += end_after(&lower[at..], ">").unwrap_or(lower.len() - at);
        } else if BLOCKS.contains(&name) {
            out.push('\n');
        } else if matches!(name, "td" | "th") {
            out.push(' ');
        }
    }
    decode(&markup[at..], &mut out);
    tidy(&out)
}

fn end_after(text: &str, mark: &str) -> Option<usize> {
    text.find(mark).map(|at| at + mark.len())
}

fn decode(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.extend(rest[..at].chars().map(space_or));
        let entity = &rest[at + 1..];
        // The longest entity known here is "#x10ffff".
        let end = entity.bytes().take(9).position(|b| b == b';');
        match end.and_then(|end| Some((end, entity_char(entity.get(..end)?)?))) {
            Some((end, c)) => {
                out.push(c);
                rest = &entity[end + 1..];
            }
            None => {
                out.push('&');
                rest = entity;
            }
        }
    }
    out.extend(rest.chars().map(space_or));
}

/// A line break in markup is only space.
fn space_or(c: char) -> char {
    if c.is_whitespace() { ' ' } else { c }
}

fn entity_char(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "deg" => '°',
        "micro" => 'µ',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    })
}

fn tidy(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words: Vec<String> =
            line.split_whitespace().map(|word| word.chars().filter(|c| is_safe(*c)).collect()).collect();
        words.join(" ")
    });
    let whole = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    match whole.char_indices().nth(MAX_NARRATIVE_CHARS) {
        Some((cut, _)) => format!("{}…", &whole[..cut]),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_readable_lines() {
        assert_eq!(
            plain_text(
                "<div xmlns=\"x\"><p>INR&#160;2.5 &amp; stable &lt;3</p>\n<ul><li>a</li><li>b  c</li></ul></div>"
            ),
            "INR 2.5 & stable <3\na\nb c"
        );
        assert_eq!(plain_text("<table><tr><td>Dose</td><td>3 mg</td></tr></table>"), "Dose 3 mg");
    }

    #[test]
    fn nothing_active_survives() {
        assert_eq!(plain_text("a<script>alert('x<y')</script>b<style>p{}</style>c"), "abc");
        assert_eq!(plain_text("a<!-- <p>hidden</p> -->b<img src=x onerror='bad()'>c"), "abc");
        assert_eq!(plain_text("a<script>never closed"), "a");
        assert_eq!(plain_text("a<b never closed"), "a");
        // Escaped markup is text and stays text.
        assert_eq!(plain_text("&lt;script&gt;"), "<script>");
        assert_eq!(plain_text("x&#x202e;y&#0;z & &unknown; &#xffffffff;"), "xyz & &unknown; &#xffffffff;");
    }
}

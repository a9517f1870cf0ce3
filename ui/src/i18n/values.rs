//! Values that come out of records as codes: put into the person's language where that changes nothing of their meaning.

use super::Translator;
use super::dates::{DateParts, clock};
use super::tr;
use amulet_app_api::wallet::Language;

/// `YYYY-MM` and `YYYY-MM-DD`, the days and months a value may be made of; a bare year could be any number.
const DATE_LENGTHS: [usize; 2] = [7, 10];

/// Stands between the two ends of a period.
const BETWEEN: char = '–';

/// Stands between the parts of a summary's detail and of its source.
const PART_SEPARATOR: &str = ", ";

/// Before the day on which a medicine ends.
const UNTIL_MARK: &str = "→ ";

impl Translator {
    /// A fact's value: a date or a period by locale, a known code in words, anything else as it is.
    pub fn fact_value(self, label: &str, value: &str) -> String {
        let of_codes = matches!(label, "clinical_status" | "verification" | "severity" | "criticality");
        let word = of_codes.then(|| self.code(value)).flatten();
        word.or_else(|| self.dates(value)).unwrap_or_else(|| value.to_owned())
    }

    /// The detail of an entry of the summary: `shock, severe`.
    pub fn summary_detail(self, detail: &str) -> String {
        let part = |part: &str| match part.strip_prefix(UNTIL_MARK) {
            Some(until) => {
                self.dates(until).map_or_else(|| part.to_owned(), |until| tr!(self, "period-to", to = until))
            }
            None => self.code(part).unwrap_or_else(|| part.to_owned()),
        };
        self.list(&detail.split(PART_SEPARATOR).map(part).collect::<Vec<_>>())
    }

    /// Where an entry of the summary comes from: `AllergyIntolerance, 2019-06-02`.
    pub fn summary_source(self, source: &str) -> String {
        let (kind, date) = source.split_once(PART_SEPARATOR).unwrap_or((source, ""));
        let kind =
            self.known(&format!("resource-{}", kind.to_lowercase())).unwrap_or_else(|| kind.to_owned());
        if date.is_empty() { kind } else { format!("{kind} · {}", self.record_date(date)) }
    }

    /// A department written in both languages, in the one of the page.
    pub fn department(self, text: &str) -> String {
        of_language(text, self.language())
    }

    /// A code of FHIR's closed lists in words.
    fn code(self, value: &str) -> Option<String> {
        self.known(&format!("value-{}", value.to_lowercase().replace(' ', "-")))
    }

    fn dates(self, value: &str) -> Option<String> {
        Some(match span(value)? {
            Span::One(date) => self.record_moment(date),
            Span::From(from) => tr!(self, "period-from", from = self.record_moment(from)),
            Span::To(to) => tr!(self, "period-to", to = self.record_moment(to)),
            Span::Between(from, to) => {
                let (first, last) = (self.record_moment(from), self.record_moment(to));
                match clocks(from, to) {
                    _ if first == last => first,
                    Some(clock) => tr!(self, "record-moment", day = self.record_date(from), clock = clock),
                    None => format!("{first} – {last}"),
                }
            }
        })
    }
}

#[derive(Debug, PartialEq)]
enum Span<'a> {
    One(&'a str),
    From(&'a str),
    To(&'a str),
    Between(&'a str, &'a str),
}

/// A value that is nothing but a date or a period.
fn span(value: &str) -> Option<Span<'_>> {
    let Some((from, to)) = value.split_once(BETWEEN) else {
        return is_date(value).then_some(Span::One(value));
    };
    let (from, to) = (from.trim(), to.trim());
    match (is_date(from), is_date(to)) {
        (true, true) => Some(Span::Between(from, to)),
        (true, false) if to.is_empty() => Some(Span::From(from)),
        (false, true) if from.is_empty() => Some(Span::To(to)),
        _ => None,
    }
}

/// The hours of a period within one day by one clock: `02:09 – 02:54 UTC`.
fn clocks(from: &str, to: &str) -> Option<String> {
    let (first_day, first_time) = from.split_once('T')?;
    let (last_day, last_time) = to.split_once('T')?;
    let zone = |time: &str| time.find(['Z', '+', '-']).map(|at| time[at..].to_owned());
    let one_clock = first_day == last_day && zone(first_time) == zone(last_time);
    let (first, last) = (clock(from)?, clock(to)?);
    one_clock.then(|| format!("{} – {last}", first.trim_end_matches(" UTC")))
}

fn is_date(text: &str) -> bool {
    let day = text.split('T').next().unwrap_or_default();
    let digits = day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    digits && DATE_LENGTHS.contains(&day.len()) && DateParts::of(day).is_some()
}

/// The words of `text` in the script of `language`, if each word is in one script and both are there.
fn of_language(text: &str, language: Language) -> String {
    let is_latin = |word: &&str| word.is_ascii();
    let is_chinese = |word: &&str| word.chars().all(|letter| !letter.is_ascii());
    let latin: Vec<&str> = text.split_whitespace().filter(is_latin).collect();
    let chinese: Vec<&str> = text.split_whitespace().filter(is_chinese).collect();
    let all = text.split_whitespace().count();
    if latin.is_empty() || chinese.is_empty() || latin.len() + chinese.len() < all {
        return text.to_owned();
    }
    match language {
        Language::En => latin.join(" "),
        Language::Zh => chinese.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_value_that_is_nothing_but_dates_is_taken_for_one() {
        assert_eq!(span("2020-01-24T02:09:52+00:00"), Some(Span::One("2020-01-24T02:09:52+00:00")));
        assert_eq!(span("2020-01-24 – 2020-02"), Some(Span::Between("2020-01-24", "2020-02")));
        assert_eq!(span("2020-01-24 –"), Some(Span::From("2020-01-24")));
        assert_eq!(span("– 2020-01-24"), Some(Span::To("2020-01-24")));
        for other in
            ["2020", "2.0 – 3.0", "–", "", "2020-01-24 – soon", "555-01-42", "2020-01-24-7", "4-2-2020"]
        {
            assert_eq!(span(other), None, "{other}");
        }
    }

    #[test]
    fn hours_of_one_day_are_said_together() {
        let from = "2020-01-24T02:09:52+00:00";
        assert_eq!(clocks(from, "2020-01-24T02:54:52+00:00").as_deref(), Some("02:09 – 02:54 UTC"));
        assert_eq!(clocks(from, "2020-01-24T02:54:52+08:00"), None);
        assert_eq!(clocks(from, "2020-01-25T02:54:52+00:00"), None);
        assert_eq!(clocks(from, "2020-01-24"), None);
    }

    #[test]
    fn a_department_in_two_languages_is_said_in_one() {
        assert_eq!(of_language("Emergency 急诊科", Language::Zh), "急诊科");
        assert_eq!(of_language("Internal Medicine 内科", Language::En), "Internal Medicine");
        for one in ["急诊科", "Emergency", "ICU病房 二区", ""] {
            assert_eq!(of_language(one, Language::En), one);
        }
    }
}

//! Dates, ages and time left, as the person's language writes them.

use super::{Translator, tr};
use amulet_app_api::wallet::TimeMs;
use js_sys::{Date, Object, Reflect};
use wasm_bindgen::JsValue;

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

impl Translator {
    /// Day and time: `3 December 2026 at 14:02`.
    pub fn date_time(self, at: TimeMs) -> String {
        format(at, self.tag(), &[("dateStyle", "long"), ("timeStyle", "short"), ("hourCycle", "h23")])
    }

    /// The day: `3 December 2026`.
    pub fn day(self, at: TimeMs) -> String {
        format(at, self.tag(), &[("dateStyle", "long")])
    }

    /// The month: `December 2026`.
    pub fn month(self, at: TimeMs) -> String {
        format(at, self.tag(), &[("year", "numeric"), ("month", "long")])
    }

    /// The year in digits, in both languages the same.
    pub fn year(self, at: TimeMs) -> String {
        format(at, self.tag(), &[("year", "numeric")]).chars().filter(char::is_ascii_digit).collect()
    }

    /// Day and time without the year, for lines under a month's heading.
    pub fn day_and_time(self, at: TimeMs) -> String {
        let options = [
            ("month", "short"),
            ("day", "numeric"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("hourCycle", "h23"),
        ];
        format(at, self.tag(), &options)
    }

    /// A FHIR date as precise as the record has it: a year, a month, a day or a moment; unknown forms stay as they are.
    pub fn record_date(self, date: &str) -> String {
        let Some(parts) = DateParts::of(date) else { return date.to_owned() };
        let options: &[(&str, &str)] = match (parts.month, parts.day) {
            (None, _) => &[("year", "numeric"), ("timeZone", "UTC")],
            (Some(_), None) => &[("year", "numeric"), ("month", "long"), ("timeZone", "UTC")],
            (Some(_), Some(_)) => &[("dateStyle", "long"), ("timeZone", "UTC")],
        };
        format_parts(&parts, self.tag(), options)
    }

    /// A FHIR date with the time of day where the record has one, as the clock on the wall there showed it.
    pub fn record_moment(self, date: &str) -> String {
        let day = self.record_date(date);
        match clock(date) {
            Some(clock) => tr!(self, "record-moment", day = day, clock = clock),
            None => day,
        }
    }

    /// The day and month of a FHIR date, for lines under a year's heading.
    pub fn record_day(self, date: &str) -> String {
        let Some(parts) = DateParts::of(date) else { return date.to_owned() };
        match (parts.month, parts.day) {
            (None, _) => parts.year.to_string(),
            (Some(_), None) => format_parts(&parts, self.tag(), &[("month", "long"), ("timeZone", "UTC")]),
            (Some(_), Some(_)) => format_parts(
                &parts,
                self.tag(),
                &[("month", "short"), ("day", "numeric"), ("timeZone", "UTC")],
            ),
        }
    }

    /// The month of a FHIR date for a heading, `None` when only the year is known.
    pub fn record_month(self, date: &str) -> Option<String> {
        let parts = DateParts::of(date)?;
        parts.month?;
        Some(format_parts(&parts, self.tag(), &[("year", "numeric"), ("month", "long"), ("timeZone", "UTC")]))
    }

    /// How long ago something was: `a minute ago`.
    pub fn ago(self, at: TimeMs, now: TimeMs) -> String {
        if at > now + MINUTE_MS {
            // One of the two was read from a clock that was wrong: a date says so, "just now" would not be true.
            return self.date_time(at);
        }
        let age = now.saturating_sub(at);
        match age {
            0..MINUTE_MS => tr!(self, "ago-now"),
            MINUTE_MS..HOUR_MS => tr!(self, "ago-minutes", n = age / MINUTE_MS),
            HOUR_MS..DAY_MS => tr!(self, "ago-hours", n = age / HOUR_MS),
            _ => tr!(self, "ago-days", n = age / DAY_MS),
        }
    }

    /// A rough length of time: `2 hours`.
    pub fn duration(self, milliseconds: u64) -> String {
        match milliseconds {
            0..HOUR_MS => tr!(self, "span-minutes", n = milliseconds.div_ceil(MINUTE_MS)),
            HOUR_MS..DAY_MS => tr!(self, "span-hours", n = milliseconds / HOUR_MS),
            _ => tr!(self, "span-days", n = milliseconds / DAY_MS),
        }
    }
}

/// Time left as a clock, `23:58:07`, or days while there are more than two; `None` once it is over.
pub fn countdown(until: TimeMs, now: TimeMs) -> Option<TimeLeft> {
    let left = until.checked_sub(now).filter(|left| *left > 0)?;
    if left > 2 * DAY_MS {
        return Some(TimeLeft::Days(left / DAY_MS));
    }
    let (hours, minutes, seconds) =
        (left / HOUR_MS, left % HOUR_MS / MINUTE_MS, left % MINUTE_MS / SECOND_MS);
    Some(TimeLeft::Clock(format!("{hours:02}:{minutes:02}:{seconds:02}")))
}

/// Time left.
#[derive(Debug, PartialEq, Eq)]
pub enum TimeLeft {
    /// Whole days.
    Days(u64),
    /// `hh:mm:ss`.
    Clock(String),
}

/// Whole years between a FHIR birth date and now; `None` when the date says too little to be right.
pub fn age_years(birth_date: &str, now: TimeMs) -> Option<u32> {
    let born = DateParts::of(birth_date)?;
    let today = Date::new(&JsValue::from_f64(now as f64));
    years_between(&born, today.get_full_year(), today.get_month() + 1, today.get_date())
}

fn years_between(born: &DateParts, year: u32, month: u32, day: u32) -> Option<u32> {
    let before_birthday = match (born.month, born.day) {
        (Some(born_month), Some(born_day)) => (month, day) < (born_month, born_day),
        _ => return None,
    };
    year.checked_sub(born.year)?.checked_sub(u32::from(before_birthday))
}

/// The parts of a FHIR date that are there.
#[derive(Debug, PartialEq, Eq)]
pub struct DateParts {
    /// Year.
    pub year: u32,
    /// Month from 1.
    pub month: Option<u32>,
    /// Day from 1.
    pub day: Option<u32>,
}

impl DateParts {
    /// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a moment that begins so.
    pub fn of(date: &str) -> Option<Self> {
        let day_part = date.split('T').next()?;
        let mut parts = day_part.split('-').map(str::parse::<u32>);
        let year = parts.next()?.ok()?;
        let month = parts.next().transpose().ok()?;
        let day = parts.next().transpose().ok()?;
        let plausible = day_part.len() >= 4
            && month.is_none_or(|month| (1..=12).contains(&month))
            && day.is_none_or(|day| (1..=31).contains(&day));
        plausible.then_some(Self { year, month, day })
    }
}

/// The hour and minute of a FHIR moment; a moment in universal time says so. Midnight to the second is how records write a
/// day whose time nobody knows.
pub(super) fn clock(date: &str) -> Option<String> {
    let (_, time) = date.split_once('T')?;
    let clock = time.get(..5)?;
    let is_clock = clock.bytes().enumerate().all(|(place, byte)| match place {
        2 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    if !is_clock || time.starts_with("00:00:00") {
        return None;
    }
    let universal = ["Z", "+00:00", "-00:00"].iter().any(|zone| time.ends_with(zone));
    Some(if universal { format!("{clock} UTC") } else { clock.to_owned() })
}

fn format_parts(parts: &DateParts, tag: &str, options: &[(&str, &str)]) -> String {
    format_js(utc_ms(parts), tag, options)
}

/// Milliseconds from 1970 to the beginning of a day in UTC, negative before; the algorithm counts days by eras of 400
/// years that begin on 1 March (H. Hinnant, "chrono-compatible low-level date algorithms").
fn utc_ms(parts: &DateParts) -> f64 {
    let (month, day) = (i64::from(parts.month.unwrap_or(1)), i64::from(parts.day.unwrap_or(1)));
    let year = i64::from(parts.year) - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    days as f64 * DAY_MS as f64
}

fn format(at: TimeMs, tag: &str, options: &[(&str, &str)]) -> String {
    format_js(at as f64, tag, options)
}

fn format_js(at_ms: f64, tag: &str, options: &[(&str, &str)]) -> String {
    let object = Object::new();
    for (name, value) in options {
        // Setting a property of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), &(*value).into());
    }
    Date::new(&JsValue::from_f64(at_ms)).to_locale_string(tag, &object).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_record_date_is_read_as_precisely_as_it_is_written() {
        assert_eq!(DateParts::of("2019"), Some(DateParts { year: 2019, month: None, day: None }));
        assert_eq!(DateParts::of("2019-04"), Some(DateParts { year: 2019, month: Some(4), day: None }));
        let moment = DateParts::of("2019-04-30T08:15:00+08:00");
        assert_eq!(moment, Some(DateParts { year: 2019, month: Some(4), day: Some(30) }));
        assert_eq!(DateParts::of("spring 2019"), None);
        assert_eq!(DateParts::of("2019-13"), None);
    }

    #[test]
    fn the_time_of_day_is_the_one_written() {
        assert_eq!(clock("2020-01-24T02:09:52+08:00").as_deref(), Some("02:09"));
        assert_eq!(clock("2020-01-24T02:09:52.123+00:00").as_deref(), Some("02:09 UTC"));
        assert_eq!(clock("2020-01-24T14:30:00Z").as_deref(), Some("14:30 UTC"));
        assert_eq!(clock("2020-01-24T14:00:00").as_deref(), Some("14:00"));
        for without in ["2020-01-24", "2020-01-24T00:00:00+08:00", "2020-01-24T9", "2020-01-24Tab:cd"] {
            assert_eq!(clock(without), None, "{without}");
        }
    }

    #[test]
    fn births_before_1970_keep_their_day() {
        let at = |date| utc_ms(&DateParts::of(date).unwrap());
        assert_eq!(at("1970-01-01"), 0.0);
        assert_eq!(at("1969-12-31"), -86_400_000.0);
        assert_eq!(at("1968-03-12"), -57_024_000_000.0);
        assert_eq!(at("2000-02-29"), 951_782_400_000.0);
        assert_eq!(at("2000-03"), 951_868_800_000.0);
    }

    #[test]
    fn a_year_of_age_is_complete_only_on_the_birthday() {
        let born = DateParts::of("1968-07-14").unwrap();
        assert_eq!(years_between(&born, 2026, 7, 13), Some(57));
        assert_eq!(years_between(&born, 2026, 7, 14), Some(58));
        let only_year = DateParts::of("1968").unwrap();
        assert_eq!(years_between(&only_year, 2026, 7, 14), None);
    }

    #[test]
    fn the_clock_runs_out() {
        assert_eq!(countdown(DAY_MS, 113 * SECOND_MS), Some(TimeLeft::Clock("23:58:07".to_owned())));
        assert_eq!(countdown(3 * DAY_MS, 0), Some(TimeLeft::Days(3)));
        assert_eq!(countdown(5, 5), None);
        assert_eq!(countdown(5, 6), None);
    }
}

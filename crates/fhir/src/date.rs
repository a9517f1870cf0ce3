//! Dates as records have them: often partial, kept as written, and comparable.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// The clinically relevant date of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct RecordDate {
    /// The date as the record has it: `2012`, `2012-03`, `2012-03-09` or with time and zone.
    pub text: String,
    /// Seconds since 1970-01-01T00:00:00Z of the earliest instant that `text` can mean, for sorting; a date
    /// without a zone counts as UTC. `None` when the text is not a date that FHIR knows.
    pub unix_seconds: Option<i64>,
}

impl RecordDate {
    /// Reads a date; any text is accepted and kept, only well-formed ones get a place in time.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: crate::text::line(text), unix_seconds: unix_seconds(text) }
    }
}

/// Seconds since the epoch of a FHIR `date`, `dateTime` or `instant` (<https://hl7.org/fhir/R4/datatypes.html#dateTime>),
/// or `None` when it is none of these, or names a day that does not exist.
#[must_use]
pub fn unix_seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let (day, clock) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let day_of_month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=days_in(year, month)).contains(&day_of_month)
    {
        return None;
    }
    let midnight = days_from_civil(year, month, day_of_month) * 86_400;
    match clock {
        None => Some(midnight),
        Some(_) if day.len() != 10 => None,
        Some(clock) => Some(midnight + clock_seconds(clock)?),
    }
}

/// The earliest and the latest second that a date can mean, counting as UTC what has no zone, or `None` for what is no date.
pub(crate) fn span(text: &str) -> Option<(i64, i64)> {
    let text = text.trim();
    let earliest = unix_seconds(text)?;
    let length = match text.len() {
        4 => 365 + i64::from(days_in(digits(text, 4)?, 2) == 29),
        7 => days_in(digits(text.get(..4)?, 4)?, digits(text.get(5..)?, 2)?),
        10 => 1,
        _ => return Some((earliest, earliest)),
    };
    Some((earliest, earliest + length * 86_400 - 1))
}

/// Whether a date says which time zone it is in.
pub(crate) fn has_zone(text: &str) -> bool {
    let clock = text.trim().get(10..).unwrap_or_default();
    clock.contains(['Z', 'z', '+', '-'])
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`, then nothing, `Z` or `±HH:MM`.
fn clock_seconds(clock: &str) -> Option<i64> {
    let (time, zone) = match clock.find(['Z', 'z', '+', '-']) {
        Some(at) => (clock.get(..at)?, clock.get(at..)?),
        None => (clock, ""),
    };
    let zone_seconds = match zone {
        "" | "Z" | "z" => 0,
        offset => {
            let (hours, minutes) = offset.get(1..)?.split_once(':')?;
            let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
            if hours > 14 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            if offset.starts_with('-') { -seconds } else { seconds }
        }
    };
    let whole = match time.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b.is_ascii_digit()) => whole,
        Some(_) => return None,
        None => time,
    };
    let mut parts = whole.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |part| digits(part, 2))?;
    // 60 is a leap second; 24:00 is not allowed by FHIR.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(hour * 3600 + minute * 60 + second - zone_seconds)
}

/// The FHIR `instant` of a moment, in UTC. Years before 1 and after 9999, which FHIR can't write, become these.
pub(crate) fn instant(unix_seconds: i64) -> String {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    let seconds = unix_seconds.clamp(FIRST, LAST);
    let (days, clock) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counting years from March so that the leap day is last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_and_partial_dates_sort() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("1970"), Some(0));
        assert_eq!(unix_seconds("2012-03"), Some(1_330_560_000));
        assert_eq!(unix_seconds("2000-02-29"), Some(951_782_400));
        assert_eq!(unix_seconds("2019-07-01T08:30:00.317+08:00"), Some(1_561_941_000));
        assert_eq!(unix_seconds("1953-11-29T01:23:28+00:00"), Some(-507_767_792));
        assert_eq!(unix_seconds("2019-07-01T08:30"), Some(1_561_969_800));
    }

    #[test]
    fn instants_are_read_back_as_the_same_moment() {
        for moment in [0, -1, 951_782_399, 951_782_400, 1_795_392_001, -62_135_596_800, 253_402_300_799] {
            assert_eq!(unix_seconds(&instant(moment)), Some(moment), "{}", instant(moment));
        }
        assert_eq!(instant(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!((instant(i64::MIN).len(), instant(i64::MAX).len()), (20, 20));
    }

    #[test]
    fn a_partial_date_means_all_its_seconds() {
        assert_eq!(span("1972"), Some((63_072_000, 63_072_000 + 366 * 86_400 - 1)));
        assert_eq!(span("1970-02"), Some((31 * 86_400, 59 * 86_400 - 1)));
        assert_eq!(span("1970-01-01"), Some((0, 86_399)));
        assert_eq!(span("1970-01-01T00:00:07Z"), Some((7, 7)));
        assert_eq!(span("1970-13"), None);
        assert!(has_zone("1970-01-01T00:00-05:00") && !has_zone("1970-01-01T00:00"));
    }

    #[test]
    fn odd_dates_are_kept_as_text_without_a_place_in_time() {
        for odd in [
            "",
            "19",
            "2019-13",
            "2019-02-30",
            "2019-2-3",
            "1900-02-29",
            "2019-07-01T",
            "2019-07-01T25:00:00Z",
            "2019-07-01T08:30:00+99:00",
            "2019T08:30",
            "last summer",
            "2019-07-01T08:30:00.x",
            "二〇一九",
            "2019-07-0é",
            "+201-01-01",
            "2019-01-01-01",
        ] {
            assert_eq!(unix_seconds(odd), None, "{odd}");
        }
        let date = RecordDate::new("last summer");
        assert_eq!((date.text.as_str(), date.unix_seconds), ("last summer", None));
    }
}

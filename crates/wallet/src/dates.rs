//! Calendar days between the ledger's number and the text people see.

use amulet_fhir::unix_seconds;
use amulet_protocol::consent::Day;

const SECONDS_PER_DAY: i64 = 86_400;

/// The day that a full `YYYY-MM-DD` names.
#[must_use]
pub fn day_of(text: &str) -> Option<Day> {
    if text.len() != 10 {
        return None;
    }
    day_at(unix_seconds(text)?)
}

/// The day of a moment, in UTC.
pub(crate) fn day_at(unix_seconds: i64) -> Option<Day> {
    i32::try_from(unix_seconds.div_euclid(SECONDS_PER_DAY)).ok().map(Day)
}

/// `YYYY-MM-DD` of a day in the proleptic Gregorian calendar, counting years from March so that the leap day is last.
#[must_use]
pub fn text_of(day: Day) -> String {
    let days = i64::from(day.0) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_come_back_as_written() {
        for text in ["1970-01-01", "1969-12-31", "2000-02-29", "2026-11-22", "1900-03-01", "1583-01-01"] {
            assert_eq!(day_of(text).map(text_of).as_deref(), Some(text));
        }
        assert_eq!(day_of("1970-01-02"), Some(Day(1)));
    }

    #[test]
    fn what_is_no_full_day_is_none() {
        for text in ["", "2026", "2026-11", "2026-02-30", "2026-11-22T10:00:00Z", "22.11.2026"] {
            assert_eq!(day_of(text), None, "{text}");
        }
    }
}

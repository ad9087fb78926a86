//! The time of a log line: RFC 3339 in UTC with microseconds, or the time of day alone.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `2026-10-05T07:08:09.`
const PREFIX: usize = 20;

/// `07:08:09` in [`PREFIX`].
const TIME_OF_DAY: Range<usize> = 11..19;

/// Formats times. Keeps the text of the last second: under load, many lines share it.
#[derive(Default)]
pub(crate) struct Timestamp {
    second: Option<u64>,
    prefix: Vec<u8>,
}

impl Timestamp {
    /// Appends the present time.
    pub(crate) fn push_now(&mut self, buffer: &mut Vec<u8>) {
        self.push(buffer, now());
    }

    /// Appends the present time of day, to the second.
    pub(crate) fn push_time_of_day(&mut self, buffer: &mut Vec<u8>) {
        self.advance(now());
        buffer.extend_from_slice(self.prefix.get(TIME_OF_DAY).unwrap_or_default());
    }

    /// Appends the time that is `since` after 1970.
    pub(crate) fn push(&mut self, buffer: &mut Vec<u8>, since: Duration) {
        self.advance(since);
        buffer.extend_from_slice(&self.prefix);
        push_padded(buffer, since.subsec_micros().into(), 6);
        buffer.push(b'Z');
    }

    fn advance(&mut self, since: Duration) {
        if self.second != Some(since.as_secs()) {
            self.prefix.clear();
            self.prefix.reserve(PREFIX);
            push_second(&mut self.prefix, since.as_secs());
            self.second = Some(since.as_secs());
        }
    }
}

/// Returns the present time since 1970. A clock before that was never set; the log says 1970 then.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Appends a time to the second, as RFC 3339 has it; 1970 for one before.
pub(super) fn push_to_second(buffer: &mut Vec<u8>, time: SystemTime) {
    push_second(buffer, time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs());
    // In place of the point before microseconds.
    buffer.pop();
    buffer.push(b'Z');
}

fn push_second(buffer: &mut Vec<u8>, second: u64) {
    let (year, month, day) = date(second / 86_400);
    let in_day = second % 86_400;
    for (value, width, end) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (in_day / 3_600, 2, b':'),
        (in_day / 60 % 60, 2, b':'),
        (in_day % 60, 2, b'.'),
    ] {
        push_padded(buffer, value, width);
        buffer.push(end);
    }
}

/// Year, month and day of a number of days since 1970, in the proleptic Gregorian calendar.
///
/// Years are counted from 1 March of the year 0, so that the leap day is a year's last: Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Appends a number in decimal, with at least `width` digits.
pub(super) fn push_padded(buffer: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
        first = index;
        if value == 0 {
            break;
        }
    }
    let first = first.min(digits.len().saturating_sub(width));
    buffer.extend_from_slice(digits.get(first..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_in_utc_with_microseconds() {
        let mut timestamp = Timestamp::default();
        for (seconds, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (0, 1_999, "1970-01-01T00:00:00.000001Z"),
            (951_782_399, 999_999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000Z"),
            (951_868_800, 0, "2000-03-01T00:00:00.000000Z"),
            (1_735_689_599, 123_456_789, "2024-12-31T23:59:59.123456Z"),
            (1_791_184_089, 123_456_000, "2026-10-05T07:08:09.123456Z"),
            (1_791_184_089, 7_000, "2026-10-05T07:08:09.000007Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            let mut text = Vec::new();
            timestamp.push(&mut text, Duration::new(seconds, nanos));
            assert_eq!(String::from_utf8(text).unwrap(), expected);
            let mut text = Vec::new();
            push_to_second(&mut text, UNIX_EPOCH + Duration::new(seconds, nanos));
            assert_eq!(String::from_utf8(text).unwrap(), expected[..19].to_owned() + "Z");
        }
        let mut before = Vec::new();
        push_to_second(&mut before, UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(before, b"1970-01-01T00:00:00Z");
    }
}

//! The life of a certificate, and when its end is near enough for a warning.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A renewal that has not happened by then has failed: clients that renew by ACME do so at two thirds of the life, and after that every day.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The part of a short life that counts as soon: a certificate for six days is renewed after four.
const SOON_PART: u32 = 4;

/// From when until when a certificate is valid (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    not_before: SystemTime,
    not_after: SystemTime,
}

/// The state of a life that is a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The end has passed.
    Expired,
    /// The end is near.
    Soon,
}

impl Expiry {
    /// The words about the moment at which it ends.
    const fn verb(self) -> &'static str {
        match self {
            Self::Expired => "expired at",
            Self::Soon => "expires at",
        }
    }
}

impl Life {
    /// From seconds since 1970, as certificates state them. A time before 1970 is 1970.
    pub(super) fn of_seconds(not_before: i64, not_after: i64) -> Self {
        let at = |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        Self { not_before: at(not_before), not_after: at(not_after) }
    }

    /// The end, in seconds since 1970.
    #[must_use]
    pub fn end(self) -> u64 {
        self.not_after.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// The warning that is due at this moment; `None` if the life lasts for long enough.
    #[must_use]
    pub fn expiry(self, now: SystemTime) -> Option<Expiry> {
        let whole = self.not_after.duration_since(self.not_before).unwrap_or_default();
        match self.not_after.duration_since(now) {
            Err(_) => Some(Expiry::Expired),
            Ok(left) => (left <= SOON.min(whole / SOON_PART)).then_some(Expiry::Soon),
        }
    }

    /// The warning about it at this moment.
    pub(super) fn warning(self, now: SystemTime) -> Option<String> {
        let verb = self.expiry(now)?.verb();
        Some(format!("the certificate {verb} {self}; renew it, and its file is read within a second"))
    }
}

/// The end.
impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_seconds(self.not_after).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_should_have_been_renewed_is_a_warning() {
        const DAY: i64 = 24 * 60 * 60;
        for (lifetime, left, expected) in [
            (90 * DAY, 30 * DAY, None),
            (90 * DAY, 15 * DAY, None),
            (90 * DAY, 14 * DAY, Some(Expiry::Soon)),
            (90 * DAY, 0, Some(Expiry::Soon)),
            (90 * DAY, -1, Some(Expiry::Expired)),
            (6 * DAY, 2 * DAY, None),
            (6 * DAY, DAY, Some(Expiry::Soon)),
            (398 * DAY, 60 * DAY, None),
            (-DAY, DAY, None),
        ] {
            let now = 1_800_000_000;
            let life = Life::of_seconds(now + left - lifetime, now + left);
            let now = UNIX_EPOCH + Duration::from_secs(now.cast_unsigned());
            assert_eq!(life.expiry(now), expected, "{lifetime} {left}");
        }
    }

    #[test]
    fn a_warning_says_when() {
        let life = Life::of_seconds(0, 1_800_000_000);
        let at = |seconds| life.warning(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap_or_default();
        assert!(at(1_800_000_001).contains("expired at 2027-01-15T08:00:00Z"), "{}", at(1_800_000_001));
        assert!(at(1_799_999_999).contains("expires at 2027-01-15T08:00:00Z"));
        assert_eq!(at(0), "");
    }
}

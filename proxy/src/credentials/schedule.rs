//! When credentials are asked for again.
//!
//! Times are those of the clock on the wall, as the ends of credentials are: a machine that slept renews when it wakes.

use super::sources::CredentialSource;
use std::time::{Duration, SystemTime};

/// Credentials that live long are renewed so long before their end: Amazon's metadata services have new ones by then.
const MARGIN: Duration = Duration::from_secs(5 * 60);
const LONG_LIFE: Duration = Duration::from_secs(20 * 60);
const SHORT_LIFE: Duration = Duration::from_secs(60);
/// The pause after the first failure. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// The time after which a file that may have new keys is read again.
const READ_AGAIN: Duration = Duration::from_secs(60);
/// The longest rest without a look at the clock, which may be set.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The next time.
#[derive(Debug)]
pub(super) struct Schedule {
    /// `None` once there are keys without an end.
    due: Option<SystemTime>,
    end: Option<SystemTime>,
    failures: u32,
}

impl Schedule {
    /// Begins without credentials.
    pub(super) const fn new(now: SystemTime) -> Self {
        Self { due: Some(now), end: None, failures: 0 }
    }

    /// Notes that a source gave credentials.
    pub(super) fn renewed(&mut self, now: SystemTime, origin: CredentialSource, end: Option<SystemTime>) {
        // A source that keeps what it gives has nothing newer yet.
        if end.is_some() && end == self.end {
            return self.failed(now);
        }
        (self.end, self.failures) = (end, 0);
        self.due = match end {
            Some(end) => {
                let life = end.duration_since(now).unwrap_or_default();
                Some(now + life.saturating_sub(margin(life)).max(SHORTEST_PAUSE))
            }
            // The keys of a program that names no end do not expire, and no environment changes.
            None => (origin == CredentialSource::Profile).then_some(now + READ_AGAIN),
        };
    }

    /// Notes that no source gave credentials that are newer.
    pub(super) fn failed(&mut self, now: SystemTime) {
        // Requests fail from now on, so the pauses begin anew, however often it failed while there was something left.
        if self.end.is_some_and(|end| end <= now) {
            (self.end, self.failures) = (None, 0);
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(6)).min(LONGEST_PAUSE);
        self.failures += 1;
        // The last seconds of what is left are used, however often it failed.
        let left = self.end.and_then(|end| end.duration_since(now).ok()).filter(|left| !left.is_zero());
        let pause = left.map_or(pause, |left| pause.min(left / 2).max(SHORTEST_PAUSE));
        self.due = Some(now + pause);
    }

    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// The time until there is something to do: to ask, or to note that the credentials have expired.
    pub(super) fn rest(&self, now: SystemTime) -> Duration {
        let ends = self.end.filter(|end| *end > now);
        let next = self.due.into_iter().chain(ends).min();
        let rest = next.map_or(LONGEST_REST, |next| next.duration_since(now).unwrap_or_default());
        rest.min(LONGEST_REST)
    }
}

/// The time before the end of credentials in which they are renewed.
fn margin(life: Duration) -> Duration {
    if life >= LONG_LIFE {
        MARGIN
    } else if life >= SHORT_LIFE {
        life / 4
    } else {
        life / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CredentialSource::{Environment, Instance, Process, Profile};
    use std::time::UNIX_EPOCH;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    /// The milliseconds until credentials are due.
    fn due(schedule: &Schedule, now: SystemTime) -> Option<u128> {
        schedule.due.map(|due| due.duration_since(now).unwrap().as_millis())
    }

    #[test]
    fn credentials_are_renewed_before_they_end() {
        for (origin, life, expected) in [
            (Instance, Some(6 * 3_600_000), Some(6 * 3_600_000 - 300_000)),
            (Instance, Some(20 * 60_000), Some(15 * 60_000)),
            (Instance, Some(10 * 60_000), Some(450_000)),
            (Process, Some(60_000), Some(45_000)),
            (Process, Some(2_000), Some(1_000)),
            (Process, Some(100), Some(100)),
            (Process, Some(0), Some(100)),
            (Process, None, None),
            (Environment, None, None),
            (Profile, None, Some(60_000)),
        ] {
            let mut schedule = Schedule::new(at(0));
            assert!(schedule.is_due(at(0)));
            schedule.renewed(at(0), origin, life.map(at));
            assert_eq!(due(&schedule, at(0)), expected, "{origin} {life:?}");
            assert!(!schedule.is_due(at(0)));
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        let mut schedule = Schedule::new(at(0));
        let pauses = std::iter::repeat_with(|| {
            schedule.failed(at(0));
            due(&schedule, at(0)).unwrap() / 1_000
        });
        assert_eq!(pauses.take(8).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 60, 60]);
        schedule.renewed(at(0), Process, Some(at(2_000)));
        schedule.failed(at(1_000));
        assert_eq!(due(&schedule, at(1_000)), Some(500), "half of what is left");
        schedule.failed(at(1_990));
        assert_eq!(due(&schedule, at(1_990)), Some(100));
        for pause in [1_000, 2_000, 4_000] {
            schedule.failed(at(2_000));
            assert_eq!(due(&schedule, at(2_000)), Some(pause), "nothing is left");
        }
    }

    #[test]
    fn a_source_with_nothing_newer_is_asked_with_pauses() {
        let mut schedule = Schedule::new(at(0));
        schedule.renewed(at(0), Instance, Some(at(300_000)));
        for (now, pause) in [(225_000, 1_000), (226_000, 2_000), (228_000, 4_000)] {
            schedule.renewed(at(now), Instance, Some(at(300_000)));
            assert_eq!(due(&schedule, at(now)), Some(pause));
        }
        schedule.renewed(at(232_000), Instance, Some(at(3_600_000)));
        assert_eq!(due(&schedule, at(232_000)), Some(3_600_000 - 232_000 - 300_000));
    }

    #[test]
    fn a_rest_ends_with_what_comes_first() {
        let mut schedule = Schedule::new(at(0));
        schedule.renewed(at(0), Process, Some(at(2_000)));
        assert_eq!(schedule.rest(at(0)), Duration::from_secs(1));
        assert_eq!(schedule.rest(at(1_500)), Duration::ZERO);
        for _ in 0..6 {
            schedule.failed(at(2_000));
        }
        assert_eq!(schedule.rest(at(2_000)), LONGEST_REST, "the clock may be set");
        schedule.renewed(at(0), Environment, None);
        assert_eq!(schedule.rest(at(0)), LONGEST_REST);
    }
}

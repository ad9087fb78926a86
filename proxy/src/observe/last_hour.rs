//! The last hour by the minute, from counters that only grow.
//!
//! A request counts nothing here. Once a minute, and when someone looks, the counters are read and compared with what they were.

use s3_cors::Outcome;
use std::collections::VecDeque;
use std::iter;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The number of whole minutes that are kept; the one that has begun comes on top.
const MINUTES: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// Numbers of requests: since the start, or in a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// CORS decisions, in the order of [`Outcome::ALL`].
    pub by_outcome: [u64; Outcome::ALL.len()],
    /// Rejected requests.
    pub rejected: u64,
    /// Requests that have ended, by duration: a number for each bucket of a histogram.
    pub by_duration: Vec<u64>,
}

impl RequestCounts {
    /// The numbers that came on top. A counter that shrank has counted nothing.
    fn since(&self, before: &Self) -> Self {
        let mut since = self.clone();
        let outcomes = since.by_outcome.iter_mut().zip(before.by_outcome);
        let durations = since.by_duration.iter_mut().zip(before.by_duration.iter().copied());
        outcomes.chain(durations).for_each(|(now, before)| *now = now.saturating_sub(before));
        since.rejected = self.rejected.saturating_sub(before.rejected);
        since
    }

    /// The sum of several.
    #[must_use]
    pub fn sum<'c>(counts: impl IntoIterator<Item = &'c Self>) -> Self {
        let mut sum = Self::default();
        for counts in counts {
            sum.by_outcome.iter_mut().zip(counts.by_outcome).for_each(|(sum, count)| *sum += count);
            sum.by_duration.resize(sum.by_duration.len().max(counts.by_duration.len()), 0);
            sum.by_duration.iter_mut().zip(&counts.by_duration).for_each(|(sum, count)| *sum += count);
            sum.rejected += counts.rejected;
        }
        sum
    }
}

/// The numbers of the last hour.
pub struct LastHour {
    /// Reads the counters.
    read: Box<dyn Fn() -> RequestCounts + Send + Sync>,
    started: Instant,
    /// The part of a minute that had passed at the start: minutes begin as those of a clock do.
    phase: Duration,
    begun: Mutex<BegunMinutes>,
}

/// The counters at the beginning of each minute, the oldest first; never empty.
struct BegunMinutes {
    /// The number of the latest minute.
    latest: u64,
    counters: VecDeque<RequestCounts>,
}

impl LastHour {
    /// Begins now, with the counters as they are.
    #[must_use]
    pub fn new(read: impl Fn() -> RequestCounts + Send + Sync + 'static) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::begun_at(Duration::from_secs(since_1970.as_secs() % MINUTE.as_secs()), read)
    }

    fn begun_at(phase: Duration, read: impl Fn() -> RequestCounts + Send + Sync + 'static) -> Self {
        let begun = BegunMinutes { latest: 0, counters: VecDeque::from([read()]) };
        Self { read: Box::new(read), started: Instant::now(), phase, begun: Mutex::new(begun) }
    }

    /// Reads the counters if a minute has begun since they were last read. Returns how long the current one still lasts.
    pub fn note(&self) -> Duration {
        let clock = self.clock();
        self.note_at(clock);
        MINUTE - Duration::from_nanos((clock.as_nanos() % MINUTE.as_nanos()) as u64)
    }

    /// The numbers of each minute, the oldest first: those of the last hour, or since the start, and the minute that has begun.
    #[must_use]
    pub fn minutes(&self) -> Vec<RequestCounts> {
        self.minutes_at(self.clock())
    }

    /// Minutes by the clock, from that of the start.
    fn clock(&self) -> Duration {
        self.phase + self.started.elapsed()
    }

    fn note_at(&self, clock: Duration) {
        let minute = clock.as_secs() / MINUTE.as_secs();
        let mut begun = self.lock();
        if minute > begun.latest {
            begun.advance(minute, &(self.read)());
        }
    }

    fn minutes_at(&self, clock: Duration) -> Vec<RequestCounts> {
        self.note_at(clock);
        self.lock().until(&(self.read)())
    }

    fn lock(&self) -> MutexGuard<'_, BegunMinutes> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BegunMinutes {
    /// Minutes begin. Of several, the requests since the last reading are those of the first.
    fn advance(&mut self, minute: u64, now: &RequestCounts) {
        let missed = usize::try_from(minute - self.latest).unwrap_or(usize::MAX);
        for _ in 0..missed.min(MINUTES + 1) {
            if self.counters.len() > MINUTES {
                self.counters.pop_front();
            }
            self.counters.push_back(now.clone());
        }
        self.latest = minute;
    }

    fn until(&self, now: &RequestCounts) -> Vec<RequestCounts> {
        let ends = self.counters.iter().skip(1).chain(iter::once(now));
        self.counters.iter().zip(ends).map(|(begin, end)| end.since(begin)).collect()
    }
}

/// The duration that this share of the requests did not exceed, by their numbers in the buckets of a histogram with these upper bounds.
/// As in Prometheus' `histogram_quantile`, the requests of a bucket are taken to lie evenly in it, and those beyond the last bound at it.
#[must_use]
pub fn quantile(counts: &[u64], bounds: &[f64], share: f64) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = share * total as f64;
    let (mut below, mut lower) = (0.0, 0.0);
    for (count, upper) in counts.iter().zip(bounds) {
        let count = *count as f64;
        if count > 0.0 && below + count >= rank {
            return Some(lower + (upper - lower) * (rank - below) / count);
        }
        (below, lower) = (below + count, *upper);
    }
    bounds.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// The last hour of a process that began this many seconds after a minute did, and the counter that it reads: the first of all.
    fn begun(phase: u64) -> (LastHour, Arc<AtomicU64>) {
        let counter = Arc::new(AtomicU64::new(7));
        let read = Arc::clone(&counter);
        let counts = move || {
            let count = read.load(Ordering::Relaxed);
            RequestCounts { by_outcome: [count, 0, 0, 0], rejected: count, by_duration: vec![0, count] }
        };
        (LastHour::begun_at(Duration::from_secs(phase), counts), counter)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The numbers of each minute.
    fn shown(hour: &LastHour, clock: u64) -> Vec<u64> {
        hour.minutes_at(seconds(clock)).iter().map(|counts| counts.by_outcome[0]).collect()
    }

    #[test]
    fn the_first_minute_is_there_before_any_request_and_counts_from_the_start() {
        let (hour, counter) = begun(50);
        assert_eq!(
            hour.minutes_at(seconds(50)),
            [RequestCounts { by_duration: vec![0, 0], ..RequestCounts::default() }]
        );
        counter.fetch_add(3, Ordering::Relaxed);
        let three = RequestCounts { by_outcome: [3, 0, 0, 0], rejected: 3, by_duration: vec![0, 3] };
        assert_eq!(hour.minutes_at(seconds(59)), [three], "what came before the start is not shown");
        assert_eq!(shown(&hour, 60), [3, 0], "a minute of the clock has begun");
        assert!(hour.note() <= seconds(10), "the first minute is shorter");
    }

    #[test]
    fn each_minute_has_its_own_number_and_an_hour_of_them_is_kept() {
        let (hour, counter) = begun(0);
        for minute in 0..500 {
            hour.note_at(seconds(60 * minute));
            counter.fetch_add(minute, Ordering::Relaxed);
        }
        let minutes = shown(&hour, 60 * 499 + 59);
        assert_eq!(minutes, (439..500).collect::<Vec<_>>());
        assert!(hour.lock().counters.capacity() <= 128, "the ring does not grow");
    }

    #[test]
    fn an_idle_hour_and_a_reader_that_comes_late_are_no_gap() {
        let (hour, counter) = begun(0);
        counter.fetch_add(5, Ordering::Relaxed);
        assert_eq!(shown(&hour, 60 * 3), [5, 0, 0, 0], "what came since the last reading is the first minute's");
        let idle = shown(&hour, 60 * 90);
        assert_eq!((idle.len(), idle.iter().sum::<u64>()), (61, 0));
        counter.fetch_add(1, Ordering::Relaxed);
        assert_eq!(shown(&hour, 60 * 90 + 1).last(), Some(&1));
        let long = u64::MAX / 2;
        assert_eq!(shown(&hour, long).len(), 61, "however long it was");
        // A clock that seems to go back, and a counter that shrinks, take nothing away.
        counter.store(0, Ordering::Relaxed);
        assert_eq!(shown(&hour, 60), vec![0; 61]);
    }

    #[test]
    fn sums_and_quantiles_are_those_of_the_buckets() {
        let bounds = [1.0, 2.0, 4.0];
        let of = |by_duration: &[u64]| RequestCounts { by_duration: by_duration.to_vec(), ..RequestCounts::default() };
        assert_eq!(RequestCounts::sum(&[of(&[1, 2]), of(&[0, 1, 4])]).by_duration, [1, 3, 4]);
        for (counts, share, expected) in [
            (&[0, 0, 0, 0][..], 0.5, None),
            (&[], 0.5, None),
            (&[4, 0, 0, 0], 0.5, Some(0.5)),
            (&[0, 4, 0, 0], 0.5, Some(1.5)),
            (&[1, 1, 2, 0], 0.5, Some(2.0)),
            (&[2, 0, 2, 0], 0.75, Some(3.0)),
            (&[0, 0, 0, 9], 0.5, Some(4.0)),
            (&[19, 0, 0, 1], 0.95, Some(1.0)),
        ] {
            assert_eq!(quantile(counts, &bounds, share), expected, "{counts:?} {share}");
        }
    }
}

//! The places of all connections, and which of them gives way to a new one.
//!
//! A connection that has sent no whole request gives way first: it has nothing to lose, and an attacker can have any number of them. So
//! silent clients drive out only silent clients. Without such a connection, one that waits between two requests gives way. A connection with
//! a request in flight never does.
//!
//! The table is locked when a connection is accepted and when it ends, and never for a request.

use crate::drivers::place::{Held, Place, Standing};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The time that a new client may take for its handshake and its first head: some round trips.
///
/// While all are younger, the newest gives way instead of the oldest: a flood that fills all places in less time drives out itself, and
/// not the clients that came before it and are about to ask.
const GRACE: Duration = Duration::from_millis(250);

/// The number of connections that had requests which are looked at for one that waits. A flood must not make each accept look at ten
/// thousand; the next accept goes on where this one ended.
const LOOKS: usize = 256;

/// The places that are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<Rows>>);

/// Each connection by its number, which is in the order of accept.
#[derive(Debug, Default)]
struct Rows {
    next: u64,
    /// Connections that had no request when they were looked at last.
    unserved: BTreeMap<u64, (Instant, Held)>,
    /// Connections that had one.
    served: BTreeMap<u64, Held>,
    /// The beginning of the next search among these.
    cursor: u64,
}

/// A place that is taken, until it is dropped: a panic drops it too.
#[derive(Debug)]
pub(super) struct Taken {
    places: Places,
    number: u64,
}

impl Places {
    /// Takes one of so many places: a free one, or that of a connection that can give it up. `None` where none can.
    pub(super) fn take(&self, most: usize, now: Instant) -> Option<(Place, Taken)> {
        let (place, held) = Place::new();
        let mut rows = self.rows();
        let leaving = if rows.len() < most { None } else { Some(rows.find_leaving(now)?) };
        let number = rows.next;
        rows.next += 1;
        rows.unserved.insert(number, (now, held));
        drop(rows);
        if let Some(leaving) = leaving {
            tracing::debug!(standing = ?leaving.standing(), "a connection gives way to a new one");
            leaving.call();
        }
        Some((place, Taken { places: self.clone(), number }))
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut rows = self.places.rows();
        // One that was asked to go is in neither.
        if rows.unserved.remove(&self.number).is_none() {
            rows.served.remove(&self.number);
        }
    }
}

impl Rows {
    fn len(&self) -> usize {
        self.unserved.len() + self.served.len()
    }

    /// Takes out the connection that has the least to lose.
    fn find_leaving(&mut self, now: Instant) -> Option<Held> {
        self.find_unserved(now).or_else(|| self.find_waiting())
    }

    /// Each connection that turns out to have had a request is moved, once in its life: with all accepts together, this takes no more
    /// steps than there are connections.
    fn find_unserved(&mut self, now: Instant) -> Option<Held> {
        loop {
            let oldest = self.unserved.first_entry()?;
            let is_young = now.saturating_duration_since(oldest.get().0) < GRACE;
            let (number, (_, held)) = if is_young { self.unserved.pop_last()? } else { oldest.remove_entry() };
            if held.standing() == Standing::Unserved {
                return Some(held);
            }
            self.served.insert(number, held);
        }
    }

    fn find_waiting(&mut self) -> Option<Held> {
        let from_cursor = self.served.range(self.cursor..).chain(self.served.range(..self.cursor));
        let mut last = self.cursor;
        let waits = |(number, held): &(&u64, &Held)| {
            last = **number;
            held.standing() == Standing::Waiting
        };
        let found = from_cursor.take(LOOKS).find(waits).map(|(number, _)| *number);
        self.cursor = last.saturating_add(1);
        self.served.remove(&found?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Waker};

    const OLD: Duration = Duration::from_secs(1);

    fn is_called(place: &mut Place) -> bool {
        place.poll_called(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Places that are all taken, and the time when they have been for long.
    fn full(count: usize) -> (Places, Vec<(Place, Taken)>, Instant) {
        let (places, now) = (Places::default(), Instant::now());
        let taken = (0..count).map(|_| places.take(count, now).unwrap()).collect();
        (places, taken, now + OLD)
    }

    fn called(taken: &mut [(Place, Taken)]) -> Vec<usize> {
        let called = taken.iter_mut().enumerate().filter_map(|(index, (place, _))| is_called(place).then_some(index));
        called.collect()
    }

    #[test]
    fn the_oldest_goes_that_has_sent_no_request_and_then_any_that_waits() {
        let (places, mut taken, now) = full(4);
        taken[0].0.set_busy();
        taken[1].0.set_busy();
        taken[1].0.set_waiting();
        let mut newer = Vec::new();
        for expected in [&[2][..], &[2, 3], &[1, 2, 3]] {
            newer.push(places.take(4, now).unwrap());
            newer.last().unwrap().0.set_busy();
            assert_eq!(called(&mut taken), expected);
        }
        assert!(places.take(4, now).is_none(), "all have a request");
        assert!(called(&mut newer).is_empty());
    }

    #[test]
    fn in_a_flood_those_that_came_before_keep_their_time() {
        let (places, mut taken, now) = full(4);
        let mut last = places.take(4, now - OLD).unwrap();
        assert_eq!(called(&mut taken), [3]);
        for _ in 0..1_000 {
            let next = places.take(4, now - OLD).unwrap();
            assert!(is_called(&mut last.0));
            last = next;
        }
        assert_eq!(called(&mut taken), [3]);
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let (places, taken, now) = full(4);
        taken.iter().for_each(|(place, _)| place.set_busy());
        assert!(places.take(4, now).is_none());
        drop(taken);
        assert_eq!(places.rows().len(), 0);
        let again: Vec<_> = (0..4).map(|_| places.take(4, now).unwrap()).collect();
        again.iter().for_each(|(place, _)| place.set_busy());
        assert!(places.take(4, now).is_none());
    }

    #[test]
    fn one_that_waits_among_many_is_found_by_several_looks() {
        let (places, taken, now) = full(10 * LOOKS);
        taken.iter().for_each(|(place, _)| place.set_busy());
        taken.last().unwrap().0.set_waiting();
        let looks = (1..=20).find(|_| places.take(10 * LOOKS, now).is_some());
        assert_eq!(looks, Some(10));
    }

    #[test]
    fn the_call_stays() {
        let (places, mut taken, now) = full(1);
        let _newer = places.take(1, now).unwrap();
        assert!(is_called(&mut taken[0].0) && is_called(&mut taken[0].0));
    }

    #[test]
    fn a_place_that_no_one_asks_for_is_never_called() {
        assert!(!is_called(&mut Place::default()));
    }
}

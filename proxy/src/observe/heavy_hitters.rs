//! The most frequent of many keys, in memory that does not grow, with a bound on the error that holds for every input.
//!
//! Space-saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005): a new key
//! takes the place of the least frequent one and begins with its count, which is then the new key's possible error. Before that, the
//! filter of Homem and Carvalho (Finding top-k elements in data streams, 2010) counts keys without a place, several in one cell, so
//! that keys that come once hardly ever take a place. What holds for every key:
//!
//! * `count` is never less than the truth, and `count - error` never more.
//! * After N keys, no error is more than N / places, and a key that came more often than that has a place.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

/// How many cells count the keys without a place: half a megabyte, of which a process without rejections touches nothing.
const CELLS: usize = 1 << 17;

/// A bounded table of the most frequent keys, each with a value of its own.
#[derive(Debug)]
pub(super) struct HeavyHitters<T> {
    places: usize,
    /// Where each key with a place is.
    index: HashMap<Arc<str>, usize, RandomState>,
    /// The places, the most frequent first.
    held: Vec<Held<T>>,
    /// Of the keys without a place, what each of a cell came at most. The index's hasher is seeded: no client can aim at a cell.
    cells: Box<[u32]>,
    /// The key that is looked up, kept so that a known one allocates nothing.
    key: String,
}

/// A key with a place.
#[derive(Debug)]
pub(super) struct Held<T> {
    key: Arc<str>,
    /// How often the key came, at most.
    pub(super) count: u64,
    /// By how much `count` can be too high.
    pub(super) error: u64,
    pub(super) value: T,
}

/// What came of counting a key.
pub(super) struct Counted<'h, T> {
    /// The value of the key, if it has a place.
    pub(super) held: Option<&'h mut T>,
    /// The value of the key that lost its place to it.
    pub(super) displaced: Option<T>,
}

impl<T> HeavyHitters<T> {
    pub(super) fn new(places: usize) -> Self {
        let cells = vec![0; CELLS].into_boxed_slice();
        Self { places, index: HashMap::default(), held: Vec::new(), cells, key: String::new() }
    }

    /// Counts a key, by its parts, of which none but the last may have a 0 byte in it. One that takes a place gets this value.
    pub(super) fn count(&mut self, parts: &[&str], value: impl FnOnce() -> T) -> Counted<'_, T> {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        for (place, part) in parts.iter().enumerate() {
            key.push_str(if place > 0 { "\0" } else { "" });
            key.push_str(part);
        }
        let found = self.place(&key, value);
        self.key = key;
        match found {
            Ok((place, displaced)) => Counted { held: self.increment(place), displaced },
            Err(NoPlace) => Counted { held: None, displaced: None },
        }
    }

    /// The place of a key, and the value that lost it to the key.
    fn place(&mut self, key: &str, value: impl FnOnce() -> T) -> Result<(usize, Option<T>), NoPlace> {
        if let Some(place) = self.index.get(key) {
            return Ok((*place, None));
        }
        if self.held.len() < self.places {
            return Ok((self.add(key, 0, value()), None));
        }
        let (error, displaced) = self.displace(key)?;
        Ok((self.add(key, error, value()), Some(displaced)))
    }

    /// The keys with a place, the most frequent first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Held<T>> {
        self.held.iter()
    }

    fn add(&mut self, key: &str, error: u64, value: T) -> usize {
        let (key, place) = (Arc::<str>::from(key), self.held.len());
        self.index.insert(Arc::clone(&key), place);
        self.held.push(Held { key, count: error, error, value });
        place
    }

    /// Frees the last place, if this key has now come more often than its owner; otherwise it is counted in its cell. Returns the error
    /// that the key begins with.
    fn displace(&mut self, key: &str) -> Result<(u64, T), NoPlace> {
        let least = self.held.last().map(|held| held.count).ok_or(NoPlace)?;
        let cell = self.cell(key).ok_or(NoPlace)?;
        if let Some(more) = cell.checked_add(1).filter(|more| u64::from(*more) <= least) {
            *cell = more;
            return Err(NoPlace);
        }
        let last = self.held.pop().ok_or(NoPlace)?;
        self.index.remove(&last.key);
        if let Some(cell) = self.cell(&last.key) {
            *cell = u32::try_from(last.count).unwrap_or(u32::MAX);
        }
        // No key without a place came more often than the least count: such a key takes a place, and the least count never shrinks.
        Ok((least, last.value))
    }

    fn cell(&mut self, key: &str) -> Option<&mut u32> {
        let hash = self.index.hasher().hash_one(key);
        let cell = hash as usize % self.cells.len().max(1);
        self.cells.get_mut(cell)
    }

    /// Adds one to the count at a place. The key changes places with the first of those that had the same count, which keeps the order.
    fn increment(&mut self, place: usize) -> Option<&mut T> {
        let count = self.held.get(place)?.count;
        let first = self.held.partition_point(|held| held.count > count);
        if first != place {
            self.held.swap(first, place);
            for moved in [first, place] {
                let now = self.held.get(moved).and_then(|held| self.index.get_mut(&held.key));
                now.into_iter().for_each(|now| *now = moved);
            }
        }
        let held = self.held.get_mut(first)?;
        held.count += 1;
        Some(&mut held.value)
    }
}

/// The key gets no place.
struct NoPlace;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(places: usize, keys: impl Iterator<Item = String>) -> HeavyHitters<()> {
        let mut table = HeavyHitters::new(places);
        for key in keys {
            table.count(&[&key], || ());
        }
        table
    }

    /// A table with few cells, so that many keys without a place share one.
    fn crowded(places: usize, cells: usize) -> HeavyHitters<()> {
        HeavyHitters { cells: vec![0; cells].into_boxed_slice(), ..HeavyHitters::new(places) }
    }

    /// Everything that the table promises, against the exact counts.
    fn check(table: &HeavyHitters<()>, exact: &HashMap<String, u64>) -> Result<(), TestCaseError> {
        let all: u64 = exact.values().sum();
        let bound = all / table.places.max(1) as u64;
        prop_assert!(table.held.len() <= table.places);
        prop_assert!(table.held.is_sorted_by(|one, next| one.count >= next.count));
        for (place, held) in table.held.iter().enumerate() {
            let truth = exact[&*held.key];
            prop_assert!(held.count >= truth && held.count - held.error <= truth, "{} {truth}: {held:?}", held.key);
            prop_assert!(held.error <= bound, "{} > {bound}", held.error);
            prop_assert_eq!(table.index[&held.key], place);
        }
        prop_assert_eq!(table.index.len(), table.held.len());
        for (key, truth) in exact.iter().filter(|(_, truth)| **truth > bound) {
            prop_assert!(table.places == 0 || table.index.contains_key(&**key), "{key} came {truth} times");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_count_is_off_by_more_than_its_error_and_no_frequent_key_is_missing(
            (places, cells) in (0_usize..12, 1_usize..40),
            keys in prop::collection::vec(prop_oneof![0_u32..6, 0_u32..40, 0_u32..5000], 0..3000),
        ) {
            let mut exact = HashMap::new();
            let mut table = crowded(places, cells);
            for key in keys {
                let key = key.to_string();
                let counted = table.count(&[&key], || ());
                prop_assert!(counted.displaced.is_none() || counted.held.is_some());
                *exact.entry(key).or_insert(0_u64) += 1;
            }
            check(&table, &exact)?;
        }
    }

    #[test]
    fn a_million_keys_that_come_once_hide_none_that_comes_often() {
        // The frequent ones come late, after the table is full of others, and each is one in a thousand.
        let junk = |numbers: std::ops::Range<u32>| numbers.map(|number| format!("junk {number}"));
        let frequent = (0..5_u32).flat_map(|key| (0..2_000 + key * 100).map(move |_| format!("frequent {key}")));
        let table = counted(1_000, junk(0..500_000).chain(frequent).chain(junk(500_000..1_000_000)));
        assert!(table.held.len() == 1_000 && table.index.capacity() < 4_000, "memory is flat");
        for (held, key) in table.iter().zip((0..5_u32).rev()) {
            let truth = u64::from(2_000 + key * 100);
            assert_eq!(&*held.key, format!("frequent {key}"));
            assert!(held.count >= truth && held.count - held.error <= truth, "{held:?}");
            assert!(held.count - truth <= truth / 100, "{truth}: {held:?}");
        }
    }
}

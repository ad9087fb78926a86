//! Numbered entries, found by the hash of their keys.
//!
//! Decides: which entries may have a key. Must not know: the keys, which are compared by who asks.

/// Entries by hash. It holds numbers only, so that it takes eight bytes an entry: thousands of tables have one.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    /// The last entry of each chain, by the low bits of the hash; a power of two of them, or none.
    heads: Box<[Link]>,
    /// The entry before each entry in its chain.
    before: Vec<Link>,
}

/// An entry's number plus one; 0 is no entry.
type Link = u32;

impl Chains {
    /// Room for this many entries, whose numbers begin at 0.
    pub(super) fn with_room(entries: usize) -> Self {
        let heads = if entries == 0 { 0 } else { entries.next_power_of_two() };
        Self { heads: vec![0; heads].into(), before: Vec::with_capacity(entries) }
    }

    /// Returns true if no entry can be found.
    pub(super) fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Adds the next entry. One without a hash is only counted.
    #[expect(clippy::expect_used, reason = "four billion origins do not fit into the memory of a machine")]
    pub(super) fn push(&mut self, hash: Option<u64>) {
        let entry = u32::try_from(self.before.len() + 1).expect("fewer than four billion entries");
        let place = hash.map(|hash| self.place(hash));
        let head = place.and_then(|place| self.heads.get_mut(place));
        self.before.push(head.map(|head| std::mem::replace(head, entry)).unwrap_or_default());
    }

    /// The entries that may have this hash, the last one first.
    pub(super) fn at(&self, hash: u64) -> impl Iterator<Item = usize> {
        let mut next = self.heads.get(self.place(hash)).copied().unwrap_or_default();
        std::iter::from_fn(move || {
            let entry = usize::try_from(next).ok()?.checked_sub(1)?;
            next = self.before.get(entry).copied().unwrap_or_default();
            Some(entry)
        })
    }

    /// The chain of a hash. Without chains it is one that is not there.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
    const fn place(&self, hash: u64) -> usize {
        hash as usize & self.heads.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_their_hash() {
        let hashes = [Some(0), Some(5), None, Some(0), Some(1 << 40), Some(u64::MAX)];
        let mut chains = Chains::with_room(hashes.len());
        hashes.into_iter().for_each(|hash| chains.push(hash));
        for (entry, hash) in hashes.into_iter().enumerate() {
            let found = hash.is_some_and(|hash| chains.at(hash).any(|found| found == entry));
            assert_eq!(found, hash.is_some(), "{entry}");
        }
        assert_eq!(chains.at(0).collect::<Vec<_>>(), [4, 3, 0]);
        assert_eq!(chains.at(2).count(), 0);
    }

    #[test]
    fn without_entries_none_is_found() {
        let chains = Chains::with_room(0);
        assert!(chains.is_empty() && chains.at(0).chain(chains.at(u64::MAX)).next().is_none());
    }
}

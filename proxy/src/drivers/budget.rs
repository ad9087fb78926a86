//! Memory that all clients together may take for one purpose, and a body that is kept whole in it.

use crate::exchange::Failure;
use bytes::{Bytes, BytesMut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory for one purpose.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    most: usize,
}

/// The budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UsedUp;

impl Budget {
    pub(crate) const fn new(most: usize) -> Self {
        Self { used: AtomicUsize::new(0), most }
    }

    /// Begins a share, of nothing yet.
    pub(crate) const fn share(&self) -> Share<'_> {
        Share { budget: self, bytes: 0 }
    }
}

/// The part of a budget that one client takes, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share<'b> {
    budget: &'b Budget,
    bytes: usize,
}

impl Share<'_> {
    /// Takes as much as is held now.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), UsedUp> {
        let more = bytes.saturating_sub(self.bytes);
        self.bytes += more;
        let used = self.budget.used.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if used > self.budget.most { Err(UsedUp) } else { Ok(()) }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A request's body that is kept whole.
#[derive(Debug)]
pub(super) struct KeptBody<'b> {
    bytes: BytesMut,
    share: Share<'b>,
}

impl<'b> KeptBody<'b> {
    pub(super) fn new(budget: &'b Budget) -> Self {
        Self { bytes: BytesMut::new(), share: budget.share() }
    }

    /// Adds what came. The memory is taken before it is used.
    pub(super) fn append(&mut self, data: &[u8]) -> Result<(), Failure> {
        let length = self.bytes.len() + data.len();
        if length > self.bytes.capacity() {
            // Twice as much each time, so that a body in drops is not copied for each of them.
            let capacity = length.next_power_of_two();
            self.share.grow(capacity).map_err(|UsedUp| Failure::TooManyBodies)?;
            self.bytes.reserve(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The whole body, and the memory that it takes for as long as the share is kept.
    pub(super) fn into_parts(self) -> (Bytes, Share<'b>) {
        (self.bytes.freeze(), self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shares_together_are_bounded_and_given_back() {
        let budget = Budget::new(100);
        let (mut first, mut second) = (budget.share(), budget.share());
        assert_eq!((first.grow(60), second.grow(40), first.grow(50)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(second.grow(41), Err(UsedUp));
        drop(second);
        assert_eq!(first.grow(100), Ok(()));
        drop(first);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_body_takes_its_memory_before_it_uses_it() {
        let budget = Budget::new(1024);
        let (mut first, mut second) = (KeptBody::new(&budget), KeptBody::new(&budget));
        for _ in 0..300 {
            first.append(b"x").unwrap();
        }
        assert_eq!((budget.used.load(Ordering::Relaxed), first.len()), (512, 300));
        second.append(&[b'y'; 400]).unwrap();
        assert_eq!(second.append(&[b'y'; 200]), Err(Failure::TooManyBodies));
        assert_eq!(second.len(), 400);
        drop(second);
        let (bytes, share) = first.into_parts();
        assert_eq!((bytes.len(), budget.used.load(Ordering::Relaxed)), (300, 512));
        drop(share);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }
}

//! Under which name, and with which value of a header, requests of a kind were last accepted.
//!
//! The table is bounded and takes no lock. It only says what is asked first: the upstream stays the judge of each signature, so that a wrong
//! entry costs a question and nothing else.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// The most kinds that are remembered. Two kinds may share a place, and then the later one has it.
const PLACES: usize = 8 * 1024;
/// The bits of an entry that are not the kind's own.
const VALUE_BITS: u32 = 16;

/// A form of a request: how it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// The name, by its index.
    pub(super) name: u8,
    /// The value of the header that is restored, by its index; 0 is as it came.
    pub(super) encoding: u8,
}

/// A form that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RememberedForm {
    pub(super) form: Form,
    /// Set if it was accepted; else another one was refused.
    pub(super) is_confirmed: bool,
    /// Set if requests of the kind come in several forms, so that what was accepted once says little about the next.
    pub(super) is_mixed: bool,
}

impl RememberedForm {
    /// Name and value have three bits each.
    fn to_bits(self) -> u64 {
        let Self { form: Form { name, encoding }, is_confirmed, is_mixed } = self;
        let value = 0x80 | (u8::from(is_confirmed) << 6) | ((encoding & 7) << 3) | (name & 7);
        u64::from(is_mixed) << 8 | u64::from(value)
    }

    fn of_bits(bits: u64) -> Option<Self> {
        let [.., mixed, value] = bits.to_be_bytes();
        let form = Form { name: value & 7, encoding: value >> 3 & 7 };
        (value & 0x80 != 0).then_some(Self { form, is_confirmed: value & 0x40 != 0, is_mixed: mixed & 1 != 0 })
    }
}

/// A kind of requests: for one host, by one access key, signed in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SignedKind(u64);

/// The forms that were accepted, by kind.
pub(super) struct Remembered {
    /// Random for each process: no one can choose names that share a place.
    hasher: RandomState,
    places: Box<[AtomicU64]>,
}

impl Remembered {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), places: (0..PLACES).map(|_| AtomicU64::new(0)).collect() }
    }

    pub(super) fn kind(&self, of: impl Hash) -> SignedKind {
        SignedKind(self.hasher.hash_one(of))
    }

    pub(super) fn form(&self, kind: SignedKind) -> Option<RememberedForm> {
        let found = self.place(kind)?.load(Ordering::Relaxed);
        if found >> VALUE_BITS == kind.0 >> VALUE_BITS { RememberedForm::of_bits(found) } else { None }
    }

    pub(super) fn remember(&self, kind: SignedKind, form: RememberedForm) {
        if let Some(place) = self.place(kind) {
            place.store(kind.0 >> VALUE_BITS << VALUE_BITS | form.to_bits(), Ordering::Relaxed);
        }
    }

    /// The low bits choose the place, and are no part of the entry.
    fn place(&self, kind: SignedKind) -> Option<&AtomicU64> {
        self.places.get(usize::try_from(kind.0).ok()? % PLACES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_remembered_for_its_kind_alone() {
        let table = Remembered::new();
        let [one, other] = ["one", "other"].map(|kind| table.kind(kind));
        assert_eq!(table.form(one), None);
        for (name, encoding, is_confirmed) in [(0, 0, true), (7, 0, false), (0, 7, true), (3, 5, false)] {
            let form = RememberedForm { form: Form { name, encoding }, is_confirmed, is_mixed: name == 7 };
            table.remember(one, form);
            assert_eq!((table.form(one), table.form(other)), (Some(form), None));
        }
    }

    #[test]
    fn of_two_kinds_in_one_place_the_later_is_remembered() {
        let table = Remembered::new();
        let form = |name| RememberedForm { form: Form { name, encoding: 0 }, is_confirmed: true, is_mixed: false };
        let (one, other) = (SignedKind(1 << 50), SignedKind(1 << 51));
        table.remember(one, form(1));
        table.remember(other, form(2));
        assert_eq!((table.form(one), table.form(other)), (None, Some(form(2))));
    }
}

//! The keys that sign grants.
//!
//! Decides: which key signs and which one a token names. Must not know: what is signed, or where keys are kept.

use ring::digest::{Context, SHA256};
use ring::hmac::{HMAC_SHA256, Key};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;

/// Makes the hash one of our own, so that a key's name matches no hash of the key that a different program shows.
const LABEL: &[u8] = b"s3cors grant key id v1\0";

/// The bytes of a key's name.
pub(super) const ID_LENGTH: usize = 4;

/// The name of a key in tokens. It reveals nothing of the key.
pub(super) type KeyId = [u8; ID_LENGTH];

/// The system has no random bytes for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no random bytes for the key of grants: set grants.key_file")]
pub struct NoRandomBytes;

/// A key with its name.
pub(super) struct GrantKey {
    id: KeyId,
    key: Key,
}

impl GrantKey {
    fn new(bytes: &[u8; 32]) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(LABEL);
        hash.update(bytes);
        let mut id = KeyId::default();
        id.iter_mut().zip(hash.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Self { id, key: Key::new(HMAC_SHA256, bytes) }
    }

    pub(super) const fn id(&self) -> KeyId {
        self.id
    }

    pub(super) const fn hmac(&self) -> &Key {
        &self.key
    }
}

/// The keys of grants. The first signs and each of them verifies, so that a key can be replaced while its tokens still hold.
pub struct GrantKeys {
    first: GrantKey,
    others: Box<[GrantKey]>,
}

impl GrantKeys {
    /// The keys of a file, in its order; `None` without a key.
    #[must_use]
    pub fn of(keys: &[[u8; 32]]) -> Option<Self> {
        let (first, others) = keys.split_first()?;
        Some(Self { first: GrantKey::new(first), others: others.iter().map(GrantKey::new).collect() })
    }

    /// A key that only this process has.
    ///
    /// # Errors
    /// [`NoRandomBytes`] where the system has none.
    pub fn random() -> Result<Self, NoRandomBytes> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomBytes)?;
        Ok(Self { first: GrantKey::new(&bytes), others: Box::default() })
    }

    pub(super) const fn signing(&self) -> &GrantKey {
        &self.first
    }

    /// The keys with this name. Two keys can have the same one.
    pub(super) fn named(&self, id: KeyId) -> impl Iterator<Item = &GrantKey> {
        std::iter::once(&self.first).chain(&self.others).filter(move |key| key.id == id)
    }
}

/// A key must not reach a log.
impl fmt::Debug for GrantKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantKeys({})", 1 + self.others.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_key_signs_and_each_is_found_by_its_name() {
        let keys = GrantKeys::of(&[[1; 32], [2; 32], [3; 32]]).unwrap();
        let ids = [1, 2, 3].map(|byte| GrantKey::new(&[byte; 32]).id());
        assert_eq!(keys.signing().id(), ids[0]);
        for id in ids {
            assert_eq!(keys.named(id).map(GrantKey::id).collect::<Vec<_>>(), [id]);
        }
        assert_eq!(keys.named(GrantKey::new(&[4; 32]).id()).count(), 0);
        assert!(GrantKeys::of(&[]).is_none());
    }

    #[test]
    fn a_key_given_twice_is_found_twice() {
        let keys = GrantKeys::of(&[[1; 32], [1; 32]]).unwrap();
        assert_eq!(keys.named(keys.signing().id()).count(), 2);
    }

    /// The name is a promise to other processes with the same file: `sha256("s3cors grant key id v1\0" + key)`, its first four bytes.
    #[test]
    fn the_name_of_a_key_is_the_same_in_every_process() {
        assert_eq!(GrantKey::new(&[0; 32]).id(), [0xc0, 0xf4, 0xb3, 0x93]);
    }

    #[test]
    fn no_two_processes_have_the_same_random_key() {
        let ids: BTreeSet<_> = (0..8).map(|_| GrantKeys::random().unwrap().signing().id()).collect();
        assert_eq!(ids.len(), 8);
    }

    #[test]
    fn no_key_is_shown() {
        assert_eq!(format!("{:?}", GrantKeys::of(&[[7; 32], [8; 32]]).unwrap()), "GrantKeys(2)");
    }
}

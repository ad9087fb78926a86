//! The cryptography of the process: which library does what, and which groups a key exchange may have.
//!
//! Decides: graviola where the processor can run it, ring where not. graviola's X25519 and elliptic signatures are faster than ring's,
//! and ring has no ML-KEM (rustls#2801).

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::graviola::{features, preferred_over};
use crate::config::PostQuantum;
use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, ring};
use std::sync::Arc;

/// The cryptography that a process has settled on.
#[derive(Debug)]
pub struct Settled {
    /// The features that the processor lacks for graviola; none where it is used.
    pub missing: Vec<&'static str>,
    /// The groups of a key exchange, the preferred one first.
    pub groups: Vec<NamedGroup>,
}

impl Settled {
    /// The library for key exchange and elliptic signatures.
    #[must_use]
    pub const fn library(&self) -> &'static str {
        if self.missing.is_empty() { "graviola" } else { "ring" }
    }

    /// True if a key exchange can resist quantum computers.
    #[must_use]
    pub fn is_post_quantum(&self) -> bool {
        self.groups.contains(&NamedGroup::X25519MLKEM768)
    }
}

/// Settles the cryptography of all TLS in this process, Pingora's too. Only the first call has an effect.
#[must_use]
pub fn settle(post_quantum: PostQuantum) -> Settled {
    let missing = missing(&features());
    // It fails where it is settled already. Pingora would install ring otherwise.
    let _ = provider(post_quantum, &missing).install_default();
    Settled { missing, groups: current().kx_groups.iter().map(|group| group.name()).collect() }
}

/// The provider that was settled. A command, which has no configuration, offers only the classical groups: in a network that drops a large
/// first message it would have no way out.
pub(super) fn current() -> Arc<CryptoProvider> {
    let settled = CryptoProvider::get_default().cloned();
    settled.unwrap_or_else(|| Arc::new(provider(PostQuantum::Off, &missing(&features()))))
}

fn provider(post_quantum: PostQuantum, missing: &[&str]) -> CryptoProvider {
    let ring = ring::default_provider();
    if missing.is_empty() { preferred_over(ring, post_quantum) } else { ring }
}

/// The names of the features that are not there.
fn missing(features: &[(&'static str, bool)]) -> Vec<&'static str> {
    features.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| *name).collect()
}

/// graviola has code for two kinds of processors.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> [(&'static str, bool); 1] {
    [("x86_64 or aarch64", false)]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn preferred_over(ring: CryptoProvider, _: PostQuantum) -> CryptoProvider {
    ring
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::NamedGroup::{X25519, X25519MLKEM768, secp256r1, secp384r1};

    fn groups(post_quantum: PostQuantum, missing: &[&str]) -> Vec<NamedGroup> {
        provider(post_quantum, missing).kx_groups.iter().map(|group| group.name()).collect()
    }

    #[test]
    fn a_processor_that_lacks_one_feature_has_ring_and_the_classical_groups() {
        let whole = features().map(|(name, _)| (name, true));
        assert!(missing(&whole).is_empty());
        for lacking in 0..whole.len() {
            let mut features = whole;
            features[lacking].1 = false;
            let found = missing(&features);
            assert_eq!(found, [whole[lacking].0]);
            for post_quantum in [PostQuantum::On, PostQuantum::Off] {
                assert_eq!(groups(post_quantum, &found), [X25519, secp256r1, secp384r1], "{found:?}");
            }
            assert_eq!(Settled { missing: found, groups: Vec::new() }.library(), "ring");
        }
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn the_hybrid_group_comes_first_unless_it_is_off() {
        assert_eq!(groups(PostQuantum::On, &[]), [X25519MLKEM768, X25519, secp256r1, secp384r1]);
        assert_eq!(groups(PostQuantum::Off, &[]), [X25519, secp256r1, secp384r1]);
        assert_eq!(Settled { missing: Vec::new(), groups: Vec::new() }.library(), "graviola");
    }
}

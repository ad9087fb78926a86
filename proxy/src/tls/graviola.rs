//! The part of graviola in the cryptography: X25519, X25519MLKEM768, and the signatures of elliptic keys.
//!
//! ring does everything else, as fast or faster: records, hashes, the curves of NIST, RSA, randomness. graviola's AES-GCM is faster only with
//! AVX-512, and less than half as fast without.

use crate::config::PostQuantum;
use rustls::crypto::{CryptoProvider, KeyProvider, SupportedKxGroup, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{Error, NamedGroup, SignatureAlgorithm};
use rustls_graviola::kx;
use std::sync::Arc;

/// The features of the processor that graviola uses without asking, as its README lists them. Its own check is the last: it panics over
/// what it lacks, and a later version may need more. That check alone passes a processor without BMI2, whose instructions it uses.
#[cfg(target_arch = "x86_64")]
pub(super) fn features() -> [(&'static str, bool); 9] {
    [
        ("aes", is_x86_feature_detected!("aes")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("ssse3", is_x86_feature_detected!("ssse3")),
        ("avx", is_x86_feature_detected!("avx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("bmi1", is_x86_feature_detected!("bmi1")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("adx", is_x86_feature_detected!("adx")),
        ("all that graviola needs", graviola::util::is_cpu_supported()),
    ]
}

/// The same for AArch64.
#[cfg(target_arch = "aarch64")]
pub(super) fn features() -> [(&'static str, bool); 5] {
    [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("aes", std::arch::is_aarch64_feature_detected!("aes")),
        ("pmull", std::arch::is_aarch64_feature_detected!("pmull")),
        ("sha2", std::arch::is_aarch64_feature_detected!("sha2")),
        ("all that graviola needs", graviola::util::is_cpu_supported()),
    ]
}

/// The provider with graviola's part in it. Must not be called where a feature is missing.
pub(super) fn preferred_over(ring: CryptoProvider, post_quantum: PostQuantum) -> CryptoProvider {
    let hybrid = (post_quantum == PostQuantum::On).then_some(kx::X25519MLKEM768);
    let x25519: &'static dyn SupportedKxGroup = &kx::X25519;
    let others = ring.kx_groups.iter().copied().filter(|group| group.name() != NamedGroup::X25519);
    let kx_groups = hybrid.into_iter().chain([x25519]).chain(others).collect();
    CryptoProvider { kx_groups, key_provider: &Elliptic, ..ring }
}

/// Loads elliptic keys for graviola, and the others for ring.
#[derive(Debug)]
struct Elliptic;

impl KeyProvider for Elliptic {
    /// ring decides which keys are accepted: a file that one machine accepts is accepted by all.
    fn load_private_key(&self, key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        let accepted = ring::default_provider().key_provider.load_private_key(key.clone_key())?;
        if accepted.algorithm() == SignatureAlgorithm::RSA {
            return Ok(accepted);
        }
        let faster = rustls_graviola::default_provider().key_provider.load_private_key(key).ok();
        // As for a certificate: both must know the key as the same one.
        let faster = faster.filter(|faster| faster.public_key() == accepted.public_key());
        Ok(faster.unwrap_or(accepted))
    }
}

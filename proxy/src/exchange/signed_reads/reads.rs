//! The prefixes that are signed for here, and everything that this needs.

use super::prefixes::ReadPrefixes;
use crate::config::{Config, EachUpstream, Grants};
use crate::exchange::grants::GrantKeys;
use crate::exchange::log_limiter::OncePerMinute;
use crate::s3::read_signer::LiveSigner;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// The prefixes that strangers may read, and what is needed to sign for them. One for the process.
pub(in crate::exchange) struct SignedReads {
    pub(super) prefixes: ReadPrefixes,
    pub(in crate::exchange) signers: EachUpstream<Arc<LiveSigner>>,
    pub(super) grants: Grants,
    pub(super) keys: ArcSwap<GrantKeys>,
    pub(super) refused_log: OncePerMinute,
    pub(super) missing_log: OncePerMinute,
}

/// The signer of requests, and the keys of tokens.
pub struct SigningParts {
    /// The signers of reads for each upstream, as long as there are credentials.
    pub signers: EachUpstream<Arc<LiveSigner>>,
    /// The keys of grants.
    pub keys: GrantKeys,
}

impl SignedReads {
    /// `None` where no prefix is configured.
    pub(in crate::exchange) fn of(config: &Config, parts: Option<SigningParts>) -> Option<Self> {
        let SigningParts { signers, keys } = parts.filter(|_| !config.sign.is_empty())?;
        let (prefixes, grants) = (ReadPrefixes::of(&config.sign), config.grants.clone());
        let (refused_log, missing_log) = Default::default();
        Some(Self { prefixes, signers, grants, keys: ArcSwap::from_pointee(keys), refused_log, missing_log })
    }

    /// Accepts and makes tokens with other keys from now on.
    pub(in crate::exchange) fn replace_keys(&self, keys: GrantKeys) {
        self.keys.store(Arc::new(keys));
    }
}

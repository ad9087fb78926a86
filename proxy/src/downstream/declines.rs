//! Counts the heads that our own HTTP/1.1 driver declines, by reason. A metric exports the counts; nothing decides by them.

use s3cors_http1::request_head::Decline;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of declined heads for each reason.
#[derive(Clone, Debug, Default)]
pub struct Declines(Arc<[AtomicU64; Decline::REASONS.len()]>);

impl Declines {
    /// Counts one more.
    pub(super) fn count(&self, decline: Decline) {
        let counts = Decline::REASONS.iter().zip(self.0.iter());
        if let Some((_, count)) = counts.into_iter().find(|(reason, _)| **reason == decline.reason()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns each reason with its count.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Decline::REASONS.into_iter().zip(self.0.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

//! Counts the rejected heads of HTTP/1.1, by reason. A metric exports the counts; nothing decides by them.

use s3cors_http1::request_head::Rejection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of rejected heads for each reason.
#[derive(Clone, Debug, Default)]
pub struct Declines(Arc<[AtomicU64; Rejection::REASONS.len()]>);

impl Declines {
    /// Counts one more.
    pub(super) fn count(&self, rejection: Rejection) {
        let counts = Rejection::REASONS.iter().zip(self.0.iter());
        if let Some((_, count)) = counts.into_iter().find(|(reason, _)| **reason == rejection.reason()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns each reason with its count.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Rejection::REASONS.into_iter().zip(self.0.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

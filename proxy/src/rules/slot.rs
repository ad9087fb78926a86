//! Whose rules a document holds, and how its name says so.

use crate::config::is_bucket_name;

/// Whose rules a document holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// One bucket's.
    Bucket(Box<str>),
    /// Those of every bucket that has none of its own.
    Default,
    /// Those of requests without a bucket.
    Service,
}

impl Slot {
    /// What metrics, logs and the status call it.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Bucket(name) => name,
            Self::Default => "_default",
            Self::Service => "_service",
        }
    }

    /// The slot of a bucket, when a server may have one of this name.
    #[must_use]
    pub fn of_bucket(name: &str) -> Option<Self> {
        is_bucket_name(name).then(|| Self::Bucket(name.into()))
    }

    pub(super) fn from_stem(stem: &str) -> Option<Self> {
        match stem {
            "_default" => Some(Self::Default),
            "_service" => Some(Self::Service),
            // No bucket's name begins with _ (S3 user guide, bucket naming rules): these names stay free.
            _ if stem.starts_with('_') => None,
            _ => Some(Self::Bucket(stem.into())),
        }
    }
}

//! Whose rules a document holds, and how its name says so.

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

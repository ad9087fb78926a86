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

    /// The slot of a bucket, when a server may have one of this name. S3 allows lower case and no underscore (user guide, bucket naming
    /// rules); its oldest buckets and other servers have both, and Ceph puts a tenant before a colon.
    #[must_use]
    pub fn of_bucket(name: &str) -> Option<Self> {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
        let ends_well = [name.bytes().next(), name.bytes().next_back()].iter().flatten().all(u8::is_ascii_alphanumeric);
        let may_be = (3..=63).contains(&name.len()) && ends_well && name.bytes().all(is_inner);
        may_be.then(|| Self::Bucket(name.into()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_a_name_that_some_server_takes() {
        for (name, may_be) in [
            ("photos", true),
            ("my.photos-2026", true),
            ("Old_Photos", true),
            ("tenant:photos", true),
            ("a", false),
            ("photos backup", false),
            ("photos-", false),
            (".photos", false),
            ("_default", false),
            ("../photos", false),
            ("...", false),
            ("a/b", false),
            ("фото", false),
        ] {
            assert_eq!(Slot::of_bucket(name).is_some(), may_be, "{name}");
        }
        assert!(Slot::of_bucket(&"a".repeat(63)).is_some() && Slot::of_bucket(&"a".repeat(64)).is_none());
    }
}

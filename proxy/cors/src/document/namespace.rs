//! The namespace of an element in XML.

/// The namespace of an XML element.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementNamespace {
    /// S3's own, or none, which S3 accepts too (S3: ok-interleaved).
    S3,
    /// Another one.
    Foreign(Box<str>),
    /// The element's prefix is not declared.
    Undeclared(Box<str>),
}

impl ElementNamespace {
    pub(crate) const fn is_s3(&self) -> bool {
        matches!(self, Self::S3)
    }

    pub(super) fn note(&self) -> String {
        match self {
            Self::S3 => String::new(),
            Self::Foreign(namespace) => format!(" (it is in the namespace {namespace})"),
            Self::Undeclared(prefix) => format!(" (its prefix {prefix} is not declared)"),
        }
    }
}

//! A warning about a document, as a value.
//!
//! Decides: its name, its text and what to write instead. Must not know: when there is one.

mod concern;
mod origin;
mod text;

pub use concern::{Concern, Missing};
pub use origin::{NeverSent, TooWide};

use crate::Position;
use std::borrow::Cow;
use std::fmt;

/// The kinds of warning; their names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningCode {
    /// No browser sends such an Origin.
    OriginNeverMatches,
    /// The pattern matches origins of others, and they get credentials.
    OriginTooWide,
    /// `null` is the origin of every sandboxed frame.
    OriginNull,
    /// Credentials for an origin that anyone on the network path can forge.
    InsecureOrigin,
    /// A page cannot finish a multipart upload without reading `ETag`.
    EtagNotExposed,
    /// An earlier rule matches every request that this one would.
    RuleNeverReached,
    /// No browser keeps a preflight that long, or for a negative time.
    MaxAgeOutOfRange,
    /// The origins beside a `*` get no more than any origin.
    AnyOriginBesideNamed,
    /// A rule for uploads that does not allow the headers that its clients send.
    UploadHeadersNotAllowed,
    /// A page cannot finish an upload in parts with checksums without reading them.
    ChecksumsNotExposed,
    /// A page that reads ranges cannot tell which part of the object it has.
    ContentRangeNotExposed,
    /// A page can read no range that counts from the end.
    RangeNotAllowed,
    /// A header name that is nearly that of another.
    HeaderMisspelt,
    /// A client that was asked about would not work.
    ProfileNotServed,
}

impl WarningCode {
    /// Each kind.
    pub const ALL: [Self; 14] = [
        Self::OriginNeverMatches,
        Self::OriginTooWide,
        Self::OriginNull,
        Self::InsecureOrigin,
        Self::EtagNotExposed,
        Self::RuleNeverReached,
        Self::MaxAgeOutOfRange,
        Self::AnyOriginBesideNamed,
        Self::UploadHeadersNotAllowed,
        Self::ChecksumsNotExposed,
        Self::ContentRangeNotExposed,
        Self::RangeNotAllowed,
        Self::HeaderMisspelt,
        Self::ProfileNotServed,
    ];

    /// The name, for machines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OriginNeverMatches => "OriginNeverMatches",
            Self::OriginTooWide => "OriginTooWide",
            Self::OriginNull => "OriginNull",
            Self::InsecureOrigin => "InsecureOrigin",
            Self::EtagNotExposed => "EtagNotExposed",
            Self::RuleNeverReached => "RuleNeverReached",
            Self::MaxAgeOutOfRange => "MaxAgeOutOfRange",
            Self::AnyOriginBesideNamed => "AnyOriginBesideNamed",
            Self::UploadHeadersNotAllowed => "UploadHeadersNotAllowed",
            Self::ChecksumsNotExposed => "ChecksumsNotExposed",
            Self::ContentRangeNotExposed => "ContentRangeNotExposed",
            Self::RangeNotAllowed => "RangeNotAllowed",
            Self::HeaderMisspelt => "HeaderMisspelt",
            Self::ProfileNotServed => "ProfileNotServed",
        }
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A warning and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub(super) concern: Concern,
    pub(super) position: Position,
}

impl Warning {
    /// What is wrong, as a value.
    #[must_use]
    pub const fn concern(&self) -> &Concern {
        &self.concern
    }

    /// Where.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// The kind.
    #[must_use]
    pub const fn code(&self) -> WarningCode {
        self.concern.code()
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        self.concern.message()
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        self.concern.hint()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.position, self.code(), self.message())?;
        self.hint().map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

//! A warning about a document, as a value.
//!
//! Decides: its name, its text and what to write instead. Must not know: when there is one.

mod concern;
mod origin;
mod text;

pub use concern::{Concern, Missing};
pub use origin::{NeverSent, TooWide};

use crate::Position;
use crate::names::names;
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
    /// A pattern for any port does not match the scheme's own, which browsers leave out.
    DefaultPortNotMatched,
    /// An origin whose name documentation has in the place of the reader's own.
    OriginLikeExample,
}

names! {
    pub WarningCode: OriginNeverMatches = "OriginNeverMatches", OriginTooWide = "OriginTooWide",
    OriginNull = "OriginNull", InsecureOrigin = "InsecureOrigin", EtagNotExposed = "EtagNotExposed",
    RuleNeverReached = "RuleNeverReached", MaxAgeOutOfRange = "MaxAgeOutOfRange",
    AnyOriginBesideNamed = "AnyOriginBesideNamed", UploadHeadersNotAllowed = "UploadHeadersNotAllowed",
    ChecksumsNotExposed = "ChecksumsNotExposed", ContentRangeNotExposed = "ContentRangeNotExposed",
    RangeNotAllowed = "RangeNotAllowed", HeaderMisspelt = "HeaderMisspelt", ProfileNotServed = "ProfileNotServed",
    DefaultPortNotMatched = "DefaultPortNotMatched", OriginLikeExample = "OriginLikeExample",
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

    /// Returns true for what is good to know and no likely mistake.
    #[must_use]
    pub const fn is_note(&self) -> bool {
        self.concern.is_note()
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

//! What a warning is about.
//!
//! Decides: its kind. Its texts are in `text`.

use super::{NeverSent, TooWide, WarningCode};
use crate::{AllowedMethod, Profile};

/// What S3 accepts and its author will hardly want.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Concern {
    /// No browser sends such an Origin.
    OriginNeverMatches {
        /// The `AllowedOrigin`.
        origin: Box<str>,
        /// Why it is never sent.
        why: NeverSent,
    },
    /// The pattern matches origins of others, and they get credentials.
    OriginTooWide {
        /// The `AllowedOrigin`.
        origin: Box<str>,
        /// What is wrong with its wildcard.
        why: TooWide,
    },
    /// `null` is the origin of every sandboxed frame.
    OriginNull,
    /// Credentials for an origin that anyone on the network path can forge.
    InsecureOrigin {
        /// The `AllowedOrigin`.
        origin: Box<str>,
    },
    /// A rule for uploads that does not expose `ETag`.
    EtagNotExposed,
    /// A pattern for any port, which the scheme's own is not.
    DefaultPortNotMatched {
        /// The `AllowedOrigin`.
        origin: Box<str>,
    },
    /// A name with which documentation stands for the reader's own.
    OriginLikeExample {
        /// The `AllowedOrigin`.
        origin: Box<str>,
        /// The part of it that is such a name.
        label: Box<str>,
    },
    /// An earlier rule matches every request that this one would.
    RuleNeverReached {
        /// The rule, from 1.
        rule: usize,
        /// The earlier rule, from 1.
        earlier: usize,
    },
    /// No browser keeps a preflight for this time.
    MaxAgeOutOfRange(i64),
    /// Earlier rules together match every request that this one would.
    RuleTakenByEarlier {
        /// The rule, from 1.
        rule: usize,
        /// The earlier rules, from 1.
        earlier: Box<[usize]>,
    },
    /// The origins beside a `*` get no more than any origin.
    AnyOriginBesideNamed,
    /// A rule for uploads that does not allow these headers.
    UploadHeadersNotAllowed(Box<[&'static str]>),
    /// A rule for uploads in parts with checksums that exposes none of them.
    ChecksumsNotExposed,
    /// A rule for a page that reads ranges that does not expose `Content-Range`.
    ContentRangeNotExposed,
    /// A rule for a page that reads ranges that does not allow `Range`.
    RangeNotAllowed,
    /// A header name that is nearly that of another.
    HeaderMisspelt {
        /// The name.
        header: Box<str>,
        /// What was meant.
        meant: &'static str,
    },
    /// A client that was asked about would not work.
    ProfileNotServed {
        /// The client.
        profile: Profile,
        /// What it could not do.
        step: &'static str,
        /// The option without which it does not do so; `None` for what it always does.
        option: Option<&'static str>,
        /// For which `AllowedOrigin`.
        origin: Box<str>,
        /// What the rules lack.
        missing: Missing,
    },
}

/// What rules lack for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// An origin that a browser sends.
    Origin,
    /// The method.
    Method(AllowedMethod),
    /// Headers of the request.
    AllowedHeaders(Box<[&'static str]>),
    /// Headers of the response that the page reads.
    ExposeHeaders(Box<[&'static str]>),
}

impl Concern {
    /// Returns true for what is good to know and wrong only for some: a client's option that is not used, a port that no one asks for.
    #[must_use]
    pub const fn is_note(&self) -> bool {
        matches!(
            self,
            Self::DefaultPortNotMatched { .. }
                | Self::OriginLikeExample { .. }
                | Self::ProfileNotServed { option: Some(_), .. }
        )
    }

    /// The kind.
    #[must_use]
    pub const fn code(&self) -> WarningCode {
        match self {
            Self::OriginNeverMatches { .. } => WarningCode::OriginNeverMatches,
            Self::OriginTooWide { .. } => WarningCode::OriginTooWide,
            Self::OriginNull => WarningCode::OriginNull,
            Self::InsecureOrigin { .. } => WarningCode::InsecureOrigin,
            Self::OriginLikeExample { .. } => WarningCode::OriginLikeExample,
            Self::DefaultPortNotMatched { .. } => WarningCode::DefaultPortNotMatched,
            Self::EtagNotExposed => WarningCode::EtagNotExposed,
            Self::RuleNeverReached { .. } => WarningCode::RuleNeverReached,
            Self::MaxAgeOutOfRange(_) => WarningCode::MaxAgeOutOfRange,
            Self::RuleTakenByEarlier { .. } => WarningCode::RuleNeverReached,
            Self::AnyOriginBesideNamed => WarningCode::AnyOriginBesideNamed,
            Self::UploadHeadersNotAllowed(_) => WarningCode::UploadHeadersNotAllowed,
            Self::ChecksumsNotExposed => WarningCode::ChecksumsNotExposed,
            Self::ContentRangeNotExposed => WarningCode::ContentRangeNotExposed,
            Self::RangeNotAllowed => WarningCode::RangeNotAllowed,
            Self::HeaderMisspelt { .. } => WarningCode::HeaderMisspelt,
            Self::ProfileNotServed { .. } => WarningCode::ProfileNotServed,
        }
    }
}

//! A warning about a valid document, as a value.
//!
//! Decides: its name, its text and what to write instead. Must not know: when there is one.

use super::lint::LONGEST_MAX_AGE;
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
}

impl WarningCode {
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
        }
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
    /// An earlier rule matches every request that this one would.
    RuleNeverReached {
        /// The rule, from 1.
        rule: usize,
        /// The earlier rule, from 1.
        earlier: usize,
    },
    /// No browser keeps a preflight for this time.
    MaxAgeOutOfRange(i64),
}

/// Why no browser sends an Origin (Fetch, serialising an origin: scheme, host, port unless it is the scheme's own).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NeverSent {
    /// It is empty.
    Empty,
    /// It has a space or a character outside ASCII.
    NotAscii,
    /// It has no scheme.
    NoScheme,
    /// It is several, with commas between them.
    List,
    /// It has a path, if only a slash.
    Path,
    /// It has an upper-case letter.
    UpperCase,
    /// It names the scheme's own port.
    DefaultPort,
}

/// Why a pattern lets in sites of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooWide {
    /// Nothing follows the wildcard.
    OpenEnd,
    /// No dot follows the wildcard.
    NoDot,
    /// The domain of a host where anyone can have a name follows the wildcard.
    SharedSuffix,
    /// Only a suffix that others share follows the wildcard.
    NoDomain,
}

impl NeverSent {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "it is empty",
            Self::NotAscii => "an Origin has no spaces and no characters outside ASCII",
            Self::NoScheme => "it has no scheme",
            Self::List => "an Origin is one, and has no comma",
            Self::Path => "an Origin has no path and no slash at its end",
            Self::UpperCase => "an Origin is in lower case",
            Self::DefaultPort => "an Origin leaves out the scheme's own port",
        }
    }
}

impl TooWide {
    const fn as_str(self) -> &'static str {
        match self {
            Self::OpenEnd => "ends with its wildcard and so matches any site that begins like it",
            Self::NoDot => "has no dot after its wildcard and so matches any site whose name ends like it",
            Self::SharedSuffix => "matches the sites of strangers, for anyone can have a name there",
            Self::NoDomain => "has no domain after its wildcard, only a suffix that others share",
        }
    }
}

impl Concern {
    /// The kind.
    #[must_use]
    pub const fn code(&self) -> WarningCode {
        match self {
            Self::OriginNeverMatches { .. } => WarningCode::OriginNeverMatches,
            Self::OriginTooWide { .. } => WarningCode::OriginTooWide,
            Self::OriginNull => WarningCode::OriginNull,
            Self::InsecureOrigin { .. } => WarningCode::InsecureOrigin,
            Self::EtagNotExposed => WarningCode::EtagNotExposed,
            Self::RuleNeverReached { .. } => WarningCode::RuleNeverReached,
            Self::MaxAgeOutOfRange(_) => WarningCode::MaxAgeOutOfRange,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Self::OriginNeverMatches { origin, why } => {
                format!("AllowedOrigin {origin:?} never matches a browser: {}", why.as_str()).into()
            }
            Self::OriginTooWide { origin, why } => {
                format!("AllowedOrigin {origin:?} {}, and S3 grants credentials to each", why.as_str()).into()
            }
            Self::OriginNull => {
                "AllowedOrigin \"null\" is the origin of every sandboxed frame and data: URL, of any site".into()
            }
            Self::InsecureOrigin { origin } => {
                format!("AllowedOrigin {origin:?} uses plain http: anyone on the network path can impersonate it")
                    .into()
            }
            Self::EtagNotExposed => {
                "a rule for uploads that does not expose ETag: a page cannot finish a multipart upload without it"
                    .into()
            }
            Self::RuleNeverReached { rule, earlier } => {
                format!("rule {rule} is never reached: rule {earlier} matches every request that it would").into()
            }
            Self::MaxAgeOutOfRange(seconds) => {
                format!("MaxAgeSeconds {seconds}: browsers ignore a negative one and cap at {LONGEST_MAX_AGE} or less")
                    .into()
            }
        }
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint: Cow<'static, str> = match self {
            Self::OriginNeverMatches { origin, why } => match why {
                NeverSent::Empty => "write an origin, such as https://app.example".into(),
                NeverSent::NotAscii if origin.split_whitespace().nth(1).is_some() => {
                    "white space does not separate values: write one AllowedOrigin for each".into()
                }
                NeverSent::NotAscii if origin.is_ascii() => {
                    format!("write {}, without white space around it", origin.trim()).into()
                }
                NeverSent::NotAscii => "write the host in punycode, without spaces".into(),
                NeverSent::NoScheme => format!("write https://{origin}").into(),
                NeverSent::List => "a comma does not separate values: write one AllowedOrigin for each".into(),
                NeverSent::Path => "remove everything after the host and port".into(),
                NeverSent::UpperCase => format!("write {}", origin.to_ascii_lowercase()).into(),
                NeverSent::DefaultPort => "remove the port".into(),
            },
            Self::OriginTooWide { .. } => {
                "write a dot and your domain after the wildcard: https://*.app.example".into()
            }
            Self::OriginNull => "list the origins that need access".into(),
            Self::InsecureOrigin { .. } => "use https".into(),
            Self::EtagNotExposed => "add ETag to the exposed headers".into(),
            Self::RuleNeverReached { earlier, .. } => format!("remove it, or move it before rule {earlier}").into(),
            Self::MaxAgeOutOfRange(_) => format!("write 0 to {LONGEST_MAX_AGE}").into(),
        };
        Some(hint)
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

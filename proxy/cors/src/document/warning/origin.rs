//! What is wrong with an `AllowedOrigin`.

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
    /// It has a path, if only a slash.
    Path,
    /// It has an upper-case letter.
    UpperCase,
    /// It names the scheme's own port.
    DefaultPort,
    /// Several values with a comma between them.
    List,
    /// Several values with something else between them.
    Several,
    /// A regular expression.
    RegularExpression,
    /// A place in it was to be filled in by a tool.
    Placeholder,
    /// A user name is in it.
    User,
    /// It has a query or a fragment.
    Query,
    /// It has a scheme that no page has.
    Scheme,
    /// Its host is not one that a browser can have.
    Host,
    /// Its port is not a number from 1 to 65535.
    Port,
}

/// Why a pattern lets in sites of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooWide {
    /// Nothing follows the wildcard.
    OpenEnd,
    /// No dot follows the wildcard.
    NoDot,
    /// Only a suffix that others share follows the wildcard.
    NoDomain,
    /// Only the domain of a hosting service follows the wildcard, below which anyone can have a site.
    SharedSuffix,
}

impl NeverSent {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "it is empty",
            Self::NotAscii => "an Origin has no spaces and no characters outside ASCII",
            Self::NoScheme => "it has no scheme",
            Self::Path => "an Origin has no path and no slash at its end",
            Self::UpperCase => "an Origin is in lower case",
            Self::DefaultPort => "an Origin leaves out the scheme's own port",
            Self::List => "an Origin is one, and has no comma",
            Self::Several => "an Origin is one",
            Self::RegularExpression => "it is a regular expression, which S3 has not",
            Self::Placeholder => "it has a placeholder that was not filled in",
            Self::User => "an Origin has no user name",
            Self::Query => "an Origin has no query and no fragment",
            Self::Scheme => "no page has this scheme",
            Self::Host => "its host is not one that a browser can have",
            Self::Port => "its port is not a number from 1 to 65535",
        }
    }
}

impl TooWide {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::OpenEnd => "ends with its wildcard and so matches any site that begins like it",
            Self::NoDot => "has no dot after its wildcard and so matches any site whose name ends like it",
            Self::NoDomain => "has no domain after its wildcard, only a suffix that others share",
            Self::SharedSuffix => {
                "has only a hosting service's domain after its wildcard, where anyone can have a site"
            }
        }
    }
}

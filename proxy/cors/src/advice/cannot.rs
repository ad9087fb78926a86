//! Why no change of the rules allows a request.

use crate::document::model::MAX_RULES;
use crate::{ExposedHeader, MAX_DOCUMENT_LENGTH, MAX_REQUEST_HEADERS, MAX_REQUEST_HEADERS_LENGTH};

/// Why no change of the rules allows a request. The texts come from the request and hold at most
/// [`MAX_REPEATED`](crate::MAX_REPEATED) characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotAllow {
    /// The request has no Origin.
    #[error("S3 rules cannot allow a request without an Origin: it is the origin that they allow")]
    NoOrigin,
    /// The Origin is not one line of visible ASCII.
    #[error(
        "S3 rules cannot allow the origin {0:?}: an Origin is one line of visible ASCII characters, and no browser sends this"
    )]
    Origin(Box<str>),
    /// The origin has a `*`, which makes a pattern of an `AllowedOrigin`.
    #[error(
        "S3 rules cannot allow just the origin {0:?}: a * in an AllowedOrigin stands for any text, and no browser sends one"
    )]
    OriginWildcard(Box<str>),
    /// A method of HTTP that S3 has no rules for.
    #[error("S3 rules cannot allow {0}: an AllowedMethod is GET, PUT, HEAD, POST or DELETE")]
    Method(Box<str>),
    /// Not a method of HTTP in the case in which HTTP has it.
    #[error(
        "S3 rules cannot allow the method {0:?}: S3 rejects it with 400, and only knows GET, PUT, HEAD, POST and DELETE in upper case"
    )]
    NotAMethod(Box<str>),
    /// An item of the list of headers that is no header name.
    #[error("S3 rules cannot allow the header {0:?}: it is no header name, and S3 rejects the request with 400")]
    MalformedHeader(Box<str>),
    /// The header has a `*`, which makes a pattern of an `AllowedHeader`.
    #[error("S3 rules cannot allow just the header {0:?}: a * in an AllowedHeader stands for any text")]
    HeaderWildcard(Box<str>),
    /// The list of headers is longer than what is looked at.
    #[error(
        "no rule allows so many headers: more than {MAX_REQUEST_HEADERS} names or {MAX_REQUEST_HEADERS_LENGTH} bytes are not looked at"
    )]
    TooManyHeaders,
    /// S3 exposes headers by name only.
    #[error("S3 rules cannot expose {0:?}: an ExposeHeader is one header name, without a wildcard")]
    Exposed(Box<str>),
    /// A rule allows it already.
    #[error("rule {0} allows it already")]
    Allowed(usize),
    /// There is no place for a rule, and each rule would allow more than this request if it were widened.
    #[error(
        "there is no place for a rule: the document has {MAX_RULES}, the most that S3 accepts, and any of them would allow other requests \
         too if it were widened; combine some of them first"
    )]
    FullDocument,
    /// The document would be too long.
    #[error(
        "the document would be longer than {MAX_DOCUMENT_LENGTH} bytes, the most that S3 accepts: remove or combine rules first"
    )]
    TooLong,
    /// The document cannot be written in both forms.
    #[error("the document cannot be written: {0}")]
    Unwritable(Box<str>),
}

/// The header that a rule exposes to pages by this name.
///
/// # Errors
/// [`CannotAllow::Exposed`] for what S3 does not accept, above all `*`.
pub fn exposable(name: &str) -> Result<ExposedHeader, CannotAllow> {
    let header = ExposedHeader::parse(name).ok().filter(|header| !header.as_str().is_empty());
    header.ok_or_else(|| CannotAllow::Exposed(crate::decision::denial::stored(name.as_bytes())))
}

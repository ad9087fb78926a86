//! The rights of a request that has no keys of its own.

use super::read::SignedRead;
use crate::exchange::grants::GrantRefusal;
use http::HeaderValue;

/// The right of a request without keys.
#[derive(Default)]
pub(in crate::exchange) enum Claim {
    /// Nothing: it is forwarded as it came.
    #[default]
    None,
    /// Read an object, which the proxy signs for.
    Read(Box<SignedRead>),
    /// Read folders, if the upstream grants what its own signature asks for.
    Opens(Box<Opening>),
    /// Nothing at all: it ends here.
    Refused(Refused),
    /// Ask again with a slash at the end of the path.
    Moved(HeaderValue),
}

/// The reason why a request ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum Refused {
    /// Its path is another key to some readers.
    TwoReadings,
    /// Its query asks S3 for something, or is not to be left out.
    Query,
    /// There are no credentials to sign it with.
    NoCredentials,
    /// The method or the body: a token is for reading alone.
    TokenMethod,
    /// Its path after the token is another key to some readers.
    TokenReadings,
    /// Its token does not open what it asks for.
    Token(GrantRefusal),
}

/// A folder that a presigned request opens. What shows it leaves the token out.
pub(in crate::exchange) struct Opening {
    /// The token that the path is to have before the key.
    pub(super) token: Box<str>,
    /// Set if the host names the bucket, and not the path.
    pub(super) is_in_host: bool,
    /// The length of the key, with which the path ends.
    pub(super) key_length: usize,
}

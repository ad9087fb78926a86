//! A request that is not granted: why, and what S3 responds.
//!
//! Decides: S3's status, code and text for a denial. Must not know: how the response is written.

use super::vocabulary::{Clause, Outcome, Reason};
use crate::text::cut;
use http::StatusCode;
use std::borrow::Cow;

/// Why a request is not granted. The texts come from the request and hold at most [`MAX_REPEATED`] characters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// A preflight without an Origin.
    NoOrigin,
    /// `Access-Control-Request-Method` is no method of HTTP.
    UnknownMethod(Box<str>),
    /// An item of `Access-Control-Request-Headers` is no header name.
    MalformedHeader(Box<str>),
    /// The bucket has no configuration.
    NoRules,
    /// No rule matches.
    Refused {
        /// The clause to blame, of the rule that came nearest: if one rule allows the origin, the origin is not to blame.
        clause: Clause,
        /// What the clause refused: the origin (if it is one printable line), the method asked for, or the first header asked for
        /// that no rule allows of those that allow origin and method.
        detail: Option<Box<str>>,
    },
}

/// What the URL of a request names, for the error document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceType {
    /// A bucket, or the service.
    Bucket,
    /// An object: the URL has a key.
    Object,
}

impl ResourceType {
    /// The word in the error document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "BUCKET",
            Self::Object => "OBJECT",
        }
    }
}

/// What S3 responds to a refused preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// 400 or 403.
    pub status: StatusCode,
    /// S3's error code.
    pub code: &'static str,
    /// S3's message.
    pub message: Cow<'static, str>,
    /// Which resource the document names, if it names one; it then also names the method asked for.
    pub resource: Option<ResourceType>,
}

/// The longest text that a denial keeps of a request, in characters.
pub const MAX_REPEATED: usize = 256;

/// Bytes from a request as a denial keeps them.
pub(crate) fn stored(bytes: &[u8]) -> Box<str> {
    cut(&String::from_utf8_lossy(bytes), MAX_REPEATED).into()
}

impl Denial {
    /// The reason, as a label.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NoOrigin | Self::UnknownMethod(_) | Self::MalformedHeader(_) => Reason::Malformed,
            Self::NoRules => Reason::NoRules,
            Self::Refused { clause: Clause::Origin, .. } => Reason::Origin,
            Self::Refused { clause: Clause::Method, .. } => Reason::Method,
            Self::Refused { clause: Clause::Header, .. } => Reason::Header,
        }
    }

    /// The outcome, as a label.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::NoRules => Outcome::NoRules,
            Self::NoOrigin | Self::UnknownMethod(_) | Self::MalformedHeader(_) | Self::Refused { .. } => {
                Outcome::Denied
            }
        }
    }

    /// What exactly is refused, in the request's own words.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::NoOrigin | Self::NoRules => None,
            Self::UnknownMethod(text) | Self::MalformedHeader(text) => Some(text),
            Self::Refused { detail, .. } => detail.as_deref(),
        }
    }

    /// Whether the request cannot be judged.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        matches!(self.reason(), Reason::Malformed)
    }

    /// What S3 responds, word for word. The texts for a malformed method or header are those of servers modelled on S3; their
    /// status and code are S3's (S3: sd-acrh-bad-token).
    #[must_use]
    pub fn refusal(&self, resource: ResourceType) -> Refusal {
        let bad_request =
            |message| Refusal { status: StatusCode::BAD_REQUEST, code: "BadRequest", message, resource: None };
        let forbidden = |message, resource| Refusal {
            status: StatusCode::FORBIDDEN,
            code: "AccessForbidden",
            message: Cow::Borrowed(message),
            resource: Some(resource),
        };
        match self {
            // (S3: ls-noconfig-options-bare)
            Self::NoOrigin => bad_request("Insufficient information. Origin request header needed.".into()),
            Self::UnknownMethod(method) => {
                bad_request(format!("Invalid Access-Control-Request-Method: {method}").into())
            }
            Self::MalformedHeader(item) => {
                bad_request(format!("Access-Control-Request-Headers \"{item}\" contains invalid character.").into())
            }
            // BUCKET even for an object's URL (S3: ls-noconfig-options-origin-acrm).
            Self::NoRules => forbidden("CORSResponse: CORS is not enabled for this bucket.", ResourceType::Bucket),
            // "evalution" is S3's own spelling (S3: ls-origins-options-wrong).
            Self::Refused { .. } => forbidden(
                "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, \
                 request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted \
                 by the resource's CORS spec.",
                resource,
            ),
        }
    }
}

//! Why a request is not granted: one closed type, whose names are the metric's labels, the log's fields and the explanation's words.

use http::StatusCode;
use std::borrow::Cow;
use std::fmt;

/// A clause of a rule, in the order in which S3 asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause {
    /// `AllowedOrigin`
    Origin,
    /// `AllowedMethod`
    Method,
    /// `AllowedHeader`
    Header,
}

/// Why a request is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// A preflight without an Origin.
    NoOrigin,
    /// `Access-Control-Request-Method` is no method of HTTP.
    UnknownMethod(Box<str>),
    /// An item of `Access-Control-Request-Headers` is no header name.
    MalformedHeader(Box<str>),
    /// The bucket has no configuration.
    NoRules,
    /// No rule matches. The clause is that of the rule that came nearest: if one allows the origin, the origin is not to blame.
    Refused(Clause),
}

/// The closed set of reasons, for labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No rule allows the origin.
    Origin,
    /// A rule allows the origin, none that does allows the method.
    Method,
    /// A rule allows origin and method, none that does allows the headers.
    Header,
    /// There are no rules.
    NoRules,
    /// The request can not be judged.
    Malformed,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Origin, Self::Method, Self::Header, Self::NoRules, Self::Malformed];

    /// The label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Method => "method",
            Self::Header => "header",
            Self::NoRules => "no_rules",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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

/// What S3 answers to a refused preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 400 or 403.
    pub status: StatusCode,
    /// S3's error code.
    pub code: &'static str,
    /// S3's message.
    pub message: Cow<'static, str>,
    /// Which resource the document names, for the answers that name one (with it they name the method asked for).
    pub resource: Option<ResourceType>,
}

/// The longest value from a request that is repeated in a message, in characters.
const MAX_REPEATED: usize = 256;

impl Denial {
    /// The reason, as a label.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NoOrigin | Self::UnknownMethod(_) | Self::MalformedHeader(_) => Reason::Malformed,
            Self::NoRules => Reason::NoRules,
            Self::Refused(Clause::Origin) => Reason::Origin,
            Self::Refused(Clause::Method) => Reason::Method,
            Self::Refused(Clause::Header) => Reason::Header,
        }
    }

    /// What S3 answers (recorded, texts included; the texts for a malformed method or header are those of servers modelled on S3).
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
            Self::NoOrigin => bad_request("Insufficient information. Origin request header needed.".into()),
            Self::UnknownMethod(method) => {
                bad_request(format!("Invalid Access-Control-Request-Method: {}", cut(method)).into())
            }
            Self::MalformedHeader(item) => bad_request(
                format!("Access-Control-Request-Headers \"{}\" contains invalid character.", cut(item)).into(),
            ),
            // BUCKET even for an object's URL (recorded).
            Self::NoRules => forbidden("CORSResponse: CORS is not enabled for this bucket.", ResourceType::Bucket),
            // "evalution" is S3's own spelling.
            Self::Refused(_) => forbidden(
                "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, \
                 request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted \
                 by the resource's CORS spec.",
                resource,
            ),
        }
    }
}

fn cut(value: &str) -> Cow<'_, str> {
    if value.chars().nth(MAX_REPEATED).is_none() {
        return value.into();
    }
    value.chars().take(MAX_REPEATED).collect::<String>().into()
}

//! What a browser will do, as values, and the words for it.

use crate::Reason;
use std::fmt;

/// "CORS-safelisted response-header name".
const SAFELISTED: [&str; 7] =
    ["cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"];
/// "Forbidden response-header name": no script reads these, whatever is exposed.
const FORBIDDEN: [&str; 2] = ["set-cookie", "set-cookie2"];

/// One request to one server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Whose request it is, as its `Origin` says where CORS has a part in it: the page's origin, or `null`.
    pub origin: String,
    /// Its method.
    pub method: String,
    /// Whether the server's origin is the page's, so that CORS has no part in it.
    pub is_same_origin: bool,
    /// The preflight, if one is sent.
    pub preflight: Option<Preflight>,
    /// Whether the request itself is sent, and so carried out whatever the response says.
    pub is_sent: bool,
    /// The rule that grants the request itself, from 1.
    pub rule: Option<usize>,
}

/// A preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preflight {
    /// Its `Access-Control-Request-Headers`: the names that are not safelisted, sorted, in lower case.
    pub request_headers: Option<String>,
    /// Whether its response allows the request.
    pub is_granted: bool,
    /// The rule that grants it, from 1.
    pub rule: Option<usize>,
    /// For how many seconds its response may be kept, if that is said.
    pub max_age: Option<u64>,
}

/// What a script gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The response: its status, its body, and these headers.
    Reads(Visible),
    /// A response of which nothing can be read, not even the status.
    Opaque,
    /// `TypeError: Failed to fetch`.
    Blocked(Blocked),
}

/// Why a script gets no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocked {
    /// When the browser stopped.
    pub stage: Stage,
    /// Why.
    pub cause: Cause,
    /// The rule that granted all the same, from 1.
    pub rule: Option<usize>,
}

/// When a browser stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before it sends anything.
    Before,
    /// At the response to the preflight: the request itself is not sent.
    Preflight,
    /// At the response to the request, which was carried out.
    Response,
}

/// Why a browser stops.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The page came over https, the request would not.
    MixedContent,
    /// No rule grants it: there is no `Access-Control-Allow-Origin`.
    NotAllowed(Reason),
    /// The grant is `*`, and the request has credentials.
    AnyOriginWithCredentials,
    /// The grant does not allow credentials, and the request has them.
    CredentialsNotAllowed,
    /// The grant is for another origin. No rule of S3 leads to that.
    OtherOrigin,
    /// The method is not listed. No rule of S3 that grants the preflight leads to that.
    MethodNotListed,
    /// This header is not listed. No rule of S3 that grants the preflight leads to that.
    HeaderNotListed(Box<str>),
}

impl Ending {
    /// The word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Reads(_) => "reads",
            Self::Opaque => "opaque",
            Self::Blocked(Blocked { stage: Stage::Response, .. }) => "sent_and_blocked",
            Self::Blocked(_) => "blocked",
        }
    }
}

impl Stage {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Preflight => "preflight",
            Self::Response => "response",
        }
    }
}

impl Cause {
    /// The word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::MixedContent => "mixed_content",
            Self::NotAllowed(_) => "not_allowed",
            Self::AnyOriginWithCredentials => "any_origin_with_credentials",
            Self::CredentialsNotAllowed => "credentials_not_allowed",
            Self::OtherOrigin => "other_origin",
            Self::MethodNotListed => "method_not_listed",
            Self::HeaderNotListed(_) => "header_not_listed",
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.stage {
            Stage::Preflight => "the response to the preflight",
            Stage::Before | Stage::Response => "the response",
        };
        match &self.cause {
            Cause::MixedContent => f.write_str(
                "a page that came over https requests nothing over plain http (mixed content); serve the bucket over https",
            )?,
            Cause::NotAllowed(reason) => {
                write!(f, "no rule grants it (reason {reason}), so {what} has no Access-Control-Allow-Origin")?;
            }
            Cause::AnyOriginWithCredentials => {
                self.write_rule(f)?;
                f.write_str(
                    "grants \"*\", which a browser does not accept for a request with credentials; name the origin instead of *, or \
                     fetch without credentials: signatures and presigned links need none",
                )?;
            }
            Cause::CredentialsNotAllowed => {
                self.write_rule(f)?;
                f.write_str("grants no credentials (Access-Control-Allow-Credentials); fetch without them")?;
            }
            Cause::OtherOrigin => write!(f, "{what} names another origin")?,
            Cause::MethodNotListed => write!(f, "{what} does not list the method")?,
            Cause::HeaderNotListed(name) => write!(f, "{what} does not list the header {name}")?,
        }
        f.write_str(match self.stage {
            Stage::Before => "",
            Stage::Preflight => ". The request itself is not sent",
            Stage::Response => ". The request was carried out all the same",
        })
    }
}

impl Blocked {
    fn write_rule(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Some(rule) => write!(f, "rule {rule} "),
            None => f.write_str("the rule "),
        }
    }
}

/// The headers of a response that a script may read, if they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visible {
    /// All but `Set-Cookie`: the page has the origin of the response.
    All,
    /// The headers that every response shows (`Content-Type`, `Content-Length`, `Last-Modified`, `Cache-Control`, `Content-Language`,
    /// `Expires`, `Pragma`) and these, in lower case.
    Listed(Vec<String>),
}

impl Visible {
    /// Returns whether a script may read this header.
    #[must_use]
    pub fn shows(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        if FORBIDDEN.contains(&&*name) {
            return false;
        }
        match self {
            Self::All => true,
            Self::Listed(exposed) => SAFELISTED.contains(&&*name) || exposed.contains(&name),
        }
    }

    /// Why a script may not read a header, for one that it may not.
    #[must_use]
    pub fn why_hidden(name: &str) -> String {
        if FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden)) {
            return format!("no script may read {name}, whatever is exposed");
        }
        format!(
            "the page gets the response but not its header {name}; add <ExposeHeader>{name}</ExposeHeader> to the rule that grants it"
        )
    }
}

//! Admission to the admin listener: the checks before a route is served.
//!
//! The order is the name of the host, the token, the route, and for a POST the page that sends it. `/healthz` and `/readyz` say nothing
//! that is worth a check, and probes cannot always be told a name or a token.

use super::authority::{authorities, is_origin_of, is_own};
use super::route::{NoRoute, Route};
use crate::config::{AdminListener, Token, TokenFileError};
use crate::telemetry::log::printable;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ALLOW, AUTHORIZATION, HeaderName, LOCATION, ORIGIN, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use pingora::http::RequestHeader;
use sha2::{Digest as _, Sha256};
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes a browser ask for the token (RFC 7617 §2).
const CHALLENGE: (HeaderName, &str) = (WWW_AUTHENTICATE, "Basic realm=\"s3cors\", charset=\"UTF-8\"");

/// The parts of a request head that decide.
pub(super) struct AdminRequest<'r> {
    method: &'r Method,
    path: &'r str,
    pub(super) query: &'r str,
    /// The target as it came.
    target: &'r [u8],
    headers: &'r HeaderMap,
}

impl<'r> AdminRequest<'r> {
    pub(super) fn of(head: &'r RequestHeader) -> Self {
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        Self { method: &head.method, path, query, target: head.raw_path(), headers: &head.headers }
    }
}

/// The reason for not serving a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotAdmitted {
    /// A stranger could own the host that the request names.
    Host(String),
    /// The token is missing or wrong.
    Token,
    /// The file of the token cannot be used, so no token is the right one.
    NoTokenFile,
    /// Nothing can be asked so.
    Route(NoRoute),
    /// Another site's page sends it.
    ForeignPage,
}

/// Decides who may ask what of the admin listener.
pub struct Admission {
    listener: AdminListener,
    /// True while the file of the token cannot be used.
    is_without_token: AtomicBool,
}

impl Admission {
    /// The admission to a configured listener.
    #[must_use]
    pub fn new(listener: AdminListener) -> Self {
        Self { listener, is_without_token: AtomicBool::new(false) }
    }

    /// The route of a request that may be served.
    pub(super) async fn admit(&self, asked: &AdminRequest<'_>) -> Result<Route, NotAdmitted> {
        if !Route::is_for_probes(asked.path) {
            self.check_host(asked)?;
            self.check_token(asked.headers).await?;
        }
        let route = Route::of(asked.method, asked.path).map_err(NotAdmitted::Route)?;
        let is_from_elsewhere = *asked.method == Method::POST && !self.is_from_own_page(asked);
        if is_from_elsewhere { Err(NotAdmitted::ForeignPage) } else { Ok(route) }
    }

    fn check_host(&self, asked: &AdminRequest<'_>) -> Result<(), NotAdmitted> {
        let foreign = authorities(asked.target, asked.headers).find(|authority| !is_own(authority, &self.listener));
        foreign.map_or(Ok(()), |foreign| Err(NotAdmitted::Host(printable(foreign).into_owned())))
    }

    /// The file is read for each request: this is no hot path, and so a replaced token is the right one at once.
    async fn check_token(&self, headers: &HeaderMap) -> Result<(), NotAdmitted> {
        let Some(file) = self.listener.token_file.clone() else { return Ok(()) };
        // Files may be on a network.
        match tokio::task::spawn_blocking(move || file.read()).await {
            Ok(Ok(token)) => {
                self.is_without_token.store(false, Ordering::Relaxed);
                if has_token(headers, &token) { Ok(()) } else { Err(NotAdmitted::Token) }
            }
            Ok(Err(error)) => {
                self.tell_once(&error);
                Err(NotAdmitted::NoTokenFile)
            }
            Err(_) => Err(NotAdmitted::NoTokenFile),
        }
    }

    /// Logs the fault when it begins: strangers must not be able to fill the log.
    fn tell_once(&self, error: &TokenFileError) {
        if !self.is_without_token.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the admin listener admits no one without its token");
        }
    }

    /// Returns whether no other site's page sends a request. A browser says where a request comes from, in `Sec-Fetch-Site` (Fetch
    /// Metadata; not to a plain address in a private network) and in the `Origin` of each POST (Fetch). Programs send neither.
    fn is_from_own_page(&self, asked: &AdminRequest<'_>) -> bool {
        let mut sites = asked.headers.get_all("sec-fetch-site").iter().peekable();
        if sites.peek().is_some() {
            return sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
        }
        let is_tls = self.listener.tls.is_some();
        let is_own_page = |origin: &HeaderValue| {
            let mut named = authorities(asked.target, asked.headers).peekable();
            named.peek().is_some() && named.all(|authority| is_origin_of(origin.as_bytes(), authority, is_tls))
        };
        asked.headers.get_all(ORIGIN).iter().all(is_own_page)
    }
}

/// Looks for the token, as `Bearer` (RFC 6750) for programs or as the password of `Basic` (RFC 7617) for browsers.
fn has_token(headers: &HeaderMap, token: &Token) -> bool {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let line = line.as_bytes().trim_ascii();
    let Some(space) = line.iter().position(|byte| *byte == b' ') else { return false };
    let Some((scheme, sent)) = line.split_at_checked(space) else { return false };
    let sent = sent.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return is_same(token, sent);
    }
    let Some(decoded) = STANDARD.decode(sent).ok().filter(|_| scheme.eq_ignore_ascii_case(b"basic")) else {
        return false;
    };
    // The first colon ends the name of the user, which can be any.
    let password = decoded.iter().position(|byte| *byte == b':').and_then(|colon| decoded.get(colon + 1..));
    password.is_some_and(|password| is_same(token, password))
}

/// Compares the token with what a client sent. How long that takes says nothing about the token: two digests are compared, and all of
/// their bytes.
fn is_same(token: &Token, sent: &[u8]) -> bool {
    let digests = Sha256::digest(token.reveal()).into_iter().zip(Sha256::digest(sent));
    digests.fold(0, |differences, (own, other)| differences | (own ^ other)) == 0
}

impl NotAdmitted {
    /// The response: its status, its text, and a header of its own.
    pub(super) fn response(&self) -> (StatusCode, String, Option<(HeaderName, &'static str)>) {
        match self {
            Self::Host(host) => {
                let text = format!(
                    "This listener does not go by the name \"{host}\". Use an address or localhost, or add the name to admin.hosts in the configuration."
                );
                (StatusCode::MISDIRECTED_REQUEST, text, None)
            }
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                "This listener wants the token in the file that admin.token_file names, as Authorization: Bearer TOKEN or as the password of any \
                 user. The commands of s3cors take it from the file that S3CORS_ADMIN_TOKEN_FILE names."
                    .to_owned(),
                Some(CHALLENGE),
            ),
            Self::NoTokenFile => (
                StatusCode::UNAUTHORIZED,
                "The file that admin.token_file names has no token, so no one is admitted; the log says what is wrong with it."
                    .to_owned(),
                Some(CHALLENGE),
            ),
            Self::Route(NoRoute::Path) => (StatusCode::NOT_FOUND, "not found".to_owned(), None),
            Self::Route(NoRoute::Method { allow }) => {
                (StatusCode::METHOD_NOT_ALLOWED, "method not allowed".to_owned(), Some((ALLOW, allow)))
            }
            Self::ForeignPage => (
                StatusCode::FORBIDDEN,
                "A page of another site sent this request. Send it from a page of this listener, or with a program.".to_owned(),
                None,
            ),
        }
    }
}

impl Route {
    /// The header that a response of this route has besides those of all.
    pub(super) const fn header(self) -> Option<(HeaderName, &'static str)> {
        match self {
            Self::Home => Some((LOCATION, "/status")),
            _ => None,
        }
    }
}

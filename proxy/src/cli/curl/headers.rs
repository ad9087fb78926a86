//! Which method and headers a browser asks for before it sends a request.
//!
//! Decides: what of a copied request the page set, as far as one can see it. Browsers copy the headers that they add themselves too. Must
//! not know: which headers need a preflight, which the engine knows.

use super::CurlError;
use super::options::Options;
use s3_cors::browser::{CredentialsMode, Fetch, Mode, PageOrigin};

/// What a preflight for the request asks for.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) headers: Option<String>,
}

/// Headers that a page could set or that are none, and that browsers copy because they send them themselves with every request.
const OF_THE_BROWSER: [&str; 9] = [
    "access-control-request-local-network",
    "access-control-request-private-network",
    "alt-used",
    "authority",
    "priority",
    "save-data",
    "upgrade-insecure-requests",
    "user-agent",
    "x-client-data",
];

impl Asked {
    pub(super) fn of(options: &Options) -> Result<Self, CurlError> {
        let method = method(options);
        // The copied request is the preflight itself.
        let asks = options.header("access-control-request-method").filter(|_| method == "OPTIONS");
        if let Some(asked) = asks {
            let headers = options.header("access-control-request-headers").map(str::to_owned);
            return Ok(Self { method: asked.to_owned(), headers });
        }
        let set_by_page = options.headers.iter().filter(|(name, value)| !is_of_browser(name, value, options));
        let headers = set_by_page.map(|(name, value)| (&**name, Some(&**value)));
        // Neither the page nor the method decides which headers a preflight asks for.
        let fetch = Fetch::new(PageOrigin::Opaque, "GET", headers, Mode::Cors, CredentialsMode::Omit);
        let names = fetch.map_err(|_| CurlError::Header)?.request_headers();
        Ok(Self { method, headers: Some(names).filter(|names| !names.is_empty()) })
    }
}

impl Asked {
    /// Returns whether the request has an `Authorization`, or a preflight asks for one.
    pub(super) fn has_authorization(&self, options: &Options) -> bool {
        let is_asked = |name: &str| name.trim().eq_ignore_ascii_case("authorization");
        options.header("authorization").is_some()
            || self.headers.as_deref().unwrap_or_default().split(',').any(is_asked)
    }
}

fn method(options: &Options) -> String {
    let implied = match options {
        Options { is_head: true, .. } => "HEAD",
        Options { is_upload: true, .. } => "PUT",
        Options { has_body: true, is_get: false, .. } => "POST",
        _ => "GET",
    };
    options.method.clone().unwrap_or_else(|| implied.to_owned())
}

fn is_of_browser(name: &str, value: &str, options: &Options) -> bool {
    // A reload, or developer tools that turn off the cache (Fetch, "HTTP-network-or-cache fetch").
    let is_of_reload = match name {
        "cache-control" if value == "no-cache" => options.header("pragma") == Some("no-cache"),
        "pragma" if value == "no-cache" => options.header("cache-control") == Some("no-cache"),
        "cache-control" => value == "max-age=0",
        _ => false,
    };
    is_of_reload || name.starts_with(':') || OF_THE_BROWSER.contains(&name)
}

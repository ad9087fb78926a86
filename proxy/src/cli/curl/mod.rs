//! A request as a browser copies it: the line that "Copy as cURL" gives.
//!
//! Decides: which request the page made, as CORS sees it. Must not know: rules. Values of headers decide and are never kept: they can be
//! secrets.

mod headers;
mod options;
mod shell;

use headers::Asked;
use options::Options;
use s3cors_proxy::s3::presigned::is_presigned;
use url::Url;

/// What a copied request is to CORS.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Copied {
    /// Host and port of the URL, or the Host that was sent.
    pub(super) host: String,
    /// The path, as it was sent.
    pub(super) path: String,
    /// The page's origin; a browser sends none with a request that CORS has no part in.
    pub(super) origin: Option<String>,
    /// The method that the page uses.
    pub(super) method: String,
    /// The headers that a preflight asks for, separated by commas.
    pub(super) request_headers: Option<String>,
    /// Whether the browser says that page and URL have the same origin.
    pub(super) is_same_origin: bool,
    /// True if both the URL and a header have a signature, which S3 refuses.
    pub(super) has_two_signatures: bool,
}

/// Why a line cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CurlError {
    #[error("--curl expects a line that begins with curl, as \"Copy as cURL\" in a browser's developer tools gives it")]
    NotCurl,
    #[error("--curl: a quote is not closed; give - and paste the line, so that no shell changes it")]
    Quote,
    #[error("--curl: option {0} is not known; remove it")]
    Option(String),
    #[error("--curl: option {0} needs a value")]
    NoValue(String),
    #[error("--curl: the line has no URL")]
    NoUrl,
    #[error("--curl: the line has more than one URL; copy one request")]
    TwoUrls,
    #[error("--curl: the URL is not one of http or https: {0}")]
    Url(&'static str),
    #[error("--curl: a header that is not NAME: VALUE, or that no browser sends")]
    Header,
}

impl Copied {
    /// Reads a line.
    pub(super) fn read(line: &str) -> Result<Self, CurlError> {
        let words = shell::words(line).ok_or(CurlError::Quote)?;
        let mut words = words.into_iter();
        if !words.next().is_some_and(|program| matches!(&*program, "curl" | "curl.exe")) {
            return Err(CurlError::NotCurl);
        }
        let options = Options::read(words)?;
        let url = url(&options)?;
        let host = options.header("host").map_or_else(|| authority(&url), str::to_owned);
        let origin = options.header("origin").map(str::to_owned);
        let asked = Asked::of(&options)?;
        Ok(Self {
            host,
            path: url.path().to_owned(),
            origin,
            has_two_signatures: is_presigned(url.query()) && asked.has_authorization(&options),
            is_same_origin: options.header("sec-fetch-site") == Some("same-origin"),
            method: asked.method,
            request_headers: asked.headers,
        })
    }
}

/// curl takes a URL without a scheme for one of http.
fn url(options: &Options) -> Result<Url, CurlError> {
    let text = match options.urls.as_slice() {
        [] => return Err(CurlError::NoUrl),
        [url] => url,
        _ => return Err(CurlError::TwoUrls),
    };
    let whole = if text.contains("://") { text.clone() } else { format!("http://{text}") };
    // What is wrong is said without the URL: its query can be a signature.
    let url = Url::parse(&whole).map_err(|_| CurlError::Url("it cannot be read"))?;
    let is_http = matches!(url.scheme(), "http" | "https");
    if is_http && url.has_host() { Ok(url) } else { Err(CurlError::Url("it has another scheme")) }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests;

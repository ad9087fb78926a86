//! Which method and headers a browser asks for before it sends a request.
//!
//! Decides: what of a copied request the page set, as far as one can see it. Browsers copy the headers that they add themselves too.

use super::options::Options;

/// What a preflight for the request asks for.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) headers: Option<String>,
}

/// Headers that no page can set (Fetch, "forbidden request-header").
const FORBIDDEN: [&str; 22] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-local-network",
    "access-control-request-method",
    "access-control-request-private-network",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that a page could set, and that browsers set themselves with every request.
const OF_THE_BROWSER: [&str; 8] = [
    "alt-used",
    "authority",
    "priority",
    "save-data",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-client-data",
];

/// A value that is longer is not safelisted, nor are all together if they are longer than the second (Fetch).
const LONGEST_SAFE: usize = 128;
const LONGEST_SAFE_TOGETHER: usize = 1024;

impl Asked {
    pub(super) fn of(options: &Options) -> Self {
        let method = method(options);
        // The copied request is the preflight itself.
        let asks = options.header("access-control-request-method").filter(|_| method == "OPTIONS");
        if let Some(asked) = asks {
            let headers = options.header("access-control-request-headers").map(str::to_owned);
            return Self { method: asked.to_owned(), headers };
        }
        let set_by_page = options.headers.iter().filter(|(name, value)| !is_of_browser(name, value, options));
        let (safe, mut asked): (Vec<_>, Vec<_>) = set_by_page.partition(|(name, value)| is_safelisted(name, value));
        if safe.iter().map(|(_, value)| value.len()).sum::<usize>() > LONGEST_SAFE_TOGETHER {
            asked.extend(safe);
        }
        let mut names: Vec<_> = asked.into_iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        Self { method, headers: (!names.is_empty()).then(|| names.join(",")) }
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
    let is_forbidden = FORBIDDEN.contains(&name) || name.starts_with("sec-") || name.starts_with("proxy-");
    // A reload, or developer tools that turn off the cache (Fetch, "HTTP-network-or-cache fetch").
    let is_of_reload = match name {
        "cache-control" if value == "no-cache" => options.header("pragma") == Some("no-cache"),
        "pragma" if value == "no-cache" => options.header("cache-control") == Some("no-cache"),
        "cache-control" => value == "max-age=0",
        _ => false,
    };
    is_forbidden || is_of_reload || name.starts_with(':') || OF_THE_BROWSER.contains(&name)
}

/// Whether a browser sends the header without asking (Fetch, "CORS-safelisted request-header").
fn is_safelisted(name: &str, value: &str) -> bool {
    let is_safe = match name {
        "accept" => !value.bytes().any(is_unsafe),
        "accept-language" | "content-language" => {
            value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" *,-.;=".contains(&byte))
        }
        "content-type" => {
            let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let is_of_form =
                matches!(&*essence, "application/x-www-form-urlencoded" | "multipart/form-data" | "text/plain");
            is_of_form && !value.bytes().any(is_unsafe)
        }
        "range" => is_simple_range(value),
        _ => false,
    };
    is_safe && value.len() <= LONGEST_SAFE
}

/// "CORS-unsafe request-header byte".
fn is_unsafe(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f || b"\"():<>?@[\\]{}".contains(&byte)
}

/// One range that has a start: `bytes=0-` or `bytes=0-99`.
fn is_simple_range(value: &str) -> bool {
    let Some((start, end)) = value.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else { return false };
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok());
    match (number(start), number(end)) {
        (Some(Some(start)), Some(Some(end))) => start <= end,
        (Some(Some(_)), Some(None)) => end.is_empty(),
        _ => false,
    }
}

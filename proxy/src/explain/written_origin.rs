//! The origin of a page, from what a person writes for it.
//!
//! Decides: what a browser makes of it (HTML, "ASCII serialization of an origin"), and what was meant by a text that is no origin. Must not
//! know: rules.

use crate::s3::domain::without_user;
use s3_cors::browser::{NoServerOrigin, PageOrigin};
use std::fmt;
use url::{Host, Url};

/// A text that is no origin of a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NoPageOrigin {
    /// The reason, in words.
    pub why: String,
    /// The origin that was probably meant.
    pub meant: Option<String>,
}

impl fmt::Display for NoPageOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no browser sends it: {}", self.why)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean {meant}?"),
            None => Ok(()),
        }
    }
}

/// Returns the origin as a browser serializes it: scheme and host in lower case, a name in ASCII, an address in its one form, without the
/// scheme's own port.
///
/// # Errors
/// [`NoPageOrigin`] for a text that is more or less than an origin.
pub fn page_origin(text: &str) -> Result<String, NoPageOrigin> {
    let text = text.trim();
    let Err(never) = PageOrigin::parse(text) else { return Ok(text.to_owned()) };
    if let Some(origin) = serialized(text).filter(|_| is_authority_alone(text)) {
        return Ok(origin);
    }
    let why = NoServerOrigin::NeverSent(never).to_string();
    Err(NoPageOrigin { why, meant: meant(text) })
}

/// Serializes the origin of a URL of http or https; `None` for other URLs, and where a browser would send something else.
fn serialized(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let origin = url.origin().ascii_serialization();
    PageOrigin::parse(&origin).is_ok().then_some(origin)
}

/// Returns true if nothing comes before or after host and port, in the spelling that has two slashes.
fn is_authority_alone(text: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    !rest.is_empty() && !rest.contains(['/', '\\', '?', '#', '@']) && !rest.contains(char::is_whitespace)
}

/// The origin in a URL, or of a host without a scheme.
fn meant(text: &str) -> Option<String> {
    // A part of a password may look like a host.
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    if without_user(bare) != bare || text.contains(['@', '%']) || text.contains(char::is_whitespace) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("file:") {
        return Some("null".to_owned());
    }
    let (scheme, rest) = match text.split_once("://") {
        None => ("", text.trim_start_matches("http:").trim_start_matches("https:").trim_start_matches('/')),
        Some(("http" | "ws", rest)) => ("http", rest),
        Some((_, rest)) => ("https", rest),
    };
    let https = serialized(&format!("https://{rest}"))?;
    if scheme == "http" || (scheme.is_empty() && is_of_this_machine(&https)) {
        return serialized(&format!("http://{rest}"));
    }
    Some(https)
}

/// Returns true for a development server, which seldom has a certificate.
fn is_of_this_machine(origin: &str) -> bool {
    let url = Url::parse(origin).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_serialized_as_a_browser_does() {
        for (text, origin) in [
            ("https://app.example", "https://app.example"),
            (" https://app.example ", "https://app.example"),
            ("HTTPS://App.Example", "https://app.example"),
            ("https://app.example:443", "https://app.example"),
            ("http://app.example:80", "http://app.example"),
            ("https://app.example:80", "https://app.example:80"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[0:0::1]:3000", "http://[::1]:3000"),
            ("null", "null"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            assert_eq!(page_origin(text).as_deref(), Ok(origin), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_no_origin_is_refused_with_the_one_that_was_meant() {
        for (text, meant) in [
            ("http://localhost:3000/", Some("http://localhost:3000")),
            ("https://app.example/page?x=1", Some("https://app.example")),
            ("https://App.example:443/", Some("https://app.example")),
            ("https://app.example#top", Some("https://app.example")),
            ("app.example", Some("https://app.example")),
            ("App.example:8443/", Some("https://app.example:8443")),
            ("localhost:3000", Some("http://localhost:3000")),
            ("127.0.0.1:3000", Some("http://127.0.0.1:3000")),
            ("//app.example", Some("https://app.example")),
            ("https:/app.example", Some("https://app.example")),
            ("htpps://app.example", Some("https://app.example")),
            ("wss://app.example", Some("https://app.example")),
            ("ws://localhost:3000", Some("http://localhost:3000")),
            ("file:///home/index.html", Some("null")),
            ("*", None),
            ("https://*.example.com", None),
            ("", None),
            ("a\nb", None),
            ("https://a.example, https://b.example", None),
            ("https://user:5ECRET@app.example", None),
            ("user:5ECRET@app.example", None),
        ] {
            let refused = page_origin(text).unwrap_err();
            assert_eq!(refused.meant.as_deref(), meant, "{text}");
            assert!(!refused.to_string().contains("5ECRET"), "{refused}");
        }
    }
}

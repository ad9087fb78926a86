//! The origin that was meant by a text that no browser sends.

use super::browser_origin::BrowserOrigin;
use super::similar::is_close;
use crate::punycode;

/// Returns what to write instead, if that is a browser's origin: with a scheme, without what follows the port, in a browser's spelling.
/// A text with a user name has none, since it may hold a secret.
pub(crate) fn meant_origin(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = scheme_and_rest(text)?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest).to_lowercase();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (&*authority, None),
    };
    let host = ascii(host)?;
    let scheme = scheme.unwrap_or(if is_local(&host) { "http" } else { "https" });
    let is_default = matches!((scheme, port), (_, None | Some("")) | ("https", Some("443")) | ("http", Some("80")));
    let meant = match port.filter(|_| !is_default) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    };
    // What stands for the wildcard is a part of a name.
    let is_origin = meant != text && BrowserOrigin::parse(&meant.replace('*', "a")).is_ok();
    is_origin.then_some(meant)
}

/// The scheme, where it is known, and what follows it.
fn scheme_and_rest(text: &str) -> Option<(Option<&'static str>, &str)> {
    // "blob:https://a.example/1"
    let text = ["blob:", "view-source:"].iter().find_map(|outer| text.strip_prefix(outer)).unwrap_or(text);
    let (scheme, rest) = match text.split_once(":/") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => (String::new(), text),
    };
    let rest = rest.trim_start_matches(['/', '\\']);
    let scheme = match &*scheme {
        "" => None,
        "http" | "ws" => Some("http"),
        "https" | "wss" => Some("https"),
        other if is_close(other, "https") => Some("https"),
        other if is_close(other, "http") => Some("http"),
        _ => return None,
    };
    Some((scheme, rest))
}

/// A host in the letters that URLs have; labels outside ASCII in punycode.
fn ascii(host: &str) -> Option<String> {
    let labels = host.split('.').map(|label| {
        if label.is_ascii() { Some(label.to_owned()) } else { Some(format!("xn--{}", punycode::encode(label)?)) }
    });
    Some(labels.collect::<Option<Vec<_>>>()?.join("."))
}

/// Servers on the machine itself seldom have TLS.
fn is_local(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" || host == "[::1]"
}

#[cfg(test)]
mod tests {
    use super::meant_origin;

    #[test]
    fn what_was_meant_is_the_authors_own_value() {
        for (text, meant) in [
            ("a.example", Some("https://a.example")),
            ("a.example:8443", Some("https://a.example:8443")),
            ("a.example/app?x", Some("https://a.example")),
            ("//a.example", Some("https://a.example")),
            ("https:/a.example", Some("https://a.example")),
            ("https:///a.example", Some("https://a.example")),
            ("htpps://a.example", Some("https://a.example")),
            ("wss://a.example", Some("https://a.example")),
            ("blob:https://a.example/7", Some("https://a.example")),
            ("HTTPS://A.Example/", Some("https://a.example")),
            ("https://B\u{fc}cher.example", Some("https://xn--bcher-kva.example")),
            ("localhost:3000", Some("http://localhost:3000")),
            ("127.0.0.1", Some("http://127.0.0.1")),
            ("*.a.example/", Some("https://*.a.example")),
            ("https://a.example:443", Some("https://a.example")),
            ("https://u:p@a.example", None),
            ("s3://bucket", None),
            ("a b", None),
            ("", None),
        ] {
            assert_eq!(meant_origin(text).as_deref(), meant, "{text}");
        }
    }
}

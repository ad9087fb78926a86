//! `Location` of a redirect to the storage itself, which does not know the beginning of the path that its public name has.

/// Returns the location for the client; `None` where it leads elsewhere. `prefix` is what belongs to the public name; `received` is the host
/// that the client asked for, `sent` the one that the upstream was asked for.
pub(super) fn with_prefix(location: &[u8], prefix: &str, received: &str, sent: &str) -> Option<Vec<u8>> {
    let is_rooted = |path: &[u8]| path.starts_with(b"/") && !path.starts_with(b"//");
    if is_rooted(location) {
        return Some([prefix.as_bytes(), location].concat());
    }
    let at = memchr::memmem::find(location, b"//").filter(|at| is_scheme(location.get(..*at).unwrap_or_default()))? + 2;
    let after = location.get(at..)?;
    let end = memchr::memchr3(b'/', b'?', b'#', after).unwrap_or(after.len());
    let (authority, path) = after.split_at_checked(end)?;
    let is = |host: &str| authority.eq_ignore_ascii_case(host.as_bytes());
    let path = if path.starts_with(b"/") { path.to_vec() } else { [b"/", path].concat() };
    match (is(received), is(sent)) {
        (true, _) => Some([location.get(..at)?, authority, prefix.as_bytes(), &path].concat()),
        // No client need know the name that the upstream has.
        (false, true) => Some([prefix.as_bytes(), &path].concat()),
        (false, false) => None,
    }
}

/// Returns true for nothing, and for a scheme with its colon.
fn is_scheme(text: &[u8]) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case(b"http:") || text.eq_ignore_ascii_case(b"https:")
}

#[cfg(test)]
mod tests {
    use super::with_prefix;

    #[test]
    fn a_redirect_to_the_storage_itself_gets_the_prefix_back() {
        for (location, expected) in [
            ("/b/k/", Some("/s/b/k/")),
            ("/", Some("/s/")),
            ("/s/k", Some("/s/s/k")),
            ("http://app.test/b/k?x=1#y", Some("http://app.test/s/b/k?x=1#y")),
            ("HTTPS://APP.test/b", Some("HTTPS://APP.test/s/b")),
            ("http://app.test", Some("http://app.test/s/")),
            ("http://app.test?x", Some("http://app.test/s/?x")),
            ("//app.test/b", Some("//app.test/s/b")),
            ("http://minio:9000/b/k", Some("/s/b/k")),
            ("http://minio:9001/b/k", None),
            ("https://other.test/b", None),
            ("https://other.test//app.test/b", None),
            ("ftp://app.test/b", None),
            ("k/x", None),
            ("?x", None),
            ("x//app.test/b", None),
            ("", None),
        ] {
            let shown = with_prefix(location.as_bytes(), "/s", "app.test", "minio:9000");
            assert_eq!(shown.as_deref(), expected.map(str::as_bytes), "{location}");
        }
    }
}

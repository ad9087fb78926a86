//! What a change means: who can do what afterwards.
//!
//! Decides: whose an origin is, as far as the rules say it. Must not know: the change.

use super::wanted::Wanted;
use crate::document::lint::browser_origin::BrowserOrigin;
use crate::document::lint::origins::example;
use crate::document::warning::NeverSent;
use crate::{CorsConfiguration, HeaderPattern, OriginPattern};
use std::fmt;

/// Whose pages have an origin, as far as the rules say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Whose {
    /// A rule already names an origin of the same site: the same owner's.
    Known,
    /// No rule names its site: it may be anyone's.
    Unknown,
    /// `null`: everyone's.
    Everyone,
    /// No browser has it.
    NoBrowser(NeverSent),
}

/// Who can do what after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meaning {
    /// What is allowed.
    pub wanted: Wanted,
    /// Whose pages have the origin.
    pub whose: Whose,
}

impl Meaning {
    pub(super) fn new(before: Option<&CorsConfiguration>, wanted: &Wanted) -> Self {
        let rules = before.map(CorsConfiguration::rules).unwrap_or_default();
        let whose = match BrowserOrigin::parse(wanted.origin().as_str()) {
            _ if wanted.origin().as_str() == "null" => Whose::Everyone,
            Err(why) => Whose::NoBrowser(why),
            Ok(origin) => {
                let mut named = rules.iter().flat_map(crate::CorsRule::allowed_origins);
                if named.any(|pattern| is_of_site(pattern, &origin)) { Whose::Known } else { Whose::Unknown }
            }
        };
        Self { wanted: wanted.clone(), whose }
    }
}

/// Whether a pattern names the origin's site. `*` names none.
fn is_of_site(pattern: &OriginPattern, origin: &BrowserOrigin<'_>) -> bool {
    let example = if pattern.is_any() { None } else { example(pattern) };
    let named = example.as_deref().and_then(|example| BrowserOrigin::parse(example).ok());
    named.is_some_and(|named| named.site().is_some() && named.site() == origin.site())
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (origin, method) = (self.wanted.origin(), self.wanted.method());
        match self.whose {
            Whose::Known => write!(f, "pages of {origin}"),
            Whose::Unknown => write!(f, "pages of {origin}, no matter who owns it,"),
            Whose::Everyone => f.write_str("sandboxed frames and local files of anyone, whose origin is null,"),
            Whose::NoBrowser(why) => write!(f, "no browser has the origin {origin} ({}); who sends it", why.as_str()),
        }?;
        write!(f, " can then send {method} requests")?;
        let headers: Vec<_> = self.wanted.headers().iter().map(HeaderPattern::as_str).collect();
        if !headers.is_empty() {
            write!(f, " with the headers {}", headers.join(", "))?;
        }
        f.write_str(" and read the responses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Format};

    #[test]
    fn a_change_says_whose_pages_it_lets_in() {
        let rules = br#"[{"AllowedOrigins": ["https://*.app.example", "http://10.0.0.1"], "AllowedMethods": ["GET"]},
            {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]}]"#;
        let document = Document::parse(rules, Format::Json).unwrap();
        for (origin, headers, said) in [
            (
                "https://app.example",
                "",
                "pages of https://app.example can then send PUT requests and read the responses",
            ),
            ("http://10.0.0.1:81", "", "pages of http://10.0.0.1:81 can then"),
            (
                "https://evil.example",
                "x-b,x-a",
                "https://evil.example, no matter who owns it, can then send PUT requests with the headers x-a, x-b",
            ),
            ("null", "", "sandboxed frames and local files of anyone"),
            ("app.example", "", "no browser has the origin app.example (it has no scheme)"),
        ] {
            let wanted = Wanted::new(origin, "PUT", Some(headers)).unwrap();
            let meaning = Meaning::new(Some(document.configuration()), &wanted).to_string();
            assert!(meaning.contains(said), "{origin}: {meaning}");
        }
        let wanted = Wanted::new("https://app.example", "GET", None).unwrap();
        assert_eq!(Meaning::new(None, &wanted).whose, Whose::Unknown);
    }
}

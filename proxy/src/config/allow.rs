//! Origins to allow without a file of rules.

use super::values::ValueError;
use crate::s3::domain::without_user;
use s3_cors::{AllowedMethod, CorsConfiguration, CorsRule, Document, Format, OriginPattern, WarningCode};
use std::borrow::Cow;
use std::str::FromStr;

/// An origin that `--allow` names: a pattern as S3 has it in `AllowedOrigin`, and one that a browser can send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(OriginPattern);

impl AllowedOrigin {
    /// The pattern.
    #[must_use]
    pub const fn pattern(&self) -> &OriginPattern {
        &self.0
    }
}

impl FromStr for AllowedOrigin {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let pattern = OriginPattern::parse(text)
            .map_err(|_| ValueError::new(text, "an origin has at most one *; give --allow once for each"))?;
        // S3 stores an origin that no browser sends. In a first try it can only be a mistake.
        match why_never_sent(&pattern) {
            // The hint would show what the message about the value leaves out.
            Some(_) if without_user(text) != text => Err(ValueError::new(
                text,
                "no browser sends this as an origin; an origin is scheme, host and port alone",
            )),
            Some(hint) => Err(ValueError::new(text, format!("no browser sends this as an origin; {hint}"))),
            None => Ok(Self(pattern)),
        }
    }
}

/// What to write instead of an origin that no browser sends: what `s3cors check` says to a rule for it.
fn why_never_sent(origin: &OriginPattern) -> Option<String> {
    let rule = CorsRule::new(vec![origin.clone()], vec![AllowedMethod::Get]).ok()?;
    let json = CorsConfiguration::new(vec![rule]).ok()?.to_json();
    // What a document cannot hold, such as a control character, no origin has.
    let Some(document) = json.ok().and_then(|json| Document::parse(json.as_bytes(), Format::Json).ok()) else {
        return Some("write an origin, such as https://app.example".to_owned());
    };
    let warnings = document.warnings();
    let never = warnings.iter().find(|warning| warning.code() == WarningCode::OriginNeverMatches)?;
    never.hint().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_pattern_that_a_browser_can_match() {
        for text in [
            "*",
            "https://app.example",
            " http://localhost:3000 ",
            "https://*.app.example",
            "http://localhost:*",
            "null",
        ] {
            assert_eq!(text.parse::<AllowedOrigin>().unwrap().pattern().as_str(), text.trim());
        }
        for (text, said) in [
            ("", "write an origin, such as https://app.example"),
            ("app.example", "write https://app.example"),
            ("https://app.example/", "remove everything after the host and port"),
            ("https://app.example/page", "remove everything after the host and port"),
            ("https://App.example", "write https://app.example"),
            ("https://app.example:443", "remove the port"),
            ("https://*.*.example", "at most one *"),
            ("https://a b", "without spaces"),
            ("https://\u{7}", "such as https://app.example"),
            (
                "https://user:5ECRET@app.example",
                "\"https://...@app.example\": no browser sends this as an origin; an origin is",
            ),
            ("https://user:5ECRET", "\"https://user:...\""),
        ] {
            let error = text.parse::<AllowedOrigin>().unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("5ECRET"), "{text:?}: {error}");
        }
    }
}

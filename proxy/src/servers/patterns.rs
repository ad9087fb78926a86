//! Patterns that a server reads otherwise than S3: `*` in AllowedOrigin and AllowedHeader, and no AllowedHeader at all.
//!
//! Decides: which patterns of a document such a server misses. Must not know: which servers do so.

use super::compare::{Finding, texts};
use super::difference::{Difference, Harm};
use s3_cors::{HeaderPattern, OriginPattern};

impl Finding<'_> {
    /// A rule without AllowedHeader allows every header.
    pub(super) fn no_header_is_every_header(&mut self) {
        let found: Vec<_> = self
            .numbered()
            .filter(|(_, rule)| rule.allowed_headers().is_empty())
            .map(|(number, rule)| Difference {
                kind: "open_headers",
                harm: Harm::Opens,
                rule: Some(number),
                about: texts(rule.allowed_origins(), OriginPattern::as_str),
                s3: "allows no header where a rule has no AllowedHeader".to_owned(),
                server: "allows every header".to_owned(),
                consequence: "a page may send headers that the rules forbid".to_owned(),
            })
            .collect();
        self.differences.extend(found);
    }

    /// Patterns in origins that a server takes and never matches: it knows those that begin with the scheme and `*`.
    pub(super) fn origin_patterns(&mut self) {
        let is_known = |text: &str| text == "*" || text.starts_with("http://*") || text.starts_with("https://*");
        let found: Vec<_> = self
            .numbered()
            .filter_map(|(number, rule)| {
                let origins = rule.allowed_origins().iter().map(OriginPattern::as_str);
                let about: Vec<_> =
                    origins.filter(|text| text.contains('*') && !is_known(text)).map(str::to_owned).collect();
                (!about.is_empty()).then(|| Difference {
                    kind: "origin_pattern",
                    harm: Harm::Breaks,
                    rule: Some(number),
                    consequence: format!("pages of {} are refused", about.join(", ")),
                    about,
                    s3: "matches * in AllowedOrigin as any text, wherever it is".to_owned(),
                    server: "matches it after http:// or https:// alone".to_owned(),
                })
            })
            .collect();
        self.differences.extend(found);
    }

    /// Patterns in headers that the server does not know.
    pub(super) fn header_patterns(&mut self, server: &str, is_known: impl Fn(&str) -> bool) {
        let found: Vec<_> = self
            .numbered()
            .filter_map(|(number, rule)| {
                let patterns = rule.allowed_headers().iter().map(HeaderPattern::as_str);
                let patterns: Vec<_> =
                    patterns.filter(|text| text.contains('*') && !is_known(text)).map(str::to_owned).collect();
                let has_star = rule.allowed_headers().iter().any(HeaderPattern::is_any);
                (!patterns.is_empty() && !has_star).then(|| Difference {
                    kind: "header_pattern",
                    harm: Harm::Breaks,
                    rule: Some(number),
                    consequence: format!("a preflight for a header that {} stands for is refused", patterns.join(", ")),
                    about: patterns,
                    s3: "matches * in AllowedHeader as any text".to_owned(),
                    server: server.to_owned(),
                })
            })
            .collect();
        self.differences.extend(found);
    }

    pub(super) fn header_stars(&mut self) {
        let found: Vec<_> = self
            .numbered()
            .filter(|(_, rule)| rule.allowed_headers().iter().any(|header| header.as_str().contains('*')))
            .map(|(number, rule)| Difference {
                kind: "header_star",
                harm: Harm::Breaks,
                rule: Some(number),
                about: texts(rule.allowed_headers(), |header| header.as_str()),
                s3: "takes * in AllowedHeader".to_owned(),
                server: "does not: each header is to be listed".to_owned(),
                consequence: "a preflight for a header that is not listed by its name is refused".to_owned(),
            })
            .collect();
        self.differences.extend(found);
    }
}

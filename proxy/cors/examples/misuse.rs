//! How not to do it, and what goes wrong: `cargo run -p s3-cors --example misuse`
//!
//! None of this is an error that a compiler finds. Each mistake is shown with the attack or the failure that it opens.

use s3_cors::{CorsRequest, Credentials, Document, Format, RuleTable, VARY, evaluate};
use std::collections::HashMap;

const RULES: &[u8] = br#"[{"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET"]}]"#;

/// A shared cache in front of the server: it keeps a response by the request headers that the response's `Vary` names.
#[derive(Default)]
struct Cache(HashMap<Option<String>, Option<String>>);

impl Cache {
    /// The `Access-Control-Allow-Origin` that a client with this Origin gets for the one object that there is.
    fn get(&mut self, rules: &RuleTable, origin: Option<&str>, vary_always: bool) -> Option<String> {
        let without_vary = self.0.get(&None);
        if let Some(stored) = without_vary.or_else(|| self.0.get(&Some(origin.unwrap_or_default().to_owned()))) {
            return stored.clone();
        }
        let mut request = CorsRequest::new(b"GET");
        if let Some(origin) = origin {
            request.add_line(b"Origin", origin.as_bytes());
        }
        let decision = evaluate(Some(rules), &request);
        let allowed =
            decision.grant().map(|grant| String::from_utf8_lossy(grant.allow_origin().as_bytes()).into_owned());
        let vary = (vary_always || allowed.is_some()).then_some(VARY);
        let key = vary.map(|_| origin.unwrap_or_default().to_owned());
        self.0.insert(key, allowed.clone());
        allowed
    }
}

/// Wrong: `Vary` only on responses with a grant, which is what S3 does. The first client without an Origin, perhaps an `<img>`,
/// puts a response into the cache that serves everyone, and the page that may read the object cannot.
fn vary_only_with_a_grant(rules: &RuleTable) {
    let app = Some("https://app.example");

    let mut cache = Cache::default();
    assert_eq!(cache.get(rules, None, false), None);
    assert_eq!(cache.get(rules, app, false), None, "poisoned: the page is allowed and refused all the same");

    let mut cache = Cache::default();
    assert_eq!(cache.get(rules, None, true), None);
    assert_eq!(cache.get(rules, app, true).as_deref(), app, "right: every response of the bucket has Vary");
}

/// Wrong: the Origin sent back as it came. Every site then reads with the user's cookies.
fn reflected_by_hand(rules: &RuleTable) {
    let reflect = |origin: &str| (origin.to_owned(), "true");
    assert_eq!(reflect("https://evil.example"), ("https://evil.example".into(), "true"), "credentials for anyone");
    assert!(!is_granted(rules, "https://evil.example"), "right: only what a rule allows");
}

/// Wrong: an Origin compared by its beginning. Anyone can register a domain that begins like yours.
fn compared_by_its_beginning(rules: &RuleTable) {
    let begins = |origin: &str| origin.starts_with("https://app.example");
    assert!(begins("https://app.example.evil"), "a domain of someone else");
    assert!(
        !is_granted(rules, "https://app.example.evil"),
        "right: an exact origin, or a pattern that ends in a domain"
    );
}

fn is_granted(rules: &RuleTable, origin: &str) -> bool {
    let mut request = CorsRequest::new(b"GET");
    request.add_line(b"Origin", origin.as_bytes());
    evaluate(Some(rules), &request).grant().is_some()
}

/// Wrong: a pattern with no dot after its wildcard. S3 accepts it; the warnings name it.
fn warnings_not_read() -> Result<(), s3_cors::DocumentErrors> {
    let wide = br#"[{"AllowedOrigins": ["https://*app.example"], "AllowedMethods": ["GET"]}]"#;
    let document = Document::parse(wide, Format::Json)?;
    let rules = RuleTable::new(document.configuration(), Credentials::S3);
    assert!(is_granted(&rules, "https://evil-app.example"), "the pattern lets in a neighbour");
    let codes: Vec<_> = document.warnings().iter().map(|warning| warning.code().as_str()).collect();
    assert_eq!(codes, ["OriginTooWide"], "right: show the warnings to the author of the rules");
    Ok(())
}

fn main() -> Result<(), s3_cors::DocumentErrors> {
    let document = Document::parse(RULES, Format::Json)?;
    let rules = RuleTable::new(document.configuration(), Credentials::S3);
    vary_only_with_a_grant(&rules);
    reflected_by_hand(&rules);
    compared_by_its_beginning(&rules);
    warnings_not_read()
}

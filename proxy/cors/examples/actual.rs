//! Adds CORS to an upstream's response to an actual request: `cargo run -p s3-cors --example actual`
//!
//! S3 carries an actual request out whatever the rules say. Only the headers of its response differ, and any status has them.

use http::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN, VARY};
use http::{HeaderMap, HeaderValue, Method};
use s3_cors::{CorsRequest, Credentials, Document, Format, RuleTable, VaryMerge, evaluate, merge_vary};

const RULES: &[u8] = b"<CORSConfiguration><CORSRule>
    <AllowedOrigin>https://*.app.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>
    <ExposeHeader>ETag</ExposeHeader>
</CORSRule></CORSConfiguration>";

/// Makes the upstream's headers those of the response to the client.
fn add_cors(rules: &RuleTable, request: &CorsRequest<'_>, headers: &mut HeaderMap) {
    // An upstream may have an opinion of its own. With two Access-Control-Allow-Origin a browser refuses both (Fetch, CORS check).
    let theirs: Vec<_> = headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in theirs {
        headers.remove(name);
    }
    if let Some(grant) = evaluate(Some(rules), request).grant() {
        grant.for_each_header(|name, value| {
            headers.insert(name.clone(), value.clone());
        });
    }
    // Also without a grant: the next origin may get one, and a cache must not serve it this response (see `misuse`).
    if let VaryMerge::Set(vary) = merge_vary(headers.get_all(VARY).iter().map(HeaderValue::as_bytes)) {
        headers.insert(VARY, vary);
    }
}

#[allow(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document = Document::parse(RULES, Format::Xml)?;
    let rules = RuleTable::new(document.configuration(), Credentials::S3);

    let respond = |origin: Option<&'static str>| {
        let mut request = HeaderMap::new();
        if let Some(origin) = origin {
            request.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        let mut response = HeaderMap::new();
        response.insert("etag", HeaderValue::from_static("\"1\""));
        response.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        add_cors(&rules, &CorsRequest::from((&Method::GET, &request)), &mut response);
        response
    };

    let granted = respond(Some("https://pr-7.app.example"));
    assert_eq!(granted.get(ACCESS_CONTROL_ALLOW_ORIGIN), Some(&HeaderValue::from_static("https://pr-7.app.example")));
    assert_eq!(granted.get(ACCESS_CONTROL_ALLOW_CREDENTIALS), Some(&HeaderValue::from_static("true")));

    for other in [respond(Some("https://app.example.evil")), respond(None)] {
        assert_eq!(other.get(ACCESS_CONTROL_ALLOW_ORIGIN), None, "the upstream's own header is gone too");
        assert_eq!(other.get(VARY), granted.get(VARY), "every response varies alike");
    }
    println!("{granted:#?}");
    Ok(())
}

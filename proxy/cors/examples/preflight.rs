//! Answers a preflight from a document, as a server would: `cargo run -p s3-cors --example preflight -- https://app.example PUT`

use http::{HeaderMap, HeaderValue, Method, header};
use s3_cors::{Credentials, Document, Format, ResourceType, RuleTable, VARY, Verdict, asked_method, evaluate};

const RULES: &[u8] = br#"{"CORSRules": [{
    "AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 600
}]}"#;

#[allow(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let origin = arguments.next().unwrap_or_else(|| "https://app.example".into());
    let method = arguments.next().unwrap_or_else(|| "PUT".into());

    let document = Document::parse(RULES, Format::Json)?;
    let rules = RuleTable::new(document.configuration(), Credentials::S3);

    let mut headers = HeaderMap::new();
    headers.insert(header::ORIGIN, HeaderValue::try_from(origin)?);
    headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::try_from(method)?);

    match evaluate(Some(&rules), &Method::OPTIONS, &headers) {
        Verdict::Granted(grant) => {
            println!("200, by rule {}", grant.rule().name());
            grant.for_each_header(|name, value| println!("{name}: {value:?}"));
            println!("vary: {VARY:?}");
        }
        Verdict::Denied(denial) => {
            let refusal = denial.refusal(ResourceType::Object);
            println!("{} {} ({}): {}", refusal.status, refusal.code, asked_method(&headers), refusal.message);
        }
        Verdict::NotCors => println!("no Origin: not a matter of CORS"),
    }
    Ok(())
}

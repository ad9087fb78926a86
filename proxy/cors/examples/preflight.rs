//! Answers a preflight from a document, as a server would: `cargo run -p s3-cors --example preflight -- https://app.example PUT`

use s3_cors::{CorsRequest, Credentials, Document, Format, ResourceType, RuleTable, VARY, Verdict, evaluate};

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

    // A server takes the method and the header lines from the head that it has read.
    let mut request = CorsRequest::new(b"OPTIONS");
    request.add_line(b"Origin", origin.as_bytes());
    request.add_line(b"Access-Control-Request-Method", method.as_bytes());

    match evaluate(Some(&rules), &request).verdict {
        Verdict::Granted(grant) => {
            println!("200, by rule {}", grant.rule().name());
            grant.for_each_header(|name, value| println!("{name}: {value:?}"));
            println!("vary: {VARY:?}");
        }
        Verdict::Denied(denial) => {
            let refusal = denial.refusal(ResourceType::Object);
            println!("{} {} ({}): {}", refusal.status, refusal.code, request.asked_method(), refusal.message);
        }
        Verdict::NotCors => println!("no Origin: CORS has no part in it"),
    }
    Ok(())
}

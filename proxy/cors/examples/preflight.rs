//! Answers a preflight from a document, as a server would: `cargo run -p s3-cors --example preflight -- https://app.example PUT`

use s3_cors::{CorsRequest, Credentials, Document, Format, ResourceType, RuleTable, VARY, Verdict, evaluate};

const RULES: &[u8] = br#"{"CORSRules": [{
    "AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 600
}]}"#;

/// The response to a preflight for an object, as text.
fn respond(rules: &RuleTable, request: &CorsRequest<'_>) -> String {
    match evaluate(Some(rules), request).verdict {
        Verdict::Granted(grant) => {
            // 200 without a body, as S3 has it, not 204.
            let mut head = String::from("200 OK\n");
            grant.for_each_header(|name, value| head += &format!("{name}: {}\n", value.to_str().unwrap_or_default()));
            head + &format!("vary: {}\n", VARY.to_str().unwrap_or_default())
        }
        Verdict::Denied(denial) => {
            let refusal = denial.refusal(ResourceType::Object);
            format!("{}\n{} ({}): {}\n", refusal.status, refusal.code, request.asked_method(), refusal.message)
        }
        // Only a request with another method than OPTIONS comes here.
        Verdict::NotCors => String::from("not a preflight\n"),
    }
}

#[allow(clippy::print_stdout, reason = "an example shows what it did")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let document = Document::parse(RULES, Format::Json)?;
    let rules = RuleTable::new(document.configuration(), Credentials::S3);
    let preflight = |origin: &str, method: &str| {
        // A server takes the method and the header lines from the head that it has read.
        let mut request = CorsRequest::new(b"OPTIONS");
        request.add_line(b"Origin", origin.as_bytes());
        request.add_line(b"Access-Control-Request-Method", method.as_bytes());
        respond(&rules, &request)
    };

    assert!(preflight("https://app.example", "PUT").contains("access-control-allow-methods: GET, PUT\n"));
    assert!(preflight("https://app.example", "DELETE").starts_with("403 Forbidden\nAccessForbidden (DELETE): "));
    assert!(preflight("https://other.example", "PUT").starts_with("403 Forbidden\n"));
    assert!(preflight("", "PUT").starts_with("400 Bad Request\n"));

    let mut arguments = std::env::args().skip(1);
    let origin = arguments.next().unwrap_or_else(|| "https://app.example".into());
    let method = arguments.next().unwrap_or_else(|| "PUT".into());
    println!("{}", preflight(&origin, &method));
    Ok(())
}

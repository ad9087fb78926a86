//! Fuzz targets: what the CORS engine reads from strangers, which are rule documents and request headers.

use bolero::check;
use http::{HeaderMap, HeaderValue, Method, header};
use s3_cors::{CorsRequest, Credentials, Document, Format, RuleTable, Verdict, evaluate};

/// A document is read or refused, each error has a place, and what is read is written and read again as the same.
fn document(bytes: &[u8], format: Format) {
    match Document::parse(bytes, format) {
        Ok(document) => {
            let _ = document.warnings();
            let configuration = document.into_configuration();
            let texts = [(configuration.to_xml(), Format::Xml), (configuration.to_json(), Format::Json)];
            for (text, format) in texts {
                // Not every value of one form has a spelling in the other.
                let Ok(text) = text else { continue };
                let again = Document::parse(text.as_bytes(), format).map(Document::into_configuration);
                assert_eq!(again.as_ref(), Ok(&configuration), "{text}");
            }
        }
        Err(errors) => {
            let _ = errors.warnings();
            assert!(errors.iter().count() > 0, "an error says something");
        }
    }
}

#[test]
fn xml_document() {
    check!().for_each(|bytes: &[u8]| document(bytes, Format::Xml));
}

#[test]
fn json_document() {
    check!().for_each(|bytes: &[u8]| document(bytes, Format::Json));
}

#[test]
fn any_document() {
    check!().for_each(|bytes: &[u8]| document(bytes, Format::detect(bytes)));
}

const RULES: &[u8] = br#"[{
    "AllowedOrigins": ["https://a.example", "https://*.b.example"],
    "AllowedMethods": ["GET", "PUT"],
    "AllowedHeaders": ["content-type", "x-amz-*"],
    "ExposeHeaders": ["etag"],
    "MaxAgeSeconds": 5
}]"#;

/// Whether the rules above grant a preflight that asks for these headers.
fn grants(origin: &[u8], asked: &[u8]) -> bool {
    let document = Document::parse(RULES, Format::Json).expect("valid rules");
    let rules = RuleTable::new(document.configuration(), Credentials::S3);
    let mut headers = HeaderMap::new();
    let lines = [
        (header::ORIGIN, origin),
        (header::ACCESS_CONTROL_REQUEST_METHOD, b"PUT"),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, asked),
    ];
    for (name, value) in lines {
        let Ok(value) = HeaderValue::from_bytes(value) else { return false };
        headers.insert(name, value);
    }
    let request = CorsRequest::from((&Method::OPTIONS, &headers));
    matches!(evaluate(Some(&rules), &request).verdict, Verdict::Granted(_))
}

/// A preflight is granted only if each header that it asks for is one of the rule's.
#[test]
fn asked_headers() {
    check!().for_each(|asked: &[u8]| {
        if grants(b"https://a.example", asked) {
            let asked = str::from_utf8(asked).expect("names are ASCII").to_ascii_lowercase();
            for name in asked.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                assert!(name == "content-type" || name.starts_with("x-amz-"), "{name:?} of {asked:?}");
            }
        }
    });
}

/// An origin is granted only if it is the one of the rule, or ends with its domain.
#[test]
fn origin() {
    check!().for_each(|origin: &[u8]| {
        if grants(origin, b"content-type") {
            let is_below = origin.starts_with(b"https://") && origin.ends_with(b".b.example");
            assert!(origin == b"https://a.example" || is_below, "{}", origin.escape_ascii());
        }
    });
}

//! Amazon S3's own behaviour, case by case: every document and every request of the corpora in `tests/data`, against the library.
//!
//! What only a proxy can do (bodies, `Content-Type`, the `Vary` of responses that no rule grants) is not checked here.

#![allow(clippy::unwrap_used, reason = "a corpus that cannot be read is a failed test")]

use corpus::{Differences, DocumentCase, Request, RequestCase, differs, documents, report, requests};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use s3_cors::{
    CorsRequest, Credentials, Decision, Document, Format, RequestKind, ResourceType, RuleTable, VARY, evaluate,
};
use std::collections::BTreeMap;

mod corpus;

#[test]
fn every_document_is_accepted_or_rejected_as_s3_does() {
    let cases = documents();
    report(cases.into_iter().map(|case| (case.id.clone(), case.optional, document_differences(&case))));
}

fn document_differences(case: &DocumentCase) -> Differences {
    let mut differences = Differences::new();
    match Document::parse(case.xml.as_bytes(), Format::Xml) {
        Ok(document) => {
            differs(&mut differences, "accepted", true, case.accept);
            let configuration = document.configuration();
            let written = [
                (Format::Xml, configuration.to_xml().map_err(|error| error.to_string())),
                (Format::Json, configuration.to_json().map_err(|error| error.to_string())),
            ];
            for (format, text) in written {
                let again = text.and_then(|text| {
                    Document::parse(text.as_bytes(), format).map_err(|errors| format!("{errors} in {text}"))
                });
                let again = again.map(Document::into_configuration);
                differs(&mut differences, "written and read again", again.as_ref(), Ok(configuration));
            }
        }
        Err(errors) => {
            differs(&mut differences, "accepted", false, case.accept);
            let first = errors.iter().next().unwrap();
            differs(&mut differences, "code", Some(first.code().as_str()), case.error_code.as_deref());
            let message = first.message();
            if !case.message_alternatives.iter().any(|alternative| *alternative == message) {
                differs(&mut differences, "message", Some(&*message), case.error_message.as_deref());
            }
        }
    }
    differences
}

#[test]
fn every_request_is_answered_as_s3_does() {
    let cases = requests();
    assert_eq!(cases.iter().filter(|case| case.upstream.is_none()).count(), 156, "preflights");
    report(cases.into_iter().map(|case| (case.id.clone(), case.optional, request_differences(&case))));
}

fn request_differences(case: &RequestCase) -> Differences {
    let rules = case.config.as_ref().filter(|_| case.bucket_exists).map(|xml| {
        RuleTable::new(Document::parse(xml.as_bytes(), Format::Xml).unwrap().configuration(), Credentials::S3)
    });
    let method = Method::from_bytes(case.request.method.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in &case.request.headers {
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }

    let mut differences = Differences::new();
    let request = CorsRequest::from((&method, &headers));
    let decision = evaluate(rules.as_ref(), &request);
    let is_preflight = decision.kind == RequestKind::Preflight;
    differs(&mut differences, "is a preflight", is_preflight, case.upstream.is_none());
    let has_no_part = decision.outcome().is_none();
    differs(&mut differences, "CORS has no part", has_no_part, decision.kind == RequestKind::NoOrigin);
    if is_preflight {
        preflight_differences(case, &decision, &request, &mut differences);
    }

    let mut response = HeaderMap::new();
    if let Some(grant) = decision.grant() {
        response = grant.headers();
        response.insert(http::header::VARY, VARY);
    }
    let response: BTreeMap<_, _> =
        response.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    // The `Vary` of an actual response is merged with the upstream's, which is the proxy's business.
    let looked_at = |name: &str| {
        name.starts_with("access-control-") || (name == "vary" && case.expect.headers.contains_key("vary"))
    };
    let expected = case.expect.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let expected: BTreeMap<_, _> = expected.filter(|(name, _)| looked_at(name)).collect();
    let found: BTreeMap<_, _> =
        response.iter().map(|(name, value)| (*name, *value)).filter(|(n, _)| looked_at(n)).collect();
    differs(&mut differences, "headers", found, expected);
    for absent in &case.expect.absent_headers {
        differs(&mut differences, absent, response.get(absent.as_str()), None);
    }
    differences
}

fn preflight_differences(
    case: &RequestCase,
    decision: &Decision,
    request: &CorsRequest<'_>,
    differences: &mut Differences,
) {
    let resource = resource_type(&case.request);
    let refusal = decision.denial().map(|denial| denial.refusal(resource));
    let status = refusal.as_ref().map_or(200, |refusal| refusal.status.as_u16());
    differs(differences, "status", status, case.expect.status);
    let code = refusal.as_ref().map(|refusal| refusal.code);
    differs(differences, "code", code, case.expect.error_code.as_deref());
    let message = refusal.as_ref().map(|refusal| &*refusal.message);
    differs(differences, "message", message, case.expect.error_message.as_deref());
    let fields = refusal.and_then(|refusal| refusal.resource).map(|resource| {
        let method = ("Method".to_owned(), request.asked_method().to_owned());
        BTreeMap::from([method, ("ResourceType".to_owned(), resource.as_str().to_owned())])
    });
    differs(differences, "fields", fields.as_ref(), case.expect.error_fields.as_ref());
}

/// An object's URL has a key after the bucket; with a `Host` the bucket is in its name, and the whole path is the key.
fn resource_type(request: &Request) -> ResourceType {
    let uri: Uri = request.path.parse().unwrap();
    let path = uri.path().trim_start_matches('/');
    let in_host = request.headers.keys().any(|name| name.eq_ignore_ascii_case("host"));
    let key = if in_host { path } else { path.split_once('/').map_or("", |(_, key)| key) };
    if key.is_empty() { ResourceType::Bucket } else { ResourceType::Object }
}

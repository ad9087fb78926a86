//! The decision once more, as naive as it can be: written from what S3 is known to do, and sharing nothing with the engine.

#![allow(clippy::indexing_slicing, reason = "the plainest way to split")]

use super::Request;
use s3_cors::{CorsConfiguration, CorsRule, ExposedHeader};

/// What S3 says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    NotCors,
    /// A label of the reasons.
    Denied(&'static str),
    /// The headers, in order of their names.
    Granted(Vec<(&'static str, Vec<u8>)>),
}

pub(super) fn answer(configuration: &CorsConfiguration, request: &Request) -> Answer {
    if request.origins.iter().all(Vec::is_empty) {
        return if request.method == "OPTIONS" { Answer::Denied("malformed") } else { Answer::NotCors };
    }
    let asked: Vec<_> = request.asked_methods.iter().filter(|line| !line.is_empty()).collect();
    let method = match asked.first() {
        None => request.method.as_str().as_bytes(),
        // Two lines that ask match nothing.
        Some(_) if asked.len() > 1 => b"two",
        Some(one) => one.as_slice(),
    };
    let of_http = ["GET", "PUT", "HEAD", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"];
    if asked.len() == 1 && !of_http.iter().any(|known| known.as_bytes() == method) {
        return Answer::Denied("malformed");
    }
    let Some(names) = asked_names(&request.asked_headers) else {
        return Answer::Denied("malformed");
    };
    let origin = match request.origins.as_slice() {
        [one] if one.iter().all(|byte| (0x20..0x7f).contains(byte)) => Some(one.as_slice()),
        _ => None,
    };
    let mut reason = "origin";
    for rule in configuration.rules() {
        let allows_origin = origin.is_some_and(|origin| {
            rule.allowed_origins().iter().any(|pattern| matches(pattern.as_str().as_bytes(), origin))
        });
        let allows_method = rule.allowed_methods().iter().any(|allowed| allowed.as_str().as_bytes() == method);
        match (origin, allows_origin, allows_method, names.iter().all(|name| allows_header(rule, name))) {
            (Some(origin), true, true, true) => return Answer::Granted(headers(rule, origin, &names)),
            (_, true, true, false) => reason = "header",
            (_, true, false, _) if reason == "origin" => reason = "method",
            _ => {}
        }
    }
    Answer::Denied(reason)
}

/// `None` when one of them is no header name.
fn asked_names(lines: &[Vec<u8>]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for item in lines.join(&b',').split(|byte| *byte == b',') {
        let item = String::from_utf8(item.trim_ascii().to_vec()).ok()?.to_lowercase();
        if !item.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)) {
            return None;
        }
        if !item.is_empty() {
            names.push(item);
        }
    }
    Some(names)
}

fn allows_header(rule: &CorsRule, name: &str) -> bool {
    rule.allowed_headers().iter().any(|pattern| matches(pattern.as_str().to_lowercase().as_bytes(), name.as_bytes()))
}

/// Tries every split of the candidate into what is before, under and after the `*`.
fn matches(pattern: &[u8], candidate: &[u8]) -> bool {
    let parts: Vec<_> = pattern.split(|byte| *byte == b'*').collect();
    match parts.as_slice() {
        [before, after] => (0..=candidate.len())
            .any(|from| (from..=candidate.len()).any(|to| &candidate[..from] == *before && &candidate[to..] == *after)),
        _ => pattern == candidate,
    }
}

fn headers(rule: &CorsRule, origin: &[u8], names: &[String]) -> Vec<(&'static str, Vec<u8>)> {
    let any = rule.allowed_origins().iter().any(|pattern| pattern.as_str() == "*");
    let methods: Vec<_> = rule.allowed_methods().iter().map(|method| method.as_str()).collect();
    let expose: Vec<_> =
        rule.expose_headers().iter().map(ExposedHeader::as_str).filter(|name| !name.is_empty()).collect();
    let mut headers = Vec::new();
    if !any {
        headers.push(("access-control-allow-credentials", b"true".to_vec()));
    }
    if !names.is_empty() {
        headers.push(("access-control-allow-headers", names.join(", ").into()));
    }
    headers.push(("access-control-allow-methods", methods.join(", ").into()));
    headers.push(("access-control-allow-origin", if any { b"*".to_vec() } else { origin.to_vec() }));
    if !expose.is_empty() {
        headers.push(("access-control-expose-headers", expose.join(", ").into()));
    }
    if let Some(seconds) = rule.max_age_seconds() {
        headers.push(("access-control-max-age", seconds.to_string().into()));
    }
    headers
}

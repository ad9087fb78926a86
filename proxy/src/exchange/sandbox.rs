//! Storage on an application's own origin: what strangers have uploaded must not act as the application.
//!
//! Decides: which lines of a request are the application's and not the storage's, and what a browser is told about a response. A page that
//! an object is opened as has no origin of its own then (HTML, sandboxing), and no object becomes a service worker (Service Workers, 4.2).

use super::head::RequestHead;
use http::{HeaderName, HeaderValue, header};

pub(super) static NOSNIFF: (HeaderName, HeaderValue) =
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
pub(super) static POLICY: (HeaderName, HeaderValue) =
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));

/// Returns true if a browser asks for the script of a service worker, which would act for all of the application.
pub(super) fn is_for_service_worker(head: &impl RequestHead) -> bool {
    let mut lines = head.lines().filter(|(name, _)| name.eq_ignore_ascii_case(b"service-worker"));
    lines.any(|(_, value)| value.trim_ascii().eq_ignore_ascii_case(b"script"))
}

/// Returns true for an `Authorization` that is of AWS: version 4 or 2.
pub(super) fn is_of_aws(authorization: &[u8]) -> bool {
    authorization.starts_with(b"AWS4-") || authorization.starts_with(b"AWS ")
}

/// Returns true if a document of this type can run script: HTML, and all of XML, in which SVG, XHTML and style sheets are. A PDF or a video is
/// none: their viewers do not work in a sandbox.
pub(super) fn can_run_script(content_type: &[u8]) -> bool {
    // Of several types browsers take the last one that they know (Fetch, extract a MIME type).
    content_type.split(|byte| *byte == b',').any(|each| {
        let essence = each.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
        matches!(&*essence, b"text/html" | b"text/xml" | b"application/xml" | b"text/xsl") || essence.ends_with(b"+xml")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_and_xml_can_run_script() {
        for (content_type, can) in [
            ("text/html", true),
            ("TEXT/HTML; charset=utf-8", true),
            (" text/html", true),
            ("application/xhtml+xml", true),
            ("image/svg+xml;charset=utf-8", true),
            ("application/xml", true),
            ("text/xml", true),
            ("application/rss+xml", true),
            ("text/plain, text/html", true),
            ("text/html, text/plain", true),
            ("text/plain", false),
            ("text/plain;x=text/html", false),
            ("application/pdf", false),
            ("video/mp4", false),
            ("image/png", false),
            ("application/javascript", false),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", false),
            ("binary/octet-stream", false),
            ("", false),
        ] {
            assert_eq!(can_run_script(content_type.as_bytes()), can, "{content_type}");
        }
    }

    #[test]
    fn a_signature_of_aws_is_told_from_other_credentials() {
        for (authorization, is_aws) in [
            ("AWS4-HMAC-SHA256 Credential=AK/x", true),
            ("AWS4-ECDSA-P256-SHA256 Credential=AK/x", true),
            ("AWS AK:c2ln", true),
            ("Bearer x", false),
            ("Basic AWS4", false),
            ("aws AK:c2ln", false),
            ("", false),
        ] {
            assert_eq!(is_of_aws(authorization.as_bytes()), is_aws, "{authorization}");
        }
    }
}

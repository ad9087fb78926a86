//! Fuzz targets: text that the proxy reads. Signature text so far; the configuration joins once its parser is public.

use bolero::check;
use signature::{HostSignature, signed_headers};

#[allow(dead_code, reason = "compiled from its own file, as the grammar is; the targets use a part of it")]
#[path = "../../../proxy/src/s3/signature.rs"]
mod signature;

/// `Host` counts as signed only if the list that was found names it. Both places are tried with the same text.
#[test]
fn signed_headers_text() {
    check!().for_each(|bytes: &[u8]| {
        let Ok(text) = str::from_utf8(bytes) else { return };
        for (authorization, query) in [(Some(text), None), (None, Some(text)), (Some(text), Some(text))] {
            let names = signed_headers(authorization, query);
            let expected = names.map(|names| names.split(';').any(|name| name.eq_ignore_ascii_case("host")));
            let covers = match HostSignature::of(authorization, query) {
                HostSignature::Covered => Some(true),
                HostSignature::Absent => Some(false),
                HostSignature::Unknown => None,
            };
            assert_eq!(covers, expected, "{text:?}");
        }
    });
}

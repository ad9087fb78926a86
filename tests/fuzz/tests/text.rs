//! Fuzz targets: text that the proxy reads, which is what signatures name and the configuration file.

use bolero::check;
use s3cors_fuzz::configuration::{self, samples};
use s3cors_fuzz::edits::{Edit, edited_with};
use signature::{HostSignature, signed_headers};

#[allow(dead_code, reason = "compiled from its own file, of which the targets use a part")]
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

#[test]
fn configuration() {
    check!().for_each(|bytes: &[u8]| {
        let Ok(text) = str::from_utf8(bytes) else { return };
        configuration::file(text);
        configuration::value(text);
        configuration::password(text);
    });
}

#[test]
fn edited_configuration() {
    let files = samples::files();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    check!().with_type::<(u8, Vec<Edit>)>().for_each(|(number, edits)| {
        let bytes = edited_with(samples::FRAGMENTS, &files, *number, edits);
        let text = String::from_utf8_lossy(&bytes);
        configuration::file(&text);
        configuration::value(&text);
    });
}

/// Edits of files that are not valid would rarely get beyond the first error.
#[test]
fn the_files_to_edit_are_valid() {
    for file in samples::files() {
        assert!(configuration::is_valid(&file), "{file}");
    }
}

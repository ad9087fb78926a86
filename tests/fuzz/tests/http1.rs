//! Fuzz targets: the wire grammar of the HTTP/1.1 driver, on any bytes and on messages close to valid ones.

use bolero::check;
use s3cors_fuzz::edits::{BODIES, Edit, REQUESTS, RESPONSES, edited};
use s3cors_fuzz::properties;

#[test]
fn request_head() {
    check!().for_each(|bytes: &[u8]| {
        properties::request_head(bytes);
        properties::request_prefixes(bytes);
    });
}

#[test]
fn edited_request_head() {
    check!().with_type::<(u8, Vec<Edit>)>().for_each(|(number, edits)| {
        properties::request_head(&edited(REQUESTS, *number, edits));
    });
}

#[test]
fn response_head() {
    check!().for_each(|bytes: &[u8]| {
        properties::response_head(bytes);
        properties::response_prefixes(bytes);
    });
}

#[test]
fn edited_response_head() {
    check!().with_type::<(u8, Vec<Edit>)>().for_each(|(number, edits)| {
        properties::response_head(&edited(RESPONSES, *number, edits));
    });
}

/// The first byte says how the body is cut.
#[test]
fn chunked_body() {
    check!().for_each(|bytes: &[u8]| {
        let Some((cut, body)) = bytes.split_first() else { return };
        properties::chunked(body, &[usize::from(cut % 16), usize::from(cut / 16)]);
    });
}

#[test]
fn edited_chunked_body() {
    check!().with_type::<(u8, Vec<Edit>, [u8; 4])>().for_each(|(number, edits, cuts)| {
        properties::chunked(&edited(BODIES, *number, edits), &cuts.map(usize::from));
    });
}

//! What is wrong with a rule's header lists: names that no one sends, and names that clients need and do not find.

use super::super::requests::{SDK_UPLOAD, SIGNED_UPLOAD};
use super::super::warning::Concern;
use super::names::{CHECKSUMS, is_known, known};
use super::similar::distance;
use super::{Found, Linted};
use crate::{AllowedMethod, CorsRule};

/// Names of at least this length may have two letters wrong: of shorter ones too many are two letters apart.
const LONG_NAME: usize = 12;

pub(super) fn misspelt(linted: &Linted<'_>, found: &mut Found) {
    let allowed = linted.rule.allowed_headers().iter().map(crate::HeaderPattern::as_str).zip(&linted.places.headers);
    let exposed = linted.rule.expose_headers().iter().map(crate::ExposedHeader::as_str).zip(&linted.places.expose);
    for (name, place) in allowed.chain(exposed) {
        if let Some(meant) = meant(name) {
            found.push(Concern::HeaderMisspelt { header: name.into(), meant }, *place);
        }
    }
}

/// The known header that this name was hardly meant not to be.
fn meant(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let is_own = name.contains('*') || name.starts_with("x-amz-meta-") || name.len() < 4;
    if is_own || is_known(&name) {
        return None;
    }
    let limit = if name.len() < LONG_NAME { 1 } else { 2 };
    let close = known().filter_map(|known| Some((distance(&name, known, limit)?, known)));
    // "x-content-type" is a header of its own.
    let close = close.filter(|(_, known)| name.strip_prefix("x-") != Some(known));
    close.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// What a page that uploads needs: to send the headers, and to read what it has to send back.
pub(super) fn uploads(linted: &Linted<'_>, found: &mut Found) {
    let rule = linted.rule;
    let (puts, posts) = (allows(rule, AllowedMethod::Put), allows(rule, AllowedMethod::Post));
    if !puts && !posts {
        return;
    }
    let missing = missing_for_upload(rule);
    if puts && !missing.is_empty() {
        found.push(Concern::UploadHeadersNotAllowed(missing.into()), linted.places.rule);
    }
    if !exposes(rule, "etag") {
        found.push(Concern::EtagNotExposed, linted.places.rule);
    }
    // Only a client that sends checksums has to send them back; one whose server signs the parts sends none.
    let sends_checksums = puts && posts && CHECKSUMS.iter().any(|checksum| allows_header(rule, checksum));
    if sends_checksums && !CHECKSUMS.iter().any(|checksum| exposes(rule, checksum)) {
        found.push(Concern::ChecksumsNotExposed, linted.places.rule);
    }
}

/// A presigned upload sends Content-Type. A rule that allows `Authorization` is for a page that signs. One that also allows what only
/// the SDK sends is for the SDK; other clients (Uppy, aws4fetch, `DuckDB`) send a signature alone.
fn missing_for_upload(rule: &CorsRule) -> Vec<&'static str> {
    let is_of_sdk = |header: &&&str| !SIGNED_UPLOAD.contains(header) && allows_header(rule, header);
    let needed = if !allows_header(rule, "authorization") {
        &["content-type"]
    } else if SDK_UPLOAD.iter().any(|header| is_of_sdk(&header)) {
        SDK_UPLOAD
    } else {
        SIGNED_UPLOAD
    };
    needed.iter().copied().filter(|header| !allows_header(rule, header)).collect()
}

/// What a page that reads ranges needs. Such a page is known by what its rule names for it.
pub(super) fn ranges(linted: &Linted<'_>, found: &mut Found) {
    let rule = linted.rule;
    if !allows(rule, AllowedMethod::Get) {
        return;
    }
    let names_range = rule.allowed_headers().iter().any(|header| header.as_str().eq_ignore_ascii_case("range"));
    // Such a reader (PMTiles) finds out by the ETag that the object is another, and reads no Content-Range.
    let compares_etags = (names_range || allows_header(rule, "if-match")) && exposes(rule, "etag");
    if (names_range || exposes(rule, "accept-ranges")) && !exposes(rule, "content-range") && !compares_etags {
        found.push(Concern::ContentRangeNotExposed, linted.places.rule);
    }
    if exposes(rule, "content-range") && !allows_header(rule, "range") {
        found.push(Concern::RangeNotAllowed, linted.places.rule);
    }
}

pub(super) fn allows(rule: &CorsRule, method: AllowedMethod) -> bool {
    rule.allowed_methods().contains(&method)
}

pub(super) fn allows_header(rule: &CorsRule, name: &str) -> bool {
    rule.allowed_headers().iter().any(|header| header.matches(name))
}

pub(super) fn exposes(rule: &CorsRule, name: &str) -> bool {
    rule.expose_headers().iter().any(|header| header.as_str().eq_ignore_ascii_case(name))
}

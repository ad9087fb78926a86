//! The parts of a response that decide about its edits, where something depends on them: a public name with the beginning of a path or with a
//! sandbox, and presigned downloads that a browser may keep. Any other response is not looked at.

use super::no_vary_search::{NO_VARY_SEARCH, PRIVATE};
use super::sandbox::{NOSNIFF, POLICY};
use super::take_headers::TakeHeaders;
use http::{HeaderName, HeaderValue, header};

pub(super) static NO_REFERRER: (HeaderName, HeaderValue) =
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
static LOCATION: HeaderName = header::LOCATION;

/// The headers that a response gets.
#[derive(Debug, Default)]
pub(super) struct ResponseNotes {
    /// Set where no browser may guess a type.
    pub(super) is_sandboxed: bool,
    /// Set if the document could run script.
    pub(super) can_run_script: bool,
    /// `Location` in place of the upstream's own.
    pub(super) location: Option<HeaderValue>,
    /// Set if the reader's browser may keep it for all signatures of the URL.
    pub(super) has_no_vary_search: bool,
    /// Set where the path of the request must not be told to other hosts.
    pub(super) hides_path: bool,
    /// Set if the response does not say itself that only its reader may keep it.
    pub(super) adds_private: bool,
}

impl ResponseNotes {
    /// Returns true if the lines with this name, in any case, end here. A policy of the upstream's own stays beside ours: all count
    /// (Content Security Policy, 8.1). So does its `Cache-Control`, which says nothing where ours comes.
    pub(super) fn replaces(&self, name: &[u8]) -> bool {
        let is = |own: &HeaderName| name.eq_ignore_ascii_case(own.as_str().as_bytes());
        match name.first() {
            Some(b'l' | b'L') => self.location.is_some() && is(&LOCATION),
            Some(b'n' | b'N') => self.has_no_vary_search && is(&NO_VARY_SEARCH.0),
            Some(b'r' | b'R') => self.hides_path && is(&NO_REFERRER.0),
            Some(b'x' | b'X') => self.is_sandboxed && is(&NOSNIFF.0),
            _ => false,
        }
    }

    /// Hands over each header that comes.
    pub(super) fn for_each_header(&self, to: &mut impl TakeHeaders) {
        for (is_there, (name, value)) in [
            (self.is_sandboxed, &NOSNIFF),
            (self.can_run_script, &POLICY),
            (self.has_no_vary_search, &NO_VARY_SEARCH),
            (self.adds_private, &PRIVATE),
            (self.hides_path, &NO_REFERRER),
        ] {
            if is_there {
                to.header(name, value);
            }
        }
        if let Some(location) = &self.location {
            to.header(&LOCATION, location);
        }
    }
}

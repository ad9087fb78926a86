//! The pseudo-header fields of a request (RFC 9113 §8.3): which came, and whether they are valid and enough.

use super::rejected::HeadFault;
use super::syntax::{is_host, is_scheme, is_token};

/// The fields that came.
#[derive(Default)]
pub(super) struct Pseudo {
    method: bool,
    scheme: bool,
    authority: bool,
    path: bool,
    is_connect: bool,
}

impl Pseudo {
    /// Takes the next one.
    pub(super) fn take(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeadFault> {
        let Self { method, scheme, authority, path, is_connect } = self;
        let (seen, is_valid) = match name {
            b":method" => {
                *is_connect = value == b"CONNECT";
                (method, !value.is_empty() && value.iter().copied().all(is_token))
            }
            b":scheme" => (scheme, is_scheme(value)),
            b":authority" if !is_host(value) => return Err(HeadFault::Host),
            b":authority" => (authority, true),
            b":path" => (path, !value.is_empty()),
            _ => return Err(HeadFault::Malformed("an unknown pseudo-header field")),
        };
        if std::mem::replace(seen, true) {
            return Err(HeadFault::Malformed("a pseudo-header field that came twice"));
        }
        if is_valid { Ok(()) } else { Err(HeadFault::Malformed("an invalid pseudo-header field")) }
    }

    pub(super) const fn is_connect(&self) -> bool {
        self.is_connect
    }

    /// Checks that they are all that a request has.
    pub(super) fn check_whole(&self) -> Result<(), HeadFault> {
        // CONNECT has neither (RFC 9113 §8.5).
        if !self.method || self.scheme == self.is_connect || self.path == self.is_connect {
            return Err(HeadFault::Malformed("a pseudo-header field is missing or too many"));
        }
        Ok(())
    }
}

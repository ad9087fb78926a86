//! The header fields that decide how a request is framed and forwarded.

use crate::body_length::{BodyLength, LengthHeaders};
use crate::field_bytes::{is_token, members};
use crate::field_name::is_named;
use crate::header_line::Lines;
use crate::hop_by_hop::is_hop_by_hop;
use crate::rejection::Rejection;
use crate::request_target::{RequestTarget, is_host};
use http::Version;

/// The most `Connection` options that name fields, as in Pingora: each line of a head is compared with each of them.
const MAX_NOMINATIONS: usize = 9;

/// Fields that a `Connection` option cannot take away: without them the upstream would frame or route the request differently.
const KEPT: [&str; 3] = ["host", "content-length", "transfer-encoding"];

/// The meaning of the header lines that matter for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestFields<'b> {
    pub(crate) host: Option<&'b str>,
    pub(crate) body: BodyLength,
    /// Set if a transfer coding overrides a `Content-Length`, which then must not be forwarded.
    pub(crate) has_overridden_length: bool,
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
    pub(crate) nominates: bool,
    has_hop_by_hop: bool,
}

impl RequestFields<'_> {
    /// Returns true for the name of a field that ends here; `lines` are all lines of the head.
    #[inline]
    pub(crate) fn ends_here(&self, name: &[u8], lines: &Lines<'_>) -> bool {
        let is_usual = !self.has_hop_by_hop && !self.nominates;
        let is_of_this_hop = || is_hop_by_hop(name) || is_nominated(name, lines);
        is_named(name, b"connection") || (!is_usual && is_of_this_hop() && !is_kept(name))
    }
}

/// The meaning of the lines that were read so far.
#[derive(Default)]
pub(crate) struct Found<'b> {
    host: Option<&'b str>,
    length: LengthHeaders,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
    nominations: usize,
    has_hop_by_hop: bool,
    /// The first reason to reject the head. It is rejected when it is here as a whole, so that the reply knows all of it.
    rejection: Option<Rejection>,
}

impl<'b> Found<'b> {
    /// Reads a line. Most are told by the length of their name.
    #[inline]
    pub(crate) fn read(&mut self, name: &[u8], value: &'b [u8]) {
        let read = match name.len() {
            4 if is_named(name, b"host") => self.read_host(value),
            6 if is_named(name, b"expect") => {
                self.expects_continue |= value.eq_ignore_ascii_case(b"100-continue");
                Ok(())
            }
            10 if is_named(name, b"connection") => self.read_connection(value),
            2 | 7 | 10 | 14 | 16..=19 => {
                self.has_hop_by_hop |= is_hop_by_hop(name) && !is_kept(name);
                self.length.read(name, value).map_err(Rejection::Length)
            }
            _ => Ok(()),
        };
        if let Err(why) = read {
            self.rejection.get_or_insert(why);
        }
    }

    /// The meaning of all lines of a request with this target.
    pub(crate) fn finish(self, version: Version, target: &RequestTarget<'b>) -> Result<RequestFields<'b>, Rejection> {
        if let Some(why) = self.rejection {
            return Err(why);
        }
        // RFC 9112 §3.2: whatever the form of the target.
        if version == Version::HTTP_11 && self.host.is_none() {
            return Err(Rejection::NoHost);
        }
        // RFC 9112 §3.2.2 lets the target win. Recipients differ in that, so the two must be equal.
        if let Some((host, authority)) = self.host.zip(target.authority())
            && host != authority
        {
            return Err(Rejection::Host);
        }
        let (body, has_overridden_length) = self.length.finish_request(version).map_err(Rejection::Length)?;
        Ok(RequestFields {
            host: self.host,
            body,
            has_overridden_length,
            close: self.close,
            keep_alive: self.keep_alive,
            // RFC 9110 §10.1.1: a server ignores it in an HTTP/1.0 request.
            expects_continue: self.expects_continue && version == Version::HTTP_11,
            nominates: self.nominations > 0,
            has_hop_by_hop: self.has_hop_by_hop,
        })
    }

    /// An empty value is one for a target without a host (RFC 9112 §3.2).
    fn read_host(&mut self, value: &'b [u8]) -> Result<(), Rejection> {
        let host = if is_host(value) { str::from_utf8(value).ok() } else { None };
        match (self.host, host) {
            (None, Some(_)) => self.host = host,
            _ => return Err(Rejection::Host),
        }
        Ok(())
    }

    fn read_connection(&mut self, value: &[u8]) -> Result<(), Rejection> {
        for option in members(value) {
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else if !option.is_empty() {
                self.nominations += 1;
                if self.nominations > MAX_NOMINATIONS || !option.iter().copied().all(is_token) {
                    return Err(Rejection::Connection);
                }
            }
        }
        Ok(())
    }
}

#[cold]
fn is_nominated(name: &[u8], lines: &Lines<'_>) -> bool {
    let connection = lines.iter().filter(|line| line.name.eq_ignore_ascii_case(b"connection"));
    let mut options = connection.flat_map(|line| members(line.value));
    options.any(|option| option.eq_ignore_ascii_case(name)) && !is_kept(name)
}

fn is_kept(name: &[u8]) -> bool {
    KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept.as_bytes()))
}

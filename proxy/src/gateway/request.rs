//! The request's head: for which bucket it is, what the rules say, and whether the upstream is to see it.

use super::Gateway;
use super::answer::Answer;
use super::context::Context;
use crate::config::UpstreamHost;
use crate::s3::address::Address;
use pingora::http::RequestHeader;
use pingora::protocols::http::authority::raw_target_authority;
use s3_cors::{Denial, RequestKind, Verdict, classify, evaluate};
use std::sync::Arc;

impl Gateway {
    /// Judges a request, once, by one snapshot of the rules.
    pub(super) fn classify(&self, request: &RequestHeader, ctx: &mut Context) {
        // Not `raw_path`: for a target in absolute form that is the whole of it.
        let address = Address::of(host(request), request.uri.path(), &self.domains);
        let bucket = Arc::clone(self.rules.live().bucket(address.bucket.as_deref()));
        ctx.kind = classify(&request.method, &request.headers);
        ctx.resource = address.resource;
        ctx.verdict = evaluate(bucket.rules.as_ref(), &request.method, &request.headers);
        ctx.bucket = Some(bucket);
    }

    /// The answer to a request that no upstream needs to see.
    pub(super) fn own_answer(&self, request: &RequestHeader, ctx: &Context) -> Option<Answer> {
        match (ctx.kind, &ctx.verdict) {
            (RequestKind::Preflight, _) => Some(self.answer_preflight(request, ctx)),
            // S3 refuses these outright, actual requests included (recorded); a browser never sends them.
            (_, Verdict::Denied(denial @ (Denial::UnknownMethod(_) | Denial::MalformedHeader(_)))) => {
                Some(self.refuse(request, ctx, denial))
            }
            _ => None,
        }
    }
}

/// The host that the request is for: in HTTP/2 the target's own (RFC 9113 §8.3.1), otherwise what `Host` says. For an absolute
/// target Pingora keeps the authority out of the `Uri` and refuses a `Host` that says something else, but lets one without a
/// `Host` through, and then gives the upstream the target's own (RFC 9112 §3.2.2).
pub(super) fn host(request: &RequestHeader) -> Option<&str> {
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    let header = || request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let target = || raw_target_authority(request.raw_path()).authority().and_then(|host| str::from_utf8(host).ok());
    authority.or_else(header).or_else(target)
}

/// Whether `Host` is there and is no host, which a server has to refuse (RFC 9112 §3.2): an upstream, or a proxy before it, could
/// take another part of it for the host than the rules were looked up by.
pub(super) fn has_invalid_host(request: &RequestHeader) -> bool {
    request.headers.get_all(http::header::HOST).iter().any(|host| !host.as_bytes().iter().all(may_be_in_host))
}

/// The bytes of a host and port (RFC 3986 §3.2.2), without percent-encodings: over HTTP/2 those are refused as well.
fn may_be_in_host(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]".contains(byte)
}

/// Gives a request to the upstream the `Host` that it is to see.
pub(super) fn set_host(request: &mut RequestHeader, host: &UpstreamHost) -> pingora::Result<()> {
    let UpstreamHost::Name(name) = host else { return Ok(()) };
    // In an absolute target stands a host, too, and that one counts (RFC 9112 §3.2.2): the target's path is left.
    if raw_target_authority(request.raw_path()).authority().is_some() {
        let path = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        request.set_raw_path(path.as_bytes())?;
    }
    request.insert_header(http::header::HOST, name)
}

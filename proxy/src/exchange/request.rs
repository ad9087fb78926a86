//! The request's head: which bucket it is for, what the rules say, and whether the upstream sees it.

use super::connection_options::hide_a_field;
use super::forwarding::{Told, is_forwarding};
use super::head::RequestHead;
use super::{Context, Exchange, Failure, Peer, Reply, presigned_head};
use crate::config::{BucketHost, UpstreamHost};
use crate::s3::address::{Address, NamedBucket};
use http::StatusCode;
use s3_cors::{CorsRequest, Denial, RequestKind, Verdict, evaluate};
use s3cors_http1::body_length::is_ambiguous;
use std::sync::Arc;

impl Exchange {
    /// Judges a request, once, by one snapshot of the rules. Returns the reply to a request that no upstream needs to see.
    pub fn judge(&self, head: &impl RequestHead, peer: &Peer, ctx: &mut Context) -> Option<Reply> {
        let ambiguity = if head.is_unambiguous() { None } else { ambiguity(head) };
        if ambiguity.is_none()
            && let Some(reply) = self.health_reply(head, peer, ctx)
        {
            return Some(reply);
        }
        let asked = self.decide(head, peer, ctx);
        if let Some(ambiguity) = ambiguity {
            return Some(self.fail(Failure::InvalidRequest, ambiguity, head, ctx));
        }
        self.own_reply(&asked, ctx)
    }

    /// The reply to a request that no driver gets. As far as its head can be read, the rules are asked about it like about any other,
    /// so that a script can read the status.
    ///
    /// `reason` is for the log: it must not hold bytes of the request.
    pub fn reject(
        &self,
        failure: Failure,
        reason: &str,
        head: &impl RequestHead,
        peer: &Peer,
        ctx: &mut Context,
    ) -> Reply {
        self.decide(head, peer, ctx);
        self.fail(failure, reason, head, ctx)
    }

    /// Asks the rules about a request, once, by one snapshot of them.
    fn decide<'h>(&self, head: &'h impl RequestHead, peer: &Peer, ctx: &mut Context) -> CorsRequest<'h> {
        let bucket_host = head.host().and_then(|host| self.hosts.of(host));
        let address = self.address(head, bucket_host.as_deref());
        let live = self.rules.live();
        let bucket = Arc::clone(match &address.bucket {
            NamedBucket::Ambiguous => live.without_rules(),
            named => live.bucket(named.name()),
        });
        let mut asked = CorsRequest::new(head.method().as_bytes());
        for (name, value) in head.lines() {
            asked.add_line(name, value);
            ctx.is_forwarded |= is_forwarding(name);
        }
        (ctx.resource, ctx.scope) = (address.resource, address.scope());
        self.find_client(head, peer, ctx);
        ctx.decision = evaluate(bucket.rules.as_ref(), &asked);
        if let Some(shadow) = &self.shadow {
            shadow.compare(&asked, &address.bucket, &bucket, ctx);
        }
        ctx.bucket = Some(bucket);
        ctx.bucket_host = bucket_host;
        asked
    }

    /// What a request is for.
    pub(super) fn address<'r>(&self, head: &'r impl RequestHead, bucket_host: Option<&'r BucketHost>) -> Address<'r> {
        match bucket_host {
            Some(named) => Address::in_bucket(&named.bucket, head.path()),
            None => Address::of(head.host(), head.path(), &self.domains),
        }
    }

    fn own_reply(&self, asked: &CorsRequest<'_>, ctx: &Context) -> Option<Reply> {
        let is_preflight = ctx.decision.kind == RequestKind::Preflight;
        match &ctx.decision.verdict {
            // S3 refuses a malformed request outright (S3: sd-acrh-bad-token), actual requests too; a browser never sends one.
            Verdict::Denied(denial) if is_preflight || denial.is_malformed() => Some(self.refuse(asked, ctx, denial)),
            // 200 without a body, not 204 (S3: sd-first-match-bucket-root).
            Verdict::Granted(_) | Verdict::NotCors if is_preflight => Some(Reply::empty(StatusCode::OK)),
            _ => None,
        }
    }

    /// What S3 answers to a denial.
    fn refuse(&self, asked: &CorsRequest<'_>, ctx: &Context, denial: &Denial) -> Reply {
        let refusal = denial.refusal(ctx.resource);
        let refused =
            refusal.resource.map(|resource| [("Method", asked.asked_method()), ("ResourceType", resource.as_str())]);
        let details = refused.as_ref().map_or(&[][..], |details| &details[..]);
        self.error_reply(refusal.status, refusal.code, &refusal.message, details, ctx)
    }

    /// The `Host` that the upstream sees; `None`: the client's own, which is part of what the client signs.
    #[must_use]
    pub fn host_for_upstream<'r>(&'r self, ctx: &'r Context) -> Option<&'r str> {
        let of_bucket = ctx.bucket_host.as_ref().map(|named| &named.upstream_host);
        match of_bucket.and_then(Option::as_ref).unwrap_or(&self.upstream_host) {
            UpstreamHost::Preserve => None,
            UpstreamHost::Name(name) => Some(name),
        }
    }

    /// What the upstream is to see of a request's head, where that differs from what came.
    #[must_use]
    pub fn request_edits<'r>(
        &'r self,
        head: &'r impl RequestHead,
        peer: &'r Peer,
        ctx: &'r Context,
    ) -> RequestEdits<'r> {
        RequestEdits {
            host: self.host_for_upstream(ctx),
            told: self.told(head, peer, ctx),
            is_by_get: ctx.by_get.is_some(),
        }
    }
}

/// What an upstream sees of a request's head, where that differs from what came.
#[derive(Debug)]
pub struct RequestEdits<'r> {
    host: Option<&'r str>,
    told: Option<Told<'r>>,
    is_by_get: bool,
}

impl<'r> RequestEdits<'r> {
    /// The `Host` in place of the client's own.
    #[must_use]
    pub const fn host(&self) -> Option<&'r str> {
        self.host
    }

    /// The method in place of the client's own.
    #[must_use]
    pub fn method(&self) -> Option<&'static str> {
        self.is_by_get.then_some(presigned_head::METHOD)
    }

    /// Whether a header line of the client's request ends here, by its name in any case: it is about the client's connection only
    /// (RFC 9110 §7.6.1), or something is in its place.
    #[must_use]
    pub fn removes(&self, name: &[u8]) -> bool {
        match name.first() {
            Some(b'c' | b'C') => name.eq_ignore_ascii_case(b"connection"),
            Some(b'h' | b'H') => self.host.is_some() && name.eq_ignore_ascii_case(b"host"),
            _ => self.told.as_ref().is_some_and(|told| told.removes(name)),
        }
    }

    /// Hands over each line that is added: its name, and its value in parts.
    pub fn for_each_line(&self, mut line: impl FnMut(&'static str, [&str; 3])) {
        if self.is_by_get {
            let (name, value) = presigned_head::RANGE;
            line(name, value);
        }
        if let Some(told) = &self.told {
            told.for_each_line(line);
        }
    }
}

/// Returns what an upstream could read differently from us, in words for the log.
fn ambiguity(head: &impl RequestHead) -> Option<&'static str> {
    if is_ambiguous(head.lines()) {
        Some("ambiguous framing")
    } else if has_invalid_host(head) {
        Some("invalid host")
    } else if hide_a_field(head) {
        Some("a Connection option names a field that decides")
    } else {
        None
    }
}

/// Whether a `Host` line is no host, which a server must refuse (RFC 9112 §3.2): an upstream, or a proxy before it, could take
/// another part of it for the host than the rules were looked up by.
fn has_invalid_host(head: &impl RequestHead) -> bool {
    head.lines()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"host"))
        .any(|(_, value)| !value.iter().copied().all(may_be_in_host))
}

/// The bytes of a host and port (RFC 3986 §3.2.2). Percent-encodings are left out: no DNS name or bucket has one, and parsers differ in
/// whether they decode it.
#[must_use]
pub const fn may_be_in_host(byte: u8) -> bool {
    let is_sub_delimiter = matches!(byte, b'!' | b'$' | b'&'..=b',' | b';' | b'=');
    byte.is_ascii_alphanumeric() || is_sub_delimiter || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']')
}

//! Why a signature fails, as far as a proxy can see, and what to set where.
//!
//! A signature covers the method, `Host`, the path, the query and the headers that it lists (S3 API, Authenticating Requests). Whatever
//! changes one of them on the way breaks it. The upstream sees only that; here the request is known as it came and as it left.

mod advice;

pub(super) use advice::advice;

use super::head::RequestHead;
use crate::config::PresignedHead;
use crate::s3::presigned::{expires_at, is_presigned, signed_at};
use crate::s3::signature::{HostSignature, signed_headers};
use crate::telemetry::SignatureCause as Cause;
use s3cors_http1::hop_by_hop::is_hop_by_hop;
use std::borrow::Cow;
use std::time::{Duration, SystemTime};

/// How far a client's clock may be from the server's (S3 API, RequestTimeTooSkewed).
const MAX_SKEW: Duration = Duration::from_secs(15 * 60);
/// How close two clocks have to be so that they agree.
const AGREEMENT: Duration = Duration::from_secs(5 * 60);
/// How many signed headers are looked at: a request has no more lines than that, but its list may be as long as its head.
const MOST_NAMES: usize = 100;
/// What proxies add that change the path: Traefik and Spring, Traefik, Envoy.
const PATH_CHANGED: [&str; 3] = ["x-forwarded-prefix", "x-replaced-path", "x-envoy-original-path"];

/// The headers of tracing, which an agent in the client and every proxy may write anew (W3C Trace Context; B3; AWS X-Ray; Datadog, Jaeger).
const TRACING: [&str; 11] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "x-datadog-trace-id",
    "uber-trace-id",
];
/// The beginnings of parameters that are added to links: by advertisers and mail programs, and by an `&` that was escaped for HTML.
const ADDED_TO_LINKS: [&str; 6] = ["utm_", "fbclid=", "gclid=", "msclkid=", "mc_", "amp;"];

/// What an upstream's 403 or 400 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// `SignatureDoesNotMatch`.
    Mismatch,
    /// `RequestTimeTooSkewed`.
    Skewed,
    /// `AccessDenied`, because of the time of a presigned URL.
    Expired,
    /// A signed header did not arrive: some servers look for each of them before they verify.
    Absent,
    /// `AccessDenied` for any reason.
    Denied,
    /// Nothing: it is the response to a HEAD.
    Unsaid,
}

impl Rejection {
    /// Reads an error's code, and what else its document says.
    pub(super) fn of(code: &[u8], document: &[u8]) -> Option<Self> {
        match code {
            b"SignatureDoesNotMatch" => Some(Self::Mismatch),
            b"RequestTimeTooSkewed" => Some(Self::Skewed),
            // One sentence in all of S3, MinIO, Ceph and s3s.
            b"AccessDenied" if memchr::memmem::find(document, b"Request has expired").is_some() => Some(Self::Expired),
            // Garage (src/api/common/signature: "Forbidden: Invalid signature").
            b"AccessDenied" if memchr::memmem::find(document, b"Invalid signature").is_some() => Some(Self::Mismatch),
            // MinIO, with 400. S3 says the same of a header that is not signed, and then none is absent.
            b"AccessDenied" if is_about_signed_headers(document) => Some(Self::Absent),
            b"AccessDenied" => Some(Self::Denied),
            // Garage, with 400.
            b"InvalidRequest" if memchr::memmem::find(document, b"signed header `").is_some() => Some(Self::Absent),
            b"InvalidRequest" if memchr::memmem::find(document, b"Date is too old").is_some() => Some(Self::Expired),
            _ => None,
        }
    }
}

fn is_about_signed_headers(document: &[u8]) -> bool {
    memchr::memmem::find(document, b"headers present in the request which were not signed").is_some()
}

/// The request that was rejected.
pub(super) struct Rejected<'r, H> {
    head: &'r H,
    /// The host as it came, and as it was sent on.
    pub(super) hosts: (&'r str, &'r str),
    /// The names of the signed headers, and whether `Host` is one.
    signed: Option<Cow<'r, str>>,
    pub(super) host_signed: HostSignature,
    /// The time now, and what the upstream says it is.
    clocks: (SystemTime, Option<SystemTime>),
    /// Set if the host that was sent was configured as the one that clients sign for: then it is no cause.
    pub(super) is_named_host: bool,
    /// Whether it was rejected as GET, too.
    pub(super) is_by_get: bool,
    /// The setting for a presigned HEAD.
    pub(super) presigned_head: PresignedHead,
}

impl<'r, H: RequestHead> Rejected<'r, H> {
    pub(super) fn new(head: &'r H, sent_host: Option<&'r str>, clocks: (SystemTime, Option<SystemTime>)) -> Self {
        let received = head.host().unwrap_or_default();
        let (authorization, query) = (head.text("authorization"), head.query());
        Self {
            head,
            hosts: (received, sent_host.unwrap_or(received)),
            signed: signed_headers(authorization, query),
            host_signed: HostSignature::of(authorization, query),
            clocks,
            is_named_host: false,
            is_by_get: false,
            presigned_head: PresignedHead::AsSigned,
        }
    }

    /// The cause, with the header that it is about. `None`: the signature need not have to do with it.
    pub(super) fn cause(&self, rejection: Rejection) -> Option<(Cause, Option<&str>)> {
        let alone = |cause: Cause| Some((cause, None));
        match rejection {
            Rejection::Mismatch => self.change().or_else(|| alone(self.unseen())),
            Rejection::Skewed => alone(self.wrong_clock()),
            Rejection::Expired => alone(Cause::Expired),
            Rejection::Absent => self.absent(),
            Rejection::Denied => self.time().and_then(alone),
            Rejection::Unsaid => self.time().and_then(alone).or_else(|| self.unsaid()),
        }
    }

    /// A HEAD that is signed may just not be allowed. One by a presigned URL seldom is: it was made to be used.
    fn unsaid(&self) -> Option<(Cause, Option<&str>)> {
        let is_signed = self.is_presigned() || self.head.value("authorization").is_some();
        let presigned = || self.is_presigned().then_some((self.unseen(), None));
        is_signed.then(|| self.change())?.or_else(presigned)
    }

    fn unseen(&self) -> Cause {
        let is_alone = self.head.method() == "HEAD" && self.is_presigned() && !self.is_by_get;
        // With by_get only those are left that are about a part: they go as they came.
        let may_be_for_get = is_alone && (self.presigned_head == PresignedHead::AsSigned || self.is_about_a_part());
        if may_be_for_get { Cause::HeadByGet } else { Cause::Unknown }
    }

    fn is_about_a_part(&self) -> bool {
        let is_part = |parameter: &str| parameter.starts_with("partNumber=");
        ["range", "if-range"].iter().any(|name| self.head.value(name).is_some())
            || self.head.query().is_some_and(|query| query.split('&').any(is_part))
    }

    fn is_presigned(&self) -> bool {
        is_presigned(self.head.query())
    }

    /// What has changed on the way: first what contradicts the signature, then what shows a change.
    fn change(&self) -> Option<(Cause, Option<&str>)> {
        let (received, sent) = self.hosts;
        if received != sent && !self.is_named_host && self.covers_host() {
            return Some((Cause::HostReplaced, Some("host")));
        }
        let is_hop = |name: &&str| is_hop_by_hop(name.as_bytes());
        if let Some(name) = self.signed_names().find(is_hop) {
            return Some((Cause::HopByHop, Some(name)));
        }
        if let Some(absent) = self.absent() {
            return Some(absent);
        }
        if self.covers_host() && self.has_another_host_before() {
            return Some((Cause::HostChangedBefore, Some("host")));
        }
        if let Some(name) = PATH_CHANGED.iter().find(|name| self.head.value(name).is_some()) {
            return Some((Cause::PathChangedBefore, Some(name)));
        }
        let doubt = self.signed_names().find_map(|name| Some((self.doubt(name)?, Some(name))));
        doubt.or_else(|| self.has_changed_query().then_some((Cause::QueryChanged, None)))
    }

    /// A signed header that did not arrive.
    fn absent(&self) -> Option<(Cause, Option<&str>)> {
        let is_absent = |name: &&str| !name.eq_ignore_ascii_case("host") && self.head.value(name).is_none();
        let name = self.signed_names().find(is_absent)?;
        let is_encoding = name.eq_ignore_ascii_case("accept-encoding");
        Some((if is_encoding { Cause::AcceptEncoding } else { Cause::HeaderMissing }, Some(name)))
    }

    /// Returns true if a presigned URL has a parameter that no SDK signs, or a credential that something has decoded.
    fn has_changed_query(&self) -> bool {
        let is_added = |parameter: &str| ADDED_TO_LINKS.iter().any(|begin| parameter.starts_with(begin));
        let is_decoded = |parameter: &str| parameter.starts_with("X-Amz-Credential=") && parameter.contains('/');
        let is_changed = |parameter: &str| is_added(parameter) || is_decoded(parameter);
        self.is_presigned() && self.head.query().is_some_and(|query| query.split('&').any(is_changed))
    }

    /// What is odd about a signed header that arrived.
    fn doubt(&self, name: &str) -> Option<Cause> {
        // SDKs that sign it send this, so that nothing decompresses an object. CDNs write what they store instead, such as "gzip"
        // (terraform issue 36412, minio issue 15506, supabase/storage issue 729).
        if name.eq_ignore_ascii_case("accept-encoding") && self.head.value(name) != Some(b"identity") {
            return Some(Cause::AcceptEncoding);
        }
        if TRACING.iter().any(|traced| name.eq_ignore_ascii_case(traced)) {
            return Some(Cause::TraceContext);
        }
        let lines = self.head.lines().filter(|(line, _)| line.eq_ignore_ascii_case(name.as_bytes())).count();
        // RFC 9113 §8.2.3 lets a client split a cookie, and has the lines joined for HTTP/1.1.
        let cause = if name.eq_ignore_ascii_case("cookie") { Cause::CookieLines } else { Cause::HeaderRepeated };
        (lines > 1).then_some(cause)
    }

    fn signed_names(&self) -> impl Iterator<Item = &str> {
        let names = self.signed.as_deref().unwrap_or_default().split(';');
        names.filter(|name| !name.is_empty()).take(MOST_NAMES)
    }

    /// A form carries its signature in its body, and it covers the form's policy only.
    fn covers_host(&self) -> bool {
        let is_form = || self.head.text("content-type").is_some_and(|value| value.starts_with("multipart/form-data"));
        match self.host_signed {
            HostSignature::Covered => true,
            HostSignature::Absent => false,
            HostSignature::Unknown => !is_form(),
        }
    }

    /// Whether the host that a proxy in front says it was asked for is another one. It may leave out the port, but a port that got
    /// lost is a change (nginx: `$host` instead of `$http_host`).
    fn has_another_host_before(&self) -> bool {
        let Some(forwarded) = self.head.text("x-forwarded-host") else { return false };
        let (first, received) = (forwarded.split(',').next().unwrap_or_default().trim(), self.hosts.0);
        let name = received.rsplit_once(':').map_or(received, |(name, _)| name);
        !first.is_empty() && !first.eq_ignore_ascii_case(received) && !first.eq_ignore_ascii_case(name)
    }

    /// Whether the time of signing alone explains a rejection.
    fn time(&self) -> Option<Cause> {
        let now = self.upstream_time();
        if self.is_presigned() && expires_at(self.head.query()).is_some_and(|end| end < now) {
            return Some(Cause::Expired);
        }
        let signed_at = self.signed_at()?;
        // A presigned URL may be old, but not from the future.
        let is_far = if self.is_presigned() {
            signed_at.duration_since(now).is_ok_and(|ahead| ahead > MAX_SKEW)
        } else {
            distance(signed_at, now) > MAX_SKEW
        };
        is_far.then(|| self.wrong_clock())
    }

    /// Three clocks are known: the one that differs from the other two is wrong.
    fn wrong_clock(&self) -> Cause {
        let agrees = |signed_at| distance(signed_at, self.clocks.0) <= AGREEMENT;
        if self.signed_at().is_some_and(agrees) { Cause::UpstreamClock } else { Cause::ClientClock }
    }

    fn upstream_time(&self) -> SystemTime {
        self.clocks.1.unwrap_or(self.clocks.0)
    }

    fn signed_at(&self) -> Option<SystemTime> {
        signed_at(self.head.text("x-amz-date"), self.head.query())
    }

    /// How long ago the request was signed by the upstream's clock, in seconds; before 0 it is yet to come.
    pub(super) fn signed_seconds_ago(&self) -> Option<i64> {
        let (now, signed_at) = (self.upstream_time(), self.signed_at()?);
        let seconds = i64::try_from(distance(now, signed_at).as_secs()).ok()?;
        Some(if signed_at > now { -seconds } else { seconds })
    }

    /// What a proxy in front calls itself (RFC 8586, RFC 9110 §7.6.3).
    pub(super) fn in_front(&self) -> Option<&[u8]> {
        let cloudflare = || self.head.value("cf-ray").map(|_| &b"cloudflare"[..]);
        self.head.value("cdn-loop").or_else(|| self.head.value("via")).or_else(cloudflare)
    }
}

fn distance(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|before| before.duration())
}

#[cfg(test)]
mod tests;

//! The state of one exchange while it lasts.

use super::asked_upstream::AskedUpstream;
use super::count::Counted;
use super::forwarding::Chain;
use super::head::RequestHead;
use super::names::NamedHost;
use super::questions::Questions;
use super::reply::Reply;
use super::response_notes::ResponseNotes;
use super::short_text::ShortText;
use super::signed_reads::claim::Claim;
use super::signed_reads::read::SignedRead;
use super::via::Passages;
use crate::rules::Bucket;
use crate::s3::identity::RequestId;
use crate::s3::operation::Scope;
use crate::telemetry::{ByGet, FallbackResult};
use s3_cors::{Decision, ResourceType};
use s3cors_http1::field_name::is_named;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The upstream's `x-amz-request-id`. S3's has 16 characters, Ceph's about 50 with the name of its zone group; a longer one is not kept.
pub(super) type UpstreamId = ShortText<96>;

/// The state of one exchange, apart from its head.
pub(super) struct Known {
    pub(super) started: Instant,
    pub(super) id: RequestId,
    /// The rules that the request is judged by, from the one snapshot that it read; `None` before that.
    pub(super) bucket: Option<Arc<Bucket>>,
    pub(super) resource: ResourceType,
    /// The scope that the request's path names; `None` where servers differ about it.
    pub(super) scope: Option<Scope>,
    /// The public name that it is for.
    pub(super) host: NamedHost,
    /// The upstream that it is sent to now.
    pub(super) asked: AskedUpstream,
    pub(super) questions: Questions,
    /// The rights that it has without keys of its own.
    pub(super) claim: Claim,
    /// A reply of ours in place of the upstream's response.
    pub(super) in_place: Option<Box<Reply>>,
    /// The parts of the response's head that decide about its edits; `None` where no edit depends on them.
    pub(super) notes: Option<Box<ResponseNotes>>,
    pub(super) lines: KnownLines,
    /// The client itself, before all proxies that are trusted; port 0 is one that is not known.
    pub(super) client: Option<SocketAddr>,
    pub(super) chain: Option<Chain>,
    pub(super) decision: Decision,
    pub(super) upstream_started: Option<Instant>,
    /// The address that the request was last sent to, or was to be.
    pub(super) upstream: Option<SocketAddr>,
    /// The upstream's name for the request, where someone will want to know it.
    pub(super) upstream_id: Option<UpstreamId>,
    pub(super) upstream_time: Option<Duration>,
    /// Set if the response may report a failed signature.
    pub(super) may_be_mismatch: bool,
    /// The time of such a response by the upstream's clock.
    pub(super) upstream_clock: Option<SystemTime>,
    /// The limit, or `cors`, that refused it.
    pub(super) refused_by: Option<&'static str>,
    /// The most bytes of its body; `None` for as many as it has.
    pub(super) most_upload: Option<u64>,
    /// The part of the request for which it was refused, in words.
    pub(super) fault: Option<&'static str>,
    /// The result of a presigned HEAD that is asked again as GET; `None` while it is not.
    pub(super) by_get: Option<ByGet>,
    /// The result of a read that went on to a fallback; `None` where it did not.
    pub(super) fallback: Option<FallbackResult>,
    /// Set if the exchange is neither counted nor logged: it asks for our health, or the question is ours.
    pub(super) is_unrecorded: bool,
    _in_flight: Counted,
}

impl Known {
    pub(super) fn new(in_flight: Counted) -> Self {
        Self {
            started: Instant::now(),
            id: RequestId::random(),
            bucket: None,
            resource: ResourceType::Bucket,
            scope: None,
            host: NamedHost::default(),
            asked: AskedUpstream::default(),
            questions: Questions::default(),
            claim: Claim::None,
            in_place: None,
            notes: None,
            lines: KnownLines::default(),
            client: None,
            chain: None,
            decision: Decision::not_cors(),
            upstream_started: None,
            upstream: None,
            upstream_id: None,
            upstream_time: None,
            may_be_mismatch: false,
            upstream_clock: None,
            refused_by: None,
            most_upload: None,
            fault: None,
            by_get: None,
            fallback: None,
            is_unrecorded: false,
            _in_flight: in_flight,
        }
    }

    /// The bucket's label; empty before the request was judged.
    pub(super) fn label(&self) -> &str {
        self.bucket.as_ref().map_or("", |bucket| &bucket.label)
    }

    /// The read that is signed here; `None` for any other request.
    pub(super) fn signed_read(&self) -> Option<&SignedRead> {
        if let Claim::Read(read) = &self.claim { Some(read) } else { None }
    }

    pub(super) fn has_rules(&self) -> bool {
        self.bucket.as_ref().is_some_and(|bucket| bucket.rules.is_some())
    }
}

/// The place of a header line in its head, so that no one looks for it again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineAt(Option<u16>);

impl LineAt {
    /// Notes the first line of a name.
    fn note(&mut self, at: usize) {
        self.0 = self.0.or_else(|| u16::try_from(at).ok());
    }

    /// Returns true if there is such a line.
    pub(super) const fn is_there(self) -> bool {
        self.0.is_some()
    }

    /// The line's value.
    pub(super) fn of(self, head: &impl RequestHead) -> Option<&[u8]> {
        head.lines().nth(self.0?.into()).map(|(_, value)| value)
    }
}

/// The lines of a head that more than one step asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KnownLines {
    /// `Origin`.
    pub(super) origin: LineAt,
    /// The first `Access-Control-Request-Method` that is not empty.
    pub(super) asked_method: LineAt,
    /// `Access-Control-Request-Headers`.
    pub(super) asked_headers: LineAt,
    /// `Authorization`.
    pub(super) authorization: LineAt,
    /// Set if an object is copied.
    pub(super) has_copy_source: bool,
    /// Set if there are lines about the proxies before the peer.
    pub(super) has_forwarding: bool,
    /// Set if the browser says that the page has the origin that it requests from.
    pub(super) is_same_origin: bool,
    /// `Via`.
    pub(super) passages: Passages,
}

impl KnownLines {
    /// Notes a line, by its length before its name.
    #[inline(always)]
    pub(super) fn note(&mut self, at: usize, name: &[u8], value: &[u8]) {
        match name.len() {
            3 if is_named(name, b"via") => self.passages.add(value),
            6 if is_named(name, b"origin") => self.origin.note(at),
            13 if is_named(name, b"authorization") => self.authorization.note(at),
            17 if is_named(name, b"x-amz-copy-source") => self.has_copy_source = true,
            29 if !value.is_empty() && is_named(name, b"access-control-request-method") => self.asked_method.note(at),
            30 if is_named(name, b"access-control-request-headers") => self.asked_headers.note(at),
            _ => self.has_forwarding |= super::forwarding::is_forwarding(name),
        }
    }
}

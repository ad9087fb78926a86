//! The stages of an exchange, as types: each offers what can come next, and nothing else.

use super::head::RequestHead;
use super::known::Known;
use super::peer::ClientPeer;
use super::policy::Policy;
use super::reply::Reply;
use super::request_edits::{EndedLines, RequestEdits};
use super::response_edits::ResponseEdits;
use super::response_head::answered;
use super::response_plan::{Resend, ResponsePlan, Shown};
use super::sandbox::is_of_aws;
use super::signature_mismatch::examine_body;
use super::signed_reads::answer::wants_document;
use super::take_headers::TakeHeaders;
use super::tally::Tally;
use crate::config::{UpstreamIndex, UpstreamOrigin};
use crate::s3::placed_signature::PlacedSignature;
use crate::s3::signature::signs;
use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, StatusCode};
use s3_cors::Decision;
use s3cors_http1::body_length::BodyLength;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// A request that has begun. It is counted and logged when it is dropped, in this stage or in a later one.
pub struct Exchange<H: RequestHead> {
    pub(super) policy: Arc<Policy>,
    pub(super) head: H,
    pub(super) peer: ClientPeer,
    pub(super) known: Known,
    pub(super) tally: Tally,
}

impl Policy {
    /// Begins an exchange about a request with this head.
    pub fn begin<H: RequestHead>(self: &Arc<Self>, head: H, peer: ClientPeer) -> Box<Exchange<H>> {
        let known = Known::new(self.in_flight().enter());
        // Boxed: it moves from stage to stage, and each move of its bytes would be a copy, in the futures of drivers several.
        Box::new(Exchange { policy: Arc::clone(self), head, peer, known, tally: Tally::default() })
    }
}

/// A reply that is to be sent.
pub struct Replying<H: RequestHead> {
    exchange: Box<Exchange<H>>,
    reply: Reply,
}

impl<H: RequestHead> Replying<H> {
    pub(super) const fn new(exchange: Box<Exchange<H>>, reply: Reply) -> Self {
        Self { exchange, reply }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.reply.status
    }

    /// The body as it is sent: a reply to HEAD has none.
    #[must_use]
    pub fn body(&self) -> Bytes {
        if self.exchange.head.method() == "HEAD" { Bytes::new() } else { self.reply.body.clone() }
    }

    /// Returns true if the connection must end with it: what follows on it could not be told from a body.
    #[must_use]
    pub const fn ends_connection(&self) -> bool {
        self.reply.ends_connection
    }

    /// Hands over each header, in their order; `date` is the driver's clock.
    pub fn for_each_header(&self, date: &HeaderValue, to: &mut impl TakeHeaders) {
        self.exchange.policy.replies.headers(&self.reply, &self.exchange.known, to);
        if !self.reply.has_date() {
            to.header(&DATE, date);
        }
    }

    /// The traffic so far.
    pub const fn tally(&mut self) -> &mut Tally {
        &mut self.exchange.tally
    }

    /// Notes that the client has the reply, with so many bytes of its body. The exchange ends.
    pub fn sent(mut self, response_bytes: usize) {
        self.exchange.tally.status = self.reply.status.as_u16();
        self.exchange.tally.response_bytes = response_bytes as u64;
    }

    /// The decision about the request.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.exchange.known.decision
    }
}

/// A request on its way to an upstream.
pub struct Forward<H: RequestHead> {
    pub(super) exchange: Box<Exchange<H>>,
    /// A signature that is broken on the way, to see whether the upstream refuses it.
    broken: Option<PlacedSignature>,
    /// Set for a question of ours: the response is no client's.
    is_ours: bool,
}

impl<H: RequestHead> Forward<H> {
    pub(super) const fn new(exchange: Box<Exchange<H>>) -> Self {
        Self { exchange, broken: None, is_ours: false }
    }

    /// A question that no client has asked: it is neither counted nor logged.
    pub(super) fn of_ours(mut exchange: Box<Exchange<H>>) -> Self {
        exchange.known.is_unrecorded = true;
        Self { exchange, broken: None, is_ours: true }
    }

    /// Breaks a signature from now on, in a question of ours.
    pub(super) fn break_signature(&mut self, signature: PlacedSignature) {
        (self.broken, self.is_ours) = (Some(signature), true);
    }

    /// The head of the request.
    pub const fn head(&self) -> &H {
        &self.exchange.head
    }

    /// The decision about the request.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.exchange.known.decision
    }

    /// Names the exchange in logs.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.exchange.known.id.as_str()
    }

    /// The traffic so far.
    pub const fn tally(&mut self) -> &mut Tally {
        &mut self.exchange.tally
    }

    /// The upstream that the request is sent to now.
    #[must_use]
    pub const fn upstream(&self) -> UpstreamIndex {
        self.exchange.known.asked.index
    }

    /// The most bytes of its body that go on.
    #[must_use]
    pub fn most_upload(&self) -> u64 {
        self.exchange.known.most_upload.unwrap_or(u64::MAX)
    }

    /// Notes the address that the request is sent to now.
    pub fn connecting(&mut self, address: SocketAddr) {
        self.exchange.known.upstream = Some(address);
        self.exchange.known.upstream_started = Some(Instant::now());
    }

    /// The difference between the request as it came and as the upstream sees it.
    #[must_use]
    pub fn request(&self) -> RequestEdits<'_> {
        let Exchange { policy, head, peer, known, .. } = &*self.exchange;
        let own = (known.lines.has_forwarding, known.lines.passages.is_there());
        let mut forwarded = policy.forwarding.lines(head, peer, own, known.chain.as_ref());
        let host = policy.host_for_upstream(known);
        let read = known.signed_read().map(|read| read.edits(head.method(), head.path()));
        if let Some(lines) = forwarded.as_mut().filter(|_| host.is_some() || read.is_some()) {
            lines.leave_out_host();
        }
        RequestEdits {
            host,
            forwarded,
            is_head_retry: known.by_get.is_some(),
            broken: self.broken.as_ref(),
            prefix: known.host.prefix,
            ended: ended_lines(policy, head, known),
            encoding: known.questions.encoding(),
            holds_body: !self.is_ours && known.questions.holds_body() && has_body(head),
            has_expectation: known.questions.holds_body() && head.value("expect").is_some(),
            read,
        }
    }

    /// Returns true if the first bytes of a response's body are to be handed to [`response`](Self::response) with its head.
    #[must_use]
    pub fn examines_refusal(&self, status: StatusCode) -> bool {
        let Exchange { head, known, .. } = &*self.exchange;
        let has_document = head.method() != "HEAD" || known.by_get.is_some();
        let decides = match known.signed_read() {
            Some(_) => wants_document(status),
            None => status == StatusCode::FORBIDDEN && known.questions.is_of_a_kind(),
        };
        !self.is_ours && has_document && (decides || known.asked.wants_document(status))
    }

    /// Takes the head of the upstream's final response: its status and its lines. `first` are the lines of the response before it, if this
    /// is the second.
    pub fn response<'l, L>(
        &mut self,
        status: StatusCode,
        lines: L,
        first: Option<L>,
        resend: Resend<'_>,
    ) -> ResponsePlan
    where
        L: Iterator<Item = (&'l [u8], &'l [u8])> + Clone,
    {
        if self.is_ours {
            return ResponsePlan::Relay(Shown::as_it_came());
        }
        let Exchange { policy, head, known, .. } = &mut *self.exchange;
        answered(policy, (status, lines), (first, resend), &*head, known)
    }

    /// The reply of ours in place of the response, where the exchange has one ([`ResponsePlan::Reply`]).
    #[must_use]
    pub fn in_place(mut self) -> Option<Replying<H>> {
        let reply = self.exchange.known.in_place.take()?;
        Some(Replying::new(self.exchange, *reply))
    }

    /// The difference between the response as it came and as the client sees it. `vary` are the `Vary` lines that came.
    pub fn edits<'v>(&self, shown: Shown, vary: impl IntoIterator<Item = &'v [u8]>) -> ResponseEdits<'_> {
        ResponseEdits::new(&self.exchange.policy.replies.cors, &self.exchange.known, shown, vary)
    }

    /// Returns true if the first bytes of the response's body are to be handed to [`body`](Self::body).
    #[must_use]
    pub const fn examines_body(&self) -> bool {
        self.exchange.known.may_be_mismatch
    }

    /// Looks at the first bytes of the response's body.
    pub fn body(&mut self, bytes: &[u8]) {
        let Exchange { policy, head, known, .. } = &mut *self.exchange;
        examine_body(policy, bytes, &*head, known);
    }
}

/// The client's lines that are not for the storage.
fn ended_lines(policy: &Policy, head: &impl RequestHead, known: &Known) -> EndedLines {
    let authorization = || known.lines.authorization.of(head);
    let signs = |name: &str| signs(authorization(), head.query(), name);
    let drops_origin =
        policy.upstreams.get(known.asked.index).origin == UpstreamOrigin::Drop && known.lines.origin.is_there();
    let mut ended = EndedLines { origin: drops_origin && !signs("origin"), ..EndedLines::default() };
    let is_other_host = known.lines.has_forwarding && policy.host_for_upstream(known).is_some();
    ended.forwarded_host = is_other_host && !signs("x-forwarded-host");
    if known.host.is_sandboxed {
        ended.cookie = !signs("cookie");
        ended.authorization = authorization().is_some_and(|value| !is_of_aws(value));
    }
    ended
}

/// Returns true if a body follows the head.
fn has_body(head: &impl RequestHead) -> bool {
    !matches!(head.body(), BodyLength::None | BodyLength::Length(0))
}

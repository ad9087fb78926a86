//! The request's head: which bucket it is for, what the rules say, and which stage comes next.

use super::asked_upstream::AskedUpstream;
use super::bucket_cors::{AskedOperation, operation};
use super::buffered::Buffered;
use super::connection_options::hide_a_field;
use super::deletion::Deletion;
use super::failure::{Failure, RequestFault};
use super::forwarding::is_encrypted;
use super::head::RequestHead;
use super::known::Known;
use super::peer::ClientPeer;
use super::policy::Policy;
use super::questions::Questions;
use super::reply::{Refusal, Reply};
use super::sandbox::is_for_service_worker;
use super::signed_reads::claim::Claim;
use super::signed_reads::judge::claim;
use super::signed_reads::response::refused_read;
use super::stages::{Exchange, Forward, Replying};
use super::uploads::{self, FormUpload, UploadJudgement, refused_upload};
use crate::s3::address::NamedBucket;
use crate::s3::error::ErrorCode;
use http::StatusCode;
use s3_cors::{CorsRequest, Denial, Outcome, RequestKind, Verdict, evaluate};
use s3cors_http1::body_length::is_ambiguous;
use s3cors_http1::request_target::may_be_in_host;
use std::sync::Arc;

/// The stage after the judgement.
pub enum Judged<H: RequestHead> {
    /// The proxy replies itself.
    Reply(Replying<H>),
    /// The request is small, and is read whole before an upstream sees it.
    Buffered(Buffered<H>),
    /// The beginning of the body decides.
    Form(FormUpload<H>),
    /// The request is an upstream's.
    Forward(Forward<H>),
}

impl<H: RequestHead> Exchange<H> {
    /// Judges the request, by one snapshot of the rules.
    #[must_use]
    pub fn judge(mut self: Box<Self>) -> Judged<H> {
        let fault = if self.head.is_unambiguous() { None } else { fault(&self.head) };
        if fault.is_none()
            && let Some(reply) = self.policy.health.as_ref().and_then(|health| health.reply(&self.head, &self.peer))
        {
            self.known.is_unrecorded = true;
            return Judged::Reply(Replying::new(self, reply));
        }
        let Self { policy, head, peer, known, .. } = &mut *self;
        let asked = decide(policy, &*head, peer, known);
        let own = if fault.is_some() { None } else { own_reply(policy, &asked, known) };
        match (fault, own) {
            (Some(fault), _) => Judged::Reply(self.refuse(Failure::InvalidRequest(fault))),
            (None, Some(reply)) => Judged::Reply(Replying::new(self, reply)),
            (None, None) if self.known.lines.passages.is_loop() => Judged::Reply(self.refuse(Failure::Loop)),
            (None, None) if self.is_for_service_worker() => {
                let reply = no_service_worker(&self.policy, &self.known);
                Judged::Reply(Replying::new(self, reply))
            }
            (None, None) => self.without_own_reply(),
        }
    }

    /// The stage of a request that an upstream may see.
    fn without_own_reply(mut self: Box<Self>) -> Judged<H> {
        let Self { policy, head, peer, known, .. } = &mut *self;
        if policy.replies.cors.enforce.is_on() && is_refused_by_rules(head, peer, known) {
            let reply = refused_by_rules(policy, known);
            return Judged::Reply(Replying::new(self, reply));
        }
        if let Some(uploads) = &policy.uploads {
            match uploads::judge(uploads, &*head, known, &policy.address(head, &known.host)) {
                UploadJudgement::Free => {}
                UploadJudgement::Limited(most) => known.most_upload = Some(most),
                UploadJudgement::Form => return Judged::Form(FormUpload::new(self)),
                UploadJudgement::Refused(why) => {
                    let reply = refused_upload(policy, why, known);
                    return Judged::Reply(Replying::new(self, Reply { ends_connection: true, ..reply }));
                }
            }
        }
        if let Some(reads) = &policy.reads {
            known.claim = claim(reads, &*head, known, &policy.address(head, &known.host));
        }
        match &known.claim {
            Claim::Refused(why) => {
                let reply = refused_read(policy, *why, known);
                return Judged::Reply(Replying::new(self, reply));
            }
            Claim::Moved(location) => {
                let reply = Reply::moved(StatusCode::FOUND, location.clone());
                return Judged::Reply(Replying::new(self, reply));
            }
            Claim::Read(_) => {
                // No signature of the client's can fail.
                known.questions.end();
                return Judged::Forward(Forward::new(self));
            }
            Claim::None | Claim::Opens(_) => {}
        }
        if let Some(own) = self.known.asked.also_deletes_at() {
            return Judged::Buffered(Buffered::Deletion(Deletion::new(self, own)));
        }
        match operation(&self) {
            None => Judged::Forward(Forward::new(self)),
            Some(Ok(signed)) => {
                // Its body is judged with it, and both its questions go to one address.
                self.known.questions.end();
                Judged::Buffered(Buffered::BucketCors(AskedOperation::new(Forward::new(self), signed)))
            }
            Some(Err(reply)) => Judged::Reply(Replying::new(self, *reply)),
        }
    }

    /// Returns true if an object would become a service worker of the application whose host it is.
    fn is_for_service_worker(&self) -> bool {
        self.known.host.is_sandboxed && is_for_service_worker(&self.head)
    }

    /// Refuses a request before it is here as a whole. As far as its head is here, the rules are asked about it.
    #[must_use]
    pub fn turn_away(mut self: Box<Self>, refusal: Refusal) -> Replying<H> {
        let Self { policy, head, peer, known, .. } = &mut *self;
        // A head that names no method, or a connection without one, is for no bucket.
        if !head.method().is_empty() {
            decide(policy, &*head, peer, known);
        }
        known.fault = Some(refusal.words());
        let (request_id, code) = (self.known.id.as_str(), refusal.code());
        tracing::debug!(request_id, code = code.as_str(), "refused before there was a request");
        let reply = self.policy.replies.error(code.status(), code.as_str(), refusal.message(), &[], &self.known);
        Replying::new(self, Reply { ends_connection: true, ..reply })
    }

    /// Refuses a request that no driver can forward. As far as its head can be read, the rules are asked about it like about any other, so
    /// that a script can read the status.
    #[must_use]
    pub fn reject(mut self: Box<Self>, failure: Failure) -> Replying<H> {
        let Self { policy, head, peer, known, .. } = &mut *self;
        decide(policy, &*head, peer, known);
        self.refuse(failure)
    }
}

/// Asks the rules about a request, once, by one snapshot of them. Its lines are walked here, and what else needs one is noted.
fn decide<'h>(policy: &Policy, head: &'h impl RequestHead, peer: &ClientPeer, known: &mut Known) -> CorsRequest<'h> {
    let host = policy.names.named(head.host(), head.path());
    let mut address = policy.address(head, &host);
    let (scope, route) = (address.scope(), policy.routes.of(address.bucket.name()));
    known.asked = AskedUpstream::first(route, head, scope);
    let names = policy.names.of_address(&address, host.get(), known.asked.index);
    // Under every name that it could be sent, the upstream would see another bucket or key.
    if names.is_empty() {
        address.bucket = NamedBucket::Ambiguous;
    }
    known.questions = Questions::begin(names, policy.healing.as_ref(), head, (host.prefix, known.asked.index));
    let live = policy.rules.live();
    let bucket = Arc::clone(match &address.bucket {
        NamedBucket::Ambiguous => live.without_rules(),
        named => live.bucket(named.name()),
    });
    let mut asked = CorsRequest::new(head.method().as_bytes());
    for (at, (name, value)) in head.lines().enumerate() {
        asked.add_line(name, value);
        known.lines.note(at, name, value);
    }
    known.lines.is_same_origin = asked.is_same_origin();
    (known.resource, known.scope) = (address.resource, scope);
    known.client = peer.address;
    if known.lines.has_forwarding {
        known.chain = policy.forwarding.chain(head, peer);
        known.client = known.chain.as_ref().map_or(peer.address, |chain| Some(chain.client));
    }
    known.decision = evaluate(bucket.rules.as_ref(), &asked);
    if let Some(shadow) = &policy.shadow {
        shadow.compare(&asked, &address.bucket, &bucket, known);
    }
    known.bucket = Some(bucket);
    known.host = host;
    asked
}

fn own_reply(policy: &Policy, asked: &CorsRequest<'_>, known: &Known) -> Option<Reply> {
    let is_preflight = known.decision.kind == RequestKind::Preflight;
    match &known.decision.verdict {
        // S3 refuses a malformed request outright (S3: sd-acrh-bad-token), actual requests too; a browser never sends one.
        Verdict::Denied(denial) if is_preflight || denial.is_malformed() => Some(denied(policy, asked, known, denial)),
        // 200 without a body, not 204 (S3: sd-first-match-bucket-root).
        Verdict::Granted(_) | Verdict::NotCors if is_preflight => Some(Reply::empty(StatusCode::OK)),
        _ => None,
    }
}

/// Returns true for an actual request that the rules deny, with `cors.enforce`. A request to its own origin is none of CORS's, also where an
/// older browser does not say so (Fetch, CORS check).
fn is_refused_by_rules(head: &impl RequestHead, peer: &ClientPeer, known: &Known) -> bool {
    let is_denied = known.decision.kind == RequestKind::Actual && known.decision.outcome() == Some(Outcome::Denied);
    is_denied && !is_own_origin(head, peer, known)
}

/// Returns true if the page's origin is the one that it asks.
fn is_own_origin(head: &impl RequestHead, peer: &ClientPeer, known: &Known) -> bool {
    let is_tls = is_encrypted(head, peer, known.lines.has_forwarding);
    let (scheme, own_port) = if is_tls { ("https://", ":443") } else { ("http://", ":80") };
    let origin = known.lines.origin.of(head).and_then(|origin| str::from_utf8(origin).ok());
    let asked = origin.and_then(|origin| origin.strip_prefix(scheme));
    let without_port = |host: &str| host.strip_suffix(own_port).unwrap_or(host).to_ascii_lowercase();
    asked.zip(head.host()).is_some_and(|(asked, host)| without_port(asked) == without_port(host))
}

fn refused_by_rules(policy: &Policy, known: &mut Known) -> Reply {
    const MESSAGE: &str =
        "The CORS rules of the bucket do not allow this request, and they are enforced here (cors.enforce).";
    known.refused_by = Some("cors");
    policy.replies.error(StatusCode::FORBIDDEN, ErrorCode::AccessDenied.as_str(), MESSAGE, &[], known)
}

fn no_service_worker(policy: &Policy, known: &Known) -> Reply {
    const MESSAGE: &str = "Objects of this host are no service workers (sandbox).";
    policy.replies.error(StatusCode::FORBIDDEN, ErrorCode::AccessDenied.as_str(), MESSAGE, &[], known)
}

/// S3's answer to a denial.
fn denied(policy: &Policy, asked: &CorsRequest<'_>, known: &Known, denial: &Denial) -> Reply {
    let refusal = denial.refusal(known.resource);
    let refused =
        refusal.resource.map(|resource| [("Method", asked.asked_method()), ("ResourceType", resource.as_str())]);
    let details = refused.as_ref().map_or(&[][..], |details| &details[..]);
    policy.replies.error(refusal.status, refusal.code, &refusal.message, details, known)
}

/// Returns what an upstream could read differently from us.
fn fault(head: &impl RequestHead) -> Option<RequestFault> {
    if is_ambiguous(head.lines()) {
        Some(RequestFault::Length)
    } else if has_invalid_host(head) {
        Some(RequestFault::Host)
    } else if hide_a_field(head) {
        Some(RequestFault::HiddenField)
    } else {
        None
    }
}

/// Returns true if a `Host` line is no host, which a server must refuse (RFC 9112 §3.2): an upstream, or a proxy before it, could take
/// another part of it for the host than the rules were looked up by.
fn has_invalid_host(head: &impl RequestHead) -> bool {
    head.lines()
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"host"))
        .any(|(_, value)| !value.iter().copied().all(may_be_in_host))
}

//! One request and its response on one connection to an upstream.
//!
//! Decides: in which order the bytes of both sides move, and who is to blame when it does not come to its end. Must not know: which
//! protocol the client speaks.

use super::client::{Client, Link, Received, Taken, UploadError, UploadState};
use super::head::{BegunHead, repaired};
use super::keep_alive::patience;
use super::route::{ForwardError, Route};
use crate::drivers::turn::Turns;
use crate::drivers::wire::{self, poll_read_some};
use crate::exchange::{Failure, Forward, RequestHead, Resend, ResponseFault, ResponsePlan};
use crate::upstream::has_vanished;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use s3cors_http1::body::BodyReader;
use s3cors_http1::response_head::{Parsed, parse};
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::Duration;

/// How much of a response is read at first: a small one as a whole.
const FIRST_READ: usize = 16 * 1024;
/// The time that an upstream may take to judge a head before the body follows all the same. Servers that judge it do so within milliseconds.
const JUDGEMENT: Duration = Duration::from_secs(1);
/// The beginning of an error's document that says what it is, in bytes: before its code and message there is at most the XML declaration.
const DOCUMENT: usize = 1024;

/// The end of a conversation.
pub(super) struct Outcome {
    /// Set if the connection to the upstream can be used again.
    pub(super) is_reusable: bool,
    /// The time that the upstream keeps it, where it says so.
    pub(super) patience: Option<Duration>,
    /// The next step for the client.
    pub(super) next: NextStep,
}

/// The step after a conversation.
#[derive(Debug)]
pub(super) enum NextStep {
    /// Nothing: the client has the response.
    Nothing,
    /// The request is asked again. The client has no response yet; this is the head of the first one.
    Again(Bytes),
    /// The client gets a reply of the exchange's in place of the response.
    Reply,
}

/// One request and its response.
pub(super) struct Conversation<'c, H: RequestHead, C> {
    pub(super) forward: &'c mut Forward<H>,
    pub(super) client: &'c mut C,
    pub(super) link: Link<'c>,
    pub(super) route: &'c Route<'c>,
    /// Set while the request's body waits for the upstream's judgement of its head.
    pub(super) is_held: bool,
}

/// The next thing that moved.
enum Moved {
    Response(io::Result<BytesMut>),
    Upload(Result<(), UploadError>),
    ClientGone,
}

impl<H: RequestHead, C: Client> Conversation<'_, H, C> {
    /// Sends the request and relays the response. `first` is the head that the request was answered with before, if it is asked again.
    pub(super) async fn run(&mut self, request: BytesMut, first: Option<&Bytes>) -> Result<Outcome, ForwardError> {
        let judged = if self.is_held { Box::pin(self.ask_first(&request)).await? } else { None };
        let mut response = match judged {
            Some(response) => response,
            None if self.is_held => Box::pin(self.release()).await?,
            None => {
                let begun = self.client.begin(request, &mut self.link).await;
                self.count_upload();
                match begun.map_err(ForwardError::Failed)? {
                    Taken::Yes => self.first_bytes().await?,
                    Taken::No => self.last_words().await?,
                }
            }
        };
        let mut interim = 0;
        loop {
            let head = match parse(&response) {
                Parsed::Head(head) if head.bytes().len() > self.link.limits.response_head.0 => {
                    return Err(invalid(ResponseFault::HeadTooLarge));
                }
                Parsed::Head(head) => head,
                Parsed::Invalid(why) => {
                    let repaired = repaired(&response, why).map_err(|why| invalid(ResponseFault::Head(why)))?;
                    response =
                        if let Some(repaired) = repaired { repaired } else { self.complete_head(response).await? };
                    continue;
                }
                Parsed::Incomplete => {
                    response = self.complete_head(response).await?;
                    continue;
                }
            };
            let received = Received { head, bytes: &response };
            if !head.is_interim() {
                if self.wants_document(received)
                    && let Some(longer) = Box::pin(self.longer(&response)).await?
                {
                    response = longer;
                    continue;
                }
                return self.answered(received, first).await;
            }
            interim += 1;
            if interim > self.link.limits.interim {
                return Err(invalid(ResponseFault::TooManyInterim));
            }
            let is_released = self.is_held && head.status() == 100;
            if !self.is_held || (is_released && self.forward.head().value("expect").is_some()) {
                self.client.interim(received, &mut self.link).await?;
            }
            response = response.slice(head.bytes().len()..);
            if is_released && response.is_empty() {
                response = Box::pin(self.release()).await?;
            } else if response.is_empty() {
                response = self.first_bytes().await?;
            }
        }
    }

    /// Sends the body that was held, as much of it as is here, and waits for the response.
    async fn release(&mut self) -> Result<Bytes, ForwardError> {
        self.is_held = false;
        let begun = self.client.begin(BytesMut::new(), &mut self.link).await;
        self.count_upload();
        match begun.map_err(ForwardError::Failed)? {
            Taken::Yes => self.first_bytes().await,
            Taken::No => self.last_words().await,
        }
    }

    /// Sends the head alone, which expects a 100, and waits for what the upstream says to it. `None`: nothing, for as long as clients of
    /// HTTP wait (RFC 9110 §10.1.1).
    async fn ask_first(&mut self, request: &BytesMut) -> Result<Option<Bytes>, ForwardError> {
        let sent = wire::write(self.link.upstream, &[request], self.link.timer, self.link.timeouts.write).await;
        if sent.is_err() {
            return self.last_words().await.map(Some);
        }
        let upstream = &mut *self.link.upstream;
        let read = poll_fn(|context| poll_read_some(upstream, context, FIRST_READ));
        match self.link.timer.within(JUDGEMENT, read).await {
            Err(_) => Ok(None),
            Ok(Ok(bytes)) if !bytes.is_empty() => Ok(Some(bytes.freeze())),
            Ok(Ok(_)) => Err(self.closed()),
            Ok(Err(error)) => Err(self.broken(&error)),
        }
    }

    /// Returns true if the exchange wants to see more of the response's document before it decides.
    fn wants_document(&self, received: Received<'_>) -> bool {
        let status = StatusCode::from_u16(received.head.status()).unwrap_or_default();
        let is_short = || {
            let (document, has_ended) = document_of(received);
            !has_ended && document.len() < DOCUMENT
        };
        self.forward.examines_refusal(status) && is_short()
    }

    /// The response with what comes next of it; `None` if nothing does.
    async fn longer(&mut self, response: &Bytes) -> Result<Option<Bytes>, ForwardError> {
        self.link.upstream.acknowledge();
        let more = self.read_more().await?.unwrap_or_default();
        let longer = || [&response[..], &more].concat().into();
        Ok((!more.is_empty()).then(longer))
    }

    /// The final response's head is here.
    async fn answered(&mut self, received: Received<'_>, first: Option<&Bytes>) -> Result<Outcome, ForwardError> {
        let status = StatusCode::from_u16(received.head.status()).map_err(|_| invalid(ResponseFault::Other))?;
        self.route.answered();
        let first = first.and_then(|bytes| match parse(bytes) {
            Parsed::Head(head) => Some(Received { head, bytes }),
            Parsed::Incomplete | Parsed::Invalid(_) => None,
        });
        let Received { head, bytes } = received;
        let length = head.bytes().len();
        let document = if self.forward.examines_refusal(status) { document_of(received).0 } else { Vec::new() };
        // A body that is here as a whole can be sent again as well.
        let UploadState { is_done, has_read, .. } = self.client.upload();
        let is_possible = self.is_held || (is_done && !has_read);
        let resend = Resend { document: &document, is_possible };
        let shown = match self.forward.response(status, received.lines(), first.as_ref().map(Received::lines), resend) {
            ResponsePlan::Again => {
                let has_body = self.forward.head().method() != "HEAD" || first.is_some();
                let is_whole = BodyReader::of_response(head.body(!has_body)).is_whole(received.rest());
                let is_reusable = head.keep_alive() && is_whole && !self.is_held;
                // That of the first question stays the first.
                let first = first.map_or_else(|| bytes.slice(..length), |first| first.bytes.clone());
                return Ok(Outcome { is_reusable, patience: patience(&head), next: NextStep::Again(first) });
            }
            ResponsePlan::Reply => {
                let is_to_head = self.forward.head().method() == "HEAD";
                let is_whole = BodyReader::of_response(head.body(is_to_head)).is_whole(received.rest());
                let is_reusable = head.keep_alive() && is_whole;
                return Ok(Outcome { is_reusable, patience: patience(&head), next: NextStep::Reply });
            }
            ResponsePlan::Relay(shown) => shown,
        };
        if self.is_held {
            self.client.abandon();
        }
        let is_to_head = self.forward.head().method() == "HEAD";
        if !BodyReader::of_response(head.body(is_to_head)).is_whole(received.rest()) {
            self.link.upstream.acknowledge();
        }
        let only = bytes.slice(..length);
        let relayed = if shown.is_head_only() {
            // A body that did not come with its head is never waited for, since an upstream may ignore the range.
            first.filter(|_| shown.is_first()).unwrap_or(Received { head, bytes: &only })
        } else {
            received
        };
        let relayed = self.client.relay(relayed, shown, self.forward, &mut self.link).await;
        self.count_upload();
        let is_clean = relayed?;
        let is_clean = if shown.is_head_only() {
            BodyReader::of_response(head.body(false)).is_whole(received.rest())
        } else {
            is_clean
        };
        let is_reusable = head.keep_alive() && is_clean && !self.is_held;
        Ok(Outcome { is_reusable, patience: patience(&head), next: NextStep::Nothing })
    }

    fn count_upload(&mut self) {
        self.forward.tally().request_bytes = self.client.upload().received;
    }

    /// Sends the rest of the request's body until the response begins, and waits for it.
    async fn first_bytes(&mut self) -> Result<Bytes, ForwardError> {
        let first = self.upload_until_response().await;
        self.count_upload();
        first
    }

    async fn upload_until_response(&mut self) -> Result<Bytes, ForwardError> {
        let mut turns = Turns::default();
        loop {
            let upload = self.client.upload();
            turns.pass(upload.received).await;
            let (limit, late) = self.link.patience(upload);
            let (client, upstream) = (&mut *self.client, &mut *self.link.upstream);
            let moved = poll_fn(|context| {
                if let Poll::Ready(read) = poll_read_some(upstream, context, FIRST_READ) {
                    return Poll::Ready(Moved::Response(read));
                }
                if upload.is_done {
                    return client.poll_gone(context).map(|()| Moved::ClientGone);
                }
                client.poll_upload(context, upstream).map(Moved::Upload)
            });
            match self.link.timer.within(limit, moved).await {
                Err(_) => return Err(ForwardError::Failed(late)),
                Ok(Moved::ClientGone) => return Err(ForwardError::Failed(Failure::ClientGone)),
                Ok(Moved::Response(Ok(bytes))) if !bytes.is_empty() => return Ok(bytes.freeze()),
                Ok(Moved::Response(Ok(_))) => return Err(self.closed()),
                Ok(Moved::Response(Err(error))) => return Err(self.broken(&error)),
                Ok(Moved::Upload(Ok(()))) => {}
                Ok(Moved::Upload(Err(UploadError::Upstream))) => return self.last_words().await,
                Ok(Moved::Upload(Err(UploadError::Client))) => return Err(ForwardError::Failed(Failure::ClientGone)),
                Ok(Moved::Upload(Err(UploadError::TooLarge))) => {
                    return Err(ForwardError::Failed(Failure::UploadTooLarge));
                }
                Ok(Moved::Upload(Err(UploadError::Invalid(fault)))) => {
                    return Err(ForwardError::Failed(Failure::InvalidRequest(fault)));
                }
            }
        }
    }

    /// Reads the response of an upstream that does not take the request.
    async fn last_words(&mut self) -> Result<Bytes, ForwardError> {
        let more = self.read_more().await?.map_err(|error| self.broken(&error))?;
        if more.is_empty() { Err(self.closed()) } else { Ok(more.freeze()) }
    }

    /// Reads more of a response's head, of which something is here.
    async fn complete_head(&mut self, begun: Bytes) -> Result<Bytes, ForwardError> {
        let mut begun = BegunHead::new(begun);
        loop {
            if begun.len() > self.link.limits.response_head.0 {
                return Err(invalid(ResponseFault::HeadTooLarge));
            }
            // Its sender may hold the rest back until what is here is acknowledged.
            self.link.upstream.acknowledge();
            let more = self.read_more().await?.unwrap_or_default();
            if more.is_empty() {
                return Err(ForwardError::Failed(Failure::UpstreamClosed));
            }
            if begun.append(&more) {
                return Ok(begun.into_bytes());
            }
        }
    }

    /// Reads more of the response; nothing is the end of the connection.
    async fn read_more(&mut self) -> Result<io::Result<BytesMut>, ForwardError> {
        let upstream = &mut *self.link.upstream;
        let read = poll_fn(|context| poll_read_some(upstream, context, FIRST_READ));
        match self.link.timer.within(self.link.timeouts.read, read).await {
            Ok(read) => Ok(read),
            Err(_) => Err(ForwardError::Failed(Failure::UpstreamTimeout)),
        }
    }

    /// The connection broke before the response.
    fn broken(&self, error: &io::Error) -> ForwardError {
        // The client has waited for as long as an acknowledgement may take: it is not made to wait once more, and decides itself whether
        // it asks again.
        if has_vanished(error) {
            self.route.vanished();
            return ForwardError::Failed(Failure::UpstreamTimeout);
        }
        self.closed()
    }

    /// The upstream closed before its response.
    fn closed(&self) -> ForwardError {
        if self.route.may_be_stale() && !self.client.upload().has_read {
            return ForwardError::Stale;
        }
        ForwardError::Failed(Failure::UpstreamClosed)
    }
}

/// The beginning of a response's document, without its framing, and whether it is the whole.
fn document_of(received: Received<'_>) -> (Vec<u8>, bool) {
    let (mut reader, mut document) = (BodyReader::of_response(received.head.body(false)), Vec::new());
    let taken = reader.take(received.rest(), |data| document.extend_from_slice(data));
    (document, taken.is_err() || reader.has_ended())
}

pub(super) const fn invalid(fault: ResponseFault) -> ForwardError {
    ForwardError::Failed(Failure::InvalidResponse(fault))
}

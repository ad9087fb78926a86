//! An operation on a bucket's CORS: its request and its response are small, and each is here as a whole before the next step. The steps
//! themselves are the exchange's.

use super::forward::Forwarder;
use super::memory::Memory;
use super::route::{ForwardError, Route};
use crate::drivers::timer::Timer;
use crate::exchange::{AfterConfirmation, AfterUpstream, Buffered, Failure, Forward, Replying, RequestHead, Response};
use crate::upstream::{Peer, Share};
use std::sync::Arc;

impl Forwarder {
    /// Carries an operation out. Returns the reply to it; `None` where no one is left to reply to.
    pub(in crate::drivers) async fn operate<H: RequestHead>(
        &self,
        mut request: Buffered<H>,
        body: &[u8],
        share: Option<&Share>,
    ) -> Option<Replying<H>> {
        let mut route = self.route(request.question().head().method());
        let response = match self.question(&mut route, request.question(), body, share).await {
            Ok(response) => response,
            Err(error) => return request.fail(error.parts().0),
        };
        let mut unconfirmed = match request.after_upstream(body, response) {
            AfterUpstream::Reply(reply) => return Some(reply),
            AfterUpstream::Confirm(unconfirmed) => unconfirmed,
        };
        route.pin();
        let response = self.question(&mut route, unconfirmed.question(), body, share).await;
        if let Err(error) = &response {
            let (error, reason) = error.parts().0.words();
            let request_id = unconfirmed.question().request_id();
            tracing::warn!(request_id, error, reason, "no response to a request with a broken signature");
        }
        let mut write = match unconfirmed.after_confirmation(response.as_ref().ok()) {
            AfterConfirmation::Reply(reply) => return Some(reply),
            AfterConfirmation::Write(write) => write,
        };
        let job = write.job();
        match tokio::task::spawn_blocking(move || job.run()).await {
            Ok(written) => Some(write.done(&written)),
            Err(_) => write.fail(Failure::Internal),
        }
    }

    async fn question<H: RequestHead>(
        &self,
        route: &mut Route<'_>,
        forward: &mut Forward<H>,
        body: &[u8],
        share: Option<&Share>,
    ) -> Result<Response, ForwardError> {
        let mut memory = Memory::new(body, share);
        self.ask(route, forward, &mut memory, &mut Timer::default(), None).await?;
        memory.into_response()
    }

    /// Sends a request without a body to one address, and returns the response.
    pub(super) async fn question_at<H: RequestHead>(
        &self,
        peer: &Arc<Peer>,
        forward: &mut Forward<H>,
    ) -> Result<Response, ForwardError> {
        let mut route = self.route_to(peer, forward.head().method());
        self.question(&mut route, forward, &[], None).await
    }
}

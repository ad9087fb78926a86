//! An operation on a bucket's CORS: its request and its response are small, and each is here as a whole before the next step. The steps
//! themselves are the exchange's.

use super::forward::Forwarder;
use super::memory::{MAX_RESPONSE, Memory};
use super::route::{ForwardError, Route};
use crate::drivers::timer::Timer;
use crate::exchange::{
    AfterConfirmation, AfterDeletion, AfterUpstream, AskedOperation, Buffered, Deletion, Failure, Forward, Replying,
    RequestHead, Response,
};
use crate::upstream::{Destination, Peer, Share};
use std::sync::Arc;

impl Forwarder {
    /// Carries out what a request with this body asks for. Returns the reply to it; `None` where no one is left to reply to.
    pub(in crate::drivers) async fn operate<H: RequestHead>(
        &self,
        request: Buffered<H>,
        body: &[u8],
        share: Option<&Share>,
    ) -> Option<Replying<H>> {
        match request {
            Buffered::BucketCors(operation) => self.operate_on_bucket_cors(operation, body, share).await,
            Buffered::Deletion(deletion) => self.delete(deletion, body, share).await,
        }
    }

    /// Deletes at both upstreams.
    async fn delete<H: RequestHead>(
        &self,
        mut deletion: Deletion<H>,
        body: &[u8],
        share: Option<&Share>,
    ) -> Option<Replying<H>> {
        loop {
            let mut route = self.route(deletion.question());
            let memory = Memory::new(body, share, Deletion::<H>::MAX_RESPONSE);
            let response = match self.question(&mut route, deletion.question(), memory).await {
                Ok(response) => response,
                Err(error) => return deletion.fail(error.parts().0),
            };
            match deletion.after_upstream(response) {
                AfterDeletion::Reply(reply) => return Some(reply),
                AfterDeletion::Next(next) => deletion = next,
            }
        }
    }

    async fn operate_on_bucket_cors<H: RequestHead>(
        &self,
        mut request: AskedOperation<H>,
        body: &[u8],
        share: Option<&Share>,
    ) -> Option<Replying<H>> {
        let mut route = self.route(request.question());
        let response = match self.question(&mut route, request.question(), Memory::new(body, share, MAX_RESPONSE)).await
        {
            Ok(response) => response,
            Err(error) => return request.fail(error.parts().0),
        };
        let mut unconfirmed = match request.after_upstream(body, response) {
            AfterUpstream::Reply(reply) => return Some(reply),
            AfterUpstream::Confirm(unconfirmed) => unconfirmed,
        };
        route.pin();
        let response = self.question(&mut route, unconfirmed.question(), Memory::new(body, share, MAX_RESPONSE)).await;
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
        mut memory: Memory<'_>,
    ) -> Result<Response, ForwardError> {
        self.ask(route, forward, &mut memory, &mut Timer::default(), None).await?;
        memory.into_response()
    }

    /// Sends a request without a body to one address, and returns the response.
    pub(super) async fn question_at<H: RequestHead>(
        &self,
        (of, peer): (&Destination, &Arc<Peer>),
        forward: &mut Forward<H>,
    ) -> Result<Response, ForwardError> {
        let mut route = Route::at(peer, of, forward.head().method());
        self.question(&mut route, forward, Memory::new(&[], None, MAX_RESPONSE)).await
    }
}

//! The deletion of an object, of several, or of a bucket that has a fallback: at both upstreams.
//!
//! The fallback is asked first. An object that only the bucket's own upstream has deleted would be read from the fallback again, and one that
//! only the fallback has deleted is still there: so a deletion that fails half way can be asked for again. Decides: whether the second upstream
//! is asked, and which of two responses the client gets.

use super::asked_upstream::AskedUpstream;
use super::bucket_cors::Response;
use super::failure::Failure;
use super::head::RequestHead;
use super::next_upstream::ask;
use super::reply::Reply;
use super::stages::{Exchange, Forward, Replying};
use crate::config::UpstreamIndex;
use crate::s3::error::ErrorCode;
use http::StatusCode;

const FAILED_AT_BOTH: &str = "Some of the objects could not be deleted at both storage servers. Please try again.";

/// A deletion that is sent to the fallback, and then to the bucket's own upstream.
pub struct Deletion<H: RequestHead> {
    forward: Forward<H>,
    /// The bucket's own upstream, until it is asked.
    own: Option<UpstreamIndex>,
    /// The fallback's response, if it says that some of the objects are still there.
    incomplete: Option<Response>,
}

/// The step after an upstream's response to a deletion.
pub enum AfterDeletion<H: RequestHead> {
    /// The client gets this reply.
    Reply(Replying<H>),
    /// The bucket's own upstream is asked.
    Next(Deletion<H>),
}

impl<H: RequestHead> Deletion<H> {
    /// The longest body of such a request, in bytes: the keys of a thousand objects (S3 API, DeleteObjects), each with its markup.
    pub(super) const MAX_BODY: usize = 2 * 1024 * 1024;
    /// The longest response, in bytes: the same keys, each with the outcome.
    pub const MAX_RESPONSE: usize = 4 * 1024 * 1024;

    /// A deletion of an exchange whose first upstream is the fallback, and whose second is the bucket's own.
    pub(super) fn new(mut exchange: Box<Exchange<H>>, own: UpstreamIndex) -> Self {
        exchange.known.questions.end();
        Self { forward: Forward::new(exchange), own: Some(own), incomplete: None }
    }

    /// The request on its way to the upstream.
    pub const fn question(&mut self) -> &mut Forward<H> {
        &mut self.forward
    }

    /// Counts and logs a failure, and makes the reply to it, if the client is still there.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Option<Replying<H>> {
        self.forward.fail(failure, false)
    }

    pub(super) fn body_too_long(self) -> Replying<H> {
        let Exchange { policy, known, .. } = &*self.forward.exchange;
        let code = ErrorCode::MaxMessageLengthExceeded;
        let reply = policy.replies.error(code.status(), code.as_str(), "Your request was too big.", &[], known);
        Replying::new(self.forward.exchange, Reply { ends_connection: true, ..reply })
    }

    /// Takes an upstream's response.
    #[must_use]
    pub fn after_upstream(mut self, response: Response) -> AfterDeletion<H> {
        self.forward.body(&response.body);
        let Some(own) = self.own.take() else { return self.done(response) };
        // What is not there needs no deletion: S3 says 204 to that, and 404 if the bucket is not there either.
        if !response.status.is_success() && response.status != StatusCode::NOT_FOUND {
            return self.reply(response);
        }
        let Exchange { policy, head, known, .. } = &mut *self.forward.exchange;
        if !ask(policy, head, known, AskedUpstream::only(own)) {
            return AfterDeletion::Reply(self.forward.exchange.refuse(Failure::Internal));
        }
        known.questions.end();
        self.incomplete = Some(response).filter(has_errors);
        AfterDeletion::Next(self)
    }

    /// Takes the last response.
    fn done(mut self, response: Response) -> AfterDeletion<H> {
        match self.incomplete.take().filter(|_| response.status.is_success()) {
            Some(_) if has_errors(&response) => {
                let Exchange { policy, known, .. } = &*self.forward.exchange;
                let code = ErrorCode::InternalError;
                let reply = policy.replies.error(code.status(), code.as_str(), FAILED_AT_BOTH, &[], known);
                AfterDeletion::Reply(Replying::new(self.forward.exchange, reply))
            }
            Some(incomplete) => self.reply(incomplete),
            None => self.reply(response),
        }
    }

    fn reply(self, response: Response) -> AfterDeletion<H> {
        AfterDeletion::Reply(Replying::new(self.forward.exchange, response.into_reply()))
    }
}

/// Returns true if the result of DeleteObjects names objects that are still there.
fn has_errors(response: &Response) -> bool {
    response.status == StatusCode::OK && memchr::memmem::find(&response.body, b"<Error>").is_some()
}

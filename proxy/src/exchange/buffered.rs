//! Requests whose bodies are small and read whole before an upstream sees them, because an upstream may be asked twice.

use super::bucket_cors::AskedOperation;
use super::deletion::Deletion;
use super::failure::Failure;
use super::head::RequestHead;
use super::stages::{Forward, Replying};

/// A request whose body is read whole.
pub enum Buffered<H: RequestHead> {
    /// An operation on a bucket's CORS.
    BucketCors(AskedOperation<H>),
    /// A deletion at two upstreams.
    Deletion(Deletion<H>),
}

impl<H: RequestHead> Buffered<H> {
    /// The longest body of such a request, in bytes.
    #[must_use]
    pub const fn max_body(&self) -> usize {
        match self {
            Self::BucketCors(_) => AskedOperation::<H>::MAX_BODY,
            Self::Deletion(_) => Deletion::<H>::MAX_BODY,
        }
    }

    /// The request on its way to the upstream.
    pub const fn question(&mut self) -> &mut Forward<H> {
        match self {
            Self::BucketCors(operation) => operation.question(),
            Self::Deletion(deletion) => deletion.question(),
        }
    }

    /// Refuses a body that is longer than any can be: no more of it is read.
    #[must_use]
    pub fn body_too_long(self) -> Replying<H> {
        match self {
            Self::BucketCors(operation) => operation.body_too_long(),
            Self::Deletion(deletion) => deletion.body_too_long(),
        }
    }

    /// Counts and logs a failure, and makes the reply to it, if the client is still there.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Option<Replying<H>> {
        match self {
            Self::BucketCors(operation) => operation.fail(failure),
            Self::Deletion(deletion) => deletion.fail(failure),
        }
    }
}

//! An operation on a bucket's CORS, for all drivers: its request and its response are small, and each is here as a whole before the next
//! step. What the steps are is the exchange's.

mod ask;
mod head;
mod probe;

pub(crate) use probe::Probe;

use super::route::{Broken, Route};
use crate::config::Timeouts;
use crate::exchange::{
    AfterConfirmation, AfterUpstream, BucketCors, Context, Exchange, Failure, Peer, PlacedSignature, Reply,
    RequestHead, Response,
};

use crate::upstream::{Pool, Upstreams};
use ask::conversation;
use bytes::Bytes;
use std::sync::Arc;

/// What carries operations out.
#[derive(Clone, Copy)]
pub(super) struct Operations<'d> {
    pub(super) exchange: &'d Arc<Exchange>,
    pub(super) upstreams: &'d Upstreams,
    pub(super) pool: &'d Pool,
    pub(super) timeouts: Timeouts,
}

/// A request with its whole body.
pub(super) struct Whole<'r, H> {
    pub(super) head: &'r H,
    pub(super) body: Bytes,
    pub(super) peer: &'r Peer,
}

impl Operations<'_> {
    /// Carries an operation out, and returns the reply to it.
    pub(super) async fn serve<H: RequestHead>(
        &self,
        request: BucketCors,
        whole: Whole<'_, H>,
        ctx: &mut Context,
    ) -> Result<Reply, Broken> {
        let mut route = Route::new(self.upstreams, self.pool, whole.head.method());
        let response = self.ask(&mut route, &whole, None, ctx).await?;
        ctx.upstream_answered(response.status);
        let unconfirmed = match self.exchange.after_upstream(request, whole.head, &whole.body, response, ctx) {
            AfterUpstream::Reply(reply) => return Ok(*reply),
            AfterUpstream::Confirm(unconfirmed) => *unconfirmed,
        };
        route.pin();
        let response = self.ask(&mut route, &whole, Some(unconfirmed.signature()), ctx).await;
        if let Err(broken) = &response {
            let (_, error, _) = broken.parts();
            tracing::warn!(request_id = ctx.request_id(), error, "no response to a request with a broken signature");
        }
        let write = match self.exchange.after_confirmation(unconfirmed, response.as_ref().ok(), ctx) {
            AfterConfirmation::Reply(reply) => return Ok(*reply),
            AfterConfirmation::Write(write) => write,
        };
        let exchange = Arc::clone(self.exchange);
        let written = tokio::task::spawn_blocking(move || (exchange.write_bucket_cors(&write), write));
        let (written, write) = written.await.map_err(|_| Broken::Failed(Failure::Internal, "the write panicked"))?;
        Ok(self.exchange.after_write(&write, &written, ctx))
    }

    /// Sends the request to an upstream and reads the whole response. `broken` is a signature that is broken on the way.
    async fn ask<H: RequestHead>(
        &self,
        route: &mut Route<'_>,
        whole: &Whole<'_, H>,
        broken: Option<&PlacedSignature>,
        ctx: &mut Context,
    ) -> Result<Response, Broken> {
        loop {
            let mut upstream = route.connect(ctx).await?;
            let edits = self.exchange.request_edits(whole.head, whole.peer, ctx);
            let head = head::for_upstream(&edits, whole.head, route.authority(), &whole.body, broken);
            match conversation(&mut upstream, &head, &whole.body, &self.timeouts).await {
                Err(Broken::Stale) if route.may_be_stale() => route.mark_stale(),
                Err(broken) => return Err(broken),
                Ok((response, is_reusable)) => {
                    route.answered();
                    if is_reusable {
                        route.keep(upstream);
                    }
                    return Ok(response);
                }
            }
        }
    }
}

//! An operation on a bucket's CORS, for all drivers: its request and its response are small, and each is here as a whole before the next
//! step. What the steps are is the exchange's.

mod ask;
mod head;
mod probe;

pub(crate) use probe::Probe;

use super::route::{Broken, Route};
use crate::config::Timeouts;
use crate::exchange::{BucketCors, Context, Exchange, Failure, Next, Peer, Reply, RequestHead};
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
        let response = self.ask(&whole, None, ctx).await?;
        ctx.upstream_answered(response.status);
        let mut next = self.exchange.after_upstream(&request, whole.head, &whole.body, response, ctx);
        if let Next::Confirm(configuration) = next {
            let response = self.ask(&whole, Some(request.signature()), ctx).await?;
            next = self.exchange.after_forged(&request, configuration, &response, ctx);
        }
        let configuration = match next {
            Next::Reply(reply) => return Ok(*reply),
            Next::Confirm(configuration) | Next::Write(configuration) => configuration,
        };
        let exchange = Arc::clone(self.exchange);
        let write = move || {
            let written = exchange.write_bucket_cors(&request, configuration.as_ref());
            (request, written)
        };
        let (request, written) = tokio::task::spawn_blocking(write)
            .await
            .map_err(|_| Broken::Failed(Failure::Internal, "the write panicked"))?;
        Ok(self.exchange.after_write(&request, &written, ctx))
    }

    /// Sends the request to an upstream and reads the whole response. `forged` is a signature that is broken on the way.
    async fn ask<H: RequestHead>(
        &self,
        whole: &Whole<'_, H>,
        forged: Option<&str>,
        ctx: &mut Context,
    ) -> Result<crate::exchange::Response, Broken> {
        let mut route = Route::new(self.upstreams, self.pool, whole.head.method());
        loop {
            let mut upstream = route.connect(ctx).await?;
            let edits = self.exchange.request_edits(whole.head, whole.peer, ctx);
            let head = head::for_upstream(&edits, whole.head, route.authority(), &whole.body, forged);
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

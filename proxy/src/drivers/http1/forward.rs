//! A request on its way: which address it is tried at, and what becomes of it where no upstream responds.

use super::conversation::Conversation;
use super::heads;
use super::{BodyLength, Client, Http1Driver, Progress};
use crate::drivers::route::{Broken, Outcome, Route};
use crate::exchange::Context;
use s3cors_http1::request_head::RequestHead;

impl Http1Driver {
    /// Forwards a request, and replies itself where no upstream's response comes.
    pub(super) async fn forward(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) {
        let Err(broken) = self.attempt(client, head, rest, ctx, progress).await else { return };
        progress.keeps = false;
        let (failure, error, is_begun) = broken.parts();
        progress.is_cut = is_begun;
        let reply = self.exchange.fail(failure, error, head, ctx);
        if !is_begun && failure.status().is_some() {
            progress.is_unread |= head.body() != BodyLength::None;
            self.reply(client, head, &reply, ctx, progress).await;
        }
    }

    /// Asks an upstream, and once more where the exchange wants that.
    async fn attempt(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) -> Result<(), Broken> {
        let first = self.ask(client, head, rest, None, ctx, progress).await?;
        if let Some(rejection) = first.rejection {
            Box::pin(self.ask(client, head, rest, Some(&rejection), ctx, progress)).await?;
        }
        Ok(())
    }

    /// Tries one address after the other, and a kept connection that turned out closed once more. `rejection` is the head that the
    /// request was rejected with, if it is asked again.
    async fn ask(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        rejection: Option<&[u8]>,
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) -> Result<Outcome, Broken> {
        let mut route = Route::new(&self.upstreams, &self.pool, head.method());
        loop {
            let mut upstream = route.connect(ctx).await?;
            let edits = self.exchange.request_edits(head, &client.peer, ctx);
            let request = heads::for_upstream(&edits, head, route.authority());
            let mut conversation = Conversation {
                driver: self,
                client: &mut client.stream,
                upstream: &mut upstream,
                timer: &mut client.timer,
                route: &route,
                head,
                rejection,
            };
            match conversation.run(request, rest, ctx, progress).await {
                Err(Broken::Stale) if route.may_be_stale() => route.mark_stale(),
                Err(broken) => return Err(broken),
                Ok(outcome) => {
                    if outcome.is_reusable {
                        route.keep(upstream);
                    }
                    return Ok(outcome);
                }
            }
        }
    }
}

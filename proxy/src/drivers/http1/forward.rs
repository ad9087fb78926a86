//! A request on its way: which address it is tried at, and what becomes of it where no upstream responds.

use super::conversation::Conversation;
use super::heads;
use super::request_head::RequestHead;
use super::{BodyLength, Client, Http1Driver, Progress};
use crate::drivers::pingora::failure::connect_failure_of;
use crate::exchange::{Context, Failure};
use crate::upstream::Attempts;

/// Why an exchange with an upstream did not come to its end.
pub(super) enum Broken {
    /// A kept connection was closed before any byte came back, and the request can be sent again.
    Stale,
    /// No response was begun.
    Failed(Failure, &'static str),
    /// A response was begun: only a close can tell the client.
    Cut(Failure, &'static str),
}

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
        let (failure, error, is_begun) = match broken {
            Broken::Stale => (Failure::UpstreamClosed, "ConnectionClosed", false),
            Broken::Failed(failure, error) => (failure, error, false),
            Broken::Cut(failure, error) => (failure, error, true),
        };
        progress.is_cut = is_begun;
        let reply = self.exchange.fail(failure, error, head, ctx);
        if !is_begun && failure.status().is_some() {
            progress.is_unread |= head.body() != BodyLength::None;
            self.reply(client, head, &reply, ctx, progress).await;
        }
    }

    /// Tries one address after the other, and a kept connection that turned out closed once more.
    async fn attempt(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) -> Result<(), Broken> {
        let mut attempts = Attempts::default();
        let mut may_resend = Attempts::may_resend(head.method());
        let mut kept_is_tried = false;
        loop {
            let Some(peer) = attempts.next(&self.upstreams) else {
                return Err(Broken::Failed(Failure::Unresolved, "Unresolved"));
            };
            ctx.sent_upstream();
            let kept = if kept_is_tried { None } else { self.pool.take(peer) };
            let is_kept = kept.is_some();
            let connected = match kept {
                Some(upstream) => Ok(upstream),
                None => Box::pin(self.pool.connect(peer)).await,
            };
            let authority = peer.authority();
            let mut upstream = match connected {
                Ok(upstream) => upstream,
                Err(error) => {
                    if attempts.unreachable(&self.upstreams) {
                        continue;
                    }
                    return Err(Broken::Failed(connect_failure_of(&error), "connect"));
                }
            };
            let request = heads::for_upstream(&self.exchange, head, authority);
            let mut conversation = Conversation {
                driver: self,
                client: &mut client.stream,
                upstream: &mut upstream,
                timer: &mut client.timer,
                attempts: &attempts,
                head,
                may_be_stale: is_kept && may_resend,
            };
            match conversation.run(request, rest, ctx, progress).await {
                Err(Broken::Stale) if is_kept && may_resend => {
                    (may_resend, kept_is_tried) = (false, true);
                }
                Err(broken) => return Err(broken),
                Ok(is_reusable) => {
                    if is_reusable && let Some(peer) = attempts.peer() {
                        self.pool.keep(peer, upstream);
                    }
                    return Ok(());
                }
            }
        }
    }
}

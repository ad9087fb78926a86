//! A rejected HEAD that is asked again as GET, and the response to that, sent as one to HEAD.
//!
//! Which connection can be used again then is decided as for HTTP/1.1.

use super::conversation::{Conversation, invalid_response};
use super::response;
use crate::drivers::http1::by_get::{is_whole_body, parsed};
use crate::drivers::route::{Broken, Outcome};
use crate::exchange::{AsHead, Context, Failure};
use bytes::Bytes;
use http::StatusCode;
use s3cors_http1::body_length::BodyLength;
use s3cors_http1::response_head::ResponseHead;

impl Conversation<'_> {
    /// Whether the exchange wants this request to be asked again as GET.
    pub(super) fn is_asked_again(&self, status: StatusCode, ctx: &mut Context) -> bool {
        let has_body = !matches!(self.asked.length, BodyLength::None | BodyLength::Length(0));
        self.driver.exchange.asks_by_get(status, self.asked.head, has_body, ctx)
    }

    /// Sends the response to GET to a client that asked HEAD; `rejection` is the upstream's to HEAD, `bytes` begin with `head`.
    pub(super) fn relay_as_head(
        &mut self,
        rejection: &Bytes,
        status: StatusCode,
        head: &ResponseHead<'_>,
        bytes: &Bytes,
        ctx: &mut Context,
    ) -> Result<Outcome, Broken> {
        let exchange = &self.driver.exchange;
        let lines = head.lines().map(|line| (line.name, line.value));
        let (shown, shown_bytes, whole) = match exchange.as_head(status, lines, ctx) {
            AsHead::AsItCame => (*head, bytes, None),
            AsHead::Whole(whole) => (*head, bytes, Some(whole)),
            AsHead::Rejected => (parsed(rejection).ok_or(invalid_response())?, rejection, None),
        };
        exchange.examine_head(shown.lines().map(|line| (line.name, line.value)), self.asked.head, ctx);
        let response = response::for_client(exchange, &shown, shown_bytes, whole, ctx);
        let sent = self.answer.send_head(response.ok_or(invalid_response())?, true);
        sent.map_err(|_| Broken::Failed(Failure::ClientGone, "WriteError"))?;
        let first = bytes.get(head.bytes().len()..).unwrap_or_default();
        Ok(Outcome::relayed(head.keep_alive() && is_whole_body(head.body(false), first)))
    }
}

//! A rejected HEAD that is asked again as GET, and the response to that, sent as one to HEAD.
//!
//! Decides: which connection to an upstream can be used again although nothing of the GET's body is wanted. A body that did not come
//! with its head is never waited for, since an upstream may ignore the range: its connection is closed.

use super::conversation::Conversation;
use super::heads::{self, Ending, Framing};
use super::transfer::{Sink, Source, Transfer};
use super::{Progress, wire};
use crate::drivers::route::{Broken, Outcome};
use crate::exchange::{AsHead, Context, Failure, Whole};
use bytes::BytesMut;
use http::StatusCode;
use s3cors_http1::body_length::{BodyLength, ResponseBody};
use s3cors_http1::chunked::Decoder;
use s3cors_http1::response_head::{self, Parsed, ResponseHead};

impl Conversation<'_> {
    /// The final response's head is here. Returns its status.
    pub(super) fn answered(&self, head: &ResponseHead<'_>, ctx: &mut Context) -> Result<StatusCode, Broken> {
        let status = StatusCode::from_u16(head.status()).map_err(|_| invalid_response())?;
        ctx.upstream_answered(status);
        self.route.answered();
        Ok(status)
    }

    /// Whether the exchange wants this request to be asked again as GET.
    pub(super) fn is_asked_again(&self, status: StatusCode, ctx: &mut Context) -> bool {
        let has_body = !matches!(self.head.body(), BodyLength::None | BodyLength::Length(0));
        self.driver.exchange.asks_by_get(status, self.head, has_body, ctx)
    }

    /// Sends the response to GET to a client that asked HEAD; `rejection` is the upstream's to HEAD, `first` what came of the body.
    pub(super) async fn relay_as_head(
        &mut self,
        rejection: &[u8],
        head: &ResponseHead<'_>,
        first: &[u8],
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) -> Result<Outcome, Broken> {
        let status = StatusCode::from_u16(head.status()).map_err(|_| invalid_response())?;
        let lines = head.lines().map(|line| (line.name, line.value));
        let exchange = &self.driver.exchange;
        let (shown, whole) = match exchange.as_head(status, lines, ctx) {
            AsHead::AsItCame => (*head, None),
            AsHead::Whole(whole) => (*head, Some(whole)),
            AsHead::Rejected => (parsed(rejection).ok_or(invalid_response())?, None),
        };
        exchange.examine_head(shown.lines().map(|line| (line.name, line.value)), self.head, ctx);
        let shown_status = whole.map_or(shown.status(), |_| Whole::STATUS.as_u16());
        let ending = Ending { keeps: progress.keeps(), framing: Framing::of_bodiless(shown_status, self.head) };
        let out = heads::for_client(exchange, &shown, whole, ctx, ending);
        let written = wire::write(self.client, &[&out], self.timer, self.driver.limits.body_write).await;
        written.map_err(|_| Broken::Failed(Failure::ClientGone, "WriteError"))?;
        progress.status = shown_status;
        Ok(Outcome::relayed(head.keep_alive() && is_whole_body(head.body(false), first)))
    }
}

/// The head of a response that was read before.
pub(in crate::drivers) fn parsed(bytes: &[u8]) -> Option<ResponseHead<'_>> {
    match response_head::parse(bytes) {
        Parsed::Head(head) => Some(head),
        Parsed::Incomplete | Parsed::Invalid(_) => None,
    }
}

const fn invalid_response() -> Broken {
    Broken::Failed(Failure::InvalidResponse, "InvalidHTTPHeader")
}

/// Whether the bytes that came with a head are its body, no less and no more.
pub(in crate::drivers) fn is_whole_body(body: ResponseBody, first: &[u8]) -> bool {
    let source = match body {
        ResponseBody::Absent => Source::Ended,
        ResponseBody::Length(length) => Source::Length(length),
        ResponseBody::Chunked => Source::Chunked(Decoder::default()),
        ResponseBody::UntilClose => return false,
    };
    let mut transfer = Transfer::new(source, Sink::Plain);
    let begun = transfer.begin(first, &mut BytesMut::new()).map(|(_, consumed)| consumed);
    transfer.has_ended() && begun.is_ok_and(|consumed| consumed == first.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_kept_only_behind_the_whole_body() {
        use ResponseBody::{Absent, Chunked, Length, UntilClose};
        for (body, first, is_whole) in [
            (Absent, "", true),
            (Absent, "x", false),
            (Length(0), "", true),
            (Length(1), "x", true),
            (Length(1), "", false),
            (Length(1), "xy", false),
            (Length(9), "x", false),
            (Chunked, "1\r\nx\r\n0\r\n\r\n", true),
            (Chunked, "1\r\nx\r\n", false),
            (Chunked, "1\r\nx\r\n0\r\n\r\ny", false),
            (Chunked, "x", false),
            (UntilClose, "x", false),
            (UntilClose, "", false),
        ] {
            assert_eq!(is_whole_body(body, first.as_bytes()), is_whole, "{body:?} {first:?}");
        }
    }
}

//! A rejected HEAD that is asked again as GET, and the response to that, sent as one to HEAD.
//!
//! Pingora asks again after an error that says so; it then gives up the connection to the upstream.

use super::head::{Head, edit_response};
use super::{Driven, PingoraDriver};
use crate::exchange::{AsHead, Whole};
use http::header::CONTENT_LENGTH;
use pingora::http::ResponseHeader;
use pingora::prelude::*;
use pingora::proxy::FailToProxy;

/// The request is to be asked again as GET.
pub(super) const ASKED_AGAIN: ErrorType = ErrorType::new("AskedAgain");
/// The client has its whole response before the upstream's has ended.
const ANSWERED: ErrorType = ErrorType::new("Answered");

impl PingoraDriver {
    /// The head of the final response is here. An error asks again; `true` is for the response to GET, whose body Pingora does not send
    /// to a client of HTTP/1.1 that asked HEAD.
    pub(super) fn show_as_head(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        driven: &mut Driven,
    ) -> Result<bool> {
        let has_body = !session.is_body_empty();
        if self.exchange.asks_by_get(head.status, &Head(session.req_header()), has_body, &mut driven.exchange) {
            driven.rejection = Some(Box::new(head.clone()));
            let mut error = Error::new_up(ASKED_AGAIN);
            error.set_retry(true);
            return Err(error);
        }
        if driven.rejection.is_none() {
            return Ok(false);
        }
        let lines = head.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        match self.exchange.as_head(head.status, lines, &mut driven.exchange) {
            AsHead::AsItCame => {}
            AsHead::Whole(whole) => show_whole(head, whole)?,
            AsHead::Rejected => {
                if let Some(rejection) = driven.rejection.take() {
                    *head = *rejection;
                }
            }
        }
        Ok(true)
    }

    /// Over HTTP/2 the response ends here: Pingora would end the stream with the body of the GET, however long that is.
    pub(super) async fn end_as_head(&self, session: &mut Session, head: &ResponseHeader) -> Result<()> {
        let client = session.as_downstream_mut();
        if !client.is_http2() {
            return Ok(());
        }
        client.write_response_header(Box::new(head.clone())).await?;
        client.finish_body().await?;
        Error::e_explain(ANSWERED, "the rest of the response is not wanted")
    }

    /// What an error of this module comes to; `None` for every other one.
    pub(super) async fn end_by_get(
        &self,
        session: &mut Session,
        error: &Error,
        driven: &mut Driven,
    ) -> Option<FailToProxy> {
        let is_answered = *error.etype() == ANSWERED;
        if !is_answered && *error.etype() != ASKED_AGAIN {
            return None;
        }
        let rejection = driven.rejection.take().filter(|_| !is_answered);
        let status = rejection.as_ref().map_or(0, |head| head.status.as_u16());
        if let Some(head) = rejection
            && let Err(error) = self.send_rejection(session, head, driven).await
        {
            tracing::debug!(%error, "the client had gone before it could be told");
        }
        Some(FailToProxy { error_code: status, can_reuse_downstream: false })
    }

    /// The client gets the rejection of HEAD where no further attempt is left.
    async fn send_rejection(
        &self,
        session: &mut Session,
        mut head: Box<ResponseHeader>,
        driven: &Driven,
    ) -> Result<()> {
        edit_response(&self.exchange, &mut head, &driven.exchange);
        session.set_keepalive(None);
        let client = session.as_downstream_mut();
        client.write_response_header(head).await?;
        client.finish_body().await
    }
}

fn show_whole(head: &mut ResponseHeader, whole: Whole) -> Result<()> {
    while let Some(name) = head.headers.keys().find(|name| whole.replaces(name.as_str().as_bytes())).cloned() {
        head.remove_header(&name);
    }
    head.set_status(Whole::STATUS)?;
    head.set_reason_phrase(None)?;
    head.insert_header(CONTENT_LENGTH, whole.length())
}

//! What a client is told whose request is refused before there is one: on the bare connection, for no session knows of it.

use super::Gateway;
use super::head::NoHead;
use crate::s3::error::ErrorDocument;
use crate::s3::identity::{HostId, RequestId};
use crate::telemetry::{Metrics, Served};
use http::StatusCode;
use pingora::protocols::Stream;
use pingora::protocols::http::date::get_cached_date;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// How long a client that was too slow already may take for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Refuses.
pub(super) struct Refusal {
    pub(super) metrics: Arc<Metrics>,
    host_id: HostId,
}

impl Refusal {
    pub(super) fn new(gateway: &Gateway) -> Self {
        Self { metrics: Arc::clone(&gateway.metrics), host_id: gateway.host_id.clone() }
    }

    /// Says why there will be no answer, if there is anything to say.
    pub(super) async fn say(&self, stream: &mut Stream, reason: NoHead) {
        let (status, code, message) = match reason {
            NoHead::Closed => return,
            NoHead::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the timeout period.",
            ),
            // RFC 6585 §5; the code is S3's own.
            NoHead::TooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "RequestHeaderSectionTooLarge",
                "Your request header and query parameters used to make the request exceed the maximum allowed size.",
            ),
        };
        self.send(stream, status, code, message).await;
    }

    /// Says that there are too many connections.
    pub(super) async fn say_full(&self, stream: &mut Stream) {
        self.send(stream, StatusCode::SERVICE_UNAVAILABLE, "SlowDown", "Please reduce your request rate.").await;
    }

    async fn send(&self, stream: &mut Stream, status: StatusCode, code: &str, message: &str) {
        let id = RequestId::random();
        let (request_id, host_id) = (id.as_str(), self.host_id.as_str());
        let body = ErrorDocument { code, message, refused: None, request_id, host_id }.to_xml();
        let served = Served {
            method: "",
            code: status.as_u16(),
            duration: Duration::ZERO,
            request_bytes: 0,
            response_bytes: body.len(),
            upstream: None,
        };
        self.metrics.http.served(&served);
        tracing::debug!(request_id, code, "refused before there was a request");
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Type: {}\r\nServer: s3cors\r\nDate: {}\r\n\
             Connection: close\r\nx-amz-request-id: {request_id}\r\nx-amz-id-2: {host_id}\r\n\r\n{body}",
            body.len(),
            ErrorDocument::CONTENT_TYPE,
            get_cached_date().to_str().unwrap_or_default(),
        );
        // Whoever does not take it has its connection closed all the same.
        let _ = tokio::time::timeout(PATIENCE, async {
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
            stream.shutdown().await
        })
        .await;
    }
}

//! What comes on a connection before its first request: the PROXY protocol, then the handshake of TLS.
//!
//! Decides: with which listener's certificate, and how long each may take. Pingora's listener would do it, but builds its settings
//! itself: without tickets, and with one certificate for as long as it lives.

use super::accepted::Accepted;
use super::opened::{Accepts, Opened};
use super::protocols::ListenerProtocols;
use super::proxy_protocol;
use super::refusal::{refuse_operator, refuse_request};
use crate::drivers::http1::{Client, poll_read};
use crate::exchange::{Failure, Policy};
use pingora::listeners::tls::Acceptor;
use pingora::protocols::{Stream, l4};
use pingora::server::ShutdownWatch;
use pingora::{Error, ErrorType, OrErr, Result};
use std::fmt::Display;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

/// How much is read of a request that came without TLS, in bytes: its head, unless that is a long one.
const PLAIN_HEAD: usize = 16 * 1024;

/// Serves what clients of TLS send, and those of listeners without it.
pub struct Secured<A> {
    app: Arc<A>,
    protocols: ListenerProtocols,
    /// Replies to S3 clients that do not speak TLS where they should; `None` for operators, whose requests are no exchanges.
    policy: Option<Arc<Policy>>,
    /// For all that comes before the first request, from accept on.
    limit: Duration,
}

impl<A: Accepts> Secured<A> {
    /// The app behind a listener, on connections that a handshake made safe where the listener asks for one.
    pub(super) fn new(app: &Arc<A>, protocols: ListenerProtocols, policy: &Arc<Policy>, limit: Duration) -> Self {
        Self { app: Arc::clone(app), protocols, policy: Some(Arc::clone(policy)), limit }
    }

    /// The same for operators.
    pub(super) fn for_operators(app: A, protocols: ListenerProtocols, limit: Duration) -> Self {
        Self { app: Arc::new(app), protocols, policy: None, limit }
    }

    /// Counts a connection before anything is read of it. `None` closes it.
    pub(super) fn enter(&self) -> Option<Opened> {
        self.app.enter()
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(self: Arc<Self>, accepted: Accepted, mut opened: Opened, shutdown: ShutdownWatch) {
        let deadline = opened.deadline(self.limit);
        let secured = tokio::select! {
            biased;
            // In memory of its own, which a connection does not keep.
            stream = Box::pin(self.secure(accepted, deadline)) => stream,
            () = opened.place.called() => None,
        };
        if let Some(stream) = secured {
            Arc::clone(&self.app).serve(stream, opened, shutdown).await;
        }
    }

    /// Tells the app that nothing is accepted any more.
    pub(super) async fn cleanup(&self) {
        self.app.cleanup().await;
    }

    /// The connection as its listener speaks; `None` when it is done.
    async fn secure(&self, accepted: Accepted, deadline: Instant) -> Option<Stream> {
        // It is broken already: nothing that an operator can act on.
        let stream =
            accepted.into_stream().inspect_err(|error| tracing::debug!(%error, "a connection cannot be served"));
        let mut plain = Box::new(stream.ok()?);
        if self.protocols.is_proxied {
            until(deadline, "PROXY protocol", proxy_protocol::read(&mut plain)).await?;
        }
        let Some((certificate, speaks_http2)) = &self.protocols.tls else { return Some(plain) };
        let acceptor = Acceptor::from_server_config(certificate.server_config(*speaks_http2));
        let handshake = async { acceptor.tls_handshake(*self.without_plain_http(plain).await?).await };
        let secured = until(deadline, "TLS", Box::pin(handshake)).await?;
        Some(Box::new(secured))
    }

    /// The connection, with nothing read of it, unless it begins as plain HTTP does: its client could not read an alert of TLS, and
    /// is told in its own protocol what is wrong, as other servers do.
    async fn without_plain_http(&self, mut stream: Box<l4::stream::Stream>) -> Result<Box<l4::stream::Stream>> {
        let mut first = [0];
        stream.read_exact(&mut first).await.or_err(ErrorType::ReadError, "before its first byte")?;
        // A record of TLS begins with its type, which is no letter (RFC 8446 §5.1).
        if !matches!(first, [b'\r' | b'\n' | b'A'..=b'Z' | b'a'..=b'z']) {
            stream.rewind(&first);
            return Ok(stream);
        }
        let mut stream: Stream = stream;
        let mut head = first.to_vec();
        // What came with it; no more is waited for.
        let _ = poll_fn(|context| {
            let more = |bytes: &[u8], _: &mut Context<'_>| head.extend_from_slice(bytes);
            Poll::Ready(poll_read(&mut stream, context, PLAIN_HEAD, more))
        })
        .await;
        match &self.policy {
            Some(policy) => {
                refuse_request(&mut Client::new(stream, policy), policy, Failure::NotTls, &head).await;
            }
            None => refuse_operator(&mut stream).await,
        }
        Error::e_explain(ErrorType::TLSHandshakeFailure, "plain HTTP came instead")
    }
}

/// A handshake that ended in time and well.
async fn until<T, E: Display>(
    deadline: Instant,
    protocol: &str,
    handshake: impl Future<Output = Result<T, E>>,
) -> Option<T> {
    match tokio::time::timeout_at(deadline, handshake).await {
        Ok(Ok(done)) => return Some(done),
        // A load balancer that probes the port, or a client that knows other versions: nothing that an operator can act on.
        Ok(Err(error)) => tracing::debug!(protocol, %error, "handshake failed"),
        Err(_) => tracing::debug!(protocol, "handshake not finished in time"),
    }
    None
}

//! HTTP for the questions to an S3 server and to the places where credentials come from.

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use reqsign_core::HttpSend;
use rustls::ClientConfig;
use std::error::Error;
use std::time::Duration;

const LONGEST_CONNECT: Duration = Duration::from_secs(2);
const LONGEST_ATTEMPT: Duration = Duration::from_secs(4);
/// The longest body that is read, in bytes. A list of a thousand keys, each as long as it may be, has two million.
const MOST: usize = 16 << 20;

/// A client of HTTP/1.1, with TLS where the URL says so. It keeps connections.
#[derive(Clone, Debug)]
pub struct Https(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// The reason why there is no response. None holds what was sent, which has secrets.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server was not reached, or it ended the connection.
    #[error("{}", causes(.0))]
    Failed(#[from] legacy::Error),
    /// The body ended early.
    #[error("{}", causes(.0))]
    Body(#[from] hyper::Error),
    /// Nothing came in time.
    #[error("no response within {} s", LONGEST_ATTEMPT.as_secs())]
    TimedOut,
}

impl Https {
    /// A client with these settings of TLS.
    #[must_use]
    pub fn new(mut tls: ClientConfig) -> Self {
        // The connector sets its own.
        tls.alpn_protocols.clear();
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(LONGEST_CONNECT));
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        Self(Client::builder(TokioExecutor::new()).build(connector.wrap_connector(tcp)))
    }

    /// Sends a request, and reads so many bytes of the response's body and no more than a piece beyond.
    ///
    /// # Errors
    /// [`SendError`] when no response comes, or not all of it.
    pub async fn send(&self, request: Request<Bytes>, most: usize) -> Result<Response<Bytes>, SendError> {
        let sent = async {
            let (head, body) = self.0.request(request.map(Full::new)).await?.into_parts();
            Ok(Response::from_parts(head, read(body, most).await?))
        };
        tokio::time::timeout(LONGEST_ATTEMPT, sent).await.unwrap_or(Err(SendError::TimedOut))
    }

    /// Sends a request whose response is a list or an error, which has a length that servers keep to.
    ///
    /// # Errors
    /// [`SendError`] when no response comes, or not all of it.
    pub async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, SendError> {
        self.send(request, MOST).await
    }
}

async fn read(mut body: Incoming, most: usize) -> Result<Bytes, hyper::Error> {
    let mut bytes = BytesMut::new();
    while bytes.len() <= most
        && let Some(frame) = body.frame().await
    {
        if let Ok(piece) = frame?.into_data() {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes.freeze())
}

impl HttpSend for Https {
    async fn http_send(&self, request: Request<Bytes>) -> reqsign_core::Result<Response<Bytes>> {
        let sent = self.ask(request).await;
        sent.map_err(|error| reqsign_core::Error::unexpected(error.to_string()).set_retryable(true))
    }
}

/// An error with its causes, each said once.
fn causes(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    let mut causes: Vec<_> = chain.map(ToString::to_string).collect();
    causes.dedup();
    causes.join(": ")
}

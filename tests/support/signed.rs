//! A client that signs as S3 wants it in every way there is, over every protocol, and sends its targets as they are written.

use super::bytes;
use super::proxied::Protocol;
use super::store::{ACCESS_KEY, Asked, REGION, SECRET_KEY};
use super::tls::Authority;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningParams,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where the signature is, and what it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// In `Authorization`, the digest of the whole body covered.
    Headers,
    /// In `Authorization`, the body not covered: its digest need not be known before.
    HeadersOnly,
    /// In the query.
    Presigned,
    /// In `Authorization`, and one for each chunk of the body (`STREAMING-AWS4-HMAC-SHA256-PAYLOAD`).
    Streaming,
}

/// The content of an object: a block over and over, so that none of any size has to be in memory.
#[derive(Clone)]
pub struct Content {
    block: Bytes,
    length: usize,
}

/// Of a length that fits into no buffer.
const BLOCK: usize = 1024 * 1024 + 7;
/// What is signed at a time when a body is signed in chunks.
const CHUNK: usize = 64 * 1024;

impl Content {
    pub fn of_length(length: usize) -> Self {
        Self { block: bytes(BLOCK.min(length)).into(), length }
    }

    pub fn text(text: &str) -> Self {
        Self { block: Bytes::copy_from_slice(text.as_bytes()), length: text.len() }
    }

    pub const fn len(&self) -> usize {
        self.length
    }

    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        self.pieces().for_each(|piece| hash.update(piece));
        hex(&hash.finalize())
    }

    fn pieces(&self) -> impl Iterator<Item = Bytes> {
        let starts = (0..self.length).step_by(self.block.len().max(1));
        starts.map(|start| self.block.slice(..self.block.len().min(self.length - start)))
    }

    fn whole(&self) -> Vec<u8> {
        self.pieces().collect::<Vec<_>>().concat()
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.block.slice(..self.block.len().min(self.length));
        self.length -= piece.len();
        Poll::Ready((!piece.is_empty()).then_some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.length == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length as u64)
    }
}

enum Sender {
    Http1(http1::SendRequest<Content>),
    Http2(http2::SendRequest<Content>),
}

/// One connection at a time.
pub struct Client {
    protocol: Protocol,
    address: SocketAddr,
    tls: TlsConnector,
    sender: Sender,
    /// A server may close behind a refusal, with or without a word.
    was_refused: bool,
    asked: Vec<Asked>,
}

impl Client {
    pub async fn connect(protocol: Protocol, address: SocketAddr, authority: &Authority) -> Self {
        let mut config = authority.client(rustls::ALL_VERSIONS);
        config.alpn_protocols = vec![if protocol.is_http2() { b"h2".into() } else { b"http/1.1".into() }];
        let tls = TlsConnector::from(Arc::new(config));
        let sender = Sender::open(protocol, address, &tls).await;
        Self { protocol, address, tls, sender, was_refused: false, asked: Vec::new() }
    }

    /// Everything that was asked for until now.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    pub async fn send(&mut self, method: &str, target: &str, signing: Signing, content: Content) -> Response<Incoming> {
        if self.was_refused {
            self.sender = Sender::open(self.protocol, self.address, &self.tls).await;
        }
        let host = self.address.to_string();
        let mut request = signed(method, &host, target, signing, content);
        request.headers_mut().insert("origin", "https://app.example".parse().unwrap());
        let target = request.uri().path_and_query().unwrap().clone();
        self.asked.push(Asked { line: format!("{method} {target}"), host: host.clone() });
        if !self.protocol.is_http2() {
            request.headers_mut().insert("host", host.parse().unwrap());
            *request.uri_mut() = Uri::from(target);
        }
        let answer = match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
            Sender::Http2(sender) => {
                sender.ready().await.unwrap();
                sender.send_request(request).await.unwrap()
            }
        };
        self.was_refused = !answer.status().is_success();
        answer
    }
}

impl Sender {
    async fn open(protocol: Protocol, address: SocketAddr, tls: &TlsConnector) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        if !protocol.is_tls() {
            return Self::over(stream, protocol).await;
        }
        let stream = tls.connect(address.ip().into(), stream).await.unwrap();
        let agreed = stream.get_ref().1.alpn_protocol();
        assert_eq!(agreed == Some(b"h2"), protocol.is_http2(), "{protocol:?}: {agreed:?}");
        Self::over(stream, protocol).await
    }

    async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, protocol: Protocol) -> Self {
        let stream = TokioIo::new(stream);
        if protocol.is_http2() {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            Self::Http2(sender)
        } else {
            let (sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            Self::Http1(sender)
        }
    }
}

/// The digest of an answer's body, and its length.
pub async fn digest(answer: Response<Incoming>) -> (String, usize) {
    let (mut hash, mut length, mut body) = (Sha256::new(), 0, answer.into_body());
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        length += data.len();
        hash.update(data);
    }
    (hex(&hash.finalize()), length)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What S3 signs: the path written anew, however it was spelled.
const CANONICAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

fn canonical(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    percent_encode(&decoded, CANONICAL).to_string() + query
}

fn signed(method: &str, host: &str, target: &str, signing: Signing, content: Content) -> Request<Content> {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let mut headers = Vec::new();
    let bytes = if signing == Signing::Headers { content.whole() } else { Vec::new() };
    let decoded_length = content.len().to_string();
    let signable = match signing {
        Signing::Headers => SignableBody::Bytes(&bytes),
        Signing::HeadersOnly | Signing::Presigned => SignableBody::UnsignedPayload,
        Signing::Streaming => {
            headers.extend([
                ("content-encoding", "aws-chunked"),
                ("x-amz-decoded-content-length", decoded_length.as_str()),
            ]);
            SignableBody::Precomputed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD".into())
        }
    };
    if signing == Signing::Presigned {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(60));
    } else {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "test").into();
    let parameters = v4::SigningParams::builder().identity(&identity).region(REGION).name("s3");
    let parameters = parameters.time(SystemTime::now()).settings(settings).build().unwrap().into();
    let url = format!("http://{host}{}", canonical(target));
    let signable = SignableRequest::new(method, url, headers.iter().copied(), signable).unwrap();
    let (instructions, signature) = sign(signable, &parameters).unwrap().into_parts();
    let mut request = Request::builder().method(method).uri(format!("http://{host}{target}"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let content = match &parameters {
        SigningParams::V4(parameters) if signing == Signing::Streaming => in_chunks(&content, signature, parameters),
        _ => content,
    };
    let mut request = request.body(content).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    request
}

/// The content as S3's own chunks, each with a signature that covers it and the one before.
fn in_chunks(content: &Content, mut signature: String, parameters: &v4::SigningParams<'_, SigningSettings>) -> Content {
    let bytes = content.whole();
    let mut body = Vec::new();
    for chunk in bytes.chunks(CHUNK).chain([&[][..]]) {
        signature = v4::sign_chunk(&Bytes::copy_from_slice(chunk), &signature, parameters).unwrap().into_parts().1;
        body.extend_from_slice(format!("{:x};chunk-signature={signature}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(b"\r\n");
    }
    Content { length: body.len(), block: body.into() }
}

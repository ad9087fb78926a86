//! Requests for the CORS of a bucket, signed as a test wants them: with which key, when, over which body, and sent as it likes.

use super::http::{Connection, Response};
use super::signed::hex;
use super::store::{ACCESS_KEY, REGION, SECRET_KEY};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use base64::Engine;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

/// What is signed, and with what.
#[derive(Clone)]
pub struct CorsWriter<'w> {
    pub method: &'w str,
    pub host: String,
    pub target: &'w str,
    pub body: String,
    pub key: &'w str,
    pub secret: &'w str,
    pub at: SystemTime,
    /// In place of the digest of the body.
    pub payload: Option<&'w str>,
    pub is_presigned: bool,
    /// Signed lines beside the usual ones.
    pub lines: Vec<(String, String)>,
}

/// A request that is ready to be sent.
#[derive(Clone)]
pub struct SignedRequest {
    pub method: String,
    pub target: String,
    pub lines: Vec<(String, String)>,
    pub body: String,
}

impl<'w> CorsWriter<'w> {
    /// PutBucketCors of this document.
    pub fn put(address: SocketAddr, target: &'w str, document: &str) -> Self {
        Self { method: "PUT", ..Self::new(address, target, document) }
    }

    pub fn new(address: SocketAddr, target: &'w str, document: &str) -> Self {
        let checksum = (!document.is_empty()).then(|| ("x-amz-checksum-sha256".to_owned(), base64(&sha256(document))));
        Self {
            method: "GET",
            host: address.to_string(),
            target,
            body: document.to_owned(),
            key: ACCESS_KEY,
            secret: SECRET_KEY,
            at: SystemTime::now(),
            payload: None,
            is_presigned: false,
            lines: checksum.into_iter().collect(),
        }
    }

    pub fn sign(&self) -> SignedRequest {
        let mut settings = SigningSettings::default();
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        if self.is_presigned {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(60));
        } else {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let identity = Credentials::new(self.key, self.secret, None, None, "test").into();
        let parameters = v4::SigningParams::builder().identity(&identity).region(REGION).name("s3");
        let parameters = parameters.time(self.at).settings(settings).build().unwrap().into();
        let url = format!("http://{}{}", self.host, self.target);
        let digest = hex(&sha256(&self.body));
        let payload = match self.payload {
            _ if self.is_presigned => SignableBody::UnsignedPayload,
            Some("UNSIGNED-PAYLOAD") => SignableBody::UnsignedPayload,
            payload => SignableBody::Precomputed(payload.unwrap_or(&digest).to_owned()),
        };
        let signed = self.lines.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(self.method, url, signed, payload).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let (headers, parameters) = instructions.into_parts();
        let headers = headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned()));
        let lines = [("host".to_owned(), self.host.clone())].into_iter().chain(self.lines.clone()).chain(headers);
        let parameters = parameters.iter().map(|(name, value)| format!("&{name}={}", escaped(value)));
        SignedRequest {
            method: self.method.to_owned(),
            target: format!("{}{}", self.target, parameters.collect::<String>()),
            lines: lines.collect(),
            body: self.body.clone(),
        }
    }

    /// Signs and sends on a connection of its own.
    pub fn send(&self, address: SocketAddr) -> Response {
        self.sign().send(address)
    }
}

impl SignedRequest {
    /// The same with a line for this hop alone, which few clients send.
    pub fn with_te_if(mut self, has_te: bool) -> Self {
        self.lines.extend(has_te.then(|| ("te".to_owned(), "trailers".to_owned())));
        self
    }

    /// The request as bytes, with the length of its body.
    pub fn text(&self) -> String {
        let length = format!("content-length: {}\r\n", self.body.len());
        self.head(&length) + &self.body
    }

    /// The same in one chunk.
    pub fn chunked(&self) -> String {
        format!("{}{:x}\r\n{}\r\n0\r\n\r\n", self.head("transfer-encoding: chunked\r\n"), self.body.len(), self.body)
    }

    /// The head with further lines.
    pub fn head(&self, more: &str) -> String {
        let lines = self.lines.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        format!("{} {} HTTP/1.1\r\n{}{more}\r\n", self.method, self.target, lines.collect::<String>())
    }

    pub fn send(&self, address: SocketAddr) -> Response {
        Connection::open(address).send(self.text()).receive_to(&self.method)
    }
}

fn sha256(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

fn escaped(value: &str) -> String {
    value.replace('/', "%2F").replace(';', "%3B")
}

/// The value of `Content-MD5`.
pub fn content_md5(text: &str) -> String {
    base64(&md5::Md5::digest(text))
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Rewrites the text that has a request's signature: its `Authorization`, else its target.
pub fn rewritten(request: &mut SignedRequest, edit: impl Fn(&str) -> Option<String>) {
    let line = request.lines.iter_mut().find(|(name, _)| name == "authorization");
    let text = line.map_or(&mut request.target, |(_, value)| value);
    *text = edit(text).expect("a signature to rewrite");
}

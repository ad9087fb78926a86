//! A question to an S3 server.
//!
//! Decides: how it is addressed, signed, and asked again. Must not know: what is asked.

use super::call_error::{CallError, ErrorDocument};
use crate::config::UpstreamUrl;
use crate::credentials::Https;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqsign_aws_v4::Credential;
use reqsign_core::Signer;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::Duration;

/// The time for one call, its retries included: a server that is away must not hold up a reload for long.
const LONGEST_CALL: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 3;
/// The longest pause before the second attempt, in milliseconds. Before the next it is twice as long.
const LONGEST_PAUSE: u64 = 200;
const SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// The characters that stay as they are, which SigV4 encodes nowhere (RFC 3986 §2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ENCODED_IN_PATHS: &AsciiSet = &ENCODED.remove(b'/');

/// The server that is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint<'e> {
    /// The server; without one, that of `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, or Amazon's own.
    pub(super) url: Option<&'e UpstreamUrl>,
    pub(super) region: &'e str,
    /// CA roots in PEM that were read before; the system's otherwise.
    pub(super) ca_file: Option<&'e Path>,
}

/// The place of buckets.
pub(super) enum Base {
    /// In the path, below this URL.
    Path(String),
    /// In the name, before this host, as Amazon has it.
    Host(String),
}

/// A question.
#[derive(Clone, Default)]
pub(super) struct Call<'c> {
    pub(super) method: Method,
    /// Empty for the server itself.
    pub(super) bucket: &'c str,
    /// Empty for the bucket itself.
    pub(super) key: &'c str,
    pub(super) query: &'c [(&'c str, &'c str)],
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The number of bytes that are read of the response; without it, as many as a list can have.
    pub(super) most: Option<usize>,
}

/// Sends the questions.
pub(super) struct S3 {
    pub(super) base: Base,
    pub(super) https: Https,
    pub(super) signer: Signer<Credential>,
}

impl Base {
    pub(super) fn of(Endpoint { url, region, .. }: Endpoint<'_>) -> Self {
        let named = || ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].iter().find_map(|name| std::env::var(name).ok());
        match url.map(|url| format!("{}://{}", if url.is_tls() { "https" } else { "http" }, url.authority())) {
            Some(url) => Self::Path(url),
            None => match named().filter(|url| !url.is_empty()) {
                Some(url) => Self::Path(url.trim_end_matches('/').to_owned()),
                None if region.starts_with("cn-") => Self::Host(format!("s3.{region}.amazonaws.com.cn")),
                None => Self::Host(format!("s3.{region}.amazonaws.com")),
            },
        }
    }

    /// The URL of a bucket, or of the server where there is none.
    fn url(&self, bucket: &str) -> String {
        match self {
            Self::Path(base) if bucket.is_empty() => base.clone(),
            Self::Path(base) => format!("{base}/{bucket}"),
            Self::Host(host) if bucket.is_empty() => format!("https://{host}"),
            // Amazon's certificate has one label before its own name.
            Self::Host(host) if bucket.contains('.') => format!("https://{host}/{bucket}"),
            Self::Host(host) => format!("https://{bucket}.{host}"),
        }
    }
}

impl S3 {
    /// Asks, until there is a response that another attempt would not change.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Response<Bytes>, CallError> {
        tokio::time::timeout(LONGEST_CALL, self.try_each(&call)).await.unwrap_or(Err(CallError::TimedOut(LONGEST_CALL)))
    }

    async fn try_each(&self, call: &Call<'_>) -> Result<Response<Bytes>, CallError> {
        let mut attempt = 1;
        loop {
            match self.attempt(call).await {
                Err(error) if attempt < ATTEMPTS && error.may_pass() => {
                    let pause = Duration::from_millis(fastrand::u64(0..LONGEST_PAUSE << attempt));
                    tracing::debug!(%error, attempt, "an S3 server is asked again");
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Response<Bytes>, CallError> {
        let request = self.signed(call).await?;
        let response = match call.most {
            Some(most) => self.https.send(request, most).await?,
            None => self.https.ask(request).await?,
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(CallError::Refused { status, document: ErrorDocument::read(response.body()) })
    }

    async fn signed(&self, call: &Call<'_>) -> Result<Request<Bytes>, CallError> {
        let mut url = self.base.url(call.bucket);
        url.push('/');
        url.extend(utf8_percent_encode(call.key, ENCODED_IN_PATHS));
        for (index, (name, value)) in call.query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, ENCODED));
        }
        let mut request = Request::builder().method(&call.method).uri(url).body(call.body.clone())?;
        *request.headers_mut() = call.headers.clone();
        let digest = hex(&Sha256::digest(&call.body));
        request.headers_mut().insert(SHA256, HeaderValue::try_from(digest).map_err(http::Error::from)?);
        let (mut head, body) = request.into_parts();
        self.signer.sign(&mut head, None).await?;
        // After the signature: a proxy on the way may write its own.
        head.headers.insert(USER_AGENT, HeaderValue::from_static(concat!("s3cors/", env!("CARGO_PKG_VERSION"))));
        Ok(Request::from_parts(head, body))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: Option<&str>, region: &str) -> Base {
        let url = url.map(|url| url.parse().unwrap());
        Base::of(Endpoint { url: url.as_ref(), region, ca_file: None })
    }

    #[test]
    fn buckets_are_where_their_server_has_them() {
        for (url, region, bucket, expected) in [
            (Some("http://127.0.0.1:9000"), "us-east-1", "rules", "http://127.0.0.1:9000/rules"),
            (Some("https://[::1]:9000"), "us-east-1", "rules", "https://[::1]:9000/rules"),
            (Some("https://s3.example.com"), "us-east-1", "", "https://s3.example.com"),
            (None, "eu-west-1", "rules", "https://rules.s3.eu-west-1.amazonaws.com"),
            (None, "eu-west-1", "my.rules", "https://s3.eu-west-1.amazonaws.com/my.rules"),
            (None, "cn-north-1", "rules", "https://rules.s3.cn-north-1.amazonaws.com.cn"),
            (None, "us-east-1", "", "https://s3.us-east-1.amazonaws.com"),
        ] {
            assert_eq!(base(url, region).url(bucket), expected);
        }
    }
}

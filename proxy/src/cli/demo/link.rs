//! Presigned links: who has one needs no key.

use super::{ACCESS_KEY, DemoError, REGION, SECRET_KEY};
use http::Request;
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, SignRequest};
use std::pin::pin;
use std::task::{self, Poll, Waker};
use std::time::Duration;

/// The longest that S3 lets a presigned URL live.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// A link that lets anyone who has it send this method to an object.
pub(super) fn presigned(method: &str, url: &str) -> Result<String, DemoError> {
    let failed = |error: &dyn std::fmt::Display| DemoError::Signing(error.to_string());
    let (mut head, ()) = Request::builder().method(method).uri(url).body(()).map_err(|e| failed(&e))?.into_parts();
    let key = Credential {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: SECRET_KEY.to_owned(),
        session_token: None,
        expires_in: None,
    };
    let signer = RequestSigner::new("s3", REGION);
    let context = Context::new();
    // Nothing is waited for: the key is at hand.
    let signed = pin!(signer.sign_request(&context, &mut head, Some(&key), Some(LIFETIME)))
        .poll(&mut task::Context::from_waker(Waker::noop()));
    match signed {
        Poll::Ready(signed) => signed.map_err(|e| failed(&e))?,
        Poll::Pending => return Err(failed(&"the signature is not ready")),
    }
    Ok(head.uri.to_string())
}

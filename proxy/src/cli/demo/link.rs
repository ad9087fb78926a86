//! Presigned links: who has one needs no key.

use super::{ACCESS_KEY, DemoError, REGION, SECRET_KEY};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use std::time::{Duration, SystemTime};

/// The longest that S3 lets a presigned URL live.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// A link that lets anyone who has it send this method to an object.
pub(super) fn presigned(method: &str, url: &str) -> Result<String, DemoError> {
    let failed = |error: &dyn std::fmt::Display| DemoError::Signing(error.to_string());
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(LIFETIME);
    let identity = aws_credential_types::Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "demo").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("s3")
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .map_err(|e| failed(&e))?;
    let request =
        SignableRequest::new(method, url, std::iter::empty(), SignableBody::UnsignedPayload).map_err(|e| failed(&e))?;
    let (instructions, _) = sign(request, &parameters.into()).map_err(|e| failed(&e))?.into_parts();
    let mut signed = url::Url::parse(url).map_err(|e| failed(&e))?;
    for (name, value) in instructions.params() {
        signed.query_pairs_mut().append_pair(name, value);
    }
    Ok(signed.into())
}

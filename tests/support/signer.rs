//! Signatures as a test wants them: for which method and host, over which headers, when, and with which key.

use super::store::{ACCESS_KEY, REGION, SECRET_KEY};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use std::time::{Duration, SystemTime};

/// Names and values.
pub type Lines = Vec<(String, String)>;

/// What a client signs; what it then sends is the test's matter.
pub struct Signer<'s> {
    pub method: &'s str,
    pub host: &'s str,
    /// Signed headers besides the usual ones.
    pub lines: &'s [(&'s str, &'s str)],
    /// By the client's clock, which may be wrong.
    pub at: SystemTime,
    pub secret: &'s str,
}

impl<'s> Signer<'s> {
    pub fn new(method: &'s str, host: &'s str) -> Self {
        Self { method, host, lines: &[], at: SystemTime::now(), secret: SECRET_KEY }
    }

    /// `path` with the query that has the signature, good for a minute.
    pub fn presigned(&self, path: &str) -> String {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(60));
        let (_, parameters) = self.sign(path, settings);
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace('/', "%2F").replace(';', "%3B")))
            .collect();
        format!("{path}?{}", parameters.join("&"))
    }

    /// The lines of a request that is signed in `Authorization`, `Host` among them.
    pub fn signed(&self, path: &str) -> Lines {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let (added, _) = self.sign(path, settings);
        let lines = self.lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        [("host".to_owned(), self.host.to_owned())].into_iter().chain(lines).chain(added).collect()
    }

    fn sign(&self, path: &str, mut settings: SigningSettings) -> (Lines, Lines) {
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = Credentials::new(ACCESS_KEY, self.secret, None, None, "test").into();
        let parameters = v4::SigningParams::builder().identity(&identity).region(REGION).name("s3");
        let parameters = parameters.time(self.at).settings(settings).build().unwrap().into();
        let url = format!("http://{}{path}", self.host);
        let request = SignableRequest::new(self.method, url, self.lines.iter().copied(), SignableBody::UnsignedPayload);
        let (instructions, _) = sign(request.unwrap(), &parameters).unwrap().into_parts();
        let (headers, parameters) = instructions.into_parts();
        let headers = headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect();
        (headers, parameters.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect())
    }
}

//! The settings and the state of the operations: whether the upstreams judge signatures, so that writes are served.

use super::replays::Replays;
use super::response::Response;
use crate::config::{Config, EachUpstream, RulesApi, UnsignedPayload};
use crate::telemetry::printable;
use http::StatusCode;
use s3_cors::WarningCode;
use std::sync::atomic::{AtomicU8, Ordering};

/// The operations' settings and state, where they are served here.
pub(in crate::exchange) struct Api {
    /// The warnings for which a document is refused.
    pub(super) refused: Vec<WarningCode>,
    /// Set if a body that the signature does not cover may come without TLS.
    pub(super) takes_unsigned: bool,
    /// The check of each upstream whether it judges signatures.
    pub(in crate::exchange) checks: EachUpstream<SignatureCheck>,
    pub(super) replays: Replays,
}

impl Api {
    pub(in crate::exchange) fn of(config: &Config) -> Option<Self> {
        (config.rules.api == RulesApi::On).then(|| Self {
            refused: config.rules.refused().collect(),
            takes_unsigned: config.rules.unsigned_payload == UnsignedPayload::Any,
            checks: config.upstreams.map(|_| SignatureCheck::default()),
            replays: Replays::default(),
        })
    }
}

/// Whether writes are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// The upstream was not heard yet.
    Unproven,
    /// The upstream refuses a broken signature.
    Allowed,
    /// It does not.
    Disabled,
}

impl Writing {
    const ALL: [Self; 3] = [Self::Unproven, Self::Allowed, Self::Disabled];

    /// The word for operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Allowed => "allowed",
            Self::Disabled => "disabled",
        }
    }
}

/// The state of [`Writing`].
#[derive(Debug, Default)]
pub(super) struct WritingState(AtomicU8);

impl WritingState {
    pub(super) fn get(&self) -> Writing {
        Writing::ALL.get(usize::from(self.0.load(Ordering::Relaxed))).copied().unwrap_or(Writing::Unproven)
    }

    /// Returns whether it is another one than before.
    fn set(&self, writing: Writing) -> bool {
        self.0.swap(writing as u8, Ordering::Relaxed) != writing as u8
    }
}

/// The meaning of an upstream's response to a broken signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The upstream judges.
    Refused,
    /// It does not, or not before anything else.
    NotRefused,
    /// It could not.
    Unclear,
}

impl Confirmed {
    /// Reads the response to a request that has nothing valid in it: any refusal counts.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        match response.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Refused,
            // A server that wants another region says so before it looks for the key (S3 API, error responses).
            StatusCode::BAD_REQUEST if response.code() == Some("AuthorizationHeaderMalformed") => Self::Refused,
            StatusCode::NOT_IMPLEMENTED => Self::NotRefused,
            status if status.is_server_error() => Self::Unclear,
            StatusCode::TOO_MANY_REQUESTS => Self::Unclear,
            _ => Self::NotRefused,
        }
    }

    /// Reads the response to a client's own request with a broken signature. Only a refusal for the signature counts. The client chooses
    /// everything else of the request, so any other refusal could be one that it arranged: a URL that expires between the two questions,
    /// for example.
    pub(super) fn of_broken(response: &Response) -> Self {
        match Self::of(response) {
            Self::Refused if !response.refuses_signature() => Self::NotRefused,
            confirmed => confirmed,
        }
    }
}

/// The state of the question whether an upstream judges signatures.
#[derive(Debug, Default)]
pub struct SignatureCheck(WritingState);

impl SignatureCheck {
    /// Returns the state of writes.
    #[must_use]
    pub fn writing(&self) -> Writing {
        self.0.get()
    }

    /// Takes its addresses' responses to [forged requests](crate::exchange::Policy::forge): writes are served only if all that could be asked refuse it.
    pub fn probed(&self, responses: &[Response]) {
        let not_refused = responses.iter().find(|response| Confirmed::of(response) == Confirmed::NotRefused);
        if let Some(response) = not_refused {
            self.disable_writing(response);
        } else if responses.iter().any(|response| Confirmed::of(response) == Confirmed::Refused)
            && self.0.set(Writing::Allowed)
        {
            tracing::info!("the upstream refuses broken signatures: PutBucketCors and DeleteBucketCors are served");
        }
    }

    fn disable_writing(&self, response: &Response) {
        if self.0.set(Writing::Disabled) {
            tracing::error!(
                status = response.status.as_u16(),
                code = response.code().map(|code| printable(code.as_bytes()).into_owned()),
                "the upstream does not refuse a broken signature: PutBucketCors and DeleteBucketCors are not served; \
                 it must check signatures before it looks at anything else of these requests"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn only_a_refusal_by_the_signature_confirms() {
        for (status, code, expected) in [
            (403, "InvalidAccessKeyId", Confirmed::Refused),
            (403, "SignatureDoesNotMatch", Confirmed::Refused),
            (401, "", Confirmed::Refused),
            (400, "AuthorizationHeaderMalformed", Confirmed::Refused),
            (400, "MalformedXML", Confirmed::NotRefused),
            (404, "NoSuchBucket", Confirmed::NotRefused),
            (501, "NotImplemented", Confirmed::NotRefused),
            (200, "", Confirmed::NotRefused),
            (204, "", Confirmed::NotRefused),
            (307, "", Confirmed::NotRefused),
            (500, "InternalError", Confirmed::Unclear),
            (503, "SlowDown", Confirmed::Unclear),
            (429, "", Confirmed::Unclear),
        ] {
            let body: Bytes = format!("<Error><Code>{code}</Code></Error>").into();
            let response = Response { status: StatusCode::from_u16(status).unwrap(), lines: Vec::new(), body };
            assert_eq!(Confirmed::of(&response), expected, "{status} {code}");
        }
    }
}

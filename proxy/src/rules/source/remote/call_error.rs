//! The failure of a question to an S3 server, and whether another attempt may have an answer.

use crate::credentials::SendError;
use http::StatusCode;
use serde::Deserialize;
use std::time::Duration;

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The server refuses, and says why.
    #[error("{}", refused(*status, .document))]
    Refused { status: StatusCode, document: ErrorDocument },
    /// No response came.
    #[error(transparent)]
    NotSent(#[from] SendError),
    /// The response cannot be read.
    #[error("the response cannot be read: {0}")]
    Unreadable(#[from] quick_xml::DeError),
    /// There are no credentials, or they cannot sign.
    #[error("no AWS credentials: {0}")]
    NotSigned(#[from] reqsign_core::Error),
    /// A name makes no URL.
    #[error("{0}")]
    Malformed(#[from] http::Error),
    /// All attempts together took too long.
    #[error("no response within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// S3's document of an error. A response to HEAD has none.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ErrorDocument {
    pub(super) code: String,
    message: String,
}

impl ErrorDocument {
    /// Reads what came with an error, which may be nothing.
    pub(super) fn read(body: &[u8]) -> Self {
        quick_xml::de::from_reader(body).unwrap_or_default()
    }
}

impl CallError {
    /// S3's code, where the server sent one.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { document, .. } if !document.code.is_empty() => Some(&document.code),
            _ => None,
        }
    }

    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns true if another attempt may have another outcome (S3 User Guide, retries).
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, document } => {
                *status == StatusCode::TOO_MANY_REQUESTS
                    || (status.is_server_error() && *status != StatusCode::NOT_IMPLEMENTED)
                    || document.code == "RequestTimeout"
            }
            Self::NotSent(_) => true,
            Self::NotSigned(error) => error.is_retryable(),
            Self::Unreadable(_) | Self::Malformed(_) | Self::TimedOut(_) => false,
        }
    }
}

fn refused(status: StatusCode, ErrorDocument { code, message }: &ErrorDocument) -> String {
    match (code.as_str(), message.as_str()) {
        ("", _) => status.to_string(),
        (code, "") => code.to_owned(),
        (code, message) => format!("{code}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_the_server_says() {
        for (body, said) in [
            (
                "<Error><Code>AccessDenied</Code><Message>it says</Message><Resource>/b</Resource></Error>",
                "AccessDenied: it says",
            ),
            ("<Error xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Code>SlowDown</Code></Error>", "SlowDown"),
            ("", "403 Forbidden"),
            ("<html>", "403 Forbidden"),
        ] {
            let document = ErrorDocument::read(body.as_bytes());
            assert_eq!(CallError::Refused { status: StatusCode::FORBIDDEN, document }.to_string(), said);
        }
    }
}

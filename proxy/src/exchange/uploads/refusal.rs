//! The replies to uploads that a limit refuses.

use crate::exchange::known::Known;
use crate::exchange::policy::Policy;
use crate::exchange::reply::Reply;
use crate::s3::error::ErrorCode;
use crate::telemetry::UploadRefusedBy;

/// The reason why an upload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum UploadRefusal {
    /// The object, or the part, is larger than so many bytes.
    TooLarge(u64),
    /// The object has more parts than this.
    TooManyParts(u64),
    /// The object may not have its type.
    Type,
    /// Servers differ about the key.
    TwoReadings,
    /// A line about the length is no length, or is there twice.
    Length,
    /// A form has no length.
    NoLength,
    /// A form that servers could read in two ways.
    Form,
    /// A form has too much before its file.
    FieldsTooLong,
}

impl UploadRefusal {
    /// The word for the metric.
    const fn refused_by(self) -> UploadRefusedBy {
        match self {
            Self::TooLarge(_) => UploadRefusedBy::Size,
            Self::TooManyParts(_) => UploadRefusedBy::Parts,
            Self::Type => UploadRefusedBy::Type,
            Self::TwoReadings | Self::Length | Self::NoLength | Self::Form | Self::FieldsTooLong => {
                UploadRefusedBy::Form
            }
        }
    }

    const fn words(self) -> (ErrorCode, &'static str) {
        match self {
            Self::TooLarge(_) => {
                (ErrorCode::EntityTooLarge, "Your proposed upload exceeds the maximum allowed object size.")
            }
            Self::TooManyParts(_) => {
                (ErrorCode::EntityTooLarge, "Your proposed upload has more parts than an object may have here.")
            }
            Self::Type => (ErrorCode::UnsupportedMediaType, "Objects of this type may not be uploaded here."),
            Self::TwoReadings => (ErrorCode::InvalidUri, "Servers differ about the key that this path names."),
            Self::Length => (ErrorCode::InvalidArgument, "x-amz-decoded-content-length must be one number."),
            Self::NoLength => (ErrorCode::MissingContentLength, "You must provide the Content-Length HTTP header."),
            Self::Form => (
                ErrorCode::MalformedPostRequest,
                "The body of your POST request is not well-formed multipart/form-data with one key before the file.",
            ),
            Self::FieldsTooLong => (
                ErrorCode::MaxPostPreDataLengthExceeded,
                "Your POST request fields preceding the upload file were too large.",
            ),
        }
    }
}

/// The reply, which a page can read as far as the rules grant it.
pub(in crate::exchange) fn refused_upload(policy: &Policy, why: UploadRefusal, known: &mut Known) -> Reply {
    policy.metrics.uploads.count(why.refused_by());
    known.refused_by = Some(why.refused_by().as_str());
    let (code, message) = why.words();
    let most = match why {
        UploadRefusal::TooLarge(most) => Some(("MaxSizeAllowed", most.to_string())),
        UploadRefusal::TooManyParts(most) => Some(("MaxPartsAllowed", most.to_string())),
        _ => None,
    };
    let details: Vec<_> = most.iter().map(|(name, value)| (*name, value.as_str())).collect();
    policy.replies.error(code.status(), code.as_str(), message, &details, known)
}

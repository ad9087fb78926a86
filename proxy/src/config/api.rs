//! The API for the CORS of buckets: whether it is served, and which writes it takes.

use super::values::ValueError;
use s3_cors::WarningCode;
use serde::Deserialize;

/// Whether PutBucketCors, GetBucketCors and DeleteBucketCors are served here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RulesApi {
    /// They are the upstream's alone.
    #[default]
    Off,
    /// They are served from the rules where the upstream has no such operation.
    On,
}

/// Which writes may have a body that their signature does not cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum UnsignedPayload {
    /// Those that came over TLS: no one on the way can have replaced the body.
    #[default]
    Tls,
    /// All.
    Any,
}

/// A warning for which a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The code of a warning of `s3cors check`."))]
#[serde(try_from = "String")]
pub struct RefusedWarning(#[cfg_attr(test, schemars(with = "String"))] WarningCode);

impl RefusedWarning {
    /// The warning's code.
    #[must_use]
    pub const fn code(self) -> WarningCode {
        self.0
    }
}

impl TryFrom<String> for RefusedWarning {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let known = WarningCode::ALL.into_iter().find(|code| code.as_str() == text);
        known.map(Self).ok_or_else(|| {
            let all = WarningCode::ALL.map(WarningCode::as_str).join(", ");
            ValueError::new(&text, format!("no such warning; there are {all}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_can_be_refused_and_no_other_word() {
        for code in WarningCode::ALL {
            assert_eq!(RefusedWarning::try_from(code.as_str().to_owned()).unwrap().code(), code);
        }
        for text in ["", "originnull", "Origin"] {
            assert!(RefusedWarning::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}

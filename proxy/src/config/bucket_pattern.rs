//! Patterns of bucket names.

use super::values::ValueError;
use crate::s3::as_written::as_written;
use crate::s3::bucket_name::is_bucket_name;
use serde::Deserialize;

/// A pattern of bucket names: `*` is any text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The name of a bucket; `*` is any text."))]
#[serde(try_from = "String")]
pub(super) struct BucketPattern(String);

impl BucketPattern {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true for the pattern of every bucket.
    pub(super) fn is_of_all(&self) -> bool {
        self.0 == "*"
    }
}

impl TryFrom<String> for BucketPattern {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        // Whatever is in place of `*`, a name has no other characters.
        let is_name = |text: &str| is_bucket_name(text) || (text.contains('*') && text.len() <= 63);
        let may_be =
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'*'));
        match as_written(&text, &text) {
            Some(reason) => Err(ValueError::new(&text, reason)),
            None if may_be && is_name(&text) => Ok(Self(text)),
            None => Err(ValueError::new(
                &text,
                "no bucket can have this name: it has 3 to 63 letters, digits, dots, hyphens and underscores, and * is any text",
            )),
        }
    }
}

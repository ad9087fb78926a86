//! Settings of rules that are not files here: which source they have, and the bucket that holds them.

use super::fields::As;
use super::upstream::UpstreamUrl;
use super::values::ValueError;
use serde::Deserialize;

/// Where rule documents come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RulesSource {
    /// Files at `rules.path`.
    #[default]
    Files,
    /// The upstream's own GetBucketCors.
    Upstream,
    /// Objects in the bucket that `rules.store` names.
    Store,
}

/// The bucket that holds rule documents.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RulesStore {
    /// The S3 server; without it Amazon's own.
    pub endpoint: Option<UpstreamUrl>,
    /// The bucket.
    pub bucket: String,
    /// What the key of each document begins with, a `/` at its end included.
    #[serde(default, with = "As::<Prefix>")]
    pub prefix: String,
    /// The region that requests are signed for.
    #[serde(default = "region", with = "As::<String>")]
    pub region: String,
}

/// The region where nothing else is configured, which most servers other than Amazon's take.
fn region() -> String {
    "us-east-1".to_owned()
}

/// The beginning of keys, empty or with a `/` at its end.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The beginning of keys, such as `cors/`."))]
#[serde(try_from = "String")]
pub(super) struct Prefix(String);

impl TryFrom<String> for Prefix {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let parts = || text.strip_suffix('/').unwrap_or(&text).split('/');
        match text.as_str() {
            "" => Ok(Self(text)),
            // Documents are named below it as paths are.
            _ if parts().any(|part| matches!(part, "" | "." | "..")) => {
                Err(ValueError::new(&text, "a prefix has no empty part and no . or .. between its slashes"))
            }
            _ if text.ends_with('/') => Ok(Self(text)),
            _ => Ok(Self(text + "/")),
        }
    }
}

impl From<Prefix> for String {
    fn from(prefix: Prefix) -> Self {
        prefix.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_with_a_slash() {
        for (text, prefix) in [
            ("", Some("")),
            ("cors", Some("cors/")),
            ("cors/", Some("cors/")),
            ("a/b", Some("a/b/")),
            ("/", None),
            ("/cors", None),
            ("a//b", None),
            ("../cors", None),
        ] {
            assert_eq!(Prefix::try_from(text.to_owned()).ok().map(String::from).as_deref(), prefix, "{text:?}");
        }
    }
}

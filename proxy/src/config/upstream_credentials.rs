//! The credentials that reads are signed with for an upstream: which of those that the AWS tools know.

use super::fields::{As, Section};
use super::values::ValueError;
use crate::s3::as_written::as_written;
use serde::Deserialize;

/// The choice of the credentials and the region that reads are signed with. Without either, as the AWS tools choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamCredentials {
    /// The profile of the AWS configuration files, instead of `AWS_PROFILE`.
    #[serde(with = "As::<ProfileName>")]
    pub profile: Option<String>,
    /// The region that reads are signed for, instead of `AWS_REGION`, the profile's and us-east-1.
    #[serde(with = "As::<RegionName>")]
    pub region: Option<String>,
}

impl Section for UpstreamCredentials {
    const NAME: &'static str = "credentials";
    const KEY: &'static str = "profile";
}

/// The name of a profile.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The name of a profile."))]
#[serde(try_from = "String")]
struct ProfileName(String);

impl TryFrom<String> for ProfileName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        // In the file it is between brackets, on one line.
        let is_name = !text.is_empty() && !text.contains([']', '[']) && !text.chars().any(char::is_control);
        match is_name && as_written(&text, &text).is_none() {
            true => Ok(Self(text)),
            false => Err(ValueError::new(&text, "a profile is named as between the brackets of ~/.aws/config")),
        }
    }
}

impl From<ProfileName> for Option<String> {
    fn from(name: ProfileName) -> Self {
        Some(name.0)
    }
}

/// The name of a region. A signature's scope has it between slashes, in a header.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The name of a region."))]
#[serde(try_from = "String")]
struct RegionName(String);

impl TryFrom<String> for RegionName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match !text.is_empty() && text.bytes().all(is_plain) {
            true => Ok(Self(text)),
            false => Err(ValueError::new(&text, "a region has letters, digits and hyphens, such as us-east-1")),
        }
    }
}

impl From<RegionName> for Option<String> {
    fn from(name: RegionName) -> Self {
        Some(name.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    fn read(text: &str) -> Result<UpstreamCredentials, String> {
        let file = ConfigFile::parse(text, Path::new("f")).map_err(|errors| errors.to_string())?;
        Ok(Config::merge(Flags::default(), file).0.upstream().credentials.clone())
    }

    #[test]
    fn credentials_are_a_profile_and_a_region_or_those_of_the_aws_tools() {
        let known = |profile: Option<&str>, region: Option<&str>| UpstreamCredentials {
            profile: profile.map(str::to_owned),
            region: region.map(str::to_owned),
        };
        for (text, expected) in [
            ("upstream: http://a\n", known(None, None)),
            ("upstream: {credentials: }\n", known(None, None)),
            ("upstream: {credentials: {profile: site reader}}\n", known(Some("site reader"), None)),
            ("upstream: {credentials: {region: garage}}\n", known(None, Some("garage"))),
            ("upstream: {credentials: {profile: x, region: eu-west-1}}\n", known(Some("x"), Some("eu-west-1"))),
        ] {
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn every_error_about_credentials_has_its_place() {
        for (text, said) in [
            ("upstream: {credentials: x}\n", "f:1:25: credentials is an object; write `credentials: {profile: x}`"),
            ("upstream: {credentials: {profile: ''}}\n", "f:1:35: upstream.credentials.profile: \"\": a profile"),
            ("upstream: {credentials: {profile: '[x]'}}\n", "f:1:35: upstream.credentials.profile: \"[x]\""),
            ("upstream: {credentials: {profile: '${P}'}}\n", "nothing replaces ${P}"),
            ("upstream: {credentials: {profile: }}\n", "upstream.credentials.profile: no value; leave the key out"),
            ("upstream: {credentials: {region: 'a/b'}}\n", "f:1:34: upstream.credentials.region: \"a/b\": a region"),
            ("upstream: {credentials: {region: '${R}'}}\n", "nothing replaces ${R}"),
            ("upstream: {credentials: {key: x}}\n", "f:1:26: upstream.credentials: unknown field `key`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}

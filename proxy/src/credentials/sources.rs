//! The sources of AWS credentials, in the order in which they are asked.
//!
//! Decides: which source's keys are taken. A source that is set up and fails ends the search, as in the AWS tools: the keys of the next
//! one would belong to someone else, who may read more.

use super::reason::reason;
use crate::s3::read_signer::UnusableKeys;
use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider, EnvCredentialProvider,
    IMDSv2CredentialProvider, ProcessCredentialProvider, ProfileCredentialProvider, SSOCredentialProvider,
};
use reqsign_core::{Context, Error, ProvideCredential, ProvideCredentialDyn, Result as CoreResult};
use std::mem::Discriminant;
use std::time::Duration;

/// The time that all sources have together. A program may ask a server that is away.
pub(super) const LONGEST_LOAD: Duration = Duration::from_secs(30);

/// A place where keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Environment,
    /// The keys of a profile, in a file.
    Profile,
    /// A profile's IAM Identity Center.
    Sso,
    /// A token that is exchanged for keys, as in Kubernetes.
    WebIdentity,
    /// A profile's program.
    Process,
    /// A server beside the container.
    Container,
    /// The metadata service of an instance.
    Instance,
}

names!(CredentialSource:
    Environment = "environment",
    Profile = "profile",
    Sso = "sso",
    WebIdentity = "web_identity",
    Process = "credential_process",
    Container = "container",
    Instance = "instance",
);

/// The reason why there are no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// No source has any.
    #[error("no source has credentials: {}", searched(.profile.as_deref()))]
    NotFound {
        /// The configured profile, to which the search is limited.
        profile: Option<String>,
    },
    /// A source fails.
    #[error("{origin}: {reason}")]
    Failed {
        /// The source.
        origin: CredentialSource,
        /// Its reason, without secrets.
        reason: String,
    },
    /// A source has keys that cannot be in a request.
    #[error("{origin}: {unusable}")]
    Unusable {
        /// The source.
        origin: CredentialSource,
        /// The value that cannot be used.
        unusable: UnusableKeys,
    },
    /// A source has keys that are of no use any more.
    #[error("{origin}: its credentials have expired")]
    Expired {
        /// The source.
        origin: CredentialSource,
    },
    /// A source does not say whether it has any.
    #[error("the sources did not respond within {} s", LONGEST_LOAD.as_secs())]
    TimedOut,
}

/// The sources that the AWS tools have.
#[derive(Debug)]
pub struct CredentialSources {
    profile: Option<String>,
    each: Vec<(CredentialSource, Box<dyn ProvideCredentialDyn<Credential = Credential>>)>,
}

/// Keys, and where they were.
pub(super) struct LoadedCredential {
    pub(super) origin: CredentialSource,
    pub(super) credential: Credential,
}

impl CredentialSources {
    /// Every source; or, with a configured profile, those of that profile alone: a name with a typing error must not become the keys of
    /// the instance.
    #[must_use]
    pub fn new(profile: Option<&str>) -> Self {
        let named = |name: &str| {
            (
                ProfileCredentialProvider::new().with_profile(name),
                SSOCredentialProvider::new().with_profile(name),
                ProcessCredentialProvider::new().with_profile(name),
            )
        };
        let (keys, sso, process) = profile.map_or_else(Default::default, named);
        let mut each: Vec<(_, Box<dyn ProvideCredentialDyn<Credential = Credential>>)> = vec![
            (CredentialSource::Environment, Box::new(EnvCredentialProvider::new())),
            (CredentialSource::Profile, Box::new(keys)),
            (CredentialSource::Sso, Box::new(sso)),
            (CredentialSource::WebIdentity, Box::new(AssumeRoleWithWebIdentityCredentialProvider::new())),
            (CredentialSource::Process, Box::new(process)),
            (CredentialSource::Container, Box::new(ECSCredentialProvider::new())),
            (CredentialSource::Instance, Box::new(IMDSv2CredentialProvider::new())),
        ];
        if profile.is_some() {
            each.retain(|(origin, _)| origin.is_of_profile());
        }
        Self { profile: profile.map(str::to_owned), each }
    }

    /// Asks one source after the other, each anew.
    pub(super) async fn load(&self, context: &Context) -> Result<LoadedCredential, LoadError> {
        let search = async {
            for (origin, source) in &self.each {
                let origin = *origin;
                match source.provide_credential_dyn(context).await {
                    Ok(Some(credential)) if !is_empty(&credential) => {
                        return Ok(LoadedCredential { origin, credential: without_empty_token(credential) });
                    }
                    Ok(_) => {}
                    Err(error) => return Err(LoadError::Failed { origin, reason: reason(&error) }),
                }
            }
            Err(LoadError::NotFound { profile: self.profile.clone() })
        };
        tokio::time::timeout(LONGEST_LOAD, search).await.unwrap_or(Err(LoadError::TimedOut))
    }
}

impl LoadError {
    /// The kind of failure and its source, without the words.
    pub(super) fn kind(&self) -> (Discriminant<Self>, Option<CredentialSource>) {
        let origin = match self {
            Self::Failed { origin, .. } | Self::Unusable { origin, .. } | Self::Expired { origin } => Some(*origin),
            Self::NotFound { .. } | Self::TimedOut => None,
        };
        (std::mem::discriminant(self), origin)
    }
}

impl CredentialSource {
    const fn is_of_profile(self) -> bool {
        matches!(self, Self::Profile | Self::Sso | Self::Process)
    }
}

/// For a signer that keeps keys until shortly before they expire.
impl ProvideCredential for CredentialSources {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> CoreResult<Option<Credential>> {
        match self.load(context).await {
            Ok(loaded) => Ok(Some(loaded.credential)),
            Err(error) => Err(Error::credential_invalid(error.to_string())),
        }
    }
}

/// An environment variable that is empty is not set.
fn is_empty(credential: &Credential) -> bool {
    credential.access_key_id.is_empty() || credential.secret_access_key.is_empty()
}

fn without_empty_token(mut credential: Credential) -> Credential {
    credential.session_token = credential.session_token.filter(|token| !token.is_empty());
    credential
}

fn searched(profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!("the profile {profile:?} has no keys, no SSO and no credential_process"),
        None => "environment, profile, sso, web_identity, credential_process, container, instance".to_owned(),
    }
}

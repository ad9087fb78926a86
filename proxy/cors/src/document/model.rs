//! A CORS configuration whose every part is valid: what is in hand here has passed S3's checks.
//!
//! Values are kept as they were written, in their order: S3 gives them back like that (recorded).

use crate::{AllowedMethod, ExposedHeader, HeaderPattern, OriginPattern};

/// The most rules of one configuration (S3 API, `PutBucketCors`; recorded: 101 are refused).
pub const MAX_RULES: usize = 100;

/// The rules of one bucket, in order: 1 to [`MAX_RULES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsConfiguration {
    rules: Vec<CorsRule>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsRule {
    /// `ID`: a name for people; S3 takes any text, also twice the same.
    pub id: Option<String>,
    /// `AllowedOrigin`, at least one.
    pub allowed_origins: Vec<OriginPattern>,
    /// `AllowedMethod`, at least one.
    pub allowed_methods: Vec<AllowedMethod>,
    /// `AllowedHeader`.
    pub allowed_headers: Vec<HeaderPattern>,
    /// `ExposeHeader`.
    pub expose_headers: Vec<ExposedHeader>,
    /// `MaxAgeSeconds`: S3 takes 0 and negative numbers too.
    pub max_age_seconds: Option<i64>,
}

/// Why a list of rules is no configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfiguration {
    /// There is no rule.
    #[error("a configuration has at least one rule")]
    NoRules,
    /// There are more than [`MAX_RULES`].
    #[error("{0} rules, and S3 takes at most {MAX_RULES}")]
    TooManyRules(usize),
    /// A rule (from 1) without an origin.
    #[error("rule {0} has no AllowedOrigin")]
    NoOrigin(usize),
    /// A rule (from 1) without a method.
    #[error("rule {0} has no AllowedMethod")]
    NoMethod(usize),
}

impl CorsConfiguration {
    /// Takes rules in order.
    ///
    /// # Errors
    /// [`InvalidConfiguration`] when S3 would refuse them.
    pub fn new(rules: Vec<CorsRule>) -> Result<Self, InvalidConfiguration> {
        if rules.is_empty() {
            return Err(InvalidConfiguration::NoRules);
        }
        if rules.len() > MAX_RULES {
            return Err(InvalidConfiguration::TooManyRules(rules.len()));
        }
        for (number, rule) in (1..).zip(&rules) {
            if rule.allowed_origins.is_empty() {
                return Err(InvalidConfiguration::NoOrigin(number));
            }
            if rule.allowed_methods.is_empty() {
                return Err(InvalidConfiguration::NoMethod(number));
            }
        }
        Ok(Self { rules })
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[CorsRule] {
        &self.rules
    }
}

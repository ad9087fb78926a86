//! A CORS configuration whose every part is valid: a value of these types has passed S3's checks.
//!
//! Values are kept as they were written, in their order: S3 returns them like that (S3: ok-two-rules).

use crate::{AllowedMethod, ExposedHeader, HeaderPattern, OriginPattern};

/// The most rules of one configuration (S3: ok-100-rules, bad-101-rules).
pub const MAX_RULES: usize = 100;

/// The rules of one bucket, in order: 1 to [`MAX_RULES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsConfiguration {
    rules: Vec<CorsRule>,
}

/// One rule: it has an origin and a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsRule {
    id: Option<String>,
    allowed_origins: Vec<OriginPattern>,
    allowed_methods: Vec<AllowedMethod>,
    allowed_headers: Vec<HeaderPattern>,
    expose_headers: Vec<ExposedHeader>,
    max_age_seconds: Option<i64>,
}

/// Why a list of rules is no configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConfiguration {
    /// There is no rule (S3: bad-no-rules).
    #[error("no CORSRule: a configuration has at least one")]
    NoRules,
    /// There are more than [`MAX_RULES`] (S3: bad-101-rules).
    #[error("{0} rules: a configuration has at most {MAX_RULES}")]
    TooManyRules(usize),
}

/// Why a rule is no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRule {
    /// There is no origin (S3: bad-no-origin).
    #[error("a rule without AllowedOrigin: it has at least one")]
    NoOrigin,
    /// There is no method (S3: bad-no-method).
    #[error("a rule without AllowedMethod: it has at least one")]
    NoMethod,
}

impl CorsConfiguration {
    /// Accepts rules in order.
    ///
    /// # Errors
    /// [`InvalidConfiguration`] when S3 would reject them.
    pub fn new(rules: Vec<CorsRule>) -> Result<Self, InvalidConfiguration> {
        Self::check(rules.len()).map(|()| Self { rules })
    }

    /// Checks a number of rules. Reading a document asks this too, for rules that may still turn out to be invalid.
    pub(crate) const fn check(rules: usize) -> Result<(), InvalidConfiguration> {
        match rules {
            0 => Err(InvalidConfiguration::NoRules),
            1..=MAX_RULES => Ok(()),
            _ => Err(InvalidConfiguration::TooManyRules(rules)),
        }
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[CorsRule] {
        &self.rules
    }
}

impl CorsRule {
    /// A rule for these origins and methods, with no other element.
    ///
    /// # Errors
    /// [`InvalidRule`] when one of the lists is empty.
    pub fn new(allowed_origins: Vec<OriginPattern>, allowed_methods: Vec<AllowedMethod>) -> Result<Self, InvalidRule> {
        match Self::check(allowed_origins.len(), allowed_methods.len()).next() {
            Some(invalid) => Err(invalid),
            None => Ok(Self {
                id: None,
                allowed_origins,
                allowed_methods,
                allowed_headers: Vec::new(),
                expose_headers: Vec::new(),
                max_age_seconds: None,
            }),
        }
    }

    /// Checks how many origins and methods there are, as [`CorsConfiguration::check`] does for rules.
    pub(crate) fn check(origins: usize, methods: usize) -> impl Iterator<Item = InvalidRule> {
        let no_origin = (origins == 0).then_some(InvalidRule::NoOrigin);
        let no_method = (methods == 0).then_some(InvalidRule::NoMethod);
        no_origin.into_iter().chain(no_method)
    }

    /// With this `ID`.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<Option<String>>) -> Self {
        self.id = id.into();
        self
    }

    /// With these `AllowedHeader`s.
    #[must_use]
    pub fn with_allowed_headers(mut self, headers: Vec<HeaderPattern>) -> Self {
        self.allowed_headers = headers;
        self
    }

    /// With these `ExposeHeader`s.
    #[must_use]
    pub fn with_expose_headers(mut self, headers: Vec<ExposedHeader>) -> Self {
        self.expose_headers = headers;
        self
    }

    /// With this `MaxAgeSeconds`.
    #[must_use]
    pub fn with_max_age_seconds(mut self, seconds: impl Into<Option<i64>>) -> Self {
        self.max_age_seconds = seconds.into();
        self
    }

    /// `ID`: a name for people. S3 accepts any text (S3: ok-id-1025), also one that another rule has.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// `AllowedOrigin`, at least one.
    #[must_use]
    pub fn allowed_origins(&self) -> &[OriginPattern] {
        &self.allowed_origins
    }

    /// `AllowedMethod`, at least one.
    #[must_use]
    pub fn allowed_methods(&self) -> &[AllowedMethod] {
        &self.allowed_methods
    }

    /// `AllowedHeader`.
    #[must_use]
    pub fn allowed_headers(&self) -> &[HeaderPattern] {
        &self.allowed_headers
    }

    /// `ExposeHeader`.
    #[must_use]
    pub fn expose_headers(&self) -> &[ExposedHeader] {
        &self.expose_headers
    }

    /// `MaxAgeSeconds`: S3 accepts 0 and negative numbers too (S3: ok-exact-maxage0, ok-maxage-negative).
    #[must_use]
    pub const fn max_age_seconds(&self) -> Option<i64> {
        self.max_age_seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_an_origin_and_a_method() {
        let origins = vec![OriginPattern::parse("*").unwrap()];
        let methods = vec![AllowedMethod::Get];
        assert_eq!(CorsRule::new(vec![], methods.clone()), Err(InvalidRule::NoOrigin));
        assert_eq!(CorsRule::new(origins.clone(), vec![]), Err(InvalidRule::NoMethod));
        assert_eq!(CorsRule::new(vec![], vec![]), Err(InvalidRule::NoOrigin));
        assert!(CorsRule::new(origins, methods).is_ok());
    }

    #[test]
    fn a_configuration_has_1_to_100_rules() {
        let rule = CorsRule::new(vec![OriginPattern::parse("*").unwrap()], vec![AllowedMethod::Get]).unwrap();
        for (count, expected) in [
            (0, Some(InvalidConfiguration::NoRules)),
            (1, None),
            (100, None),
            (101, Some(InvalidConfiguration::TooManyRules(101))),
        ] {
            assert_eq!(CorsConfiguration::new(vec![rule.clone(); count]).err(), expected, "{count} rules");
        }
    }
}

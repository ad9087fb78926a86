//! A rule on its way from another form, and what S3 has no equivalent for.

use s3_cors::{
    AllowedMethod, CorsConfiguration, CorsRule, ExposedHeader, HeaderPattern, InvalidHeaderName, OriginPattern,
};

/// The texts of a rule, as the other form has them.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) id: Option<String>,
    pub(super) origins: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) headers: Vec<String>,
    pub(super) expose: Vec<String>,
    pub(super) max_age: Option<i64>,
}

/// What a document becomes.
#[derive(Debug, Default)]
pub(super) struct Conversion {
    rules: Vec<CorsRule>,
    warnings: Vec<String>,
    errors: Vec<String>,
}

impl Conversion {
    pub(super) fn warn(&mut self, place: &str, what: &str) {
        self.warnings.push(format!("{place}: {what}"));
    }

    pub(super) fn refuse(&mut self, place: &str, what: &str) {
        self.errors.push(format!("{place}: {what}"));
    }

    /// The configuration and the warnings, or the errors.
    pub(super) fn finish(mut self) -> Result<(CorsConfiguration, Vec<String>), Vec<String>> {
        if self.errors.is_empty() {
            match CorsConfiguration::new(self.rules) {
                Ok(configuration) => return Ok((configuration, self.warnings)),
                Err(invalid) => self.errors.push(invalid.to_string()),
            }
        }
        self.warnings.append(&mut self.errors);
        Err(self.warnings)
    }

    pub(super) const fn errors(&self) -> usize {
        self.errors.len()
    }

    /// Adds a rule, which warnings and errors call by its place. With more than `errors` errors it is not whole.
    pub(super) fn add(&mut self, place: &str, draft: Draft, errors: usize) {
        let methods = self.methods(place, &draft.methods);
        let origins = self.each(place, "origin", &draft.origins, OriginPattern::parse);
        let headers = self.each(place, "header", &draft.headers, HeaderPattern::parse);
        let expose = self.exposed(place, &draft.expose);
        if self.errors.len() > errors {
            return;
        }
        match CorsRule::new(origins, methods) {
            Ok(rule) => self.rules.push(
                rule.with_id(draft.id)
                    .with_allowed_headers(headers)
                    .with_expose_headers(expose)
                    .with_max_age_seconds(draft.max_age),
            ),
            Err(invalid) => self.refuse(place, &invalid.to_string()),
        }
    }

    fn methods(&mut self, place: &str, texts: &[String]) -> Vec<AllowedMethod> {
        let mut methods: Vec<AllowedMethod> = Vec::new();
        for text in texts {
            let named = text.to_ascii_uppercase();
            match AllowedMethod::from_name(named.as_bytes()) {
                _ if named == "*" => return AllowedMethod::ALL.to_vec(),
                Some(method) if methods.contains(&method) => {}
                Some(method) => methods.push(method),
                None if named == "OPTIONS" => {
                    self.warn(place, "OPTIONS is left out: S3 responds to preflights without it");
                }
                None => self.warn(place, &format!("method {text} is left out: S3 has no equivalent")),
            }
        }
        methods
    }

    fn exposed(&mut self, place: &str, texts: &[String]) -> Vec<ExposedHeader> {
        let (open, full): (Vec<_>, Vec<_>) = texts
            .iter()
            .cloned()
            .partition(|text| matches!(ExposedHeader::parse(text), Err(InvalidHeaderName::Wildcard)));
        for text in open {
            self.warn(place, &format!("exposed header {text} is left out: S3 exposes full names only, list each"));
        }
        self.each(place, "exposed header", &full, ExposedHeader::parse)
    }

    fn each<T, E: std::fmt::Display>(
        &mut self,
        place: &str,
        what: &str,
        texts: &[String],
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let mut values = Vec::new();
        for text in texts {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(error) => self.refuse(place, &format!("{what} {text:?}: {error}")),
            }
        }
        values
    }
}

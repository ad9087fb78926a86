//! The CORS headers of a response, as a browser reads them.
//!
//! Decides: the CORS check, what a preflight's response allows, and which headers a script may read. Must not know: rules, which
//! [`evaluate`](crate::evaluate) has asked.

use super::fetch::CredentialsMode;
use super::prediction::{Cause, Visible};
use crate::{Decision, Reason};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
};

/// "CORS non-wildcard request-header name".
pub(super) const NON_WILDCARD: &str = "authorization";

/// The CORS headers of a response.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Why there is no grant.
    reason: Reason,
    /// The rule that grants.
    pub(super) rule: Option<usize>,
    allow_origin: Option<String>,
    allows_credentials: bool,
    methods: Vec<String>,
    /// In lower case, as the next one.
    headers: Vec<String>,
    exposed: Vec<String>,
    pub(super) max_age: Option<u64>,
}

impl Answer {
    pub(super) fn of(decision: &Decision) -> Self {
        let mut answer = Self {
            reason: decision.reason(),
            rule: decision.rule().map(crate::CompiledRule::number),
            allow_origin: None,
            allows_credentials: false,
            methods: Vec::new(),
            headers: Vec::new(),
            exposed: Vec::new(),
            max_age: None,
        };
        if let Some(grant) = decision.grant() {
            grant.for_each_header(|name, value| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                match *name {
                    ACCESS_CONTROL_ALLOW_ORIGIN => answer.allow_origin = Some(value),
                    ACCESS_CONTROL_ALLOW_CREDENTIALS => answer.allows_credentials = value == "true",
                    ACCESS_CONTROL_ALLOW_METHODS => answer.methods = items(&value).map(str::to_owned).collect(),
                    ACCESS_CONTROL_ALLOW_HEADERS => {
                        answer.headers = items(&value).map(str::to_ascii_lowercase).collect();
                    }
                    ACCESS_CONTROL_EXPOSE_HEADERS => {
                        answer.exposed = items(&value).map(str::to_ascii_lowercase).collect();
                    }
                    ACCESS_CONTROL_MAX_AGE => answer.max_age = value.parse().ok(),
                    _ => {}
                }
            });
        }
        answer
    }

    /// "CORS check".
    pub(super) fn check(&self, origin: &str, credentials: CredentialsMode) -> Result<(), Cause> {
        let includes = credentials == CredentialsMode::Include;
        match self.allow_origin.as_deref() {
            None => Err(Cause::NotAllowed(self.reason)),
            Some("*") if !includes => Ok(()),
            Some("*") => Err(Cause::AnyOriginWithCredentials),
            Some(allowed) if allowed != origin => Err(Cause::OtherOrigin),
            Some(_) if includes && !self.allows_credentials => Err(Cause::CredentialsNotAllowed),
            Some(_) => Ok(()),
        }
    }

    /// Whether the response to a preflight allows the request ("CORS-preflight fetch", from its step 7 on). A denial has no
    /// `Access-Control-Allow-Origin`, so that its status need not be asked for.
    pub(super) fn allows(
        &self,
        origin: &str,
        credentials: CredentialsMode,
        method: &str,
        unsafe_names: &[&str],
    ) -> Result<(), Cause> {
        self.check(origin, credentials)?;
        let any = |list: &[String]| credentials != CredentialsMode::Include && list.iter().any(|item| item == "*");
        let lists_method = self.methods.iter().any(|listed| listed == method);
        if !lists_method && !super::fetch::is_safelisted_method(method) && !any(&self.methods) {
            return Err(Cause::MethodNotListed);
        }
        let is_listed = |name: &str| self.headers.iter().any(|listed| listed == name);
        let refused = |name: &&&str| !is_listed(name) && (**name == NON_WILDCARD || !any(&self.headers));
        match unsafe_names.iter().find(refused) {
            Some(name) => Err(Cause::HeaderNotListed((*name).into())),
            None => Ok(()),
        }
    }

    /// "CORS-exposed header-name list", without those that a script reads of every response; `None` for all.
    pub(super) fn exposed(&self, credentials: CredentialsMode) -> Visible {
        if credentials != CredentialsMode::Include && self.exposed.iter().any(|name| name == "*") {
            return Visible::All;
        }
        Visible::Listed(self.exposed.clone())
    }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use CredentialsMode::{Include, Omit, SameOrigin};

    fn answer(origin: Option<&str>, credentials: bool, methods: &[&str], headers: &[&str], exposed: &[&str]) -> Answer {
        let owned = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect();
        Answer {
            reason: Reason::Origin,
            rule: None,
            allow_origin: origin.map(Into::into),
            allows_credentials: credentials,
            methods: owned(methods),
            headers: owned(headers),
            exposed: owned(exposed),
            max_age: None,
        }
    }

    #[test]
    fn the_cors_check_is_that_of_the_standard() {
        for (origin, allows_credentials, credentials, expected) in [
            (None, false, Omit, Err(Cause::NotAllowed(Reason::Origin))),
            (Some("*"), false, Omit, Ok(())),
            (Some("*"), false, SameOrigin, Ok(())),
            (Some("*"), true, Include, Err(Cause::AnyOriginWithCredentials)),
            (Some("https://a"), false, SameOrigin, Ok(())),
            (Some("https://a"), false, Include, Err(Cause::CredentialsNotAllowed)),
            (Some("https://a"), true, Include, Ok(())),
            (Some("https://b"), true, Omit, Err(Cause::OtherOrigin)),
            (Some("null"), true, Omit, Err(Cause::OtherOrigin)),
        ] {
            let answer = answer(origin, allows_credentials, &[], &[], &[]);
            assert_eq!(answer.check("https://a", credentials), expected, "{origin:?} {credentials}");
        }
    }

    #[test]
    fn a_preflight_allows_what_it_lists_and_a_star_only_without_credentials() {
        let listed = |name: &str| Err(Cause::HeaderNotListed(name.into()));
        for (methods, headers, credentials, method, names, expected) in [
            (&["PUT"][..], &[][..], Include, "PUT", &[][..], Ok(())),
            (&[], &[], Include, "PUT", &[], Err(Cause::MethodNotListed)),
            (&[], &[], Include, "POST", &[], Ok(())),
            (&["put"], &[], Include, "PUT", &[], Err(Cause::MethodNotListed)),
            (&["*"], &[], Include, "PUT", &[], Err(Cause::MethodNotListed)),
            (&["*"], &[], SameOrigin, "PUT", &[], Ok(())),
            (&[], &["x-a", "x-b"], Include, "GET", &["x-a", "x-b"], Ok(())),
            (&[], &["x-a"], Include, "GET", &["x-a", "x-b"], listed("x-b")),
            (&[], &["*"], Omit, "GET", &["x-a"], Ok(())),
            (&[], &["*"], Include, "GET", &["x-a"], listed("x-a")),
            (&[], &["*"], Omit, "GET", &["authorization"], listed("authorization")),
        ] {
            let answer = answer(Some("https://a"), true, methods, headers, &[]);
            assert_eq!(answer.allows("https://a", credentials, method, names), expected, "{method} {names:?}");
        }
    }

    #[test]
    fn a_script_reads_what_is_exposed_and_what_always_is() {
        for (exposed, credentials, name, expected) in [
            (&[][..], Omit, "Content-Length", true),
            (&[], Omit, "ETag", false),
            (&["etag"], Omit, "ETag", true),
            (&["set-cookie"], Omit, "Set-Cookie", false),
            (&["*"], Omit, "ETag", true),
            (&["*"], Omit, "Set-Cookie2", false),
            (&["*"], Include, "ETag", false),
        ] {
            let visible = answer(Some("*"), false, &[], &[], exposed).exposed(credentials);
            assert_eq!(visible.shows(name), expected, "{exposed:?} {credentials} {name}");
        }
    }
}

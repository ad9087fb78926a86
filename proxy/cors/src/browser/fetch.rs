//! What a script asks for: the arguments of `fetch()`.
//!
//! Decides: what the constructor of a Request accepts and makes of them (Fetch, "new Request"). Must not know: rules.

use super::origin::PageOrigin;
use super::safelist::{is_forbidden, is_forbidden_method, is_no_cors_safelisted, unsafe_names};
use crate::header_name::is_token_or_empty;
use crate::names::names;
use std::str::FromStr;

/// The methods that a Request writes in upper case (Fetch, "normalize a method"). PATCH stays as it is.
const NORMALISED: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];

/// The `mode` of a fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// With CORS: `fetch()`, a font, a module, an element with `crossorigin`.
    #[default]
    Cors,
    /// Without: `<img>` and the like. A script sees nothing of the response.
    NoCors,
}

/// The `credentials` of a fetch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CredentialsMode {
    /// Never.
    Omit,
    /// To the page's own origin: what `fetch()` does if nothing is said.
    #[default]
    SameOrigin,
    /// Also to others. The response must then allow it.
    Include,
}

/// When a preflight comes before the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Preflights {
    /// Only if method or headers need one.
    #[default]
    AsNeeded,
    /// Always (Fetch, "use-CORS-preflight flag").
    Always,
    /// Not before the first request: it came without one, or by an earlier grant.
    NotNow,
}

/// A value that such a setting does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not one of {known}")]
pub struct UnknownValue {
    value: String,
    known: &'static str,
}

names!(pub(super) Mode: Cors = "cors", NoCors = "no-cors");
names!(pub(super) CredentialsMode: Omit = "omit", SameOrigin = "same-origin", Include = "include");

impl FromStr for Mode {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let unknown = || UnknownValue { value: text.into(), known: "cors, no-cors" };
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(unknown)
    }
}

impl FromStr for CredentialsMode {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let unknown = || UnknownValue { value: text.into(), known: "omit, same-origin, include" };
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(unknown)
    }
}

/// Why `fetch()` throws: nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Thrown {
    /// The method is no token.
    #[error("fetch() throws: {0:?} is not a method")]
    NotAMethod(Box<str>),
    /// CONNECT, TRACE or TRACK.
    #[error("fetch() throws: no script may use {0}")]
    ForbiddenMethod(Box<str>),
    /// Without CORS, a method other than GET, HEAD and POST.
    #[error("fetch() throws: {0} needs mode cors")]
    MethodNeedsCors(Box<str>),
    /// The name of a header is no token.
    #[error("fetch() throws: {0:?} is not a header's name")]
    NotAHeaderName(Box<str>),
    /// The value of a header has a line break, a NUL or a character beyond U+00FF.
    #[error("fetch() throws: the value of {0} has a character that no header can have")]
    NotAHeaderValue(Box<str>),
}

/// A header that a script sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScriptHeader {
    /// In lower case.
    pub(super) name: Box<str>,
    /// `None` if only the name is known: then it is taken for a value that is not safelisted.
    pub(super) value: Option<Box<str>>,
}

/// A request as a script makes it.
#[derive(Clone, Debug)]
pub struct Fetch {
    pub(super) page: PageOrigin,
    pub(super) method: Box<str>,
    pub(super) headers: Vec<ScriptHeader>,
    pub(super) dropped: Vec<Box<str>>,
    pub(super) mode: Mode,
    pub(super) credentials: CredentialsMode,
    pub(super) preflights: Preflights,
}

impl Fetch {
    /// A request of this page, as the browser takes it from a script. A header without a value is taken for one whose value CORS must
    /// allow.
    ///
    /// # Errors
    /// [`Thrown`] if `fetch()` throws instead.
    pub fn new<'h>(
        page: PageOrigin,
        method: &str,
        headers: impl IntoIterator<Item = (&'h str, Option<&'h str>)>,
        mode: Mode,
        credentials: CredentialsMode,
    ) -> Result<Self, Thrown> {
        let method = normalised(method)?;
        if mode == Mode::NoCors && !is_safelisted_method(&method) {
            return Err(Thrown::MethodNeedsCors(method));
        }
        let (headers_set, dropped, preflights) = Default::default();
        let mut fetch = Self { page, method, headers: headers_set, dropped, mode, credentials, preflights };
        for (name, value) in headers {
            fetch.add_header(name, value)?;
        }
        Ok(fetch)
    }

    /// The same with a preflight in any case: the page listens to the progress of an upload (XMLHttpRequest, "upload listener flag"), or
    /// the body is a stream (Fetch, "new Request").
    #[must_use]
    pub fn with_preflight(self) -> Self {
        Self { preflights: Preflights::Always, ..self }
    }

    /// The same without a preflight: the request itself is known to have come.
    #[must_use]
    pub fn without_preflight(self) -> Self {
        Self { preflights: Preflights::NotNow, ..self }
    }

    /// Returns the method as it is sent (Fetch, "normalize a method").
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// What a preflight asks for as `Access-Control-Request-Headers`: the names that are not safelisted, sorted. Empty if there are
    /// none.
    #[must_use]
    pub fn request_headers(&self) -> String {
        unsafe_names(self.headers.iter().map(|header| (&*header.name, header.value.as_deref()))).join(",")
    }

    /// "Append a header to a Headers object": one that scripts may not set is dropped, not an error.
    fn add_header(&mut self, name: &str, value: Option<&str>) -> Result<(), Thrown> {
        if name.is_empty() || !is_token_or_empty(name.as_bytes()) {
            return Err(Thrown::NotAHeaderName(name.into()));
        }
        let name: Box<str> = name.to_ascii_lowercase().into();
        let value = value.map(|value| value.trim_matches([' ', '\t', '\r', '\n']));
        if value.is_some_and(|value| value.contains(|c: char| matches!(c, '\0' | '\r' | '\n') || c > '\u{ff}')) {
            return Err(Thrown::NotAHeaderValue(name));
        }
        let may_be_sent = match self.mode {
            Mode::Cors => !is_forbidden(&name, value),
            Mode::NoCors => is_no_cors_safelisted(&name, value),
        };
        if may_be_sent {
            self.headers.push(ScriptHeader { name, value: value.map(Into::into) });
        } else {
            self.dropped.push(name);
        }
        Ok(())
    }
}

fn normalised(method: &str) -> Result<Box<str>, Thrown> {
    if method.is_empty() || !is_token_or_empty(method.as_bytes()) {
        return Err(Thrown::NotAMethod(method.into()));
    }
    if is_forbidden_method(method) {
        return Err(Thrown::ForbiddenMethod(method.into()));
    }
    let known = NORMALISED.iter().find(|known| known.eq_ignore_ascii_case(method));
    Ok(known.map_or(method, |known| known).into())
}

/// "CORS-safelisted method".
pub(super) fn is_safelisted_method(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "POST")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(method: &str, headers: &[(&str, Option<&str>)], mode: Mode) -> Result<Fetch, Thrown> {
        Fetch::new(PageOrigin::Opaque, method, headers.iter().copied(), mode, CredentialsMode::Omit)
    }

    #[test]
    fn a_method_is_normalised_unless_the_standard_forgot_it() {
        for (method, mode, expected) in [
            ("get", Mode::Cors, Ok("GET")),
            ("Put", Mode::Cors, Ok("PUT")),
            ("options", Mode::Cors, Ok("OPTIONS")),
            ("patch", Mode::Cors, Ok("patch")),
            ("PURGE", Mode::Cors, Ok("PURGE")),
            ("post", Mode::NoCors, Ok("POST")),
            ("put", Mode::NoCors, Err(Thrown::MethodNeedsCors("PUT".into()))),
            ("trace", Mode::Cors, Err(Thrown::ForbiddenMethod("trace".into()))),
            ("a b", Mode::Cors, Err(Thrown::NotAMethod("a b".into()))),
            ("", Mode::Cors, Err(Thrown::NotAMethod("".into()))),
        ] {
            assert_eq!(fetch(method, &[], mode).map(|fetch| fetch.method).as_deref(), expected.as_deref(), "{method}");
        }
    }

    #[test]
    fn headers_that_scripts_may_not_set_are_dropped_and_malformed_ones_throw() {
        let headers = [("Cookie", Some("a")), ("X-A", Some(" 1 ")), ("accept", Some("*/*")), ("range", None)];
        let names = |fetch: &Fetch| fetch.headers.iter().map(|header| header.name.to_string()).collect::<Vec<_>>();
        let cors = fetch("GET", &headers, Mode::Cors).unwrap();
        assert_eq!(
            (names(&cors), &*cors.dropped),
            (vec!["x-a".into(), "accept".into(), "range".into()], &["cookie".into()][..])
        );
        assert_eq!(cors.headers[0].value.as_deref(), Some("1"));
        let no_cors = fetch("GET", &headers, Mode::NoCors).unwrap();
        assert_eq!((names(&no_cors), no_cors.dropped.len()), (vec!["accept".to_owned()], 3));
        for (name, value) in [("a b", "1"), ("", "1"), ("x-a", "a\nb"), ("x-a", "\u{100}")] {
            assert!(fetch("GET", &[(name, Some(value))], Mode::Cors).is_err(), "{name:?}: {value:?}");
        }
    }

    #[test]
    fn settings_have_the_names_of_fetch() {
        assert_eq!("no-cors".parse(), Ok(Mode::NoCors));
        assert_eq!("include".parse(), Ok(CredentialsMode::Include));
        assert_eq!(
            "always".parse::<CredentialsMode>().unwrap_err().to_string(),
            "\"always\" is not one of omit, same-origin, include"
        );
    }
}

//! How a page asks: what a browser's verdict depends on besides origin, method and names of headers.
//!
//! Decides: which settings there are and how they are written, and which request a browser makes of them: the rules and the browser are
//! asked about that one. Must not know: who asks.

use super::browser_verdict::BrowserVerdict;
use super::written_origin::page_origin;
use super::{Explained, Question, UnsendableValue, explain_request};
use crate::rules::{Bucket, Snapshot};
use crate::s3::domain::without_user;
use s3_cors::browser::{
    CredentialsMode, Fetch, Mode, NoServerOrigin, PageOrigin, Prediction, Redirect, ServerOrigin, Target, Thrown,
    predict,
};
use s3_cors::{RequestKind, RuleTable};
use std::borrow::Cow;
use std::str::FromStr;

/// How a page asks, beyond its origin, the method and the names of headers.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// With CORS or without.
    pub mode: Mode,
    /// Which requests have credentials.
    pub credentials: CredentialsMode,
    /// Headers with their values, which decide whether a preflight asks about them.
    pub headers: Vec<HeaderLine>,
    /// The headers of the response that the page reads.
    pub read: Vec<String>,
    /// The origin of the request's URL; if it is not known, another one than the page's.
    pub target: Option<ServerOrigin>,
    /// The redirects that the response leads to, in order.
    pub redirects: Vec<RedirectTo>,
    /// Their status.
    pub redirect_status: u16,
    /// True if a preflight comes in any case: the page listens to the progress of an upload, or the body is a stream.
    pub forces_preflight: bool,
}

impl FetchSettings {
    /// That of a redirect if nothing else is said: S3 redirects to a bucket's region so.
    pub const REDIRECT_STATUS: u16 = 307;
}

impl Default for FetchSettings {
    /// Those of `fetch()`.
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            credentials: CredentialsMode::default(),
            headers: Vec::new(),
            read: Vec::new(),
            target: None,
            redirects: Vec::new(),
            redirect_status: Self::REDIRECT_STATUS,
            forces_preflight: false,
        }
    }
}

/// A header that a page sets, written as `Name: value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderLine {
    name: Box<str>,
    value: Box<str>,
}

/// Where a redirect leads: an origin, and a bucket as the first part of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTo {
    origin: ServerOrigin,
    /// `None`: the same bucket.
    bucket: Option<Box<str>>,
}

/// A setting that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// No `:` in a header.
    #[error("{0:?} is not of the form \"Name: value\"")]
    Header(String),
    /// What is before the path is no origin.
    #[error("{text:?} does not begin with the origin of a server: {why}")]
    Redirect {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: NoServerOrigin,
    },
    /// Not one of the statuses that redirect.
    #[error("{0:?} is not one of 301, 302, 303, 307, 308")]
    Status(String),
}

impl FromStr for HeaderLine {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let (name, value) = text.split_once(':').ok_or_else(|| InvalidSetting::Header(without_user(text)))?;
        Ok(Self { name: name.trim().into(), value: value.trim().into() })
    }
}

impl FromStr for RedirectTo {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let path =
            text.find("://").and_then(|scheme| text.get(scheme + 3..)?.find('/').map(|slash| scheme + 3 + slash));
        let (origin, path) = text.split_at(path.unwrap_or(text.len()));
        let origin =
            ServerOrigin::parse(origin).map_err(|why| InvalidSetting::Redirect { text: without_user(text), why })?;
        let bucket = path.split(['/', '?', '#']).nth(1).filter(|bucket| !bucket.is_empty());
        Ok(Self { origin, bucket: bucket.map(Into::into) })
    }
}

/// Reads the status of a redirect.
///
/// # Errors
/// [`InvalidSetting`] for any other status.
pub fn redirect_status(text: &str) -> Result<u16, InvalidSetting> {
    let status = text.parse().ok().filter(|status| matches!(status, 301 | 302 | 303 | 307 | 308));
    status.ok_or_else(|| InvalidSetting::Status(text.into()))
}

impl FetchSettings {
    /// Asks the rules of a bucket about a request as a browser sends it, and what a browser does with the response.
    ///
    /// # Errors
    /// [`UnsendableValue`] when no request could carry what is asked about.
    pub fn explain(
        &self,
        question: &Question<'_>,
        bucket: &Bucket,
        live: &Snapshot,
    ) -> Result<Explained, UnsendableValue> {
        let origin = page_origin(question.origin).map_or(Cow::Borrowed(question.origin), Cow::Owned);
        let question = Question { origin: &origin, ..question.clone() };
        let Ok(page) = PageOrigin::parse(&origin) else { return explain_request(bucket, &question) };
        match self.fetch(page, &question) {
            Err(thrown) => {
                let mut explained = explain_request(bucket, &question)?;
                explained.browser = Some(BrowserVerdict::thrown(&thrown));
                Ok(explained)
            }
            Ok(fetch) => {
                let prediction = self.predict(&fetch, bucket, live);
                let names = fetch.request_headers();
                let kind = match prediction.steps.first().is_some_and(|step| step.preflight.is_some()) {
                    true => RequestKind::Preflight,
                    false => RequestKind::Actual,
                };
                let request_headers = Some(&*names).filter(|names| !names.is_empty());
                let sent = Question { kind, method: fetch.method(), request_headers, ..question };
                let mut explained = explain_request(bucket, &sent)?;
                if prediction.steps.first().is_some_and(|step| step.is_same_origin) {
                    explained
                        .notes
                        .push("page and URL have the same origin, so that CORS has no part in it".to_owned());
                }
                explained.browser = Some(BrowserVerdict::new(&prediction, &self.read));
                Ok(explained)
            }
        }
    }

    /// Asks the rules of a bucket about a request that came, and what a browser does with the response to such a one. Nothing about it is
    /// written as a browser would write it: what came is known.
    ///
    /// # Errors
    /// [`UnsendableValue`] when no request could carry what is asked about.
    pub fn explain_recorded(
        question: &Question<'_>,
        bucket: &Bucket,
        live: &Snapshot,
    ) -> Result<Explained, UnsendableValue> {
        let mut explained = explain_request(bucket, question)?;
        let Ok(page) = PageOrigin::parse(question.origin) else { return Ok(explained) };
        let asks = question.kind == RequestKind::Preflight;
        // No request says that upload listeners or a stream forced its preflight; that it came shows it.
        let settings = Self { forces_preflight: asks, ..Self::default() };
        let fetch = settings.fetch(page, question).ok().filter(|fetch| fetch.method() == question.method);
        let fetch = fetch.map(|fetch| if asks { fetch } else { fetch.without_preflight() });
        explained.browser = fetch.map(|fetch| BrowserVerdict::new(&settings.predict(&fetch, bucket, live), &[]));
        Ok(explained)
    }

    fn predict(&self, fetch: &Fetch, bucket: &Bucket, live: &Snapshot) -> Prediction {
        let rules = bucket.rules.as_ref();
        let redirects: Vec<_> = self.redirects.iter().map(|to| self.redirect(to, rules, live)).collect();
        predict(fetch, Target { origin: self.target.as_ref(), rules }, &redirects)
    }

    fn redirect<'t>(&self, to: &'t RedirectTo, rules: Option<&'t RuleTable>, live: &'t Snapshot) -> Redirect<'t> {
        let rules = match &to.bucket {
            Some(name) => live.bucket(Some(name)).rules.as_ref(),
            None => rules,
        };
        Redirect { status: self.redirect_status, to: Target { origin: Some(&to.origin), rules } }
    }

    /// A header whose value is given is not also one of those of which only the name is.
    fn fetch(&self, page: PageOrigin, question: &Question<'_>) -> Result<Fetch, Thrown> {
        let with_value = self.headers.iter().map(|header| (&*header.name, Some(&*header.value)));
        let is_given = |name: &str| self.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
        let named = question.request_headers.unwrap_or_default().split(',').map(str::trim);
        let named = named.filter(|name| !name.is_empty() && !is_given(name)).map(|name| (name, None));
        let fetch = Fetch::new(page, question.method, with_value.chain(named), self.mode, self.credentials)?;
        Ok(if self.forces_preflight { fetch.with_preflight() } else { fetch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_an_origin_and_perhaps_a_bucket() {
        for (text, expected) in [
            ("https://s3.example", Some(("https://s3.example", None))),
            ("https://s3.example/", Some(("https://s3.example", None))),
            ("https://s3.example:9000/other", Some(("https://s3.example:9000", Some("other")))),
            ("http://s3.example/other/a/key?x=1", Some(("http://s3.example", Some("other")))),
            ("http://s3.example/other?x=1", Some(("http://s3.example", Some("other")))),
            ("s3.example/other", None),
            ("ftp://s3.example", None),
            ("", None),
        ] {
            let read = text.parse::<RedirectTo>().ok();
            let parts = read.as_ref().map(|to| (to.origin.as_str(), to.bucket.as_deref()));
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn settings_are_read_or_named_in_the_error() {
        assert_eq!("X-A : 1:2 ".parse(), Ok(HeaderLine { name: "X-A".into(), value: "1:2".into() }));
        assert_eq!("X-A".parse::<HeaderLine>().unwrap_err().to_string(), "\"X-A\" is not of the form \"Name: value\"");
        assert_eq!(redirect_status("302"), Ok(302));
        assert_eq!(redirect_status("304").unwrap_err().to_string(), "\"304\" is not one of 301, 302, 303, 307, 308");
    }
}

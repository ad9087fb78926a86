//! How a page asks: what a browser's verdict depends on besides origin, method and names of headers.
//!
//! Decides: which settings there are and how they are written. Must not know: who asks.

use super::browser_verdict::BrowserVerdict;
use super::{Explained, Question, UnsendableValue, explain_request};
use crate::rules::{Bucket, Snapshot};
use crate::s3::domain::without_user;
use s3_cors::RuleTable;
use s3_cors::browser::{
    CredentialsMode, Fetch, Mode, NoServerOrigin, PageOrigin, Redirect, ServerOrigin, Target, Thrown, predict,
};
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
    /// Asks the rules of a bucket about a request, and what a browser does with the response.
    ///
    /// # Errors
    /// [`UnsendableValue`] when no request could carry what is asked about.
    pub fn explain(
        &self,
        question: &Question<'_>,
        bucket: &Bucket,
        live: &Snapshot,
    ) -> Result<Explained, UnsendableValue> {
        let request_headers = self.request_headers(question);
        let question = Question { request_headers: request_headers.as_deref(), ..question.clone() };
        let mut explained = explain_request(bucket, &question)?;
        explained.browser = self.verdict(&question, bucket, live);
        Ok(explained)
    }

    /// The headers that the rules are asked about: those that were named, and those of the header lines that a preflight asks about.
    fn request_headers(&self, question: &Question<'_>) -> Option<String> {
        let page = PageOrigin::parse(question.origin).ok();
        let fetch = page.and_then(|page| self.fetch(page, question).ok());
        match fetch {
            Some(fetch) if !self.headers.is_empty() => Some(fetch.request_headers()).filter(|list| !list.is_empty()),
            _ => question.request_headers.map(Into::into),
        }
    }

    /// What a browser does; `None` for a page with an origin that no browser has.
    fn verdict(&self, question: &Question<'_>, bucket: &Bucket, live: &Snapshot) -> Option<BrowserVerdict> {
        let page = PageOrigin::parse(question.origin).ok()?;
        let fetch = match self.fetch(page, question) {
            Ok(fetch) => fetch,
            Err(thrown) => return Some(BrowserVerdict::thrown(&thrown)),
        };
        let rules = bucket.rules.as_ref();
        let redirects: Vec<_> = self.redirects.iter().map(|to| self.redirect(to, rules, live)).collect();
        let prediction = predict(&fetch, Target { origin: self.target.as_ref(), rules }, &redirects);
        Some(BrowserVerdict::new(&prediction, &self.read))
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
        Fetch::new(page, question.method, with_value.chain(named), self.mode, self.credentials)
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

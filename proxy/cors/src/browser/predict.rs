//! A request on its way: preflight, request, response, redirect.
//!
//! Decides: what is sent in which order, and where the browser stops. The rules are asked by [`evaluate`].

use super::answer::{Answer, NON_WILDCARD};
use super::chromium::ends_at_redirect;
use super::fetch::{Fetch, Mode, Preflights, ScriptHeader, is_safelisted_method};
use super::note::{Note, notes};
use super::origin::ServerOrigin;
use super::prediction::{Blocked, Cause, Ending, Preflight, Stage, Step, Visible};
use super::safelist::unsafe_names;
use crate::{CorsRequest, RuleTable, evaluate};
use std::borrow::Cow;

/// "Request-body-header name": these go when a redirect takes the body away.
const OF_BODY: [&str; 4] = ["content-encoding", "content-language", "content-location", "content-type"];

/// What is requested: a bucket, or an object in it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// The origin of its URL. `None`: another one than the page's.
    pub origin: Option<&'t ServerOrigin>,
    /// The bucket's rules.
    pub rules: Option<&'t RuleTable>,
}

/// A redirect that is the response.
#[derive(Clone, Copy, Debug)]
pub struct Redirect<'t> {
    /// Its status: 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Where it leads.
    pub to: Target<'t>,
}

/// The result of a request in a browser.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Prediction {
    /// The request, and again after each redirect.
    pub steps: Vec<Step>,
    /// The result for the script.
    pub ending: Ending,
    /// Notes on it.
    pub notes: Vec<Note>,
}

impl Prediction {
    /// The headers among these that the script cannot read, whether they are there or not. None if it gets no response.
    pub fn hidden<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
        match &self.ending {
            Ending::Reads(visible) => names.into_iter().filter(|name| !visible.shows(name)).collect(),
            Ending::Opaque | Ending::Blocked(_) => Vec::new(),
        }
    }

    /// Returns whether the last request is sent, and so carried out.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.steps.last().is_some_and(|step| step.is_sent)
    }
}

/// Predicts what becomes of a request whose responses redirect it so. The last one is an ordinary response, of any status.
#[must_use]
pub fn predict(fetch: &Fetch, target: Target<'_>, redirects: &[Redirect<'_>]) -> Prediction {
    let mut walk = Walk::new(fetch);
    let mut ending = walk.request(target);
    let mut from = target;
    for redirect in redirects {
        if matches!(ending, Ending::Blocked(_)) {
            break;
        }
        walk.follow(from.origin, redirect);
        ending = walk.request(redirect.to);
        from = redirect.to;
    }
    let targets = std::iter::once(target).chain(redirects.iter().map(|redirect| redirect.to));
    let notes = notes(fetch, targets.map(|target| target.origin), &walk.steps, &ending);
    Prediction { steps: walk.steps, ending, notes }
}

/// "Response tainting".
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tainting {
    Basic,
    Cors,
    Opaque,
}

/// A request between redirects.
struct Walk<'f> {
    fetch: &'f Fetch,
    method: Cow<'f, str>,
    headers: Vec<&'f ScriptHeader>,
    tainting: Tainting,
    /// Whether the origin is `null` from now on ("redirect-tainted origin").
    is_tainted: bool,
    steps: Vec<Step>,
}

impl<'f> Walk<'f> {
    fn new(fetch: &'f Fetch) -> Self {
        let headers = fetch.headers.iter().collect();
        let (method, tainting) = (Cow::Borrowed(&*fetch.method), Tainting::Basic);
        Self { fetch, method, headers, tainting, is_tainted: false, steps: Vec::new() }
    }

    /// "Serializing a request origin".
    fn origin(&self) -> &'f str {
        if self.is_tainted { "null" } else { self.fetch.page.as_str() }
    }

    /// "Main fetch", step 12: whether CORS has a part in it.
    fn request(&mut self, target: Target<'_>) -> Ending {
        let is_own = self.tainting == Tainting::Basic && self.fetch.page.is(target.origin);
        self.steps.push(Step {
            origin: self.origin().into(),
            method: self.method.clone().into_owned(),
            is_same_origin: is_own,
            preflight: None,
            is_sent: false,
            rule: None,
        });
        if target.origin.is_some_and(|target| self.fetch.page.has_as_mixed_content(target)) {
            return Ending::Blocked(Blocked { stage: Stage::Before, cause: Cause::MixedContent, rule: None });
        }
        if is_own {
            self.step(|step| step.is_sent = true);
            return Ending::Reads(Visible::All);
        }
        if self.fetch.mode == Mode::NoCors {
            self.tainting = Tainting::Opaque;
            self.step(|step| step.is_sent = true);
            return Ending::Opaque;
        }
        self.tainting = Tainting::Cors;
        self.with_cors(target.rules).unwrap_or_else(Ending::Blocked)
    }

    fn step(&mut self, change: impl FnOnce(&mut Step)) {
        if let Some(step) = self.steps.last_mut() {
            change(step);
        }
    }

    /// "HTTP fetch", steps 4.1 and 4.5: a preflight where it is needed, then the request and the CORS check of its response.
    fn with_cors(&mut self, rules: Option<&RuleTable>) -> Result<Ending, Blocked> {
        let (origin, credentials) = (self.origin(), self.fetch.credentials);
        let names = unsafe_names(self.headers.iter().map(|header| (&*header.name, header.value.as_deref())));
        let asks = match self.fetch.preflights {
            Preflights::Always => true,
            Preflights::NotNow if self.steps.len() == 1 => false,
            Preflights::AsNeeded | Preflights::NotNow => !is_safelisted_method(&self.method) || !names.is_empty(),
        };
        if asks {
            let asked = Some(names.join(",")).filter(|list| !list.is_empty());
            let answer = self.preflight(rules, asked.as_deref());
            let result = answer.allows(origin, credentials, &self.method, &names);
            let preflight = Preflight {
                request_headers: asked,
                is_granted: result.is_ok(),
                rule: answer.rule,
                max_age: answer.max_age,
            };
            self.step(|step| step.preflight = Some(preflight));
            result.map_err(|cause| Blocked { stage: Stage::Preflight, cause, rule: answer.rule })?;
        }
        let mut request = CorsRequest::new(self.method.as_bytes());
        request.add_line(b"origin", origin.as_bytes());
        let answer = Answer::of(&evaluate(rules, &request));
        self.step(|step| (step.is_sent, step.rule) = (true, answer.rule));
        answer.check(origin, credentials).map_err(|cause| Blocked {
            stage: Stage::Response,
            cause,
            rule: answer.rule,
        })?;
        Ok(Ending::Reads(answer.exposed(credentials)))
    }

    /// "CORS-preflight fetch".
    fn preflight(&self, rules: Option<&RuleTable>, request_headers: Option<&str>) -> Answer {
        let mut request = CorsRequest::new(b"OPTIONS");
        request.add_line(b"origin", self.origin().as_bytes());
        request.add_line(b"access-control-request-method", self.method.as_bytes());
        if let Some(names) = request_headers {
            request.add_line(b"access-control-request-headers", names.as_bytes());
        }
        Answer::of(&evaluate(rules, &request))
    }

    /// "HTTP-redirect fetch", from its step 11 on.
    fn follow(&mut self, from: Option<&ServerOrigin>, redirect: &Redirect<'_>) {
        let becomes_get = match redirect.status {
            301 | 302 => self.method == "POST",
            303 => !matches!(&*self.method, "GET" | "HEAD"),
            _ => false,
        };
        if becomes_get {
            self.method = Cow::Borrowed("GET");
            self.headers.retain(|header| !OF_BODY.contains(&&*header.name));
        }
        let to = redirect.to.origin;
        if !self.fetch.page.is(to) {
            self.headers.retain(|header| !ends_at_redirect(&header.name));
        }
        let leaves = from != to;
        if leaves {
            self.headers.retain(|header| &*header.name != NON_WILDCARD);
        }
        // "Redirect-taint": only what was another's already leads away from what is the page's.
        self.is_tainted |= leaves && !self.fetch.page.is(from);
    }
}

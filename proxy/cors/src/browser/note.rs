//! What else to know about a request: what the script did not mean, and what no response can show.

use super::chromium;
use super::fetch::Fetch;
use super::origin::{AddressSpace, ServerOrigin};
use super::prediction::{Ending, Stage, Step};
use std::fmt;

/// For how long a browser keeps the response to a preflight at most: Chromium (`kMaxTimeout` of its preflight cache) and Firefox (`nsCORSListenerProxy`).
const CHROMIUM_MAX_AGE: u64 = 7200;
const FIREFOX_MAX_AGE: u64 = 86_400;

/// What else to know about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A script may not set these headers here: they are not sent.
    Dropped(Vec<String>),
    /// Chromium does not ask about these headers of the script; other browsers do.
    AskedElsewhere(Vec<String>),
    /// A redirect from one foreign origin to another makes the origin `null`.
    OriginIsNull,
    /// S3 takes the first rule that matches, and the request itself, which lists no headers, gets another one than its preflight.
    OtherRule {
        /// The rule that grants the preflight.
        preflight: usize,
        /// The rule that grants the request, if one does.
        request: Option<usize>,
    },
    /// A browser may have a preflight's response from before a change of the rules. The present one is kept for so many seconds;
    /// `None` if the rules grant none now. There is no such note if the rule does not say how long: browsers then keep it for 5 s.
    PreflightIsKept {
        /// In Chromium, Chrome and Edge.
        chromium: Option<u64>,
        /// In Firefox.
        firefox: Option<u64>,
    },
    /// The request goes to an address that is nearer to the user than the page's.
    LocalNetwork,
}

pub(super) fn notes<'t>(
    fetch: &Fetch,
    targets: impl Iterator<Item = Option<&'t ServerOrigin>>,
    steps: &[Step],
    ending: &Ending,
) -> Vec<Note> {
    let mut notes = Vec::new();
    if !fetch.dropped.is_empty() {
        notes.push(Note::Dropped(fetch.dropped.iter().map(ToString::to_string).collect()));
    }
    let elsewhere = fetch
        .headers
        .iter()
        .filter(|header| header.value.as_deref().is_some_and(|value| chromium::is_safelisted(&header.name, value)));
    let elsewhere: Vec<_> = elsewhere.map(|header| header.name.to_string()).collect();
    if !elsewhere.is_empty() {
        notes.push(Note::AskedElsewhere(elsewhere));
    }
    if steps.iter().any(|step| step.origin == "null") && fetch.page.as_str() != "null" {
        notes.push(Note::OriginIsNull);
    }
    notes.extend(steps.iter().filter_map(other_rule));
    notes.extend(kept_preflight(steps, ending));
    let spaces = targets.zip(steps).filter_map(|(target, _)| target).map(ServerOrigin::space);
    if spaces.min().is_some_and(|nearest| nearest != AddressSpace::Public && nearest < fetch.page.space()) {
        notes.push(Note::LocalNetwork);
    }
    notes
}

fn other_rule(step: &Step) -> Option<Note> {
    let preflight = step.preflight.as_ref().filter(|preflight| preflight.is_granted)?.rule?;
    let differs = step.is_sent && step.rule != Some(preflight);
    differs.then_some(Note::OtherRule { preflight, request: step.rule })
}

fn kept_preflight(steps: &[Step], ending: &Ending) -> Option<Note> {
    let preflight = steps.iter().rev().find_map(|step| step.preflight.as_ref())?;
    let is_refused = matches!(ending, Ending::Blocked(blocked) if blocked.stage == Stage::Preflight);
    let kept = |most| if is_refused { None } else { preflight.max_age.map(|seconds| seconds.min(most)) };
    (is_refused || preflight.max_age.is_some())
        .then(|| Note::PreflightIsKept { chromium: kept(CHROMIUM_MAX_AGE), firefox: kept(FIREFOX_MAX_AGE) })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(names) => {
                write!(f, "the browser does not send {}: a script cannot set it here", names.join(", "))
            }
            Self::AskedElsewhere(names) => {
                write!(f, "Chromium does not ask about {}, other browsers do: allow it for them", names.join(", "))
            }
            Self::OriginIsNull => f.write_str(
                "a redirect from one foreign origin to another makes the origin null: only a rule for * or null grants what follows",
            ),
            Self::OtherRule { preflight, request: Some(request) } => write!(
                f,
                "the preflight gets rule {preflight}, the request itself rule {request}: it lists no headers, and the first rule \
                 that matches decides"
            ),
            Self::OtherRule { preflight, request: None } => {
                write!(f, "the preflight gets rule {preflight}, the request itself none")
            }
            Self::PreflightIsKept { chromium: Some(chromium), firefox: Some(firefox) } => write!(
                f,
                "the browser may have an earlier response to the preflight: it keeps this one for {chromium} s in Chromium and \
                 {firefox} s in Firefox, whatever the rules say meanwhile"
            ),
            Self::PreflightIsKept { .. } => write!(
                f,
                "a browser may still have a grant from before a change of the rules, for at most {CHROMIUM_MAX_AGE} s in Chromium and \
                 {FIREFOX_MAX_AGE} s in Firefox: try in a private window"
            ),
            Self::LocalNetwork => f.write_str(
                "the page is public and the address is on the user's machine or network: Chromium asks the user first, a page over \
                 plain http may not ask, and the request may never arrive",
            ),
        }
    }
}

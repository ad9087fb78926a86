//! A denial by its request id: what was decided then, and what the live rules say now.

use crate::explain::{Explained, FetchSettings, Question};
use crate::observe::Denial;
use crate::rules::Store;
use s3_cors::{Reason, RequestKind};
use serde::Serialize;
use std::fmt;

/// The explanation of a denial: that of the same request by the live rules, and what was decided then.
#[derive(Serialize)]
pub(super) struct DenialExplained {
    /// `None` where no request that can be asked about has these values: a browser sends no such one.
    #[serde(flatten)]
    now: Option<Explained>,
    denial: Denial,
}

/// No denial with the request id that was asked about is kept.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "no request with this id among the last {places} denials of this process (observe.recent): it was not denied by CORS, is too old, \
     or went to another process"
)]
pub(super) struct NotKept {
    /// How many denials are kept.
    pub(super) places: usize,
}

impl<'d> Question<'d> {
    /// The request that was denied.
    pub(super) fn of_denial(denial: &'d Denial) -> Self {
        Self {
            kind: denial.kind,
            bucket: denial.bucket.as_deref(),
            origin: &denial.origin,
            method: &denial.method,
            request_headers: denial.request_headers.as_deref(),
        }
    }
}

/// Asks the live rules about a request that was denied. Returns `None` where no request could carry its values.
pub(super) fn explain_denial(denial: &Denial, rules: &Store) -> Option<Explained> {
    explain_in_place_of(denial, &Question::of_denial(denial), denial.is_whole, rules)
}

/// The same for a request that stands for several like this one.
pub(super) fn explain_in_place_of(
    denial: &Denial,
    question: &Question<'_>,
    is_whole: bool,
    rules: &Store,
) -> Option<Explained> {
    let live = rules.live();
    let bucket = if denial.is_ambiguous { live.without_rules() } else { live.bucket(question.bucket) };
    let mut now = FetchSettings::explain_recorded(question, bucket, &live).ok()?;
    if denial.is_ambiguous {
        now.deny_change_to_ambiguous();
        return Some(now);
    }
    now.tell_of_missing_rules(rules);
    if denial.kind == RequestKind::Actual && !denial.was_answered {
        // The browser's part is about a response of the upstream.
        now.browser = None;
    }
    if !is_whole {
        now.forget_change();
    }
    Some(now)
}

/// Tells the fate of the page's request, as far as it was recorded.
pub(super) fn what_happened(denial: &Denial) -> String {
    let status = denial.status;
    if denial.kind == RequestKind::Preflight {
        return format!("The preflight got status {status}, so the browser did not send the request itself.");
    }
    if !denial.was_answered {
        return format!("No upstream answered the request; the client got status {status}.");
    }
    format!(
        "The request went to the upstream, and its response has status {status}: CORS does not stop a request, it only keeps the page \
         from reading the response."
    )
}

impl DenialExplained {
    pub(super) fn new(denial: Denial, rules: &Store) -> Self {
        let now = explain_denial(&denial, rules);
        Self { now, denial }
    }
}

impl fmt::Display for DenialExplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Denial { request_id, upstream_request_id, at, kind, path, label, reason, detail, .. } = &self.denial;
        let at = humantime::format_rfc3339_millis(*at);
        // What came from a request must not steer a terminal.
        write!(f, "{request_id}")?;
        if let Some(id) = upstream_request_id {
            write!(f, " (to the upstream {id})")?;
        }
        writeln!(f, " was denied at {at}: {kind} for {}", path.escape_debug())?;
        if *reason == Reason::NoRules {
            write!(f, "  because {} has no rules, reason {reason}", self.denial.group().escape_debug())?;
        } else {
            write!(f, "  by the rules of {label}, reason {reason}")?;
        }
        if let Some(detail) = detail {
            write!(f, ", refused: {}", detail.escape_debug())?;
        }
        writeln!(f)?;
        writeln!(f, "  {}", what_happened(&self.denial))?;
        if !self.denial.is_whole {
            writeln!(
                f,
                "  The request was longer than what is kept of it, so the rules may say something else to it."
            )?;
        }
        match &self.now {
            Some(now) => write!(f, "The live rules say to such a request:\n{now}"),
            None => writeln!(f, "No browser sends such a request."),
        }
    }
}

//! A denial by its request id: what was decided then, and what the live rules say now.

use crate::explain::{Explained, FetchSettings, Question};
use crate::observe::Denial;
use crate::rules::{Snapshot, Store};
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
            bucket: denial.bucket.as_deref(),
            origin: &denial.origin,
            method: &denial.method,
            request_headers: denial.request_headers.as_deref(),
        }
    }
}

/// What the live rules say to a request that was denied, if its page asked as `fetch()` does by default; `None` where no browser sends
/// such a one.
pub(super) fn explain_denial(denial: &Denial, live: &Snapshot) -> Option<Explained> {
    let question = Question::of_denial(denial);
    let rules = if denial.is_ambiguous { live.without_rules() } else { live.bucket(question.bucket) };
    let mut now = FetchSettings::default().explain(&question, rules, live).ok()?;
    if denial.is_ambiguous {
        now.deny_change_to_ambiguous();
    } else if !denial.is_whole {
        now.forget_change();
    }
    Some(now)
}

impl DenialExplained {
    pub(super) fn new(denial: Denial, rules: &Store) -> Self {
        let now = explain_denial(&denial, &rules.live());
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
        write!(f, "  by the rules of {label}, reason {reason}")?;
        if let Some(detail) = detail {
            write!(f, ", refused: {}", detail.escape_debug())?;
        }
        writeln!(f)?;
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

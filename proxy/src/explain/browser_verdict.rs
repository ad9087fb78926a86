//! What a browser does with the responses to a request, told for people and for machines.
//!
//! Decides: how the engine's prediction is told. Must not know: who asks.

use s3_cors::browser::{Blocked, Ending, Prediction, Stage, Step, Thrown, Visible};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// What a browser does.
#[derive(Clone, Debug, Serialize)]
pub struct BrowserVerdict {
    /// `None` if it does not begin. By name, `reads`: the page gets the response. `opaque`: it gets one that shows nothing. `sent_and_blocked`: the request was carried out,
    /// the page gets an error. `blocked`: the request was not even sent. `throws`: `fetch()` does not accept it.
    #[serde(rename = "verdict", serialize_with = "verdict")]
    ending: Option<Ending>,
    /// Whether the request, or the last of its redirects, is sent.
    pub sent: bool,
    /// When the browser stops: `before`, `preflight` or `response`.
    pub stage: Option<&'static str>,
    /// Why: the engine's word.
    pub cause: Option<&'static str>,
    /// The request, and again after each redirect.
    pub steps: Vec<StepTold>,
    /// Of the headers that the page reads, whether it may.
    pub readable: BTreeMap<String, bool>,
    /// All of it in sentences.
    pub why: Vec<String>,
}

/// One request to one server.
#[derive(Clone, Debug, Serialize)]
pub struct StepTold {
    /// Its method.
    pub method: String,
    /// The origin that it is made for: the page's, or `null`.
    pub origin: String,
    /// Whether CORS has no part in it.
    pub same_origin: bool,
    /// The preflight, if one is sent.
    pub preflight: Option<PreflightTold>,
    /// Whether the request itself is sent.
    pub sent: bool,
    /// The rule that grants the request itself, from 1.
    pub rule: Option<usize>,
}

/// A preflight.
#[derive(Clone, Debug, Serialize)]
pub struct PreflightTold {
    /// Its `Access-Control-Request-Headers`.
    pub request_headers: Option<String>,
    /// Whether its response allows the request.
    pub granted: bool,
    /// The rule that grants it, from 1.
    pub rule: Option<usize>,
}

impl BrowserVerdict {
    pub(super) fn thrown(thrown: &Thrown) -> Self {
        Self {
            ending: None,
            sent: false,
            stage: None,
            cause: None,
            steps: Vec::new(),
            readable: BTreeMap::new(),
            why: vec![thrown.to_string()],
        }
    }

    pub(super) fn new(prediction: &Prediction, read: &[String]) -> Self {
        let (mut stage, mut cause, mut why) = (None, None, Vec::new());
        let mut readable = BTreeMap::new();
        match &prediction.ending {
            Ending::Blocked(blocked) => {
                (stage, cause) = (Some(blocked.stage.as_str()), Some(blocked.cause.as_str()));
                why.push(blocked.to_string());
            }
            Ending::Reads(visible) => {
                readable.extend(read.iter().map(|name| (name.clone(), visible.shows(name))));
                why.extend(prediction.hidden(read.iter().map(String::as_str)).into_iter().map(Visible::why_hidden));
            }
            Ending::Opaque => {}
        }
        why.extend(prediction.notes.iter().map(ToString::to_string));
        let steps = prediction.steps.iter().map(StepTold::new).collect();
        Self { ending: Some(prediction.ending.clone()), sent: prediction.is_sent(), stage, cause, steps, readable, why }
    }
}

impl StepTold {
    fn new(step: &Step) -> Self {
        let preflight = step.preflight.as_ref().map(|preflight| PreflightTold {
            request_headers: preflight.request_headers.clone(),
            granted: preflight.is_granted,
            rule: preflight.rule,
        });
        Self {
            method: step.method.clone(),
            origin: step.origin.clone(),
            same_origin: step.is_same_origin,
            preflight,
            sent: step.is_sent,
            rule: step.rule,
        }
    }
}

impl BrowserVerdict {
    /// The verdict in one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let verdict = match &self.ending {
            None => "nothing is sent",
            Some(Ending::Reads(_)) => "the page gets the response",
            Some(Ending::Opaque) => "the request is sent, and the page sees nothing of the response",
            Some(Ending::Blocked(Blocked { stage: Stage::Response, .. })) => {
                "the request is sent, and the page gets an error instead of the response"
            }
            Some(Ending::Blocked(_)) => "the request is not sent, and the page gets an error",
        };
        format!("in the browser: {verdict}")
    }
}

impl fmt::Display for BrowserVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary())?;
        self.why.iter().try_for_each(|why| writeln!(f, "  {why}"))
    }
}

fn verdict<S: Serializer>(ending: &Option<Ending>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(ending.as_ref().map_or("throws", Ending::as_str))
}

//! The form that asks about a request, and the answer to what it asked.

use super::answer::{answer, then};
use super::layout::{foreign, visible};
use crate::admin::Admin;
use crate::admin::api::parameters;
use crate::admin::denial::{NotKept, explain_denial};
use crate::admin::learn::refused;
use crate::admin::signature::SignatureExplained;
use crate::explain::{AllRefused, FetchSettings, Question, UnsendableValue};
use crate::rules::Bucket;
use maud::{Markup, html};
use s3_cors::RequestKind;
use std::borrow::Cow;
use std::collections::HashMap;
use url::form_urlencoded;

/// The longest value that is asked about, in bytes.
const MAX_ASKED: usize = 1024;
/// The methods that S3 rules can allow.
const METHODS: [&str; 5] = ["GET", "HEAD", "PUT", "POST", "DELETE"];

/// A field of the form.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
}

const REQUEST_ID: Field = Field {
    name: "request_id",
    label: "Request ID",
    hint: "x-amz-request-id of the 403 response, in the browser's developer tools",
};
const ORIGIN: Field = Field {
    name: "origin",
    label: "Origin of the page",
    hint: "As its address bar has it, without a path: https://app.example.com",
};
const METHOD: Field = Field { name: "method", label: "Method", hint: "Such as PUT" };
const BUCKET: Field = Field { name: "bucket", label: "Bucket", hint: "Empty for a request without a bucket" };
const REQUEST_HEADERS: Field = Field {
    name: "request_headers",
    label: "Request headers",
    hint: "That the page sets, separated by commas: content-type, x-amz-acl",
};

/// What is wrong with what was asked.
#[derive(Debug, thiserror::Error)]
enum WrongInput {
    #[error("{0} is missing: an explanation needs an origin and a method, or a request ID.")]
    Missing(&'static str),
    #[error("{0} is too long: at most {MAX_ASKED} bytes are asked about.")]
    TooLong(&'static str),
    #[error("{0}.")]
    Unsendable(#[from] UnsendableValue),
    #[error("There is {0}.")]
    NotKept(#[from] NotKept),
}

/// The values that were asked about; a field that was left empty is not asked about.
struct Asked<'q>(HashMap<Cow<'q, str>, Cow<'q, str>>);

pub(super) fn body(admin: &Admin, query: &str) -> Markup {
    let asked = Asked(parameters(query));
    html! {
        (form(&asked))
        @if let Some(answer) = asked.answer(admin) {
            div.panel id="answer" {
                h3 { "Answer" }
                @match answer {
                    Ok(answer) => (answer),
                    Err(wrong) => p.bad role="alert" { (visible(&wrong.to_string(), MAX_ASKED)) },
                }
            }
        }
    }
}

/// The only form: the ID of a request that was denied says all, and without one, the other fields describe a request.
fn form(asked: &Asked<'_>) -> Markup {
    html! {
        // The fragment stays with the new query: the answer is what the browser shows.
        form.panel method="get" action="status#answer" {
            (field(&REQUEST_ID, asked))
            fieldset {
                legend { "or, without an ID, a request like this" }
                @for described in [ORIGIN, METHOD, BUCKET, REQUEST_HEADERS] { (field(&described, asked)) }
            }
            datalist id="methods" { @for method in METHODS { option value=(method) {} } }
            button type="submit" { "Explain" }
        }
    }
}

fn field(field: &Field, asked: &Asked<'_>) -> Markup {
    let Field { name, label, hint } = field;
    html! {
        div.field {
            label for=(name) { (label) }
            input type="text" id=(name) name=(name) value=(asked.get(name).unwrap_or_default()) maxlength=(MAX_ASKED)
                list=[(*name == METHOD.name).then_some("methods")] aria-describedby={ (name) "-hint" }
                autocomplete="off" autocapitalize="none" spellcheck="false";
            p.hint id={ (name) "-hint" } { (hint) }
        }
    }
}

impl Asked<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty() && value.len() <= MAX_ASKED)
    }

    /// `None` when nothing was asked.
    fn answer(&self, admin: &Admin) -> Option<Result<Markup, WrongInput>> {
        let fields = [ORIGIN, METHOD, BUCKET, REQUEST_HEADERS, REQUEST_ID];
        let too_long = |field: &&Field| self.0.get(field.name).is_some_and(|value| value.trim().len() > MAX_ASKED);
        if let Some(field) = fields.iter().find(too_long) {
            return Some(Err(WrongInput::TooLong(field.label)));
        }
        if let Some(request_id) = self.get(REQUEST_ID.name) {
            return Some(denied(admin, request_id));
        }
        match (self.get(ORIGIN.name), self.get(METHOD.name)) {
            (Some(origin), Some(method)) => Some(self.described(admin, origin, method)),
            (None, None) if !fields.iter().any(|field| self.0.contains_key(field.name)) => None,
            (None, _) => Some(Err(WrongInput::Missing(ORIGIN.label))),
            (_, None) => Some(Err(WrongInput::Missing(METHOD.label))),
        }
    }

    /// Where a program finds the same answer.
    fn api(&self) -> String {
        let mut query = form_urlencoded::Serializer::for_suffix("api/explain?".to_owned(), "api/explain?".len());
        for Field { name, .. } in [ORIGIN, METHOD, BUCKET, REQUEST_HEADERS] {
            query.extend_pairs(self.get(name).map(|value| (name, value)));
        }
        query.finish()
    }

    fn described(&self, admin: &Admin, origin: &str, method: &str) -> Result<Markup, WrongInput> {
        let (bucket, request_headers) = (self.get(BUCKET.name), self.get(REQUEST_HEADERS.name));
        let live = admin.rules.live();
        let question = Question { kind: RequestKind::Preflight, bucket, origin, method, request_headers };
        let mut explained = FetchSettings::default().explain(&question, live.bucket(bucket), &live)?;
        explained.tell_of_missing_rules(&admin.rules);
        explained.tell_of_settings(&admin.settings);
        let all = bucket.and_then(|name| all_refused(admin, name, live.bucket(Some(name)), origin));
        Ok(answer(&explained, all.as_ref(), &self.api()))
    }
}

fn all_refused(admin: &Admin, name: &str, bucket: &Bucket, origin: &str) -> Option<AllRefused> {
    AllRefused::new(bucket, &refused(&admin.rejections, &admin.recent_denials, name, origin))
}

/// The answer for a denial that is still kept.
fn denied(admin: &Admin, request_id: &str) -> Result<Markup, WrongInput> {
    let Some(denial) = admin.recent_denials.find(request_id) else {
        let signature = admin.refused_signatures.find(request_id);
        let signature = signature.ok_or(NotKept { places: admin.recent_denials.places() })?;
        return Ok(html! { p { (foreign(&SignatureExplained::from(signature).to_string())) } });
    };
    let explained = explain_denial(&denial, &admin.rules);
    let live = admin.rules.live();
    let bucket = denial.bucket.as_deref().filter(|_| !denial.is_ambiguous);
    let all = bucket.and_then(|name| all_refused(admin, name, live.bucket(Some(name)), &denial.origin));
    Ok(html! {
        (then(&denial))
        @match explained {
            Some(explained) => {
                p { "The live rules say to such a request:" }
                (answer(&explained, all.as_ref(), &format!("api/explain?request_id={}", denial.request_id)))
            },
            None => p { "No browser sends such a request." },
        }
    })
}

//! Requests and what becomes of them, as a table.

use super::*;
use crate::{Credentials, Document, Format, Reason, RuleTable};

const RULES: &str = r#"[
    {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "ExposeHeaders": ["ETag"]},
    {"AllowedOrigins": ["https://app"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["x-a", "content-type"],
     "MaxAgeSeconds": 100000}
]"#;
const FOR_NULL: &str =
    r#"[{"AllowedOrigins": ["null"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["content-type"]}]"#;
const NAMED: &str =
    r#"[{"AllowedOrigins": ["https://app"], "AllowedMethods": ["GET", "POST", "PUT"], "AllowedHeaders": ["*"]}]"#;

fn table(document: &str) -> RuleTable {
    RuleTable::new(Document::parse(document.as_bytes(), Format::Json).unwrap().configuration(), Credentials::S3)
}

fn server(text: &str) -> ServerOrigin {
    ServerOrigin::parse(text).unwrap()
}

const FOR_HINTS: &str = r#"[{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "AllowedHeaders": ["dpr"]}]"#;

struct Case<'c> {
    page: &'c str,
    method: &'c str,
    headers: &'c [(&'c str, Option<&'c str>)],
    mode: Mode,
    credentials: CredentialsMode,
    /// Rules and origin of the target, then status, rules and origin of each redirect.
    target: (&'c str, &'c str),
    redirects: &'c [(u16, &'c str, &'c str)],
}

const GET: Case<'_> = Case {
    page: "https://app",
    method: "GET",
    headers: &[],
    mode: Mode::Cors,
    credentials: CredentialsMode::SameOrigin,
    target: (RULES, "https://s3"),
    redirects: &[],
};

fn run(case: &Case<'_>) -> Prediction {
    let page = PageOrigin::parse(case.page).unwrap();
    let fetch = Fetch::new(page, case.method, case.headers.iter().copied(), case.mode, case.credentials).unwrap();
    let (rules, origin) = (table(case.target.0), server(case.target.1));
    let led: Vec<_> = case.redirects.iter().map(|(status, rules, to)| (*status, table(rules), server(to))).collect();
    let redirects: Vec<_> = led
        .iter()
        .map(|(status, rules, to)| Redirect { status: *status, to: Target { origin: Some(to), rules: Some(rules) } })
        .collect();
    predict(&fetch, Target { origin: Some(&origin), rules: Some(&rules) }, &redirects)
}

/// The ending in short.
fn ending(case: &Case<'_>) -> String {
    match run(case).ending {
        Ending::Blocked(Blocked { stage, cause, .. }) => format!("{}: {}", stage.as_str(), cause.as_str()),
        other => other.as_str().into(),
    }
}

#[test]
fn a_preflight_is_sent_where_it_is_needed_forced_or_seen() {
    let (rules, page) = (table(NAMED), PageOrigin::parse("https://app").unwrap());
    let fetch = |method| Fetch::new(page.clone(), method, [], Mode::Cors, CredentialsMode::Omit).unwrap();
    let target = Target { origin: None, rules: Some(&rules) };
    let preflights = |fetch: &Fetch| {
        let steps = predict(fetch, target, &[]).steps;
        (steps[0].preflight.is_some(), steps[0].is_sent)
    };
    assert_eq!(preflights(&fetch("post")), (false, true));
    assert_eq!(preflights(&fetch("post").with_preflight()), (true, true));
    assert_eq!(preflights(&fetch("put")), (true, true));
    assert_eq!(preflights(&fetch("delete")), (true, false));
    assert_eq!(preflights(&fetch("delete").without_preflight()), (false, true));
    // The redirect goes elsewhere, where nothing was granted before.
    let redirect = Redirect { status: 307, to: target };
    let steps = predict(&fetch("put").without_preflight(), target, &[redirect]).steps;
    assert_eq!(steps.iter().map(|step| step.preflight.is_some()).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn one_request_ends_as_the_standard_says() {
    let include = CredentialsMode::Include;
    let json = &[("Content-Type", Some("application/json"))];
    for (case, expected) in [
        (Case { ..GET }, "reads"),
        (Case { page: "null", ..GET }, "reads"),
        (Case { credentials: include, ..GET }, "response: any_origin_with_credentials"),
        (Case { method: "HEAD", ..GET }, "response: not_allowed"),
        (Case { method: "put", ..GET }, "reads"),
        (Case { method: "PUT", headers: json, credentials: include, ..GET }, "reads"),
        (Case { method: "PUT", page: "https://evil", ..GET }, "preflight: not_allowed"),
        (Case { method: "patch", ..GET }, "preflight: not_allowed"),
        // The preflight gets the second rule, the request itself the first.
        (Case { headers: json, credentials: include, ..GET }, "response: any_origin_with_credentials"),
        (Case { headers: json, ..GET }, "reads"),
        (Case { headers: &[("x-b", None)], ..GET }, "preflight: not_allowed"),
        (Case { mode: Mode::NoCors, page: "https://evil", credentials: include, ..GET }, "opaque"),
        (Case { page: "https://s3", method: "DELETE", credentials: include, ..GET }, "reads"),
        (Case { target: (RULES, "http://s3"), ..GET }, "before: mixed_content"),
        (Case { page: "capacitor://localhost", ..GET }, "reads"),
    ] {
        assert_eq!(ending(&case), expected, "{} from {} {:?}", case.method, case.page, case.headers);
    }
}

#[test]
fn a_redirect_ends_as_the_standard_says() {
    let (here, there) = ("https://s3", "https://other");
    let json = &[("Content-Type", Some("application/json"))];
    let signed = &[("Authorization", Some("x"))];
    let put = Case { method: "PUT", target: (NAMED, here), ..GET };
    for (case, expected) in [
        // Within one origin nothing changes.
        (Case { redirects: &[(307, NAMED, here)], ..put }, "reads"),
        // To another one the origin is null.
        (Case { redirects: &[(307, NAMED, there)], ..put }, "preflight: not_allowed"),
        (Case { redirects: &[(307, FOR_NULL, there)], ..put }, "reads"),
        (Case { redirects: &[(307, RULES, there)], ..GET }, "reads"),
        (Case { redirects: &[(307, NAMED, there)], ..GET }, "response: not_allowed"),
        // From the page's own origin it stays, and back there it does not return.
        (Case { page: here, redirects: &[(307, RULES, there)], ..GET }, "reads"),
        (Case { page: here, redirects: &[(307, NAMED, there)], ..put }, "preflight: not_allowed"),
        (Case { redirects: &[(307, NAMED, "https://app")], ..GET }, "response: not_allowed"),
        (Case { redirects: &[(307, FOR_NULL, "https://app")], ..GET }, "reads"),
        // The response that redirects is checked, too.
        (Case { page: "https://evil", redirects: &[(307, RULES, here)], ..put }, "preflight: not_allowed"),
        (Case { method: "HEAD", redirects: &[(307, RULES, here)], ..GET }, "response: not_allowed"),
        // 302 makes POST a GET without a body and what describes it; 303 every other method, too; 307 none.
        (
            Case { method: "POST", headers: json, target: (NAMED, here), redirects: &[(302, RULES, there)], ..GET },
            "reads",
        ),
        (Case { headers: json, redirects: &[(303, RULES, there)], ..put }, "reads"),
        (Case { headers: json, redirects: &[(302, RULES, there)], ..put }, "preflight: not_allowed"),
        (
            Case { method: "POST", target: (NAMED, here), redirects: &[(307, RULES, there)], ..GET },
            "response: not_allowed",
        ),
        // A signature does not go to another origin.
        (Case { headers: signed, redirects: &[(307, FOR_NULL, there)], ..put }, "reads"),
        (Case { headers: signed, redirects: &[(307, RULES, here)], ..put }, "preflight: not_allowed"),
        // Chromium does not send client hints on, and so does not ask about them.
        (
            Case { headers: &[("DPR", Some("x"))], target: (NAMED, here), redirects: &[(307, RULES, there)], ..GET },
            "reads",
        ),
        (
            Case {
                page: here,
                headers: &[("DPR", Some("x"))],
                target: (FOR_HINTS, there),
                redirects: &[(307, RULES, here)],
                ..GET
            },
            "preflight: not_allowed",
        ),
        (
            Case { headers: &[("X-B", Some("x"))], target: (NAMED, here), redirects: &[(307, RULES, there)], ..GET },
            "preflight: not_allowed",
        ),
        (Case { mode: Mode::NoCors, redirects: &[(307, NAMED, there)], ..GET }, "opaque"),
        (Case { page: there, mode: Mode::NoCors, redirects: &[(307, NAMED, there)], ..GET }, "opaque"),
    ] {
        assert_eq!(ending(&case), expected, "{} from {} {:?}", case.method, case.page, case.redirects);
    }
}

#[test]
fn a_preflight_asks_for_the_names_that_are_not_safelisted() {
    let headers = [("X-B", Some("1")), ("Accept", Some("a")), ("x-a", Some("1")), ("Range", Some("bytes=-1"))];
    let prediction = run(&Case { headers: &headers, target: (NAMED, "https://s3"), ..GET });
    let [step] = &prediction.steps[..] else { panic!("one step") };
    assert_eq!(step.preflight.as_ref().unwrap().request_headers.as_deref(), Some("range,x-a,x-b"));
    let prediction = run(&Case { method: "PUT", ..GET });
    assert_eq!(prediction.steps[0].preflight.as_ref().unwrap().request_headers, None);
    assert!(run(&GET).steps[0].preflight.is_none());
}

#[test]
fn notes_say_what_no_response_shows() {
    let put = Case { method: "PUT", ..GET };
    let json = [("Content-Type", Some("application/json"))];
    for (case, expected) in [
        (Case { ..GET }, vec![]),
        (Case { headers: &[("Cookie", Some("a"))], ..GET }, vec![Note::Dropped(vec!["cookie".into()])]),
        (Case { headers: &[("Save-Data", Some("on"))], ..GET }, vec![Note::AskedElsewhere(vec!["save-data".into()])]),
        (Case { ..put }, vec![Note::PreflightIsKept { chromium: Some(7200), firefox: Some(86_400) }]),
        (Case { target: (NAMED, "https://s3"), ..put }, vec![]),
        (Case { page: "https://evil", ..put }, vec![Note::PreflightIsKept { chromium: None, firefox: None }]),
        (
            Case { headers: &json, ..GET },
            vec![
                Note::OtherRule { preflight: 2, request: Some(1) },
                Note::PreflightIsKept { chromium: Some(7200), firefox: Some(86_400) },
            ],
        ),
        (Case { redirects: &[(307, RULES, "https://other")], ..GET }, vec![Note::OriginIsNull]),
        (Case { target: (RULES, "http://127.0.0.1:9000"), ..GET }, vec![Note::LocalNetwork]),
        (Case { target: (RULES, "https://192.168.0.2"), ..GET }, vec![Note::LocalNetwork]),
        (Case { page: "http://localhost:3000", target: (RULES, "http://192.168.0.2"), ..GET }, vec![]),
    ] {
        assert_eq!(run(&case).notes, expected, "{} from {}", case.method, case.page);
    }
}

#[test]
fn what_was_sent_and_what_is_hidden_is_told() {
    let blocked = run(&Case { method: "HEAD", ..GET });
    assert!(blocked.is_sent());
    let Ending::Blocked(Blocked { cause, .. }) = &blocked.ending else { panic!("{:?}", blocked.ending) };
    assert_eq!(*cause, Cause::NotAllowed(Reason::Method));
    assert!(blocked.hidden(["ETag"]).is_empty());
    assert!(!run(&Case { method: "DELETE", ..GET }).is_sent());
    assert_eq!(
        run(&GET).hidden(["ETag", "content-type", "x-amz-meta-a", "Set-Cookie"]),
        ["x-amz-meta-a", "Set-Cookie"]
    );
}

#[test]
fn the_sentences_are_plain() {
    let text = |case: &Case<'_>| match run(case).ending {
        Ending::Blocked(blocked) => blocked.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        text(&Case { credentials: CredentialsMode::Include, ..GET }),
        "rule 1 grants \"*\", which a browser does not accept for a request with credentials; name the origin instead of *, or fetch \
         without credentials: signatures and presigned links need none. The request was carried out all the same"
    );
    assert_eq!(
        text(&Case { method: "DELETE", ..GET }),
        "no rule grants it (reason method), so the response to the preflight has no Access-Control-Allow-Origin. The request itself is \
         not sent"
    );
}

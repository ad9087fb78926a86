//! The page for people: what is live, what is not and why, where requests go, and who is turned away.

use super::Admin;
use crate::observe::Rejection;
use quick_xml::escape::escape;
use std::fmt::Write;

/// The most rejections that the page shows; `/api/rejections` has all.
const MAX_REJECTED: usize = 50;

type Rows = Vec<Vec<String>>;

pub(super) fn page(admin: &Admin) -> String {
    let state = admin.readiness.why_not().unwrap_or("ready");
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>s3cors</title>\n\
         <style>body{{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:75rem}}table{{border-collapse:collapse}}\
         td,th{{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}}</style>\n\
         <h1>s3cors {}</h1>\n<p>State: <strong>{}</strong></p>\n<p>Last reload: {}</p>\n",
        env!("CARGO_PKG_VERSION"),
        escape(state),
        escape(last_reload(admin)),
    );
    table(&mut html, "Not live, because not valid", &["File", "What is wrong"], &errors(admin));
    table(&mut html, "Notes on the rules", &["File", "What"], &remarks(admin));
    table(&mut html, "Live rules", &["Bucket", "Rules", "File", "Warnings"], &rules(admin));
    table(&mut html, "Upstreams", &["Upstream", "State", "Addresses"], &upstreams(admin));
    let columns = ["Bucket", "Origin", "Kind", "Method", "Reason", "Refused", "Requests", "Last", "Request id"];
    table(&mut html, "Rejected, the heaviest first", &columns, &rejected(admin));
    html
}

fn last_reload(admin: &Admin) -> String {
    let Some(last) = admin.rules.last_reload() else { return "none since the start".into() };
    let changed = if last.changed.is_empty() { String::new() } else { format!(": {}", last.changed.join(", ")) };
    format!("{} at {}{changed}", last.outcome.as_str(), humantime::format_rfc3339_seconds(last.at))
}

fn errors(admin: &Admin) -> Rows {
    let errors = admin.rules.errors();
    errors.iter().map(|error| vec![error.path().display().to_string(), error.to_string()]).collect()
}

fn remarks(admin: &Admin) -> Rows {
    let remarks = admin.rules.remarks();
    remarks.iter().map(|remark| vec![remark.path().display().to_string(), remark.message().to_owned()]).collect()
}

fn rules(admin: &Admin) -> Rows {
    let live = admin.rules.live();
    let mut rows = Rows::new();
    for bucket in live.with_rules() {
        let (Some(origin), Some(rules)) = (&bucket.origin, &bucket.rules) else { continue };
        let warnings: Vec<_> = admin.rules.warnings(origin).lines().collect();
        rows.push(vec![
            bucket.label.to_string(),
            rules.rules().len().to_string(),
            origin.path.display().to_string(),
            warnings.join("; "),
        ]);
    }
    rows
}

fn upstreams(admin: &Admin) -> Rows {
    let row = |state: crate::upstream::UpstreamState| {
        let addresses: Vec<_> = state.addresses.iter().map(ToString::to_string).collect();
        vec![state.url, if state.is_up { "up" } else { "down" }.to_owned(), addresses.join(", ")]
    };
    admin.upstreams.states().into_iter().map(row).collect()
}

fn rejected(admin: &Admin) -> Rows {
    let row = |row: Rejection| {
        // What is not certain of a count came to the row with its place.
        let count =
            if row.error == 0 { row.count.to_string() } else { format!("{} to {}", row.count - row.error, row.count) };
        vec![
            row.bucket.into(),
            row.origin.into(),
            row.kind.to_owned(),
            row.method.into(),
            row.reason.to_owned(),
            row.detail.unwrap_or_default().into(),
            count,
            humantime::format_rfc3339_seconds(row.last_seen).to_string(),
            row.request_id,
        ]
    };
    admin.rejections.top().into_iter().take(MAX_REJECTED).map(row).collect()
}

fn table(html: &mut String, title: &str, columns: &[&str], rows: &[Vec<String>]) {
    // Writing to a String cannot fail.
    let _ = writeln!(html, "<h2>{}</h2>", escape(title));
    if rows.is_empty() {
        html.push_str("<p>none</p>\n");
        return;
    }
    let row = |cells: &mut dyn Iterator<Item = &str>, tag: &str| {
        let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    html.push_str("<table>\n");
    html.push_str(&row(&mut columns.iter().copied(), "th"));
    for cells in rows {
        html.push_str(&row(&mut cells.iter().map(String::as_str), "td"));
    }
    html.push_str("</table>\n");
}

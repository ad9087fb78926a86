//! The page for people: what is live, what is not and why, and who is turned away.

use super::Admin;
use quick_xml::escape::escape;

pub(super) fn page(admin: &Admin) -> String {
    let state = admin.readiness.why_not().unwrap_or("ready");
    let errors = admin.rules.errors();
    let live = admin.rules.live();
    let errors: Vec<_> =
        errors.iter().map(|error| vec![error.path().display().to_string(), error.to_string()]).collect();
    let rules: Vec<_> = live
        .with_rules()
        .into_iter()
        .filter_map(|bucket| Some((bucket, bucket.source.as_ref()?, bucket.rules.as_ref()?)))
        .map(|(bucket, source, rules)| {
            let warnings: Vec<_> = source.warnings.iter().map(ToString::to_string).collect();
            vec![
                bucket.label.to_string(),
                rules.rules().len().to_string(),
                source.path.display().to_string(),
                warnings.join("; "),
            ]
        })
        .collect();
    let rejected: Vec<_> = admin
        .metrics
        .rejected_origins()
        .into_iter()
        .map(|(bucket, origin, count)| vec![bucket, origin, count.to_string()])
        .collect();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>s3cors</title>\n\
         <style>body{{font:15px/1.5 system-ui,sans-serif;margin:2rem;max-width:75rem}}table{{border-collapse:collapse}}\
         td,th{{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}}</style>\n\
         <h1>s3cors {}</h1>\n<p>State: <strong>{}</strong></p>\n",
        env!("CARGO_PKG_VERSION"),
        escape(state)
    );
    table(&mut html, "Not live, because not valid", &["File", "What is wrong"], &errors);
    table(&mut html, "Live rules", &["Bucket", "Rules", "File", "Warnings"], &rules);
    table(&mut html, "Rejected origins", &["Bucket", "Origin", "Requests"], &rejected);
    html
}

fn table(html: &mut String, title: &str, columns: &[&str], rows: &[Vec<String>]) {
    html.push_str(&format!("<h2>{}</h2>\n", escape(title)));
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

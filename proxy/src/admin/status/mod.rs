//! The page for people: what is live, what is not and why, where requests go, who is turned away, and what would let them in.
//!
//! One page without a script and without anything to load. Decides: what is shown, in which order, and how much of it. Must not know: how
//! a request is explained. A section is a file; each is in [`SECTIONS`].

mod answer;
mod chart;
mod decisions;
mod durations;
mod explain;
mod last_hour;
mod layout;
mod reads;
pub(super) mod refresh;
mod rejections;
mod remedy;
mod rules;
mod shadow;
mod signatures;
mod state;
mod upstreams;
mod why;

use super::Admin;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The colours and the elements that the demo's page has too, and what only this page has.
const STYLE: &str = concat!(include_str!("look.css"), include_str!("style.css"));

/// The page may be styled by its own style sheet and send its own forms. Nothing else: no script, no request, no frame around it.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'sha256-IBaNkbW+Ra+06WgLMhAqrpRHQeJD/FFmGo/XvM/WmNU='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A part of the page.
struct Section {
    /// The name in a link to it.
    id: &'static str,
    title: &'static str,
    /// `None` where there is nothing to show.
    body: fn(&Admin, query: &str) -> Option<Markup>,
}

/// The parts, in the page's order.
const SECTIONS: [Section; 9] = [
    Section { id: "state", title: "State", body: |admin, _| Some(state::body(admin)) },
    Section { id: "hour", title: "Last hour", body: |admin, _| Some(last_hour::body(admin)) },
    Section { id: "rejections", title: "Rejected requests", body: |admin, _| Some(rejections::body(admin)) },
    Section { id: "signatures", title: "Refused signatures", body: |admin, _| signatures::body(admin) },
    Section { id: "explain", title: "Explain", body: |admin, query| Some(explain::body(admin, query)) },
    Section { id: "rules", title: "Live rules", body: |admin, _| Some(rules::body(admin)) },
    Section { id: "reads", title: "Signed reads", body: |admin, _| reads::body(admin) },
    Section { id: "shadow", title: "Shadow rules", body: |admin, _| shadow::body(admin) },
    Section { id: "upstreams", title: "Upstreams", body: |admin, _| Some(upstreams::body(admin)) },
];

/// The page, with the explanation that the query asks for.
pub(super) fn page(admin: &Admin, query: &str) -> String {
    let shown = SECTIONS.iter().filter_map(|section| Some((section, (section.body)(admin, query)?)));
    let shown: Vec<_> = shown.collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "s3cors: " (state::word(admin)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "s3cors " small { (env!("CARGO_PKG_VERSION")) } }
                    nav aria-label="On this page" {
                        ul { @for (section, _) in &shown { li { a href={ "#" (section.id) } { (section.title) } } } }
                    }
                    p.refresh { (refresh::switch(query)) }
                }
                main {
                    @for (Section { id, title, .. }, body) in &shown {
                        section id=(id) aria-labelledby={ (id) "-title" } {
                            h2 id={ (id) "-title" } { (title) }
                            (body)
                        }
                    }
                }
                footer {
                    p {
                        "For programs: " a href="metrics" { "metrics" } ", " a href="api/rules" { "rules" } ", "
                        a href="api/rejections" { "rejections" } "."
                    }
                }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_names_the_digest_of_the_style_sheet() {
        let digest = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(STYLE)));
        assert!(POLICY.contains(&digest), "write {digest}");
        // An element ends where its end tag seems to be, and the policy is one for a page without addresses.
        assert!(!STYLE.contains("</") && !STYLE.contains("url("));
    }
}

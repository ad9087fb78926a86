//! The page that loads itself again, without a script: the query says how often, a header has the browser do it.

use crate::admin::api::parameters;
use maud::{Markup, html};

/// The intervals that are taken, in seconds: more often would only be load, more rarely a page that was forgotten.
const ALLOWED: std::ops::RangeInclusive<u16> = 5..=3_600;
/// The interval of the link that switches it on.
const USUAL: u16 = 10;

/// The seconds after which a browser loads the page again; `None` where the query has none or one that is not allowed.
pub(in crate::admin) fn interval(query: &str) -> Option<u16> {
    let asked = parameters(query);
    asked.get("refresh").and_then(|seconds| seconds.parse().ok()).filter(|seconds| ALLOWED.contains(seconds))
}

/// Switches it on, or off.
pub(super) fn switch(query: &str) -> Markup {
    match interval(query) {
        Some(seconds) => html! { "Reloads every " (seconds) " s. " a href="status" { "Stop" } },
        None => html! { a href={ "status?refresh=" (USUAL) } { "Reload every " (USUAL) " s" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_of_seconds_that_is_allowed_is_taken() {
        for (query, seconds) in [
            ("refresh=10", Some(10)),
            ("refresh=5", Some(5)),
            ("refresh=3600&origin=x", Some(3_600)),
            ("refresh=4", None),
            ("refresh=0", None),
            ("refresh=3601", None),
            ("refresh=99999999999999999999", None),
            ("refresh=-10", None),
            ("refresh=10;url=https://evil.example", None),
            ("refresh=10%0d%0aX:%20y", None),
            ("refresh=", None),
            ("origin=refresh", None),
            ("", None),
        ] {
            assert_eq!(interval(query), seconds, "{query}");
        }
    }
}

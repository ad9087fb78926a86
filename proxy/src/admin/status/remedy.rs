//! The change of the rules that would allow a denied request.

use super::layout::several;
use crate::rules::explanation::Explained;
use maud::{Markup, html};

/// The most changes that are shown.
const MOST: usize = 8;

/// The change, folded up; nothing where none is known.
pub(super) fn remedy(explained: &Explained) -> Markup {
    let Some(rule) = explained.nearest_rule else { return html! {} };
    html! {
        details {
            summary { "The rule that would allow it" }
            p { "In rule " (rule) ": " (several(&explained.change, MOST)) }
        }
    }
}

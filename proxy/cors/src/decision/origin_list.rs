//! The origins of a table as they were written, in one text.
//!
//! Decides: how they are kept. Must not know: how one is found.

use crate::{CorsConfiguration, MAX_RULES, OriginPattern};

/// The origins of all rules, in the document's order. Their texts are one after the other, since thousands of tables have some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OriginList {
    text: Box<str>,
    origins: Box<[Listed]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listed {
    /// The end of its text, which begins at the end of the one before it.
    end: u32,
    /// The length of the text before its `*`.
    wildcard: Option<u32>,
    /// The place of its rule.
    rule: u8,
}

const _: () = assert!(MAX_RULES <= u8::MAX as usize, "every place fits");

impl OriginList {
    pub(super) fn new(configuration: &CorsConfiguration) -> Self {
        let of_rules = configuration.rules().iter().zip(0_u8..);
        let all =
            || of_rules.clone().flat_map(|(rule, place)| rule.allowed_origins().iter().map(move |one| (one, place)));
        let mut text = String::with_capacity(all().map(|(origin, _)| origin.as_str().len()).sum());
        let mut origins = Vec::with_capacity(all().count());
        for (origin, rule) in all() {
            text.push_str(origin.as_str());
            let wildcard = origin.around_wildcard().map(|(prefix, _)| narrow(prefix.len()));
            origins.push(Listed { end: narrow(text.len()), wildcard, rule });
        }
        Self { text: text.into(), origins: origins.into() }
    }

    pub(super) const fn len(&self) -> usize {
        self.origins.len()
    }

    /// The text of an origin, by its number from 0.
    pub(super) fn text(&self, number: usize) -> &str {
        let start = number.checked_sub(1).and_then(|before| self.origins.get(before)).map_or(0, |before| before.end);
        let end = self.origins.get(number).map_or(start, |origin| origin.end);
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The texts before and after the `*` of a pattern; `None` for an exact origin.
    pub(super) fn around_wildcard(&self, number: usize) -> Option<(&str, &str)> {
        let length = self.origins.get(number)?.wildcard? as usize;
        let text = self.text(number);
        Some((text.get(..length)?, text.get(length + 1..)?))
    }

    /// The place of an origin's rule.
    pub(super) fn rule(&self, number: usize) -> Option<usize> {
        self.origins.get(number).map(|origin| origin.rule.into())
    }

    /// The origins of each rule, as they were written.
    #[expect(clippy::expect_used, reason = "each text was that of a pattern")]
    pub(super) fn by_rule(&self) -> impl Iterator<Item = Vec<OriginPattern>> {
        let mut number = 0;
        self.origins.chunk_by(|one, next| one.rule == next.rule).map(move |of_rule| {
            let numbers = number..number + of_rule.len();
            number = numbers.end;
            numbers.map(|number| OriginPattern::parse(self.text(number)).expect("the text of a pattern")).collect()
        })
    }
}

#[expect(clippy::expect_used, reason = "a document has 64 KiB, and no machine keeps 4 GiB of origins of one bucket")]
fn narrow(length: usize) -> u32 {
    u32::try_from(length).expect("less than 4 GiB of origins")
}

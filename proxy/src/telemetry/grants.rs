//! Grants, by what became of them.

use super::registry::register;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// The end of a request that opens a folder, or that comes with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantResult {
    /// The URL of a playlist opened its folder.
    Opened,
    /// A token opened an object.
    Used,
    /// The time of a token was over.
    Expired,
    /// A token was not one, was made with a key that is unknown here, or for a different bucket or folder.
    Forged,
    /// The key was in no folder so deep as that of the token.
    Outside,
    /// A token came with a method other than GET and HEAD.
    Method,
    /// Servers would read the path after a token in two ways.
    Unreadable,
}

names! {
    GrantResult: Opened = "opened", Used = "used", Expired = "expired", Forged = "forged", Outside = "outside",
    Method = "method", Unreadable = "unreadable",
}

/// The counters.
pub struct GrantCounters([IntCounter; GrantResult::ALL.len()]);

impl GrantCounters {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let options = Opts::new(
            "s3cors_grants_total",
            "Folders that a presigned URL opened, and requests with a token, by what became of them.",
        );
        let family = register(registry, IntCounterVec::new(options, &["result"])?)?;
        Ok(Self(GrantResult::ALL.map(|result| family.with_label_values(&[result.as_str()]))))
    }

    /// Counts a request.
    pub fn count(&self, result: GrantResult) {
        if let Some(counter) = self.0.get(result as usize) {
            counter.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_result_is_there_with_0_and_counted_under_its_own_word() {
        let registry = Registry::new();
        let counters = GrantCounters::new(&registry).unwrap();
        let values = || {
            let families = registry.gather();
            let series = families[0].get_metric().iter();
            series.map(|one| (one.get_label()[0].value().to_owned(), one.get_counter().get_value())).collect::<Vec<_>>()
        };
        let expected = ["expired", "forged", "method", "opened", "outside", "unreadable", "used"];
        assert_eq!(values(), expected.map(|word| (word.to_owned(), 0.0)));
        for result in GrantResult::ALL {
            counters.count(result);
            assert_eq!(values().into_iter().find(|(word, _)| word == result.as_str()).unwrap().1, 1.0, "{result}");
        }
        assert_eq!(values(), expected.map(|word| (word.to_owned(), 1.0)));
    }
}

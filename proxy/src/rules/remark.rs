//! What is no error in a source and should be known: what is passed over, names that no bucket has, a source without rules.

use super::slot::Slot;
use super::source::{Listing, WhyPassedOver};
use std::path::{Path, PathBuf};

/// The most names that a line of the log has.
const MOST_NAMED: usize = 20;

/// Something to know about a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// This is not read.
    PassedOver(PathBuf, WhyPassedOver),
    /// No bucket can have the name of this document.
    NoBucketName(PathBuf),
    /// There is no document.
    NoRules(PathBuf),
}

impl Remark {
    /// What is to know about what a source lists.
    pub(super) fn about(listing: &Listing, source: &Path) -> Vec<Self> {
        let passed_over = listing.passed_over.iter().map(|(path, why)| Self::PassedOver(path.clone(), *why));
        let unnamed = listing
            .documents
            .iter()
            .filter(|(slot, _)| matches!(slot, Slot::Bucket(name) if Slot::of_bucket(name).is_none()));
        let unnamed = unnamed.flat_map(|(_, found)| found).map(|found| Self::NoBucketName(found.path.clone()));
        let is_empty = listing.documents.is_empty() && listing.errors.is_empty();
        let no_rules = is_empty.then(|| Self::NoRules(source.to_owned()));
        let mut remarks: Vec<_> = passed_over.chain(unnamed).chain(no_rules).collect();
        remarks.sort_unstable();
        remarks
    }

    /// What it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::PassedOver(path, _) | Self::NoBucketName(path) | Self::NoRules(path) => path,
        }
    }

    /// What is to know.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        match self {
            Self::PassedOver(_, why) => why.as_str(),
            Self::NoBucketName(_) => {
                "no bucket can have this name: 3 to 63 letters, digits, dots, hyphens and underscores"
            }
            Self::NoRules(_) => "no rules here: no bucket has CORS",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::PassedOver(..) => None,
            Self::NoBucketName(_) => Some("name the file after its bucket"),
            Self::NoRules(_) => Some("add BUCKET.xml, or _default.xml for every bucket"),
        }
    }
}

/// Logs what was not known before, each kind in one line. `set` names a set of rules that is not the live one.
pub(super) fn log(remarks: &[Remark], set: Option<&str>) {
    let paths = |is_meant: &dyn Fn(&Remark) -> bool| {
        let paths = remarks.iter().filter(|remark| is_meant(remark)).map(|remark| remark.path().display().to_string());
        named(&paths.collect::<Vec<_>>())
    };
    let passed_over = paths(&|remark| matches!(remark, Remark::PassedOver(..)));
    if !passed_over.is_empty() {
        tracing::info!(
            set,
            paths = passed_over,
            "passed over: not BUCKET.xml or BUCKET.json in the directory of the rules itself"
        );
    }
    for remark in [Remark::NoBucketName(PathBuf::new()), Remark::NoRules(PathBuf::new())] {
        let paths = paths(&|other| std::mem::discriminant(other) == std::mem::discriminant(&remark));
        if !paths.is_empty() {
            tracing::warn!(set, paths, hint = remark.hint(), "{}", remark.message());
        }
    }
}

/// Names the first of many labels or paths, and says how many more there are: a line of the log has an end.
pub(super) fn named(labels: &[String]) -> String {
    let (named, others) = labels.split_at_checked(MOST_NAMED).unwrap_or((labels, &[]));
    match (named.join(", "), others.len()) {
        (named, 0) => named,
        (named, others) => format!("{named} and {others} more"),
    }
}

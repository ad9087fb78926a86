//! A bucket without rules of its own, told for people and for machines.

use super::Explained;
use crate::rules::{MissingRules, Store};
use s3_cors::Reason;
use serde::Serialize;
use std::path::PathBuf;

/// The place of the rules that a bucket does not have, and the bucket that may have been meant.
#[derive(Clone, Debug, Serialize)]
pub struct WithoutRules {
    /// The document that would be read.
    pub file: Option<PathBuf>,
    /// The bucket with rules that has nearly this name.
    pub near: Option<Box<str>>,
    /// The buckets that have rules of their own, at most the first of them.
    pub buckets: Vec<Box<str>>,
    /// The number of the others.
    pub more: usize,
}

impl Explained {
    /// Tells where the rules of the bucket would be, if it has none of its own, or only the default's although a bucket with nearly the same
    /// name has its own.
    pub fn tell_of_missing_rules(&mut self, rules: &Store) {
        let is_meant = |missing: &MissingRules| self.reason == Reason::NoRules || missing.is_same_name;
        let missing = rules.missing(self.bucket.as_deref()).filter(is_meant);
        self.without_rules =
            missing.map(|MissingRules { file, near, buckets, more, .. }| WithoutRules { file, near, buckets, more });
    }
}

impl WithoutRules {
    /// The sentences for people.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some(file) = &self.file {
            sentences.push(format!("its own rules would be read from {}", file.display()));
        }
        if let Some(near) = &self.near {
            sentences.push(format!("the bucket {near} has rules; did you mean that one?"));
        }
        let names = self.buckets.join(", ");
        sentences.push(match (&*names, self.more) {
            ("", _) => "no bucket has rules of its own".to_owned(),
            (names, 0) => format!("with rules of their own: {names}"),
            (names, more) => format!("with rules of their own: {names} and {more} more"),
        });
        sentences
    }
}

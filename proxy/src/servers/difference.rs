//! A difference between a server and S3, with what it means for a page.

use serde::Serialize;

/// The harm of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Harm {
    /// Pages get what the rules do not give them.
    Opens,
    /// Pages do not get what the rules give them, or cannot read why.
    Breaks,
    /// A cache between server and page can mix responses up.
    Caches,
    /// Nothing works differently.
    Harmless,
}

names!(Harm: Opens = "opens", Breaks = "breaks", Caches = "caches", Harmless = "harmless");

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The kind, by a name that stays.
    pub kind: &'static str,
    /// The harm.
    pub harm: Harm,
    /// The rule that it is about, from 1; `None` for all of them.
    pub rule: Option<usize>,
    /// The origins, headers or methods that it is about.
    pub about: Vec<String>,
    /// The behaviour of S3.
    pub s3: String,
    /// The behaviour of the server.
    pub server: String,
    /// The effect on a page.
    pub consequence: String,
}

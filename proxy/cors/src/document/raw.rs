//! What is read from either form before anything judges it: texts with their places.

/// A text of the document and the byte offset where it starts.
#[derive(Clone, Debug)]
pub(crate) struct RawValue {
    pub(crate) text: String,
    pub(crate) offset: usize,
}

/// A rule as it stands in the text, whatever the number of its elements.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawRule {
    pub(crate) offset: usize,
    pub(crate) ids: Vec<RawValue>,
    pub(crate) origins: Vec<RawValue>,
    pub(crate) methods: Vec<RawValue>,
    pub(crate) headers: Vec<RawValue>,
    pub(crate) expose: Vec<RawValue>,
    pub(crate) max_ages: Vec<RawValue>,
}

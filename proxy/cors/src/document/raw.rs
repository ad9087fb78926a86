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
    /// Origins were given but could not be read, so that none are missing.
    pub(crate) origins_unread: bool,
    /// The same of methods.
    pub(crate) methods_unread: bool,
}

impl RawRule {
    /// Notes that a list could not be read, by any of its names.
    pub(crate) fn note_unread(&mut self, name: Option<&str>) {
        match name {
            Some("AllowedOrigin" | "AllowedOrigins") => self.origins_unread = true,
            Some("AllowedMethod" | "AllowedMethods") => self.methods_unread = true,
            _ => {}
        }
    }
}

//! The methods that a rule can allow, and the methods that a request can ask for.

use crate::names::names;

/// A method that a rule can allow (S3 API, `CORSRule`: GET, PUT, HEAD, POST, DELETE, in exactly this case).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllowedMethod {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

impl AllowedMethod {
    /// The method with this name; names are case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str().as_bytes() == name)
    }
}

names!(pub AllowedMethod: Get = "GET", Put = "PUT", Head = "HEAD", Post = "POST", Delete = "DELETE");

/// The methods of one rule, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct MethodSet(u8);

impl MethodSet {
    pub(crate) const fn contains(self, method: AllowedMethod) -> bool {
        self.0 & (1 << method as u8) != 0
    }
}

impl FromIterator<AllowedMethod> for MethodSet {
    fn from_iter<I: IntoIterator<Item = AllowedMethod>>(methods: I) -> Self {
        Self(methods.into_iter().fold(0, |set, method| set | 1 << method as u8))
    }
}

/// The method that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedMethod {
    /// One that a rule may allow.
    Allowable(AllowedMethod),
    /// A method of HTTP that no rule can allow.
    Other,
}

impl AskedMethod {
    /// `None` for what is no method of HTTP, which S3 rejects with 400 (S3: vg-acrm-get, vg-acrm-method). PATCH, OPTIONS, TRACE and
    /// CONNECT are methods of HTTP that no rule can allow: 403 (S3: d-acrm-trace, d-acrm-connect).
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        AllowedMethod::from_name(name)
            .map(Self::Allowable)
            .or_else(|| matches!(name, b"PATCH" | b"OPTIONS" | b"TRACE" | b"CONNECT").then_some(Self::Other))
    }
}

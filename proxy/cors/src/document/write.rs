//! Both forms of a document, written so that reading them gives the same configuration.

use super::NAMESPACE;
use super::xml::is_character;
use crate::{AllowedMethod, CorsConfiguration, CorsRule, ExposedHeader, HeaderPattern, OriginPattern};
use serde::{Serialize, Serializer};

/// A configuration could not be written: the form cannot carry a value.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be written as {form}: {reason}")]
pub struct WriteError {
    form: &'static str,
    reason: String,
}

/// A rule as one of the forms names its parts; an empty list is left out.
macro_rules! written_rule {
    ($(#[$doc:meta])* $name:ident: $headers:literal, $methods:literal, $origins:literal, $expose:literal) => {
        $(#[$doc])*
        #[derive(Serialize)]
        struct $name<'a> {
            #[serde(rename = "ID", skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
            #[serde(rename = $headers, skip_serializing_if = "Vec::is_empty")]
            headers: Vec<&'a str>,
            #[serde(rename = $methods)]
            methods: Vec<&'a str>,
            #[serde(rename = $origins)]
            origins: Vec<&'a str>,
            #[serde(rename = $expose, skip_serializing_if = "Vec::is_empty")]
            expose: Vec<&'a str>,
            #[serde(rename = "MaxAgeSeconds", skip_serializing_if = "Option::is_none")]
            max_age: Option<i64>,
        }

        impl<'a> From<&'a CorsRule> for $name<'a> {
            fn from(rule: &'a CorsRule) -> Self {
                Self {
                    id: rule.id(),
                    headers: rule.allowed_headers().iter().map(HeaderPattern::as_str).collect(),
                    methods: rule.allowed_methods().iter().copied().map(AllowedMethod::as_str).collect(),
                    origins: rule.allowed_origins().iter().map(OriginPattern::as_str).collect(),
                    expose: rule.expose_headers().iter().map(ExposedHeader::as_str).collect(),
                    max_age: rule.max_age_seconds(),
                }
            }
        }
    };
}

written_rule! {
    /// The order of the elements is that of the S3 API's own documents.
    XmlRule: "AllowedHeader", "AllowedMethod", "AllowedOrigin", "ExposeHeader"
}
written_rule! {
    /// The order of the keys is that of the AWS CLI's own output.
    JsonRule: "AllowedHeaders", "AllowedMethods", "AllowedOrigins", "ExposeHeaders"
}

#[derive(Serialize)]
#[serde(rename = "CORSConfiguration")]
struct XmlConfiguration<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    #[serde(rename = "CORSRule")]
    rules: Vec<XmlRule<'a>>,
}

#[derive(Serialize)]
struct JsonConfiguration<'a> {
    #[serde(rename = "CORSRules")]
    rules: Vec<JsonRule<'a>>,
}

/// As the JSON of the AWS CLI.
impl Serialize for CorsConfiguration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonConfiguration { rules: self.rules().iter().map(Into::into).collect() }.serialize(serializer)
    }
}

impl CorsConfiguration {
    /// Writes the XML document, indented; reading it gives the same configuration.
    ///
    /// # Errors
    /// [`WriteError`] when XML cannot carry a value.
    pub fn to_xml(&self) -> Result<String, WriteError> {
        self.write_xml(true)
    }

    /// Writes the XML document without space between its elements; reading it gives the same configuration.
    ///
    /// # Errors
    /// [`WriteError`] when XML cannot carry a value.
    pub fn to_compact_xml(&self) -> Result<String, WriteError> {
        self.write_xml(false)
    }

    fn write_xml(&self, is_indented: bool) -> Result<String, WriteError> {
        let failed = |reason| WriteError { form: "XML", reason };
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let mut serializer = quick_xml::se::Serializer::new(&mut text);
        if is_indented {
            serializer.indent(' ', 2);
        }
        let rules = self.rules().iter().map(Into::into).collect();
        let configuration = XmlConfiguration { namespace: NAMESPACE, rules };
        configuration.serialize(serializer).map_err(|error| failed(error.to_string()))?;
        // The serializer writes any character, XML does not allow every one.
        if let Some(character) = text.chars().find(|character| !is_character(*character)) {
            return Err(failed(format!("the character {character:?} is not allowed in XML")));
        }
        if is_indented {
            text.push('\n');
        }
        Ok(text)
    }

    /// Writes the JSON of the AWS CLI, indented; reading it gives the same configuration.
    ///
    /// # Errors
    /// [`WriteError`] when JSON cannot carry a value.
    pub fn to_json(&self) -> Result<String, WriteError> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|error| WriteError { form: "JSON", reason: error.to_string() })
    }
}

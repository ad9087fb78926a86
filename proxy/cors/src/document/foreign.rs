//! Documents in the form of another tool, and what else is put where S3's CORS document belongs.
//!
//! Decides: which form a document that S3 rejects was written in, by names that only that form has. Must not know: how it is
//! converted.

use super::Format;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use serde_json::{Map, Value};

/// A form that is not that of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignForm {
    /// Cloudflare R2, `wrangler r2 bucket cors set` and its API: `{"rules": [{"allowed": {"origins": […]}}]}`.
    R2,
    /// Google Cloud Storage, JSON or XML: `[{"origin": […], "method": […]}]`, `<CorsConfig>`.
    Gcs,
    /// Backblaze B2: `[{"corsRuleName": …, "allowedOperations": […]}]`.
    B2,
    /// Azure Storage, XML or JSON: `<Cors><CorsRule>`, `{"corsRules": [{"maxAgeInSeconds": …}]}`.
    Azure,
    /// CloudFormation's `CorsConfiguration`, alone or in a template.
    CloudFormation,
    /// The annotations of ingress-nginx.
    IngressNginx,
    /// The CORS filter of the Gateway API.
    GatewayApi,
    /// The whole input of `put-bucket-cors`, `{"Bucket": …, "CORSConfiguration": {…}}`.
    CliInput,
    /// S3's XML written as JSON, element by element: `{"CORSConfiguration": {"CORSRule": […]}}`.
    XmlAsJson,
    /// One of S3's rules without the list around it.
    BareRule,
    /// A bucket policy, which has nothing to do with CORS.
    BucketPolicy,
}

impl ForeignForm {
    /// The form of a text, JSON, XML or a manifest in YAML; `None` for S3's own form, for one that is not known, and for a text that is not well-formed.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Self> {
        if let Some(form) = of_manifest(text) {
            return Some(form);
        }
        match Format::detect(text.as_bytes()) {
            Format::Json => of_json(&serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?),
            Format::Xml => of_root(&root(text)?),
        }
    }

    /// What it is, as the end of a sentence.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::R2 => "Cloudflare R2's form",
            Self::Gcs => "Google Cloud Storage's form",
            Self::B2 => "Backblaze B2's form",
            Self::Azure => "Azure Storage's form",
            Self::CloudFormation => "CloudFormation's form",
            Self::IngressNginx => "an Ingress with the annotations of ingress-nginx",
            Self::GatewayApi => "a CORS filter of the Gateway API",
            Self::CliInput => "the whole input of the AWS CLI",
            Self::XmlAsJson => "JSON with the names of S3's XML",
            Self::BareRule => "one rule without the list around it",
            Self::BucketPolicy => "a bucket policy",
        }
    }

    /// What `s3cors convert --from` calls it; `None` for what cannot be converted.
    #[must_use]
    pub const fn converted_from(self, format: Format) -> Option<&'static str> {
        match self {
            Self::R2 => Some("r2"),
            Self::Gcs => Some("gcs"),
            Self::B2 => Some("b2"),
            Self::Azure => Some("azure"),
            Self::CloudFormation => Some("cloudformation"),
            Self::IngressNginx => Some("ingress-nginx"),
            Self::GatewayApi => Some("gateway-api"),
            Self::CliInput | Self::XmlAsJson | Self::BareRule => match format {
                Format::Json => Some("json"),
                Format::Xml => Some("xml"),
            },
            Self::BucketPolicy => None,
        }
    }

    /// What to do with it.
    pub(super) fn hint(self, format: Format) -> String {
        let to = match format {
            Format::Json => "json",
            Format::Xml => "xml",
        };
        let Some(from) = self.converted_from(format) else {
            return "a policy says who may use the bucket; write CORS rules in a document of their own".into();
        };
        let by_hand = match (self, format) {
            (Self::CliInput, _) => "keep only the value of CORSConfiguration, or ",
            (Self::BareRule, Format::Json) => "put [ and ] around it, or ",
            (Self::BareRule, Format::Xml) => "put <CORSConfiguration> around it, or ",
            _ => "",
        };
        format!("{by_hand}run s3cors convert --from {from} --to {to} FILE")
    }
}

/// The keys that every one of S3's rules has.
const S3_KEYS: [&str; 2] = ["AllowedOrigins", "AllowedMethods"];

type Object = Map<String, Value>;

fn of_json(value: &Value) -> Option<ForeignForm> {
    let Some(object) = value.as_object() else {
        return of_rule(first(Some(value))?);
    };
    let bare = || S3_KEYS.iter().any(|key| object.contains_key(*key)).then_some(ForeignForm::BareRule);
    of_kubernetes(object).or_else(|| of_object(object)).or_else(|| of_rule(object)).or_else(bare)
}

/// By the names around the rules.
fn of_object(object: &Object) -> Option<ForeignForm> {
    let has = |key: &str| object.contains_key(key);
    if has("Statement") {
        return Some(ForeignForm::BucketPolicy);
    }
    let inner = object.get("CORSConfiguration").and_then(Value::as_object);
    if has("CORSRule") || inner.is_some_and(|inner| inner.contains_key("CORSRule")) {
        return Some(ForeignForm::XmlAsJson);
    }
    if inner.is_some() {
        return Some(ForeignForm::CliInput);
    }
    if has("Resources") || has("CorsConfiguration") {
        return contains(object, "CorsConfiguration", 0).then_some(ForeignForm::CloudFormation);
    }
    if has("StorageServiceProperties") {
        return Some(ForeignForm::Azure);
    }
    if let Some(rule) = first(object.get("rules")) {
        let is_s3 = S3_KEYS.iter().any(|key| rule.contains_key(*key));
        return if is_s3 { Some(ForeignForm::R2) } else { of_rule(rule) };
    }
    for key in ["corsRules", "CorsRules", "cors", "cors_config", "corsConfig"] {
        if let Some(form) = first(object.get(key)).and_then(of_rule) {
            return Some(form);
        }
    }
    // Azure Resource Manager: {"properties": {"cors": {"corsRules": […]}}}.
    ["properties", "cors"].iter().find_map(|key| object.get(*key)?.as_object().and_then(of_object))
}

/// By the names in a rule that S3's rules have not. Where some are S3's, fewer tell: a mistake of one letter is no other form.
fn of_rule(rule: &Object) -> Option<ForeignForm> {
    let has = |keys: &[&str]| keys.iter().any(|key| rule.contains_key(*key));
    let is_s3 = has(&S3_KEYS);
    if has(&["MaxAgeInSeconds"]) {
        Some(ForeignForm::Azure)
    } else if is_s3 {
        has(&["MaxAge", "Id"]).then_some(ForeignForm::CloudFormation)
    } else if has(&["allowed"]) {
        Some(ForeignForm::R2)
    } else if has(&["origin", "method", "responseHeader"]) {
        Some(ForeignForm::Gcs)
    } else if has(&["allowedOperations", "corsRuleName"]) {
        Some(ForeignForm::B2)
    } else if has(&["maxAgeInSeconds", "exposedHeaders"]) {
        Some(ForeignForm::Azure)
    } else if has(&["allowOrigins"]) {
        Some(ForeignForm::GatewayApi)
    } else {
        None
    }
}

fn of_kubernetes(object: &Object) -> Option<ForeignForm> {
    match object.get("kind")?.as_str()? {
        "List" => object.get("items")?.as_array()?.iter().find_map(|item| of_kubernetes(item.as_object()?)),
        kind => of_kind(kind),
    }
}

fn of_kind(kind: &str) -> Option<ForeignForm> {
    match kind {
        "Ingress" => Some(ForeignForm::IngressNginx),
        "HTTPRoute" => Some(ForeignForm::GatewayApi),
        _ => None,
    }
}

/// A Kubernetes manifest in YAML, by two of its lines: no YAML is read here. In a list they are indented.
fn of_manifest(text: &str) -> Option<ForeignForm> {
    let value = |line: &'_ str, key: &str| {
        let line = line.trim_start_matches([' ', '-']).strip_prefix(key)?.strip_prefix(':')?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    let is_manifest = text.lines().any(|line| value(line, "apiVersion").is_some());
    is_manifest.then(|| text.lines().find_map(|line| of_kind(&value(line, "kind")?))).flatten()
}

/// The first object of a list.
fn first(list: Option<&Value>) -> Option<&Object> {
    list?.as_array()?.iter().find_map(Value::as_object)
}

/// A template nests its properties: Resources, the resource, Properties.
fn contains(object: &Object, key: &str, depth: usize) -> bool {
    let within = |value: &Value| value.as_object().is_some_and(|inner| contains(inner, key, depth + 1));
    object.contains_key(key) || (depth < 4 && object.values().any(within))
}

fn of_root(name: &str) -> Option<ForeignForm> {
    match name {
        "CorsConfig" => Some(ForeignForm::Gcs),
        "StorageServiceProperties" | "Cors" => Some(ForeignForm::Azure),
        "CORSRule" => Some(ForeignForm::BareRule),
        _ => None,
    }
}

/// The name of the root element, without its prefix.
fn root(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(root) | Event::Empty(root) => return Some(root.local_name().into_inner().into()),
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_known_by_names_that_only_it_has() {
        use ForeignForm::{
            Azure, B2, BareRule, BucketPolicy, CliInput, CloudFormation, GatewayApi, Gcs, IngressNginx, R2, XmlAsJson,
        };
        for (text, form) in [
            (r#"{"rules": [{"allowed": {"origins": ["*"]}}]}"#, Some(R2)),
            (r#"{"rules": [{"AllowedOrigins": ["*"]}]}"#, Some(R2)),
            (r#"[{"allowed": {"origins": ["*"]}}]"#, Some(R2)),
            (r#"[{"origin": ["*"], "method": ["GET"]}]"#, Some(Gcs)),
            (r#"{"origin": ["*"]}"#, Some(Gcs)),
            (r#"{"name": "b", "cors": [{"method": ["GET"]}]}"#, Some(Gcs)),
            (r#"{"cors_config": [{"method": ["GET"]}]}"#, Some(Gcs)),
            ("<?xml version='1.0'?>\n<CorsConfig/>", Some(Gcs)),
            (r#"[{"corsRuleName": "r"}]"#, Some(B2)),
            (r#"{"bucketName": "b", "corsRules": [{"allowedOperations": ["s3_get"]}]}"#, Some(B2)),
            (r#"{"cors": {"corsRules": [{"exposedHeaders": ["*"]}]}}"#, Some(Azure)),
            (r#"{"properties": {"cors": {"corsRules": [{"maxAgeInSeconds": 1}]}}}"#, Some(Azure)),
            (r#"[{"AllowedOrigins": "*", "MaxAgeInSeconds": 200, "Service": "blob"}]"#, Some(Azure)),
            ("<!-- c --><StorageServiceProperties/>", Some(Azure)),
            (r#"{"Resources": {"B": {"Properties": {"CorsConfiguration": {}}}}}"#, Some(CloudFormation)),
            (r#"{"CorsConfiguration": {"CorsRules": []}}"#, Some(CloudFormation)),
            (r#"{"CorsRules": [{"AllowedOrigins": ["*"], "MaxAge": 1}]}"#, Some(CloudFormation)),
            (r#"{"kind": "Ingress", "metadata": {}}"#, Some(IngressNginx)),
            (r#"{"kind": "List", "items": [{"kind": "HTTPRoute"}]}"#, Some(GatewayApi)),
            ("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n", Some(IngressNginx)),
            ("# ours\n---\nkind: \"HTTPRoute\"\r\napiVersion: gateway.networking.k8s.io/v1\r\n", Some(GatewayApi)),
            (
                "apiVersion: v1\nkind: List\nitems:\n- apiVersion: networking.k8s.io/v1\n  kind: Ingress\n",
                Some(IngressNginx),
            ),
            ("apiVersion: v1\nkind: Service\n", None),
            ("kind: Ingress\n", None),
            (r#"{"Bucket": "b", "CORSConfiguration": {"CORSRules": []}}"#, Some(CliInput)),
            (r#"{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}"#, Some(BareRule)),
            (r#"{"CORSConfiguration": {"CORSRule": {}}}"#, Some(XmlAsJson)),
            (r#"{"CORSRule": []}"#, Some(XmlAsJson)),
            ("<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>", Some(BareRule)),
            (r#"{"Version": "2012-10-17", "Statement": []}"#, Some(BucketPolicy)),
            // S3's own, with mistakes of its own.
            (r#"{"CORSRules": [{"AllowedOrigins": ["*"]}]}"#, None),
            (r#"[{"AllowedOrigins": ["*"], "ExposedHeaders": ["ETag"]}]"#, None),
            (r#"{"CorsRules": [{"AllowedOrigins": ["*"]}]}"#, None),
            (r#"[{"allowedOrigins": ["*"]}]"#, None),
            ("<CORSConfiguration/>", None),
            ("[1, [], {}]", None),
            ("{}", None),
            ("{", None),
            ("", None),
        ] {
            assert_eq!(ForeignForm::recognise(text), form, "{text}");
        }
    }
}

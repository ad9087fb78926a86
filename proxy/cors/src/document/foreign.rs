//! Documents in the form of another tool, and what else is put where S3's CORS document belongs.
//!
//! Decides: which form a document that S3 rejects was written in, by names that only that form has. Must not know: how it is
//! converted.

mod members;
mod names;
#[cfg(test)]
mod tests;

use super::Format;
use names::of_kind;
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
    /// CloudFormation's `CorsConfiguration`, alone or in a template, that of SAM and the Serverless Framework included.
    CloudFormation,
    /// Terraform, HCL or JSON: `cors_rule { allowed_origins = […] }`.
    Terraform,
    /// Pulumi, YAML or a program: `corsRules: [{allowedOrigins: […]}]`.
    Pulumi,
    /// A resource of Crossplane, `spec.forProvider.corsRule`.
    Crossplane,
    /// The AWS CDK: `cors: [{allowedMethods: […]}]`.
    Cdk,
    /// The headers middleware of Traefik.
    Traefik,
    /// The `corsPolicy` of Istio.
    Istio,
    /// A task of Ansible, `community.aws.s3_cors`.
    Ansible,
    /// A Kubernetes ConfigMap with a document in its data.
    ConfigMap,
    /// The shorthand of the AWS CLI, `CORSRules=[{AllowedOrigins=[…]}]`.
    Shorthand,
    /// S3's keys in camel case or snake case.
    OtherCase,
    /// S3's keys in YAML.
    Yaml,
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
    /// A program that has S3's rules in it, as data or as calls.
    Program,
    /// A command that names the document: `mc cors set`, `s3cmd setcors`.
    Command,
    /// The configuration of a proxy that sets `Access-Control-Allow-Origin`, or of a server with a setting for origins.
    ProxyHeaders,
    /// A bucket policy, which has nothing to do with CORS.
    BucketPolicy,
}

impl ForeignForm {
    /// Recognises the form of a text; `None` for S3's own form, for one that is not known, and for XML that is not well-formed.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        if Format::detect(text.as_bytes()) == Format::Json
            && let Ok(value) = serde_json::from_str(text)
        {
            return of_json(&value);
        }
        let begin = text.trim_start();
        if begin.starts_with('<') && !begin.starts_with("<?php") { of_root(&root(text)?) } else { names::form(text) }
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
            Self::Terraform => "Terraform's form",
            Self::Pulumi => "Pulumi's form",
            Self::Crossplane => "a resource of Crossplane",
            Self::Cdk => "the AWS CDK's form",
            Self::Traefik => "a middleware of Traefik",
            Self::Istio => "a corsPolicy of Istio",
            Self::Ansible => "a task of Ansible",
            Self::ConfigMap => "a ConfigMap",
            Self::Shorthand => "the shorthand of the AWS CLI",
            Self::OtherCase => "S3's form with its keys in another case",
            Self::Yaml => "S3's form in YAML",
            Self::IngressNginx => "an Ingress with the annotations of ingress-nginx",
            Self::GatewayApi => "a CORS filter of the Gateway API",
            Self::CliInput => "the whole input of the AWS CLI",
            Self::XmlAsJson => "JSON with the names of S3's XML",
            Self::BareRule => "one rule without the list around it",
            Self::Program => "a program with S3's rules in it",
            Self::Command => "a command that names a document",
            Self::ProxyHeaders => "the configuration of a proxy or server with CORS of its own",
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
            Self::Terraform => Some("terraform"),
            Self::Pulumi => Some("pulumi"),
            Self::Crossplane => Some("crossplane"),
            Self::Cdk => Some("cdk"),
            Self::Traefik => Some("traefik"),
            Self::Istio => Some("istio"),
            Self::Ansible | Self::ConfigMap | Self::Shorthand | Self::OtherCase | Self::Yaml | Self::Program => {
                Some("json")
            }
            Self::CliInput | Self::XmlAsJson | Self::BareRule => match format {
                Format::Json => Some("json"),
                Format::Xml => Some("xml"),
            },
            Self::Command | Self::ProxyHeaders | Self::BucketPolicy => None,
        }
    }

    /// What to do with it.
    pub(super) fn hint(self, format: Format) -> String {
        let to = match format {
            Format::Json => "json",
            Format::Xml => "xml",
        };
        let Some(from) = self.converted_from(format) else {
            let what = match self {
                Self::Command => "check the document that it names",
                Self::ProxyHeaders => {
                    "write a rule: each origin that it allows is an AllowedOrigin, each method an AllowedMethod"
                }
                _ => "a policy says who may use the bucket; write CORS rules in a document of their own",
            };
            return what.into();
        };
        let by_hand = match (self, format) {
            (Self::ConfigMap, _) => "mount it as a directory, or ",
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
        let rule = first(Some(value))?;
        return of_rule(rule).or_else(|| members::form(value, rule));
    };
    let bare = || S3_KEYS.iter().any(|key| object.contains_key(*key)).then_some(ForeignForm::BareRule);
    of_kubernetes(object)
        .or_else(|| of_object(object))
        .or_else(|| of_rule(object))
        .or_else(bare)
        .or_else(|| members::form(value, object))
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
    if has("Resources") || has("CorsConfiguration") || has("resources") {
        if contains(object, "CorsConfiguration", 0) {
            return Some(ForeignForm::CloudFormation);
        }
        if !has("resources") {
            return None;
        }
    }
    if has("StorageServiceProperties") {
        return Some(ForeignForm::Azure);
    }
    if let Some(rule) = first(object.get("rules")) {
        let is_s3 = S3_KEYS.iter().any(|key| rule.contains_key(*key));
        return if is_s3 { Some(ForeignForm::R2) } else { of_rule(rule) };
    }
    for key in ["corsRules", "CorsRules", "cors", "cors_config", "corsConfig"] {
        if let Some(rule) = first(object.get(key))
            && let Some(form) = of_rule(rule)
        {
            // The CDK's list is `cors`, Azure's `corsRules`.
            let is_cdk = form == ForeignForm::Azure && key == "cors" && !rule.contains_key("maxAgeInSeconds");
            return Some(if is_cdk { ForeignForm::Cdk } else { form });
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
    } else if has(&["maxAge"]) && has(&["allowedOrigins", "allowedMethods"]) {
        Some(ForeignForm::Cdk)
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
        "ConfigMap" | "Secret" if object.contains_key("data") || object.contains_key("stringData") => {
            Some(ForeignForm::ConfigMap)
        }
        kind => of_kind(kind),
    }
}

/// The first object of a list.
fn first(list: Option<&Value>) -> Option<&Object> {
    list?.as_array()?.iter().find_map(Value::as_object)
}

/// A template nests its properties: Resources, the resource, Properties.
fn contains(object: &Object, key: &str, depth: usize) -> bool {
    let within = |value: &Value| value.as_object().is_some_and(|inner| contains(inner, key, depth + 1));
    object.contains_key(key) || (depth < 6 && object.values().any(within))
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

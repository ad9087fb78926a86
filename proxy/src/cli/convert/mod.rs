//! `s3cors convert`: S3's XML or the JSON of the AWS CLI, from each other and from the forms of other tools.
//!
//! Each form has a file, which reads its rules into drafts. Whatever S3 has no equivalent for is a warning or an error that names it.

mod any_case;
mod azure;
mod b2;
mod cloudformation;
mod config_map;
mod draft;
mod fields;
mod gateway_api;
mod gcs;
mod hcl;
mod ingress_nginx;
mod istio;
mod literal;
mod program;
mod r2;
mod s3;
mod shorthand;
#[cfg(test)]
mod tests;
mod toml;
mod traefik;
mod tree;
mod unresolved;
mod yaml;

use super::progress::LongWork;
use super::{fail, note, print};
use clap::{Args, ValueEnum};
use draft::Conversion;
use s3_cors::{CorsConfiguration, CorsRule, Document, DocumentErrors, ForeignForm, Format};
use serde_json::Value;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

/// The longest input in bytes: a template of CloudFormation can have 1 MB.
const MAX_INPUT: usize = 1 << 20;

/// A note names each thing that S3 has no equivalent for, or it is an error. A value that only another tool can compute is an error: a
/// tag, a variable, a reference, a placeholder.
#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Convert {
    /// The form to read
    #[arg(long, value_enum, default_value_t = From::Auto)]
    from: From,
    /// The form to write
    #[arg(long, value_enum)]
    to: To,
    /// The document [default: standard input]
    file: Option<PathBuf>,
}

const HELP: &str = "\
Examples:
  s3cors convert --from terraform --to json main.tf > rules/BUCKET.json
  s3cors convert --from cloudformation --to xml template.yaml
  kubectl get httproute assets -o yaml |
    s3cors convert --from gateway-api --to json

Exit status:
  0  converted; what S3 cannot say is a note on standard error
  1  nothing is written: not readable, or a part with no equivalent
  2  wrong usage";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// Whichever of the others it is
    Auto,
    /// S3's XML, a CORSConfiguration
    Xml,
    /// S3's keys in JSON or YAML, in any case: {"CORSRules": […]}, the list alone, one rule, the input of the AWS CLI or its shorthand, an
    /// Ansible task, a ConfigMap
    Json,
    /// Terraform, HCL or .tf.json: resource "aws_s3_bucket_cors_configuration"
    Terraform,
    /// Pulumi, YAML or the data in a program: corsRules: [{allowedOrigins: …}]
    Pulumi,
    /// Crossplane: spec.forProvider.corsRule
    Crossplane,
    /// The data in a program of the AWS CDK: cors: [{allowedMethods: [s3.HttpMethods.GET]}]
    Cdk,
    /// A template of AWS CloudFormation, SAM or the Serverless Framework, or its CorsConfiguration
    #[value(name = "cloudformation")]
    CloudFormation,
    /// Cloudflare R2: {"rules": [{"allowed": …}]}
    R2,
    /// Google Cloud Storage, JSON or XML: [{"origin": …, "method": …}]
    Gcs,
    /// Backblaze B2: [{"corsRuleName": …, "allowedOperations": …}]
    B2,
    /// Azure Storage, XML or JSON: StorageServiceProperties, {"corsRules": …}
    Azure,
    /// An Ingress with the annotations of ingress-nginx: nginx.ingress.kubernetes.io/enable-cors
    IngressNginx,
    /// A route with the CORS filter of the Gateway API: allowOrigins
    GatewayApi,
    /// A headers middleware of Traefik, or its labels: accessControlAllowOriginList
    Traefik,
    /// A VirtualService of Istio: corsPolicy
    Istio,
}

#[derive(Clone, Copy, ValueEnum)]
enum To {
    Xml,
    Json,
}

/// Why there is nothing to write.
#[derive(Debug, thiserror::Error)]
enum ConvertError {
    #[error("{0}")]
    Unreadable(#[from] std::io::Error),
    #[error("longer than {MAX_INPUT} bytes")]
    TooLong,
    #[error("neither XML nor JSON, nor another form that is known: name its form with --from")]
    Unknown,
    #[error("{0}")]
    NotWellFormed(String),
    #[error("{0}")]
    Document(DocumentErrors),
    #[error("{}", .0.join("\n"))]
    NoEquivalent(Vec<String>),
}

impl Convert {
    pub(super) fn run(self) -> ExitCode {
        let name = self.file.as_ref().map_or_else(|| "<stdin>".into(), |file| file.display().to_string());
        let configuration = match self.read().and_then(|bytes| self.configuration(&bytes)) {
            Ok((configuration, warnings)) => {
                for warning in warnings {
                    note(&format!("{name}: {warning}"));
                }
                configuration
            }
            Err(ConvertError::Document(errors)) => {
                let errors: Vec<_> = errors.iter().map(|error| format!("{name}:{error}")).collect();
                return fail(&errors.join("\n"));
            }
            Err(error) => {
                let errors: Vec<_> = error.to_string().lines().map(|error| format!("{name}: {error}")).collect();
                return fail(&errors.join("\n"));
            }
        };
        let written = match self.to {
            To::Xml => configuration.to_xml(),
            To::Json => configuration.to_json(),
        };
        match written {
            Ok(text) => print(&text),
            Err(error) => fail(&error),
        }
    }

    fn read(&self) -> Result<Vec<u8>, ConvertError> {
        let mut bytes = Vec::new();
        let limit = MAX_INPUT as u64 + 1;
        match &self.file {
            Some(path) => std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?,
            None => {
                let _reading = LongWork::of_input();
                std::io::stdin().take(limit).read_to_end(&mut bytes)?
            }
        };
        if bytes.len() > MAX_INPUT { Err(ConvertError::TooLong) } else { Ok(bytes) }
    }

    /// The configuration, and what is lost.
    fn configuration(&self, bytes: &[u8]) -> Result<Converted, ConvertError> {
        let format = match self.from {
            From::Xml => Format::Xml,
            From::Json => Format::Json,
            _ => Format::detect(bytes),
        };
        let is_s3 = matches!(self.from, From::Auto | From::Xml | From::Json);
        let from = if is_s3 {
            match Document::parse(bytes, format) {
                Ok(document) => return Ok(of_s3(document.into_configuration())),
                Err(errors) => match self.foreign(bytes) {
                    Some(from) => from,
                    None => return of_literal(bytes).unwrap_or_else(|| Err(self.refusal(bytes, errors))),
                },
            }
        } else {
            self.from
        };
        let text = std::str::from_utf8(bytes).map_err(|error| ConvertError::NotWellFormed(error.to_string()))?;
        read(from, text)
    }

    fn foreign(&self, bytes: &[u8]) -> Option<From> {
        self.accepts(recognise(std::str::from_utf8(bytes).ok()?)?)
    }

    /// What S3 rejects is said in S3's words; what is neither XML nor JSON is not.
    fn refusal(&self, bytes: &[u8], errors: DocumentErrors) -> ConvertError {
        let begins = bytes.trim_ascii_start().first();
        let is_named = std::str::from_utf8(bytes).is_ok_and(|text| recognise(text).is_some());
        let is_other = !is_named && begins.is_some_and(|first| !matches!(first, b'<' | b'{' | b'[' | b'"' | 0x80..));
        if self.from == From::Auto && is_other { ConvertError::Unknown } else { ConvertError::Document(errors) }
    }

    /// How to read a form that was recognised; nothing if another one was asked for.
    fn accepts(&self, form: ForeignForm) -> Option<From> {
        match From::from_str(form.converted_from(Format::Json)?, false).ok()? {
            From::Json => Some(From::Json),
            from => (self.from == From::Auto).then_some(from),
        }
    }
}

type Converted = (CorsConfiguration, Vec<String>);

/// S3's own document keeps its meaning. A placeholder in it is an origin that S3 accepts and no browser sends.
fn of_s3(configuration: CorsConfiguration) -> Converted {
    let origins = configuration.rules().iter().flat_map(CorsRule::allowed_origins);
    let placeholders = origins.filter_map(|origin| {
        let found = unresolved::placeholder(origin.as_str())?;
        Some(format!("origin {origin}: {found} is a placeholder that was not filled in"))
    });
    let notes = placeholders.collect();
    (configuration, notes)
}

/// S3's own names in the data of a program, such as a dictionary of Python: JSON but for its quotes, comments and commas.
fn of_literal(bytes: &[u8]) -> Option<Result<Converted, ConvertError>> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.trim_start().starts_with(['{', '[']))?;
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let document = literal::document(text).ok().filter(|document| !is_json && s3::has_rules(document))?;
    Some(convert(From::Json, &document))
}

/// YAML is also recognised as the JSON that it could have been.
fn recognise(text: &str) -> Option<ForeignForm> {
    ForeignForm::recognise(text).or_else(|| ForeignForm::recognise(&yaml::read(text).ok()?.to_string()))
}

fn read(from: From, text: &str) -> Result<Converted, ConvertError> {
    let is_s3 = matches!(from, From::Auto | From::Xml | From::Json);
    let is_program = || ForeignForm::recognise(text) == Some(ForeignForm::Program);
    let document = match from {
        From::Terraform if !text.trim_start().starts_with('{') => hcl::read(text)?,
        From::Pulumi | From::Cdk => tree::code(text)?,
        From::Traefik if toml::is_toml(text) => toml::read(text)?,
        _ if is_s3 && is_program() => program::read(text)?,
        _ if is_s3 => shorthand::read(text).unwrap_or_else(|| tree::read(text))?,
        _ => tree::read(text)?,
    };
    match config_map::texts(&document).filter(|_| is_s3) {
        Some(texts) => of_config_map(texts),
        None => convert(from, &document),
    }
}

/// Reads the only document among the data of a ConfigMap.
fn of_config_map(texts: Vec<(String, Result<String, String>)>) -> Result<Converted, ConvertError> {
    let is_document = |(name, text): &(String, Result<String, String>)| {
        let is_named = [".xml", ".json"].iter().any(|ending| name.ends_with(ending));
        is_named
            || text.as_ref().is_ok_and(|text| {
                recognise(text).is_some() || Document::parse(text.as_bytes(), Format::detect(text.as_bytes())).is_ok()
            })
    };
    let mut documents: Vec<_> = texts.into_iter().filter(is_document).collect();
    let names: Vec<_> = documents.iter().map(|(name, _)| name.clone()).collect();
    match (documents.pop(), documents.is_empty()) {
        (Some((_, Ok(text))), true) => {
            let convert = Convert { from: From::Auto, to: To::Json, file: None };
            let (configuration, notes) = convert.configuration(text.as_bytes())?;
            let read = format!("data: {} is read, the other members of the manifest are not rules", names.join(", "));
            Ok((configuration, std::iter::once(read).chain(notes).collect()))
        }
        (Some((name, Err(unresolved))), true) => {
            Err(ConvertError::NoEquivalent(vec![format!("data: {name} has {unresolved}: fill it in first")]))
        }
        (Some(_), false) => Err(ConvertError::NoEquivalent(vec![format!(
            "data: {}: several documents: convert one at a time",
            names.join(", ")
        )])),
        (None, _) => Err(ConvertError::NoEquivalent(vec!["data: there is no CORS document".to_owned()])),
    }
}

fn convert(from: From, document: &Value) -> Result<Converted, ConvertError> {
    let mut conversion = Conversion::default();
    match from {
        From::Auto | From::Xml | From::Json if s3::has_rules(document) => s3::read(document, &mut conversion),
        From::Auto | From::Xml | From::Json | From::Terraform | From::Pulumi | From::Crossplane | From::Cdk => {
            any_case::read(document, &mut conversion);
        }
        From::CloudFormation => cloudformation::read(document, &mut conversion),
        From::R2 => r2::read(document, &mut conversion),
        From::Gcs => gcs::read(document, &mut conversion),
        From::B2 => b2::read(document, &mut conversion),
        From::Azure => azure::read(document, &mut conversion),
        From::IngressNginx => ingress_nginx::read(document, &mut conversion),
        From::GatewayApi => gateway_api::read(document, &mut conversion),
        From::Traefik => traefik::read(document, &mut conversion),
        From::Istio => istio::read(document, &mut conversion),
    }
    conversion.finish().map_err(ConvertError::NoEquivalent)
}

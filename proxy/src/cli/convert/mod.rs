//! `s3cors convert`: S3's XML or the JSON of the AWS CLI, from each other and from the forms of other tools.
//!
//! Each form has a file, which reads its rules into drafts. Whatever S3 has no equivalent for is a warning or an error that names it.

mod azure;
mod b2;
mod cloudformation;
mod draft;
mod fields;
mod gateway_api;
mod gcs;
mod ingress_nginx;
mod r2;
mod s3;
#[cfg(test)]
mod tests;
mod tree;

use super::{fail, note, print};
use clap::{Args, ValueEnum};
use draft::Conversion;
use s3_cors::{CorsConfiguration, Document, DocumentErrors, ForeignForm, Format};
use serde_json::Value;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

/// The longest input in bytes: a template of CloudFormation can have 1 MB.
const MAX_INPUT: usize = 1 << 20;

#[derive(Args)]
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// Whichever of the others it is
    Auto,
    /// S3's XML
    Xml,
    /// The JSON of the AWS CLI: CORSRules, the list alone, one rule, or the whole input
    Json,
    /// Cloudflare R2
    R2,
    /// Google Cloud Storage, JSON or XML
    Gcs,
    /// Backblaze B2
    B2,
    /// Azure Storage, XML or JSON
    Azure,
    /// A template of AWS CloudFormation, JSON or YAML, or its CorsConfiguration
    #[value(name = "cloudformation")]
    CloudFormation,
    /// An Ingress with the annotations of ingress-nginx
    IngressNginx,
    /// A route with the CORS filter of the Gateway API
    GatewayApi,
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
    #[error("neither XML nor JSON, nor YAML in a form that is known: name its form with --from")]
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
            None => std::io::stdin().take(limit).read_to_end(&mut bytes)?,
        };
        if bytes.len() > MAX_INPUT { Err(ConvertError::TooLong) } else { Ok(bytes) }
    }

    /// The configuration, and what is lost.
    fn configuration(&self, bytes: &[u8]) -> Result<(CorsConfiguration, Vec<String>), ConvertError> {
        let format = match self.from {
            From::Xml => Format::Xml,
            From::Json => Format::Json,
            _ => Format::detect(bytes),
        };
        let is_s3 = matches!(self.from, From::Auto | From::Xml | From::Json);
        let from = if is_s3 {
            match Document::parse(bytes, format) {
                Ok(document) => return Ok((document.into_configuration(), Vec::new())),
                Err(errors) => self.foreign(bytes).ok_or_else(|| self.refusal(bytes, errors))?,
            }
        } else {
            self.from
        };
        let text = std::str::from_utf8(bytes).map_err(|error| ConvertError::NotWellFormed(error.to_string()))?;
        convert(from, &tree::read(text)?)
    }

    fn foreign(&self, bytes: &[u8]) -> Option<From> {
        self.accepts(recognise(std::str::from_utf8(bytes).ok()?)?)
    }

    /// What S3 rejects is said in S3's words; YAML, which S3 does not have, is not.
    fn refusal(&self, bytes: &[u8], errors: DocumentErrors) -> ConvertError {
        let begins_like_yaml = bytes.first().is_some_and(u8::is_ascii_alphabetic);
        if self.from == From::Auto && begins_like_yaml { ConvertError::Unknown } else { ConvertError::Document(errors) }
    }

    /// How to read a form that was recognised; nothing if another one was asked for.
    fn accepts(&self, form: ForeignForm) -> Option<From> {
        let from = match form {
            ForeignForm::CliInput | ForeignForm::XmlAsJson | ForeignForm::BareRule => {
                return Some(From::Json).filter(|_| matches!(self.from, From::Auto | From::Xml | From::Json));
            }
            form => From::from_str(form.converted_from(Format::Json)?, false).ok()?,
        };
        (self.from == From::Auto).then_some(from)
    }
}

/// YAML is recognised as the JSON that it could have been.
fn recognise(text: &str) -> Option<ForeignForm> {
    ForeignForm::recognise(text).or_else(|| ForeignForm::recognise(&tree::yaml(text).ok()?.to_string()))
}

fn convert(from: From, document: &Value) -> Result<(CorsConfiguration, Vec<String>), ConvertError> {
    let mut conversion = Conversion::default();
    match from {
        From::Auto | From::Xml | From::Json => s3::read(document, &mut conversion),
        From::R2 => r2::read(document, &mut conversion),
        From::Gcs => gcs::read(document, &mut conversion),
        From::B2 => b2::read(document, &mut conversion),
        From::Azure => azure::read(document, &mut conversion),
        From::CloudFormation => cloudformation::read(document, &mut conversion),
        From::IngressNginx => ingress_nginx::read(document, &mut conversion),
        From::GatewayApi => gateway_api::read(document, &mut conversion),
    }
    conversion.finish().map_err(ConvertError::NoEquivalent)
}

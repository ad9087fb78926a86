//! `s3cors convert`: S3's XML from the JSON of the AWS CLI, and the other way round.

use super::{fail, print};
use clap::{Args, ValueEnum};
use s3_cors::{Document, Format, MAX_DOCUMENT_LENGTH};
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct Convert {
    /// The form to write
    #[arg(long, value_enum)]
    to: To,
    /// The document, in either form [default: standard input]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum To {
    Xml,
    Json,
}

impl Convert {
    pub(super) fn run(self) -> ExitCode {
        let name = self.file.as_ref().map_or_else(|| "<stdin>".into(), |file| file.display().to_string());
        let bytes = match self.read() {
            Ok(bytes) => bytes,
            Err(error) => return fail(&format!("{name}: {error}")),
        };
        let document = match Document::parse(&bytes, Format::detect(&bytes)) {
            Ok(document) => document,
            Err(errors) => {
                let errors: Vec<_> = errors.iter().map(|error| format!("{name}:{error}")).collect();
                return fail(&errors.join("\n"));
            }
        };
        let written = match self.to {
            To::Xml => document.configuration().to_xml(),
            To::Json => document.configuration().to_json(),
        };
        match written {
            Ok(text) => print(&text),
            Err(error) => fail(&error),
        }
    }

    fn read(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = MAX_DOCUMENT_LENGTH as u64 + 1;
        match &self.file {
            Some(path) => std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?,
            None => std::io::stdin().take(limit).read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    }
}

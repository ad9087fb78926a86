//! `s3cors explain`: why a request is or is not allowed, by rules on disk.

use super::{Format, fail, note, print};
use clap::Args;
use s3cors_proxy::config::{ConfigFile, Cors, Rules};
use s3cors_proxy::rules::explanation::{Question, explain_request};
use s3cors_proxy::rules::{Directory, Store};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct Explain {
    /// Configuration file: its `cors` settings apply, and its rules unless --rules names others
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory with BUCKET.xml or BUCKET.json, or one file [default: what the configuration says]
    #[arg(long, value_name = "PATH", required_unless_present = "config")]
    rules: Option<PathBuf>,
    /// The bucket; without it, the rules of a single file, or those of requests without a bucket
    #[arg(long)]
    bucket: Option<String>,
    /// The page's origin, such as `https://app.example`
    #[arg(long)]
    origin: String,
    /// The method that the page wants to use
    #[arg(long)]
    method: String,
    /// The headers that the page wants to send, separated by commas
    #[arg(long, value_name = "NAMES")]
    request_headers: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Explain {
    pub(super) fn run(self) -> ExitCode {
        let (configured, cors) = match self.config.as_deref().map(ConfigFile::read).transpose() {
            Ok(Some(file)) => (file.rules_path(), file.cors()),
            Ok(None) => (Rules::default().path().to_owned(), Cors::default()),
            Err(error) => return fail(&error),
        };
        let rules = self.rules.clone().unwrap_or(configured);
        let is_file = rules.is_file();
        let (store, errors) = Store::of_what_is_valid(Box::new(Directory::new(rules)), cors.credentials.into());
        let (about, others): (Vec<_>, Vec<_>) =
            errors.iter().partition(|error| store.is_about(error, self.bucket.as_deref()));
        if !about.is_empty() {
            return fail(&about.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
        for other in others {
            note(&format_args!(
                "{} is not valid, which changes nothing here: see s3cors check",
                other.path().display()
            ));
        }
        let live = store.live();
        let bucket = match &self.bucket {
            // A single file holds the rules of every bucket, whichever is meant.
            None if is_file => live.default_bucket(),
            name => live.bucket(name.as_deref()),
        };
        let question = Question {
            bucket: self.bucket.as_deref(),
            origin: &self.origin,
            method: &self.method,
            request_headers: self.request_headers.as_deref(),
        };
        let explained = match explain_request(bucket.rules.as_ref(), &question) {
            Ok(explained) => explained,
            Err(error) => return fail(&error),
        };
        match self.format {
            Format::Text => print(&explained.to_string()),
            Format::Json => match serde_json::to_string_pretty(&explained) {
                Ok(json) => print(&format!("{json}\n")),
                Err(error) => fail(&error),
            },
        }
    }
}

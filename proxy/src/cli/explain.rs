//! `s3cors explain`: why a request is or is not allowed, by rules on disk.

use super::{Format, fail, print};
use clap::Args;
use s3_cors::Credentials;
use s3cors_proxy::config::Rules;
use s3cors_proxy::explanation::{Question, answer};
use s3cors_proxy::rules::Store;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct Explain {
    /// Directory with BUCKET.xml or BUCKET.json, or one file
    #[arg(long, value_name = "PATH")]
    rules: PathBuf,
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
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Explain {
    pub(super) fn run(self) -> ExitCode {
        let is_file = self.rules.is_file();
        let rules = Rules { path: self.rules, ..Rules::default() };
        let store = match Store::open(&rules, Credentials::S3, Box::new(|_, _| ())) {
            Ok(store) => store,
            Err(errors) => {
                let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                return fail(&errors.join("\n"));
            }
        };
        // A single file holds the rules of every bucket, whichever is meant.
        let bucket = self.bucket.as_deref().or(is_file.then_some(""));
        let question = Question {
            bucket: self.bucket.as_deref(),
            origin: &self.origin,
            method: &self.method,
            request_headers: self.request_headers.as_deref(),
        };
        let live = store.live();
        match answer(live.bucket(bucket).rules.as_ref(), &question) {
            Err(error) => fail(&error),
            Ok(explained) => print(&match self.format {
                Format::Text => explained.to_string(),
                Format::Json => serde_json::to_string_pretty(&explained).unwrap_or_default() + "\n",
            }),
        }
    }
}

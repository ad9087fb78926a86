//! `s3cors explain`: why a request is or is not allowed, by rules on disk, or why a running proxy denied one.

use super::ask::ask;
use super::{Format, fail, note, print};
use clap::Args;
use s3cors_proxy::config::{Config, ConfigFile, Cors, ListenAddress, Rules};
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
    #[arg(long, value_name = "PATH", required_unless_present_any = ["config", "request_id"])]
    rules: Option<PathBuf>,
    /// The bucket; without it, the rules of a single file, or those of requests without a bucket
    #[arg(long)]
    bucket: Option<String>,
    /// The page's origin, such as `https://app.example`
    #[arg(long, required_unless_present = "request_id")]
    origin: Option<String>,
    /// The method that the page wants to use
    #[arg(long, required_unless_present = "request_id")]
    method: Option<String>,
    /// The headers that the page wants to send, separated by commas
    #[arg(long, value_name = "NAMES")]
    request_headers: Option<String>,
    /// Instead: the `x-amz-request-id` of a response that denied a request. The proxy that sent it is asked, which keeps the latest
    /// denials
    #[arg(long, value_name = "ID", conflicts_with_all = ["rules", "bucket", "origin", "method", "request_headers"])]
    request_id: Option<String>,
    /// Address of that proxy's admin listener [default: what the configuration says, else 127.0.0.1:9180]
    #[arg(long, value_name = "ADDR", env = "S3CORS_ADMIN")]
    admin: Option<ListenAddress>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Explain {
    pub(super) fn run(self) -> ExitCode {
        match &self.request_id {
            Some(request_id) => self.ask_about(request_id),
            None => self.ask_rules(),
        }
    }

    /// Asks a running proxy about a request that it denied.
    fn ask_about(&self, request_id: &str) -> ExitCode {
        let of_environment = || std::env::var_os("S3CORS_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let config = self.config.clone().or_else(of_environment);
        let admin = match Config::admin_address(config.as_deref(), self.admin) {
            Ok(admin) => admin,
            Err(error) => return fail(&error),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("request_id", request_id);
        if self.format == Format::Text {
            query.append_pair("format", "text");
        }
        let answer = ask(admin, &format!("/api/explain?{}", query.finish()));
        match answer.and_then(|answer| Ok((answer.is_ok(), answer.body()?))) {
            Ok((true, explanation)) => print(&format!("{}\n", explanation.trim_end())),
            Ok((false, message)) => fail(&message.trim_end()),
            Err(error) => fail(&format!("{admin}: {error}")),
        }
    }

    fn ask_rules(&self) -> ExitCode {
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
            origin: self.origin.as_deref().unwrap_or_default(),
            method: self.method.as_deref().unwrap_or_default(),
            request_headers: self.request_headers.as_deref(),
        };
        let explained = match explain_request(bucket, &question) {
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

//! `s3cors explain`: why a request is or is not allowed, by rules on disk, or why a running proxy denied one.

use super::admin::AdminArguments;
use super::ask::page;
use super::browser::BrowserArguments;
use super::curl::Copied;
use super::progress::LongWork;
use super::terminal::{explanation, has_colour};
use super::{Format, fail, note, print, wrong_usage};
use clap::Args;
use s3_cors::RequestKind;
use s3cors_proxy::config::{ConfigFile, Cors, Rules};
use s3cors_proxy::explain::{Explained, FetchSettings, NoPageOrigin, Question, SettingsBeside, page_origin};
use s3cors_proxy::rules::{Directory, Store};
use s3cors_proxy::s3::address::{Address, NamedBucket};
use s3cors_proxy::s3::domain::{Domain, host_name};
use s3cors_proxy::s3::endpoint::bucket_of_amazon;
use std::io::{read_to_string, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  s3cors explain --rules rules --bucket photos --origin https://app.example \\
    --method PUT --request-headers content-type
  s3cors explain --request-id 6F1B3A0C9D2E4857
  pbpaste | s3cors explain --rules rules --curl -

Exit status:
  0  explained, whatever the verdict
  1  cannot be explained; with --exit-code also: the rules deny the request
  2  wrong usage, such as an origin that no browser sends";

const REQUEST: &str = "The request";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Explain {
    /// Configuration file: its `cors` settings apply, and its rules unless --rules names others
    #[arg(long, value_name = "FILE", env = "S3CORS_CONFIG")]
    config: Option<PathBuf>,
    /// Directory with BUCKET.xml or BUCKET.json, or one file [default: S3CORS_RULES, or what the configuration says, or conf/rules]
    #[arg(long, value_name = "PATH")]
    rules: Option<PathBuf>,
    /// Domain whose subdomains are buckets, for the URL of --curl; repeatable
    #[arg(long, value_name = "NAME", env = "S3CORS_DOMAIN", value_delimiter = ',')]
    domain: Vec<Domain>,
    /// The bucket; without it, the rules of a single file, or those of requests without a bucket
    #[arg(help_heading = REQUEST, long)]
    bucket: Option<String>,
    /// The page's origin, such as `https://app.example`
    #[arg(help_heading = REQUEST, long, required_unless_present_any = ["request_id", "curl"], value_parser = origin)]
    origin: Option<String>,
    /// The method that the page wants to use
    #[arg(help_heading = REQUEST, long, required_unless_present_any = ["request_id", "curl"])]
    method: Option<String>,
    /// The headers that the page wants to send, separated by commas
    #[arg(help_heading = REQUEST, long, value_name = "NAMES")]
    request_headers: Option<String>,
    /// Instead: the request as a browser's developer tools copy it, "Copy as cURL"; `-` reads it from standard input. The bucket is that
    /// of the URL: in the path, or as the configuration's domains and hosts say. Values of headers are never shown
    #[arg(help_heading = REQUEST, long, value_name = "LINE", conflicts_with_all = ["method", "request_headers"])]
    curl: Option<String>,
    /// Instead: the `x-amz-request-id` of a response that denied a request. The proxy that sent it is asked, which keeps the latest
    /// denials
    #[arg(help_heading = REQUEST, long, value_name = "ID", conflicts_with_all = ["rules", "bucket", "origin", "method", "request_headers", "curl"])]
    request_id: Option<String>,
    /// Exit with 1 if the rules deny the request, else with 0
    #[arg(long, conflicts_with = "request_id")]
    exit_code: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    admin: AdminArguments,
    #[command(flatten)]
    browser: BrowserArguments,
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
        let admin = match self.admin.target(self.config.as_deref()) {
            Ok(admin) => admin,
            Err(error) => return fail(&error),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("request_id", request_id);
        if self.format == Format::Text {
            query.append_pair("format", "text");
        }
        match page(&admin, &format!("/api/explain?{}", query.finish())) {
            Ok(explanation) if self.format == Format::Json => print(&format!("{}\n", explanation.trim_end())),
            Ok(explanation) => print_explanation(&format!("{}\n", explanation.trim_end())),
            Err(error) => fail(&error),
        }
    }

    fn ask_rules(&self) -> ExitCode {
        let file = match self.config.as_deref().map(ConfigFile::read).transpose() {
            Ok(file) => file,
            Err(error) => return fail(&error),
        };
        match self.asked(file.as_ref()) {
            Ok(asked) => self.explain(file.as_ref(), &asked),
            Err(Unasked::Origin(error)) => wrong_usage(&format_args!("the Origin of --curl: {error}")),
            Err(Unasked::Other(error)) => fail(&error),
        }
    }

    /// What is asked about: by the options, or by a copied request.
    fn asked(&self, file: Option<&ConfigFile>) -> Result<Asked, Unasked> {
        let Some(line) = &self.curl else {
            return Ok(Asked {
                bucket: named(self.bucket.clone()),
                origin: self.origin.clone().unwrap_or_default(),
                method: self.method.clone().unwrap_or_default(),
                request_headers: self.request_headers.clone(),
                notes: Vec::new(),
            });
        };
        let line = if line == "-" { standard_input().map_err(|error| error.to_string())? } else { line.clone() };
        let copied = Copied::read(&line).map_err(|error| error.to_string())?;
        if copied.is_same_origin {
            note(&"the browser says that page and URL have the same origin: it then asks CORS nothing");
        }
        let origin = self.origin.clone().or(copied.origin).ok_or_else(|| NO_ORIGIN.to_owned())?;
        let origin = page_origin(&origin).map_err(Unasked::Origin)?;
        let mut notes = Vec::new();
        let bucket = match &self.bucket {
            Some(_) => named(self.bucket.clone()),
            None => {
                let (bucket, how) = self.bucket_of(&copied.host, &copied.path, file);
                notes.extend(how);
                bucket
            }
        };
        if copied.has_two_signatures {
            notes.push(TWO_SIGNATURES.to_owned());
        }
        Ok(Asked { bucket, origin, method: copied.method, request_headers: copied.request_headers, notes })
    }

    /// The bucket that host and path name, as the proxy with this configuration reads them, and how it was read where that is not certain.
    fn bucket_of(&self, host: &str, path: &str, file: Option<&ConfigFile>) -> (NamedBucket<'static>, Option<String>) {
        if let Some((prefix, public)) = file.and_then(|file| file.hosts().of(host, path)) {
            let inner = path.get(prefix..).filter(|inner| !inner.is_empty()).unwrap_or("/");
            let address = match &public.bucket {
                Some(bucket) => Address::in_bucket(bucket, inner),
                None => Address::in_path(inner),
            };
            return (address.bucket.into_owned(), None);
        }
        let domains = match file {
            Some(file) if self.domain.is_empty() => file.domains(),
            _ => &self.domain,
        };
        let bucket = Address::of(Some(host), path, domains).bucket.into_owned();
        let name = host_name(host).to_ascii_lowercase();
        let is_known = domains.iter().any(|domain| {
            name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        if is_known {
            return (bucket, None);
        }
        if let Some((bucket, domain)) = bucket_of_amazon(host) {
            let note =
                format!("the bucket {bucket} is in the host; s3cors serve reads it there with --domain {domain}");
            return (NamedBucket::One(bucket.into()), Some(note));
        }
        // A path that servers read in different ways names no bucket, and there is nothing to note.
        let note = bucket.name().and_then(|bucket| read_from_path(bucket, &name));
        (bucket, note)
    }

    fn explain(&self, file: Option<&ConfigFile>, asked: &Asked) -> ExitCode {
        let configured = || file.map_or_else(|| Rules::default().path().to_owned(), ConfigFile::rules_path);
        let cors = file.map_or_else(Cors::default, ConfigFile::cors);
        let of_environment = || std::env::var_os("S3CORS_RULES").filter(|path| !path.is_empty()).map(PathBuf::from);
        let rules = self.rules.clone().or_else(of_environment).unwrap_or_else(configured);
        let is_file = rules.is_file();
        let (store, errors) = Store::of_what_is_valid(Box::new(Directory::new(rules)), cors.credentials.into());
        let bucket = asked.bucket.name();
        let (about, others): (Vec<_>, Vec<_>) = errors.iter().partition(|error| store.is_about(error, bucket));
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
        let is_ambiguous = asked.bucket == NamedBucket::Ambiguous;
        let rules = match bucket {
            _ if is_ambiguous => live.without_rules(),
            // A single file holds the rules of every bucket, whichever is meant.
            None if is_file => live.default_bucket(),
            name => live.bucket(name),
        };
        match FetchSettings::from(&self.browser).explain(&asked.question(), rules, &live) {
            Ok(mut explained) => {
                explained.notes.splice(0..0, asked.notes.iter().cloned());
                if is_ambiguous {
                    explained.deny_change_to_ambiguous();
                } else {
                    explained.tell_of_missing_rules(&store);
                    explained.tell_of_settings(&file.map(settings_beside).unwrap_or_default());
                }
                self.show(&explained)
            }
            Err(error) => fail(&error),
        }
    }

    fn show(&self, explained: &Explained) -> ExitCode {
        let printed = match self.format {
            Format::Text => print_explanation(&explained.to_string()),
            Format::Json => match serde_json::to_string_pretty(explained) {
                Ok(json) => print(&format!("{json}\n")),
                Err(error) => return fail(&error),
            },
        };
        if self.exit_code && !explained.allowed { ExitCode::FAILURE } else { printed }
    }
}

fn print_explanation(text: &str) -> ExitCode {
    print(&explanation(text, has_colour(&std::io::stdout())))
}

const NO_ORIGIN: &str = "the copied request has no Origin: the browser sent none, so CORS had no part in it; give the page's origin with --origin";
const TWO_SIGNATURES: &str = "the URL is presigned and the request has an Authorization header too: S3 answers 400 InvalidArgument, \"Only one auth mechanism \
    allowed\"; remove the header";

fn standard_input() -> std::io::Result<String> {
    let _reading = LongWork::of_input();
    read_to_string(stdin())
}

/// The reason why nothing can be asked.
enum Unasked {
    /// No browser sends the origin.
    Origin(NoPageOrigin),
    Other(String),
}

impl From<String> for Unasked {
    fn from(error: String) -> Self {
        Self::Other(error)
    }
}

fn origin(text: &str) -> Result<String, NoPageOrigin> {
    page_origin(text)
}

/// A note about a bucket that was read from the path, where the host may name it instead: one with a domain below its first label.
fn read_from_path(bucket: &str, host: &str) -> Option<String> {
    let (first, domain) = host.split_once('.')?;
    let is_address =
        host.starts_with('[') || host.split('.').all(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    let may_name_it = !is_address && domain.contains('.') && !first.is_empty();
    may_name_it.then(|| {
        format!(
            "the bucket {bucket} is the first part of the path; if the host names the bucket, give --domain {domain}"
        )
    })
}

/// A request to explain.
struct Asked {
    bucket: NamedBucket<'static>,
    origin: String,
    method: String,
    request_headers: Option<String>,
    /// Notes on how it was read, and on what else was seen.
    notes: Vec<String>,
}

impl Asked {
    fn question(&self) -> Question<'_> {
        Question {
            kind: RequestKind::Preflight,
            bucket: self.bucket.name(),
            origin: &self.origin,
            method: &self.method,
            request_headers: self.request_headers.as_deref(),
        }
    }
}

fn named(bucket: Option<String>) -> NamedBucket<'static> {
    bucket.map_or(NamedBucket::Service, |name| NamedBucket::One(name.into()))
}

/// The settings of a file that decide beside the rules.
fn settings_beside(file: &ConfigFile) -> SettingsBeside {
    let enforces = file.cors().enforce.is_on();
    SettingsBeside { signed: file.signed_prefixes(), uploads: file.upload_limits(), enforces }
}

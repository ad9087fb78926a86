//! `s3cors learn`: the rules that allow what a running proxy denied, for a person to read.

use super::admin::AdminArguments;
use super::ask::page;
use super::{Format, fail, note, print};
use clap::Args;
use s3_cors::Document;
use s3cors_proxy::config::page_origin;
use s3cors_proxy::explain::{LearnedDocument, LearnedDocuments, RepeatedRequest};
use s3cors_proxy::rules::Directory;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
The rules allow the requests that were denied and nothing else. Read them
before you use them.

Examples:
  s3cors learn
  s3cors learn --bucket photos --origin https://app.example > photos.xml
  s3cors learn --admin https://s3cors.internal:9180 --min-count 10 --rules new

Exit status:
  0  there are rules
  1  nothing to learn from, or a file could not be written
  2  wrong usage";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Learn {
    /// Configuration file (YAML) of the running proxy, for its admin listener
    #[arg(long, value_name = "FILE", env = "S3CORS_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    admin: AdminArguments,
    /// The bucket whose denied requests are to be allowed [default: each, with a document of its own]
    #[arg(long)]
    bucket: Option<String>,
    /// Only the requests of pages of this origin, such as `https://app.example`
    #[arg(long, value_parser = page_origin)]
    origin: Option<String>,
    /// Only requests that came at least so often
    #[arg(long, value_name = "N")]
    min_count: Option<u64>,
    /// Only so many different requests of each bucket, the most frequent ones
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Directory to write a file for each bucket to, in place of printing; a document that is there stays
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Output format: the XML of each document, or the JSON of /api/learn
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "rules")]
    format: Format,
}

impl Learn {
    pub(super) fn run(self) -> ExitCode {
        let admin = match self.admin.target(self.config.as_deref()) {
            Ok(admin) => admin,
            Err(error) => return fail(&error),
        };
        let body = match page(&admin, &format!("/api/learn?{}", self.query())) {
            Ok(body) => body,
            Err(error) => return fail(&error),
        };
        if self.format == Format::Json {
            return print(&format!("{}\n", body.trim_end()));
        }
        let learned = match self.bucket {
            Some(_) => serde_json::from_str(&body).map(|learned| vec![learned]),
            None => serde_json::from_str(&body).map(|LearnedDocuments { buckets }| buckets),
        };
        match learned {
            Ok(learned) => take(&learned, self.rules.as_deref()),
            Err(error) => fail(&format!("{admin} says what cannot be read: {error}")),
        }
    }

    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let texts = [("bucket", &self.bucket), ("origin", &self.origin)];
        query.extend_pairs(texts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        let min_count = self.min_count.map(|count| ("min_count", count.to_string()));
        query.extend_pairs(min_count.into_iter().chain(self.limit.map(|limit| ("limit", limit.to_string()))));
        query.finish()
    }
}

/// Prints each document, or writes it to a directory; and beside them what was left out and what to think about. Fails where there is no
/// document.
fn take(learned: &[LearnedDocument], rules: Option<&Path>) -> ExitCode {
    let (mut text, mut written) = (String::new(), Vec::new());
    for document in learned {
        note_about(document);
        let LearnedDocument { bucket, xml: Some(xml), .. } = document else { continue };
        if let Some(rules) = rules {
            written.push(write(rules, bucket, xml));
            continue;
        }
        if learned.len() > 1 {
            // A comment ends with two hyphens.
            text += &format!("<!-- {} -->\n", bucket.replace("--", "- -"));
        }
        text += xml;
    }
    if text.is_empty() && written.is_empty() {
        return fail(&"there is nothing to learn from: no denied request was selected that rules can allow");
    }
    if rules.is_none() {
        return print(&text);
    }
    if written.iter().all(|is_written| *is_written) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells what a document leaves out, its warnings, and for how many requests it is.
fn note_about(LearnedDocument { bucket, requests, xml, warnings, skipped, .. }: &LearnedDocument) {
    for RepeatedRequest { origin, method, request_headers, count, why } in skipped {
        // What came from a request must not steer a terminal.
        let headers = request_headers.as_ref().map(|names| format!(" with {}", names.escape_debug()));
        let request = format!("{} from {}", method.escape_debug(), origin.escape_debug());
        note(&format!(
            "{bucket}: left out {request}{}, {count} times: {}",
            headers.unwrap_or_default(),
            why.escape_debug()
        ));
    }
    for warning in warnings {
        note(&format!("{bucket}: warning: {}", warning.escape_debug()));
    }
    if xml.is_some() {
        let requests = match requests {
            1 => "1 request".to_owned(),
            several => format!("{several} different requests"),
        };
        note(&format!("{bucket}: rules for {requests}; read them before you use them"));
    }
}

/// Writes the document of a bucket as a file, and says so; returns whether it is written.
fn write(rules: &Path, bucket: &str, xml: &str) -> bool {
    let document = Document::parse(xml.as_bytes(), s3_cors::Format::Xml).map_err(|errors| errors.to_string());
    let created = document.and_then(|document| {
        std::fs::create_dir_all(rules).map_err(|error| format!("{}: {error}", rules.display()))?;
        let created = Directory::new(rules.to_owned()).create(bucket, document.configuration());
        created.map_err(|error| error.to_string())
    });
    match &created {
        Ok(path) => note(&format!("{bucket}: wrote {}", path.display())),
        Err(error) => drop(fail(&format!("{}: {error}", bucket.escape_debug()))),
    }
    created.is_ok()
}

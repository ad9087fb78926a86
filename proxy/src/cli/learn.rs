//! `s3cors learn`: the rules that allow what a running proxy denied, for a person to read.

use super::admin::AdminArguments;
use super::ask::page;
use super::{Format, fail, note, print};
use clap::Args;
use s3cors_proxy::config::page_origin;
use s3cors_proxy::explain::{LearnedDocument, LearnedDocuments, RepeatedRequest};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
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
    /// Only requests that came so often
    #[arg(long, value_name = "N")]
    min_count: Option<u64>,
    /// Only so many different requests of each bucket, the most frequent ones
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Output format: the XML of each document, or the JSON of /api/learn
    #[arg(long, value_enum, default_value_t = Format::Text)]
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
            Ok(learned) => print_documents(&learned),
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

/// Prints each document, and beside them what was left out and what to think about. Fails where there is no document.
fn print_documents(learned: &[LearnedDocument]) -> ExitCode {
    let mut documents = String::new();
    for LearnedDocument { bucket, requests, xml, warnings, skipped, .. } in learned {
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
        let Some(xml) = xml else { continue };
        let requests = match requests {
            1 => "1 request".to_owned(),
            several => format!("{several} different requests"),
        };
        note(&format!("{bucket}: rules for {requests}; read them before you use them"));
        if learned.len() > 1 {
            // A comment ends with two hyphens.
            documents += &format!("<!-- {} -->\n", bucket.replace("--", "- -"));
        }
        documents += xml;
    }
    if documents.is_empty() {
        return fail(&"there is nothing to learn from: no denied request was selected that rules can allow");
    }
    print(&documents)
}

//! Backblaze B2 (documentation, "Cross-Origin Resource Sharing Rules"): the list of `b2 bucket update --cors-rules`, or a bucket of its
//! API.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use super::gateway_api::warn_of_ports;
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    fields::add_rules(document, &["/corsRules"], conversion, rule);
}

fn rule(fields: &mut Fields<'_>) -> Draft {
    let (operations, origins) = (fields.list("allowedOperations"), fields.list("allowedOrigins"));
    warn_of_ports(&origins, fields);
    Draft {
        id: fields.text("corsRuleName"),
        origins: origins.into_iter().map(origin).collect(),
        methods: operations
            .iter()
            .flat_map(|operation| methods(operation, fields))
            .map(|method| (*method).to_owned())
            .collect(),
        headers: fields.list("allowedHeaders"),
        expose: fields.list("exposeHeaders"),
        max_age: fields.seconds("maxAgeSeconds"),
    }
}

/// A scheme alone is any origin with it, on every port.
fn origin(text: String) -> String {
    if matches!(&*text, "https" | "http") { format!("{text}://*") } else { text }
}

/// Operations of B2's own API have paths that S3 has not; a download is one all the same.
fn methods(operation: &str, fields: &mut Fields<'_>) -> &'static [&'static str] {
    match operation {
        "s3_get" => &["GET"],
        "s3_head" => &["HEAD"],
        "s3_put" => &["PUT"],
        "s3_post" => &["POST"],
        "s3_delete" => &["DELETE"],
        "b2_download_file_by_name" | "b2_download_file_by_id" => &["GET", "HEAD"],
        _ => {
            fields.warn(&format!("{operation} is left out: S3 has no equivalent (s3_put and s3_post are its uploads)"));
            &[]
        }
    }
}

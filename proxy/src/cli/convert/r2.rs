//! Cloudflare R2 (API reference, "Put Bucket CORS Policy"; `wrangler r2 bucket cors set`). Its dashboard has S3's own names.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use super::s3;
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    fields::add_rules(document, &["/rules", "/result/rules"], conversion, |fields| {
        if fields.has("allowed") { rule(fields) } else { s3::rule(fields) }
    });
}

pub(super) fn rule(fields: &mut Fields<'_>) -> Draft {
    let mut draft = Draft {
        id: fields.text("id"),
        expose: fields.list("exposeHeaders"),
        max_age: fields.seconds("maxAgeSeconds"),
        ..Draft::default()
    };
    let allowed = fields.take("allowed").unwrap_or_default();
    fields.rest();
    let mut fields = fields.inner("allowed", &allowed);
    draft.origins = fields.list("origins");
    draft.methods = fields.list("methods");
    draft.headers = fields.list("headers");
    fields.rest();
    draft
}

//! Cloudflare R2 (API reference, "Put Bucket CORS Policy"; `wrangler r2 bucket cors set`). Its dashboard has S3's own names.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use super::s3;
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    for (index, rule) in fields::rules(document, &["/rules", "/result/rules"]).iter().enumerate() {
        let place = fields::rule(index);
        let draft = if rule.get("allowed").is_some() {
            self::rule(place, rule, conversion)
        } else {
            s3::rule(place, rule, conversion)
        };
        conversion.add(draft);
    }
}

fn rule(place: String, rule: &Value, conversion: &mut Conversion) -> Draft {
    let mut draft = Draft::default();
    let mut fields = Fields::of(&place, rule, conversion);
    draft.id = fields.text("id");
    draft.expose = fields.texts("exposeHeaders");
    draft.max_age = fields.seconds("maxAgeSeconds");
    let allowed = fields.take("allowed").unwrap_or_default();
    fields.rest();
    let mut fields = Fields::of(&format!("{place}, allowed"), &allowed, conversion);
    draft.origins = fields.texts("origins");
    draft.methods = fields.texts("methods");
    draft.headers = fields.texts("headers");
    fields.rest();
    Draft { place, ..draft }
}

//! The CORS that an S3 server keeps for its buckets (`GetBucketCors`).

use super::call::{Call, Endpoint, S3};
use super::call_error::CallError;
use super::client::Client;
use crate::config::UpstreamUrl;
use crate::credentials::region;
use reqsign_core::OsEnv;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How many buckets are asked for at the same time.
const AT_ONCE: usize = 16;

/// What a server says about the CORS of a bucket: a document in the JSON of the AWS CLI, or `None` where there is none.
pub type OneBucketCors = Result<Option<String>, String>;

/// The CORS that a server keeps.
pub struct BucketCors(Client);

/// S3 API, ListBuckets.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct BucketList {
    buckets: Buckets,
    continuation_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Buckets {
    #[serde(rename = "Bucket")]
    each: Vec<Bucket>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bucket {
    name: String,
}

/// S3 API, GetBucketCors. Some servers send an empty ID.
#[derive(Deserialize)]
struct Configuration {
    #[serde(default, rename = "CORSRule")]
    rules: Vec<Rule>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Rule {
    #[serde(rename = "ID")]
    id: String,
    allowed_header: Vec<String>,
    allowed_method: Vec<String>,
    allowed_origin: Vec<String>,
    expose_header: Vec<String>,
    max_age_seconds: String,
}

impl BucketCors {
    /// Asks this server, with the AWS credential sources. `ca_file` holds CA roots in place of the system's.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(server: &UpstreamUrl, ca_file: Option<&Path>) -> Result<Self, String> {
        let region = region(&OsEnv, None, None);
        Client::new(Endpoint { url: Some(server), region: &region, ca_file }).map(Self)
    }

    /// The buckets that the owner of the credentials has.
    ///
    /// # Errors
    /// What the server says, or why it was not reached.
    pub fn buckets(&self) -> Result<Vec<String>, String> {
        let listed = self.0.wait(async |s3| {
            let (mut names, mut token) = (Vec::new(), String::new());
            loop {
                let query = [("continuation-token", token.as_str())];
                let query = if token.is_empty() { &[] } else { query.as_slice() };
                let page = s3.call(Call { query, ..Call::default() }).await?;
                let page: BucketList = quick_xml::de::from_reader(page.body().as_ref())?;
                names.extend(page.buckets.each.into_iter().map(|bucket| bucket.name));
                match page.continuation_token {
                    Some(next) if !next.is_empty() && next != token => token = next,
                    _ => return Ok(names),
                }
            }
        });
        listed.map_err(|error: CallError| format!("ListBuckets: {error}"))
    }

    /// The CORS of buckets, in their order.
    #[must_use]
    pub fn of(&self, buckets: &[String]) -> Vec<OneBucketCors> {
        self.0.wait(async |s3| {
            let mut all = Vec::new();
            for some in buckets.chunks(AT_ONCE) {
                let mut asked = JoinSet::new();
                for (place, bucket) in some.iter().cloned().enumerate() {
                    let s3 = Arc::clone(&s3);
                    asked.spawn(async move { (place, of_one(&s3, &bucket).await) });
                }
                let mut read = asked.join_all().await;
                read.sort_unstable_by_key(|(place, _)| *place);
                all.extend(read.into_iter().map(|(_, read)| read));
            }
            all
        })
    }
}

async fn of_one(s3: &S3, bucket: &str) -> OneBucketCors {
    match s3.call(Call { bucket, query: &[("cors", "")], ..Call::default() }).await {
        Ok(response) => match document(response.body()) {
            Ok(document) => Ok(Some(document)),
            Err(error) => Err(format!("GetBucketCors: {}", CallError::from(error))),
        },
        Err(error) if error.code() == Some("NoSuchCORSConfiguration") => Ok(None),
        Err(error) => Err(format!("GetBucketCors: {error}")),
    }
}

/// The rules as they came; whether S3 would accept them is for the parser to say.
fn document(xml: &[u8]) -> Result<String, quick_xml::DeError> {
    let configuration: Configuration = quick_xml::de::from_reader(xml)?;
    let rules = configuration.rules.into_iter().map(|rule| {
        let mut json = json!({ "AllowedMethods": rule.allowed_method, "AllowedOrigins": rule.allowed_origin });
        if let Some(object) = json.as_object_mut() {
            let lists = [("AllowedHeaders", rule.allowed_header), ("ExposeHeaders", rule.expose_header)];
            for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                object.insert(key.into(), list.into());
            }
            if !rule.id.is_empty() {
                object.insert("ID".into(), rule.id.into());
            }
            if !rule.max_age_seconds.is_empty() {
                let seconds = rule.max_age_seconds.parse::<i64>();
                object.insert("MaxAgeSeconds".into(), seconds.map_or_else(|_| rule.max_age_seconds.into(), Into::into));
            }
        }
        json
    });
    Ok(json!({ "CORSRules": rules.collect::<Vec<_>>() }).to_string())
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn the_elements_of_a_rule_may_come_in_any_order() {
        let xml = "<?xml version='1.0'?><CORSConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><CORSRule>\
                   <AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example</AllowedOrigin><ID></ID>\
                   <AllowedMethod>PUT</AllowedMethod><MaxAgeSeconds>5</MaxAgeSeconds><AllowedOrigin>&lt;*&gt;</AllowedOrigin>\
                   </CORSRule></CORSConfiguration>";
        let json = r#"{"CORSRules":[{"AllowedMethods":["GET","PUT"],"AllowedOrigins":["https://a.example","<*>"],"MaxAgeSeconds":5}]}"#;
        assert_eq!(document(xml.as_bytes()).unwrap(), json);
        assert_eq!(document(b"<CORSConfiguration/>").unwrap(), r#"{"CORSRules":[]}"#);
        assert!(document(b"<html><body>").is_err() && document(b"").is_err());
    }
}

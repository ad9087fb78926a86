//! The CORS that an S3 server keeps for its buckets (`GetBucketCors`).

use super::client::{Client, Endpoint, code, reason};
use crate::config::UpstreamUrl;
use aws_sdk_s3::operation::get_bucket_cors::GetBucketCorsOutput;
use aws_sdk_s3::types::CorsRule;
use serde_json::json;
use std::path::Path;
use tokio::task::JoinSet;

/// How many buckets are asked for at the same time.
const AT_ONCE: usize = 16;

/// The region that is signed for where the environment names none (`AWS_REGION`).
const REGION: &str = "us-east-1";

/// What a server says about the CORS of a bucket: a document in the JSON of the AWS CLI, or `None` where there is none.
pub type OneBucketCors = Result<Option<String>, String>;

/// The CORS that a server keeps.
pub struct BucketCors(Client);

impl BucketCors {
    /// Asks this server, with the AWS credential sources. `ca_file` holds CA roots in place of the system's.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(server: &UpstreamUrl, ca_file: Option<&Path>) -> Result<Self, String> {
        let region = std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty());
        let region = region.as_deref().unwrap_or(REGION);
        Client::new(Endpoint { url: Some(server), region, ca_file }).map(Self)
    }

    /// The buckets that the owner of the credentials has.
    ///
    /// # Errors
    /// What the server says, or why it was not reached.
    pub fn buckets(&self) -> Result<Vec<String>, String> {
        self.0.wait(async |s3| {
            let mut names = Vec::new();
            let mut pages = s3.list_buckets().into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| format!("ListBuckets: {}", reason(&error)))?;
                names.extend(page.buckets().iter().filter_map(|bucket| bucket.name.clone()));
            }
            Ok(names)
        })
    }

    /// The CORS of buckets, in their order.
    #[must_use]
    pub fn of(&self, buckets: &[String]) -> Vec<OneBucketCors> {
        self.0.wait(async |s3| {
            let mut all = Vec::new();
            for some in buckets.chunks(AT_ONCE) {
                let mut asked = JoinSet::new();
                for (place, bucket) in some.iter().enumerate() {
                    let get = s3.get_bucket_cors().bucket(bucket);
                    asked.spawn(async move { (place, read(get.send().await)) });
                }
                let mut read = asked.join_all().await;
                read.sort_unstable_by_key(|(place, _)| *place);
                all.extend(read.into_iter().map(|(_, read)| read));
            }
            all
        })
    }
}

type Sent = Result<
    GetBucketCorsOutput,
    aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::get_bucket_cors::GetBucketCorsError>,
>;

fn read(sent: Sent) -> OneBucketCors {
    match sent {
        Ok(cors) => Ok(Some(document(cors.cors_rules()))),
        Err(error) if code(&error) == Some("NoSuchCORSConfiguration") => Ok(None),
        Err(error) => Err(format!("GetBucketCors: {}", reason(&error))),
    }
}

/// The rules as they came; whether S3 would accept them is for the parser to say.
fn document(rules: &[CorsRule]) -> String {
    let rules = rules.iter().map(|rule| {
        let mut json = json!({ "AllowedMethods": rule.allowed_methods(), "AllowedOrigins": rule.allowed_origins() });
        if let Some(object) = json.as_object_mut() {
            let lists = [("AllowedHeaders", rule.allowed_headers()), ("ExposeHeaders", rule.expose_headers())];
            for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
                object.insert(key.into(), list.into());
            }
            // Some servers send an empty one.
            if let Some(id) = rule.id().filter(|id| !id.is_empty()) {
                object.insert("ID".into(), id.into());
            }
            if let Some(seconds) = rule.max_age_seconds() {
                object.insert("MaxAgeSeconds".into(), seconds.into());
            }
        }
        json
    });
    json!({ "CORSRules": rules.collect::<Vec<_>>() }).to_string()
}

//! The AWS SDK for Rust as a program: runs one operation and prints the result.
//!
//!     e2e-sdk URL REGION BUCKET OPERATION ARGUMENT…

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a client for tests: it exits where it cannot continue, and its output is its result"
)]

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use std::env::var;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

type Said = Result<String, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [url, region, bucket, operation @ ..] = &*arguments else {
        eprintln!("usage: e2e-sdk URL REGION BUCKET OPERATION ARGUMENT...");
        return ExitCode::from(2);
    };
    match carry_out(&client(url, region), bucket, operation).await {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What the server responded to a failed call, without request ids.
fn answer<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> Result<T, Box<dyn Error>> {
    result.map_err(|error| {
        let status = error.raw_response().map(|response| response.status().as_u16());
        format!("{status:?} {:?} {:?}", error.code(), error.message()).into()
    })
}

/// The SDK as it is, but for the path style and a client without TLS.
fn client(url: &str, region: &str) -> Client {
    let keys =
        Credentials::new(var("AWS_ACCESS_KEY_ID").unwrap(), var("AWS_SECRET_ACCESS_KEY").unwrap(), None, None, "");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(keys)
        .endpoint_url(url)
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

async fn carry_out(s3: &Client, bucket: &str, operation: &[&str]) -> Said {
    let lifetime = PresigningConfig::expires_in(Duration::from_secs(600))?;
    match *operation {
        // In one piece, its checksum before it.
        ["put", key, file] => put(s3, bucket, key, std::fs::read(file)?.into()).await,
        // As a stream, its checksum after it.
        ["stream", key, file] => put(s3, bucket, key, ByteStream::from_path(file).await?).await,
        ["list", prefix] => {
            let list = answer(s3.list_objects_v2().bucket(bucket).prefix(prefix).send().await)?;
            Ok(list.contents().iter().map(|one| format!("{:?} {:?} {:?}\n", one.key, one.size, one.e_tag)).collect())
        }
        ["head", key] => {
            let head = answer(s3.head_object().bucket(bucket).key(key).send().await)?;
            let (length, kind, tag) = (head.content_length, head.content_type, head.e_tag);
            Ok(format!("{length:?} {kind:?} {tag:?} {:?} {:?}", head.metadata, head.last_modified))
        }
        ["get", key, file] => get(s3, bucket, key, file, None).await,
        ["get", key, file, range] => get(s3, bucket, key, file, Some(range)).await,
        ["copy", from, to] => {
            // The SDK leaves the encoding of a source to its user.
            let source = percent_encoding::utf8_percent_encode(from, percent_encoding::NON_ALPHANUMERIC);
            let copy = s3.copy_object().bucket(bucket).key(to).copy_source(format!("{bucket}/{source}"));
            Ok(format!("{:?}", answer(copy.send().await)?.copy_object_result.and_then(|copied| copied.e_tag)))
        }
        ["multipart", key, file, size] => multipart(s3, bucket, key, &std::fs::read(file)?, size.parse()?).await,
        ["presign-get", key] => Ok(s3.get_object().bucket(bucket).key(key).presigned(lifetime).await?.uri().to_owned()),
        ["presign-put", key] => Ok(s3.put_object().bucket(bucket).key(key).presigned(lifetime).await?.uri().to_owned()),
        ["delete", key] => {
            let deleted = answer(s3.delete_object().bucket(bucket).key(key).send().await)?;
            Ok(format!("{:?} {:?}", deleted.delete_marker, deleted.version_id))
        }
        _ => Err(format!("no such operation: {operation:?}").into()),
    }
}

async fn put(s3: &Client, bucket: &str, key: &str, body: ByteStream) -> Said {
    let put = s3.put_object().bucket(bucket).key(key).content_type("text/x-test").metadata("note", "a b");
    let stored = answer(put.body(body).send().await)?;
    Ok(format!("{:?} {:?}", stored.e_tag, stored.checksum_crc32))
}

async fn get(s3: &Client, bucket: &str, key: &str, file: &str, range: Option<&str>) -> Said {
    let got = answer(s3.get_object().bucket(bucket).key(key).set_range(range.map(Into::into)).send().await)?;
    let about = format!(
        "{:?} {:?} {:?} {:?} {:?} ",
        got.content_length, got.content_range, got.content_type, got.e_tag, got.metadata
    );
    std::fs::write(file, got.body.collect().await?.into_bytes())?;
    Ok(about)
}

async fn multipart(s3: &Client, bucket: &str, key: &str, content: &[u8], size: usize) -> Said {
    let create = s3.create_multipart_upload().bucket(bucket).key(key).checksum_algorithm(ChecksumAlgorithm::Crc32);
    let upload = answer(create.send().await)?.upload_id.ok_or("an upload without an id")?;
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(content.chunks(size)) {
        let request = s3.upload_part().bucket(bucket).key(key).upload_id(&upload).part_number(number);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32).body(part.to_vec().into());
        let sent = answer(request.send().await)?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        parts.push(part.set_checksum_crc32(sent.checksum_crc32).build());
    }
    let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload).multipart_upload(whole);
    Ok(format!("{:?}", answer(complete.send().await)?.e_tag))
}

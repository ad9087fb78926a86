//! `s3cors import`: the CORS that an S3 server keeps for its buckets becomes rules.

use super::{fail, note};
use clap::Args;
use s3_cors::{Document, Format};
use s3cors_proxy::config::UpstreamUrl;
use s3cors_proxy::rules::{BucketCors, Directory};
use std::path::PathBuf;
use std::process::ExitCode;

/// Credentials are those of the AWS tools: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, web identity, container, instance.
/// The region is AWS_REGION, us-east-1 by default.
#[derive(Args)]
pub(super) struct Import {
    /// The S3 server: http://HOST:PORT or https://HOST
    #[arg(long, value_name = "URL")]
    upstream: UpstreamUrl,
    /// The bucket; repeatable
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    bucket: Vec<String>,
    /// All buckets of the owner of the credentials
    #[arg(long, conflicts_with = "bucket")]
    all: bool,
    /// The directory to write to. A document that is there is replaced and keeps its form, XML or JSON
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
}

impl Import {
    pub(super) fn run(self) -> ExitCode {
        match self.write() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => fail(&error),
        }
    }

    /// Writes what can be written; whether that is everything.
    fn write(self) -> Result<bool, String> {
        let server = BucketCors::new(&self.upstream, None)?;
        let of_server = |error| format!("{}: {error}", self.upstream);
        let buckets = if self.all { server.buckets().map_err(of_server)? } else { self.bucket };
        std::fs::create_dir_all(&self.rules).map_err(|error| format!("{}: {error}", self.rules.display()))?;
        let directory = Directory::new(self.rules);
        let mut is_whole = true;
        for (bucket, cors) in buckets.iter().zip(server.of(&buckets)) {
            match cors.and_then(|cors| cors.map(|cors| import(&directory, bucket, &cors)).transpose()) {
                Ok(Some(written)) => note(&format_args!("{bucket}: {written}")),
                Ok(None) => note(&format_args!("{bucket}: no CORS")),
                Err(error) => {
                    fail(&format_args!("{bucket}: {error}"));
                    is_whole = false;
                }
            }
        }
        Ok(is_whole)
    }
}

fn import(directory: &Directory, bucket: &str, cors: &str) -> Result<String, String> {
    // A server may keep what S3 would reject.
    let document = Document::parse(cors.as_bytes(), Format::Json);
    let document = document.map_err(|errors| format!("S3 would reject its CORS: {errors}; the document: {cors}"))?;
    let (path, is_replaced) = directory.import(bucket, document.configuration()).map_err(|error| error.to_string())?;
    Ok(format!("{} {}", if is_replaced { "replaced" } else { "wrote" }, path.display()))
}

//! `s3cors import`: the CORS that an S3 server keeps for its buckets becomes rules.

use super::progress::LongWork;
use super::{fail, note};
use clap::Args;
use s3_cors::{Document, Format};
use s3cors_proxy::config::UpstreamUrl;
use s3cors_proxy::rules::{BucketCors, Directory};
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Credentials come from where the AWS tools find them: AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, AWS_PROFILE, web identity, container, instance. The
region is AWS_REGION, us-east-1 by default.

Examples:
  s3cors import --upstream https://s3.example.com --bucket photos --rules rules
  AWS_PROFILE=old s3cors import --upstream https://s3.example.com --all \\
    --rules rules

Exit status:
  0  all of it is written
  1  a bucket failed, or nothing could be read
  2  wrong usage";

#[derive(Args)]
#[command(after_help = HELP)]
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
        let listing = LongWork::of(&format_args!("asking {} which buckets there are", self.upstream));
        let buckets = if self.all { server.buckets().map_err(of_server)? } else { self.bucket };
        drop(listing);
        std::fs::create_dir_all(&self.rules).map_err(|error| format!("{}: {error}", self.rules.display()))?;
        let directory = Directory::new(self.rules);
        let mut is_whole = true;
        let reading = LongWork::of(&format_args!("reading the CORS of {} buckets", buckets.len()));
        let read = server.of(&buckets);
        drop(reading);
        for (bucket, cors) in buckets.iter().zip(read) {
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

//! The settings on the command line and in the environment.

use super::address::ListenAddress;
use super::allow::AllowedOrigin;
use super::paths::path_of_flag;
use super::upstream::UpstreamUrl;
use crate::s3::domain::Domain;
use clap::builder::{PathBufValueParser, TypedValueParser};
use std::path::PathBuf;

/// The flags of `serve`. Each works without a file and has its own environment variable.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Flags {
    /// Configuration file (YAML)
    #[arg(long, value_name = "FILE", env = "S3CORS_CONFIG", value_parser = path())]
    pub config: Option<PathBuf>,
    /// Address for S3 clients; repeatable [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "S3CORS_LISTEN", value_delimiter = ',')]
    pub listen: Vec<ListenAddress>,
    /// The S3 server: http://HOST:PORT or https://HOST; repeatable
    #[arg(long, value_name = "URL", env = "S3CORS_UPSTREAM", value_delimiter = ',')]
    pub upstream: Vec<UpstreamUrl>,
    /// Directory with BUCKET.xml or BUCKET.json, or one file for every bucket [default: conf/rules]
    #[arg(long, value_name = "PATH", env = "S3CORS_RULES", value_parser = path())]
    pub rules: Option<PathBuf>,
    /// Instead of --rules: an origin whose pages may read and write every bucket, such as `http://localhost:3000`; repeatable
    #[arg(long, value_name = "ORIGIN", env = "S3CORS_ALLOW", value_delimiter = ',', num_args = 1..)]
    pub allow: Vec<AllowedOrigin>,
    /// Address for metrics, health and status [default: 127.0.0.1:9180]
    #[arg(long, value_name = "ADDR", env = "S3CORS_ADMIN")]
    pub admin: Option<ListenAddress>,
    /// Domain whose subdomains are buckets; repeatable
    #[arg(long, value_name = "NAME", env = "S3CORS_DOMAIN", value_delimiter = ',')]
    pub domain: Vec<Domain>,
}

fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(path_of_flag)
}

//! `s3cors healthcheck`: asks `/readyz` of a running proxy, for images without curl.

use super::ask::ask;
use super::fail;
use clap::Args;
use s3cors_proxy::config::{Config, ListenAddress};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(super) struct Healthcheck {
    /// Configuration file (YAML) of the running proxy, for the address of its admin listener
    #[arg(long, value_name = "FILE", env = "S3CORS_CONFIG")]
    config: Option<PathBuf>,
    /// Address of the admin listener [default: 127.0.0.1:9180]
    #[arg(long, value_name = "ADDR", env = "S3CORS_ADMIN")]
    admin: Option<ListenAddress>,
}

impl Healthcheck {
    pub(super) fn run(self) -> ExitCode {
        let admin = match Config::admin_address(self.config.as_deref(), self.admin) {
            Ok(admin) => admin,
            Err(error) => return fail(&error),
        };
        match ask(admin, "/readyz") {
            Ok(answer) if answer.is_ok() => ExitCode::SUCCESS,
            Ok(answer) => fail(&format!("not ready: {}", answer.status_line.trim_end())),
            Err(error) => fail(&format!("{admin}: {error}")),
        }
    }
}

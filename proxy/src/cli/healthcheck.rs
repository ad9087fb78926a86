//! `s3cors healthcheck`: asks `/readyz` of a running proxy, for images without curl.

use super::admin::AdminArguments;
use super::ask::ask;
use super::fail;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
Examples:
  s3cors healthcheck
  s3cors healthcheck --admin 127.0.0.1:9181

Exit status:
  0  ready
  1  not ready, or not reached
  2  wrong usage";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Healthcheck {
    /// Configuration file (YAML) of the running proxy, for its admin listener
    #[arg(long, value_name = "FILE", env = "S3CORS_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    admin: AdminArguments,
}

impl Healthcheck {
    pub(super) fn run(self) -> ExitCode {
        let admin = match self.admin.target(self.config.as_deref()) {
            Ok(admin) => admin,
            Err(error) => return fail(&error),
        };
        match ask(&admin, "/readyz") {
            Ok(answer) if answer.is_ok() => ExitCode::SUCCESS,
            Ok(answer) => fail(&format!("not ready: {}", answer.status_line.trim_end())),
            Err(error) => fail(&format!("{admin}: {error}")),
        }
    }
}

//! `s3cors serve`

use super::fail;
use s3cors_proxy::config::{Config, Flags};
use s3cors_proxy::serve::serve;
use s3cors_proxy::telemetry::log;
use std::process::ExitCode;

pub(super) fn run(flags: Flags) -> ExitCode {
    match Config::load(flags) {
        Ok(config) => start(config),
        Err(error) => fail(&error),
    }
}

pub(super) fn start(config: Config) -> ExitCode {
    let log = log::start(&config.log);
    match serve(config, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

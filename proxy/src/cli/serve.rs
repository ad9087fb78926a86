//! `s3cors serve`

use super::fail;
use s3cors_proxy::config::{Config, Flags, LogFormat, LogLevel};
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
    let format = match config.log.format {
        LogFormat::Json => log::Format::Json,
        LogFormat::Text => log::Format::Text,
    };
    let level = match config.log.level {
        LogLevel::Error => log::Level::Error,
        LogLevel::Warn => log::Level::Warn,
        LogLevel::Info => log::Level::Info,
        LogLevel::Debug => log::Level::Debug,
    };
    let log = match log::start(format, level, config.log.access) {
        Ok(log) => log,
        Err(error) => return fail(&error),
    };
    match serve(config, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

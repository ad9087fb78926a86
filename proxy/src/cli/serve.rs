//! `s3cors serve`

use super::variables::unknown_variables;
use super::{fail, note};
use s3cors_proxy::config::{Config, Flags, LogFormat, LogLevel};
use s3cors_proxy::serve::{Hooks, ServeErrors, other_obstacles, serve};
use s3cors_proxy::telemetry::log;
use std::fmt::Display;
use std::process::ExitCode;

pub(super) fn run(flags: Flags) -> ExitCode {
    let (config, errors) = Config::load_valid(flags);
    match config {
        Some(config) if errors.is_empty() => start(config, &[], Hooks::default()),
        config => {
            let others = config.map(|config| other_obstacles(config, &errors)).unwrap_or_default();
            // A setting may be missing because its variable has another name.
            for unknown in unknown_variables() {
                note(&unknown);
            }
            all(&errors);
            all(&others)
        }
    }
}

fn all<E: Display>(errors: &[E]) -> ExitCode {
    for error in errors {
        // An error may have several lines, one for each document or place.
        for line in error.to_string().lines() {
            fail(&line);
        }
    }
    ExitCode::FAILURE
}

/// Serves. `filter` are directives of the log's filter for what else the process runs.
pub(super) fn start(config: Config, filter: &[&str], hooks: Hooks) -> ExitCode {
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
    let log = match log::start(format, level, config.log.access, filter) {
        Ok(log) => log,
        Err(error) => return fail(&error),
    };
    for unknown in unknown_variables() {
        tracing::warn!("{unknown}");
    }
    match serve(config, log, hooks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ServeErrors(errors)) => all(&errors),
    }
}

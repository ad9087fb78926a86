//! `s3cors serve`

use super::admin::reachable;
use super::progress::LongWork;
use super::terminal::has_colour;
use super::variables::unknown_variables;
use super::{fail, note};
use s3cors_proxy::config::{Config, Flags, LogFormat, LogLevel, RulesSource};
use s3cors_proxy::serve::{Hooks, ServeErrors, other_obstacles, serve};
use s3cors_proxy::telemetry::log;
use std::fmt::Display;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing::level_filters::LevelFilter;

pub(super) const HELP: &str = "\
Examples:
  s3cors serve --upstream http://127.0.0.1:9000 --allow http://localhost:3000
  s3cors serve --upstream https://s3.example.com --rules /etc/s3cors/rules
  s3cors serve --config /etc/s3cors/s3cors.yaml

A flag wins over its variable, a variable over the file, the file over the
default. On a terminal the log is short text; in a pipe it is JSON.

Exit status:
  0    a signal ended it, and requests in flight were finished
  1    it cannot start: each reason is on standard error
  2    wrong usage
  130  a second signal ended it at once";

pub(super) fn run(flags: Flags) -> ExitCode {
    let (config, errors) = Config::load_valid(flags);
    match config {
        Some(config) if errors.is_empty() => {
            let format = format_of(config.log.format);
            let starting = match config.rules.source {
                RulesSource::Files => LongWork::of(&format_args!("reading {}", config.rules.path().display())),
                RulesSource::Upstream | RulesSource::Store => LongWork::of(&"asking for the rules of all buckets"),
            };
            let scheme = if config.admin.tls.is_some() { "https" } else { "http" };
            let ready = move |admin| {
                drop(starting);
                // A machine finds the address in the line before.
                if matches!(format, log::Format::Console { .. }) {
                    tracing::info!("the status page is at {scheme}://{}/status", reachable(admin));
                }
            };
            start(config, format, &[], Hooks { ready: Some(Box::new(ready)), end: None })
        }
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

/// The form of the log on this standard output. Colours that are forced, as before `less -R`, mean a person behind the pipe.
fn format_of(configured: LogFormat) -> log::Format {
    let stdout = std::io::stdout();
    let (is_terminal, has_colour) = (stdout.is_terminal(), has_colour(&stdout));
    match configured {
        LogFormat::Json => log::Format::Json,
        LogFormat::Auto if !is_terminal => log::Format::Json,
        LogFormat::Text if !is_terminal && !has_colour => log::Format::Text,
        LogFormat::Auto | LogFormat::Text => log::Format::Console { has_colour },
    }
}

/// Serves. `levels` are those of the log for what else the process runs.
pub(super) fn start(config: Config, format: log::Format, levels: &[(&str, LevelFilter)], hooks: Hooks) -> ExitCode {
    let level = match config.log.level {
        LogLevel::Error => log::Level::Error,
        LogLevel::Warn => log::Level::Warn,
        LogLevel::Info => log::Level::Info,
        LogLevel::Debug => log::Level::Debug,
    };
    let log = match log::start(format, level, config.log.access, levels) {
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

//! The subcommands, one file each.

mod admin;
mod ask;
mod browser;
mod check;
mod convert;
mod curl;
#[cfg(feature = "demo")]
mod demo;
mod explain;
mod healthcheck;
mod import;
mod learn;
mod manual;
#[cfg(any(test, not(feature = "demo")))]
mod no_demo;
mod parse;
mod progress;
mod serve;
mod terminal;
mod variables;

use clap::{Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::process::ExitCode;

/// Puts Amazon S3's CORS in front of any S3 server
#[derive(Parser)]
#[command(name = "s3cors", version = VERSION, about, max_term_width = 80, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("S3CORS_REVISION"), ")");

const EXAMPLES: &str = "\
Examples:
  s3cors serve --upstream http://127.0.0.1:9000 --allow http://localhost:3000
  s3cors check rules
  s3cors explain --rules rules --bucket photos --origin https://app.example \\
    --method PUT

Each command has examples and its exit status in its own --help.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  s3cors completions bash > /etc/bash_completion.d/s3cors
  s3cors completions fish > ~/.config/fish/completions/s3cors.fish";

#[derive(Subcommand)]
enum Command {
    /// Run the proxy
    #[command(after_help = serve::HELP)]
    Serve(s3cors_proxy::config::Flags),
    /// Try everything on this machine: store, bucket, rules, pages
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    #[cfg(not(feature = "demo"))]
    Demo(no_demo::NoDemo),
    /// Check configuration and rules
    Check(check::Check),
    /// Explain why a request is allowed or denied
    Explain(Box<explain::Explain>),
    /// Convert rules from another tool's form, and between XML and JSON
    Convert(convert::Convert),
    /// Write the CORS that an S3 server keeps as rules
    Import(import::Import),
    /// Print the smallest rules that allow what was denied
    Learn(learn::Learn),
    /// Ask a running proxy whether it is ready
    Healthcheck(healthcheck::Healthcheck),
    /// Print shell completions
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a man page, or write those of all commands
    Man(manual::Man),
}

/// Output format of a command.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Cli {
    pub(crate) fn run(self) -> ExitCode {
        match self.command {
            Command::Serve(flags) => serve::run(flags),
            Command::Demo(demo) => demo.run(),
            Command::Check(check) => check.run(),
            Command::Explain(explain) => explain.run(),
            Command::Convert(convert) => convert.run(),
            Command::Import(import) => import.run(),
            Command::Learn(learn) => learn.run(),
            Command::Healthcheck(healthcheck) => healthcheck.run(),
            Command::Completions { shell } => manual::completions(shell),
            Command::Man(man) => man.run(),
        }
    }
}

/// Writes to standard output. A closed pipe (`s3cors man | head`) is not a failure.
fn print(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => fail(&error),
        _ => ExitCode::SUCCESS,
    }
}

/// Prints to standard error what is no error.
fn note(note: &dyn std::fmt::Display) {
    // If standard error is closed, there is nowhere left to report to.
    let _ = writeln!(std::io::stderr(), "s3cors: note: {note}");
}

/// Prints what is wrong with the arguments to standard error and returns exit code 2, as for arguments that cannot be read.
fn wrong_usage(error: &dyn std::fmt::Display) -> ExitCode {
    // If standard error is closed, there is nowhere left to report to.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(2)
}

/// Prints an error to standard error and returns exit code 1.
fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    // If standard error is closed, there is nowhere left to report to.
    let _ = writeln!(std::io::stderr(), "s3cors: {error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests;

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
mod parse;
mod serve;
mod variables;

use clap::{Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::process::ExitCode;

/// Puts Amazon S3's CORS in front of any S3 server
#[derive(Parser)]
#[command(name = "s3cors", version = VERSION, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("S3CORS_REVISION"), ")");

#[derive(Subcommand)]
enum Command {
    /// Run the proxy
    Serve(s3cors_proxy::config::Flags),
    /// Run a complete demo on this machine: store, bucket, rules, two pages, and what to try
    #[cfg(feature = "demo")]
    Demo(demo::Demo),
    /// Check configuration and rules; exits with 0 if valid, 1 if not, 2 on wrong usage
    Check(check::Check),
    /// Explain why a request is or is not allowed, rule by rule
    Explain(Box<explain::Explain>),
    /// Convert rules to S3's XML or the JSON of the AWS CLI, from each other and from the forms of other tools
    Convert(convert::Convert),
    /// Write the CORS that an S3 server keeps for its buckets as rules, with the credentials of the AWS tools
    Import(import::Import),
    /// Print the smallest rules that allow what a running proxy denied, and nothing else; for a person to read
    Learn(learn::Learn),
    /// Ask a running proxy whether it is ready; exits with 0 if ready, 1 if not
    Healthcheck(healthcheck::Healthcheck),
    /// Print shell completions
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
            #[cfg(feature = "demo")]
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

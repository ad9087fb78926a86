//! `s3cors demo` in a program that was built without it.

use super::wrong_usage;
use clap::Args;
use std::ffi::OsString;
use std::process::ExitCode;

/// Not in this build
#[derive(Args)]
#[command(hide = true, disable_help_flag = true)]
pub(super) struct NoDemo {
    /// Whatever the demo would take
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

impl NoDemo {
    pub(super) const MESSAGE: &str =
        "this build has no demo; build with `cargo build --release`, which has it, or run deploy/demo";

    pub(super) fn run(self) -> ExitCode {
        wrong_usage(&Self::MESSAGE)
    }
}
